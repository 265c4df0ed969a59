/* GET /status, /receivers, and the overview that `tocsin alert list` shows. */
#include "api/api_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include "base/hash.h"
#include "codec/float.h"

void api_get_status(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct buf b = BUF_INIT;
    struct json_writer w;

    if (api_is_known(rq, config_of(a->engine->conf)->hash ^ hash_u64((uint64_t)a->started)))
        return;
    json_writer_init(&w, &b, true);
    json_open(&w, '{');
    json_key(&w, S("cluster"));
    json_open(&w, '{');
    json_key(&w, S("peers"));
    json_open(&w, '[');
    json_close(&w, ']');
    json_put_text(&w, "status", S("disabled"));
    json_close(&w, '}');
    json_key(&w, S("config"));
    json_open(&w, '{');
    json_put_text(&w, "original", config_of(a->engine->conf)->original);
    json_close(&w, '}');
    json_key(&w, S("uptime"));
    json_put_rfc3339_ms(&w, a->started);
    json_key(&w, S("versionInfo"));
    json_open(&w, '{');
    json_put_text(&w, "branch", S("HEAD"));
    json_put_text(&w, "buildDate", STR_NONE);
    json_put_text(&w, "buildUser", S("tocsin"));
    json_put_text(&w, "goVersion", S("none"));
    json_put_text(&w, "revision", S(TOCSIN_VERSION));
    json_put_text(&w, "version", S("0.34.0"));
    json_close(&w, '}');
    json_close(&w, '}');
    buf_addc(&b, '\n');
    api_json(rq, 200, buf_str(&b));
    buf_release(&b);
}

