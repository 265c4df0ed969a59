/* The frame of the interface: the table of routes, who may take which, what every answer has, and how long requests
 * took. What a route says is in the file of its subject (status.c, alerts.c, silences.c, ...). */
#include "api/api_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include "api/prom.h"
#include "base/hash.h"
#include "board/board.h"
#include "codec/duration.h"

/* One row a route: what is allowed before the body is read, who answers, and what it takes where it is not a GET. */
static void get_ok(struct http_req *rq, void *arg);
static void gone(struct http_req *rq, void *arg);
static void preflight(struct http_req *rq, void *arg);

static const struct http_route routes[] = {
    {HTTP_GET, "/", 0, api_get_page, "/", "alerts, silences, rules and status in a browser",
     ACCESS_PAGE},
    {HTTP_GET, "/ui/*", 0, api_get_asset, "/ui", "what the page is made of", ACCESS_PAGE},
    {HTTP_GET, "/api/v2/status", 0, api_get_status, "/status",
     "cluster, version, configuration, start time"},
    {HTTP_GET, "/api/v2/receivers", 0, api_get_receivers, "/receivers",
     "names and labels of all receivers"},
    {HTTP_POST, "/api/v2/receivers/*", 64 << 10, api_post_receiver, "/receivers/test",
     "sends a made-up alert through a receiver, and says what came back"},
    {HTTP_POST, "/receipts/{id}", RECEIPTS_BODY_MAX, api_post_receipts, "/receipts",
     "how a call went, told by the service that made it", ACCESS_ADDRESS},
    {HTTP_POST, "/api/v2/drill", 64 << 10, api_post_drill, "/drill",
     "tries the whole way of a rule's alert, marked as a drill"},
    {HTTP_GET, "/api/v2/alerts", 0, api_get_alerts, "/alerts", "alerts that have not ended"},
    {HTTP_POST, "/api/v2/alerts", SIZE_MAX, api_post_alerts, "/alerts", "takes alerts",
     ACCESS_ALERTS},
    {HTTP_GET, "/api/v2/alerts/groups", 0, api_get_groups, "/alerts/groups", "alerts by group"},
    {HTTP_GET, "/api/v2/silences", 0, api_get_silences, "/silences", "silences by state"},
    {HTTP_POST, "/api/v2/silences", 1 << 20, api_post_silences, "/silences",
     "creates or edits a silence", ACCESS_SILENCE},
    {HTTP_GET, "/api/v2/silence/{id}", 0, api_get_silence, "/silence/{silenceID}", "one silence"},
    {HTTP_DELETE, "/api/v2/silence/{id}", 0, api_delete_silence, "/silence/{silenceID}",
     "ends a silence", ACCESS_SILENCE},
    {HTTP_POST, "/api/v2/templates/render", 4 << 20, api_post_render, "/templates/render",
     "renders a template", ACCESS_READ},
    {HTTP_GET, "/api/v2/explain", 0, api_get_explain, "/explain",
     "why an alert was or was not sent, and when it is told next"},
    {HTTP_GET, "/api/v2/notifications", 0, api_get_notifications, "/notifications",
     "what was sent, and what became of it"},
    {HTTP_OPTIONS, "/api/v2/*", 0, preflight, "/preflight", "cross-origin preflight"},
    {HTTP_GET, "/api/tocsin/overview", 0, api_get_overview, "/overview",
     "alerts with rule state and next notification"},
    {HTTP_GET, "/api/tocsin/whoami", 0, api_get_whoami, "/api/tocsin/whoami",
     "whose token it is, and what he may do"},
    {HTTP_GET, "/api/tocsin/board", 0, api_get_board, "/api/tocsin/board",
     "alerts by group, worst first, a page of them, and totals"},
    {HTTP_GET, "/api/tocsin/stream", 0, api_get_stream, "/api/tocsin/stream",
     "the same as events, and what changes of it"},
    {HTTP_GET, "/api/tocsin/labels", 0, api_get_labels, "/api/tocsin/labels",
     "names of the labels that alerts have"},
    {HTTP_GET, "/api/tocsin/labels/{id}", 0, api_get_labels, "/api/tocsin/labels",
     "values of a label that alerts have"},
    {HTTP_GET, "/api/tocsin/notifications", 0, api_get_told, "/api/tocsin/notifications",
     "what was told, by receiver, group, alert, time and verdict"},
    {HTTP_GET, "/api/tocsin/routes", 0, api_get_routes, "/api/tocsin/routes",
     "the routing tree with what it holds now"},
    {HTTP_GET, "/api/tocsin/history", 0, prom_history_status, "/api/tocsin/history",
     "samples on disk: how much, from when to when, and whether more is written", ACCESS_READ},
    {HTTP_GET, "/api/tocsin/remote_write", 0, api_get_remote_write, "/api/tocsin/remote_write",
     "who gets our samples, what waits for them, and what is wrong", ACCESS_READ},
    {HTTP_GET, "/api/tocsin/matchers", 0, api_get_matchers, "/api/tocsin/matchers",
     "the matchers of a text, a list on each line"},
    {HTTP_GET, "/api/v1/targets", 0, api_get_targets, "/targets",
     "targets that are scraped, and those that relabeling dropped"},
    {HTTP_GET | HTTP_POST, "/api/v1/query", 1 << 20, prom_query, "/api/v1/query",
     "PromQL at an instant: our own store and its history, or a source", ACCESS_READ},
    {HTTP_GET | HTTP_POST, "/api/v1/query_range", 1 << 20, prom_query_range, "/api/v1/query_range",
     "PromQL step by step: our own store and its history, or a source", ACCESS_READ},
    {HTTP_GET | HTTP_POST, "/api/v1/format_query", 1 << 20, prom_format_query,
     "/api/v1/format_query", "PromQL in its canonical form", ACCESS_READ},
    {HTTP_GET | HTTP_POST, "/api/v1/series", 1 << 20, prom_series, "/api/v1/series",
     "the series that selectors find", ACCESS_READ},
    {HTTP_GET | HTTP_POST, "/api/v1/labels", 1 << 20, prom_labels, "/api/v1/labels",
     "names of labels", ACCESS_READ},
    {HTTP_GET, "/api/v1/label/{id}/values", 0, prom_label_values, "/api/v1/label_values",
     "values of a label"},
    {HTTP_GET, "/api/v1/rules", 0, prom_rules, "/api/v1/rules", "rule groups and their alerts"},
    {HTTP_GET, "/api/v1/alerts", 0, prom_alerts, "/api/v1/alerts", "alerts of our rules"},
    {HTTP_GET, "/api/tocsin/rule_history", 0, prom_rule_history, "/api/tocsin/rule_history",
     "state changes of the alerts of our rules, with values"},
    {HTTP_POST, "/api/tocsin/lint", 64 << 10, api_post_lint, "/api/tocsin/lint",
     "what lint finds in the text of a rule file", ACCESS_READ},
    {HTTP_GET, "/api/tocsin/rules_health", 0, api_get_rules_health, "/api/tocsin/rules_health",
     "rules that match nothing, never end, are slow or fail"},
    {HTTP_GET, "/api/tocsin/trial_rules", 0, api_get_trial_rules, "/api/tocsin/trial_rules",
     "rules on trial, and what they would have done"},
    {HTTP_GET, "/graph", 0, api_get_page, "/graph", "where links of our rules point to: the page",
     ACCESS_PAGE},
    {HTTP_GET, "/federate", 0, prom_federate, "/federate",
     "the newest samples of what selectors find"},
    {HTTP_GET | HTTP_POST, "/api/v1/parse_query", 1 << 20, prom_parse_query, "/api/v1/parse_query",
     "PromQL as a tree", ACCESS_READ},
    {HTTP_GET, "/api/v1/status/config", 0, prom_config, "/api/v1/status", "configuration"},
    {HTTP_GET, "/api/v1/status/flags", 0, prom_flags, "/api/v1/status", "the command line"},
    {HTTP_GET, "/api/v1/status/tsdb", 0, prom_tsdb_status, "/api/v1/status",
     "size of our own store"},
    {HTTP_GET, "/api/v1/metadata", 0, prom_metadata, "/api/v1/metadata",
     "types, helps and units that targets tell, by metric"},
    {HTTP_GET, "/api/v1/targets/metadata", 0, prom_target_metadata, "/api/v1/metadata",
     "the same, by target"},
    {HTTP_GET, "/api/v1/alertmanagers", 0, prom_alertmanagers, "/api/v1/alertmanagers",
     "who is sent what our rules fire, beside our own routes"},
    {HTTP_GET, "/api/v1/scrape_pools", 0, prom_scrape_pools, "/api/v1/scrape_pools",
     "names of the jobs that scrape"},
    {HTTP_GET, "/api/v1/notifications", 0, prom_notifications, "/api/v1/notifications",
     "what the operator should know"},
    {HTTP_GET, "/api/v1/features", 0, prom_features, "/api/v1/features",
     "what queries, rules and discovery can do"},
    {HTTP_OPTIONS, "/api/v1/*", 0, preflight, "/preflight", "cross-origin preflight"},
    {HTTP_GET, "/api/v1/status/buildinfo", 0, prom_buildinfo, "/api/v1/status", "version"},
    {HTTP_GET, "/api/v1/status/runtimeinfo", 0, prom_runtimeinfo, "/api/v1/status",
     "start and reload"},
    {HTTP_GET, "/api/v1/status", 0, gone, "/api/v1", "removed"},
    {HTTP_GET | HTTP_POST, "/api/v1/receivers", 1 << 20, gone, "/api/v1", "removed", ACCESS_READ},
    {HTTP_GET | HTTP_POST, "/api/v1/silences", 1 << 20, gone, "/api/v1", "removed", ACCESS_READ},
    {HTTP_GET | HTTP_DELETE, "/api/v1/silence/*", 1 << 20, gone, "/api/v1", "removed", ACCESS_READ},
    {HTTP_POST, "/api/v1/alerts", 1 << 20, gone, "/api/v1", "removed", ACCESS_READ},
    {HTTP_PUT | HTTP_POST | HTTP_DELETE, "/metrics/job/*", PUSH_BODY_MAX, api_push, "/metrics/job",
     "takes metrics as a Pushgateway does", ACCESS_PUSH},
    {HTTP_PUT | HTTP_POST | HTTP_DELETE, "/metrics/job@base64/*", PUSH_BODY_MAX, api_push,
     "/metrics/job", "the same, the job in base64", ACCESS_PUSH},
    {HTTP_GET, "/metrics", 0, api_get_metrics, "/metrics", "metrics of tocsin itself"},
    {HTTP_GET, "/-/healthy", 0, get_ok, "/-/healthy", "the process answers"},
    {HTTP_GET, "/-/ready", 0, get_ok, "/-/ready", "configuration and state are loaded"},
    {HTTP_POST, "/api/tocsin/storage/{id}", 1 << 10, api_post_storage, "/api/tocsin/storage",
     "a backup of all that lasts, what lies there, or whether it is sound", ACCESS_CHANGE},
    {HTTP_POST | HTTP_PUT, "/-/reload", 1 << 10, api_post_reload, "/-/reload",
     "reads the configuration again"},
    {0, NULL, 0, NULL, NULL, NULL},
};

