/* The slots of rule groups: each state and each event, and what the core makes of what it is told. */
#include "conf_text.h"

#include "core/engine.h"
#include "config/config.h"

enum { EPOCH = 7 };

static struct rule_slot in_state(enum rule_slot_state state)
{
    struct rule_slot s = {.id = 1, .generation = 1, .state = state};

    if (state != SLOT_IDLE)
        s.running = 1;
    if (state == SLOT_RUNNING_REPLACED)
        s.generation = 2;
    return s;
}

static enum rule_slot_next answer(struct rule_slot *s, uint64_t generation, enum rules_job job)
{
    struct rule_ticket t = {s->id, generation, EPOCH};

    return rule_slot_answer(s, EPOCH, &t, job);
}

/* -- the machine: each state, each event -- */

enum what {
    NAMED_SAME,
    NAMED_NEWER,
    DROPPED,
    RAN,
    INHERITED,
    RETIRED,
    RAN_OLDER,
    RAN_NEWER,
    EVENTS
};

struct row {
    enum rule_slot_next next;
    enum rule_slot_state state;
    uint64_t generation, running; /* afterwards */
};

static enum rule_slot_next happen(struct rule_slot *s, enum what what)
{
    switch (what) {
    case NAMED_SAME: return rule_slot_name(s, s->generation);
    case NAMED_NEWER: return rule_slot_name(s, 9);
    case DROPPED: return rule_slot_drop(s);
    case RAN: return answer(s, 1, RULES_EVALUATE);
    case INHERITED: return answer(s, 1, RULES_INHERIT);
    case RETIRED: return answer(s, 1, RULES_RETIRE);
    case RAN_OLDER: return answer(s, 0, RULES_EVALUATE);
    default: return answer(s, 5, RULES_EVALUATE);
    }
}

