#include "unit.h"

#include <float.h>
#include <math.h>
#include "model/histogram_math.h"
#include "model/histogram_reset.h"
#include "model/histogram_stats.h"
#include "model/histogram_trim.h"
#include "model/histogram_walk.h"
#include "promql/series.h"

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static struct histogram_side side(struct series_numbers v, int offset)
{
    struct histogram_span *span = arena_new(&arena, struct histogram_span);

    *span = (struct histogram_span){offset, (uint32_t)v.n};
    return (struct histogram_side){span, v.v, v.n != 0, (uint32_t)v.n};
}

/* Of series notation, without its braces. */
static struct histogram make(const char *text)
{
    static const enum histogram_hint hints[] = {HISTOGRAM_UNKNOWN, HISTOGRAM_UNKNOWN,
                                                HISTOGRAM_RESET, HISTOGRAM_NOT_RESET,
                                                HISTOGRAM_GAUGE};
    struct series_value *v;
    struct err e = ERR_INIT;
    size_t n;
    const struct series_histogram *s;

    if (!series_parse_values(arena_printf(&arena, "{{%s}}", text), &arena, &v, &n, &e))
        fail_msg("%s: %s", text, e.msg);
    s = v[0].base;
    return (struct histogram){.hint = hints[s->hint],
                              .schema = s->schema,
                              .count = s->count,
                              .sum = s->sum,
                              .zero_count = s->zero_count,
                              .zero_threshold = s->zero_threshold,
                              .positive = side(s->buckets, s->offset),
                              .negative = side(s->n_buckets, s->n_offset),
                              .bounds = s->custom_values.v,
                              .n_bounds = (uint32_t)s->custom_values.n};
}

static void assert_histogram_(struct histogram got, const char *text, const char *file, int line)
{
    struct histogram h = make(text), want = histogram_compact(&arena, &h, 0);
    struct buf b = BUF_INIT;

    got = histogram_compact(&arena, &got, 0);
    if (histogram_eq(&got, &want) && got.hint == want.hint)
        return;
    histogram_print(&b, &got);
    print_error("got  %.*s schema %d threshold %g hint %d\nwant %s\n", STR(buf_str(&b)), got.schema,
                got.zero_threshold, (int)got.hint, text);
    buf_release(&b);
    _fail(file, line);
}
#define assert_histogram(got, text) assert_histogram_((got), (text), __FILE__, __LINE__)

static struct histogram sum_of(unsigned *notes, const char *x, const char *y)
{
    struct histogram p = make(x), q = make(y), out = {0};

    *notes = histogram_add(&arena, &p, &q, &out);
    return out;
}

/* -- layout -- */

static void bounds_are_exact(void **state)
{
    (void)state;
    assert_true(histogram_exponential_bound(0, 0) == 1);
    assert_true(histogram_exponential_bound(0, -1) == 0.5);
    assert_true(histogram_exponential_bound(-1, 1) == 4);
    assert_true(histogram_exponential_bound(-4, -1) == 0x1p-16);
    assert_true(histogram_exponential_bound(1, 1) == sqrt(2));
    assert_true(histogram_exponential_bound(8, 256) == 2);
    assert_true(histogram_exponential_bound(8, -128) == sqrt(0.5));
    assert_true(histogram_exponential_bound(0, 1024) == DBL_MAX);
    assert_true(histogram_exponential_bound(8, 1024 * 256) == DBL_MAX);
    assert_true(histogram_exponential_bound(-4, 64) == DBL_MAX);
    assert_true(isinf(histogram_exponential_bound(0, 1025)));
    assert_true(isfinite(histogram_exponential_bound(8, 1024 * 256 - 1)));
    assert_true(histogram_exponential_bound(0, -1074) == 0x1p-1074);
    assert_true(histogram_exponential_bound(0, INT32_MIN) == 0);
}

