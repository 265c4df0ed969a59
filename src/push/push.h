/* push.h - metrics that their senders push: what a Pushgateway takes, straight into our own store.
 *
 * A group is what one path names (push_path.h). PUT puts its metrics in the place of what the group had, POST only in the
 * place of what has the same names, DELETE ends it. Each scrape interval a group's values are written into the store as if
 * it had been scraped; when it has not been pushed for max_age it ends as by DELETE, so that a sender that died does not
 * show its last value for ever.
 *
 * What concerns one group happens one after the other, on a worker: a push is read there while the group still has what
 * was pushed before. It is answered when its row (push_row.h) is on disk, so that groups survive a reload, a restart and a
 * power cut; if it cannot be written, it counts all the same, and the answer says so.
 *
 * Shapes   up to push_conf.max_groups, with push_conf.max_series together.
 * Units    slots are wall clock, ages are not.
 * Errors   of a push: in its answer, and as the group's push_failure_time_seconds.
 * Owns     groups and their streams; clock, pool and store are borrowed. The configuration is copied.
 * Source   ecosystem.md 5; design.md 2.10.
 */
#ifndef PUSH_PUSH_H
#define PUSH_PUSH_H

#include "os/clock.h"
#include "os/pool.h"
#include "push/push_conf.h"
#include "tocsin/err.h"
#include "tsdb/tsdb.h"

struct push;

struct push *push_new(struct clock *clock, struct pool *pool, struct tsdb *db);
void push_free(struct push *p); /* the pool must have been drained */

/* conf: NULL ends all groups. seed: of everybody's place within the interval. */
void push_configure(struct push *p, const struct push_conf *conf, uint64_t seed);
/* Who keeps the groups' rows, by their path. Called on the loop. */
struct push_keeper {
    void (*put)(void *arg, str path, str body);
    void (*drop)(void *arg, str path);
    /* Calls back, maybe at once, when all of that is on disk, or with ok = false and why. */
    void (*after)(void *arg, void (*done)(void *of, bool ok, const struct err *e), void *of);
    void *arg;
};

/* After push_new(); without it nobody keeps them. */
void push_keep(struct push *p, const struct push_keeper *keeper);
/* Takes up a group. After push_configure(), before any push. What cannot be read is counted, and stays. */
void push_restore(struct push *p, str body);
/* All groups' rows, to be written anew. */
void push_snapshot(const struct push *p, void (*put)(void *arg, str path, str body), void *arg);
/* Nothing is written before: the store is still being filled from its log. */
void push_start(struct push *p);
void push_rearm(struct push *p); /* the wall clock stepped */
/* NULL: pushes are not taken. */
const struct push_conf *push_conf(const struct push *p);

enum push_method { PUSH_PUT, PUSH_POST, PUSH_DELETE };

enum push_format { PUSH_TEXT, PUSH_OPENMETRICS, PUSH_PROTOBUF };

struct push_request {
    enum push_method method;
    struct labels key; /* of push_path_parse() */
    str body;          /* copied */
    enum push_format format;
};

/* e->code: ERR_NONE done, ERR_INVALID and ERR_LIMIT the push is wrong or too large, ERR_CONFLICT not now,
 * or not for certain: it counts, and is not on disk. */
typedef void push_done(void *arg, const struct err *e);

/* It is called exactly once, maybe at once; not after push_free(). */
void push_submit(struct push *p, const struct push_request *rq, push_done *callback, void *arg);

/* -- for the API -- */

struct push_status {
    struct labels key;
    str path;        /* with the one spelling of push_path_print() */
    ts_ns pushed_at; /* wall; TS_NONE: no push has succeeded */
    str last_error;  /* empty: the last push and what followed went well */
    dur_ns interval;
};

void push_each(const struct push *p, void (*each)(void *arg, const struct push_status *s),
               void *arg);

struct push_stats {
    size_t unreadable; /* groups' rows, at the start */
    size_t groups, series;
    /* refused: samples that the store did not take */
    uint64_t pushes, failed, expired, samples, refused;
};

struct push_stats push_stats(const struct push *p);

#endif
