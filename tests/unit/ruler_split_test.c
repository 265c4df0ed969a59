/* Expressions that read what rules record and what a source has: how they are taken apart, and that the parts together give what the
 * whole does. */
#include "unit.h"

#include "base/buf.h"
#include "model/labels.h"
#include "promql/mem_storage.h"
#include "promql/series.h"
#include "ruler/own.h"
#include "ruler/rule_split.h"

static const str recorded[] = {S_INIT("load:a"), S_INIT("load:b")};
enum { NOW = 1000000 };

static const struct split_case {
    const char *expr, *here, *asked; /* here NULL: it is not taken apart */
} cases[] = {
    {"load:a > m", "load:a > {__part__=\"0\"}", "m"},
    {"load:a > on (job) sum by (job) (rate(m[5m]))", "load:a > on (job) {__part__=\"0\"}",
     "sum by (job) (rate(m[5m]))"},
    {"m offset 1m - on (job) group_left load:a", "{__part__=\"0\"} - on (job) group_left load:a",
     "m offset 1m"},
    {"load:a and on (job) (m @ 900 > 3)", "load:a and on (job) {__part__=\"0\"}", "(m @ 900 > 3)"},
    {"load:a * scalar(sum(m))", "load:a * scalar({__part__=\"0\"})", "sum(m)"},
    {"sum by (job) (load:a + on (job) group_right n{x=\"1\"}) / max by (job) (m[5m:1m] > 0)", NULL,
     NULL},
    {"sum by (job) (load:a + on (job) group_right n{x=\"1\"}) / on (job) max by (job) "
     "(max_over_time(m[5m:1m]))",
     "sum by (job) (load:a + on (job) group_right {__part__=\"0\"}) / on (job) {__part__=\"1\"}",
     "n{x=\"1\"}|max by (job) (max_over_time(m[5m:1m]))"},
    {"topk(scalar(load:b), m)", "topk(scalar(load:b), {__part__=\"0\"})", "m"},
    {"max_over_time(load:a[5m]) > bool on (job) -m",
     "max_over_time(load:a[5m]) > bool on (job) {__part__=\"0\"}", "-m"},
    {"(load:a) / on (job) ((m))", "(load:a) / on (job) {__part__=\"0\"}", "((m))"},
    {"m > 1 unless on (job) ALERTS", "{__part__=\"0\"} unless on (job) ALERTS", "m > 1"},
    {"quantile_over_time(scalar(load:b), m[5m])", NULL, NULL},
    {"max_over_time((load:a - on (job) m)[5m:1m])", NULL, NULL},
    {"info(load:a, {x=\"1\"})", NULL, NULL},
    {"load:a > 1", NULL, NULL},
    {"m > 1", NULL, NULL},
    {"load:a > on () {__part__=\"0\"} + m", NULL, NULL},
    {"absent(m) * on () group_left () count(load:a)",
     "{__part__=\"0\"} * on () group_left () count(load:a)", "absent(m)"},
    {"label_replace(m, \"job\", \"$1\", \"j\", \"(.*)\") + on (job) load:a",
     "{__part__=\"0\"} + on (job) load:a", "label_replace(m, \"job\", \"$1\", \"j\", \"(.*)\")"},
    {"timestamp(m) - on (job) timestamp(load:a)", "{__part__=\"0\"} - on (job) timestamp(load:a)",
     "timestamp(m)"},
};

static void texts_are_taken_apart(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rule_split s = {0};
        struct buf asked = BUF_INIT;
        bool ok = rule_split_make(str_of(cases[i].expr), recorded, ARRAY_LEN(recorded), &a, &s);

        if (ok != (cases[i].here != NULL))
            fail_msg("%s", cases[i].expr);
        for (size_t k = 0; k < s.n; k++)
            buf_addf(&asked, "%s%.*s", k != 0 ? "|" : "", STR(s.asked[k]));
        if (ok) {
            assert_str(s.here, cases[i].here);
            assert_str(buf_str(&asked), cases[i].asked);
        }
        buf_release(&asked);
    }
    arena_release(&a);
}

static void put(struct mem_storage *m, struct arena *a, const char *series, double step)
{
    struct labels ls;
    struct err e = ERR_INIT;

    assert_true(series_parse_labels(str_of(series), a, &ls, &e));
    for (ts_ms t = NOW - 600000; t <= NOW; t += 15000)
        mem_storage_append(m, ls, t, step * (double)(t - NOW + 700000) / 1000, 0);
}