static void walks_go_both_ways(void **state)
{
    static const struct histogram_span spans[] = {{2, 1}, {0, 0}, {3, 2}, {1, 0}};
    static const double counts[] = {1, 2, 3};
    struct histogram h = make("schema:0 n_buckets:[4 5] z_bucket:6 z_bucket_w:0.25");
    static const double uppers[] = {-1, -0.5, 0.25, 4, 64, 128};
    static const double numbers[] = {5, 4, 6, 1, 2, 3};
    struct histogram_walk w;
    struct histogram_bucket b;

    (void)state;
    h.positive = (struct histogram_side){spans, counts, 4, 3};
    histogram_walk_up(&w, &h);
    for (size_t i = 0; i < 6; i++) {
        assert_true(histogram_walk_next(&w, &b));
        assert_true(b.upper == uppers[i] && b.count == numbers[i]);
        assert_int_equal(b.lower_inclusive, i < 3);
        assert_int_equal(b.upper_inclusive, i >= 2);
    }
    assert_false(histogram_walk_next(&w, &b));
    histogram_walk_down(&w, &h);
    for (size_t i = 6; i-- != 0;) {
        assert_true(histogram_walk_next(&w, &b));
        assert_true(b.upper == uppers[i] && b.count == numbers[i]);
    }
    assert_false(histogram_walk_next(&w, &b));
}

static void text_form(void **state)
{
    struct histogram h = make("schema:0 sum:10 count:20 z_bucket_w:0.001 z_bucket:2 buckets:[1 2] "
                              "n_buckets:[1 2 0]");
    struct buf b = BUF_INIT;

    (void)state;
    histogram_print(&b, &h);
    assert_str(buf_str(&b), "{count:20, sum:10, [-2,-1):2, [-1,-0.5):1, [-0.001,0.001]:2, "
                            "(0.5,1]:1, (1,2]:2}");
    buf_clear(&b);
    h = make("schema:-53 sum:1e7 count:3 custom_values:[5] buckets:[1 2]");
    histogram_print(&b, &h);
    assert_str(buf_str(&b), "{count:3, sum:1e+07, [-Inf,5]:1, (5,+Inf]:2}");
    buf_release(&b);
}

static void validation(void **state)
{
    static const struct histogram_span back[] = {{0, 1}, {-1, 1}}, high[] = {{INT32_MAX, 1}};
    static const double two[] = {1, 2}, falling[] = {2, 1}, infinite[] = {HUGE_VAL};
    struct histogram h = make("schema:1 count:3 buckets:[1 2] n_buckets:[1] z_bucket:1");
    struct err e = ERR_INIT;

    (void)state;
    assert_true(histogram_check(&h, &e));
    h.schema = 52;
    assert_true(histogram_check(&h, &e));
    h.schema = 53;
    assert_false(histogram_check(&h, &e));
    h.schema = HISTOGRAM_CUSTOM;
    assert_false(histogram_check(&h, &e));
    h = make("buckets:[1 -2]");
    assert_false(histogram_check(&h, &e));
    assert_string_equal(e.msg, "histogram: positive bucket 2 has a negative count");
    h = make("z_bucket:-1");
    assert_false(histogram_check(&h, &e));
    h = make("z_bucket_w:NaN");
    assert_false(histogram_check(&h, &e));
    h = make("");
    h.positive = (struct histogram_side){back, two, 2, 2};
    assert_false(histogram_check(&h, &e));
    h.positive = (struct histogram_side){high, two, 1, 1};
    assert_false(histogram_check(&h, &e));
    h.positive = (struct histogram_side){back, two, 1, 2};
    assert_false(histogram_check(&h, &e));
    h = make("schema:-53 custom_values:[1 2] buckets:[1 2 3]");
    assert_true(histogram_check(&h, &e));
    h.bounds = falling;
    assert_false(histogram_check(&h, &e));
    h.bounds = infinite;
    h.n_bounds = 1;
    assert_false(histogram_check(&h, &e));
    h.n_bounds = 0;
    assert_false(histogram_check(&h, &e));
}

