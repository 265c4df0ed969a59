/* A group's run: slots, questions and answers, rows, reload. */
#include "unit.h"

#include "base/mem.h"
#include "model/labels.h"
#include "ruler/rule_group.h"

#define SLOT (1000 * NS_PER_D)
#define ONE                                                                                        \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{"        \
    "\"gpu\":\"0\"},"                                                                              \
    "\"value\":[1,\"7\"]}]}}"

struct bench {
    struct rule_conf rules[3];
    struct rule_group_conf conf;
    struct rule_group *g;
};

static int set_up(void **state)
{
    struct bench *b = mem_new(struct bench);

    b->rules[0] = (struct rule_conf){.is_alert = true, .name = S("A"), .expr = S("a > 0 and b")};
    b->rules[1] = (struct rule_conf){
        .is_alert = true, .name = S("B"), .expr = S("b"), .hold_for = 5 * NS_PER_M};
    b->conf = (struct rule_group_conf){.file = S("f.yml"),
                                       .name = S("g"),
                                       .interval = NS_PER_M,
                                       .query_offset = 30 * NS_PER_S,
                                       .rules = b->rules,
                                       .n_rules = 2,
                                       .source = S("p")};
    b->g = rule_group_new(&b->conf, S("http://prom"), NULL);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    rule_group_free(b->g);
    mem_free(b);
    return 0;
}

static struct source_answer ok(const char *body)
{
    return (struct source_answer){.body = str_of(body)};
}

static void run(struct rule_group *g, int64_t minute, struct source_answer first,
                struct source_answer second)
{
    struct rule_want w;
    ts_ns mono = NS_PER_D + minute * NS_PER_M;

    rule_group_begin(g, SLOT + minute * NS_PER_M, (struct now){SLOT + minute * NS_PER_M, mono});
    assert_int_equal(rule_group_advance(g, NULL, mono, &w), RULE_GROUP_WANT);
    assert_str(w.query, "a > 0 and b");
    assert_int_equal(w.time, SLOT + minute * NS_PER_M - 30 * NS_PER_S);
    assert_int_equal(rule_group_advance(g, &first, mono + NS_PER_S, &w), RULE_GROUP_WANT);
    assert_str(w.query, "b");
    assert_int_equal(rule_group_advance(g, &second, mono + 3 * NS_PER_S, &w), RULE_GROUP_DONE);
}

static void slots_are_absolute(void **state)
{
    struct bench *b = *state;
    struct rule_group_conf other = b->conf;
    ts_ns slot = rule_group_slot_after(&b->conf, SLOT);

    assert_true(slot > SLOT && slot <= SLOT + NS_PER_M);
    assert_int_equal(rule_group_slot_after(&b->conf, slot), slot + NS_PER_M); /* strictly after */
    assert_int_equal(rule_group_slot_after(&b->conf, slot - 1), slot);
    assert_int_equal(rule_group_slot_after(&b->conf, slot + 12345 * NS_PER_M - 1),
                     slot + 12345 * NS_PER_M);
    other.name = S("another"); /* groups are spread over the interval */
    assert_int_not_equal(rule_group_slot_after(&other, SLOT), slot);
}

static void a_run_asks_rule_after_rule(void **state)
{
    struct bench *b = *state;
    const struct rule_group_view *v;

    run(b->g, 0, ok(ONE), ok(ONE));
    assert_int_equal(b->g->send.n, 1); /* A has no for, B is pending */
    assert_str(b->g->send.v[0].generator_url, "http://prom/graph?g0.expr=a+%3E+0+and+b&g0.tab=1");
    assert_int_equal(b->g->rows.n, 2);
    v = b->g->view;
    assert_int_equal(v->n_rules, 2);
    assert_int_equal(v->rules[0].state, RULE_ALERT_FIRING);
    assert_int_equal(v->rules[1].state, RULE_ALERT_PENDING);
    assert_int_equal(v->rules[1].took, 2 * NS_PER_S);
    assert_int_equal(v->rules[0].alerts[0].active_at, SLOT);
    assert_int_equal(v->took, 3 * NS_PER_S);
    assert_int_equal(v->last_eval, SLOT);
}

