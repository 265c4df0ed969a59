/* GET /api/tocsin/routes: the routing tree, each node with what it holds now. */
#include "api/api_priv.h"

#include "route/route_conf.h"

static void routes_put_names(struct json_writer *w, const char *key, const str *v, size_t n)
{
    json_key(w, str_of(key));
    json_open(w, '[');
    for (size_t i = 0; i < n; i++)
        json_put_str(w, v[i]);
    json_close(w, ']');
}

static void routes_put_counts(const struct engine *e, const struct route *r, struct json_writer *w)
{
    size_t alerts = 0;

    MAP_EACH (struct u64_map_entry, it, &e->groups[r->index])
        alerts += ((const struct group *)it->value)->alerts.n;
    json_key(w, S("groups"));
    json_put_u64(w, e->groups[r->index].n);
    json_key(w, S("alerts"));
    json_put_u64(w, alerts);
}

static void routes_put(const struct engine *e, const struct route *r, struct json_writer *w)
{
    struct buf b = BUF_INIT;

    json_open(w, '{');
    json_key(w, S("matchers"));
    json_open(w, '[');
    for (size_t i = 0; i < r->matchers.n; i++) {
        buf_clear(&b);
        matcher_print(&b, &r->matchers.v[i]);
        json_put_str(w, buf_str(&b));
    }
    json_close(w, ']');
    json_put_text(w, "key", r->key);
    json_put_text(w, "receiver", r->receiver);
    json_key(w, S("continue"));
    json_put_bool(w, r->goes_on);
    json_key(w, S("groupByAll"));
    json_put_bool(w, r->group_by_all);
    routes_put_names(w, "groupBy", r->group_by, r->n_group_by);
    routes_put_names(w, "muteTimeIntervals", r->mute_intervals, r->n_mute_intervals);
    routes_put_names(w, "activeTimeIntervals", r->active_intervals, r->n_active_intervals);
    api_put_duration(w, "groupWait", r->conf->group_wait);
    api_put_duration(w, "groupInterval", r->conf->group_interval);
    api_put_duration(w, "repeatInterval", r->conf->repeat_interval);
    routes_put_counts(e, r, w);
    json_key(w, S("routes"));
    json_open(w, '[');
    for (size_t i = 0; i < r->n_children; i++)
        routes_put(e, r->children[i], w);
    json_close(w, ']');
    json_close(w, '}');
    buf_release(&b);
}

void api_get_routes(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct buf b = BUF_INIT;
    struct json_writer w;

    json_writer_init(&w, &b, true);
    json_open(&w, '{');
    json_key(&w, S("route"));
    if (a->engine->tree.root != NULL)
        routes_put(a->engine, a->engine->tree.root, &w);
    else
        json_put_null(&w);
    json_close(&w, '}');
    buf_addc(&b, '\n');
    api_json(rq, 200, buf_str(&b));
    buf_release(&b);
}