static void compaction(void **state)
{
    struct histogram h = make("buckets:[0 1 0 0 2 0 3 0]"), c;

    (void)state;
    c = histogram_compact(&arena, &h, 0);
    assert_int_equal(c.positive.n_spans, 3);
    assert_int_equal(c.positive.n, 3);
    assert_int_equal(c.positive.spans[0].offset, 1);
    assert_int_equal(c.positive.spans[1].offset, 2);
    c = histogram_compact(&arena, &h, 1);
    assert_int_equal(c.positive.n_spans, 2);
    assert_int_equal(c.positive.spans[1].length, 3);
    assert_int_equal(c.positive.n, 4);
    c = histogram_compact(&arena, &h, 2);
    assert_int_equal(c.positive.n_spans, 1);
    assert_int_equal(c.positive.n, 6);
    assert_false(histogram_eq(&h, &c)); /* explicit empty buckets tell histograms apart */
    h = make("buckets:[0 0]");
    assert_int_equal(histogram_compact(&arena, &h, 0).positive.n_spans, 0);
}

static void equality(void **state)
{
    static const struct histogram_span one[] = {{1, 2}}, split[] = {{0, 0}, {1, 1}, {0, 1}};
    static const double counts[] = {1, NAN};
    struct histogram x = make("count:1"), y = make("count:1 counter_reset_hint:gauge");

    (void)state;
    x.positive = (struct histogram_side){one, counts, 1, 2};
    y.positive = (struct histogram_side){split, counts, 3, 2};
    assert_true(histogram_eq(&x, &y));
    y.sum = -0.0;
    assert_false(histogram_eq(&x, &y));
}

static void lower_resolution(void **state)
{
    struct histogram h = make("schema:2 count:10 offset:-1 buckets:[1 2 3 4] n_buckets:[1 0 5]");

    (void)state;
    /* index i becomes ((i - 1) >> 2) + 1: -1 and 0 are in 0, 1 and 2 in 1 */
    assert_histogram(histogram_reduce(&arena, &h, 0),
                     "schema:0 count:10 offset:0 buckets:[3 7] n_offset:0 n_buckets:[1 5]");
}

/* -- arithmetic -- */

static void additions(void **state)
{
    unsigned notes;

    (void)state;
    assert_histogram(sum_of(&notes, "schema:1 count:7 sum:1 buckets:[2 5]",
                            "schema:0 count:4 sum:3 offset:3 buckets:[4]"),
                     "schema:0 count:11 sum:4 offset:0 buckets:[2 5 0 4]");
    assert_int_equal(notes, 0);
    assert_histogram(sum_of(&notes, "schema:0 count:3 buckets:[1 2]", "schema:0 buckets:[4 -2]"),
                     "schema:0 count:3 buckets:[5]");
}

/* The wider zero bucket swallows (0.25, 0.5]; the other's threshold lies inside (0.5, 1], so it grows to 1. */
static void zero_buckets_meet(void **state)
{
    unsigned notes;

    (void)state;
    assert_histogram(sum_of(&notes, "z_bucket:1 z_bucket_w:0.25 offset:-1 buckets:[2 4 8]",
                            "z_bucket:16 z_bucket_w:0.5 n_buckets:[32]"),
                     "z_bucket:19 z_bucket_w:0.5 offset:0 buckets:[4 8] n_buckets:[32]");
    assert_histogram(sum_of(&notes, "z_bucket:1 z_bucket_w:0.001 buckets:[2 4] n_buckets:[8]",
                            "z_bucket:16 z_bucket_w:0.75"),
                     "z_bucket:27 z_bucket_w:1 offset:1 buckets:[4]");
    assert_histogram(sum_of(&notes, "z_bucket:1 z_bucket_w:0.001 buckets:[0 4]",
                            "z_bucket:16 z_bucket_w:0.75"),
                     "z_bucket:17 z_bucket_w:0.75 offset:1 buckets:[4]");
}

static void custom_bounds_meet(void **state)
{
    unsigned notes;

    (void)state;
    assert_histogram(sum_of(&notes, "schema:-53 count:10 custom_values:[1 2 3] buckets:[1 2 3 4]",
                            "schema:-53 count:5 custom_values:[2 5] buckets:[1 2 2]"),
                     "schema:-53 count:15 custom_values:[2] buckets:[4 11]");
    assert_int_equal(notes, HISTOGRAM_RECONCILED);
    (void)sum_of(&notes, "schema:-53 custom_values:[1]", "schema:-53 custom_values:[1]");
    assert_int_equal(notes, 0);
    (void)sum_of(&notes, "schema:-53 custom_values:[1]", "schema:3");
    assert_int_equal(notes, HISTOGRAM_INCOMPATIBLE);
}