/* -- for documents -- */

static const char *scope_of(const struct http_route *r)
{
    static const char *const scopes[] = {[ACCESS_CHANGE] = "admin",
                                         [ACCESS_READ] = "read",
                                         [ACCESS_SILENCE] = "silence",
                                         [ACCESS_PUSH] = "push",
                                         [ACCESS_ALERTS] = "alerts"};

    if (r->need == ACCESS_PAGE || r->need == ACCESS_ADDRESS)
        return "none";
    return (r->methods & ~(unsigned)(HTTP_GET | HTTP_OPTIONS)) != 0 ? scopes[r->need] : "read";
}

void api_print_markdown(struct buf *out)
{
    static const struct {
        unsigned method;
        const char *name;
    } methods[] = {{HTTP_GET, "GET"},
                   {HTTP_POST, "POST"},
                   {HTTP_PUT, "PUT"},
                   {HTTP_DELETE, "DELETE"},
                   {HTTP_OPTIONS, "OPTIONS"}};

    for (const struct http_route *r = routes; r->path != NULL; r++) {
        const char *comma = "| ";

        for (size_t i = 0; i < ARRAY_LEN(methods); i++)
            if ((r->methods & methods[i].method) != 0) {
                buf_addf(out, "%s%s", comma, methods[i].name);
                comma = ", ";
            }
        buf_addf(out, " | `%s` | %s | %s |\n", r->path, scope_of(r), r->doc);
    }
}

