#include "unit.h"

#include "base/buf.h"
#include "ruler/rule_file.h"

struct parsed {
    struct arena a;
    struct diags d;
    struct rule_file file;
    bool ok;
};

static void parse(struct parsed *p, const char *text, enum matcher_mode mode)
{
    static const struct global_conf global = {.evaluation_interval = 20 * NS_PER_S,
                                              .rule_query_offset = 7 * NS_PER_S};
    const struct rule_file_options o = {.mode = mode, .global = &global};

    arena_init(&p->a, 0);
    diags_init(&p->d);
    p->ok = rule_file_parse(str_of(text), S("r.yml"), &o, &p->a, &p->file, &p->d);
}

static void drop(struct parsed *p)
{
    diags_release(&p->d);
    arena_release(&p->a);
}

static void groups_and_rules(void **state)
{
    struct parsed p;
    const struct rule_group_conf *g;
    const struct rule_conf *r;
    struct diag_place at;

    (void)state;
    parse(&p,
          "groups:\n"
          "- name: g\n"
          "  interval: 30s\n"
          "  query_offset: 0s\n"
          "  labels: {team: a, severity: low}\n"
          "  rules:\n"
          "  - alert: A\n"
          "    expr: |\n"
          "      up\n"
          "        == 0\n"
          "    for: 5m\n"
          "    labels: {severity: 1}\n"
          "    annotations: {summary: x}\n"
          "  - record: a:b\n"
          "    expr: 1\n"
          "- name: h\n",
          MATCHER_FALLBACK);
    assert_true(p.ok);
    assert_int_equal(p.file.n_groups, 2);
    g = &p.file.groups[0];
    assert_true(g->interval == 30 * NS_PER_S && g->query_offset == 0);
    assert_true(g[1].interval == 20 * NS_PER_S && g[1].query_offset == 7 * NS_PER_S);
    r = &g->rules[0];
    assert_true(r->is_alert && r->hold_for == 5 * NS_PER_M);
    assert_int_equal(r->all_labels.n, 2);
    assert_str(r->all_labels.v[0].value, "a");
    assert_str(r->all_labels.v[1].value, "1");
    at = yaml_place_in(r->doc, r->expr_node, 5, 2); /* the == */
    assert_int_equal(at.line, 10);
    assert_int_equal(at.col, 9);
    assert_str(g->rules[1].expr, "1");
    assert_false(g->rules[1].is_alert);
    drop(&p);
}

/* Labels that several rules have stand once, and only those; the file may go. */
static void kept_rules_share_labels(void **state)
{
    struct rule_texts *texts = rule_texts_new();
    struct rule_group_conf g;
    struct parsed p;

    (void)state;
    parse(&p,
          "groups:\n"
          "- name: g\n"
          "  rules:\n"
          "  - {alert: A, expr: up, labels: {severity: low, a: b}, annotations: {severity: high}}\n"
          "  - {alert: B, expr: up, labels: {severity: high}}\n"
          "  - {alert: C, expr: up, labels: {severity: low, a: b}}\n",
          MATCHER_FALLBACK);
    assert_true(p.ok);
    g = p.file.groups[0];
    rule_groups_keep(texts, &g, 1);
    drop(&p);
    assert_ptr_equal(g.rules[0].all_labels.v, g.rules[2].all_labels.v);
    assert_ptr_equal(g.rules[0].shown_labels.v, g.rules[2].shown_labels.v);
    assert_ptr_equal(g.rules[0].annotations.v, g.rules[1].all_labels.v);
    assert_int_equal(g.rules[0].all_labels.n, 2);
    assert_str(g.rules[0].all_labels.v[0].value, "low");
    assert_str(g.rules[0].shown_labels.v[0].name, "a");
    assert_str(g.rules[1].all_labels.v[0].value, "high");
    assert_int_equal(g.rules[1].all_labels.n, 1);
    assert_int_equal(g.rules[1].annotations.n, 0);
    assert_int_equal(g.rules[2].line, 6);
    assert_null(g.rules[2].doc);
    rule_texts_unref(texts);
}

