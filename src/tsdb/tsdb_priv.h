/* tsdb_priv.h - the store's parts, for its own files. All of it is guarded by the lock. */
#ifndef TSDB_TSDB_PRIV_H
#define TSDB_TSDB_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include "os/role.h"
#include "tsdb/index.h"
#include "tsdb/selector.h"
#include "tsdb/stream.h"

/* Far from overflow, whatever is added. */
#define TSDB_TIME_MAX ((int64_t)1 << 53)

static inline bool tsdb_time_is_valid(ts_ms t)
{
    return t > -TSDB_TIME_MAX && t < TSDB_TIME_MAX;
}

MAP_DECLARE(stream_map, str, struct tsdb_stream *);

struct tsdb_log;
struct tsdb_log_ear;

struct tsdb {
    /* How long it is held, measured as CPU time of a core of a Xeon, 100,000 series of 5 labels and of 20 (240) samples:
     *
     *     write  commit of a scrape of all of them          16 ms (26)
     *            a selector that all match, registered      2 ms
     *            tsdb_collect()                             0.3 ms (0.6)
     *     read   a slice of a gathering (promql/gather.h)   0.1 ms (0.4), the longest 0.4 (0.9); all of it 45 (150) in 391
     *            a small query                              at most 4 million sample visits, or 50 ms, then it gathers
     *            a rule                                     its evaluation
     *
     * So the loop, which answers in milliseconds, never asks for it: tsdb_lock_*() assert that. */
    pthread_rwlock_t lock;
    struct tsdb_options o;
    struct symbols symbols;
    struct index index;
    struct series_table series;
    struct slab slab;
    struct stream_map streams;
    struct selectors selectors;
    size_t stream_bytes;
    uint64_t appended, refused[TSDB_REFUSALS];
    VEC(struct series_label) scratch; /* the labels being looked up */
    struct {                          /* where tsdb_collect() goes on */
        size_t stream, table, block;
    } cursor;
    struct tsdb_log *log;           /* NULL: nothing is logged */
    const struct tsdb_log_ear *ear; /* of the thread that writes the log; NULL: nobody listens */
    _Atomic dur_ns stepped; /* of the clock that the samples are by; written under the lock */
    ts_ns followed;         /* mono: when that clock was read */
};

/* Never on the loop. */
static inline void tsdb_lock_read(struct tsdb *db)
{
    ROLE_NOT_LOOP();
    pthread_rwlock_rdlock(&db->lock);
}

static inline void tsdb_lock_write(struct tsdb *db)
{
    ROLE_NOT_LOOP();
    pthread_rwlock_wrlock(&db->lock);
}

static inline void tsdb_unlock(struct tsdb *db)
{
    pthread_rwlock_unlock(&db->lock);
}

size_t tsdb_bytes(const struct tsdb *db);
struct labels tsdb_labels(const struct tsdb *db, uint32_t id, struct arena *a);

/* Gives a reference back; what is remembered about a symbol is forgotten with it. */
void tsdb_unref_symbol(struct tsdb *db, uint32_t symbol);
void tsdb_forget_symbol(void *arg, uint32_t symbol);

/* With the write lock held. */
struct tsdb_stream *tsdb_open_locked(struct tsdb *db, const struct tsdb_stream_conf *c);
void tsdb_close_locked(struct tsdb *db, struct tsdb_stream *s, ts_ms t);
bool tsdb_commit_locked(struct tsdb_batch *b, struct err *e) must_check;
void tsdb_shift_locked(struct tsdb *db, int64_t by_ms);
/* The time of a sample that brings its own, and of the batch in which it came. */
struct tsdb_own_time {
    ts_ms t, batch;
};

/* Of an item whose series is known. */
static inline struct tsdb_rest tsdb_rest_of(const struct tsdb_batch *b,
                                            const struct tsdb_item *item)
{
    return item->more != 0 ? b->rest.v[item->more - 1] : (struct tsdb_rest){NULL, 0};
}

/* The number by which an item knows the rest of it. */
static inline uint32_t tsdb_batch_rest(struct tsdb_batch *b, struct tsdb_rest rest)
{
    if (rest.histogram == NULL && rest.start == 0)
        return 0;
    vec_push(&b->rest, rest);
    return (uint32_t)b->rest.n;
}

/* The series that was asked for before, under the same lock, its labels still there: neighbours share most of them. */
enum { TSDB_NEIGHBOUR_LABELS = 32 };
struct tsdb_neighbour {
    struct labels labels; /* none yet */
    struct series_label v[TSDB_NEIGHBOUR_LABELS];
};

/* The series of these labels in the stream, made when need be, for samples like the slot; TSDB_REF_DROPPED with *why
 * set, or TSDB_REFUSALS when nobody wants it. With own != NULL in one of the stream's lanes; a series that would only
 * have a sample which nobody reads any more is not made: TSDB_REF_NEW. */
uint32_t tsdb_series_for(struct tsdb *db, struct tsdb_stream *s, const struct tsdb_own_time *own,
                         struct labels ls, storage_slot first, struct tsdb_neighbour *near,
                         enum tsdb_refusal *why);
/* To another stream; how much of what it has goes with it, lane.h says. */
void tsdb_move_series(struct tsdb *db, struct tsdb_stream *to, uint32_t id);
void tsdb_refuse(struct tsdb_batch *b, enum tsdb_refusal why);
void tsdb_drop_series(struct tsdb *db, const uint32_t *ids, size_t n);

#endif
