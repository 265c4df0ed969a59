/* /api/v1/query, query_range, series, labels, label/NAME/values: jobs for a worker. A job owns all that it needs; when
 * the client has gone it notices at the next question of the evaluator, and its result is thrown away. */
#include "api/prom.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include "codec/float.h"
#include "promql/result_json.h"
#include "tsdb/tsdb.h"

enum { POINTS_MAX = 11000, TIMEOUT_MAX_MS = 120000, RESULT_MAX = 512 << 20 };

struct query_job {
    struct job job;
    struct api *api;
    struct http_req *rq; /* NULL when the client has gone */
    atomic_bool gone;
    struct arena arena;
    void (*work)(struct query_job *q);

    str text; /* of a query */
    struct promql_expr *expr;
    ts_ms start, end, step; /* step 0: an instant */
    ts_ms lookback;
    int64_t deadline_ms; /* monotonic */

    struct matchers *matches; /* of series, labels: any of them */
    size_t n_matches;
    str name;               /* of label values; empty: the names */
    size_t limit;           /* 0 = none */
    struct labels external; /* of /federate */
    str content_type;

    struct buf body;
    bool failed;
    enum prom_error error;
    struct err err;
};

static int64_t monotonic_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* -- a job's life -- */

static struct query_job *job_new(struct api *a, struct http_req *rq,
                                 void (*work)(struct query_job *q))
{
    struct query_job *q = mem_new(struct query_job);

    q->api = a;
    q->rq = rq;
    q->work = work;
    q->content_type = S("application/json");
    arena_init(&q->arena, 0);
    return q;
}

static void job_free(struct query_job *q)
{
    for (size_t i = 0; i < q->n_matches; i++)
        matchers_release(&q->matches[i]);
    promql_release(q->expr);
    buf_release(&q->body);
    arena_release(&q->arena);
    mem_free(q);
}

static void work(struct job *j)
{
    struct query_job *q = container_of(j, struct query_job, job);

    q->work(q);
}

static void answer(struct query_job *q)
{
    api_headers(q->rq);
    http_reply(q->rq, 200, q->content_type, buf_str(&q->body));
}

static void done(struct job *j)
{
    struct query_job *q = container_of(j, struct query_job, job);

    if (q->rq != NULL) {
        q->rq->on_gone = NULL;
        if (q->failed)
            prom_fail(q->rq, q->error, "%s", q->err.msg);
        else
            answer(q);
    }
    job_free(q);
}

static void on_gone(struct http_req *rq, void *ctx)
{
    struct query_job *q = ctx;

    (void)rq;
    q->rq = NULL;
    atomic_store(&q->gone, true);
}

static void job_start(struct query_job *q)
{
    q->rq->ctx = q;
    q->rq->on_gone = on_gone;
    q->job.run = work;
    q->job.done = done;
    pool_run(q->api->conf.pool, &q->job);
}

/* -- query -- */

static enum promql_go ask(void *arg)
{
    struct query_job *q = arg;

    if (atomic_load(&q->gone))
        return PROMQL_CANCELED;
    return monotonic_ms() > q->deadline_ms ? PROMQL_TIMED_OUT : PROMQL_GO_ON;
}

static void put_notes(struct json_writer *w, const char *key, const str *v, size_t n)
{
    if (n == 0)
        return;
    json_key(w, str_of(key));
    json_open(w, '[');
    for (size_t i = 0; i < n && i < 10; i++)
        json_put_str(w, v[i]);
    json_close(w, ']');
}

static void put_result(struct query_job *q, struct promql_result *r)
{
    struct json_writer w;

    if (q->limit != 0 && r->n > q->limit)
        r->n = q->limit;
    json_writer_init(&w, &q->body, false);
    json_open(&w, '{');
    json_key(&w, S("status"));
    json_put_str(&w, S("success"));
    json_key(&w, S("data"));
    promql_result_json(&w, r, q->start);
    put_notes(&w, "warnings", r->warnings, r->n_warnings);
    put_notes(&w, "infos", r->infos, r->n_infos);
    json_close(&w, '}');
}