static bool evaluate(struct storage st, str text, struct arena *a, struct promql_result *r)
{
    static const struct promql_settings settings = {.lookback = 0};
    struct err e = ERR_INIT;
    struct promql_expr *x = promql_parse(text, &promql_everything, a, NULL, &e);
    struct promql_query q = {.expr = x, .text = text, .storage = st, .settings = &settings};
    bool ok = x != NULL && promql_instant(&q, NOW, a, r, &e);

    promql_release(x);
    return ok;
}

static void print_result(struct buf *out, const struct promql_result *r)
{
    for (size_t i = 0; i < r->n; i++) {
        labels_print(out, r->series[i].labels);
        buf_addf(out, " %.17g\n", r->series[i].points[0].v);
    }
}

/* Answers to the parts, as a source would give them. */
static struct samples answer(struct storage st, str part, struct arena *a)
{
    struct promql_result r;
    struct samples s;
    struct err e = ERR_INIT;

    assert_true(evaluate(st, part, a, &r));
    assert_true(own_samples(&r, a, &s, &e));
    return s;
}

static void parts_give_what_the_whole_does(void **state)
{
    static const struct promql_settings settings = {.lookback = 0};
    struct mem_storage *m = mem_storage_new(), *own = mem_storage_new();
    struct arena a;
    size_t not_empty = 0;

    (void)state;
    arena_init(&a, 0);
    for (int k = 0; k < 2; k++) {
        struct mem_storage *both[] = {m, own};

        put(both[k], &a, "load:a{job=\"x\"}", 3);
        put(both[k], &a, "load:a{job=\"y\"}", 4);
        put(both[k], &a, "load:b", 0.002);
        put(both[k], &a, "ALERTS{job=\"y\"}", 1);
    }
    put(m, &a, "m{job=\"x\",j=\"y\"}", 1);
    put(m, &a, "m{job=\"y\",j=\"x\"}", 2);
    put(m, &a, "m{job=\"z\",j=\"z\"}", 9);
    put(m, &a, "n{job=\"x\",x=\"1\",i=\"1\"}", 5);
    put(m, &a, "n{job=\"x\",x=\"1\",i=\"2\"}", 6);
    put(own, &a, "m{job=\"x\",j=\"own\"}", 77); /* of the same name here: not what the source has */
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rule_split s = {0};
        struct samples answers[4] = {0};
        struct promql_result whole, split;
        struct buf wanted = BUF_INIT, got = BUF_INIT;
        struct err e = ERR_INIT;

        if (!rule_split_make(str_of(cases[i].expr), recorded, ARRAY_LEN(recorded), &a, &s))
            continue;
        for (size_t k = 0; k < s.n; k++)
            answers[k] = answer(mem_storage_port(m), s.asked[k], &a);
        struct promql_expr *x = promql_parse(s.here, &promql_everything, &a, NULL, &e);
        struct promql_query q = {
            .expr = x, .text = s.here, .storage = mem_storage_port(own), .settings = &settings};

        if (!evaluate(mem_storage_port(m), str_of(cases[i].expr), &a, &whole) ||
            !rule_split_instant(&q, answers, s.n, NOW, &a, &split, &e))
            fail_msg("%s: %s", cases[i].expr, e.msg);
        promql_release(x);
        print_result(&wanted, &whole);
        print_result(&got, &split);
        assert_str(buf_str(&got), buf_z(&wanted));
        not_empty += whole.n != 0;
        buf_release(&wanted);
        buf_release(&got);
    }
    assert_true(not_empty > 9);
    mem_storage_free(m);
    mem_storage_free(own);
    arena_release(&a);
}

static void a_histogram_of_a_source_is_refused(void **state)
{
    static const struct promql_settings settings = {.lookback = 0};
    struct mem_storage *own = mem_storage_new();
    struct sample h = {.is_histogram = true};
    struct samples answers = {&h, 1};
    struct promql_query q = {.storage = mem_storage_port(own), .settings = &settings};
    struct promql_result r;
    struct err e = ERR_INIT;
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    q.text = S("load:a > {__part__=\"0\"}");
    q.expr = promql_parse(q.text, &promql_everything, &a, NULL, &e);
    assert_false(rule_split_instant(&q, &answers, 1, NOW, &a, &r, &e));
    assert_int_equal(e.code, ERR_UNSUPPORTED);
    promql_release((struct promql_expr *)(uintptr_t)q.expr);
    mem_storage_free(own);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_taken_apart),
        cmocka_unit_test(parts_give_what_the_whole_does),
        cmocka_unit_test(a_histogram_of_a_source_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
