/* hearing.h - the sample log (tsdb/log.h), listened to: what each of its records brings, and what ends with it.
 *
 *     h = hearing_new(each, arg)          each(arg, &x) for each sample, in the order of the log
 *     hearing_begin(h)                    a segment: numbers of streams and series begin anew
 *     hearing_record(h, bytes)            one of its records
 *
 * A record of a stream says which series it has; those that the one before had, and this one has not, have ended, and that is
 * heard as a sample, too: as the store marks it (tsdb.h).
 *
 * Shapes   100,000 series, some thousand streams.
 * Units    ts_ms.
 * Errors   none: of a record that speaks of what no record before has named, nothing is heard. The log's checksums and the replay
 *          have seen it before.
 * Owns     the labels of what is not over, encoded as a request has them. One thread at a time.
 * Cost     of a series that is listened to its labels and 100 bytes; 50 ns a sample.
 * Source   design.md 2.10.
 */
#ifndef REMOTE_WRITE_HEARING_H
#define REMOTE_WRITE_HEARING_H

#include "base/time.h"
#include "promql/storage.h"

/* A series, for as long as it is not over. */
struct heard_series {
    str labels; /* encoded, request.h; owned */
    str *made;  /* by who listens: what becomes of them, owned; NULL: nothing yet */
    size_t n_made;
    struct heard_stream *of; /* whose last record had it; NULL: it has ended */
    uint64_t seen;           /* in which of its records */
};

struct heard {
    struct heard_series *series;
    ts_ms t;
    storage_slot slot;                 /* STORAGE_STALE: it has ended */
    const struct histogram *histogram; /* instead of the slot; NULL: a float */
    bool is_rule;                      /* what a rule records */
};

typedef void heard_cb(void *arg, const struct heard *x);

struct hearing;

struct hearing *hearing_new(heard_cb *each, void *arg);
void hearing_free(struct hearing *h); /* NULL is fine */
/* Of rules alone, or of all; from the next segment on. */
void hearing_of_all(struct hearing *h, bool all);
void hearing_begin(struct hearing *h);
void hearing_record(struct hearing *h, str bytes);
void hearing_forget_made(struct hearing *h);

#endif