static void evaluate(struct query_job *q)
{
    struct promql_settings settings = {
        .lookback = q->lookback, .max_bytes = RESULT_MAX, .ask = ask, .ask_arg = q};
    struct promql_query query = {.expr = q->expr,
                                 .text = q->text,
                                 .storage = tsdb_storage(q->api->engine->db),
                                 .settings = &settings};
    struct promql_result r;
    bool ok = q->step == 0
                  ? promql_instant(&query, q->start, &q->arena, &r, &q->err)
                  : promql_range(&query, q->start, q->end, q->step, &q->arena, &r, &q->err);

    if (ok) {
        put_result(q, &r);
        return;
    }
    q->failed = true;
    q->error = q->err.code == ERR_TIMEOUT    ? PROM_TIMEOUT
               : q->err.code == ERR_CONFLICT ? PROM_CANCELED
                                             : PROM_EXECUTION;
}

/* False: it has answered. */
static bool parse_query(struct http_req *rq, struct query_job *q, const struct prom_params *p)
{
    struct err e = ERR_INIT;
    struct buf why = BUF_INIT;

    q->text = arena_str(&q->arena, prom_param(p, "query"));
    q->expr = promql_parse(q->text, &promql_everything, &q->arena, NULL, &e);
    if (q->expr != NULL)
        return true;
    promql_error_text(&why, &e);
    prom_fail(rq, PROM_BAD_DATA, "invalid parameter \"query\": %.*s", STR(buf_str(&why)));
    buf_release(&why);
    return false;
}

static bool parse_limits(struct http_req *rq, struct query_job *q, const struct prom_params *p)
{
    str timeout = prom_param(p, "timeout"), lookback = prom_param(p, "lookback_delta"),
        limit = prom_param(p, "limit");
    ts_ms ms = TIMEOUT_MAX_MS;
    uint64_t n = 0;

    if (timeout.n != 0 && (!prom_duration(timeout, &ms) || ms <= 0)) {
        prom_fail(rq, PROM_BAD_DATA,
                  "invalid parameter \"timeout\": cannot parse \"%.*s\" to a valid duration",
                  STR(timeout));
        return false;
    }
    if (lookback.n != 0 && (!prom_duration(lookback, &q->lookback) || q->lookback <= 0)) {
        prom_fail(
            rq, PROM_BAD_DATA,
            "error parsing lookback delta duration: cannot parse \"%.*s\" to a valid duration",
            STR(lookback));
        return false;
    }
    if (limit.n != 0 && !str_to_u64(limit, &n)) {
        prom_fail(rq, PROM_BAD_DATA, "invalid parameter \"limit\": \"%.*s\" is not a number",
                  STR(limit));
        return false;
    }
    q->limit = (size_t)n;
    q->deadline_ms = monotonic_ms() + (ms < TIMEOUT_MAX_MS ? ms : TIMEOUT_MAX_MS);
    return true;
}

static bool parse_time(struct http_req *rq, const struct prom_params *p, const char *name,
                       ts_ms otherwise, ts_ms *out)
{
    str text = prom_param(p, name);

    *out = otherwise;
    if (text.n == 0 || prom_time(text, out))
        return true;
    prom_fail(rq, PROM_BAD_DATA,
              "invalid parameter \"%s\": cannot parse \"%.*s\" to a valid timestamp", name,
              STR(text));
    return false;
}

static ts_ms now_ms(const struct api *a)
{
    return shell_clock(a->conf.shell)->now.wall / NS_PER_MS;
}

void prom_query(struct http_req *rq, void *arg)
{
    struct query_job *q = job_new(arg, rq, evaluate);
    struct prom_params p = prom_params(rq);

    if (!parse_time(rq, &p, "time", now_ms(arg), &q->start) || !parse_limits(rq, q, &p) ||
        !parse_query(rq, q, &p)) {
        job_free(q);
        return;
    }
    job_start(q);
}

