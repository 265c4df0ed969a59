/* http_later.h - an answer that comes later: when a worker has made it, a commit is on the disk, a configuration is read.
 *
 *     struct render { struct http_later later; ... };
 *
 *     http_later_begin(&r->later, &api->laters, 0);
 *     r->later.run = render, r->later.answer = put_answer, r->later.free = render_free;
 *     http_later_run(&r->later, rq, WORK_QUERY);   run() on a worker, then answer() on the loop, then free()
 *
 * Who waits for something else than a worker asks for the request when that is there:
 *
 *     http_later_wait(&p->later, rq);
 *     ...
 *     rq = http_later_take(&p->later);             NULL: nobody waits any more
 *     http_later_free(&p->later);
 *
 * When the client goes, or has waited for too long, or the program stops, what is queued never runs, what runs is told
 * (http_later_is_gone()), and what it makes is thrown away.
 *
 * Units    deadline is monotonic, for run() to look at; TS_MAX at first.
 * Owns     whoever has begun it owns it until it is given to the pool, or to whatever it waits for. arena
 *          outlives free(), which frees what it is embedded in.
 */
#ifndef LIVE_HTTP_LATER_H
#define LIVE_HTTP_LATER_H

#include <stdatomic.h>
#include "base/arena.h"
#include "net/http_server.h"
#include "os/clock.h"
#include "os/pool.h"

struct http_later;

struct http_laters {
    struct pool *pool;
    struct clock *clock;
    struct http_later *first;
    unsigned under_way[WORK_CLASSES]; /* queued or running */
};

struct http_later {
    struct http_req *request; /* the loop's; NULL: nobody waits any more */
    atomic_bool gone;         /* the same, for the worker */
    enum work_class class;
    ts_ns deadline;
    struct arena arena;
    void (*run)(struct http_later *l);    /* on a worker */
    void (*answer)(struct http_later *l); /* on the loop: answers the request, which is there */
    void (*free)(struct http_later *l);
    struct job job;
    struct http_laters *of;
    struct http_later *next, *prev;
    bool is_given; /* to the pool */
};

void http_later_begin(struct http_later *l, struct http_laters *of, size_t memory); /* 0: any */
/* From now on the request is l's, until it is answered or the client goes. */
void http_later_wait(struct http_later *l, struct http_req *rq);
void http_later_run(struct http_later *l, struct http_req *rq, enum work_class c);
/* On any thread: whether what is made is made in vain. */
bool http_later_is_gone(const struct http_later *l);
/* The request, to be answered now. */
struct http_req *http_later_take(struct http_later *l);
void http_later_free(struct http_later *l);
/* On a stop, when no client is there any more: what is queued is gone, what runs is told. */
void http_laters_stop(struct http_laters *ls);

#endif
