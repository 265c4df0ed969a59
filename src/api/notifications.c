/* GET /api/tocsin/notifications: what was told, newest first, in pages. It is read from the journal (core/journal.h), which
 * lies in the store, is kept by age and size (`journal` of the configuration), and outlives a restart.
 *
 *     receiver= group= alert= (fingerprint) verdict=a,b since= until= limit= cursor=
 *
 * An answer that says `next` has more behind it: cursor=NEXT goes on there. Some thousand entries are looked at in a turn. */
#include "api/api_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "codec/timefmt.h"
#include "core/audience.h"

enum { LOOKED_A_TURN = 2000, TOLD_DEFAULT = 100, TOLD_MAX = 1000, TOLD_ALERTS = 20 };

struct told_walk {
    struct api *api;
    struct arena arena;
    str receiver, group, verdicts; /* empty: any */
    uint64_t fingerprint;          /* 0: any */
    struct label *groups;          /* of the alert as it is routed now: receiver, group key */
    size_t n_groups;
    ts_ns since, until;
    size_t left;
    bool is_before; /* older than since: all that follows is */
    struct journal_place at;
    struct buf out;
    struct json_writer w;
    bool has_begun;
};

static void told_done(void *ctx)
{
    struct told_walk *k = ctx;

    buf_release(&k->out);
    arena_release(&k->arena);
    mem_free(k);
}

static bool has_verdict(str verdicts, str verdict)
{
    while (verdicts.n != 0)
        if (str_eq(str_trim(str_cut(&verdicts, ',')), verdict))
            return true;
    return false;
}

/* Whether the decision is about the alert: it names it, or it is an answer to a group that has it. */
static bool told_is_about(const struct told_walk *k, const struct decision *d)
{
    if (k->fingerprint == 0 || d->fingerprint == k->fingerprint)
        return true;
    for (size_t i = 0; i < d->n_alerts; i++)
        if (d->alerts[i] == k->fingerprint)
            return true;
    for (size_t i = 0; i < k->n_groups && d->fingerprint == 0 && d->kind != DECISION_NOTIFY; i++)
        if (str_eq(k->groups[i].name, d->receiver) && str_eq(k->groups[i].value, d->group_key))
            return true;
    return false;
}

static void told_put(struct told_walk *k, const struct decision *d)
{
    struct json_writer *w = &k->w;

    json_open(w, '{');
    api_put_decision(w, d);
    if (d->n_alerts != 0) {
        json_key(w, S("alerts"));
        json_open(w, '[');
        for (size_t i = 0; i < d->n_alerts && i < TOLD_ALERTS; i++) {
            const struct alert *a = engine_alert(k->api->engine, d->alerts[i]);

            json_open(w, '{');
            json_key(w, S("fingerprint"));
            json_put_hex64(w, d->alerts[i]);
            json_key(w, S("labels"));
            if (a != NULL)
                label_set_put_json(w, a->labels);
            else
                json_put_null(w);
            json_close(w, '}');
        }
        json_close(w, ']');
    }
    json_close(w, '}');
}

static bool told_see(void *arg, const struct decision *d, struct journal_place at)
{
    struct told_walk *k = arg;

    (void)at;
    k->is_before = k->since != TS_NONE && d->at < k->since;
    if (k->is_before)
        return false;
    if ((k->until != TS_NONE && d->at >= k->until) ||
        (k->receiver.n != 0 && !str_eq(k->receiver, d->receiver)) ||
        (k->group.n != 0 && !str_eq(k->group, d->group_key)) ||
        (k->verdicts.n != 0 && !has_verdict(k->verdicts, str_of(decision_kind_text(d->kind)))) ||
        !told_is_about(k, d))
        return true;
    told_put(k, d);
    return --k->left != 0;
}