static bool parse_range(struct http_req *rq, struct query_job *q, const struct prom_params *p)
{
    str step = prom_param(p, "step");

    if (prom_param(p, "start").n == 0 || prom_param(p, "end").n == 0) {
        const char *missing = prom_param(p, "start").n == 0 ? "start" : "end";

        prom_fail(rq, PROM_BAD_DATA,
                  "invalid parameter \"%s\": cannot parse \"\" to a valid timestamp", missing);
        return false;
    }
    if (!parse_time(rq, p, "start", 0, &q->start) || !parse_time(rq, p, "end", 0, &q->end))
        return false;
    if (q->end < q->start) {
        prom_fail(rq, PROM_BAD_DATA,
                  "invalid parameter \"end\": end timestamp must not be before start time");
        return false;
    }
    if (!prom_duration(step, &q->step)) {
        prom_fail(rq, PROM_BAD_DATA,
                  "invalid parameter \"step\": cannot parse \"%.*s\" to a valid duration",
                  STR(step));
        return false;
    }
    if (q->step <= 0) {
        prom_fail(rq, PROM_BAD_DATA,
                  "invalid parameter \"step\": zero or negative query resolution step widths are "
                  "not accepted. Try a positive integer");
        return false;
    }
    if ((q->end - q->start) / q->step > POINTS_MAX) {
        prom_fail(rq, PROM_BAD_DATA,
                  "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the "
                  "query resolution (?step=XX)");
        return false;
    }
    return true;
}

void prom_query_range(struct http_req *rq, void *arg)
{
    struct query_job *q = job_new(arg, rq, evaluate);
    struct prom_params p = prom_params(rq);

    if (!parse_range(rq, q, &p) || !parse_limits(rq, q, &p) || !parse_query(rq, q, &p)) {
        job_free(q);
        return;
    }
    if (q->expr->type != PROMQL_T_SCALAR && q->expr->type != PROMQL_T_VECTOR) {
        prom_fail(rq, PROM_BAD_DATA,
                  "invalid parameter \"query\": invalid expression type \"%s\" for range query, "
                  "must be Scalar or instant Vector",
                  promql_type_text(q->expr->type));
        job_free(q);
        return;
    }
    job_start(q);
}

void prom_format_query(struct http_req *rq, void *arg)
{
    struct query_job *q = job_new(arg, rq, NULL);
    struct prom_params p = prom_params(rq);
    struct buf text = BUF_INIT, json = BUF_INIT;

    if (parse_query(rq, q, &p)) {
        promql_print(&text, q->expr);
        quote_json(&json, buf_str(&text), false);
        prom_answer(rq, buf_str(&json));
    }
    buf_release(&text);
    buf_release(&json);
    job_free(q);
}

void prom_parse_query(struct http_req *rq, void *arg)
{
    struct query_job *q = job_new(arg, rq, NULL);
    struct prom_params p = prom_params(rq);
    struct buf json = BUF_INIT;
    struct json_writer w;

    if (parse_query(rq, q, &p)) {
        json_writer_init(&w, &json, false);
        prom_put_expr(&w, q->expr);
        prom_answer(rq, buf_str(&json));
    }
    buf_release(&json);
    job_free(q);
}

/* -- what there is: series, label names, label values -- */

/* match[] are series selectors. Without one, when that is allowed, everything matches. */
static bool parse_matches(struct http_req *rq, struct query_job *q, const struct prom_params *p,
                          bool is_required)
{
    struct err e = ERR_INIT;
    str *texts;
    size_t n = prom_param_list(p, "match[]", &q->arena, &texts);

    if (n == 0 && is_required) {
        prom_fail(rq, PROM_BAD_DATA, "no match[] parameter provided");
        return false;
    }
    q->matches = arena_array(&q->arena, n + 1, sizeof(*q->matches));
    for (size_t i = 0; i < n; i++) {
        struct promql_expr *x =
            promql_parse(arena_str(&q->arena, texts[i]), &promql_everything, &q->arena, NULL, &e);

        if (x == NULL || x->kind != PROMQL_SELECTOR) {
            prom_fail(rq, PROM_BAD_DATA, "invalid parameter \"match[]\": %s",
                      x != NULL ? "a series selector is wanted" : e.msg);
            promql_release(x);
            return false;
        }
        q->matches[q->n_matches++] = matchers_copy(&q->arena, &x->selector.matchers);
        promql_release(x);
    }
    if (n == 0) {
        struct matcher *any = arena_new(&q->arena, struct matcher);

        if (!matcher_init(any, MATCH_NE, S("__name__"), STR_NONE, &e))
            return false;
        q->matches[q->n_matches++] = (struct matchers){any, 1};
    }
    return true;
}