static void faults_have_ids_and_places(void **state)
{
    static const struct {
        const char *text, *id;
        int line;
        const char *word;
    } rows[] = {
        {"groups: [", "R001", 1, "yaml"},
        {"groups:\n- name: g\n  limit: x\n", "R001", 3, "integer"},
        {"groups:\n- name: g\n  ruls: []\n", "R002", 3, "\"rules\""},
        {"groups:\n- name: g\n  eval_delay: 1m\n", "R002", 3, "vmalert"},
        {"groups:\n- interval: 1m\n", "R003", 2, "name"},
        {"groups:\n- name: g\n- name: g\n", "R003", 3, "twice"},
        {"groups:\n- name: g\n  rules:\n  - {alert: a, record: b, expr: c}\n", "R004", 4, "both"},
        {"groups:\n- name: g\n  rules:\n  - {expr: c}\n", "R004", 4, "neither"},
        {"groups:\n- name: g\n  rules:\n  - {alert: a}\n", "R005", 4, "expr"},
        {"groups:\n- name: g\n  rules:\n  - alert: a\n    expr: |\n      up\n        and (x\n",
         "R005", 7, "unclosed left parenthesis"},
        {"groups:\n- name: g\n  rules:\n  - {alert: a, expr: 'x[5m]'}\n", "R006", 4,
         "range vector"},
        {"groups:\n- name: g\n  rules:\n  - {record: a, expr: '\"x\"'}\n", "R006", 4, "a string"},
        {"groups:\n- name: g\n  interval: 1.5m\n", "R007", 3, "1.5m"},
        {"groups:\n- name: g\n  rules:\n  - record: a\n    expr: b\n    for: 1m\n", "R008", 6,
         "\"for\""},
        {"groups:\n- name: g\n  rules:\n  - record: a\n    expr: b\n    annotations: {x: y}\n",
         "R008", 6, "annotations"},
        {"groups:\n- name: g\n  rules:\n  - record: a{b}\n    expr: b\n", "R009", 4, "braces"},
        {"groups:\n- name: g\n  rules:\n  - alert: a\n    expr: b\n    labels: {__name__: x}\n",
         "R009", 6, "__name__"},
        {"groups:\n- name: g\n  labels: {__name__: x}\n", "R009", 3, "__name__"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct parsed p;
        bool hit = false;

        parse(&p, rows[i].text, MATCHER_FALLBACK);
        assert_false(p.ok);
        for (size_t j = 0; j < p.d.n; j++)
            hit |= strcmp(p.d.v[j].id, rows[i].id) == 0 && p.d.v[j].place.line == rows[i].line &&
                   (str_find_str(p.d.v[j].message, str_of(rows[i].word)) >= 0 ||
                    str_find_str(p.d.v[j].help, str_of(rows[i].word)) >= 0);
        if (!hit)
            print_error("%s:%d %.*s in %s\n", p.d.v[0].id, p.d.v[0].place.line,
                        STR(p.d.v[0].message), rows[i].text);
        assert_true(hit);
        drop(&p);
    }
}

static void all_faults_of_a_file(void **state)
{
    struct parsed p;

    (void)state;
    parse(&p,
          "groups: [{name: g, rules: [{}, {record: 'a{', expr: x, for: 1m, keep_firing_for: 1m, "
          "annotations: {a: b}}]}]\n",
          MATCHER_FALLBACK);
    assert_int_equal(p.d.errors, 6);
    drop(&p);
    parse(&p,
          "groups: [{name: g, rules: [{alert: a, expr: x, annotations: {a.b: c}, labels: {d-e: "
          "f}}]}]\n",
          MATCHER_CLASSIC);
    assert_int_equal(p.d.errors, 2);
    drop(&p);
    parse(&p, "", MATCHER_FALLBACK);
    assert_true(p.ok && p.file.n_groups == 0);
    drop(&p);
    parse(&p, "groups: []\n---\ngroups: [{\n", MATCHER_FALLBACK);
    assert_true(p.ok && p.d.warnings == 1);
    assert_string_equal(p.d.v[0].id, "R012");
    drop(&p);
}

static void expressions(void **state)
{
    static const char text[] =
        "groups: [{name: g, rules: [{record: a, expr: ' up  ==bool on(x)1*y'},\n"
        "  {record: b, expr: 'keep_last_value(x) or 2x'}]}]\n";
    struct rule_file_options o = {.dialect = RULE_METRICSQL};
    struct parsed p;

    (void)state;
    parse(&p, text, MATCHER_FALLBACK);
    assert_false(p.ok);
    assert_int_equal(p.d.errors, 1);
    assert_int_equal(p.d.v[0].place.line, 2);
    assert_int_equal(p.d.v[0].place.col, 22);
    drop(&p);

    arena_init(&p.a, 0);
    diags_init(&p.d);
    assert_true(rule_file_parse(str_of(text), S("r.yml"), &o, &p.a, &p.file, &p.d));
    assert_int_equal(p.d.warnings, 1);
    assert_string_equal(p.d.v[0].id, "R071");
    assert_str(p.file.groups[0].rules[0].query, "up == bool on (x) 1 * y");
    assert_str(p.file.groups[0].rules[1].query, "keep_last_value(x) or 2x");
    drop(&p);
}

/* What an alert that ends is asked for. */
static void left_sides(void **state)
{
    static const struct {
        const char *expr, *left;
    } cases[] = {
        {"temp > 80", "temp"},
        {"(sum by (x) (rate(e[5m])) / n) >= 0.1", "(sum by (x) (rate(e[5m])) / n)"},
        {"80 < temp", "temp"},
        {"a > on (x) group_left () b", "a"},
        {"temp > 80 and on (x) up == 1", "temp"},
        {"(temp != 3 unless b) unless c", "temp"},
        {"temp > bool 80", ""},
        {"a > 1 or b > 2", ""},
        {"absent(up)", ""},
        {"1 > bool 2", ""},
        {"temp", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256];
        struct parsed p;

        snprintf(text, sizeof(text), "groups: [{name: g, rules: [{alert: A, expr: '%s'}]}]\n",
                 cases[i].expr);
        parse(&p, text, MATCHER_FALLBACK);
        assert_true(p.ok);
        assert_str(p.file.groups[0].rules[0].left, cases[i].left);
        drop(&p);
    }
}

static void a_tolerant_load_leaves_out_what_is_bad(void **state)
{
    static const char text[] = "groups:\n"
                               "- name: g\n"
                               "  rules:\n"
                               "  - {record: a, expr: vector(1)}\n"
                               "  - {alert: B, expr: 'sum('}\n"
                               "  - {record: c, expr: vector(1)}\n"
                               "- name: g\n"
                               "  rules: [{record: d, expr: vector(1)}]\n"
                               "- name: h\n"
                               "  rules: [{record: e, expr: vector(1)}]\n";
    const struct rule_file_options o = {.mode = MATCHER_FALLBACK, .tolerates = true};
    struct parsed p;

    (void)state;
    arena_init(&p.a, 0);
    diags_init(&p.d);
    assert_true(rule_file_parse(str_of(text), S("r.yml"), &o, &p.a, &p.file, &p.d));
    assert_int_equal(p.d.errors, 0);
    assert_int_equal(p.d.warnings, 2);
    assert_int_equal(p.file.n_groups, 2);
    assert_int_equal(p.file.groups[0].n_rules, 2);
    assert_str(p.file.groups[0].rules[1].name, "c");
    assert_str(p.file.groups[1].name, "h");
    assert_int_equal(p.file.skipped.n, 2);
    assert_str(p.file.skipped.v[0].rule, "B");
    assert_str(p.file.skipped.v[1].group, "g");
    assert_str(p.file.skipped.v[1].rule, "");
    vec_release(&p.file.skipped);
    drop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_and_rules),
        cmocka_unit_test(expressions),
        cmocka_unit_test(left_sides),
        cmocka_unit_test(kept_rules_share_labels),
        cmocka_unit_test(faults_have_ids_and_places),
        cmocka_unit_test(all_faults_of_a_file),
        cmocka_unit_test(a_tolerant_load_leaves_out_what_is_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
