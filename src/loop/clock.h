/* clock.h - the time, and the one heap of timers.
 *
 * Everything that waits is a struct timer in this heap, keyed by the monotonic clock (CLOCK_BOOTTIME: it goes on while
 * the machine sleeps and never jumps). The live loop arms one libevent timer for its head; a test steps it by hand.
 *
 * Shapes   100,000 timers.
 * Units    ts_ns, both clocks; struct now is read once a turn, so that one turn has one time.
 * Owns     a timer is embedded in its owner, who must timer_cancel() it before it goes away.
 * Cost     arm and cancel O(log n).
 */
#ifndef LOOP_CLOCK_H
#define LOOP_CLOCK_H

#include "base/heap.h"
#include "base/time.h"

struct timer {
    struct heap_node node;
    void (*fire)(struct timer *t, struct now now);
};

struct clock {
    struct now now;    /* as of the last clock_update() or clock_step_to() */
    struct heap timers;
    bool stepped;      /* a test's clock: only clock_step_to() moves it */
    dur_ns wall_step;  /* of the last update: how far the wall clock jumped against the monotonic one, 0 when < 1 s */
    uint64_t wall_steps;
};

void clock_init(struct clock *c);                          /* the real one */
void clock_init_stepped(struct clock *c, struct now start);
void clock_release(struct clock *c);
struct now clock_update(struct clock *c);                  /* reads the system's clocks; notes a step of the wall clock */
void timer_arm(struct clock *c, struct timer *t, ts_ns mono); /* moves it when it was armed */
void timer_cancel(struct clock *c, struct timer *t);
ts_ns clock_next(const struct clock *c);                   /* mono time of the earliest timer, TS_MAX when none */
size_t clock_run_due(struct clock *c);                     /* fires everything due at c->now; returns how many */

/* Stepped: advances to the given mono time, firing every timer on the way at its own time; wall moves along. */
void clock_step_to(struct clock *c, ts_ns mono);

#endif
