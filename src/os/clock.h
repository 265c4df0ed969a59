/* clock.h - the time, and the one heap of timers.
 *
 * Everything that waits is a struct timer in this heap, keyed by the monotonic clock (CLOCK_BOOTTIME: it goes on while
 * the machine sleeps and never jumps). The live loop arms one timerfd for its head; a test steps it by hand.
 *
 * One turn of the loop has one time: the loop calls clock_expire() before it sleeps, and whoever is called first
 * afterwards (a socket, a completion) reads the clocks by clock_touch(). Without a loop every touch reads them.
 *
 * What that first touch finds is told by jumped() before anybody else sees the new time: a wall clock that somebody has
 * set, and a pause in which nothing ran though a timer was due (a stopped process, a suspended machine). So nothing is
 * decided by a time whose jump is not known yet.
 *
 * Shapes   100,000 timers.
 * Units    ts_ns, both clocks.
 * Owns     a timer is embedded in its owner, who must timer_cancel() it before it goes away.
 * Cost     arm and cancel O(log n).
 */
#ifndef OS_CLOCK_H
#define OS_CLOCK_H

#include "base/heap.h"
#include "base/time.h"
#include "os/meter.h"

struct timer {
    struct heap_node node;
    void (*fire)(struct timer *t, struct now now);
};

/* One of both may be 0. */
struct clock_jump {
    dur_ns wall_step; /* the wall clock's against the monotonic one, of at least CLOCK_STEP */
    dur_ns paused;    /* for how long the earliest timer had been due, of at least CLOCK_PAUSE */
};

#define CLOCK_STEP  NS_PER_S
#define CLOCK_PAUSE (2 * NS_PER_S)

struct clock {
    struct now now; /* as of the last clock_update() or clock_step_to() */
    struct heap timers;
    bool stepped;  /* a test's clock: it moves by hand */
    bool is_ahead; /* stepped: the next reading finds `ahead` */
    struct now ahead;
    bool turns, fresh; /* a loop owns the turns; now belongs to this turn */
    void (*jumped)(void *arg, const struct clock_jump *j); /* may be NULL */
    void *arg;
    struct meter *meter; /* of the loop that turns by it; NULL: nobody measures */
};

void clock_init(struct clock *c); /* the real one */
void clock_init_stepped(struct clock *c, struct now start);
void clock_release(struct clock *c);

struct now clock_update(struct clock *c); /* reads the system's clocks */
/* the time of this turn: reads the clocks when nobody has yet */
struct now clock_touch(struct clock *c);
void clock_expire(struct clock *c); /* the loop's, at the end of a turn */
/* What clock_update() does with what it read: it is the time from now on, and a jump is told. */
void clock_set(struct clock *c, struct now read);

/* The monotonic clock as it is right now, from any thread: for measuring. A stepped one stands still in a turn. */
ts_ns clock_mono(const struct clock *c);

/* Arms t for a time, moving it when it was armed. A time that has passed means now: timers that are
 * armed for the same instant fire in the order of arming. */
void timer_arm(struct clock *c, struct timer *t, ts_ns mono);
void timer_cancel(struct clock *c, struct timer *t);
static inline bool timer_is_armed(const struct timer *t)
{
    return heap_holds(&t->node);
}

/* The time of what was due at slot and happened at wall: the slot when it was nearly kept, so that intervals are equal. */
ts_ns clock_snap(ts_ns slot, ts_ns wall, dur_ns interval);

ts_ns clock_next(const struct clock *c); /* mono time of the earliest timer, TS_MAX when none */

/* Fires everything due at c->now; returns how many. What is armed meanwhile waits for the next call, so a timer that
 * re-arms itself for now cannot keep the loop from its sockets; nor can thousands that are due at once: in a long turn
 * (below) the rest waits for the next. */
size_t clock_run_due(struct clock *c);

/* This turn has lasted for so long that what can wait should be left to the next: 5 ms since the first touch, by the wall. A
 * stepped one stands still in a turn, so its turns are never long. */
#define CLOCK_TURN (5 * NS_PER_MS)
bool clock_turn_is_long(const struct clock *c);

/* Stepped: it is so late when somebody looks next. Whoever has the turns is told of jumps by that, as of the real clocks. */
void clock_let_read(struct clock *c, struct now read);
/* Stepped: it is later now. Fires nothing: whoever drives the turns does. */
void clock_move_to(struct clock *c, ts_ns mono);
/* Stepped: advances to the given mono time, firing every timer on the way at its own time; wall
 * moves along. */
void clock_step_to(struct clock *c, ts_ns mono);
void clock_step_wall(struct clock *c,
                     dur_ns by); /* somebody sets the wall clock; monotonic time stands still */
void clock_step_pause(struct clock *c, dur_ns by); /* nothing runs for so long */

#endif
