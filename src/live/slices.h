/* slices.h - long works of the loop, a piece of them a turn: between two pieces sockets are looked at, and what is due is done.
 *
 *     struct work { struct slice slice; ... };
 *
 *     w->slice.step = some;           bool some(struct slice *x): true, there is more; false, it is done, and x may be gone
 *     slices_add(shell_slices(s), &w->slice);
 *
 * Works are done one after the other, in the order in which they came. A piece steps the engine, so it is a turn's.
 *
 * Units    a piece is for a few milliseconds: `size` things that take ten microseconds each.
 * Owns     who adds a work keeps it until it is done. A stop does all of it (turn_stop()); a cut leaves it: then `drop`, which
 *          may be NULL, frees it.
 * Source   design.md 1.8.
 */
#ifndef LIVE_SLICES_H
#define LIVE_SLICES_H

#include "os/clock.h"

struct slice {
    bool (*step)(struct slice *x);
    void (*drop)(struct slice *x);
    struct slice *next;
};

struct slices {
    struct clock *clock;
    struct timer timer;
    struct slice *first, *last;
    size_t size;
    dur_ns (*pause)(void *arg); /* a stage's: how long until the next piece; NULL: the next turn */
    void *arg;
};

void slices_init(struct slices *q, struct clock *clock, size_t size); /* 0: 500 */
void slices_add(struct slices *q, struct slice *x);
bool slices_wait(const struct slices *q); /* some are left */
/* All that is left, at once. */
void slices_finish(struct slices *q);
void slices_drop(struct slices *q);

#endif
