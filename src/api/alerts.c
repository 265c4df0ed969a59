/* GET /api/v2/alerts and /alerts/groups. The list is decided when the request comes: pointers with a reference each,
 * sorted. Text is made only as fast as the client reads it. */
#include "api/api_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/keyed.h"
#include "core/audience.h"

static void put_status(struct json_writer *w, const struct gettable *g)
{
    const struct verdict *v = &g->status->verdict;
    str rest = g->muted_by;

    json_open(w, '{');
    json_key_of(w, "inhibitedBy");
    json_open(w, '[');
    for (size_t i = 0; i < v->inhibited_by.n; i++)
        json_put_hex64(w, v->inhibited_by.v[i].fingerprint);
    json_close(w, ']');
    json_key_of(w, "mutedBy");
    json_open(w, '[');
    while (rest.n != 0)
        json_put_str(w, str_cut(&rest, ','));
    json_close(w, ']');
    json_key_of(w, "silencedBy");
    json_open(w, '[');
    for (size_t i = 0; i < v->silenced_by.n; i++)
        json_put_str(w, uuid_str(&v->silenced_by.v[i]->id));
    json_close(w, ']');
    json_key_of(w, "state");
    json_put_str(w, v->held_by != HELD_BY_NOTHING ? S("suppressed") : S("active"));
    json_close(w, '}');
}

void api_put_alert(struct json_writer *w, const struct gettable *g)
{
    const struct alert *a = g->alert;

    json_open(w, '{');
    json_key_of(w, "annotations");
    label_set_put_json(w, a->annotations);
    json_key_of(w, "endsAt");
    json_put_rfc3339_ms(w, a->ends_at);
    json_key_of(w, "fingerprint");
    json_put_hex64(w, alert_fingerprint(a));
    json_key_of(w, "receivers");
    json_open(w, '[');
    for (size_t i = 0; i < g->n_receivers; i++) {
        json_open(w, '{');
        json_key_of(w, "name");
        json_put_str(w, g->receivers[i]);
        json_close(w, '}');
    }
    json_close(w, ']');
    json_key_of(w, "startsAt");
    json_put_rfc3339_ms(w, a->starts_at);
    json_key_of(w, "status");
    put_status(w, g);
    json_key_of(w, "updatedAt");
    json_put_rfc3339_ms(w, a->updated_at);
    if (alert_generator_url(a).n != 0) {
        json_key_of(w, "generatorURL");
        shared_text_put_json(w, a->generator_url);
    }
    json_key_of(w, "labels");
    label_set_put_json(w, a->labels);
    json_close(w, '}');
}

/* What a list of alerts is made of. */
enum {
    OF_ALERTS = CHANGES_OF(CHANGED_ALERT) | CHANGES_OF(CHANGED_SILENCE) |
                CHANGES_OF(CHANGED_CONFIG) | CHANGES_OF(CHANGED_CLOCK),
    OF_GROUPS = OF_ALERTS | CHANGES_OF(CHANGED_GROUP)
};

/* Which states a list shows. */
struct wanted {
    bool active, silenced, inhibited;
};

static struct wanted wanted_of(struct http_req *rq)
{
    return (struct wanted){.active = api_param_bool(rq, S("active"), true),
                           .silenced = api_param_bool(rq, S("silenced"), true),
                           .inhibited = api_param_bool(rq, S("inhibited"), true)};
}

/* As there, who is kept back by a time interval alone is active for this filter, whatever is shown. */
static bool alerts_is_wanted(struct wanted w, const struct verdict *v)
{
    return (w.active || v->silenced_by.n != 0 || v->inhibited_by.n != 0) &&
           (w.silenced || v->silenced_by.n == 0) && (w.inhibited || v->inhibited_by.n == 0);
}

/* -- GET /alerts -- */

struct alerts_stream {
    struct api *api;
    struct arena arena;    /* of the request: filters and text */
    VEC(struct alert *) v; /* by fingerprint, one reference each */
    size_t at;
    bool begun;
    struct wanted wanted;
    struct api_filter filter;
    struct alert_status status;
    VEC(str) receivers;
};

static void alerts_done(void *ctx)
{
    struct alerts_stream *s = ctx;

    VEC_EACH (struct alert **, a, &s->v)
        alert_unref(*a);
    vec_release(&s->v);
    vec_release(&s->receivers);
    alert_status_release(&s->status);
    api_filter_release(&s->filter);
    arena_release(&s->arena);
    mem_free(s);
}

