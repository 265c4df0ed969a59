#include "unit.h"

#include <math.h>
#include "model/metric.h"

static void text(void **state)
{
    const struct expo_label labels[] = {{S("a"), S("x\"y\\z\n")}, {S("b"), S("\303\244")}};
    struct buf out = BUF_INIT;
    struct expo x;

    (void)state;
    expo_init(&x, &out, EXPO_TEXT);
    expo_family(&x, S("t_total"), EXPO_COUNTER, S("a \"b\" \\ c\nd"));
    expo_u64(&x, labels, 2, UINT64_MAX);
    expo_value(&x, NULL, 0, 1000000);
    expo_family(&x, S("g"), EXPO_UNTYPED, S(""));
    expo_value(&x, NULL, 0, NAN);
    expo_value(&x, NULL, 0, -INFINITY);
    expo_end(&x);
    assert_str(buf_str(&out), "# HELP t_total a \"b\" \\\\ c\\nd\n# TYPE t_total counter\n"
                              "t_total{a=\"x\\\"y\\\\z\\n\",b=\"\303\244\"} 18446744073709551615\n"
                              "t_total 1e+06\n# HELP g \n# TYPE g untyped\ng NaN\ng -Inf\n");
    buf_release(&out);
}

static void escaped_names(void **state)
{
    static const struct {
        const char *name, *escaped[4];
    } cases[] = {
        {"plain_1", {"plain_1", "plain_1", "plain_1", "plain_1"}},
        {"a.b_c", {"a_b_c", "a_dot_b__c", "U__a_2e_b__c", "a.b_c"}},
        {"1\316\243", {"__", "____", "U___31__3a3_", "1\316\243"}},
        {"\360\237\231\202x", {"_x", "__x", "U___1f642_x", "\360\237\231\202x"}},
    };
    struct buf out = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (size_t how = 0; how < 4; how++) {
            buf_clear(&out);
            expo_escape_name(&out, str_of(cases[i].name), true, (enum expo_escaping)how);
            assert_str(buf_str(&out), cases[i].escaped[how]);
        }
    buf_clear(&out);
    expo_escape_name(&out, S("a:b"), false, EXPO_UNDERSCORES);
    assert_str(buf_str(&out), "a_b");
    buf_release(&out);
}

static void histograms_in_both_formats(void **state)
{
    static const double bounds[] = {0.5, 1, 10};
    static const struct metric row = {"h_seconds", EXPO_HISTOGRAM, "H."};
    const struct expo_label labels[] = {{S("a"), S("b")}};
    struct buf out = BUF_INIT;
    struct metric_histogram h;
    struct expo x;

    (void)state;
    metric_histogram_init(&h, bounds, ARRAY_LEN(bounds));
    metric_histogram_observe(&h, 0.5);
    metric_histogram_observe(&h, 0.75);
    metric_histogram_observe(&h, 99);
    expo_init(&x, &out, EXPO_TEXT);
    metric_begin(&x, &row);
    metric_put_histogram(&x, labels, 1, &h);
    assert_str(buf_str(&out),
               "# HELP h_seconds H.\n# TYPE h_seconds histogram\n"
               "h_seconds_bucket{a=\"b\",le=\"0.5\"} 1\nh_seconds_bucket{a=\"b\",le=\"1\"} 2\n"
               "h_seconds_bucket{a=\"b\",le=\"10\"} 2\nh_seconds_bucket{a=\"b\",le=\"+Inf\"} 3\n"
               "h_seconds_sum{a=\"b\"} 100.25\nh_seconds_count{a=\"b\"} 3\n");
    buf_clear(&out);
    expo_init(&x, &out, EXPO_OPENMETRICS);
    expo_family(&x, S("t_total"), EXPO_COUNTER, S("\"q\""));
    expo_value(&x, NULL, 0, 3);
    metric_begin(&x, &row);
    metric_put_histogram(&x, NULL, 0, &h);
    expo_end(&x);
    assert_str(buf_str(&out),
               "# HELP t \\\"q\\\"\n# TYPE t counter\nt_total 3.0\n"
               "# HELP h_seconds H.\n# TYPE h_seconds histogram\nh_seconds_bucket{le=\"0.5\"} 1\n"
               "h_seconds_bucket{le=\"1.0\"} 2\nh_seconds_bucket{le=\"10.0\"} 2\n"
               "h_seconds_bucket{le=\"+Inf\"} 3\nh_seconds_sum 100.25\nh_seconds_count 3\n# EOF\n");
    buf_release(&out);
    metric_histogram_release(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text),
        cmocka_unit_test(escaped_names),
        cmocka_unit_test(histograms_in_both_formats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