void api_headers(struct http_req *rq)
{
    http_reply_header(rq, S("Cache-Control"), S("no-store"));
    http_reply_header(rq, S("Vary"), S("Origin"));
    if (http_header_get(&rq->headers, S("Origin")).n != 0 && rq->method != HTTP_DELETE)
        http_reply_header(rq, S("Access-Control-Allow-Origin"), S("*"));
}

void api_json(struct http_req *rq, int status, str body)
{
    api_headers(rq);
    http_reply(rq, status, S("application/json"), body);
}

void api_fail(struct http_req *rq, int status, str message)
{
    struct buf b = BUF_INIT;

    quote_json(&b, message, true);
    buf_addc(&b, '\n');
    api_json(rq, status, buf_str(&b));
    buf_release(&b);
}

void api_refuse(struct http_req *rq, int status, int code, const char *fmt, ...)
{
    struct buf text = BUF_INIT, b = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    buf_addf(&b, "{\"code\":%d,\"message\":", code);
    quote_json(&b, buf_str(&text), true);
    buf_addc(&b, '}');
    api_json(rq, status, buf_str(&b));
    buf_release(&text);
    buf_release(&b);
}

bool api_expects_json(struct http_req *rq)
{
    str type = http_header_get(&rq->headers, S("Content-Type")), rest = type;
    str media = str_trim(str_cut(&rest, ';'));

    if (!str_eq_nocase(media, S("application/json"))) {
        api_refuse(rq, 415, 415,
                   "unsupported media type \"%.*s\", only [application/json] are allowed",
                   type.n != 0 ? (int)type.n : 24,
                   type.n != 0 ? type.p : "application/octet-stream");
        return false;
    }
    if (str_trim(rq->body).n == 0) {
        api_refuse(rq, 422, 602, "body in body is required");
        return false;
    }
    return true;
}

