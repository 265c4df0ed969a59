/* Kernels whose rules are easily got wrong, on windows small enough to work out by hand. The .test files are the rest. */
#include "unit.h"

#include <float.h>
#include <math.h>
#include "codec/timefmt.h"
#include "promql/kernel_agg.h"
#include "promql/kernel_buckets.h"
#include "promql/kernel_math.h"
#include "promql/kernel_range.h"

enum { MAX = 16 };

struct window {
    struct promql_window w;
    ts_ms times[MAX], starts[MAX];
    storage_slot slots[MAX];
};

/* Samples every 15 s from 15 s on. */
static void fill(struct window *x, const double *v, size_t n)
{
    *x = (struct window){.w = {.n = n}};
    for (size_t i = 0; i < n; i++) {
        x->times[i] = ((ts_ms)i + 1) * 15000;
        memcpy(&x->slots[i], &v[i], sizeof(v[i]));
    }
    x->w.times = x->times;
    x->w.slots = x->slots;
}

#define FILL(x, ...)                                                                               \
    fill(x, (const double[]){__VA_ARGS__}, ARRAY_LEN(((const double[]){__VA_ARGS__})))

static double value(promql_window_kernel *k, const struct window *x, struct promql_range r)
{
    struct promql_value v = {.v = 0};

    r.seconds = (double)(r.to - r.from) / 1000;
    assert_true(k(&x->w, &r, &v));
    assert_int_equal(v.notes, 0);
    return v.v;
}

static void near(double got, double wanted)
{
    if (!promql_almost_equal(got, wanted, 1e-12))
        fail_msg("got %.17g, wanted %.17g", got, wanted);
}

static void rates(void **state)
{
    struct promql_range minute = {.from = 0, .to = 60000};
    struct window x;

    (void)state;
    FILL(&x, 10, 12, 3);
    near(value(promql_increase, &x, minute), 10);
    near(value(promql_rate, &x, minute), 10.0 / 60);
    near(value(promql_delta, &x, minute), -7 * 2);
    near(value(promql_irate, &x, minute), 3.0 / 15);
    near(value(promql_resets, &x, minute), 1);

    FILL(&x, 1, 4, 7); /* zero lies 5 s before the first sample, no further */
    near(value(promql_increase, &x, minute), 6 * (5.0 + 30 + 15) / 30);
    minute.to = 120000; /* a sample seems to be missing at the end: half an interval */
    near(value(promql_increase, &x, minute), 6 * (5.0 + 30 + 7.5) / 30);
}

static void start_timestamps(void **state)
{
    struct promql_range minute = {.from = 0, .to = 60000, .uses_starts = true};
    struct window x;

    (void)state;
    FILL(&x, 5, 6);
    x.w.starts = x.starts;
    x.starts[0] = 10000; /* began inside: 5 more, and nothing before */
    near(value(promql_increase, &x, minute), (1 + 5) * (20.0 + 7.5) / 20);
    x.starts[1] = 20000; /* began anew between them */
    near(value(promql_increase, &x, minute), (1 + 5 + 5) * (20.0 + 7.5) / 20);
    near(value(promql_resets, &x, minute), 1);
    assert_true(promql_start_is_reset(30, 20, 20, 10));
    assert_false(promql_start_is_reset(30, 20, 20, 20));
    assert_false(promql_start_is_reset(30, 30, 20, 10));
}

static void edges(void **state)
{
    struct promql_range r = {.from = 20000, .to = 40000, .is_anchored = true};
    struct window x;

    (void)state;
    FILL(&x, 1, 2);
    near(value(promql_increase, &x, r), 1);
    FILL(&x, 1, 2, 3);
    r.is_anchored = false;
    r.is_smoothed = true;
    near(value(promql_increase, &x, r), 20.0 / 15);
    FILL(&x, 6, 3, 4); /* dropped across the left edge: from 0 */
    near(value(promql_increase, &x, r), (3 + 2.0 / 3) - 1);
}

static void means(void **state)
{
    struct promql_range r = {.to = 60000};
    struct window x;

    (void)state;
    FILL(&x, 1, 1e100, 1, -1e100);
    near(value(promql_sum_over_time, &x, r), 2);
    near(value(promql_avg_over_time, &x, r), 0.5);
    FILL(&x, DBL_MAX, DBL_MAX, DBL_MAX);
    near(value(promql_avg_over_time, &x, r), DBL_MAX);
    FILL(&x, NAN, 2, 1, 2);
    near(promql_max_over_time(&x.w, &r), 2);
    near(promql_ts_of_max_over_time(&x.w, &r), 60);
}

static void quantiles(void **state)
{
    double v[] = {3, NAN, 1, 2};
    struct promql_bucket b[] = {{INFINITY, 10}, {1, 4}, {2, 3}, {2, 3}};
    struct promql_buckets buckets = {b, 4};
    struct promql_levelled l;

    (void)state;
    near(promql_quantile(1, v, 4), 3);
    assert_true(isnan(promql_quantile(0, v, 4)));
    assert_true(isinf(promql_quantile(2, v, 4)));
    near(promql_bucket_quantile(0.5, &buckets, &l), 1 + (5.0 - 4) / (6 - 4));
    assert_false(l.any);
    b[1].count = 1;
    near(promql_bucket_fraction(0, 0.5, &buckets), 0.2);
}

static void tops(void **state)
{
    const double v[] = {1, NAN, 5, 3, 5};
    struct promql_top t = {.k = 3};
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    for (uint32_t i = 0; i < ARRAY_LEN(v); i++)
        promql_top_add(&t, v[i], i, &a);
    promql_top_sort(&t);
    assert_int_equal(t.n, 3);
    assert_int_equal(t.v[0].i, 2);
    assert_int_equal(t.v[1].i, 4);
    assert_int_equal(t.v[2].i, 3);
    arena_release(&a);
}

static void dates(void **state)
{
    (void)state;
    for (int64_t s = -200 * 366 * 86400ll; s < 200 * 366 * 86400ll; s += 13 * 86400 + 4001) {
        struct civil c = civil_of(s * NS_PER_S, 0);

        near(promql_year((double)s), (double)c.year);
        near(promql_month((double)s), c.month);
        near(promql_day_of_month((double)s), c.day);
        near(promql_day_of_week((double)s), c.weekday);
        near(promql_day_of_year((double)s), c.yearday);
        near(promql_hour((double)s), c.hour);
        near(promql_minute((double)s), c.minute);
    }
    near(promql_days_in_month(951782400), 29); /* February 2000 */
    assert_true(isnan(promql_year(NAN)));
    assert_true(signbit(promql_min(0.0, -0.0)));
    assert_true(isnan(promql_max(NAN, 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates), cmocka_unit_test(start_timestamps), cmocka_unit_test(edges),
        cmocka_unit_test(means), cmocka_unit_test(quantiles),        cmocka_unit_test(tops),
        cmocka_unit_test(dates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
