/* What there is: who is told, what is scraped, what is stored, what can be asked. What we do not have is empty. */
#include "api/prom_job.h"

#include <stdlib.h>
#include "promql/functions.h"
#include "tsdb/tsdb.h"

/* -- /api/v1/alertmanagers -- */

static void prom_status_put_url(struct json_writer *w, str url)
{
    json_open(w, '{');
    json_key(w, S("url"));
    json_put_str(w, url);
    json_close(w, '}');
}

/* A target that turned out to be this instance is sent nothing, as one that relabeling drops. */
static void put_queues(const struct forward *f, struct json_writer *w, bool own)
{
    VEC_EACH (struct forward_queue *const *, q, &f->queues)
        if (forward_queue_is_own(*q) == own)
            prom_status_put_url(w, forward_queue_url(*q));
}

void prom_alertmanagers(struct http_req *rq, void *arg)
{
    const struct api *a = arg;
    const struct forward *f = a->conf.forward;
    struct buf b = BUF_INIT;
    struct json_writer w;

    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    json_key(&w, S("activeAlertmanagers"));
    json_open(&w, '[');
    if (f != NULL)
        put_queues(f, &w, false);
    json_close(&w, ']');
    json_key(&w, S("droppedAlertmanagers"));
    json_open(&w, '[');
    if (f != NULL) {
        put_queues(f, &w, true);
        VEC_EACH (const str *, url, &f->dropped)
            prom_status_put_url(&w, *url);
    }
    json_close(&w, ']');
    json_close(&w, '}');
    prom_answer(rq, buf_str(&b));
    buf_release(&b);
}

/* -- /api/v1/scrape_pools -- */

void prom_scrape_pools(struct http_req *rq, void *arg)
{
    const struct api *a = arg;
    const struct scraper *s = store_scraper(a->conf.store);
    size_t n = scraper_jobs(s);
    str *v = arena_array(&rq->arena, n + 1, sizeof(*v));
    struct buf b = BUF_INIT;
    struct json_writer w;

    for (size_t i = 0; i < n; i++)
        v[i] = scraper_job_stats(s, i).name;
    qsort(v, n, sizeof(*v), str_order);
    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    json_key(&w, S("scrapePools"));
    json_open(&w, '[');
    for (size_t i = 0; i < n; i++)
        json_put_str(&w, v[i]);
    json_close(&w, ']');
    json_close(&w, '}');
    prom_answer(rq, buf_str(&b));
    buf_release(&b);
}

/* -- /api/v1/notifications -- */