/* The tag is weak: gzip or not, the content is the same. */
bool api_is_known(struct http_req *rq, uint64_t version)
{
    uint64_t h = version ^ hash_str(rq->target);
    str tag = arena_printf(&rq->arena, "W/\"%016llx\"", (unsigned long long)h);
    str rest = http_header_get(&rq->headers, S("If-None-Match"));

    http_reply_header(rq, S("ETag"), tag);
    while (rest.n != 0) {
        str one = str_trim(str_cut(&rest, ','));

        if (!str_eq(one, tag) && !str_is(one, "*"))
            continue;
        api_headers(rq);
        http_reply(rq, 304, STR_NONE, STR_NONE);
        return true;
    }
    return false;
}

uint64_t api_life(const struct api *a)
{
    return hash_str(a->conf.instance) ^ (uint64_t)a->started;
}

bool api_is_unchanged(struct api *a, struct http_req *rq, unsigned kinds)
{
    struct now now = shell_clock(a->conf.shell)->now;

    return api_is_known(rq,
                        hash_u64(api_life(a) ^ hash_u64(engine_revision(a->engine, kinds, now))));
}

str api_param(struct http_req *rq, str name)
{
    const struct http_param *v;
    size_t n = http_params(&rq->arena, rq->query, &v);
    str found = STR_NONE;

    for (size_t i = 0; i < n; i++)
        if (str_eq(v[i].name, name))
            found = v[i].value;
    return found;
}

