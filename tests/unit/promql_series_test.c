#include "unit.h"

#include <math.h>
#include "base/buf.h"
#include "codec/float.h"
#include "model/labels.h"
#include "promql/series.h"

/* Values as text: numbers, _ s h; a histogram with its count and how often its step is added. */
static void describe(struct buf *b, const struct series_line *l)
{
    labels_print(b, l->labels);
    for (size_t i = 0; i < l->n; i++) {
        const struct series_value *v = &l->values[i];

        buf_addc(b, ' ');
        switch (v->kind) {
        case SERIES_FLOAT: float_print_g(b, v->v); break;
        case SERIES_OMITTED: buf_addc(b, '_'); break;
        case SERIES_STALE: buf_addc(b, 's'); break;
        case SERIES_HISTOGRAM: buf_addf(b, "h%g%+d*%u", v->base->count, v->sign, v->times); break;
        }
    }
}

static void lines(void **state)
{
    static const char *const cases[][2] = {
        {"m 1 2 3", "{__name__=\"m\"} 1 2 3"},
        {"m{b='1', a=\"x y\",} 0+10x3", "{__name__=\"m\", a=\"x y\", b=\"1\"} 0 10 20 30"},
        {"m {a='b'} 1-2x2", "{__name__=\"m\", a=\"b\"} 1 -1 -3"},
        {"{\"utf 8\", \"l 1\"='}'} 5x2", "{__name__=\"utf 8\", l 1=\"}\"} 5 5 5"},
        {"sum _ _x2 stale NaN -Inf", "{__name__=\"sum\"} _ _ _ s NaN -Inf"},
        {"{} 1e3 -.5 +2 5m", "{} 1000 -0.5 2 300"},
        {"expect{} -5-1x1", "{__name__=\"expect\"} -5 -6"},
        {"m", "{__name__=\"m\"}"},
        {"m {{}}", "{__name__=\"m\"} h0+0*0"},
        {"m {{count:3 sum:-4 buckets:[1 2 .5]}}x1", "{__name__=\"m\"} h3+0*0 h3+0*1"},
        {"m {{count:1}}+{{count:2 counter_reset_hint:gauge}}x2",
         "{__name__=\"m\"} h1+1*0 h1+1*1 h1+1*2"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a;
        struct err e = ERR_INIT;
        struct buf b = BUF_INIT;
        struct series_line l;

        arena_init(&a, 0);
        if (!series_parse(str_of(cases[i][0]), &a, &l, &e))
            fail_msg("%s: %d: %s", cases[i][0], e.col, e.msg);
        describe(&b, &l);
        assert_str(buf_str(&b), cases[i][1]);
        buf_release(&b);
        arena_release(&a);
    }
}

static void fields_of_a_histogram(void **state)
{
    struct arena a;
    struct err e = ERR_INIT;
    struct series_value *v;
    const struct series_histogram *h;
    size_t n;

    (void)state;
    arena_init(&a, 0);
    assert_true(series_parse_values(
        S("{{schema:-53 count:4 sum:1e2 z_bucket:2 z_bucket_w:.5 offset:-3 buckets:[1 Inf] "
          "n_offset:2 n_buckets:[7] custom_values:[-2 3 4] counter_reset_hint:not_reset}}"),
        &a, &v, &n, &e));
    assert_int_equal(n, 1);
    h = v[0].base;
    assert_int_equal(h->schema, -53);
    assert_true(h->count == 4 && h->sum == 100 && h->zero_count == 2 && h->zero_threshold == 0.5);
    assert_true(h->offset == -3 && h->n_offset == 2 && h->hint == SERIES_HINT_NOT_RESET);
    assert_true(h->buckets.n == 2 && isinf(h->buckets.v[1]) && h->n_buckets.v[0] == 7);
    assert_true(h->custom_values.n == 3 && h->custom_values.v[0] == -2);
    arena_release(&a);
}

static void faults(void **state)
{
    static const struct {
        const char *text;
        int col;
    } cases[] = {
        {"m 1 a", 5},
        {"m 1+2", 6},
        {"m 1x", 5},
        {"m{a!='b'} 1", 1},
        {"m{a='b',a='c'} 1", 1},
        {"m{a=~'b'} 1", 1},
        {"m {{count:1", 12},
        {"m {{count:1 count:2}}", 19},
        {"m {{nope:1}}", 5},
        {"m {{schema:1.5}}", 12},
        {"m {{buckets:[a]}}", 14},
        {"m {{}}+1x2", 8},
        {"m 0x1000001", 0},
        {"m 1x600000 2x600000", 0},
        {"", 1},
        {"m{", 3},
        {"m 5s5", 3},
        {"m NaNx3", 3},
        {"m 1+Infx3", 5},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a;
        struct err e = ERR_INIT;
        struct series_line l;

        arena_init(&a, 0);
        if (series_parse(str_of(cases[i].text), &a, &l, &e) || e.col != cases[i].col)
            fail_msg("%s: %d: %s", cases[i].text, e.col, e.msg);
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(fields_of_a_histogram),
        cmocka_unit_test(faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
