/* tsdb.h - recent samples in memory, as far back as somebody reads them.
 *
 * Samples come in streams: a scrape target, a rule group's output, a sender. All series of a stream share its times, so
 * a sample costs 8 bytes, and a series is a row of values that slides over the last `reach`: the widest range that a
 * registered selector looks back over. Series that no selector can select are not kept, unless keep_all.
 *
 *     db = tsdb_new(&options)                         then selectors are registered (promql/storage.h), and
 *     tsdb_log_open(db, dir, &replay, &e)             log.h: what was there is replayed; on a worker
 *     stream = tsdb_stream_open(db, &conf)            a target, a rule's output, a sender; at its end tsdb_stream_close()
 *     refs = tsdb_batch_begin(&b, db, stream, t)      no lock is held while the batch is filled
 *     tsdb_batch_add(&b, ref, labels, value)          by ref, or by labels when the ref is not known
 *     tsdb_commit(&b, &e)                             the write lock, for about 20 ns a sample
 *     b.items.v[i].ref                                for the next scrape, as long as begin returns the same number
 *
 * A sender that forwards several targets opens a stream for each, since their times differ. Samples that bring times of
 * their own, tsdb_batch_add_at(), sort themselves into lanes of the stream; such a series does not end when it is not in a
 * batch, it is just not renewed.
 *
 * Somebody may set the wall clock. The samples then move along, so that they lie as far back as they are old: else the
 * store would refuse what comes after an hour's step back for an hour, and windows would be empty after a step ahead.
 *
 * Shapes   millions of series, 3-30 labels each; thousands of streams, selectors and distinct label values.
 * Units    ts_ms.
 * Errors   ERR_CONFLICT (time not after the stream's last), ERR_LIMIT. Single samples are refused and counted.
 * Owns     the store owns everything but the batches. Threads: any number read through tsdb_storage(), any may append,
 *          the lock is the store's. One batch a stream at a time.
 * Cost     about 400 bytes a series with 20 samples and 8 labels.
 * Source   design.md 2.10, 4; promql.md 17.
 */
#ifndef TSDB_TSDB_H
#define TSDB_TSDB_H

#include "base/vec.h"
#include "promql/storage.h"

struct tsdb;
struct tsdb_stream;

struct tsdb_options {
    bool keep_all;
    int64_t min_reach_ms; /* of every series; 0: 5 minutes */
    int64_t max_reach_ms; /* no selector gets more; 0: no limit */
    /* 0: no limit. Label bytes are those of one series */
    size_t max_series, max_bytes, max_label_bytes;
};

struct tsdb *tsdb_new(const struct tsdb_options *o);
void tsdb_free(struct tsdb *db);
struct storage tsdb_storage(struct tsdb *db);

/* -- streams -- */

struct tsdb_stream_conf {
    str name;            /* the same name is the same stream, also after a restart */
    int64_t interval_ms; /* expected between samples, 0: not known */
    bool marks_stale;    /* a series that is not in a batch but was in the one before has ended */
};

bool tsdb_stream_is_known(struct tsdb *db, str name); /* open, or from the log */
/* The caller holds it until he closes it. had: what he holds by this name already, which then has these settings; NULL:
 * nothing. Several may hold one, such as a rule that is there again before the old one is gone. */
struct tsdb_stream *tsdb_stream_open(struct tsdb *db, const struct tsdb_stream_conf *c,
                                     const struct tsdb_stream *had);
/* The target is gone: with its last holder all its series end at t. They stay as long as they can be read; the pointer is
 * given back. */
void tsdb_stream_close(struct tsdb *db, struct tsdb_stream *s, ts_ms t);
/* The same in two steps, for who must not wait for the lock: from the first on other streams may take the series over, if
 * nobody else holds it, and the second ends what is left. */
void tsdb_stream_leave(struct tsdb_stream *s);
void tsdb_stream_close_left(struct tsdb *db, struct tsdb_stream *s, ts_ms t);

/* -- appending -- */

enum tsdb_refusal {
    TSDB_OUT_OF_ORDER,    /* not after the last sample of the stream */
    TSDB_DUPLICATE,       /* twice in a batch */
    TSDB_FOREIGN,         /* the series belongs to another open stream */
    TSDB_TOO_MANY_SERIES, /* max_series */
    TSDB_TOO_MUCH_MEMORY, /* max_bytes */
    TSDB_LABELS_TOO_LONG, /* max_label_bytes */
    TSDB_LABELS_INVALID, /* a name that is none, or no value: whoever added them should have looked */
    TSDB_REFUSALS
};