/* Writes one alert unless its state is filtered out; returns whether it did. */
static bool write_alert(struct alerts_stream *s, const struct audience *au, struct alert *a,
                        struct buf *out)
{
    struct json_writer w;
    struct gettable g = {.alert = a, .status = &s->status};
    bool any = s->filter.receiver == NULL && s->filter.receivers.n == 0;

    audience_status(au, a, &s->status);
    if (!alerts_is_wanted(s->wanted, &s->status.verdict))
        return false;
    vec_clear(&s->receivers);
    for (size_t i = 0; i < s->status.routes.n; i++) {
        vec_push(&s->receivers, s->status.routes.v[i]->receiver);
        any = any || api_filter_receiver(s->api, &s->filter, s->status.routes.v[i]->receiver);
    }
    if (!any)
        return false;
    g.receivers = s->receivers.v;
    g.n_receivers = s->receivers.n;
    if (s->begun)
        buf_addc(out, ',');
    s->begun = true;
    json_writer_init(&w, out, true);
    api_put_alert(&w, &g);
    return true;
}

static bool alerts_alerts_next(void *ctx, struct buf *out)
{
    struct alerts_stream *s = ctx;
    struct audience any = audience_at(s->api->engine, NULL, shell_clock(s->api->conf.shell)->now);
    size_t enough = out->n + API_PIECE;

    if (s->at == 0)
        buf_addc(out, '[');
    while (s->at < s->v.n && out->n < enough) {
        alerts_look_ahead(s->v.v + s->at, s->v.n - s->at);
        write_alert(s, &any, s->v.v[s->at++], out);
    }
    if (s->at < s->v.n)
        return true;
    buf_adds(out, "]\n");
    return false;
}

static void list_alerts(struct alerts_stream *s, struct now now)
{
    const struct alert_table *all = &s->api->engine->alerts;
    VEC(struct keyed) of = {0};

    vec_reserve(&of, all->n);
    ALERT_TABLE_EACH (a, all) {
        if (!alert_is_resolved(a, now) && api_filter_set(&s->filter, a->labels))
            vec_push(&of, (struct keyed){alert_fingerprint(a), alert_ref(a)});
    }
    keyed_sort(of.v, of.n);
    vec_reserve(&s->v, of.n);
    VEC_EACH (const struct keyed *, k, &of)
        vec_push(&s->v, k->value);
    vec_release(&of);
}

void api_get_alerts(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct now now = shell_clock(a->conf.shell)->now;
    struct alerts_stream *s = mem_new(struct alerts_stream);

    s->api = a;
    s->wanted = wanted_of(rq);
    if (!api_filter_init(a, rq, &s->filter)) {
        s->filter = (struct api_filter){0};
        alerts_done(s);
        return;
    }
    if (api_is_unchanged(a, rq, OF_ALERTS)) {
        alerts_done(s);
        return;
    }
    list_alerts(s, now);
    api_headers(rq);
    http_reply_stream(rq, 200, S("application/json"), alerts_alerts_next, alerts_done, s);
}

/* -- GET /alerts/groups -- */

struct group_view {
    struct label_set *labels; /* one reference */
    str receiver, muted_by;   /* arena */
    enum held_by time;        /* what its route's intervals said when the list was asked for */
    const struct conf_map *route_labels; /* of the stream's configuration */
    struct alert **alerts;               /* one reference each */
    size_t n;
};

struct alerts_group_key {
    size_t route;
    uint64_t fingerprint;
};

/* What is listed is gathered some groups a turn, in runs that are sorted each for itself; the first of all that are left is
 * written next. */
struct groups_stream {
    struct api *api;
    struct config *conf; /* one reference */
    struct arena arena;
    struct api_filter filter;
    bool muted;
    VEC(struct alerts_group_key) todo;
    size_t gathered;
    VEC(struct group_view) v;
    VEC(size_t) runs; /* where the next of each run stands in v; run i begins at i * RUN */
    bool is_open, begun;
    struct wanted wanted;
    struct alert_status status;
    VEC(str) receivers;
};

enum { RUN = 1000, GATHERED_ALERTS = 5000 };

static int alerts_by_labels(const void *a, const void *b)
{
    const struct group_view *x = a, *y = b;
    int c = label_set_cmp(x->labels, y->labels);

    return c != 0 ? c : str_cmp(x->receiver, y->receiver);
}

static void release_view(const struct group_view *g)
{
    for (size_t i = 0; i < g->n; i++)
        alert_unref(g->alerts[i]);
    label_set_unref(g->labels);
}