static bool told_next(void *ctx, struct buf *out)
{
    struct told_walk *k = ctx;
    bool more;

    if (!k->has_begun) {
        json_writer_init(&k->w, &k->out, true);
        json_open(&k->w, '{');
        json_key(&k->w, S("notifications"));
        json_open(&k->w, '[');
        k->has_begun = true;
    }
    more = journal_scan_back(&k->api->engine->journal, &k->at, LOOKED_A_TURN, told_see, k);
    if (!more || k->is_before || k->left == 0) {
        bool has_more = k->left == 0 && (k->at.index != 0 ||
                                         !journal_is_first(&k->api->engine->journal, k->at.block));
        char cursor[48];

        json_close(&k->w, ']');
        json_key(&k->w, S("next"));
        snprintf(cursor, sizeof(cursor), "%" PRIx64 ".%" PRIx64, k->at.block, k->at.index);
        if (has_more)
            json_put_str(&k->w, str_of(cursor));
        else
            json_put_null(&k->w);
        json_close(&k->w, '}');
        buf_addc(&k->out, '\n');
        more = false;
    }
    buf_add(out, buf_str(&k->out));
    buf_clear(&k->out);
    return more;
}

/* False: it has answered 400. */
static bool told_time(struct http_req *rq, const char *name, ts_ns *out)
{
    str text = api_param(rq, str_of(name));
    struct err e = ERR_INIT;

    *out = TS_NONE;
    if (text.n == 0 || api_time_parse(text, out, &e))
        return true;
    err_wrap(&e, "%s", name);
    api_fail(rq, 400, str_of(e.msg));
    return false;
}

static bool told_cursor(str text, struct journal_place *out)
{
    char z[48], *end;

    *out = JOURNAL_END;
    if (text.n == 0)
        return true;
    if (text.n >= sizeof(z))
        return false;
    memcpy(z, text.p, text.n);
    z[text.n] = '\0';
    out->block = strtoull(z, &end, 16);
    if (end == z || *end != '.')
        return false;
    out->index = strtoull(end + 1, &end, 16);
    return *end == '\0' && out->block != UINT64_MAX;
}

/* The groups that have the alert now; of one that is gone nobody knows. */
static void told_find_groups(struct told_walk *k)
{
    const struct alert *a = engine_alert(k->api->engine, k->fingerprint);
    struct route_list routes = {0};
    struct buf key = BUF_INIT;
    struct labels ls;

    if (a == NULL)
        return;
    ls = label_set_view(&k->arena, a->labels);
    route_tree_match(&k->api->engine->tree, ls, &routes);
    k->groups = arena_array(&k->arena, routes.n, sizeof(*k->groups));
    for (; k->n_groups < routes.n; k->n_groups++) {
        const struct route *r = routes.v[k->n_groups];

        buf_clear(&key);
        route_group_key(&key, r, route_group_labels(r, &k->arena, ls));
        k->groups[k->n_groups] =
            (struct label){arena_str(&k->arena, r->receiver), arena_str(&k->arena, buf_str(&key))};
    }
    buf_release(&key);
    vec_release(&routes);
}

void api_get_told(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    str alert = api_param(rq, S("alert"));
    struct told_walk *k;
    struct journal_place at;
    ts_ns since, until;
    uint64_t fp = 0, limit;

    if (!told_time(rq, "since", &since) || !told_time(rq, "until", &until))
        return;
    if (alert.n != 0 && !api_fingerprint(alert, &fp)) {
        api_fail(rq, 400, S("alert: a fingerprint of 16 digits is wanted"));
        return;
    }
    if (!told_cursor(api_param(rq, S("cursor")), &at)) {
        api_fail(rq, 400, S("cursor: it is none of ours"));
        return;
    }
    k = mem_new(struct told_walk);
    k->api = a;
    arena_init(&k->arena, 0);
    k->receiver = arena_str(&k->arena, api_param(rq, S("receiver")));
    k->group = arena_str(&k->arena, api_param(rq, S("group")));
    k->verdicts = arena_str(&k->arena, api_param(rq, S("verdict")));
    k->fingerprint = fp;
    k->since = since;
    k->until = until;
    k->at = at;
    k->left = TOLD_DEFAULT;
    if (str_to_u64(api_param(rq, S("limit")), &limit) && limit != 0)
        k->left = limit < TOLD_MAX ? (size_t)limit : TOLD_MAX;
    if (fp != 0)
        told_find_groups(k);
    api_headers(rq);
    http_reply_stream(rq, 200, S("application/json"), told_next, told_done, k);
}