#define TSDB_REF_NEW     UINT32_MAX
#define TSDB_REF_DROPPED (UINT32_MAX - 1) /* nobody selects the series, or it was refused */

struct tsdb_item {
    storage_slot slot;
    uint32_t ref;
    uint32_t
        more; /* of TSDB_REF_NEW: index in batch.news; else index + 1 in batch.rest, 0: it has no more than a float */
};

/* A sample whose series is not known by its ref. */
struct tsdb_new {
    struct labels labels;
    uint32_t rest; /* of its item, when the series is known */
};

/* What few samples have. */
struct tsdb_rest {
    const struct histogram *histogram;
    ts_ms start; /* 0: not known */
};

struct tsdb_timed {
    ts_ms t;
    struct tsdb_item item;
};

struct tsdb_batch {
    struct tsdb *db;
    struct tsdb_stream *stream;
    ts_ms t;
    struct arena a;
    VEC(struct tsdb_item) items;
    VEC(struct tsdb_timed) timed;
    VEC(struct tsdb_new) news;
    VEC(struct tsdb_rest) rest;
    dur_ns stepped; /* of the clock that t is from; begin takes it to be the store's */
    size_t made;    /* bytes of the series that were made so far for what it has */
    size_t refused; /* by the last commit that succeeded otherwise */
    enum tsdb_refusal why;
};

void tsdb_batch_init(struct tsdb_batch *b);
void tsdb_batch_release(struct tsdb_batch *b);
/* Returns the number that refs belong to: those from a batch that began with another one are void. Every begin is
 * followed by a commit or a cancel. */
uint64_t tsdb_batch_begin(struct tsdb_batch *b, struct tsdb *db, struct tsdb_stream *s, ts_ms t);
/* Labels, with __name__, are copied when ref is TSDB_REF_NEW. A stale marker is a value with its bits. */
void tsdb_batch_add(struct tsdb_batch *b, uint32_t ref, struct labels ls, double v);
/* A sample at a time of its own. Refused when it is before the series' last; the same sample again is nothing new. The ref
 * stays TSDB_REF_NEW when there is no such series and the sample is too old for anybody to read. */
void tsdb_batch_add_at(struct tsdb_batch *b, uint32_t ref, struct labels ls, double v, ts_ms t);
/* h has passed histogram_check() and has a schema that is not above HISTOGRAM_SCHEMA_MAX. */
void tsdb_batch_add_histogram(struct tsdb_batch *b, uint32_t ref, struct labels ls,
                              const struct histogram *h);
void tsdb_batch_set_start(struct tsdb_batch *b, ts_ms start); /* of what was added last */
/* Finds or makes the series of what came by labels so far, which frees the labels: a batch of many new series stays small. */
void tsdb_batch_resolve(struct tsdb_batch *b);
/* The batch is emptied, and the series go that were made for what it had; refs that it has taught are void. */
void tsdb_batch_clear(struct tsdb_batch *b);
/* All or, on failure, nothing; single samples may be refused. Either way the batch is over. */
bool tsdb_commit(struct tsdb_batch *b, struct err *e) must_check;

void tsdb_batch_cancel(struct tsdb_batch *b);

/* -- the clock -- */

/* What comes from now on is by this clock: if it has been set since the store was last told, all samples but those with
 * times of their own move by as much. Not while a batch is being resolved by the same thread; waits for readers. */
void tsdb_follow(struct tsdb *db, struct now now);
/* What to add to a time that was taken from the clock when it had been set by `stepped`, to ask the store for it. May
 * change while the lock is not held. */
int64_t tsdb_moved_ms(const struct tsdb *db, dur_ns stepped);
/* After a replay: streams that end later than now were written by a clock that was ahead; they are moved back. */
void tsdb_pull_back(struct tsdb *db, ts_ms now);

/* -- upkeep -- */

/* Forgets some of the series that ended longer ago than anybody reads, or that nobody selects any more. Called every few
 * seconds; a call takes a few milliseconds. Returns how many went. */
size_t tsdb_collect(struct tsdb *db, ts_ms now);

struct tsdb_stats {
    size_t series, streams, selectors, symbols, bytes;
    uint64_t appended, refused[TSDB_REFUSALS]; /* samples */
    int64_t longest_reach_ms;
};

struct tsdb_stats tsdb_stats(struct tsdb *db); /* waits for the lock */
extern const char *const tsdb_refusal_names[TSDB_REFUSALS];

#endif