static void each_state_and_each_event(void **state)
{
    static const struct row rows[][EVENTS] = {
        [SLOT_IDLE] = {[NAMED_SAME] = {SLOT_NOTHING, SLOT_IDLE, 1, 0},
                       [NAMED_NEWER] = {SLOT_INHERITS, SLOT_RUNNING, 9, 9},
                       [DROPPED] = {SLOT_RETIRES, SLOT_RUNNING_REMOVED, 1, 1},
                       [RAN] = {SLOT_STALE, SLOT_IDLE, 1, 0},
                       [INHERITED] = {SLOT_STALE, SLOT_IDLE, 1, 0},
                       [RETIRED] = {SLOT_STALE, SLOT_IDLE, 1, 0},
                       [RAN_OLDER] = {SLOT_STALE, SLOT_IDLE, 1, 0},
                       [RAN_NEWER] = {SLOT_STALE, SLOT_IDLE, 1, 0}},
        [SLOT_RUNNING] = {[NAMED_SAME] = {SLOT_NOTHING, SLOT_RUNNING, 1, 1},
                          [NAMED_NEWER] = {SLOT_NOTHING, SLOT_RUNNING_REPLACED, 9, 1},
                          [DROPPED] = {SLOT_NOTHING, SLOT_RUNNING_REMOVED, 1, 1},
                          [RAN] = {SLOT_WAITS, SLOT_IDLE, 1, 1},
                          [INHERITED] = {SLOT_WAITS, SLOT_IDLE, 1, 1},
                          [RETIRED] = {SLOT_WAITS, SLOT_IDLE, 1, 1},
                          [RAN_OLDER] = {SLOT_STALE, SLOT_RUNNING, 1, 1},
                          [RAN_NEWER] = {SLOT_STALE, SLOT_RUNNING, 1, 1}},
        [SLOT_RUNNING_REPLACED] = {[NAMED_SAME] = {SLOT_NOTHING, SLOT_RUNNING_REPLACED, 2, 1},
                                   [NAMED_NEWER] = {SLOT_NOTHING, SLOT_RUNNING_REPLACED, 9, 1},
                                   [DROPPED] = {SLOT_NOTHING, SLOT_RUNNING_REMOVED, 2, 1},
                                   [RAN] = {SLOT_INHERITS, SLOT_RUNNING, 2, 2},
                                   [INHERITED] = {SLOT_INHERITS, SLOT_RUNNING, 2, 2},
                                   [RETIRED] = {SLOT_INHERITS, SLOT_RUNNING, 2, 2},
                                   [RAN_OLDER] = {SLOT_STALE, SLOT_RUNNING_REPLACED, 2, 1},
                                   [RAN_NEWER] = {SLOT_STALE, SLOT_RUNNING_REPLACED, 2, 1}},
        [SLOT_RUNNING_REMOVED] = {[NAMED_SAME] = {SLOT_NOTHING, SLOT_RUNNING_REMOVED, 1, 1},
                                  [NAMED_NEWER] = {SLOT_NOTHING, SLOT_RUNNING_REPLACED, 9, 1},
                                  [DROPPED] = {SLOT_NOTHING, SLOT_RUNNING_REMOVED, 1, 1},
                                  [RAN] = {SLOT_RETIRES, SLOT_RUNNING_REMOVED, 1, 1},
                                  [INHERITED] = {SLOT_RETIRES, SLOT_RUNNING_REMOVED, 1, 1},
                                  [RETIRED] = {SLOT_GOES, SLOT_RUNNING_REMOVED, 1, 1},
                                  [RAN_OLDER] = {SLOT_STALE, SLOT_RUNNING_REMOVED, 1, 1},
                                  [RAN_NEWER] = {SLOT_STALE, SLOT_RUNNING_REMOVED, 1, 1}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t k = 0; k < EVENTS; k++) {
            const struct row *want = &rows[i][k];
            struct rule_slot s = in_state((enum rule_slot_state)i);
            enum rule_slot_next next = happen(&s, (enum what)k);

            if (next != want->next || s.state != want->state || s.generation != want->generation ||
                s.running != want->running)
                fail_msg("state %zu, event %zu: next %d, state %d, generation %d, running %d", i, k,
                         (int)next, (int)s.state, (int)s.generation, (int)s.running);
        }
}

static void an_answer_of_another_epoch_is_nobodys(void **state)
{
    (void)state;
    for (int i = SLOT_IDLE; i <= SLOT_RUNNING_REMOVED; i++) {
        struct rule_slot s = in_state((enum rule_slot_state)i), was = s;
        struct rule_ticket t = {s.id, s.running, EPOCH - 1};

        assert_int_equal(rule_slot_answer(&s, EPOCH, &t, RULES_EVALUATE), SLOT_STALE);
        assert_memory_equal(&s, &was, sizeof(s));
    }
}

/* -- the core -- */

static const struct now start = {1700000000 * NS_PER_S, 1000 * NS_PER_S};

struct fixture {
    struct engine *e;
    struct effects fx;
    struct now now;
    struct rule_group_view *views[2];
};

static struct rule_group_view *view(const char *name)
{
    struct rule_group_view *v = mem_new(struct rule_group_view);

    atomic_init(&v->refs, 1);
    arena_init(&v->arena, 0);
    v->file = S("r.yml");
    v->name = str_of(name);
    v->interval = NS_PER_M;
    return v;
}

static int set_up(void **state)
{
    struct config *c = config_of_text("t.yml", S("receivers: [{name: r}]\nroute: {receiver: r}\n"));
    struct fixture *f = mem_new(struct fixture);

    f->now = start;
    f->e = engine_new(&c->core, MATCHER_FALLBACK, NS_PER_H, 1, f->now);
    effects_init(&f->fx);
    f->views[0] = view("a");
    f->views[1] = view("b");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    const struct core_conf *conf = f->e->conf;

    engine_free(f->e);
    config_unref(config_of(conf));
    effects_release(&f->fx);
    for (size_t i = 0; i < ARRAY_LEN(f->views); i++) {
        assert_int_equal(atomic_load(&f->views[i]->refs), 1); /* the core has given up all */
        rule_group_view_unref(f->views[i]);
    }
    mem_free(f);
    return 0;
}

static struct rule_shape shape(const struct fixture *f, uint64_t id, uint64_t generation)
{
    return (struct rule_shape){
        .id = id, .generation = generation, .interval = NS_PER_M, .view = f->views[id - 1]};
}

static void configure(struct fixture *f, const struct rule_shape *v, size_t n)
{
    struct event ev = {.kind = EVENT_RULE_GROUPS, .groups = {v, n}};

    state_commit_release(&f->fx.commit);
    effects_clear(&f->fx);
    engine_step(f->e, &ev, f->now, &f->fx, NULL);
}

static void configure_one(struct fixture *f, uint64_t generation)
{
    struct rule_shape s = shape(f, 1, generation);

    configure(f, &s, 1);
}

static void elapse(struct fixture *f, dur_ns d)
{
    struct event ev = {.kind = EVENT_TIMER};

    f->now.wall += d;
    f->now.mono += d;
    state_commit_release(&f->fx.commit);
    effects_clear(&f->fx);
    engine_step(f->e, &ev, f->now, &f->fx, NULL);
}

/* An alert and two rows, one of them a deletion; failures: of one rule, in a row. */
static void ran_failing(struct fixture *f, struct rule_ticket ticket, enum rules_job job,
                        unsigned failures)
{
    static struct label l = {S_INIT("alertname"), S_INIT("A")};
    const struct alert_input in = {
        .labels = {&l, 1}, .starts_at = f->now.wall, .ends_at = f->now.wall + NS_PER_H};
    const struct rule_row rows[] = {{S("kept"), S("x")}, {S("gone"), STR_NONE}};
    const struct rules_ran r = {.ticket = ticket,
                                .job = job,
                                .alerts = &in,
                                .n_alerts = 1,
                                .rows = rows,
                                .n_rows = 2,
                                .view = f->views[0],
                                .counts = {.evaluated = 1,
                                           .failed = failures != 0,
                                           .worst_failures = failures,
                                           .worst_rule = S("A"),
                                           .worst_error = S("refused")}};
    struct event ev = {.kind = EVENT_RULES_RAN, .ran = &r};

    state_commit_release(&f->fx.commit);
    effects_clear(&f->fx);
    engine_step(f->e, &ev, f->now, &f->fx, NULL);
}

static void ran(struct fixture *f, struct rule_ticket ticket, enum rules_job job)
{
    ran_failing(f, ticket, job, 0);
}

static struct rule_ticket ordered(const struct fixture *f, enum rules_job job)
{
    assert_int_equal(f->fx.rules.n, 1);
    assert_int_equal(f->fx.rules.v[0].job, job);
    return f->fx.rules.v[0].ticket;
}

/* Whether the step put, or deleted, the row. */
static bool has_row(const struct fixture *f, const char *key, bool is_put)
{
    struct state_commit c = {0};
    bool has;

    if (is_put)
        state_put(&c, STATE_RULE, str_of(key), S("x"));
    else
        state_delete(&c, STATE_RULE, str_of(key));
    has = str_find_str(buf_str(&f->fx.commit.ops), buf_str(&c.ops)) >= 0;
    state_commit_release(&c);
    return has;
}

static void a_run_is_taken_and_the_next_slot_waits(void **state)
{
    struct fixture *f = *state;
    struct rule_ticket t;

    configure_one(f, 1);
    assert_int_equal(f->fx.rules.n, 0);
    elapse(f, NS_PER_M);
    t = ordered(f, RULES_EVALUATE);
    assert_int_equal(t.group, 1);
    assert_int_equal(t.generation, 1);
    elapse(f, NS_PER_M);
    assert_int_equal(f->fx.rules.n, 0); /* never twice at once */
    assert_false(rule_slot_is_late(f->e->rules.v[0], f->now));
    elapse(f, NS_PER_S);
    assert_true(rule_slot_is_late(f->e->rules.v[0], f->now));
    ran(f, t, RULES_EVALUATE);
    assert_int_equal(f->e->alerts.n, 1);
    assert_true(has_row(f, "kept", true));
    assert_true(has_row(f, "gone", false));
    assert_int_equal(f->e->rules.v[0]->missed, 0);
    elapse(f, NS_PER_M);
    ordered(f, RULES_EVALUATE);
}

static void a_replaced_group_is_taken_then_inherited(void **state)
{
    struct fixture *f = *state;
    struct rule_ticket run, inherit;

    configure_one(f, 1);
    elapse(f, NS_PER_M);
    run = ordered(f, RULES_EVALUATE);
    configure_one(f, 2);
    configure_one(f, 3);
    assert_int_equal(f->fx.rules.n, 0);
    ran(f, run, RULES_EVALUATE);
    assert_int_equal(f->e->alerts.n, 1);
    assert_true(has_row(f, "kept", true));
    inherit = ordered(f, RULES_INHERIT);
    assert_int_equal(inherit.generation, 3); /* 2 never ran */
    elapse(f, NS_PER_M);
    assert_int_equal(f->fx.rules.n, 0); /* not before it has its state */
    ran(f, inherit, RULES_INHERIT);
    elapse(f, NS_PER_M);
    assert_int_equal(ordered(f, RULES_EVALUATE).generation, 3);
}

static void a_removed_group_leaves_alerts_and_no_rows(void **state)
{
    struct fixture *f = *state;
    struct rule_ticket run, retire;

    configure_one(f, 1);
    elapse(f, NS_PER_M);
    run = ordered(f, RULES_EVALUATE);
    configure(f, NULL, 0);
    assert_int_equal(f->e->rules.n, 0);
    ran(f, run, RULES_EVALUATE);
    assert_int_equal(f->e->alerts.n, 1);
    assert_false(has_row(f, "kept", true));
    assert_true(has_row(f, "kept", false));
    assert_true(has_row(f, "gone", false));
    retire = ordered(f, RULES_RETIRE);
    ran(f, retire, RULES_RETIRE);
    assert_int_equal(f->e->rule_slots.n, 0);
    ran(f, retire, RULES_RETIRE); /* of a group that is gone */
    assert_int_equal(f->e->stats.rule_stale, 1);
}

static void an_idle_group_is_inherited_or_retired_at_once(void **state)
{
    struct fixture *f = *state;
    struct rule_shape two[] = {shape(f, 1, 1), shape(f, 2, 2)};

    configure(f, two, 2);
    two[0].generation = 3;
    configure(f, two, 2);
    assert_int_equal(ordered(f, RULES_INHERIT).generation, 3);
    configure(f, two, 1);
    assert_int_equal(ordered(f, RULES_RETIRE).group, 2);
    assert_int_equal(f->e->rules.n, 1);
    configure(f, two, 1);
    assert_int_equal(f->fx.rules.n, 0); /* unchanged: nothing moves */
}

static void a_removed_group_fails_no_more(void **state)
{
    struct fixture *f = *state;

    configure_one(f, 1);
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(f->e->builtins.n, 0);
        elapse(f, NS_PER_M);
        ran_failing(f, ordered(f, RULES_EVALUATE), RULES_EVALUATE, i);
    }
    assert_int_equal(f->e->builtins.n, 1);
    assert_true(engine_tells(f->e, BUILTIN_RULE_FAILING, S("a")));
    assert_string_equal(f->e->builtins.v[0].why, "rule 'A' failed 3 times in a row: refused");
    configure(f, NULL, 0);
    assert_int_equal(f->e->builtins.n, 0);
}

