/* A group's run: slots, questions and answers, rows, reload. */
#include "unit.h"

#include "base/mem.h"
#include "model/labels.h"
#include "ruler/rule_group.h"
#include "ruler/rule_persist.h"
#include "tsdb_fixture.h"

#define SLOT (1000 * NS_PER_D)
#define ONE                                                                                        \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{"        \
    "\"gpu\":\"0\"},"                                                                              \
    "\"value\":[1,\"7\"]}]}}"

/* The time of a run: where it stands, and by how much each look at it moves it. */
struct watch {
    ts_ns mono;
    dur_ns step;
};

static ts_ns look(void *arg)
{
    struct watch *w = arg;

    w->mono += w->step;
    return w->mono;
}

static enum rule_group_step advance(struct rule_group *g, const struct source_answer *answer,
                                    ts_ns mono, struct rule_want *w)
{
    struct watch at = {mono, 0};

    return rule_group_advance(g, answer, (struct rule_clock){look, &at}, w);
}

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
    assert_int_equal(advance(g, NULL, mono, &w), RULE_GROUP_WANT);
    assert_str(w.query, "a > 0 and b");
    assert_int_equal(w.time, SLOT + minute * NS_PER_M - 30 * NS_PER_S);
    assert_int_equal(advance(g, &first, mono + NS_PER_S, &w), RULE_GROUP_WANT);
    assert_str(w.query, "b");
    assert_int_equal(advance(g, &second, mono + 3 * NS_PER_S, &w), RULE_GROUP_DONE);
}

static ts_ns slot_after(const struct rule_group_conf *conf, ts_ns t)
{
    return ts_slot_after(t, conf->interval, rule_group_place(conf));
}

static void slots_are_absolute(void **state)
{
    struct bench *b = *state;
    struct rule_group_conf other = b->conf;
    ts_ns slot = slot_after(&b->conf, SLOT);

    assert_true(slot > SLOT && slot <= SLOT + NS_PER_M);
    assert_int_equal(slot_after(&b->conf, slot), slot + NS_PER_M); /* strictly after */
    assert_int_equal(slot_after(&b->conf, slot - 1), slot);
    assert_int_equal(slot_after(&b->conf, slot + 12345 * NS_PER_M - 1), slot + 12345 * NS_PER_M);
    other.name = S("another"); /* groups are spread over the interval */
    assert_int_not_equal(slot_after(&other, SLOT), slot);
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
    uint64_t id;

    run(b->g, 0, ok(ONE), ok(ONE));
    for (size_t i = 0; i < b->g->rows.n; i++) {
        assert_true(rule_row_identity(b->g->rows.v[i].key, &id));
        for (size_t k = 0; k < again->n_rules; k++)
            if (again->rules[k].identity == id)
                assert_true(
                    rule_group_restore(again, &again->rules[k], b->g->rows.v[i].value, SLOT, now));
    }
    assert_false(rule_group_restore(again, &again->rules[0], S("?"), SLOT, now));
    assert_false(rule_row_identity(S("000000000000000/00000000000000000"), &id));
    assert_false(rule_row_identity(S("000000000000000G/0000000000000000"), &id));
    assert_false(rule_row_identity(S("0000000000000000"), &id));
    rule_group_make_view(again);
    assert_int_equal(again->view->rules[0].state, RULE_ALERT_FIRING);
    run(again, 1, ok(ONE), ok(ONE));
    assert_int_equal(again->send.n, 0); /* last sent a minute ago: not due */
    assert_int_equal(again->view->rules[0].alerts[0].fired_at, SLOT);
    rule_group_free(again);
}

static const struct rule_row *row_of(const struct rule_group *g, str key)
{
    VEC_EACH (const struct rule_row *, row, &g->rows)
        if (str_eq(row->key, key))
            return row;
    return NULL;
}

