/* Why an expression is empty: a table of series, questions and causes, each asked plainly and by an asker that answers later. */
#include "unit.h"

#include <math.h>
#include "model/labels.h"
#include "promql/engine.h"
#include "promql/mem_storage.h"
#include "promql/series.h"
#include "promql/why.h"

enum { STEP_MS = 15000, NOW_MS = 10 * STEP_MS };

struct world {
    struct mem_storage *m;
    struct arena a;
};

static const struct {
    const char *series, *values;
} shown[] = {
    {"up{job=\"llm_service\",instance=\"a\"}", "1x10"},
    {"up{job=\"node\",instance=\"b\"}", "1x10"},
    {"up{job=\"node\",instance=\"c\"}", "1x10"},
    {"http_requests_total{job=\"api\",instance=\"a\",code=\"200\"}", "0+30x10"},
    {"http_requests_total{job=\"api\",instance=\"b\",code=\"200\"}", "0+60x10"},
    {"http_requests_total{job=\"api\",instance=\"b\",code=\"404\"}", "0+1x10"},
    {"lat_bucket{job=\"api\",le=\"1\"}", "0+3x10"},
    {"lat_bucket{job=\"api\",le=\"+Inf\"}", "0+5x10"},
    {"free_bytes{node=\"n1\"}", "5x10"},
    {"size_bytes{node=\"n1\"}", "10x10"},
    {"size_bytes{node=\"n2\"}", "100x10"},
    {"owner{node=\"N1\"}", "1x10"},
    {"pods{pod=\"p\",namespace=\"x\"}", "1x10"},
    {"gone{a=\"b\"}", "1x4 stale"},
};

static void fill(struct world *w)
{
    w->m = mem_storage_new();
    arena_init(&w->a, 0);
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        struct series_value *v;
        struct labels ls;
        struct err e = ERR_INIT;
        size_t n;

        assert_true(series_parse_labels(str_of(shown[i].series), &w->a, &ls, &e));
        assert_true(series_parse_values(str_of(shown[i].values), &w->a, &v, &n, &e));
        for (size_t k = 0; k < n; k++)
            if (v[k].kind == SERIES_STALE)
                mem_storage_append_stale(w->m, ls, (ts_ms)k * STEP_MS);
            else if (v[k].kind == SERIES_FLOAT)
                mem_storage_append(w->m, ls, (ts_ms)k * STEP_MS, v[k].v, 0);
    }
}

static bool ask_store(void *arg, str query, struct samples *out, struct err *e)
{
    struct world *w = arg;
    struct promql_expr *x = promql_parse(query, &promql_everything, &w->a, NULL, e);
    struct promql_settings settings = {0};
    struct promql_query q = {
        .expr = x, .text = query, .storage = mem_storage_port(w->m), .settings = &settings};
    struct promql_result r;

    if (x == NULL)
        print_message("%.*s: %s\n", STR(query), e->msg);
    assert_non_null(x);
    if (!promql_instant(&q, NOW_MS, &w->a, &r, e))
        fail_msg("%.*s: %s", STR(query), e->msg);
    out->v = arena_array(&w->a, r.n + 1, sizeof(*out->v));
    out->n = r.n;
    for (size_t i = 0; i < r.n; i++)
        out->v[i] = (struct sample){
            .labels = r.series[i].labels, .t = NOW_MS, .value = r.series[i].points[0].v};
    promql_release(x);
    return true;
}

