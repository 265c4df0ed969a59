/* Relabeling: every action, by configurations as they are written; the expected sets are Prometheus'. */
#include "unit.h"

#include "model/labels.h"
#include "promql/series.h"
#include "schema/relabel_conf.h"
#include "schema/schema.h"

struct holder {
    struct relabel_rules rules;
};

static const struct conf_key keys[] = {
    CONF_KEY(struct holder, rules, CONF_LIST, "rules", .sub = &relabel_conf_type,
             .flags = CONF_NO_NULLS),
    CONF_KEYS_END,
};
static const struct conf_type holder_type = {
    .name = "holder", .keys = keys, .size = sizeof(struct holder)};

static struct arena arena;
static struct diags diags;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 0);
    diags_init(&diags);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    diags_release(&diags);
    arena_release(&arena);
    return 0;
}

static bool decode(const char *yaml, struct holder *out)
{
    struct yaml_doc doc;
    struct conf_run run = {.a = &arena, .d = &diags};
    struct conf_part part;

    if (!yaml_parse(str_of(yaml), S("rules.yml"), &arena, &doc, &diags))
        fail_msg("%s", yaml);
    part = (struct conf_part){&doc, doc.root};
    return conf_decode(&run, &part, 1, (struct conf_layer){&holder_type, out, NULL});
}

/* What the rules make of a set; "dropped" when nothing. */
static str apply(const char *rules, const char *set)
{
    struct holder h;
    struct labels ls;
    struct err e = ERR_INIT;
    struct buf b = BUF_INIT;
    str out = S("dropped");

    if (!decode(arena_printf(&arena, "rules: [%s]", rules).p, &h))
        fail_msg("%s: %.*s", rules, STR(diags.v[0].message));
    if (!series_parse_labels(str_of(set), &arena, &ls, &e))
        fail_msg("%s: %s", set, e.msg);
    if (relabel(&h.rules, ls, &arena, &ls)) {
        labels_print(&b, ls);
        out = arena_str(&arena, buf_str(&b));
    }
    relabel_rules_release(&h.rules);
    buf_release(&b);
    return out;
}

static str refusal(const char *rules)
{
    struct holder h;
    size_t before = diags.n;

    if (decode(arena_printf(&arena, "rules: [%s]", rules).p, &h))
        fail_msg("accepted: %s", rules);
    relabel_rules_release(&h.rules);
    return diags.v[before].message;
}

static void test_replace(void **state)
{
    (void)state;
    assert_str(apply("{source_labels: [a], target_label: b}", "{a=\"x\"}"), "{a=\"x\", b=\"x\"}");
    assert_str(apply("{source_labels: [a, b], regex: 'f(.*);(.*)r', target_label: c, "
                     "replacement: '$1-${2}x'}",
                     "{a=\"foo\", b=\"bar\"}"),
               "{a=\"foo\", b=\"bar\", c=\"oo-bax\"}");
    assert_str(apply("{source_labels: [a], regex: x, target_label: b}", "{a=\"yxy\"}"),
               "{a=\"yxy\"}");
    /* no source: the value is empty, which "(.*)" matches */
    assert_str(apply("{target_label: b, replacement: z}", "{a=\"1\"}"), "{a=\"1\", b=\"z\"}");
    assert_str(apply("{target_label: a, replacement: ''}", "{a=\"1\", b=\"2\"}"), "{b=\"2\"}");
    assert_str(apply("{source_labels: [a], regex: '(\\w+),(\\w+)', target_label: '${1}', "
                     "replacement: '$2'}",
                     "{a=\"n,v\"}"),
               "{a=\"n,v\", n=\"v\"}");
}

static void test_keep_and_drop(void **state)
{
    (void)state;
    assert_str(apply("{source_labels: [a], regex: 'x|y', action: keep}", "{a=\"x\"}"), "{a=\"x\"}");
    assert_str(apply("{source_labels: [a], regex: 'x|y', action: keep}", "{a=\"xy\"}"), "dropped");
    assert_str(apply("{source_labels: [a], regex: 'x', action: DROP}", "{a=\"x\"}"), "dropped");
    assert_str(apply("{source_labels: [a], target_label: b, action: keepequal}",
                     "{a=\"x\", b=\"x\"}"),
               "{a=\"x\", b=\"x\"}");
    assert_str(apply("{source_labels: [a], target_label: b, action: dropequal}",
                     "{a=\"x\", b=\"x\"}"),
               "dropped");
    /* an empty regex matches the empty value only */
    assert_str(apply("{source_labels: [a], regex: '', action: drop}", "{b=\"x\"}"), "dropped");
}

