/* taking.h - the alerts of a request, taken some a turn when there are many: a hundred thousand take half a second of the loop.
 *
 *     taking_begin(&p->taking, shell);      done() is called when all of them are, at once if they are few
 *
 * They count as of when they came: of an alert that somebody has told something newer of meanwhile, what came later stays.
 * Whoever sent them is answered when all are taken, and what was taken is on the disk.
 *
 * Shapes   up to 64 MB of JSON.
 * Owns     the inputs are the caller's until done() or drop(). The result is released by who began it.
 */
#ifndef LIVE_TAKING_H
#define LIVE_TAKING_H

#include "live/shell.h"
#include "live/slices.h"

struct taking {
    const struct alert_input *v;
    size_t n;
    enum alert_origin origin;
    struct event_result result; /* of all of them */
    void (*done)(struct taking *t);
    void (*drop)(struct taking *t);
    struct slice slice; /* from here on its own */
    struct shell *shell;
    ts_ns arrived;
    size_t at;
};

void taking_begin(struct taking *t, struct shell *s);

#endif