static void a_failed_rule_does_not_stop_the_others(void **state)
{
    struct bench *b = *state;
    struct source_answer down = {.error = SOURCE_DOWN, .err = {.msg = "refused"}};

    run(b->g, 0, ok(ONE), ok(ONE));
    run(b->g, 1, down, ok(ONE));
    assert_int_equal(b->g->view->rules[0].health, RULE_ERR);
    assert_str(b->g->view->rules[0].last_error, "refused");
    assert_int_equal(b->g->view->rules[0].n_alerts, 1); /* untouched: not resolved */
    assert_int_equal(b->g->view->rules[1].health, RULE_OK);
    assert_int_equal(b->g->send.n, 0);
    assert_int_equal(b->g->failed, 1);
    assert_int_equal(b->g->outages, 1);
    run(b->g, 2, ok("not json"), ok(ONE));
    assert_int_equal(b->g->outages, 0);
    assert_int_equal(b->g->rules[0].failures, 2);
    run(b->g, 3, ok(ONE), ok(ONE));
    assert_int_equal(b->g->view->rules[0].health, RULE_OK);
    assert_int_equal(b->g->rules[0].failures, 0);
    assert_int_equal(b->g->view->iterations, 4);
    assert_int_equal(b->g->view->evaluations, 8);
    assert_int_equal(b->g->view->failures, 2);
}

static void a_view_outlives_the_next_run(void **state)
{
    struct bench *b = *state;
    struct rule_group_view *v;

    run(b->g, 0, ok(ONE), ok(ONE));
    v = rule_group_view_ref(b->g->view);
    run(b->g, 6, ok(ONE), ok(ONE));
    assert_int_equal(v->rules[1].state, RULE_ALERT_PENDING);
    assert_int_equal(b->g->view->rules[1].state, RULE_ALERT_FIRING);
    rule_group_view_unref(v);
}

static void rows_bring_a_group_back(void **state)
{
    struct bench *b = *state;
    struct rule_group *again = rule_group_new(&b->conf, S("http://prom"), NULL);
    struct now now = {SLOT + NS_PER_M, NS_PER_D + NS_PER_M};

    run(b->g, 0, ok(ONE), ok(ONE));
    for (size_t i = 0; i < b->g->rows.n; i++)
        assert_true(
            rule_group_restore(again, b->g->rows.v[i].key, b->g->rows.v[i].value, SLOT, now));
    assert_false(rule_group_restore(again, S("0000000000000000/0000000000000000"),
                                    b->g->rows.v[0].value, SLOT, now));
    rule_group_make_view(again);
    assert_int_equal(again->view->rules[0].state, RULE_ALERT_FIRING);
    run(again, 1, ok(ONE), ok(ONE));
    assert_int_equal(again->send.n, 0); /* last sent a minute ago: not due */
    assert_int_equal(again->view->rules[0].alerts[0].fired_at, SLOT);
    rule_group_free(again);
}

static void forgotten_alerts_are_deleted_rows(void **state)
{
    static const char none[] =
        "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}";
    struct bench *b = *state;
    str pending;

    run(b->g, 0, ok(none), ok(ONE));
    assert_int_equal(b->g->rows.n, 1);
    pending = mem_str_dup(b->g->rows.v[0].key);
    run(b->g, 1, ok(none), ok(none));
    assert_int_equal(b->g->rows.n, 1);
    assert_true(str_eq(b->g->rows.v[0].key, pending));
    assert_int_equal(b->g->rows.v[0].value.n, 0);
    mem_str_free(pending);
}

