/* loop.h - the live loop: sockets, completions and timers in turns.
 *
 * loop_wait() is the beginning of a turn: it sleeps until something arrives or a timer is due, and calls
 * whoever waited for what has arrived. The rest of the turn is its caller's (live/turn.h); loop_run()
 * is for programs that only have timers. A turn has one time (clock.h).
 *
 * Units    lag is how late the earliest due timer of a turn fired, in nanoseconds.
 * Errors   none; a kernel without epoll, eventfd or timerfd is a broken invariant.
 * Owns     the loop owns its event_base; the clock is borrowed and must outlive it.
 */
#ifndef OS_LOOP_H
#define OS_LOOP_H

#include "os/clock.h"

struct event_base;
struct loop;

enum { LOOP_LAG_BUCKETS = 8 };
extern const double
    loop_lag_bounds[LOOP_LAG_BUCKETS - 1]; /* seconds, upper bounds; the last bucket is the rest */

struct loop_lag {
    dur_ns last, max, sum;
    uint64_t count, buckets[LOOP_LAG_BUCKETS]; /* not cumulative */
};

struct loop *loop_new(struct clock *clock);
void loop_free(struct loop *l);
struct event_base *loop_base(struct loop *l);
struct clock *loop_clock(struct loop *l);
void loop_wait(struct loop *l); /* does not sleep when a timer is due */
/* At the end of what a socket has led to: in a long turn the others that have something wait for the next one, in order. */
void loop_yield(struct event_base *base, const struct clock *clock);
void loop_run(struct loop *l); /* returns after the turn in which loop_stop() was called */
bool loop_is_stopping(const struct loop *l);
void loop_stop(struct loop *l); /* from the loop thread */
const struct loop_lag *loop_lag(const struct loop *l);
void loop_lag_note(struct loop_lag *lag, dur_ns late);

#endif