static void test_hashmod(void **state)
{
    (void)state;
    /* Prometheus' own case */
    assert_str(apply("{source_labels: [c], target_label: d, action: hashmod, modulus: 1000}",
                     "{a=\"foo\", b=\"bar\", c=\"baz\"}"),
               "{a=\"foo\", b=\"bar\", c=\"baz\", d=\"976\"}");
}

static void test_names(void **state)
{
    (void)state;
    assert_str(apply("{regex: 'meta_(ng.*)', action: labelmap}",
                     "{meta_ng_a=\"a\", meta_ng_b=\"b\", meta_x=\"x\"}"),
               "{meta_ng_a=\"a\", meta_ng_b=\"b\", meta_x=\"x\", ng_a=\"a\", ng_b=\"b\"}");
    assert_str(apply("{regex: 'b.*', action: labeldrop}", "{a=\"1\", b1=\"2\", b2=\"3\"}"),
               "{a=\"1\"}");
    assert_str(apply("{regex: 'b.*', action: labelkeep}", "{a=\"1\", b1=\"2\"}"), "{b1=\"2\"}");
    assert_str(apply("{source_labels: [a], target_label: l, action: lowercase}, "
                     "{source_labels: [a], target_label: u, action: uppercase}",
                     "{a=\"bAr123\"}"),
               "{a=\"bAr123\", l=\"bar123\", u=\"BAR123\"}");
}

/* A name that is none is not written, by labelmap as by replace. */
static void test_names_that_are_none(void **state)
{
    (void)state;
    assert_str(apply("{regex: 'a', action: labelmap}", "{a=\"1\", b=\"2\"}"), "{a=\"1\", b=\"2\"}");
    assert_str(apply("{regex: 'meta_(.*)', action: labelmap}", "{meta_=\"1\", meta_x=\"2\"}"),
               "{meta_=\"1\", meta_x=\"2\", x=\"2\"}");
    assert_str(apply("{source_labels: [a], regex: 'x', target_label: '$1'}", "{a=\"x\"}"),
               "{a=\"x\"}");
}

static void warns(const char *rule, bool wanted)
{
    struct holder h;
    size_t before = diags.n;

    if (!decode(arena_printf(&arena, "rules: [%s]", rule).p, &h))
        fail_msg("%s", rule);
    relabel_rules_release(&h.rules);
    assert_int_equal(diags.n - before, wanted);
    if (wanted && str_find_str(diags.v[before].message, S("does nothing")) < 0)
        fail_msg("%s: %.*s", rule, STR(diags.v[before].message));
}

static void test_what_writes_nothing_is_told(void **state)
{
    (void)state;
    warns("{regex: '__meta_.*', action: labelmap}", true);
    warns("{regex: '__meta_(.*)', action: labelmap, replacement: '$2'}", true);
    warns("{regex: 'x', source_labels: [a], target_label: '${1}'}", true);
    warns("{regex: '__meta_(.*)', action: labelmap}", false);
    warns("{regex: '__meta_.*', action: labelmap, replacement: '$0'}", false);
    warns("{regex: '__meta_.*', action: labelmap, replacement: 'x$1'}", false);
    warns("{action: labelmap}", false);
    warns("{source_labels: [a], target_label: b, replacement: '$2'}", false);
}

static void test_refusals(void **state)
{
    (void)state;
    assert_str(refusal("{action: hashmod, target_label: a}"),
               "rules[0]: action hashmod needs a \"modulus\" that is not 0");
    assert_str(refusal("{source_labels: [a]}"),
               "rules[0]: action replace needs a \"target_label\"");
    assert_str(refusal("{action: labeldrop, regex: a, target_label: b}"),
               "rules[0]: action labeldrop takes only \"regex\"");
    assert_str(refusal("{action: keepequal, source_labels: [a], target_label: b, regex: x}"),
               "rules[0]: action keepequal takes only \"source_labels\" and \"target_label\"");
    assert_str(refusal("{action: lowercase, target_label: b, replacement: x}"),
               "rules[0]: action lowercase takes no \"replacement\"");
    assert_str(refusal("{action: turn, target_label: b}"),
               "rules[0].action: unknown relabel action \"turn\"");
    assert_str(refusal("null"), "rules[0]: empty list element");
    assert_str(refusal("{regex: '(', target_label: b}"),
               "rules[0].regex: error parsing regexp: missing closing ): `(`");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_replace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keep_and_drop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hashmod, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_that_are_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_writes_nothing_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
