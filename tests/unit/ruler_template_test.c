/* Labels and annotations of a rule over a sample. */
#include "unit.h"

#include "ruler/rule_template.h"

static void test_expand(void **state)
{
    static const struct label labels[] = {{S_INIT("__name__"), S_INIT("up")},
                                          {S_INIT("instance"), S_INIT("h1:9100")},
                                          {S_INIT("job"), S_INIT("node")}};
    static const struct label external[] = {{S_INIT("dc"), S_INIT("ber")}};
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"plain }}", "plain }}"},
        {"{{ $labels.job }} on {{ .Labels.instance }}{{ $labels.nope }}", "node on h1:9100"},
        {"{{ $value }} {{ .Value }} {{ $value | humanize }}", "1.2345e+06 1.2345e+06 1.234M"},
        {"{{ printf \"%.2f\" $value }} {{ printf \"%d\" $value }}",
         "1234500.00 %!d(float64=1.2345e+06)"},
        {"{{ $labels }}", "map[__name__:up instance:h1:9100 job:node]"},
        {"{{ $externalLabels.dc }} {{ $externalURL }} {{ externalURL }} {{ pathPrefix }}",
         "ber http://p/x http://p/x /x"},
        {"{{ if gt $value 1.0 }}high{{ end }}", "high"},
        {"{{ if gt $value 1 }}high{{ end }}",
         "<error expanding template: error executing template __alert_Slow: template: "
         "__alert_Slow:1:118: executing \"__alert_Slow\" at <gt $value 1>: error calling gt: "
         "incompatible types for comparison>"},
        {"{{ define \"x\" }}[{{ . }}]{{ end }}{{ template \"x\" .Labels.job }}", "[node]"},
        {"{{ nofunc }}",
         "<error expanding template: error parsing template __alert_Slow: template: "
         "__alert_Slow:1: function \"nofunc\" not defined>"},
    };
    const struct rule_template_vars vars = {.alert = S("Slow"),
                                            .labels = {labels, 3},
                                            .value = 1234500,
                                            .external_labels = {external, 1},
                                            .external_url = S("http://p/x"),
                                            .slot = NS_PER_D};
    struct rule_templates *t = rule_templates_new();
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_str(rule_template_expand(t, &a, str_of(cases[i].text), &vars, NULL), cases[i].want);
    rule_templates_free(t);
    arena_release(&a);
}

/* Alerts of one configuration may share a text: errors name whose it is. */
static void test_shared_text(void **state)
{
    static const char *const alerts[] = {"One", "Two", "One"};
    str text = S("{{ gt $value 1 }}");
    struct rule_templates *t = rule_templates_new();
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < 3; i++) {
        const struct rule_template_vars vars = {.alert = str_of(alerts[i]), .value = 1};
        str got = rule_template_expand(t, &a, text, &vars, NULL);

        assert_true(str_find_str(got, arena_printf(&a, "template __alert_%s:", alerts[i])) >= 0);
    }
    rule_templates_free(t);
    arena_release(&a);
}

static void test_check(void **state)
{
    struct rule_templates *t = rule_templates_new();
    struct err e = ERR_INIT;

    (void)state;
    assert_true(rule_template_check(t, S("A"), S("{{ $labels.x }}"), &e));
    assert_false(rule_template_check(t, S("A"), S("one\n{{ $labls.x }}"), &e));
    assert_int_equal(e.line, 2);
    assert_string_equal(e.msg, "error parsing template __alert_A: template: __alert_A:2: "
                               "undefined variable \"$labls\"");
    rule_templates_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expand),
        cmocka_unit_test(test_shared_text),
        cmocka_unit_test(test_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
