/* pool.h - worker threads for what must not run on the loop: evaluation, parsing of big bodies,
 * bcrypt.
 *
 * A job gets an immutable input, runs on a worker of its class and comes back to the loop thread by
 * done(). It never touches loop state. No class waits for what is below it (shares.h): queries that
 * take a minute keep no rule, and rules no page.
 *
 * Two pools have no threads: the inline one runs jobs at pool_drain(), in order; the stepped one has
 * as many jobs under way as it would have threads, and each takes its time on a stepped clock.
 *
 * On two cores: page, source, rule, scrape, query, slow, name, write 1 each, and one more of source
 * to query while there is a core for it. Threads are made when they are first wanted, the first of
 * each class at once. Workers of queries run at nice 10, where the system lets them: else at the
 * priority of all others, which is logged.
 *
 * Owns     the job is the caller's, embedded; it must live until done() was called or it was taken
 *          back. So who stops settles the pool while all that jobs touch still lives, and frees it
 *          last.
 * Cost     one mutex, one eventfd write a batch of completions.
 */
#ifndef OS_POOL_H
#define OS_POOL_H

#include "base/str.h"
#include "base/time.h"
#include "os/shares.h"

struct event_base;
struct clock;

struct job {
    void (*run)(struct job *j);  /* on a worker */
    void (*done)(struct job *j); /* on the loop */
    struct job *next;
};

struct pool;

/* completions arrive on base's thread */
struct pool *pool_new(struct event_base *base, unsigned cores);
struct shares pool_shares(unsigned cores);
struct pool *pool_new_inline(void);

/* Stepped: how long a job takes, and at which end of that time it runs: both may happen to a thread. */
struct job_pace {
    dur_ns takes;
    bool runs_first;
};
/* pace() is asked when a job begins. done()s are timers of the clock, which is borrowed. */
struct pool *pool_new_stepped(struct clock *clock, unsigned threads,
                              struct job_pace (*pace)(void *arg), void *arg);
void pool_free(struct pool *p); /* settles it first */
/* Waits until all is run and done, what done()s queue, too; returns how many were done. */
size_t pool_settle(struct pool *p);
/* The same, for so long: false, some still run, or wait for those. Then what they touch must stay. */
bool pool_settle_within(struct pool *p, dur_ns patience, size_t *n);
void pool_run(struct pool *p, enum work_class c, struct job *j);
/* Whether j was still queued: then it is not any more. */
bool pool_drop(struct pool *p, struct job *j);
/* Waits for j when it is running; else it will not run. done() is not called. From the loop. */
void pool_take_back(struct pool *p, struct job *j);
/* inline: runs everything queued, then the done()s; returns how many */
size_t pool_drain(struct pool *p);
size_t pool_queued(const struct pool *p); /* not begun; without threads: not done */

#endif
