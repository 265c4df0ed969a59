/* writer.h - a span of the store's samples into a file.
 *
 *     history_writer_open(w, path, span, &e)       what the file has is known
 *     history_writer_begin(w, selectors, n, end)   all before end, that is not written yet
 *     while (history_writer_more(w, &e)) ...       a piece of it
 *     history_writer_commit(w, &e)
 *
 * Series are copied out of the store in slices (promql/gather.h), each under the lock for less than a millisecond, and put into
 * the file without it. After a failure the writer is closed: what it knew of the file is not so.
 *
 * Owns     selectors and storage are borrowed.
 */
#ifndef HISTORY_WRITER_H
#define HISTORY_WRITER_H

#include "base/map.h"
#include "base/vec.h"
#include "history/file.h"
#include "history/row.h"
#include "promql/gather.h"
#include "tsdb/symbols.h"

/* A series as far as it is written. */
struct history_known {
    uint32_t number, file; /* its number in the file that is open, if that is the file */
    ts_ms last;            /* the time of its last sample in a file */
};
enum { HISTORY_NEW_SPANS = 4 };

MAP_DECLARE(history_known_map, uint64_t, struct history_known);

struct history_op {
    enum history_table table;
    int64_t key, metric, span;
    size_t at, n; /* of the body, in bytes */
};

struct history_writer {
    struct storage storage;
    struct history_file file;
    bool is_open, is_busy; /* busy: a span is being written */
    uint32_t number;       /* of the file, since the start */
    uint32_t n_series;
    struct symbols symbols; /* of the file */
    struct history_known_map known;

    /* the span that is being written */
    ts_ms end;
    struct storage_selector *const *selectors;
    size_t n_selectors, at; /* selectors that are done */
    struct storage_slices slices;
    struct arena keep, scratch; /* of the span; of a slice */
    struct str_map times;       /* a span and its times, packed: to their number + 1 */
    int64_t first_span;
    uint64_t next[HISTORY_NEW_SPANS],
        late; /* numbers of times, from that span on; of those before */
    struct buf bytes;
    VEC(struct history_op) ops;
    struct history_op old; /* a row that is there already */
    const struct storage_series *series_now;
    const ts_ms *seen; /* in this slice: times that have the number */
    size_t n_seen;
    uint64_t seen_number;
    uint64_t series, samples; /* written */
};

void history_writer_init(struct history_writer *w, struct storage storage);
void history_writer_release(struct history_writer *w);

/* first: the base of a file that is made. */
bool history_writer_open(struct history_writer *w, const char *path, int64_t first,
                         struct err *e) must_check;
void history_writer_close(struct history_writer *w); /* without what is not committed */
/* The clock was set, and samples moved along. */
void history_writer_shift(struct history_writer *w, int64_t by_ms);
/* Forgets series of which nothing was written since. */
void history_writer_forget(struct history_writer *w, ts_ms before);

bool history_writer_begin(struct history_writer *w, struct storage_selector *const *selectors,
                          size_t n, ts_ms end, struct err *e) must_check;
/* False: it is done, or e is set. */
bool history_writer_more(struct history_writer *w, struct err *e) must_check;
bool history_writer_commit(struct history_writer *w, struct err *e) must_check;

#endif
