#include "live/http_later.h"

static void on_gone(struct http_req *rq, void *ctx)
{
    struct http_later *l = ctx;

    (void)rq;
    l->request = NULL;
    atomic_store(&l->gone, true);
    if (l->is_given && pool_drop(l->of->pool, &l->job))
        http_later_free(l);
}

void http_later_begin(struct http_later *l, struct http_laters *of, size_t memory)
{
    l->of = of;
    l->deadline = TS_MAX;
    arena_init(&l->arena, memory);
    l->next = of->first;
    if (l->next != NULL)
        l->next->prev = l;
    of->first = l;
}

void http_later_wait(struct http_later *l, struct http_req *rq)
{
    l->request = rq;
    rq->ctx = l;
    rq->on_gone = on_gone;
}

bool http_later_is_gone(const struct http_later *l)
{
    return atomic_load(&l->gone);
}

struct http_req *http_later_take(struct http_later *l)
{
    struct http_req *rq = l->request;

    l->request = NULL;
    if (rq != NULL)
        rq->on_gone = NULL;
    return rq;
}

void http_later_free(struct http_later *l)
{
    struct arena memory = l->arena; /* free() may still look at it, and takes l away */

    (void)http_later_take(l);
    if (l->is_given)
        l->of->under_way[l->class]--;
    if (l->next != NULL)
        l->next->prev = l->prev;
    if (l->prev != NULL)
        l->prev->next = l->next;
    else
        l->of->first = l->next;
    l->free(l);
    arena_release(&memory);
}

static void live_http_later_run(struct job *j)
{
    struct http_later *l = container_of(j, struct http_later, job);

    if (!http_later_is_gone(l))
        l->run(l);
}

static void http_later_done(struct job *j)
{
    struct http_later *l = container_of(j, struct http_later, job);
    struct meter *m = l->of->clock->meter;
    enum piece was = meter_enter(m, PIECE_DONE);

    if (l->request != NULL) {
        l->request->on_gone = NULL;
        l->answer(l);
        l->request = NULL;
    }
    http_later_free(l);
    meter_leave(m, was);
}

void http_later_run(struct http_later *l, struct http_req *rq, enum work_class c)
{
    http_later_wait(l, rq);
    l->class = c;
    l->is_given = true;
    l->of->under_way[c]++;
    l->job = (struct job){.run = live_http_later_run, .done = http_later_done};
    pool_run(l->of->pool, c, &l->job);
}

void http_laters_stop(struct http_laters *ls)
{
    for (struct http_later *l = ls->first, *next; l != NULL; l = next) {
        next = l->next;
        atomic_store(&l->gone, true);
        if (l->is_given && pool_drop(ls->pool, &l->job))
            http_later_free(l);
    }
}