static void a_reload_moves_state_by_name_and_labels(void **state)
{
    struct bench *b = *state;
    struct conf_pair label = {.name = S("severity"), .value = S("page")};
    struct rule_conf changed[3] = {b->rules[1], b->rules[1], b->rules[0]};
    struct rule_group_conf conf = b->conf;
    struct rule_group *to;

    conf.rules = changed;
    conf.n_rules = 3;
    changed[2].expr = S("another"); /* keeps its state */
    changed[0].hold_for = NS_PER_H; /* first to first */
    assert_true(rule_group_same(&b->conf, &b->conf));
    assert_false(rule_group_same(&b->conf, &conf));
    run(b->g, 0, ok(ONE), ok(ONE));
    to = rule_group_new(&conf, S("http://prom"), NULL);
    rule_group_move_state(to, b->g);
    assert_int_equal(to->view->rules[0].n_alerts, 1);
    assert_int_equal(to->view->rules[1].n_alerts, 0);
    assert_int_equal(to->view->rules[2].state, RULE_ALERT_FIRING);
    rule_group_free(b->g);
    b->g = to;
    changed[2].all_labels = (struct conf_map){&label, 1}; /* a changed label loses it */
    to = rule_group_new(&conf, S("http://prom"), NULL);
    rule_group_move_state(to, b->g);
    assert_int_equal(to->view->rules[2].n_alerts, 0);
    assert_int_equal(to->view->rules[0].n_alerts, 1);
    rule_group_free(to);
    rule_group_free(b->g); /* points into changed[] */
    b->g = NULL;
}

/* The rule A asks with its annotation: its expression, then "up" at the slot itself. */
static enum rule_group_step ask(struct rule_group *g, int64_t minute, struct source_answer up,
                                struct rule_want *w)
{
    static char body[] = ONE;
    struct source_answer expr = ok(body);
    ts_ns mono = NS_PER_D + minute * NS_PER_M;

    memcpy(body, ONE, sizeof(body));
    rule_group_begin(g, SLOT + minute * NS_PER_M, (struct now){SLOT + minute * NS_PER_M, mono});
    assert_int_equal(rule_group_advance(g, NULL, mono, w), RULE_GROUP_WANT);
    assert_str(w->query, "a > 0 and b");
    assert_int_equal(rule_group_advance(g, &expr, mono, w), RULE_GROUP_WANT);
    memset(body, 'x', sizeof(body) - 1); /* an answer is borrowed for the call */
    assert_str(w->query, "up");
    assert_int_equal(w->time, SLOT + minute * NS_PER_M);
    return rule_group_advance(g, &up, mono, w);
}

static void templates_ask(void **state)
{
    struct bench *b = *state;
    struct conf_pair twice = {.name = S("x"),
                              .value = S("{{ query \"up\" | len }}{{ range query \"up\" }}{{ "
                                         ".Labels.gpu }}={{ .Value }}{{ end }}")};
    struct source_answer refused = {.error = SOURCE_BAD_DATA, .err = {.msg = "1:1: parse error"}};
    struct source_answer away = {.error = SOURCE_DOWN, .err = {.msg = "refused"}};
    struct rule_want w;

    b->rules[0].annotations = (struct conf_map){&twice, 1};
    b->conf.n_rules = 1;
    rule_group_free(b->g);
    b->g = rule_group_new(&b->conf, S("http://prom"), NULL);
    assert_int_equal(ask(b->g, 0, ok(ONE), &w), RULE_GROUP_DONE);
    assert_int_equal(b->g->send.n, 1);
    assert_str(labels_get(b->g->send.v[0].annotations, S("x")), "10=7");
    assert_str(labels_get(b->g->send.v[0].labels, S("gpu")), "0");
    /* what the source refuses shows in the text */
    assert_int_equal(ask(b->g, 2, refused, &w), RULE_GROUP_DONE);
    assert_int_equal(b->g->rules[0].health, RULE_OK);
    assert_true(str_ends_with(labels_get(b->g->send.v[0].annotations, S("x")),
                              S("error calling query: 1:1: parse error>")));
    /* a source that is away says nothing, so the alert stays as it was */
    assert_int_equal(ask(b->g, 4, away, &w), RULE_GROUP_DONE);
    assert_int_equal(b->g->rules[0].health, RULE_ERR);
    assert_string_equal(b->g->rules[0].last_error, "query of a template: refused");
    assert_int_equal(b->g->outages, 1);
    assert_int_equal(b->g->view->rules[0].n_alerts, 1);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(slots_are_absolute),
        T(a_run_asks_rule_after_rule),
        T(a_failed_rule_does_not_stop_the_others),
        T(a_view_outlives_the_next_run),
        T(rows_bring_a_group_back),
        T(forgotten_alerts_are_deleted_rows),
        T(templates_ask),
        T(a_reload_moves_state_by_name_and_labels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