/* Prometheus has one that can be here, too: the configuration that runs is not the one that was to be loaded. */
void prom_notifications(struct http_req *rq, void *arg)
{
    const struct api *a = arg;
    struct buf b = BUF_INIT;
    struct json_writer w;

    json_writer_init(&w, &b, false);
    json_open(&w, '[');
    if (!a->reload_ok) {
        json_open(&w, '{');
        json_key(&w, S("text"));
        json_put_str(&w, S("Configuration reload has failed."));
        json_key(&w, S("date"));
        json_put_rfc3339_ms(&w, a->reload_failed_at);
        json_key(&w, S("active"));
        json_put_bool(&w, true);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    prom_answer(rq, buf_str(&b));
    buf_release(&b);
}

/* -- /api/v1/features -- */

static void put_feature(struct json_writer *w, const char *name)
{
    json_key(w, str_of(name));
    json_put_bool(w, true);
}

void prom_features(struct http_req *rq, void *arg)
{
    static const char *const kinds[] = {"dns", "file", "http", "static"};
    struct buf b = BUF_INIT;
    struct json_writer w;
    size_t n;
    const struct promql_function *f = promql_functions(&n);

    (void)arg;
    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    json_key(&w, S("promql_functions"));
    json_open(&w, '{');
    for (size_t i = 0; i < n; i++)
        put_feature(&w, f[i].name);
    json_close(&w, '}');
    json_key(&w, S("promql_operators"));
    json_open(&w, '{');
    for (unsigned i = 0; i < PROMQL_OPS; i++)
        put_feature(&w, promql_op_info((enum promql_op)i)->text);
    for (unsigned i = 0; i < PROMQL_AGGS; i++)
        put_feature(&w, promql_agg_info((enum promql_agg)i)->name);
    json_close(&w, '}');
    json_key(&w, S("service_discovery_providers"));
    json_open(&w, '{');
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        put_feature(&w, kinds[i]);
    json_close(&w, '}');
    json_close(&w, '}');
    prom_answer(rq, buf_str(&b));
    buf_release(&b);
}

/* -- /api/v1/status/tsdb -- */

struct counted {
    str name;
    uint64_t count;
};

/* What all series are made of; pairs are keyed "name=value". */
struct contents {
    struct str_map metrics, pairs, values, bytes;
    size_t series;
    ts_ms first, last;
};

static bool count_one(struct query_job *q, struct str_map *m, str key, uint64_t n)
{
    void **at = str_map_get(m, key);
    bool is_new;

    if (at == NULL)
        at = str_map_add(m, arena_str(&q->later.arena, key), NULL, &is_new);
    is_new = *at == NULL;
    *at = (void *)((uintptr_t)*at + n);
    return is_new;
}

/* What a text costs in each series there since 3.0: its bytes and those of its length. */
static size_t stored_size(str s)
{
    return s.n + (s.n < 255 ? 1 : 4);
}

static void see_contents(struct query_job *q, void *to, struct labels ls, uint32_t id)
{
    struct contents *c = to;
    struct storage_series s;
    struct buf pair = BUF_INIT;

    storage_read(tsdb_storage(store_db(q->api->conf.store)), &id, 1, &s);
    c->series++;
    if (s.n != 0 && s.times[0] < c->first)
        c->first = s.times[0];
    if (s.n != 0 && s.times[s.n - 1] > c->last)
        c->last = s.times[s.n - 1];
    LABELS_EACH (l, ls) {
        if (str_is(l->name, "__name__"))
            count_one(q, &c->metrics, l->value, 1);
        buf_clear(&pair);
        buf_addf(&pair, "%.*s=%.*s", STR(l->name), STR(l->value));
        if (count_one(q, &c->pairs, buf_str(&pair), 1))
            count_one(q, &c->values, l->name, 1);
        count_one(q, &c->bytes, l->name, stored_size(l->name) + stored_size(l->value));
    }
    buf_release(&pair);
}

static int by_count(const void *a, const void *b)
{
    const struct counted *x = a, *y = b;

    return x->count != y->count ? (x->count > y->count ? -1 : 1) : str_cmp(x->name, y->name);
}

static void put_top(struct query_job *q, struct json_writer *w, const char *key,
                    const struct str_map *m)
{
    struct counted *v = mem_array(m->n + 1, sizeof(*v));
    size_t n = 0;

    MAP_EACH (const struct str_map_entry, e, m)
        v[n++] = (struct counted){e->key, (uintptr_t)e->value};
    qsort(v, n, sizeof(*v), by_count);
    json_key(w, str_of(key));
    json_open(w, '[');
    for (size_t i = 0; i < n && i < q->limit; i++) {
        json_open(w, '{');
        json_key(w, S("name"));
        json_put_str(w, v[i].name);
        json_key(w, S("value"));
        json_put_u64(w, v[i].count);
        json_close(w, '}');
    }
    json_close(w, ']');
    mem_free(v);
}

static void prom_status_put_number(struct json_writer *w, const char *key, int64_t v)
{
    json_key(w, str_of(key));
    json_put_i64(w, v);
}

/* There are no chunks here: their number is 0. */
static void tsdb_contents(struct query_job *q)
{
    struct contents c = {.first = INT64_MAX, .last = INT64_MIN};
    struct json_writer w;

    if (prom_job_walk(q, &c, see_contents, NULL)) {
        buf_adds(&q->body, "{\"status\":\"success\",\"data\":");
        json_writer_init(&w, &q->body, false);
        json_open(&w, '{');
        json_key(&w, S("headStats"));
        json_open(&w, '{');
        prom_status_put_number(&w, "numSeries", (int64_t)c.series);
        prom_status_put_number(&w, "numLabelPairs", (int64_t)c.pairs.n);
        prom_status_put_number(&w, "chunkCount", 0);
        prom_status_put_number(&w, "minTime", c.first);
        prom_status_put_number(&w, "maxTime", c.last);
        json_close(&w, '}');
        put_top(q, &w, "seriesCountByMetricName", &c.metrics);
        put_top(q, &w, "labelValueCountByLabelName", &c.values);
        put_top(q, &w, "memoryInBytesByLabelName", &c.bytes);
        put_top(q, &w, "seriesCountByLabelValuePair", &c.pairs);
        json_close(&w, '}');
        buf_addc(&q->body, '}');
    }
    str_map_release(&c.metrics);
    str_map_release(&c.pairs);
    str_map_release(&c.values);
    str_map_release(&c.bytes);
}

void prom_tsdb_status(struct http_req *rq, void *arg)
{
    struct query_job *q = prom_job_new(arg, tsdb_contents);
    struct prom_params p = prom_params(rq);
    str limit = prom_param(&p, "limit");
    uint64_t n = 10;

    if (limit.n != 0 && (!str_to_u64(limit, &n) || n == 0)) {
        prom_fail(rq, PROM_BAD_DATA, "limit must be a positive number");
        prom_job_free(q);
        return;
    }
    q->limit = n;
    q->start = INT64_MIN;
    q->end = INT64_MAX;
    prom_job_match_all(q);
    prom_job_start(q, rq);
}

/* -- /api/tocsin/history -- */

static void put_time_ms(struct json_writer *w, const char *key, ts_ms t)
{
    json_key(w, str_of(key));
    if (t == 0)
        json_put_null(w);
    else
        json_put_rfc3339_ms(w, t * NS_PER_MS);
}

void prom_history_status(struct http_req *rq, void *arg)
{
    const struct api *a = arg;
    const struct history_figures *f = store_history_figures(a->conf.store);
    const struct storage_conf *c = &config_of(a->engine->conf)->storage;
    struct buf b = BUF_INIT;
    struct json_writer w;

    json_writer_init(&w, &b, true);
    json_open(&w, '{');
    json_put_text(&w, "state", str_of(history_state_names[f->state]));
    json_put_text(&w, "what", c->history.what);
    prom_status_put_number(&w, "files", (int64_t)f->files);
    prom_status_put_number(&w, "bytes", (int64_t)f->bytes);
    put_time_ms(&w, "oldest", f->oldest);
    put_time_ms(&w, "newest", f->newest);
    prom_status_put_number(&w, "failures", (int64_t)f->failures);
    prom_status_put_number(&w, "damaged", (int64_t)f->damaged);
    json_put_text(&w, "lastDamage", str_of(f->why));
    json_close(&w, '}');
    buf_addc(&b, '\n');
    api_headers(rq);
    http_reply(rq, 200, S("application/json"), buf_str(&b));
    buf_release(&b);
}