static const struct {
    const char *expr;
    enum why_reason reason;
    const char *part, *label, *wanted, *nearest;
    double value, threshold;
} rows[] = {
    {"up{job=\"llm-service\"} == 0", WHY_NO_VALUE, "up{job=\"llm-service\"}", "job", "llm-service",
     "llm_service", NAN, NAN},
    {"sum by (job) (upp == 0)", WHY_NO_METRIC, "upp", "__name__", "upp", "up", NAN, NAN},
    {"rate(http_request_total{code=\"200\"}[1m]) > 0", WHY_NO_METRIC,
     "http_request_total{code=\"200\"}", "__name__", "http_request_total", "http_requests_total",
     NAN, NAN},
    {"up{cluster=\"prod\"}", WHY_NO_LABEL, "up{cluster=\"prod\"}", "cluster", "prod", "", NAN, NAN},
    {"up{job=\"node\",instance=\"a\"}", WHY_NO_VALUE, "up{job=\"node\",instance=\"a\"}", "job",
     "node", "llm_service", NAN, NAN},
    {"pods{pod=\"q\",namespace=\"y\"}", WHY_NO_SERIES, "pods{pod=\"q\",namespace=\"y\"}", "", "",
     "", NAN, NAN},
    {"up{job=~\"llm-.*\"} == 0", WHY_NO_VALUE, "up{job=~\"llm-.*\"}", "job", "llm-.*", "", NAN,
     NAN},
    {"up{job!~\".+\"}", WHY_NO_VALUE, "up{job!~\".+\"}", "job", ".+", "", NAN, NAN},
    {"sum(rate(http_requests_total[1m])) > 500", WHY_COMPARISON,
     "sum(rate(http_requests_total[1m])) > 500", "", "", "", 6.066666666666666, 500},
    {"500 < sum by (code) (rate(http_requests_total[1m]))", WHY_COMPARISON,
     "500 < sum by (code) (rate(http_requests_total[1m]))", "", "", "", 5.999999999999999, 500},
    {"up == 2", WHY_COMPARISON, "up == 2", "", "", "", 1, 2},
    {"up < 1", WHY_COMPARISON, "up < 1", "", "", "", 1, 1},
    {"rate(http_requests_total[10s]) > 0", WHY_WINDOW, "rate(http_requests_total[10s])", "", "", "",
     1, NAN},
    {"histogram_quantile(0.9, sum by (job) (rate(lat_bucket[1m]))) > 1", WHY_NO_BUCKETS,
     "histogram_quantile(0.9, sum by (job) (rate(lat_bucket[1m])))", "le", "", "", NAN, NAN},
    {"free_bytes * on (node) owner", WHY_JOIN, "free_bytes * on (node) owner", "node", "n1", "N1",
     NAN, NAN},
    {"up * on (instance, job) http_requests_total{code=\"404\"}", WHY_JOIN,
     "up * on (instance, job) http_requests_total{code=\"404\"}", "job", "llm_service", "api", NAN,
     NAN},
    {"sum by (job) (up) / http_requests_total", WHY_JOIN, "sum by (job) (up) / http_requests_total",
     "job", "llm_service", "api", NAN, NAN},
    {"free_bytes > size_bytes", WHY_COMPARISON, "free_bytes > size_bytes", "", "", "", 5, 10},
    {"free_bytes / size_bytes < 0.1", WHY_COMPARISON, "free_bytes / size_bytes < 0.1", "", "", "",
     0.5, 0.1},
    {"up and on (node) owner", WHY_JOIN, "up and on (node) owner", "node", "", "N1", NAN, NAN},
    {"absent(up)", WHY_PRESENT, "absent(up)", "", "", "", NAN, NAN},
    {"up unless on () owner", WHY_EXCLUDED, "up unless on () owner", "", "", "", NAN, NAN},
    {"gone", WHY_ENDED, "gone", "", "", "", NAN, NAN},
    {"(up{job=\"x\"} or vector(0)) > 5", WHY_COMPARISON, "(up{job=\"x\"} or vector(0)) > 5", "", "",
     "", 0, 5},
    {"max_over_time(sum(nothing)[1m:15s])", WHY_NO_METRIC, "nothing", "__name__", "nothing", "",
     NAN, NAN},
    {"http_requests == 0", WHY_NO_METRIC, "http_requests", "__name__", "http_requests",
     "http_requests_total", NAN, NAN},
    {"size_bytes_total > 0", WHY_NO_METRIC, "size_bytes_total", "__name__", "size_bytes_total",
     "size_bytes", NAN, NAN},
    {"up{jbo=\"node\"}", WHY_NO_LABEL, "up{jbo=\"node\"}", "jbo", "node", "job", NAN, NAN},
    {"up{jbo!=\"\"}", WHY_NO_LABEL, "up{jbo!=\"\"}", "jbo", "", "job", NAN, NAN},
    {"size_bytes > 50 and free_bytes > 0", WHY_COMPARISON, "size_bytes > 50", "", "", "", 10, 50},
    {"free_bytes > 0 and (50 < size_bytes)", WHY_COMPARISON, "50 < size_bytes", "", "", "", 10, 50},
    {"size_bytes > 50 and on (node) owner > 0", WHY_JOIN, "size_bytes > 50 and on (node) owner > 0",
     "node", "n2", "N1", NAN, NAN},
    {"up > 0 and count by (zone) (size_bytes) > 5", WHY_COMPARISON,
     "count by (zone) (size_bytes) > 5", "", "", "", 2, 5},
    {"http_requests_total > 500 and sum by (job, instance) (up) > 0", WHY_JOIN,
     "http_requests_total > 500 and sum by (job, instance) (up) > 0", "code", "200", "", NAN, NAN},
    {"(size_bytes or vector(1)) > 50 and sum(up) > 0", WHY_JOIN,
     "(size_bytes or vector(1)) > 50 and sum(up) > 0", "node", "n2", "", NAN, NAN},
    {"up unless on (rack) owner", WHY_EXCLUDED, "up unless on (rack) owner", "rack", "", "", NAN,
     NAN},
    {"topk(0, up)", WHY_FUNCTION, "topk(0, up)", "", "", "", NAN, NAN},
};