static void a_group_that_comes_back_goes_on(void **state)
{
    struct fixture *f = *state;
    struct rule_ticket run;

    configure_one(f, 1);
    elapse(f, NS_PER_M);
    run = ordered(f, RULES_EVALUATE);
    configure(f, NULL, 0);
    configure_one(f, 2);
    ran(f, run, RULES_EVALUATE);
    assert_int_equal(ordered(f, RULES_INHERIT).generation, 2);
    assert_true(has_row(f, "kept", true));
}

static void rows_of_an_earlier_life_come_first(void **state)
{
    struct fixture *f = *state;
    struct rule_shape s = shape(f, 1, 1);
    struct rule_ticket t;

    s.inherits = true;
    configure(f, &s, 1);
    t = ordered(f, RULES_INHERIT);
    elapse(f, NS_PER_M);
    assert_int_equal(f->fx.rules.n, 0);
    ran(f, t, RULES_INHERIT);
    elapse(f, NS_PER_M);
    ordered(f, RULES_EVALUATE);
}

static void what_nobody_waits_for_is_dropped_and_counted(void **state)
{
    struct fixture *f = *state;
    struct rule_ticket run, other;

    configure_one(f, 1);
    elapse(f, NS_PER_M);
    run = ordered(f, RULES_EVALUATE);
    for (int i = 0; i < 3; i++) {
        other = run;
        other.group += i == 0;
        other.generation += i == 1;
        other.epoch += i == 2;
        ran(f, other, RULES_EVALUATE);
        assert_int_equal(f->e->stats.rule_stale, i + 1);
        assert_true(state_commit_is_empty(&f->fx.commit));
        assert_int_equal(f->e->alerts.n, 0);
        assert_int_equal(f->e->stats.group_runs, 0);
    }
    ran(f, run, RULES_EVALUATE);
    assert_int_equal(f->e->stats.rule_stale, 3);
    assert_int_equal(f->e->stats.group_runs, 1);
    ran(f, run, RULES_EVALUATE); /* twice */
    assert_int_equal(f->e->stats.rule_stale, 4);
    f->e->rules_epoch++; /* the groups are another's now */
    elapse(f, NS_PER_M);
    assert_int_equal(ordered(f, RULES_EVALUATE).epoch, f->e->rules_epoch);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_state_and_each_event),
        cmocka_unit_test(an_answer_of_another_epoch_is_nobodys),
        T(a_run_is_taken_and_the_next_slot_waits),
        T(a_replaced_group_is_taken_then_inherited),
        T(a_removed_group_leaves_alerts_and_no_rows),
        T(an_idle_group_is_inherited_or_retired_at_once),
        T(a_removed_group_fails_no_more),
        T(a_group_that_comes_back_goes_on),
        T(rows_of_an_earlier_life_come_first),
        T(what_nobody_waits_for_is_dropped_and_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
