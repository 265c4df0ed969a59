/* /api/v1/query, query_range, format_query, parse_query, and the life of jobs. */
#include "api/prom_job.h"

#include "promql/gather.h"
#include "promql/plan.h"
#include "promql/result_json.h"
#include "tsdb/tsdb.h"

enum { POINTS_MAX = 11000, TIMEOUT_MAX_MS = 120000, GATHER_MAX = 1 << 30 };

/* -- a job's life -- */

static void prom_query_work(struct http_later *l)
{
    struct query_job *q = container_of(l, struct query_job, later);

    q->running = clock_mono(l->of->clock);
    q->work(q);
}

static void prom_query_answer(struct http_later *l)
{
    struct query_job *q = container_of(l, struct query_job, later);

    if (q->failed) {
        prom_fail(l->request, q->error, "%s", q->err.msg);
        return;
    }
    api_headers(l->request);
    http_reply(l->request, 200, q->content_type, buf_str(&q->body));
}

static void prom_query_release(struct http_later *l)
{
    struct query_job *q = container_of(l, struct query_job, later);

    for (size_t i = 0; i < q->n_matches; i++)
        matchers_release(&q->matches[i]);
    prom_kept_free(q);
    promql_release(q->expr);
    buf_release(&q->body);
    mem_free(q);
}

struct query_job *prom_job_new(struct api *a, void (*work_of)(struct query_job *q))
{
    struct query_job *q = mem_new(struct query_job);

    http_later_begin(&q->later, &a->laters, 0);
    q->later.run = prom_query_work;
    q->later.answer = prom_query_answer;
    q->later.free = prom_query_release;
    q->api = a;
    q->work = work_of;
    q->content_type = S("application/json");
    q->began = clock_mono(a->laters.clock);
    q->now = prom_now_ms(a);
    return q;
}

void prom_job_free(struct query_job *q)
{
    http_later_free(&q->later);
}

void prom_job_start(struct query_job *q, struct http_req *rq)
{
    if (!api_has_room(q->api, rq)) {
        prom_fail(rq, PROM_UNAVAILABLE, "%u queries are under way", q->api->conf.max_queries);
        prom_job_free(q);
        return;
    }
    q->queued = clock_mono(q->later.of->clock);
    rq->ends_with_client = true;
    http_later_run(&q->later, rq, WORK_QUERY);
}

/* -- query -- */

/* As long as others wait for the store. */
enum { SHARED_READ_MAX = 4000000, SHARED_MAX_MS = 50 };

static enum promql_go prom_query_ask(void *arg, uint64_t read)
{
    struct query_job *q = arg;
    ts_ns now;

    if (http_later_is_gone(&q->later))
        return PROMQL_CANCELED;
    now = clock_mono(q->later.of->clock);
    if (now > q->later.deadline)
        return PROMQL_TIMED_OUT;
    q->is_large =
        q->is_shared && (read > SHARED_READ_MAX || now - q->running > SHARED_MAX_MS * NS_PER_MS);
    return q->is_large ? PROMQL_TOO_MUCH : PROMQL_GO_ON;
}

static bool prom_query_goes_on(void *arg)
{
    return prom_query_ask(arg, 0) == PROMQL_GO_ON;
}

/* is_cut: limit has left something out. */
static void prom_query_put_notes(struct json_writer *w, const char *key, const str *v, size_t n,
                                 bool is_cut)
{
    if (n == 0 && !is_cut)
        return;
    json_key(w, str_of(key));
    json_open(w, '[');
    for (size_t i = 0; i < n && i < 10; i++)
        json_put_str(w, v[i]);
    if (is_cut)
        json_put_str(w, S("results truncated due to limit"));
    json_close(w, ']');
}

void prom_put_notes(struct json_writer *w, const struct query_job *q, bool is_cut)
{
    prom_query_put_notes(w, "warnings", q->notes.v, q->notes.n, is_cut);
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
    api_put_seconds(w, "evalTotalTime", took);
    api_put_seconds(w, "resultSortTime", 0);
    api_put_seconds(w, "queryPreparationTime", q->queued - q->began);
    api_put_seconds(w, "innerEvalTime", took);
    api_put_seconds(w, "execQueueTime", q->running - q->queued);
    api_put_seconds(w, "execTotalTime", took + (q->running - q->began));
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
    bool is_cut = q->limit != 0 && r->n > q->limit;

    if (is_cut)
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
    for (size_t i = 0; i < r->n_warnings; i++)
        vec_push(&q->notes, r->warnings[i]);
    prom_put_notes(&w, q, is_cut);
    prom_query_put_notes(&w, "infos", r->infos, r->n_infos, false);
    json_close(&w, '}');
}