static void is_number(double got, double want)
{
    if (isnan(want))
        assert_true(isnan(got));
    else
        assert_true(fabs(got - want) < 1e-9 * fmax(1, fabs(want)));
}

static void check_row(struct world *w, size_t i, const struct why *y)
{
    const struct why_cause *c = y->causes;

    if (y->n_causes == 0)
        fail_msg("%s: no cause", rows[i].expr);
    print_message("%s: %s: %.*s\n", rows[i].expr, why_reason_text(c->reason), STR(c->text));
    assert_int_equal(c->reason, rows[i].reason);
    assert_str(c->part, rows[i].part);
    assert_str(c->label, rows[i].label);
    assert_str(c->wanted, rows[i].wanted);
    assert_str(c->nearest, rows[i].nearest);
    is_number(c->value, rows[i].value);
    is_number(c->threshold, rows[i].threshold);
    assert_true(c->text.n != 0 && c->end > c->at);
    (void)w;
}

static void each_cause_is_found(void **state)
{
    struct why_asker asker = {ask_store, NULL};
    struct world w;

    (void)state;
    fill(&w);
    asker.arg = &w;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = ERR_INIT;
        struct promql_expr *x =
            promql_parse(str_of(rows[i].expr), &promql_everything, &w.a, NULL, &e);
        struct why y;

        assert_non_null(x);
        assert_true(why_empty(x, &asker, &w.a, &y, &e));
        check_row(&w, i, &y);
        promql_release(x);
    }
    mem_storage_free(w.m);
    arena_release(&w.a);
}

