/* GET /api/tocsin/board, /api/tocsin/stream, /api/tocsin/labels: what pages show, and what changes of it (board/board.h). */
#include "api/api_priv.h"

#include <stdlib.h>
#include "base/hash.h"
#include "board/board.h"

/* -- one page -- */

struct board_reply {
    struct http_later later;
    struct api *api;
};

static void board_reply_free(struct http_later *l)
{
    mem_free(container_of(l, struct board_reply, later));
}

static void board_answered(void *ctx, const struct board_answer *a)
{
    struct board_reply *r = ctx;
    struct http_req *rq = http_later_take(&r->later);

    if (rq != NULL && a == NULL)
        api_fail(rq, 503, S("too many different pages are asked for"));
    else if (rq != NULL && !api_is_known(rq, hash_u64(a->revision) ^ api_life(r->api)))
        api_json(rq, 200, a->json);
    http_later_free(&r->later);
}

void api_get_board(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct board_ask ask;
    struct board_reply *r;
    struct err e = ERR_INIT;

    if (!board_ask_init(&ask, rq->query, a->engine->mode, &e)) {
        api_fail(rq, 400, str_of(e.msg));
        return;
    }
    r = mem_new(struct board_reply);
    http_later_begin(&r->later, &a->laters, 0);
    http_later_wait(&r->later, rq);
    r->later.free = board_reply_free;
    r->api = a;
    board_page(a->board, &ask, board_answered, r);
}

/* -- the stream -- */

/* window=QUERY, repeated: each as the query of a board, in percent once more. None: the board without parameters. False: it
 * has answered 400; nothing is left to release. */
static bool windows_asked(struct api *a, struct http_req *rq, struct board_ask *v, size_t *n)
{
    const struct http_param *p;
    size_t n_params = http_params(&rq->arena, rq->query, &p);
    struct err e = ERR_INIT;

    *n = 0;
    for (size_t i = 0; i < n_params; i++) {
        bool ok = *n < BOARD_WINDOWS_OF_STREAM;

        if (!str_is(p[i].name, "window"))
            continue;
        if (!ok)
            err_set(&e, ERR_LIMIT, "a stream has at most %d windows", BOARD_WINDOWS_OF_STREAM);
        else if (board_ask_init(&v[*n], p[i].value, a->engine->mode, &e))
            ++*n;
        else
            ok = false;
        if (ok)
            continue;
        while (*n != 0)
            board_ask_release(&v[--*n]);
        api_fail(rq, 400, str_of(e.msg));
        return false;
    }
    if (*n == 0 && board_ask_init(v, STR_NONE, a->engine->mode, &e))
        *n = 1;
    return true;
}

void api_get_stream(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct board_ask v[BOARD_WINDOWS_OF_STREAM];
    str last = http_header_get(&rq->headers, S("Last-Event-ID"));
    size_t n;

    if (!windows_asked(a, rq, v, &n))
        return;
    if (last.n == 0)
        last = api_param(rq, S("last"));
    api_headers(rq);
    board_stream(a->board, rq, v, n, last);
}

/* -- names and values, for completion -- */

enum { LABELS_A_TURN = 2000, LABELS_MAX = 10000, LABELS_SHOWN = 200 };

struct labels_walk {
    struct api *api;
    struct arena arena;
    str name;   /* whose values; empty: names are asked for */
    str begins; /* what they begin with */
    size_t limit;
    VEC(uint64_t) todo;
    size_t at;
    struct str_map found; /* -> how many alerts, as a pointer */
};

static void labels_walk_done(void *ctx)
{
    struct labels_walk *k = ctx;

    vec_release(&k->todo);
    str_map_release(&k->found);
    arena_release(&k->arena);
    mem_free(k);
}

static void labels_count(struct labels_walk *k, str text)
{
    void **n;

    if (text.n == 0 || !str_starts_with(text, k->begins))
        return;
    n = str_map_get(&k->found, text);
    if (n != NULL)
        *n = (void *)((uintptr_t)*n + 1);
    else if (k->found.n < LABELS_MAX)
        (void)str_map_put(&k->found, arena_str(&k->arena, text), (void *)(uintptr_t)1);
}

static void labels_count_alert(struct labels_walk *k, const struct label_set *set)
{
    if (k->name.n != 0) {
        labels_count(k, label_set_get(set, k->name));
        return;
    }
    for (size_t i = 0; i < set->names->n; i++)
        labels_count(k, set->names->v[i]);
}

/* The most frequent first. */
static int labels_by_count(const void *a, const void *b)
{
    const struct str_map_entry *const *x = a, *const *y = b;
    uintptr_t nx = (uintptr_t)(*x)->value, ny = (uintptr_t)(*y)->value;

    return nx != ny ? (nx > ny ? -1 : 1) : str_cmp((*x)->key, (*y)->key);
}

static void labels_put(struct labels_walk *k, struct buf *out)
{
    VEC(struct str_map_entry *) v = VEC_INIT;
    struct json_writer w;

    MAP_EACH (struct str_map_entry, it, &k->found)
        vec_push(&v, it);
    if (v.n > 1)
        qsort(v.v, v.n, sizeof(v.v[0]), labels_by_count);
    json_writer_init(&w, out, true);
    json_open(&w, '[');
    for (size_t i = 0; i < v.n && i < k->limit; i++) {
        json_open(&w, '{');
        json_put_text(&w, k->name.n != 0 ? "value" : "name", v.v[i]->key);
        json_key(&w, S("alerts"));
        json_put_u64(&w, (uintptr_t)v.v[i]->value);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    buf_addc(out, '\n');
    vec_release(&v);
}

static bool labels_walk_next(void *ctx, struct buf *out)
{
    struct labels_walk *k = ctx;

    for (size_t end = k->at + LABELS_A_TURN; k->at < k->todo.n && k->at < end; k->at++) {
        const struct alert *al = engine_alert(k->api->engine, k->todo.v[k->at]);

        if (al != NULL && !alert_is_resolved(al, shell_clock(k->api->conf.shell)->now))
            labels_count_alert(k, al->labels);
    }
    if (k->at < k->todo.n)
        return true; /* in another turn */
    labels_put(k, out);
    return false;
}

void api_get_labels(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct labels_walk *k;
    uint64_t limit;

    if (api_is_unchanged(a, rq, CHANGES_OF(CHANGED_ALERT)))
        return;
    k = mem_new(struct labels_walk);
    k->api = a;
    arena_init(&k->arena, 0);
    k->name = arena_str(&k->arena, rq->wildcard);
    k->begins = arena_str(&k->arena, api_param(rq, S("begins")));
    k->limit = str_to_u64(api_param(rq, S("limit")), &limit) && limit < LABELS_MAX ? (size_t)limit
                                                                                   : LABELS_SHOWN;
    vec_reserve(&k->todo, a->engine->alerts.n);
    ALERT_TABLE_EACH (al, &a->engine->alerts)
        vec_push(&k->todo, alert_fingerprint(al));
    api_headers(rq);
    http_reply_stream(rq, 200, S("application/json"), labels_walk_next, labels_walk_done, k);
}