static void groups_done(void *ctx)
{
    struct groups_stream *s = ctx;

    VEC_EACH (struct group_view *, g, &s->v)
        release_view(g);
    vec_release(&s->v);
    vec_release(&s->todo);
    vec_release(&s->runs);
    api_filter_release(&s->filter);
    vec_release(&s->receivers);
    alert_status_release(&s->status);
    arena_release(&s->arena);
    config_unref(s->conf);
    mem_free(s);
}

static void collect_receivers(struct groups_stream *s)
{
    vec_clear(&s->receivers);
    for (size_t i = 0; i < s->status.routes.n; i++)
        vec_push(&s->receivers, s->status.routes.v[i]->receiver);
    if (s->receivers.n > 1)
        qsort(s->receivers.v, s->receivers.n, sizeof(str), str_order);
}

static void put_route_labels(struct groups_stream *s, const struct group_view *g, struct now now,
                             struct json_writer *w)
{
    struct notification n = {.receiver = g->receiver};
    struct messages_context c = {.messages = s->conf->messages,
                                 .n = &n,
                                 .external_url = s->api->engine->external_url,
                                 .now = now.wall};
    struct notified_alert *alerts;
    struct arena a;

    if (g->route_labels->n == 0) {
        labels_put_json(w, LABELS_NONE);
        return;
    }
    arena_init(&a, 0);
    n.group_labels = label_set_view(&a, g->labels);
    n.alerts = alerts = arena_array(&a, g->n, sizeof(*alerts));
    for (; n.n_alerts < g->n; n.n_alerts++) {
        alerts[n.n_alerts] = engine_notified(g->alerts[n.n_alerts], now, &a);
        n.n_firing += !alerts[n.n_alerts].is_resolved;
    }
    labels_put_json(w, messages_route_labels(&c, route_conf_templates(g->route_labels, &a), &a));
    arena_release(&a);
}

static void write_group(struct groups_stream *s, const struct group_view *g, struct now now,
                        struct buf *out)
{
    size_t before = out->n, written = 0;
    struct audience au = audience_at(s->api->engine, NULL, now);
    struct json_writer w;

    au.time = g->time; /* the route may be gone by now */

    if (s->begun)
        buf_addc(out, ',');
    json_writer_init(&w, out, true);
    json_open(&w, '{');
    json_key(&w, S("alerts"));
    json_open(&w, '[');
    for (size_t i = 0; i < g->n; i++) {
        struct gettable item = {
            .alert = g->alerts[i], .status = &s->status, .muted_by = g->muted_by};

        alerts_look_ahead(g->alerts + i, g->n - i);
        audience_status(&au, g->alerts[i], &s->status);
        if (!alerts_is_wanted(s->wanted, &s->status.verdict))
            continue;
        collect_receivers(s);
        item.receivers = s->receivers.v;
        item.n_receivers = s->receivers.n;
        api_put_alert(&w, &item);
        written++;
    }
    json_close(&w, ']');
    json_key(&w, S("labels"));
    label_set_put_json(&w, g->labels);
    json_key(&w, S("receiver"));
    json_open(&w, '{');
    json_key(&w, S("name"));
    json_put_str(&w, g->receiver);
    json_close(&w, '}');
    json_key(&w, S("routeLabels"));
    put_route_labels(s, g, now, &w);
    json_close(&w, '}');
    if (written == 0)
        out->n = before;
    else
        s->begun = true;
}

/* -- gathering -- */

static void list_groups(struct groups_stream *s)
{
    const struct engine *e = s->api->engine;

    for (size_t i = 0; i < e->tree.n; i++)
        MAP_EACH (struct u64_map_entry, it, &e->groups[i])
            vec_push(&s->todo, (struct alerts_group_key){i, it->key});
}

static void gather_group(struct groups_stream *s, const struct group *g, const struct audience *au,
                         str muted_by)
{
    struct group_view view = {.alerts =
                                  arena_array(&s->arena, g->alerts.n, sizeof(struct alert *))};

    ALERT_TABLE_EACH (a, &g->alerts) {
        if (!alert_is_resolved(a, au->at) && api_filter_set(&s->filter, a->labels))
            view.alerts[view.n++] = alert_ref(a);
    }
    if (view.n == 0)
        return;
    alerts_sort(view.alerts, view.n);
    view.labels = label_set_ref(g->labels);
    view.receiver = arena_str(&s->arena, g->route->receiver);
    view.route_labels = &g->route->conf->labels;
    view.muted_by = muted_by;
    view.time = au->time;
    vec_push(&s->v, view);
}