/* Version 0.1.0 went by the path as it was given. A row that is there under both names is taken once. */
static void rows_of_an_older_version_are_renamed(void **state)
{
    struct bench *b = *state;
    struct rule_group_conf moved = b->conf;
    struct now now = {SLOT + NS_PER_M, NS_PER_D + NS_PER_M};
    struct rule_group *again;
    struct rule_past *past = rule_past_new(SLOT);
    uint64_t then[RULE_OLD_IDENTITIES];

    run(b->g, 0, ok(ONE), ok(ONE));
    moved.file = S("../elsewhere/f.yml");
    moved.absolute = S("/f.yml");
    moved.path = S("rules/f.yml");
    assert_int_not_equal(rule_group_id(&moved), rule_group_id(&b->conf));
    again = rule_group_new(&moved, S("http://prom"), NULL);
    rule_old_identities(&b->conf, &b->rules[0], then);
    assert_int_equal(then[0], b->g->rules[0].identity); /* what it was known by */
    VEC_EACH (const struct rule_row *, row, &b->g->rows) {
        uint64_t id;

        assert_true(rule_row_identity(row->key, &id));
        rule_past_add(past, id == b->g->rules[0].identity ? 0 : 1, row->key, row->value);
    }
    rule_past_add(past, 0, S("0123456789abcdef/0000000000000000"), S("?"));
    assert_int_equal(rule_group_take_past(again, past, now), 1);
    assert_int_equal(again->rules[0].alerts.n, 1);
    assert_int_equal(again->rules[1].alerts.n, 1);
    assert_int_equal(again->rows.n, 2 * b->g->rows.n + 1);
    VEC_EACH (const struct rule_row *, row, &b->g->rows)
        assert_int_equal(row_of(again, row->key)->value.n, 0);
    rule_group_free(again);
    rule_past_free(past);

    /* the same again, with rows of now beside them: those hold */
    past = rule_past_new(SLOT);
    again = rule_group_new(&moved, S("http://prom"), NULL);
    VEC_EACH (const struct rule_row *, row, &b->g->rows) {
        uint64_t id;
        size_t rule;
        char key[40];

        assert_true(rule_row_identity(row->key, &id));
        rule = id == b->g->rules[0].identity ? 0 : 1;
        rule_past_add(past, rule, row->key, row->value);
        snprintf(key, sizeof(key), "%016llx%.*s", (unsigned long long)again->rules[rule].identity,
                 STR(str_sub(row->key, 16, row->key.n)));
        rule_past_add(past, rule, str_of(key), row->value);
    }
    assert_int_equal(rule_group_take_past(again, past, now), 0);
    assert_int_equal(again->rules[0].alerts.n, 1);
    assert_int_equal(again->rules[1].alerts.n, 1);
    assert_int_equal(again->rows.n, b->g->rows.n); /* the old ones go */
    rule_group_free(again);
    rule_past_free(past);
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
    assert_int_equal(advance(g, NULL, mono, w), RULE_GROUP_WANT);
    assert_str(w->query, "a > 0 and b");
    assert_int_equal(advance(g, &expr, mono, w), RULE_GROUP_WANT);
    memset(body, 'x', sizeof(body) - 1); /* an answer is borrowed for the call */
    assert_str(w->query, "up");
    assert_int_equal(w->time, SLOT + minute * NS_PER_M);
    return advance(g, &up, mono, w);
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

/* An alert that ends asks for what its rule compares, at the time of the rule's own query. */
static void an_alert_ends_with_a_value(void **state)
{
    static const char two[] =
        "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":["
        "{\"metric\":{\"__name__\":\"a\",\"gpu\":\"0\"},\"value\":[1,\"-2.5\"]},"
        "{\"metric\":{\"__name__\":\"a\",\"gpu\":\"1\"},\"value\":[1,\"9\"]}]}}";
    static const char none[] =
        "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}";
    struct bench *b = *state;
    struct source_answer fires = ok(ONE), ends = ok(none), left = ok(two);
    struct source_answer away = {.error = SOURCE_DOWN, .err = {.msg = "refused"}};
    struct conf_pair level = {.name = S("level"), .value = S("{{ $value }}")};
    struct rule_want w;

    b->conf.value_at_resolve = true;
    b->conf.n_rules = 1;
    b->rules[0].left = S("a");
    b->rules[0].all_labels = (struct conf_map){&level, 1}; /* changes with the value */
    rule_group_free(b->g);
    b->g = rule_group_new(&b->conf, S("http://prom"), NULL);
    for (int minute = 0; minute < 4; minute += 2) {
        ts_ns mono = NS_PER_D + minute * NS_PER_M, slot = SLOT + minute * NS_PER_M;

        rule_group_begin(b->g, slot, (struct now){slot, mono});
        assert_int_equal(advance(b->g, NULL, mono, &w), RULE_GROUP_WANT);
        assert_int_equal(advance(b->g, &fires, mono, &w), RULE_GROUP_DONE);
        slot += NS_PER_M;
        mono += NS_PER_M;
        rule_group_begin(b->g, slot, (struct now){slot, mono});
        assert_int_equal(advance(b->g, NULL, mono, &w), RULE_GROUP_WANT);
        assert_int_equal(advance(b->g, &ends, mono, &w), RULE_GROUP_WANT);
        assert_str(w.query, "a");
        assert_int_equal(w.time, slot - 30 * NS_PER_S);
        /* a source that is away keeps nobody from ending */
        assert_int_equal(advance(b->g, minute == 0 ? &left : &away, mono, &w), RULE_GROUP_DONE);
        assert_int_equal(b->g->rules[0].health, RULE_OK);
        assert_int_equal(b->g->send.n, 1);
        assert_int_equal(b->g->send.v[0].ends_at, slot);
        assert_str(labels_get(b->g->send.v[0].annotations, S("value_at_resolve")),
                   minute == 0 ? "-2.5" : "");
        assert_true(vec_last(&b->g->rules[0].changes)->value == (minute == 0 ? -2.5 : 7));
    }
}

#define NONE "\"data\":{\"resultType\":\"vector\",\"result\":[]}"

/* What a partial answer does not have holds: a firing alert fires, a pending one neither fires nor is forgotten. What is there
 * counts, and a whole answer ends all of it. */
static void a_partial_answer_holds(void **state)
{
    struct bench *b = *state;
    struct source_answer half = ok("{\"status\":\"success\",\"isPartial\":true," NONE "}");
    struct source_answer warned =
        ok("{\"status\":\"success\",\"warnings\":[\"store x is away\"]," NONE "}");
    struct source_answer valueless = ok("{\"status\":\"success\",\"data\":{\"resultType\":"
                                        "\"vector\",\"result\":[{\"metric\":{\"gpu\":\"0\"}}]}}");
    struct source_answer about = ok("{\"status\":\"success\",\"warnings\":[\"PromQL warning: "
                                    "mixed (1:1)\"]," NONE "}");
    struct source_answer down = {.error = SOURCE_DOWN, .err = {.msg = "refused"}};
    const struct rule_view *v;

    run(b->g, 0, ok(ONE), ok(ONE));
    run(b->g, 1, half, valueless);
    v = b->g->view->rules;
    assert_int_equal(v[0].state, RULE_ALERT_FIRING);
    assert_int_equal(v[1].state, RULE_ALERT_PENDING);
    assert_str(v[0].notes->held, "the source says that its answer is partial");
    assert_str(v[1].notes->held, "samples without a value: 1");
    assert_int_equal(v[0].notes->held_since, SLOT + NS_PER_M);
    assert_true(b->g->rules[0].notes_news);
    run(b->g, 2, warned, warned);
    assert_str(b->g->view->rules[0].notes->held, "store x is away");
    assert_int_equal(b->g->view->rules[0].notes->held_since, SLOT + NS_PER_M);
    run(b->g, 3, down, warned); /* no answer, no news */
    assert_str(b->g->view->rules[0].notes->held, "store x is away");
    assert_false(b->g->rules[0].notes_news || b->g->rules[1].notes_news);
    run(b->g, 7, warned, warned);
    assert_int_equal(b->g->view->rules[1].state, RULE_ALERT_PENDING);
    run(b->g, 8, ok(ONE), ok(ONE)); /* it was there all the time, as far as anybody knows */
    assert_int_equal(b->g->view->rules[1].state, RULE_ALERT_FIRING);
    assert_int_equal(b->g->view->rules[0].notes->held.n, 0);
    run(b->g, 9, about, ok(ONE));
    assert_int_equal(b->g->view->rules[0].state, RULE_ALERT_INACTIVE);
    assert_int_equal(b->g->view->rules[0].notes->n_warnings, 1);
    assert_int_equal(b->g->view->rules[0].notes->held.n, 0);
}

/* -- over our own store -- */

struct own_bench {
    struct rule_conf rules[4];
    struct rule_group_conf conf;
    struct rule_group *g;
};

static struct rule_conf recording(const char *name, const char *expr)
{
    return (struct rule_conf){.name = str_of(name), .expr = str_of(expr), .is_own = true};
}

static struct rule_group *own_group(struct own_bench *b, size_t n)
{
    b->conf = (struct rule_group_conf){.file = S("f.yml"),
                                       .name = S("own"),
                                       .interval = NS_PER_M,
                                       .rules = b->rules,
                                       .n_rules = n,
                                       .source = S("own")};
    return rule_group_new(&b->conf, STR_NONE, db);
}

static void run_own(struct rule_group *g, int64_t minute, dur_ns step)
{
    struct watch at = {NS_PER_D + minute * NS_PER_M, step};
    struct rule_want w;

    rule_group_begin(g, SLOT + minute * NS_PER_M, (struct now){SLOT + minute * NS_PER_M, at.mono});
    assert_int_equal(rule_group_advance(g, NULL, (struct rule_clock){look, &at}, &w),
                     RULE_GROUP_DONE);
}

static void each_rule_has_its_own_time(void **state)
{
    struct own_bench b = {.rules = {recording("r1", "vector(1)"), recording("r2", "r1 + 1")}};
    const struct rule_group_view *v;

    (void)state;
    b.g = own_group(&b, 2);
    run_own(b.g, 0, NS_PER_S);
    v = b.g->view;
    assert_int_equal(v->rules[0].took, NS_PER_S);
    assert_int_equal(v->rules[1].took, NS_PER_S);
    assert_int_equal(v->rules_took, 2 * NS_PER_S);
    assert_int_equal(v->took, 3 * NS_PER_S); /* with what comes after them */
    run_own(b.g, 1, 2 * NS_PER_S);
    assert_int_equal(b.g->view->rules[1].cost.took, 3 * NS_PER_S);
    assert_int_equal(b.g->view->rules[1].cost.evaluations, 2);
    assert_int_equal(b.g->view->rules[1].samples, 1);
    rule_group_free(b.g);
}

/* Of a partial answer nothing is recorded: a half sum is no sum, and nothing ends. */
static void a_partial_answer_is_not_recorded(void **state)
{
    struct own_bench b = {.rules = {{.name = S("x"), .expr = S("sum(y)")}}};
    static const char *const bodies[] = {
        "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{},"
        "\"value\":[1,\"8\"]}]}}",
        "{\"status\":\"success\",\"isPartial\":true,\"data\":{\"resultType\":\"vector\",\"result\":"
        "[{"
        "\"metric\":{},\"value\":[1,\"4\"]}]}}",
        "{\"status\":\"success\",\"isPartial\":true,\"data\":{\"resultType\":\"vector\",\"result\":"
        "[]}}",
    };
    struct rule_want w;

    (void)state;
    b.g = own_group(&b, 1);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct source_answer a = ok(bodies[i]);
        struct now now = {SLOT + (ts_ns)i * NS_PER_M, NS_PER_D + (ts_ns)i * NS_PER_M};

        rule_group_begin(b.g, now.wall, now);
        assert_int_equal(advance(b.g, NULL, now.mono, &w), RULE_GROUP_WANT);
        assert_int_equal(advance(b.g, &a, now.mono, &w), RULE_GROUP_DONE);
        assert_int_equal(b.g->view->rules[0].health, RULE_OK);
        assert_int_equal(b.g->view->rules[0].notes->held.n != 0, i != 0);
        assert_str(newest("{__name__=\"x\"}"), "{__name__=\"x\"} 8\n");
    }
    rule_group_free(b.g);
}

static void a_refused_sample_makes_the_rule_unhealthy(void **state)
{
    struct own_bench b = {
        .rules = {recording("x", "vector(1)"), recording("x", "vector(2)"),
                  recording("x", "label_replace(vector(3), \"a\", \"b\", \"\", \"\")")}};

    (void)state;
    b.g = own_group(&b, 3);
    run_own(b.g, 0, 0);
    assert_int_equal(b.g->view->rules[0].health, RULE_OK);
    assert_int_equal(b.g->view->rules[1].health, RULE_ERR);
    assert_str(b.g->view->rules[1].last_error,
               "another rule or target writes the same series (1 of 1 samples not recorded)");
    assert_int_equal(b.g->view->rules[2].health, RULE_OK);
    assert_int_equal(b.g->view->failures, 0); /* it was evaluated */
    run_own(b.g, 0, 0);                       /* the same slot again */
    assert_int_equal(b.g->view->rules[0].health, RULE_ERR);
    run_own(b.g, 1, 0);
    assert_int_equal(b.g->view->rules[0].health, RULE_OK);
    assert_str(b.g->view->rules[0].last_error, "");
    rule_group_free(b.g);
}

static void limits_and_duplicates_are_told_as_prometheus_does(void **state)
{
    static const char three[] = "label_replace(vector(1), \"a\", \"1\", \"\", \"\") or "
                                "label_replace(vector(1), \"a\", \"2\", \"\", \"\") or "
                                "label_replace(vector(1), \"a\", \"3\", \"\", \"\")";
    struct conf_pair same = {S("a"), S("x")};
    struct own_bench b = {.rules = {recording("r", three), recording("d", three),
                                    recording("a", three), recording("ad", three)}};
    const struct rule_view *v;

    (void)state;
    b.rules[1].all_labels = b.rules[3].all_labels = (struct conf_map){&same, 1};
    b.rules[2].is_alert = b.rules[3].is_alert = true;
    b.g = own_group(&b, 4);
    b.conf.limit = 2;
    run_own(b.g, 0, 0);
    v = b.g->view->rules;
    assert_str(v[0].last_error, "exceeded limit of 2 with 3 series");
    assert_str(v[1].last_error,
               "vector contains metrics with the same labelset after applying rule labels");
    assert_str(v[2].last_error, "exceeded limit of 2 with 3 alerts");
    assert_str(v[3].last_error,
               "vector contains metrics with the same labelset after applying alert labels");
    assert_string_equal(dump("{__name__=~\"r|d|ALERTS\"}"), "");
    rule_group_free(b.g);
}

static void a_vanished_rule_ends_its_series(void **state)
{
    struct own_bench b = {.rules = {recording("stays", "vector(1)"),
                                    recording("goes", "vector(1)")}},
                     c = b;
    const char *before;

    (void)state;
    b.g = own_group(&b, 2);
    run_own(b.g, 0, 0);
    before = dump("{__name__=\"goes\"}");
    assert_null(strstr(before, "stale"));
    c.g = own_group(&c, 1);
    rule_group_move_state(c.g, b.g);
    rule_group_free(b.g);
    run_own(c.g, 1, 0);
    assert_non_null(strstr(dump("{__name__=\"goes\"}"), "stale"));
    assert_null(strstr(dump("{__name__=\"stays\"}"), "stale"));
    rule_group_free(c.g); /* a group that is removed ends all of its own */
    assert_non_null(strstr(dump("{__name__=\"stays\"}"), "stale"));
}

static void links_of_own_rules_are_ours(void **state)
{
    struct own_bench b = {.rules = {recording("A", "vector(1)")}};
    struct conf_pair url = {S("at"), S("{{ externalURL }}")};

    (void)state;
    b.rules[0].is_alert = true;
    b.rules[0].annotations = (struct conf_map){&url, 1};
    b.g = own_group(&b, 1);
    rule_group_set_own_base(b.g, S("http://tocsin/x"));
    run_own(b.g, 0, 0);
    assert_int_equal(b.g->send.n, 1);
    assert_str(b.g->send.v[0].generator_url,
               "http://tocsin/x/graph?g0.expr=vector%281%29&g0.tab=1");
    assert_str(labels_get(b.g->send.v[0].annotations, S("at")), "http://tocsin/x");
    rule_group_free(b.g);
}

static void give(const char *series, double v, int64_t minute)
{
    static struct tsdb_stream *in;

    if (minute == 0)
        in = stream("in");
    begin(in, (SLOT + minute * NS_PER_M) / NS_PER_MS);
    put(series, v);
    commit();
}

static str at_resolve(const struct rule_group *g)
{
    assert_int_equal(g->send.n, 1);
    return labels_get(g->send.v[0].annotations, S("value_at_resolve"));
}

static void over_our_own_store_too(void **state)
{
    struct own_bench b = {.rules = {{.is_alert = true,
                                     .is_own = true,
                                     .name = S("A"),
                                     .expr = S("m > 5"),
                                     .left = S("m"),
                                     .keep_firing_for = 2 * NS_PER_M}}};

    (void)state;
    b.g = own_group(&b, 1);
    b.conf.value_at_resolve = true;
    for (int64_t minute = 0; minute < 4; minute++) {
        give("m{x=\"1\"}", minute == 0 ? 8 : (double)minute, minute);
        run_own(b.g, minute, 0);
    }
    assert_str(at_resolve(b.g), "3"); /* when it ends, not when keep_firing_for began */
    rule_group_free(b.g);
}

/* A rule that has never had output takes nothing of the store, its next output does; ALERTS is kept though no rule reads it. */
static void a_silent_rule_has_no_stream(void **state)
{
    struct own_bench b = {
        .rules = {{.is_alert = true, .is_own = true, .name = S("A"), .expr = S("m > 5")},
                  recording("r", "m > 6")}};

    (void)state;
    open_with((struct tsdb_options){.keep_all = false});
    b.g = own_group(&b, 2);
    for (int64_t minute = 0; minute < 3; minute++) {
        give("m{x=\"1\"}", minute == 1 ? 8 : 1, minute);
        run_own(b.g, minute, 0);
        assert_int_equal(tsdb_stats(db).streams, minute == 0 ? 1 : 3);
    }
    assert_non_null(strstr(dump("{__name__=\"r\"}"), "stale"));
    assert_non_null(strstr(dump("{__name__=\"ALERTS\"}"), "stale"));
    assert_non_null(strstr(dump("{__name__=\"ALERTS_FOR_STATE\"}"), "stale"));
    rule_group_free(b.g);
    close_db();
}

static int open_own(void **state)
{
    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    return 0;
}

static int close_own(void **state)
{
    (void)state;
    close_db();
    return 0;
}

#define OWN(test) cmocka_unit_test_setup_teardown(test, open_own, close_own)
#define T(test)   cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(slots_are_absolute),
        T(a_run_asks_rule_after_rule),
        T(a_failed_rule_does_not_stop_the_others),
        T(a_view_outlives_the_next_run),
        T(rows_bring_a_group_back),
        T(rows_of_an_older_version_are_renamed),
        T(forgotten_alerts_are_deleted_rows),
        T(templates_ask),
        T(an_alert_ends_with_a_value),
        T(a_partial_answer_holds),
        T(a_reload_moves_state_by_name_and_labels),
        OWN(each_rule_has_its_own_time),
        OWN(a_partial_answer_is_not_recorded),
        OWN(a_refused_sample_makes_the_rule_unhealthy),
        OWN(limits_and_duplicates_are_told_as_prometheus_does),
        OWN(a_vanished_rule_ends_its_series),
        OWN(links_of_own_rules_are_ours),
        OWN(over_our_own_store_too),
        cmocka_unit_test(a_silent_rule_has_no_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