static void hints(void **state)
{
    static const struct {
        const char *x, *y;
        enum histogram_hint sum;
        unsigned notes;
    } cases[] = {
        {"reset", "reset", HISTOGRAM_RESET, 0},
        {"reset", "gauge", HISTOGRAM_GAUGE, 0},
        {"gauge", "unknown", HISTOGRAM_GAUGE, 0},
        {"not_reset", "unknown", HISTOGRAM_UNKNOWN, 0},
        {"not_reset", "reset", HISTOGRAM_UNKNOWN, HISTOGRAM_COLLISION},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct histogram x = make(arena_printf(&arena, "counter_reset_hint:%s", cases[i].x).p);
        struct histogram y = make(arena_printf(&arena, "counter_reset_hint:%s", cases[i].y).p);
        struct histogram out;

        assert_int_equal(histogram_add(&arena, &x, &y, &out), cases[i].notes);
        assert_int_equal(out.hint, cases[i].sum);
        assert_int_equal(histogram_sub(&arena, &x, &y, &out), cases[i].notes);
        assert_int_equal(out.hint, HISTOGRAM_GAUGE);
    }
}

static void multiples(void **state)
{
    struct histogram h = make("count:4 sum:8 z_bucket:2 buckets:[1 3]"), none;

    (void)state;
    assert_histogram(histogram_mul(&arena, &h, 0.5), "count:2 sum:4 z_bucket:1 buckets:[0.5 1.5]");
    assert_histogram(histogram_mul(&arena, &h, -1),
                     "count:-4 sum:-8 z_bucket:-2 buckets:[-1 -3] counter_reset_hint:gauge");
    assert_histogram(histogram_div(&arena, &h, 4),
                     "count:1 sum:2 z_bucket:0.5 buckets:[0.25 0.75]");
    none = histogram_div(&arena, &h, 0);
    assert_true(isinf(none.count) && isinf(none.sum) && none.positive.n == 0);
}

static void sums_are_compensated(void **state)
{
    static const double terms[] = {1, 1e100, 1, -1e100};
    struct histogram_sum s;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(terms); i++) {
        struct histogram one = make("count:1 sum:1 z_bucket:1 buckets:[1] n_buckets:[1]");
        struct histogram h = histogram_mul(&arena, &one, terms[i]);

        if (i == 0)
            histogram_sum_init(&s, &arena, &h);
        else
            assert_int_equal(histogram_sum_add(&s, &h), 0);
    }
    assert_histogram(histogram_sum_result(&s), "count:2 sum:2 z_bucket:2 buckets:[2] n_buckets:[2] "
                                               "counter_reset_hint:gauge");
}

static void means_survive_overflow(void **state)
{
    struct histogram big = make("count:3 sum:1.5e308 buckets:[1 2]"),
                     h = make("count:6 buckets:[6]");
    struct histogram_sum s;
    struct histogram mean;

    (void)state;
    histogram_sum_init(&s, &arena, &big);
    assert_int_equal(histogram_mean_add(&s, &big), 0);
    assert_true(s.is_incremental);
    assert_int_equal(histogram_mean_add(&s, &h), 0);
    mean = histogram_mean_result(&s);
    assert_true(fabs(mean.sum - 1e308) < 1e294);
    assert_true(fabs(mean.count - 4) < 1e-12);
    assert_int_equal(mean.positive.n, 2);
    histogram_sum_init(&s, &arena, &h);
    assert_int_equal(histogram_mean_add(&s, &h), 0);
    assert_histogram(histogram_mean_result(&s), "count:6 buckets:[6]");
}

