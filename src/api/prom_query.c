/* /api/v1/query, query_range, format_query, parse_query, and the life of jobs. */
#include "api/prom_job.h"

#include <time.h>
#include "promql/result_json.h"
#include "tsdb/tsdb.h"

enum { POINTS_MAX = 11000, TIMEOUT_MAX_MS = 120000 };

static int64_t monotonic_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* -- a job's life -- */

struct query_job *prom_job_new(struct api *a, struct http_req *rq,
                               void (*work)(struct query_job *q))
{
    struct query_job *q = mem_new(struct query_job);

    q->api = a;
    q->rq = rq;
    q->work = work;
    q->content_type = S("application/json");
    q->began = clock_mono(shell_clock(a->conf.shell));
    arena_init(&q->arena, 0);
    return q;
}

void prom_job_free(struct query_job *q)
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

    q->running = clock_mono(shell_clock(q->api->conf.shell));
    if (!atomic_load(&q->gone))
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
    prom_job_free(q);
}

static void on_gone(struct http_req *rq, void *ctx)
{
    struct query_job *q = ctx;

    (void)rq;
    q->rq = NULL;
    atomic_store(&q->gone, true);
}

void prom_job_start(struct query_job *q)
{
    q->queued = clock_mono(shell_clock(q->api->conf.shell));
    q->rq->ctx = q;
    q->rq->on_gone = on_gone;
    q->rq->ends_with_client = true;
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

static void put_seconds(struct json_writer *w, const char *key, dur_ns d)
{
    json_key(w, str_of(key));
    json_put_double(w, (double)d / NS_PER_S);
}

/* As Prometheus' stats; that results are sorted is part of the evaluation here. */
static void put_stats(const struct query_job *q, struct json_writer *w,
                      const struct promql_stats *st)
{
    dur_ns took = clock_mono(shell_clock(q->api->conf.shell)) - q->running;

    json_key(w, S("stats"));
    json_open(w, '{');
    json_key(w, S("timings"));
    json_open(w, '{');
    put_seconds(w, "evalTotalTime", took);
    put_seconds(w, "resultSortTime", 0);
    put_seconds(w, "queryPreparationTime", q->queued - q->began);
    put_seconds(w, "innerEvalTime", took);
    put_seconds(w, "execQueueTime", q->running - q->queued);
    put_seconds(w, "execTotalTime", took + (q->running - q->began));
    json_close(w, '}');
    json_key(w, S("samples"));
    json_open(w, '{');
    if (q->counts_steps) {
        json_key(w, S("totalQueryableSamplesPerStep"));
        json_open(w, '[');
        for (size_t i = 0; i < st->n_steps; i++) {
            json_open(w, '[');
            json_put_double(w, (double)(q->start + (ts_ms)i * q->step) / 1000);
            json_put_u64(w, st->steps[i]);
            json_close(w, ']');
        }
        json_close(w, ']');
    }
    json_key(w, S("totalQueryableSamples"));
    json_put_u64(w, st->read);
    json_key(w, S("peakSamples"));
    json_put_u64(w, st->peak);
    json_close(w, '}');
    json_close(w, '}');
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
    json_open(&w, '{');
    promql_result_members(&w, r, q->start);
    if (q->has_stats)
        put_stats(q, &w, &r->stats);
    json_close(&w, '}');
    put_notes(&w, "warnings", r->warnings, r->n_warnings);
    put_notes(&w, "infos", r->infos, r->n_infos);
    json_close(&w, '}');
}

static void evaluate(struct query_job *q)
{
    const struct budgets *budgets = q->api->conf.budgets;
    struct promql_settings settings = {.lookback = q->lookback,
                                       .max_bytes = budgets != NULL ? budgets->query : 0,
                                       .counts_steps = q->counts_steps,
                                       .ask = ask,
                                       .ask_arg = q};
    struct promql_query query = {.expr = q->expr,
                                 .text = q->text,
                                 .storage = tsdb_storage(store_db(q->api->conf.store)),
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

bool prom_job_limits(struct http_req *rq, struct query_job *q, const struct prom_params *p)
{
    str timeout = prom_param(p, "timeout"), lookback = prom_param(p, "lookback_delta"),
        limit = prom_param(p, "limit"), stats = prom_param(p, "stats");
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
    q->has_stats = stats.n != 0;
    q->counts_steps = str_is(stats, "all");
    q->deadline_ms = monotonic_ms() + (ms < TIMEOUT_MAX_MS ? ms : TIMEOUT_MAX_MS);
    return true;
}

bool prom_job_time(struct http_req *rq, const struct prom_params *p, const char *name,
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

ts_ms prom_now_ms(const struct api *a)
{
    return shell_clock(a->conf.shell)->now.wall / NS_PER_MS;
}

void prom_query(struct http_req *rq, void *arg)
{
    struct query_job *q = prom_job_new(arg, rq, evaluate);
    struct prom_params p = prom_params(rq);

    if (!prom_job_time(rq, &p, "time", prom_now_ms(arg), &q->start) ||
        !prom_job_limits(rq, q, &p) || !parse_query(rq, q, &p)) {
        prom_job_free(q);
        return;
    }
    prom_job_start(q);
}

static bool parse_range(struct http_req *rq, struct query_job *q, const struct prom_params *p)
{
    str step = prom_param(p, "step");
    ts_ms span;

    if (prom_param(p, "start").n == 0 || prom_param(p, "end").n == 0) {
        const char *missing = prom_param(p, "start").n == 0 ? "start" : "end";

        prom_fail(rq, PROM_BAD_DATA,
                  "invalid parameter \"%s\": cannot parse \"\" to a valid timestamp", missing);
        return false;
    }
    if (!prom_job_time(rq, p, "start", 0, &q->start) || !prom_job_time(rq, p, "end", 0, &q->end))
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
    if (__builtin_sub_overflow(q->end, q->start, &span) || span / q->step > POINTS_MAX) {
        prom_fail(rq, PROM_BAD_DATA,
                  "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the "
                  "query resolution (?step=XX)");
        return false;
    }
    return true;
}

void prom_query_range(struct http_req *rq, void *arg)
{
    struct query_job *q = prom_job_new(arg, rq, evaluate);
    struct prom_params p = prom_params(rq);

    if (!parse_range(rq, q, &p) || !prom_job_limits(rq, q, &p) || !parse_query(rq, q, &p)) {
        prom_job_free(q);
        return;
    }
    if (q->expr->type != PROMQL_T_SCALAR && q->expr->type != PROMQL_T_VECTOR) {
        prom_fail(rq, PROM_BAD_DATA,
                  "invalid parameter \"query\": invalid expression type \"%s\" for range query, "
                  "must be Scalar or instant Vector",
                  promql_type_text(q->expr->type));
        prom_job_free(q);
        return;
    }
    prom_job_start(q);
}

void prom_format_query(struct http_req *rq, void *arg)
{
    struct query_job *q = prom_job_new(arg, rq, NULL);
    struct prom_params p = prom_params(rq);
    struct buf text = BUF_INIT, json = BUF_INIT;

    if (parse_query(rq, q, &p)) {
        promql_print(&text, q->expr);
        quote_json(&json, buf_str(&text), false);
        prom_answer(rq, buf_str(&json));
    }
    buf_release(&text);
    buf_release(&json);
    prom_job_free(q);
}

void prom_parse_query(struct http_req *rq, void *arg)
{
    struct query_job *q = prom_job_new(arg, rq, NULL);
    struct prom_params p = prom_params(rq);
    struct buf json = BUF_INIT;
    struct json_writer w;

    if (parse_query(rq, q, &p)) {
        json_writer_init(&w, &json, false);
        prom_put_expr(&w, q->expr);
        prom_answer(rq, buf_str(&json));
    }
    buf_release(&json);
    prom_job_free(q);
}
