/* backend.h - what lasts: typed rows, put and deleted in numbered commits.
 *
 * The engine's turn collects rows into a struct state_commit; the shell hands it to the backend, which writes it on its
 * own thread and reports the number when it is on disk. Commits are applied in order; waiting ones are merged.
 *
 * The alert log is synced in the same commit before the rows (model/row.h).
 *
 * Rows are read back at the start by scan(), before the first commit, and at any time by read(). The database is locked
 * for the one connection that writes it, so a read waits in the writer's queue: it sees whatever was handed over before
 * it, and needs no second connection. What of a table one needs often is in memory anyway.
 *
 *     b = state_sqlite_open(dir, &shell, clock, &notice, &e)     or state_memory_new(&shell), in tests
 *     b->ops->scan(b->self, table, row, arg, &e)                 what there is, table by table; then
 *     n = b->ops->commit(b->self, &commit)                       ... shell.committed(arg, n, ok, why), in order of n
 *     b->ops->read(b->self, &read)                               ... read.done(&read, why)
 *     b->ops->sync(b->self); state_backend_free(b)               a stop: all is on the disk, or has failed
 *
 * Errors   open: ERR_CONFLICT "in use by pid N", ERR_UNSUPPORTED newer version (names the backup), ERR_IO. A database
 *          that does not pass its check is set aside for an empty one, a row with a wrong sum is left out, of a log the
 *          sound records are read and a copy is kept: each is a line of *notice. A first start where the disk is full,
 *          over quota or read-only begins degraded, with nothing. commit: committed(n, ok = false, why), and the
 *          backend is degraded until a rewrite from memory succeeds.
 * Owns     commit() takes the commit. Scan results are borrowed during the callback.
 * Source   design.md 1.3, 2.4, 4 "local state", "alerts on disk"; libraries.md 6.
 */
#ifndef STATE_BACKEND_H
#define STATE_BACKEND_H

#include "base/err.h"
#include "base/time.h"
#include "model/row.h"

/* Called on the loop thread, in order of n. ok = false: the commit is not on disk; degraded from now on. */
typedef void state_committed(void *arg, uint64_t n, bool ok, const struct err *e);
/* During a rewrite after trouble, called on the loop thread: append all live rows and the whole alert log to c. */
typedef void state_snapshot(void *arg, struct state_commit *c);

/* Of the alert log that is to take the place of the one in use. */
enum state_slice { STATE_SLICE_NEXT, STATE_SLICE_FIRST = 1, STATE_SLICE_LAST = 2 };

/* A read, owned by who asks until it is answered; an answer always comes, at the latest when the backend is freed. */
struct state_read {
    enum state_table table; /* but for STATE_ALERT, which has no keys */
    str prefix, from;       /* of the keys; from: the first one that is wanted */
    size_t max_bytes;       /* of the answer, which ends with the first row beyond */
    void (*done)(struct state_read *r,
                 const struct err *e); /* on the loop; e: NULL when it is read */
    struct buf rows;                   /* the answer in key order, for state_row_next() */
    bool is_cut; /* there are more: ask again, from the last key with a byte of 0 behind it */
};

/* The next row of an answer; false at its end. */
bool state_row_next(struct unpack *u, str *key, str *body);
/* Adds a row to the answer; false: no more are wanted. For backends. */
bool state_read_add(struct state_read *r, str key, str body);

struct state_stats {
    uint64_t commits, failed;
    double commit_seconds_sum, last_commit_seconds;
    uint64_t size_bytes, alert_log_bytes;
    bool degraded;
    ts_ns pending_since; /* mono; 0 = nothing waits: the oldest commit that is not on disk */
};

struct state_copy;

struct state_backend {
    const struct state_backend_ops *ops;
    void *self;
};

struct state_backend_ops {
    const char *name;
    /* Hands over a commit (taken, emptied); returns its number, counted from 1. */
    uint64_t (*commit)(void *self, struct state_commit *c);
    /* As struct state_reader: before the first commit only. */
    bool (*scan)(void *self, enum state_table t, bool (*row)(void *arg, str key, str value),
                 void *arg, struct err *e);
    /* Answered when all is written that was handed over before. */
    void (*read)(void *self, struct state_read *r);
    /* Compaction: hands over a slice of a new alert log, framed records (taken, emptied), numbered and ordered as commits
     * are. From the first slice on what commits log goes to both logs; the last one puts the new one in place of the old.
     * Until then a crash leaves the old one, whole. A disk that has no room for both keeps the old one. */
    uint64_t (*alerts_slice)(void *self, struct buf *records, enum state_slice which);
    /* A copy of everything as of one commit (copy.h); one at a time. NULL: it has none. */
    void (*copy)(void *self, struct state_copy *c);
    void (*stats)(void *self, struct state_stats *out);
    /* blocks until everything handed over is on disk or has failed: shutdown */
    void (*sync)(void *self);
    void (*free)(void *self);
};

struct state_shell { /* how the backend reaches the loop */
    state_committed *committed;
    state_snapshot *snapshot;
    void *arg;
    struct event_base *base; /* NULL: callbacks come from state_memory_flush() or sync() */
};

struct state_backend *state_memory_new(const struct state_shell *shell);
/* Memory: reports everything handed over as committed (or failed, once state_memory_fail(true)). What was not flushed
 * is lost by state_memory_crash(), which returns a new backend holding only what was flushed. */
void state_memory_flush(struct state_backend *b);
size_t state_memory_queued(const struct state_backend *b); /* handed over and not reported */
void state_memory_fail(struct state_backend *b, bool fail);
/* As they do: what it does not know to be on disk it says is not. */
void state_memory_fail_late(struct state_backend *b, bool fail);
void state_memory_report(struct state_backend *b, size_t n); /* flush, of the n oldest */
/* A power cut: of what is not reported the n oldest are on the disk, though nobody hears of it. Returns the disk, to be
 * attached to the next life's shell; b goes on with an empty one, until its owner frees it. */
struct state_backend *state_memory_cut(struct state_backend *b, size_t n);
void state_memory_attach(struct state_backend *b, const struct state_shell *shell);
/* What of a table is on the disk, at any time. */
void state_memory_each(const struct state_backend *b, enum state_table t,
                       void (*row)(void *arg, str key, str value), void *arg);
struct state_backend *state_memory_crash(struct state_backend *b, const struct state_shell *shell);

struct clock;
struct state_backend *state_sqlite_open(str dir, const struct state_shell *shell,
                                        struct clock *clock, struct buf *notice,
                                        struct err *e) must_check; /* NULL on failure */
struct state_reader state_reader_of(const struct state_backend *b);
void state_backend_free(struct state_backend *b);

#endif