/* What is grouped by a name that is nearly that of a label is said beside what comes of it; of other names nothing is said. */
static void a_grouping_by_nothing_is_said(void **state)
{
    static const struct {
        const char *expr, *label, *nearest;
    } of[] = {
        {"count(count by (instnce) (up)) > 1", "instnce", "instance"},
        {"sum by (nod) (free_bytes) / on (node) owner", "nod", "node"},
        {"sum by (nod) (free_bytes) > sum by (nodes) (size_bytes)", "nod", "node"},
        {"count(count by (rack) (up)) > 1", NULL, NULL},
        {"sum by (node, job) (free_bytes) > 5", NULL, NULL},
    };
    struct why_asker asker = {ask_store, NULL};
    struct world w;

    (void)state;
    fill(&w);
    asker.arg = &w;
    for (size_t i = 0; i < ARRAY_LEN(of); i++) {
        struct err e = ERR_INIT;
        struct promql_expr *x =
            promql_parse(str_of(of[i].expr), &promql_everything, &w.a, NULL, &e);
        struct why y;

        assert_non_null(x);
        assert_true(why_empty(x, &asker, &w.a, &y, &e));
        assert_true(y.n_causes != 0 && y.causes[0].reason != WHY_NO_LABEL);
        assert_int_equal(y.n_causes > 1, of[i].label != NULL);
        if (of[i].label != NULL) {
            assert_int_equal(y.causes[1].reason, WHY_NO_LABEL);
            assert_str(y.causes[1].label, of[i].label);
            assert_str(y.causes[1].nearest, of[i].nearest);
        }
        promql_release(x);
    }
    mem_storage_free(w.m);
    arena_release(&w.a);
}

static void what_has_a_result_has_no_cause(void **state)
{
    static const char *const exprs[] = {"up",
                                        "up == 1",
                                        "sum(up) > 0",
                                        "free_bytes / size_bytes",
                                        "up{job=\"x\"} or vector(0)",
                                        "absent(upp)",
                                        "1 + 1"};
    struct why_asker asker = {ask_store, NULL};
    struct world w;

    (void)state;
    fill(&w);
    asker.arg = &w;
    for (size_t i = 0; i < ARRAY_LEN(exprs); i++) {
        struct err e = ERR_INIT;
        struct promql_expr *x = promql_parse(str_of(exprs[i]), &promql_everything, &w.a, NULL, &e);
        struct why y;

        assert_true(why_empty(x, &asker, &w.a, &y, &e));
        assert_int_equal(y.n_causes, 0);
        promql_release(x);
    }
    mem_storage_free(w.m);
    arena_release(&w.a);
}

/* -- an asker that answers later -- */

struct later {
    struct world *w;
    struct {
        str query;
        struct samples samples;
        bool is_answered;
    } v[200];
    size_t n;
};

static bool ask_later(void *arg, str query, struct samples *out, struct err *e)
{
    struct later *l = arg;

    for (size_t i = 0; i < l->n; i++)
        if (str_eq(l->v[i].query, query) && l->v[i].is_answered) {
            *out = l->v[i].samples;
            return true;
        }
    l->v[l->n].query = arena_str(&l->w->a, query);
    l->v[l->n++].is_answered = false;
    return err_set(e, ERR_CONFLICT, "not yet");
}

static void passes_come_to_the_same(void **state)
{
    struct world w;

    (void)state;
    fill(&w);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct later l = {.w = &w};
        struct why_asker asker = {ask_later, &l};
        struct err e = ERR_INIT;
        struct promql_expr *x =
            promql_parse(str_of(rows[i].expr), &promql_everything, &w.a, NULL, &e);
        struct why y;

        for (;;) {
            e = (struct err)ERR_INIT;
            if (why_empty(x, &asker, &w.a, &y, &e))
                break;
            assert_true(l.n < ARRAY_LEN(l.v));
            assert_true(ask_store(&w, l.v[l.n - 1].query, &l.v[l.n - 1].samples, &e));
            l.v[l.n - 1].is_answered = true;
        }
        check_row(&w, i, &y);
        promql_release(x);
    }
    mem_storage_free(w.m);
    arena_release(&w.a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cause_is_found),
        cmocka_unit_test(a_grouping_by_nothing_is_said),
        cmocka_unit_test(what_has_a_result_has_no_cause),
        cmocka_unit_test(passes_come_to_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