bool api_param_bool(struct http_req *rq, str name, bool def)
{
    static const char *const yes[] = {"true", "1",        "yes",     "ok", "y",
                                      "on",   "selected", "checked", "t",  "enabled"};
    str v = api_param(rq, name);

    if (v.n == 0)
        return def;
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        if (str_eq_nocase(v, str_of(yes[i])))
            return true;
    return false;
}

static bool collect_matchers(struct api *a, struct http_req *rq, str name, struct arena *arena,
                             struct matchers *out)
{
    const struct http_param *v;
    size_t n = http_params(&rq->arena, rq->query, &v);
    struct err e = ERR_INIT;

    out->v = arena_array(arena, n, sizeof(*out->v));
    for (size_t i = 0; i < n; i++) {
        str warning;

        if (!str_eq(v[i].name, name))
            continue;
        if (!matcher_parse(v[i].value, a->engine->mode, &rq->arena, &out->v[out->n], &warning,
                           &e)) {
            api_fail(rq, 400, str_of(e.msg));
            return false;
        }
        out->n++;
    }
    return true;
}

bool api_filter_init(struct api *a, struct http_req *rq, struct api_filter *f)
{
    str receiver = api_param(rq, S("receiver"));
    struct err e = ERR_INIT;

    *f = (struct api_filter){.receiver = NULL};
    arena_init(&f->arena, 0);
    if (!collect_matchers(a, rq, S("filter"), &f->arena, &f->filters) ||
        !collect_matchers(a, rq, S("receiver_matchers"), &f->arena, &f->receivers)) {
        api_filter_release(f);
        return false;
    }
    if (receiver.n == 0)
        return true;
    /* Put together as text, as Alertmanager does: its error messages show this pattern. */
    f->receiver = regex_compile(arena_printf(&rq->arena, "^(?:%.*s)$", STR(receiver)),
                                (enum regex_flags)0, &e);
    if (f->receiver != NULL)
        return true;
    err_wrap(&e, "failed to parse receiver param");
    api_fail(rq, 400, str_of(e.msg));
    api_filter_release(f);
    return false;
}

void api_filter_release(struct api_filter *f)
{
    matchers_release(&f->filters);
    matchers_release(&f->receivers);
    if (f->receiver != NULL)
        regex_unref(f->receiver);
    arena_release(&f->arena);
}

/* Alertmanager's reading of a filter: x!="" asks for presence, x="" for absence. */
bool api_filter_labels(const struct api_filter *f, struct labels ls)
{
    return matchers_match(&f->filters, ls);
}

bool api_filter_set(const struct api_filter *f, const struct label_set *set)
{
    return matchers_match_set(&f->filters, set);
}

bool api_filter_receiver(const struct api *a, const struct api_filter *f, str name)
{
    const struct receiver_conf *rc;
    struct arena scratch;
    struct label *v;
    struct labels ls;
    str dup;
    bool ok;

    if (f->receiver != NULL && !regex_matches(f->receiver, name))
        return false;
    if (f->receivers.n == 0)
        return true;
    rc = config_receiver(config_of(a->engine->conf), name);
    arena_init(&scratch, 0);
    v = arena_array(&scratch, rc != NULL ? rc->labels.n + 1 : 1, sizeof(*v));
    v[0] = (struct label){S("name"), name};
    ls = (struct labels){v, 1};
    for (size_t i = 0; rc != NULL && i < rc->labels.n; i++)
        if (!str_is(rc->labels.v[i].name, "name"))
            v[ls.n++] = (struct label){rc->labels.v[i].name, rc->labels.v[i].value};
    ls.n = labels_sort(v, ls.n, &dup);
    ok = ls.n != SIZE_MAX && matchers_match(&f->receivers, ls);
    arena_release(&scratch);
    return ok;
}

