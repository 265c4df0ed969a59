#include "live/slices.h"

#include "base/mem.h"

enum { SIZE = 500 };

static void slices_step(struct slices *q)
{
    struct slice *x = q->first, *next = x->next;

    if (x->step(x))
        return;
    q->first = next;
    if (next == NULL)
        q->last = NULL;
}

/* Behind now: not before the sockets have been looked at again. */
static void slices_arm(struct slices *q)
{
    dur_ns pause = q->pause != NULL ? q->pause(q->arg) : 0;

    if (q->first != NULL)
        timer_arm(q->clock, &q->timer, q->clock->now.mono + 1 + pause);
}

static void slices_on_timer(struct timer *t, struct now now)
{
    struct slices *q = container_of(t, struct slices, timer);

    (void)now;
    slices_step(q);
    slices_arm(q);
}

void slices_init(struct slices *q, struct clock *clock, size_t size)
{
    *q = (struct slices){
        .clock = clock, .timer.fire = slices_on_timer, .size = size != 0 ? size : SIZE};
}

void slices_add(struct slices *q, struct slice *x)
{
    x->next = NULL;
    if (q->last != NULL)
        q->last->next = x;
    else
        q->first = x;
    q->last = x;
    if (!timer_is_armed(&q->timer))
        slices_arm(q);
}

bool slices_wait(const struct slices *q)
{
    return q->first != NULL;
}

void slices_finish(struct slices *q)
{
    while (q->first != NULL)
        slices_step(q);
}

void slices_drop(struct slices *q)
{
    timer_cancel(q->clock, &q->timer);
    for (struct slice *x = q->first, *next; x != NULL; x = next) {
        next = x->next;
        if (x->drop != NULL)
            x->drop(x);
    }
    q->first = q->last = NULL;
}
