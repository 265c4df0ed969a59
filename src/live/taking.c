#include "live/taking.h"

static void taking_take(struct taking *t, size_t most)
{
    struct event ev = {.kind = EVENT_ALERTS,
                       .alerts = {.v = t->n != 0 ? t->v + t->at : NULL,
                                  .n = t->n - t->at < most ? t->n - t->at : most,
                                  .origin = t->origin,
                                  .arrived = t->arrived}};
    bool ok = t->result.ok;

    shell_event(t->shell, &ev, &t->result);
    t->result.ok &= ok;
    t->at += ev.alerts.n;
}

static bool taking_step(struct slice *x)
{
    struct taking *t = container_of(x, struct taking, slice);

    taking_take(t, shell_slices(t->shell)->size);
    if (t->at < t->n)
        return true;
    t->done(t);
    return false;
}

static void taking_drop(struct slice *x)
{
    struct taking *t = container_of(x, struct taking, slice);

    t->drop(t);
}

void taking_begin(struct taking *t, struct shell *s)
{
    struct slices *q = shell_slices(s);

    t->shell = s;
    t->at = 0;
    t->result.ok = true;
    t->arrived = shell_clock(s)->now.wall;
    if (t->n <= q->size) {
        taking_take(t, t->n);
        t->done(t);
        return;
    }
    t->slice = (struct slice){.step = taking_step, .drop = taking_drop};
    slices_add(q, &t->slice);
}