/* -- waiting for the disk -- */

struct pending_reply {
    struct http_later later;
    int status;
    str content_type; /* static */
    str body;
};

static void api_pending_free(struct http_later *l)
{
    mem_free(container_of(l, struct pending_reply, later));
}

static void pending_done(void *arg, bool ok, const struct err *e)
{
    struct pending_reply *p = arg;
    struct http_req *rq = http_later_take(&p->later);

    if (rq != NULL && ok) {
        api_headers(rq);
        http_reply(rq, p->status, p->content_type, p->body);
    } else if (rq != NULL) {
        struct buf b = BUF_INIT;

        buf_addf(&b, "accepted in memory but not on disk: %s", e->msg);
        api_fail(rq, 503, buf_str(&b));
        buf_release(&b);
    }
    http_later_free(&p->later);
}

void api_reply_after_commit(struct api *a, struct http_req *rq, int status, str content_type,
                            str body)
{
    struct pending_reply *p = mem_new(struct pending_reply);

    http_later_begin(&p->later, &a->laters, 0);
    http_later_wait(&p->later, rq);
    p->later.free = api_pending_free;
    p->status = status;
    p->content_type = content_type;
    p->body = arena_str(&p->later.arena, body);
    shell_after_commit(a->conf.shell, pending_done, p);
}

bool api_has_room(const struct api *a, struct http_req *rq)
{
    if (a->conf.max_queries == 0 || a->laters.under_way[WORK_QUERY] < a->conf.max_queries)
        return true;
    http_reply_header(rq, S("Retry-After"), S("1"));
    return false;
}

/* -- small handlers -- */

static void get_ok(struct http_req *rq, void *arg)
{
    (void)arg;
    http_reply(rq, 200, S("text/plain; charset=utf-8"), S("OK"));
}

/* Each API's own words. */
static void preflight(struct http_req *rq, void *arg)
{
    bool is_v1 = str_starts_with(rq->path, S("/api/v1/"));

    (void)arg;
    api_headers(rq);
    http_reply_header(rq, S("Access-Control-Allow-Methods"),
                      is_v1 ? S("GET, POST, OPTIONS") : S("GET, POST, HEAD"));
    http_reply_header(rq, S("Access-Control-Allow-Headers"),
                      is_v1 ? S("Accept, Authorization, Content-Type, Origin")
                            : S("accept, content-type, x-requested-with"));
    http_reply(rq, 204, STR_NONE, STR_NONE);
}

static void gone(struct http_req *rq, void *arg)
{
    (void)arg;
    http_reply(rq, 410, S("application/json"),
               S("{\"status\":\"deprecated\",\"error\":\"The Alertmanager v1 API was removed; use "
                 "/api/v2.\"}\n"));
}

static void reload_free(struct http_later *l)
{
    mem_free(l);
}

static void reloaded(void *ctx, bool ok, str text)
{
    struct http_later *l = ctx;
    struct http_req *rq = http_later_take(l);

    if (rq != NULL)
        http_reply(rq, ok ? 200 : 500, S("text/plain; charset=utf-8"), text);
    http_later_free(l);
}

void api_post_reload(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct http_later *l = mem_new(struct http_later);

    http_later_begin(l, &a->laters, 0);
    http_later_wait(l, rq);
    l->free = reload_free;
    a->conf.reload(a->conf.arg,
                   (struct reload_wish){.is_dry_run = api_param_bool(rq, S("dry_run"), false),
                                        .is_rollback = api_param_bool(rq, S("rollback"), false),
                                        .allows_no_route =
                                            api_param_bool(rq, S("allow_no_route"), false)},
                   reloaded, l);
}