static void resets(void **state)
{
    static const struct {
        const char *before, *now;
        bool is_reset;
    } cases[] = {
        {"count:3 sum:5 buckets:[1 2]", "count:3 sum:4 buckets:[1 2]", false},
        {"count:3 buckets:[1 2]", "count:2 buckets:[1 2]", true},
        {"count:3 buckets:[1 2]", "count:3 buckets:[0 3]", true},
        {"count:3 buckets:[1 2]", "count:3 offset:1 buckets:[2]", true},
        {"count:3 buckets:[1 2]", "count:3 buckets:[0 1] counter_reset_hint:not_reset", false},
        {"count:3 buckets:[1 2]", "count:3 buckets:[1 2] counter_reset_hint:reset", true},
        {"count:3 schema:1 buckets:[1 2]", "count:3 schema:0 buckets:[1 2]", false},
        {"count:3 schema:0 buckets:[1 2]", "count:3 schema:1 buckets:[1 2]", true},
        {"z_bucket_w:0.5", "z_bucket_w:0.25", true},
        {"z_bucket_w:0.25 z_bucket:1 offset:-1 buckets:[2 3]",
         "z_bucket_w:0.5 z_bucket:3 buckets:[3]", false},
        {"z_bucket_w:0.25 z_bucket:1 offset:-1 buckets:[2 3]",
         "z_bucket_w:0.5 z_bucket:2 buckets:[3]", true},
        {"z_bucket_w:0.25 buckets:[2]", "z_bucket_w:0.75 z_bucket:9", true},
        {"schema:-53 custom_values:[1]", "schema:0", true},
        {"schema:-53 custom_values:[2 4 6] buckets:[1 2 5 7]",
         "schema:-53 custom_values:[2 3 4 6] buckets:[1 0 1 5 8]", true},
        {"schema:-53 custom_values:[2 4 6] buckets:[1 2 5 7]",
         "schema:-53 custom_values:[2 3 4 6] buckets:[1 1 1 5 8]", false},
        {"schema:-53 custom_values:[2 4] buckets:[1 2 5]",
         "schema:-53 custom_values:[2 5] buckets:[1 2 4]", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct histogram before = make(cases[i].before), now = make(cases[i].now);

        if (histogram_is_reset(&now, &before) != cases[i].is_reset)
            fail_msg("%s -> %s", cases[i].before, cases[i].now);
    }
}

/* -- statistics -- */

static void assert_close_(double got, double want, int line)
{
    if (got == want || (isnan(got) && isnan(want)) || fabs(got - want) < 1e-9 * fabs(want))
        return;
    print_error("got %.17g, want %.17g\n", got, want);
    _fail(__FILE__, line);
}
#define assert_close(got, want) assert_close_((got), (want), __LINE__)

static void quantiles(void **state)
{
    struct histogram h = make("schema:0 sum:100 count:4 z_bucket_w:0.001 buckets:[1 3]");
    struct histogram both =
        make("sum:0 count:4 z_bucket:2 z_bucket_w:0.5 buckets:[1] n_buckets:[1]");
    struct histogram custom = make("schema:-53 sum:5 count:4 custom_values:[5 10] buckets:[1 2 1]");
    enum histogram_nan nan;

    (void)state;
    assert_close(histogram_quantile(&h, 0.25, &nan), 1);
    assert_close(histogram_quantile(&h, 0.125, &nan), sqrt(0.5));
    assert_close(histogram_quantile(&h, 1, &nan), 2);
    assert_close(histogram_quantile(&h, -1, &nan), -HUGE_VAL);
    assert_close(histogram_quantile(&h, 2, &nan), HUGE_VAL);
    assert_close(histogram_quantile(&h, NAN, &nan), NAN);
    assert_close(histogram_quantile(&both, 0.5, &nan), 0);
    assert_close(histogram_quantile(&both, 0.125, &nan), -sqrt(0.5));
    assert_close(histogram_quantile(&custom, 0.125, &nan), 2.5);
    assert_close(histogram_quantile(&custom, 0.5, &nan), 7.5);
    assert_close(histogram_quantile(&custom, 1, &nan), 10);
    h = make("");
    assert_close(histogram_quantile(&h, 0.5, &nan), NAN);
}

static void nan_observations(void **state)
{
    struct histogram all = make("count:3 sum:NaN"), some = make("count:15 sum:NaN buckets:[12]");
    enum histogram_nan nan;

    (void)state;
    assert_close(histogram_quantile(&all, 0.4, &nan), NAN);
    assert_int_equal(nan, HISTOGRAM_NAN_RESULT);
    assert_close(histogram_quantile(&some, 0.81, &nan), NAN);
    assert_int_equal(nan, HISTOGRAM_NAN_RESULT);
    assert_close(histogram_quantile(&some, 0.4, &nan), sqrt(0.5));
    assert_int_equal(nan, HISTOGRAM_NAN_SKEW);
    assert_close(histogram_fraction(&some, -HUGE_VAL, sqrt(0.5), &nan), 0.4);
    assert_int_equal(nan, HISTOGRAM_NAN_EXCLUDED);
    assert_close(histogram_fraction(&some, -HUGE_VAL, HUGE_VAL, &nan), 0.8);
    assert_close(histogram_fraction(&all, -HUGE_VAL, HUGE_VAL, &nan), 0);
}

static void fractions(void **state)
{
    struct histogram h =
        make("schema:2 sum:12.8286080906 count:28 z_bucket:1 z_bucket_w:0.001 buckets:[1 2 4 7 3] "
             "n_buckets:[1 5 3 1]");
    struct histogram zero = make("sum:123.75 count:34 z_bucket:1 z_bucket_w:0.001 "
                                 "buckets:[2 4 8 16] n_buckets:[1 2]");
    enum histogram_nan nan;

    (void)state;
    assert_close(histogram_fraction(&h, 1.13, HUGE_VAL, &nan) * 28, 14.589417818876296);
    assert_close(histogram_fraction(&zero, -HUGE_VAL, 0, &nan) * 34, 3.5);
    assert_close(histogram_fraction(&zero, 2, 1, &nan), 0);
    assert_close(histogram_fraction(&zero, NAN, 1, &nan), NAN);
}

static void moments(void **state)
{
    struct histogram h = make("schema:-53 count:4 sum:16 custom_values:[2 4 6] buckets:[0 2 2 0]");
    struct histogram x =
        make("schema:0 count:2 sum:0 offset:1 buckets:[1] n_offset:1 n_buckets:[1]");

    (void)state;
    assert_close(histogram_mean(&h), 4);
    assert_close(histogram_variance(&h), 1);
    assert_close(histogram_variance(&x), 2); /* at -sqrt(2) and sqrt(2) */
}

/* Values of native_histograms.test. */
static void trims(void **state)
{
    struct histogram h = make("sum:123.75 count:34 z_bucket:1 z_bucket_w:0.001 buckets:[2 4 8 16] "
                              "n_buckets:[1 2]");
    struct histogram custom =
        make("schema:-53 sum:172.5 count:15 custom_values:[5 10 15 20] buckets:[1 6 4 3 1]");
    struct histogram one = make("schema:-53 sum:100.0 count:100 buckets:[100]");
    struct histogram point = make("count:2 z_bucket:2"), t;

    (void)state;
    assert_true(histogram_below(&arena, &h, HUGE_VAL).sum == 123.75);
    t = histogram_above(&arena, &h, 0);
    assert_close(t.sum, 120.20840280171308);
    assert_close(t.count, 30.5);
    assert_close(t.zero_count, 0.5);
    t = histogram_below(&arena, &h, -1);
    assert_close(t.sum, -2.8284271247461903);
    assert_int_equal(t.negative.spans[0].offset, 1);
    assert_histogram(histogram_below(&arena, &custom, 15),
                     "schema:-53 count:11 sum:97.5 custom_values:[5 10 15 20] buckets:[1 6 4]");
    t = histogram_above(&arena, &custom, 13);
    assert_close(t.count, 5.6);
    assert_close(t.sum, 94.9);
    assert_histogram(histogram_below(&arena, &custom, -HUGE_VAL),
                     "schema:-53 custom_values:[5 10 15 20]");
    assert_histogram(histogram_above(&arena, &one, 10), "schema:-53");
    assert_histogram(histogram_below(&arena, &point, 0), "");
    assert_histogram(histogram_above(&arena, &point, 0), "count:2 z_bucket:2");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(bounds_are_exact),
        T(walks_go_both_ways),
        T(text_form),
        T(validation),
        T(compaction),
        T(equality),
        T(lower_resolution),
        T(additions),
        T(zero_buckets_meet),
        T(custom_bounds_meet),
        T(hints),
        T(multiples),
        T(sums_are_compensated),
        T(means_survive_overflow),
        T(resets),
        T(quantiles),
        T(nan_observations),
        T(fractions),
        T(moments),
        T(trims),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