struct found {
    str *v;
    size_t n, cap;
};

static int by_str(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

/* A series as it is listed: as JSON, a text that can be compared. */
static void see_series(struct query_job *q, struct found *f, struct labels ls, uint32_t id)
{
    struct buf b = BUF_INIT;
    struct json_writer w;

    (void)id;
    json_writer_init(&w, &b, false);
    prom_put_labels(&w, ls);
    vec_push(f, arena_str(&q->arena, buf_str(&b)));
    buf_release(&b);
}

static void see_labels(struct query_job *q, struct found *f, struct labels ls, uint32_t id)
{
    (void)id;
    LABELS_EACH (l, ls) {
        if (q->name.n == 0)
            vec_push(f, arena_str(&q->arena, l->name));
        else if (str_eq(l->name, q->name))
            vec_push(f, arena_str(&q->arena, l->value));
    }
}

static void unique(struct found *f)
{
    size_t k = 0;

    if (f->n > 1)
        qsort(f->v, f->n, sizeof(*f->v), by_str);
    for (size_t i = 0; i < f->n; i++)
        if (k == 0 || !str_eq(f->v[k - 1], f->v[i]))
            f->v[k++] = f->v[i];
    f->n = k;
}

static bool walk(struct query_job *q, struct found *f,
                 void (*see)(struct query_job *q, struct found *f, struct labels ls, uint32_t id))
{
    struct storage s = tsdb_storage(q->api->engine->db);
    struct arena scratch;

    arena_init(&scratch, 0);
    for (size_t i = 0; i < q->n_matches; i++) {
        struct storage_selector *sel = storage_select(s, &q->matches[i], 0, &q->err);
        struct storage_ids ids;

        if (sel == NULL)
            break;
        storage_begin(s);
        ids = storage_ids(s, sel);
        for (size_t j = 0; j < ids.n && !atomic_load(&q->gone); j++) {
            see(q, f, storage_labels(s, ids.v[j], &scratch), ids.v[j]);
            arena_reset(&scratch);
        }
        storage_end(s);
        storage_release(s, sel);
        unique(f);
    }
    arena_release(&scratch);
    q->failed = q->err.code != ERR_NONE;
    q->error = PROM_EXECUTION;
    return !q->failed;
}

static void list(struct query_job *q, bool is_raw)
{
    struct found f = {NULL, 0, 0};
    struct json_writer w;

    if (walk(q, &f, is_raw ? see_series : see_labels)) {
        json_writer_init(&w, &q->body, false);
        json_open(&w, '{');
        json_key(&w, S("status"));
        json_put_str(&w, S("success"));
        json_key(&w, S("data"));
        json_open(&w, '[');
        for (size_t i = 0; i < f.n && (q->limit == 0 || i < q->limit); i++) {
            if (is_raw)
                json_put_raw(&w, f.v[i]);
            else
                json_put_str(&w, f.v[i]);
        }
        json_close(&w, ']');
        json_close(&w, '}');
    }
    vec_release(&f);
}

static void list_series(struct query_job *q)
{
    list(q, true);
}

static void list_labels(struct query_job *q)
{
    list(q, false);
}

static void start_list(struct api *a, struct http_req *rq, void (*what)(struct query_job *q),
                       str name, bool needs_match)
{
    struct query_job *q = job_new(a, rq, what);
    struct prom_params p = prom_params(rq);
    ts_ms ignored; /* what the store has is recent anyway */

    q->name = arena_str(&q->arena, name);
    if (!parse_time(rq, &p, "start", 0, &ignored) || !parse_time(rq, &p, "end", 0, &ignored) ||
        !parse_limits(rq, q, &p) || !parse_matches(rq, q, &p, needs_match)) {
        job_free(q);
        return;
    }
    job_start(q);
}

void prom_series(struct http_req *rq, void *arg)
{
    start_list(arg, rq, list_series, STR_NONE, true);
}

void prom_labels(struct http_req *rq, void *arg)
{
    start_list(arg, rq, list_labels, STR_NONE, false);
}

void prom_label_values(struct http_req *rq, void *arg)
{
    str name = rq->wildcard;

    if (!label_name_is_utf8(name)) {
        prom_fail(rq, PROM_BAD_DATA, "invalid label name: \"%.*s\"", STR(name));
        return;
    }
    start_list(arg, rq, list_labels, name, false);
}

/* -- /federate -- */

enum { LOOKBACK_MS = 5 * 60 * 1000 };

/* The newest sample within the lookback; SIZE_MAX: none, or the series has ended. Histograms have no form in this text. */
static size_t newest(const struct storage_series *s, ts_ms now)
{
    size_t i = s->n;

    while (i-- != 0)
        if (s->slots[i] != STORAGE_ABSENT && s->times[i] <= now)
            return s->times[i] > now - LOOKBACK_MS && s->slots[i] != STORAGE_STALE &&
                           !storage_is_histogram(s->slots[i])
                       ? i
                       : SIZE_MAX;
    return SIZE_MAX;
}

/* Opens the braces, too, when it is the first. */
static void put_label(struct buf *b, const struct label *l)
{
    buf_addc(b, b->p[b->n - 1] == '\0' ? '{' : ',');
    if (label_name_is_legacy(l->name))
        buf_add(b, l->name);
    else
        quote_go(b, l->name);
    buf_addc(b, '=');
    quote_go(b, l->value);
}

/* Name, a NUL, and the rest of the line: sorted by that, series of one name stand together. */
static void see_sample(struct query_job *q, struct found *f, struct labels ls, uint32_t id)
{
    struct label instance = {S("instance"), STR_NONE};
    struct storage_series s;
    struct buf b = BUF_INIT;
    double v;
    size_t i;

    storage_read(tsdb_storage(q->api->engine->db), &id, 1, &s);
    i = newest(&s, q->end);
    if (i == SIZE_MAX)
        return;
    memcpy(&v, &s.slots[i], sizeof(v));
    buf_add(&b, labels_get(ls, S("__name__")));
    buf_addc(&b, '\0');
    ls = labels_merge(&q->arena, q->external, ls);
    if (labels_get(ls, S("instance")).n == 0) /* else the scraper would add its own */
        put_label(&b, &instance);
    LABELS_EACH (l, ls)
        if (!str_is(l->name, "__name__"))
            put_label(&b, l);
    buf_adds(&b, "} ");
    float_print_g(&b, v);
    buf_addf(&b, " %lld\n", (long long)s.times[i]);
    vec_push(f, arena_str(&q->arena, buf_str(&b)));
    buf_release(&b);
}

static void federate(struct query_job *q)
{
    struct found f = {NULL, 0, 0};
    str last = STR_NONE;

    if (walk(q, &f, see_sample))
        for (size_t i = 0; i < f.n; i++) {
            str rest = f.v[i], name = str_cut(&rest, '\0');

            if (i == 0 || !str_eq(name, last))
                buf_addf(&q->body, "# TYPE %.*s untyped\n", STR(name));
            buf_add(&q->body, name);
            buf_add(&q->body, rest);
            last = name;
        }
    vec_release(&f);
}

void prom_federate(struct http_req *rq, void *arg)
{
    const struct api *a = arg;
    struct query_job *q = job_new(arg, rq, federate);
    struct prom_params p = prom_params(rq);

    q->content_type = S(EXPO_CONTENT_TYPE_TEXT);
    q->external = labels_copy(&q->arena, a->engine->conf->external_labels);
    q->end = now_ms(a);
    if (!parse_matches(rq, q, &p, true)) {
        job_free(q);
        return;
    }
    job_start(q);
}