static bool evaluate_over(struct query_job *q, struct storage storage, struct promql_result *r)
{
    const struct budgets *budgets = q->api->conf.budgets;
    struct promql_settings settings = {.lookback = q->lookback,
                                       .max_bytes = budgets != NULL ? budgets->query : 0,
                                       .counts_steps = q->counts_steps,
                                       .ask = prom_query_ask,
                                       .ask_arg = q};
    struct promql_query query = {
        .expr = q->expr, .text = q->text, .storage = storage, .settings = &settings};

    return q->step == 0 ? promql_instant(&query, q->start, &q->later.arena, r, &q->err)
                        : promql_planned_range(&query, q->start, q->end, q->step, &q->later.arena,
                                               r, &q->err);
}

static size_t gather_most(const struct query_job *q)
{
    const struct budgets *budgets = q->api->conf.budgets;

    return budgets != NULL && budgets->query != 0 ? budgets->query : GATHER_MAX;
}

/* Without the store's lock, on a copy of what it reads. */
static bool evaluate_apart(struct query_job *q, struct storage storage, struct past *past,
                           struct promql_result *r)
{
    size_t most = gather_most(q);
    struct gather *g = gather_new(storage, most, prom_query_goes_on, q);
    bool ok;

    q->err = (struct err)ERR_INIT;
    if (past != NULL)
        gather_past(g, past_storage(past));
    ok = evaluate_over(q, gather_storage(g), r);
    if (past != NULL && past_warning(past).n != 0)
        vec_push(&q->notes, arena_str(&q->later.arena, past_warning(past)));
    if (ok && (!gather_is_whole(g) || (past != NULL && !past_is_whole(past)))) {
        enum promql_go go = prom_query_ask(q, 0);

        ok = go == PROMQL_CANCELED ? err_set(&q->err, ERR_CONFLICT, "query was canceled")
             : go == PROMQL_TIMED_OUT
                 ? err_set(&q->err, ERR_TIMEOUT, "query timed out")
                 : err_set(&q->err, ERR_LIMIT, "query needs more than %zu bytes of memory", most);
    }
    gather_free(g);
    return ok;
}

static void prom_query_evaluate(struct query_job *q)
{
    struct storage storage = tsdb_storage(store_db(q->api->conf.store));
    struct promql_times reads =
        promql_reads(q->expr, q->start, q->step == 0 ? q->start : q->end, q->lookback);
    struct past *past =
        store_past(q->api->conf.store, q->now, reads, gather_most(q), prom_query_goes_on, q);
    struct promql_result r;
    bool ok = false;

    if (past == NULL) {
        q->is_shared = true;
        ok = evaluate_over(q, storage, &r);
        q->is_shared = false;
    }
    if (past != NULL || (!ok && q->is_large))
        ok = evaluate_apart(q, storage, past, &r);
    past_free(past);
    if (ok) {
        prom_kept_tell(q, reads.from);
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

    q->text = arena_str(&q->later.arena, prom_param(p, "query"));
    q->expr = promql_parse(q->text, &promql_everything, &q->later.arena, NULL, &e);
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
    q->later.deadline = ts_add(clock_mono(q->later.of->clock),
                               (ms < TIMEOUT_MAX_MS ? ms : TIMEOUT_MAX_MS) * NS_PER_MS);
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
    struct query_job *q = prom_job_new(arg, prom_query_evaluate);
    struct prom_params p = prom_params(rq);

    if (!prom_job_time(rq, &p, "time", prom_now_ms(arg), &q->start) ||
        !prom_job_limits(rq, q, &p) || !parse_query(rq, q, &p) || prom_ask_source(rq, q, &p)) {
        prom_job_free(q);
        return;
    }
    prom_kept_begin(q);
    prom_job_start(q, rq);
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
    struct query_job *q = prom_job_new(arg, prom_query_evaluate);
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
    if (prom_ask_source(rq, q, &p)) {
        prom_job_free(q);
        return;
    }
    prom_kept_begin(q);
    prom_job_start(q, rq);
}

void prom_format_query(struct http_req *rq, void *arg)
{
    struct query_job *q = prom_job_new(arg, NULL);
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
    struct query_job *q = prom_job_new(arg, NULL);
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
