/* From when to when expressions read samples. */
#include "unit.h"

#include "promql/promql.h"
#include "promql/reads.h"

enum { M = 60000, START = 1000 * M, END = 1010 * M };

static void reads_what_it_says(void **state)
{
    static const struct {
        const char *expr;
        ts_ms from, to; /* from START, from END */
    } cases[] = {
        {"m", -5 * M, 0},
        {"m offset 1h", -65 * M, -60 * M},
        {"m offset -1m", -4 * M, M},
        {"rate(m[2m])", -2 * M, 0},
        {"rate(m[2m] offset 3m)", -5 * M, -3 * M},
        {"increase(m[2m] anchored)", -7 * M, 5 * M},
        {"max_over_time(rate(m[2m])[1h:])", -62 * M, 0},
        {"max_over_time(m[1h:] offset 2h)", -185 * M, -120 * M},
        {"m + n offset 10m", -15 * M, 0},
        {"sum by (x) (m) / on (x) rate(n[30m])", -30 * M, 0},
        {"m @ start()", -5 * M, -10 * M},
        {"m @ end()", 5 * M, 0},
        {"m @ 60", M - START - 5 * M, M - END},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a;
        struct err e = ERR_INIT;
        struct promql_expr *x;
        struct promql_times t;

        arena_init(&a, 0);
        x = promql_parse(str_of(cases[i].expr), &promql_everything, &a, NULL, &e);
        if (x == NULL)
            fail_msg("%s: %s", cases[i].expr, e.msg);
        t = promql_reads(x, START, END, 0);
        if (t.from != START + cases[i].from || t.to != END + cases[i].to)
            fail_msg("%s: %lld %lld", cases[i].expr, (long long)(t.from - START) / M,
                     (long long)(t.to - END) / M);
        promql_release(x);
        arena_release(&a);
    }
}

static void says_so_when_it_reads_nothing_or_anything(void **state)
{
    struct arena a;
    struct promql_expr *x;
    struct promql_times t;

    (void)state;
    arena_init(&a, 0);
    x = promql_parse(S("1 + time()"), &promql_everything, &a, NULL, NULL);
    t = promql_reads(x, START, END, 0);
    assert_true(t.from > t.to);
    promql_release(x);
    x = promql_parse(S("rate(m[step() * 2])"), &promql_everything, &a, NULL, NULL);
    t = promql_reads(x, START, END, 0);
    assert_true(t.from < 0 && t.to > END);
    promql_release(x);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_says),
        cmocka_unit_test(says_so_when_it_reads_nothing_or_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