void api_get_receivers(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    const struct config *c = config_of(a->engine->conf);
    struct buf b = BUF_INIT;
    struct json_writer w;
    struct api_filter f;

    if (!api_filter_init(a, rq, &f))
        return;
    if (api_is_unchanged(a, rq, CHANGES_OF(CHANGED_CONFIG))) {
        api_filter_release(&f);
        return;
    }
    json_writer_init(&w, &b, true);
    json_open(&w, '[');
    for (size_t i = 0; i < c->n_receivers; i++) {
        const struct receiver_conf *rc = &c->receivers[i];

        if (!api_filter_receiver(a, &f, rc->name))
            continue;
        json_open(&w, '{');
        json_key(&w, S("labels"));
        json_open(&w, '{');
        for (size_t j = 0; j < rc->labels.n; j++) {
            json_key(&w, rc->labels.v[j].name);
            json_put_str(&w, rc->labels.v[j].value);
        }
        json_close(&w, '}');
        json_put_text(&w, "name", rc->name);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    buf_addc(&b, '\n');
    api_json(rq, 200, buf_str(&b));
    buf_release(&b);
    api_filter_release(&f);
}

static void status_put_may(struct json_writer *w, const char *what, bool may)
{
    json_key(w, str_of(what));
    json_put_bool(w, may);
}

/* What a page offers is what its reader may do. */
void api_get_whoami(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    const struct config *c = config_of(a->engine->conf);
    struct buf b = BUF_INIT;
    struct json_writer w;
    bool is_admin;
    struct access_person who;

    access_who(a->access, config_of(a->engine->conf), rq, &who);
    is_admin = str_is(who.scope, "admin");
    json_writer_init(&w, &b, true);
    json_open(&w, '{');
    json_put_text(&w, "name", who.name);
    json_put_text(&w, "scope", who.scope);
    json_put_text(&w, "groups", who.groups);
    json_key(&w, S("may"));
    json_open(&w, '{');
    status_put_may(&w, "silence", is_admin || str_is(who.scope, "silence"));
    status_put_may(&w, "change", is_admin);
    json_close(&w, '}');
    status_put_may(&w, "hasTokens", c->web.tokens.n != 0);
    json_put_text(&w, "version", S(TOCSIN_VERSION));
    json_put_text(&w, "instance", labels_get(a->engine->conf->external_labels, S("cluster")));
    json_key(&w, S("startedAt"));
    json_put_rfc3339_ms(&w, a->started);
    json_close(&w, '}');
    buf_addc(&b, '\n');
    api_json(rq, 200, buf_str(&b));
    buf_release(&b);
}

/* -- overview: every alert, also pending ones of our rules, with where it goes and when: what the page and the command
 * line show -- */

static void put_wait(struct json_writer *w, const struct group *g, struct now now)
{
    json_key(w, S("nextFlush"));
    if (g != NULL && heap_holds(&g->timer))
        json_put_rfc3339_ms(w, ts_add(now.wall, g->timer.key - now.mono));
    else
        json_put_null(w);
}

struct overview_stream {
    struct api *api;
    VEC(struct alert *) v;
    size_t at;
    struct alert_status status;
    struct audience muted; /* of the route that was asked last, in this piece */
    struct buf muted_by;
    struct buf tail; /* of our rules, written at once */
};

/* The route's intervals, looked at once for alerts that go the same way one after the other. */
static void put_muted_by(struct overview_stream *s, struct json_writer *w, const struct route *r,
                         struct now now)
{
    str rest;

    if (r->n_active_intervals + r->n_mute_intervals == 0) {
        rest = STR_NONE;
    } else {
        if (s->muted.route != r || s->muted.at.wall != now.wall) {
            s->muted = audience_at(s->api->engine, r, now);
            buf_clear(&s->muted_by);
            audience_names(&s->muted, s->muted.time, &s->muted_by);
        }
        rest = buf_str(&s->muted_by);
    }
    json_key(w, S("mutedBy"));
    json_open(w, '[');
    while (rest.n != 0)
        json_put_str(w, str_cut(&rest, ','));
    json_close(w, ']');
}

static str status_state_of(const struct verdict *v)
{
    return v->held_by == HELD_BY_NOTHING      ? S("firing")
           : v->held_by == HELD_BY_INHIBITION ? S("inhibited")
                                              : S("silenced");
}

static void put_routed(struct overview_stream *s, struct json_writer *w, struct alert *al,
                       const struct audience *any)
{
    struct api *a = s->api;
    struct alert_status *st = &s->status;
    struct verdict *v = &st->verdict;
    struct now now = any->at;
    struct arena scratch;
    struct labels ls;
    char fp[17];

    audience_status(any, al, st);
    json_open(w, '{');
    snprintf(fp, sizeof(fp), "%016" PRIx64, alert_fingerprint(al));
    json_put_text(w, "fingerprint", str_of(fp));
    json_put_text(w, "state", status_state_of(v));
    json_key(w, S("labels"));
    label_set_put_json(w, al->labels);
    json_key(w, S("annotations"));
    label_set_put_json(w, al->annotations);
    json_key(w, S("since"));
    json_put_rfc3339_ms(w, al->starts_at);
    json_put_text(w, "generatorURL", alert_generator_url(al));
    json_key(w, S("silencedBy"));
    json_open(w, '[');
    for (size_t i = 0; i < v->silenced_by.n; i++)
        json_put_str(w, uuid_str(&v->silenced_by.v[i]->id));
    json_close(w, ']');
    json_key(w, S("inhibitedBy"));
    json_open(w, '[');
    for (size_t i = 0; i < v->inhibited_by.n; i++) {
        snprintf(fp, sizeof(fp), "%016" PRIx64, v->inhibited_by.v[i].fingerprint);
        json_put_str(w, str_of(fp));
    }
    json_close(w, ']');
    json_key(w, S("routes"));
    json_open(w, '[');
    arena_init(&scratch, 0);
    ls = label_set_view(&scratch, al->labels);
    for (size_t i = 0; i < st->routes.n; i++) {
        struct group *g = engine_group_of(a->engine, st->routes.v[i], ls, &scratch);

        json_open(w, '{');
        json_put_text(w, "receiver", st->routes.v[i]->receiver);
        json_put_text(w, "groupKey", g != NULL ? g->key : STR_NONE);
        put_wait(w, g, now);
        put_muted_by(s, w, st->routes.v[i], now);
        json_close(w, '}');
    }
    arena_release(&scratch);
    json_close(w, ']');
    json_close(w, '}');
}

static void overview_done(void *ctx)
{
    struct overview_stream *s = ctx;

    VEC_EACH (struct alert **, a, &s->v)
        alert_unref(*a);
    vec_release(&s->v);
    alert_status_release(&s->status);
    buf_release(&s->muted_by);
    buf_release(&s->tail);
    mem_free(s);
}

static bool overview_next(void *ctx, struct buf *out)
{
    struct overview_stream *s = ctx;
    struct audience any = audience_at(s->api->engine, NULL, shell_clock(s->api->conf.shell)->now);
    size_t enough = out->n + API_PIECE;
    struct json_writer w;

    s->muted.route = NULL; /* a reload may have made another in its place */
    if (s->at == 0)
        buf_adds(out, "{\"alerts\":[");
    for (; s->at < s->v.n && out->n < enough; s->at++) {
        if (s->at != 0)
            buf_addc(out, ',');
        json_writer_init(&w, out, true);
        put_routed(s, &w, s->v.v[s->at], &any);
    }
    if (s->at < s->v.n)
        return true;
    buf_adds(out, "],");
    buf_add(out, buf_str(&s->tail));
    buf_adds(out, "}\n");
    return false;
}

/* Who is not told: what an alert's page must show before anything else. */
static void put_failing_receivers(const struct engine *e, struct buf *out)
{
    struct json_writer writer, *w = &writer;

    buf_adds(out, ",\"failingReceivers\":");
    json_writer_init(w, out, true);
    json_open(w, '[');
    VEC_EACH (const struct receiver_stats *, rs, &e->receivers) {
        str why = receiver_failing(rs);

        if (why.n == 0)
            continue;
        json_open(w, '{');
        json_key(w, S("receiver"));
        json_put_str(w, rs->name);
        json_key(w, S("why"));
        json_put_str(w, why);
        json_key(w, S("since"));
        json_put_rfc3339_ms(w, receiver_failing_since(rs));
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* What held the loop for longest, by its CPU. */
static void status_put_loop(const struct meter *m, struct json_writer *w)
{
    int longest = 0;

    json_key(w, S("loop"));
    if (m == NULL) {
        json_put_null(w);
        return;
    }
    for (int i = 1; i < PIECES; i++)
        longest = m->longest[i] > m->longest[longest] ? i : longest;
    json_open(w, '{');
    json_key(w, S("longestTurnSeconds"));
    json_put_double(w, (double)m->cpu.max / NS_PER_S);
    json_key(w, S("longestLagSeconds"));
    json_put_double(w, (double)m->lag.max / NS_PER_S);
    json_put_text(w, "longestWork", str_of(piece_names[longest]));
    json_key(w, S("longestWorkSeconds"));
    json_put_double(w, (double)m->longest[longest] / NS_PER_S);
    json_close(w, '}');
}

void api_get_overview(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct now now = shell_clock(a->conf.shell)->now;
    struct overview_stream *s;
    struct json_writer w;
    struct api_filter f;

    if (!api_filter_init(a, rq, &f))
        return;
    s = mem_new(struct overview_stream);
    s->api = a;
    json_writer_init(&w, &s->tail, true);
    if (api_param_bool(rq, S("rules"), false)) {
        api_put_rule_groups(a, &w);
    } else if (api_param_bool(rq, S("loop"), false)) {
        status_put_loop(shell_clock(a->conf.shell)->meter, &w);
    } else {
        ALERT_TABLE_EACH (al, &a->engine->alerts) {
            if (!alert_is_resolved(al, now) && api_filter_set(&f, al->labels))
                vec_push(&s->v, alert_ref(al));
        }
        api_put_rule_alerts(a, &w, &f);
        put_failing_receivers(a->engine, &s->tail);
    }
    api_filter_release(&f);
    api_headers(rq);
    http_reply_stream(rq, 200, S("application/json"), overview_next, overview_done, s);
}