static bool api_unrouted(struct http_req *rq, int status, unsigned allow, void *arg)
{
    static const struct {
        unsigned bit;
        const char *name;
    } methods[] = {
        {HTTP_GET, "GET"}, {HTTP_POST, "POST"}, {HTTP_PUT, "PUT"}, {HTTP_DELETE, "DELETE"}};
    struct buf b = BUF_INIT;

    (void)arg;
    if (!str_starts_with(rq->path, S("/api/v2/")))
        return false;
    if (status == 404) {
        api_refuse(rq, 404, 404, "path %.*s was not found", STR(rq->path));
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (allow & methods[i].bit)
            buf_addf(&b, "%s%s", b.n != 0 ? "," : "", methods[i].name);
    http_reply_header(rq, S("Allow"), buf_str(&b));
    api_refuse(rq, 405, 405, "method is not allowed, but [%.*s] are", STR(buf_str(&b)));
    buf_release(&b);
    return true;
}

static void observe_size(struct api *a, const char *handler, unsigned method, size_t bytes)
{
    static const double bounds[] = {1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
    struct http_size *sz = NULL;

    for (size_t i = 0; i < a->http_sizes.n && sz == NULL; i++)
        if (a->http_sizes.v[i].handler == handler && a->http_sizes.v[i].method == method)
            sz = &a->http_sizes.v[i];
    if (sz == NULL) {
        vec_push(&a->http_sizes, (struct http_size){.handler = handler, .method = method});
        sz = vec_last(&a->http_sizes);
        metric_histogram_init(&sz->bytes, bounds, ARRAY_LEN(bounds));
    }
    metric_histogram_observe(&sz->bytes, (double)bytes);
}

void api_observe(const struct http_req *rq, int status, size_t bytes, dur_ns took, void *arg)
{
    static const double bounds[] = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};
    struct api *a = arg;
    const char *handler = rq->route != NULL ? rq->route->name : "other";
    struct http_stat *st = NULL;

    observe_size(a, handler, rq->method, bytes);
    for (size_t i = 0; i < a->http_stats.n && st == NULL; i++)
        if (a->http_stats.v[i].handler == handler && a->http_stats.v[i].method == rq->method &&
            a->http_stats.v[i].status == status)
            st = &a->http_stats.v[i];
    if (st == NULL) {
        vec_push(&a->http_stats,
                 (struct http_stat){.handler = handler, .method = rq->method, .status = status});
        st = vec_last(&a->http_stats);
        metric_histogram_init(&st->seconds, bounds, ARRAY_LEN(bounds));
    }
    metric_histogram_observe(&st->seconds, (double)took / NS_PER_S);
}

void api_put_duration(struct json_writer *w, const char *key, dur_ns d)
{
    struct buf b = BUF_INIT;

    duration_print(&b, d);
    json_put_text(w, key, buf_str(&b));
    buf_release(&b);
}

void api_put_seconds(struct json_writer *w, const char *key, dur_ns d)
{
    json_key(w, str_of(key));
    json_put_double(w, (double)d / NS_PER_S);
}

/* Whether the client takes JSON where Alertmanager speaks nothing else. */
static bool takes_json(const struct http_req *rq)
{
    static const char *const paths[] = {"status", "receivers", "alerts", "silence"};
    static const char *const types[] = {"*/*", "application/*", "application/json"};
    str accept = http_header_get(&rq->headers, S("Accept"));
    bool is_theirs = false;

    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        is_theirs |= str_starts_with(rq->path, S("/api/v2/")) &&
                     str_starts_with(str_sub(rq->path, 8, rq->path.n), str_of(paths[i]));
    if (!is_theirs || accept.n == 0 || rq->method == HTTP_OPTIONS)
        return true;
    while (accept.n != 0) {
        str range = str_cut(&accept, ','), type = str_trim(str_cut(&range, ';'));

        for (size_t i = 0; i < ARRAY_LEN(types); i++)
            if (str_eq_nocase(type, str_of(types[i])))
                return true;
    }
    return false;
}

/* Whoever has our own instance's name is this instance, or may as well hear that it is not he: no credentials are needed
 * to be sent away. */
static bool api_admit(struct http_req *rq, void *arg)
{
    struct api *a = arg;

    if (rq->route != NULL && rq->route->handle == api_post_alerts && api_is_own_sending(a, rq)) {
        api_refuse(rq, 421, 421, "this is the instance that sends");
        return false;
    }
    return access_admit(a->access, config_of(a->engine->conf), a->web, rq);
}

static bool api_accept(struct http_req *rq, void *arg)
{
    (void)arg;
    if (takes_json(rq))
        return true;
    api_refuse(rq, 406, 406,
               "unsupported media type requested, only [application/json] are available");
    return false;
}

bool api_use_web_config(struct api *a, str path, struct diags *d, struct err *e)
{
    a->web = web_new(path, a->server, shell_clock(a->conf.shell), a->conf.pool, &a->refusals, d, e);
    return a->web != NULL;
}

struct api *api_new(const struct api_conf *conf)
{
    struct api *a = mem_new(struct api);
    struct http_server_conf sc = {.bodies = conf->budgets != NULL ? &conf->budgets->bodies : NULL,
                                  .routes = routes,
                                  .arg = a,
                                  .prefix = conf->prefix,
                                  .lenient = S("/api/v2/"),
                                  .max_body = conf->max_body != 0 ? conf->max_body : 64 << 20,
                                  .max_connections = conf->max_connections,
                                  .max_gets = conf->max_gets,
                                  .answer_timeout = conf->answer_timeout,
                                  .admit = api_admit,
                                  .accept = api_accept,
                                  .unrouted = api_unrouted,
                                  .observe = api_observe};

    a->conf = *conf;
    a->conf.storage = mem_str_dup(conf->storage);
    a->engine = shell_engine(conf->shell);
    a->laters = (struct http_laters){.pool = conf->pool, .clock = shell_clock(conf->shell)};
    a->started = shell_clock(conf->shell)->now.wall;
    a->board = board_new(conf->shell, api_life(a), conf->max_connections / 2);
    a->access = access_new(&a->refusals);
    a->reload_ok = true;
    a->reload_at = a->started;
    a->server = http_server_new(loop_base(conf->loop), shell_clock(conf->shell), &sc);
    return a;
}

void api_drain(struct api *a)
{
    board_close(a->board);
    http_server_drain(a->server);
    if (a->bridge != NULL)
        http_server_drain(a->bridge);
}

size_t api_open(const struct api *a)
{
    return http_server_open(a->server) + (a->bridge != NULL ? http_server_open(a->bridge) : 0);
}

void api_stop(struct api *a)
{
    http_server_close(a->server);
    if (a->bridge != NULL)
        http_server_close(a->bridge);
    api_stop_trials(a);
    api_stop_explaining(a);
    prom_stop_asking(a);
    http_laters_stop(&a->laters);
}

void api_free(struct api *a)
{
    if (a == NULL)
        return;
    http_server_free(a->server);
    board_free(a->board);
    api_close_bridge(a);
    web_free(a->web);
    access_free(a->access);
    VEC_EACH (struct http_stat *, st, &a->http_stats)
        metric_histogram_release(&st->seconds);
    vec_release(&a->http_stats);
    VEC_EACH (struct http_size *, sz, &a->http_sizes)
        metric_histogram_release(&sz->bytes);
    vec_release(&a->http_sizes);
    vec_release(&a->twice);
    mem_str_free(a->conf.storage);
    mem_free(a);
}

struct http_server *api_server(struct api *a)
{
    return a->server;
}

void api_note_reload(struct api *a, bool ok, ts_ns at)
{
    a->reload_ok = ok;
    if (ok)
        a->reload_at = at;
    else
        a->reload_failed_at = at;
}