static void end_run(struct groups_stream *s)
{
    size_t from = s->runs.n * RUN;

    if (s->v.n == from)
        return;
    qsort(s->v.v + from, s->v.n - from, sizeof(s->v.v[0]), alerts_by_labels);
    vec_push(&s->runs, from);
}

/* A reload has taken the groups that were listed: all begins anew. */
static void begin_anew(struct groups_stream *s)
{
    VEC_EACH (struct group_view *, g, &s->v)
        release_view(g);
    vec_clear(&s->v);
    vec_clear(&s->runs);
    vec_clear(&s->todo);
    s->gathered = 0;
    config_unref(s->conf);
    s->conf = config_ref(config_of(s->api->engine->conf));
    list_groups(s);
}

static void gather_some(struct groups_stream *s, struct now now)
{
    const struct engine *e = s->api->engine;
    struct audience au = {.route = NULL};
    struct buf by = BUF_INIT;
    str muted_by = STR_NONE;

    for (size_t n = 0, alerts = 0; s->gathered < s->todo.n && n < RUN && alerts < GATHERED_ALERTS;
         n++) {
        struct alerts_group_key key = s->todo.v[s->gathered++];
        const struct route *route = e->tree.by_index[key.route];
        void **slot = u64_map_get(&e->groups[key.route], key.fingerprint);

        if (slot == NULL)
            continue;
        assume(route != NULL); /* that of a group that is there */
        if (au.route != route) {
            au = audience_at(e, route, now);
            buf_clear(&by);
            audience_names(&au, au.time, &by);
            muted_by = arena_str(&s->arena, buf_str(&by));
        }
        alerts += ((const struct group *)*slot)->alerts.n;
        if ((au.time != HELD_BY_NOTHING && !s->muted) ||
            !api_filter_receiver(s->api, &s->filter, route->receiver))
            continue;
        gather_group(s, *slot, &au, muted_by);
        if (s->v.n == (s->runs.n + 1) * RUN)
            end_run(s);
    }
    if (s->gathered == s->todo.n)
        end_run(s);
    buf_release(&by);
}

/* NULL: there is none. */
static const struct group_view *first_left(struct groups_stream *s)
{
    size_t *first = NULL;

    for (size_t i = 0; i < s->runs.n; i++) {
        size_t end = (i + 1) * RUN < s->v.n ? (i + 1) * RUN : s->v.n;

        if (s->runs.v[i] < end &&
            (first == NULL || alerts_by_labels(&s->v.v[s->runs.v[i]], &s->v.v[*first]) < 0))
            first = &s->runs.v[i];
    }
    return first != NULL ? &s->v.v[(*first)++] : NULL;
}

static bool alerts_groups_next(void *ctx, struct buf *out)
{
    struct groups_stream *s = ctx;
    struct now now = shell_clock(s->api->conf.shell)->now;
    size_t enough = out->n + API_PIECE;
    const struct group_view *g;

    if (s->gathered < s->todo.n && config_of(s->api->engine->conf) != s->conf)
        begin_anew(s);
    if (s->gathered < s->todo.n) {
        gather_some(s, now);
        return true;
    }
    if (!s->is_open)
        buf_addc(out, '[');
    s->is_open = true;
    while (out->n < enough && (g = first_left(s)) != NULL)
        write_group(s, g, now, out);
    if (out->n >= enough)
        return true;
    buf_adds(out, "]\n");
    return false;
}

/* A route with intervals says something else at another time, and so may what its labels are made by. */
static bool groups_are_known(struct api *a, struct http_req *rq)
{
    for (size_t i = 0; i < a->engine->tree.n; i++) {
        const struct route *r = a->engine->tree.by_index[i];

        if (r->conf->labels.n != 0 || r->n_active_intervals + r->n_mute_intervals != 0)
            return false;
    }
    return api_is_unchanged(a, rq, OF_GROUPS);
}

void api_get_groups(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct groups_stream *s = mem_new(struct groups_stream);

    s->api = a;
    s->conf = config_ref(config_of(a->engine->conf));
    s->wanted = wanted_of(rq);
    s->muted = api_param_bool(rq, S("muted"), true);
    if (!api_filter_init(a, rq, &s->filter)) {
        s->filter = (struct api_filter){0};
        groups_done(s);
        return;
    }
    if (groups_are_known(a, rq)) {
        groups_done(s);
        return;
    }
    list_groups(s);
    api_headers(rq);
    http_reply_stream(rq, 200, S("application/json"), alerts_groups_next, groups_done, s);
}
