/* The state machine of an alerting rule on stepped slots: each consequence of rules.md 2.2, 2.4 and 2.6 is one test. */
#include "unit.h"

#include "model/labels.h"
#include "ruler/rule_state.h"

#define INTERVAL NS_PER_M
#define START    (1000 * NS_PER_D)

struct bench {
    struct rule_conf conf;
    struct conf_pair own[4], notes[2];
    struct rule rule;
    struct rule_context c;
    struct arena arena;
    struct alert_input_list sent;
    struct err e;
    dur_ns wall_ahead; /* a step of the wall clock */
};

static int set_up(void **state)
{
    struct bench *b = mem_new(struct bench);

    b->conf = (struct rule_conf){
        .is_alert = true, .name = S("Slow"), .expr = S("up == 0"), .hold_for = 5 * NS_PER_M};
    b->rule.conf = &b->conf;
    arena_init(&b->arena, 0);
    b->c = (struct rule_context){.names = interner_new(),
                                 .templates = rule_templates_new(),
                                 .arena = &b->arena,
                                 .interval = INTERVAL,
                                 .down_at = TS_NONE,
                                 .slot = START};
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    rule_release_alerts(&b->rule);
    interner_free(b->c.names);
    rule_templates_free(b->c.templates);
    arena_release(&b->arena);
    vec_release(&b->sent);
    mem_free(b);
    return 0;
}

/* Evaluates at START + minutes with one sample a name in gpus ("01" = {gpu="0"}, {gpu="1"}). */
static bool eval(struct bench *b, int64_t minute, const char *gpus)
{
    size_t n = strlen(gpus);
    struct sample *v = arena_array(&b->arena, n, sizeof(*v));
    struct rule_result result;

    for (size_t i = 0; i < n; i++) {
        struct label *l = arena_array(&b->arena, 2, sizeof(*l));

        l[0] = (struct label){S("__name__"), S("up")};
        l[1] = (struct label){S("gpu"), (str){gpus + i, 1}};
        v[i] = (struct sample){.labels = {l, 2}, .value = (double)minute};
    }
    b->c.slot = START + minute * NS_PER_M + b->wall_ahead;
    b->c.now = (struct now){b->c.slot, NS_PER_D + minute * NS_PER_M};
    vec_clear(&b->sent);
    result = rule_result_of(&b->c, (struct samples){v, n});
    assert_true(rule_expand(&b->rule, &b->c, &result));
    if (!rule_step(&b->rule, &b->c, result, &b->e))
        return false;
    rule_collect_due(&b->rule, &b->c, &b->sent);
    return true;
}

static struct rule_alert *alert_of(struct bench *b, const char *gpu)
{
    MAP_EACH (struct u64_map_entry, it, &b->rule.alerts) {
        struct rule_alert *a = it->value;

        if (str_is(label_set_get(a->labels, S("gpu")), gpu))
            return a;
    }
    return NULL;
}

static int state_of(struct bench *b, const char *gpu)
{
    struct rule_alert *a = alert_of(b, gpu);

    return a != NULL ? (int)a->state : -1;
}

static void run_to(struct bench *b, int64_t from, int64_t to, const char *gpus)
{
    for (int64_t m = from; m <= to; m++)
        assert_true(eval(b, m, gpus));
}

static void for_must_pass_whole(void **state)
{
    struct bench *b = *state;

    run_to(b, 0, 4, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_PENDING);
    assert_int_equal(b->sent.n, 0);
    run_to(b, 5, 5, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_FIRING);
    assert_int_equal(b->sent.n, 1);
    assert_int_equal(b->sent.v[0].starts_at,
                     START + 5 * NS_PER_M); /* when it fired, not when it began */
    assert_int_equal(b->sent.v[0].ends_at, START + 9 * NS_PER_M);
    assert_str(labels_get(b->sent.v[0].labels, S("alertname")), "Slow");
    assert_false(labels_has(b->sent.v[0].labels, S("__name__")));
}

static void a_gap_of_one_evaluation_resets_for(void **state)
{
    struct bench *b = *state;

    run_to(b, 0, 4, "0");
    run_to(b, 5, 5, "");
    assert_int_equal(state_of(b, "0"), -1);
    run_to(b, 6, 10, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_PENDING);
    run_to(b, 11, 11, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_FIRING);
}

static void without_for_it_fires_at_once(void **state)
{
    struct bench *b = *state;

    b->conf.hold_for = 0;
    run_to(b, 0, 0, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_FIRING);
    assert_int_equal(b->sent.n, 1);
    assert_int_equal(b->sent.v[0].starts_at, START);
}

static void an_error_leaves_everything(void **state)
{
    struct bench *b = *state;

    run_to(b, 0, 5, "0");
    b->conf.name =
        S("Slow"); /* no step is made on a query error; the next one goes on where it was */
    run_to(b, 9, 9, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_FIRING);
    assert_int_equal(alert_of(b, "0")->active_at, START);
    assert_int_equal(alert_of(b, "0")->fired_at, START + 5 * NS_PER_M);
}

static void resolved_is_sent_for_fifteen_minutes(void **state)
{
    struct bench *b = *state;

    run_to(b, 0, 5, "0");
    run_to(b, 6, 6, "");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_INACTIVE);
    assert_int_equal(b->sent.n, 1);
    assert_int_equal(b->sent.v[0].ends_at, START + 6 * NS_PER_M);
    run_to(b, 7, 7, "");
    assert_int_equal(b->sent.n, 0); /* not more than a minute later */
    run_to(b, 8, 8, "");
    assert_int_equal(b->sent.n, 1);
    run_to(b, 9, 21, "");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_INACTIVE); /* exactly 15 minutes is not more */
    run_to(b, 22, 22, "");
    assert_int_equal(state_of(b, "0"), -1);
    assert_int_equal(b->rule.gone.n, 1);
}

static void an_alert_that_returns_is_a_new_one(void **state)
{
    struct bench *b = *state;

    run_to(b, 0, 5, "0");
    run_to(b, 6, 6, "");
    run_to(b, 10, 10, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_PENDING);
    assert_int_equal(b->sent.n, 0); /* the resolved copy is not sent again */
    assert_int_equal(alert_of(b, "0")->active_at, START + 10 * NS_PER_M);
    run_to(b, 11, 15, "0");
    assert_int_equal(alert_of(b, "0")->fired_at, START + 15 * NS_PER_M);
    assert_int_equal(b->rule.alerts.n, 1);
}

static void resending_is_strict_on_slots(void **state)
{
    struct bench *b = *state;
    unsigned sent = 0;

    b->conf.hold_for = 0;
    for (int64_t m = 0; m <= 8;
         m++) { /* at 0, 2, 4, 6, 8: one minute is not more than the delay of one */
        run_to(b, m, m, "0");
        sent += (unsigned)b->sent.n;
        assert_int_equal(b->sent.n, m % 2 == 0);
    }
    assert_int_equal(sent, 5);
}

static void keep_firing_for_needs_its_whole_time(void **state)
{
    struct bench *b = *state;
    struct rule_alert *a;

    b->conf.keep_firing_for = 3 * NS_PER_M;
    run_to(b, 0, 5, "0");
    run_to(b, 6, 8, "");
    a = alert_of(b, "0");
    assert_int_equal(a->state, RULE_ALERT_FIRING);
    assert_int_equal(a->keep_firing_since, START + 6 * NS_PER_M);
    assert_true(a->value == 5); /* of its last sample */
    run_to(b, 9, 9, "");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_INACTIVE);
    assert_int_equal(alert_of(b, "0")->resolved_at, START + 9 * NS_PER_M);
}

static void a_kept_alert_that_returns_stays_the_same(void **state)
{
    struct bench *b = *state;

    b->conf.keep_firing_for = 3 * NS_PER_M;
    run_to(b, 0, 5, "0");
    run_to(b, 6, 7, "");
    run_to(b, 8, 8, "0");
    assert_true(alert_of(b, "0")->keep_firing_since == TS_NONE);
    assert_int_equal(alert_of(b, "0")->fired_at, START + 5 * NS_PER_M);
    run_to(b, 9, 11, ""); /* measured anew */
    assert_int_equal(state_of(b, "0"), RULE_ALERT_FIRING);
    run_to(b, 12, 12, "");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_INACTIVE);
}

static void keep_firing_for_does_not_hold_a_pending_one(void **state)
{
    struct bench *b = *state;

    b->conf.keep_firing_for = 3 * NS_PER_M;
    run_to(b, 0, 3, "0");
    run_to(b, 4, 4, "");
    assert_int_equal(state_of(b, "0"), -1);
}

static void a_longer_for_takes_firing_back(void **state)
{
    struct bench *b = *state;

    run_to(b, 0, 5, "0");
    b->conf.hold_for = 10 * NS_PER_M;
    run_to(b, 6, 6, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_PENDING);
    assert_true(alert_of(b, "0")->fired_at == TS_NONE);
    assert_int_equal(b->sent.n, 0);
    run_to(b, 7, 10, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_FIRING);
    assert_int_equal(b->sent.n, 1);
}

static void duplicate_labels_fail_the_evaluation(void **state)
{
    struct bench *b = *state;

    run_to(b, 0, 5, "0");
    assert_false(eval(b, 6, "11"));
    assert_non_null(strstr(b->e.msg, "same labelset"));
    assert_int_equal(state_of(b, "0"), RULE_ALERT_FIRING);
    assert_int_equal(state_of(b, "1"), -1);
    b->own[0] = (struct conf_pair){.name = S("gpu"),
                                   .value = S("all")}; /* a rule label can make them equal */
    b->conf.all_labels = (struct conf_map){b->own, 1};
    assert_false(eval(b, 7, "01"));
}

static void the_limit_throws_everything_away(void **state)
{
    struct bench *b = *state;

    b->c.limit = 2;
    b->conf.hold_for = 0;
    run_to(b, 0, 0, "01");
    assert_int_equal(b->rule.alerts.n, 2);
    assert_false(eval(b, 1, "012"));
    assert_int_equal(b->e.code, ERR_LIMIT);
    assert_int_equal(b->rule.alerts.n, 0);
    assert_int_equal(b->sent.n, 0); /* no resolved: Alertmanager expires them */
    run_to(b, 2, 2, "01");
    assert_int_equal(b->sent.n, 2);
}

static void rule_labels_override_and_delete(void **state)
{
    struct bench *b = *state;

    b->own[0] = (struct conf_pair){.name = S("severity"), .value = S("page")};
    b->own[1] = (struct conf_pair){.name = S("gpu"), .value = S("")};
    b->own[2] = (struct conf_pair){.name = S("alertname"), .value = S("Other")};
    b->notes[0] = (struct conf_pair){.name = S("summary"), .value = S("slow")};
    b->conf.all_labels = (struct conf_map){b->own, 3};
    b->conf.annotations = (struct conf_map){b->notes, 1};
    b->conf.hold_for = 0;
    run_to(b, 0, 0, "0");
    assert_int_equal(b->sent.v[0].labels.n, 2);
    assert_str(labels_get(b->sent.v[0].labels, S("severity")), "page");
    assert_str(labels_get(b->sent.v[0].labels, S("alertname")), "Slow");
    assert_str(labels_get(b->sent.v[0].annotations, S("summary")), "slow");
}

static void a_jump_of_the_wall_clock_fires_nothing(void **state)
{
    struct bench *b = *state;

    run_to(b, 0, 1, "0");
    b->wall_ahead = NS_PER_H;
    run_to(b, 2, 4, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_PENDING);
    run_to(b, 5, 6, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_FIRING);
}

static void the_summary_is_the_worst_state(void **state)
{
    struct bench *b = *state;

    assert_int_equal(rule_worst_state(&b->rule), RULE_ALERT_INACTIVE);
    run_to(b, 0, 2, "0");
    assert_int_equal(rule_worst_state(&b->rule), RULE_ALERT_PENDING);
    run_to(b, 3, 5, "01");
    assert_int_equal(rule_worst_state(&b->rule), RULE_ALERT_FIRING);
}

/* -- across a restart -- */

/* Everything through bytes into a fresh rule, `down` later; the clocks go on from there. */
static void restart(struct bench *b, int64_t down_minute, int64_t up_minute)
{
    struct rule fresh = {.conf = &b->conf};
    ts_ns down_at = START + down_minute * NS_PER_M;
    struct now now = {START + up_minute * NS_PER_M, NS_PER_D + up_minute * NS_PER_M};

    MAP_EACH (struct u64_map_entry, it, &b->rule.alerts) {
        struct buf row = BUF_INIT;
        struct rule_alert *a;

        rule_alert_pack(&row, it->value);
        a = rule_alert_unpack(buf_str(&row), b->c.names, &b->arena);
        assert_non_null(a);
        rule_restore(&fresh, a, down_at, now, INTERVAL);
        buf_release(&row);
    }
    rule_release_alerts(&b->rule);
    b->rule = fresh;
    b->c.down_at = down_at;
}

static void a_short_outage_changes_nothing(void **state)
{
    struct bench *b = *state;

    b->conf.keep_firing_for = 10 * NS_PER_M;
    run_to(b, 0, 5, "0");
    run_to(b, 6, 6, ""); /* kept */
    restart(b, 6, 8);
    run_to(b, 8, 8, "");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_FIRING);
    assert_int_equal(alert_of(b, "0")->fired_at, START + 5 * NS_PER_M);
    assert_int_equal(alert_of(b, "0")->keep_firing_since, START + 6 * NS_PER_M);
    run_to(b, 9, 16, "");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_INACTIVE);
}

static void a_short_outage_counts_for_pending(void **state)
{
    struct bench *b = *state;

    run_to(b, 0, 3, "0");
    restart(b, 3, 5);
    run_to(b, 5, 5, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_FIRING);
}

static void a_longer_outage_is_not_counted(void **state)
{
    struct bench *b = *state;

    b->conf.hold_for = 30 * NS_PER_M;
    run_to(b, 0, 5, "0");
    restart(b, 5, 25);
    run_to(b, 25, 25, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_PENDING);
    assert_int_equal(alert_of(b, "0")->active_at, START + 20 * NS_PER_M);
    run_to(b, 26, 49, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_PENDING);
    run_to(b, 50, 50, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_FIRING);
}

static void nearly_done_waits_for_the_grace_period(void **state)
{
    struct bench *b = *state;

    b->conf.hold_for = 30 * NS_PER_M;
    run_to(b, 0, 25, "0");
    restart(b, 25, 40);
    run_to(b, 40, 49, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_PENDING);
    run_to(b, 50, 50, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_FIRING);
}

static void what_was_firing_fires_again(void **state)
{
    struct bench *b = *state;

    b->conf.hold_for = 30 * NS_PER_M;
    run_to(b, 0, 31, "0");
    restart(b, 31, 60);
    run_to(b, 60, 60, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_FIRING);
}

static void after_the_tolerance_all_is_dropped(void **state)
{
    struct bench *b = *state;

    b->conf.hold_for = 30 * NS_PER_M;
    run_to(b, 0, 31, "0");
    restart(b, 31, 92);
    assert_int_equal(b->rule.alerts.n, 0);
    run_to(b, 92, 92, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_PENDING);
}

static void rows_of_any_bytes_are_refused_or_read(void **state)
{
    struct bench *b = *state;
    struct buf row = BUF_INIT;

    run_to(b, 0, 5, "0");
    rule_alert_pack(&row, alert_of(b, "0"));
    for (size_t n = 0; n < row.n; n++) {
        struct rule_alert *a = rule_alert_unpack((str){row.p, n}, b->c.names, &b->arena);

        rule_alert_free(a);
    }
    for (size_t i = 0; i < row.n; i++) {
        char was = row.p[i];

        row.p[i] = (char)(was ^ 0xff);
        rule_alert_free(rule_alert_unpack(buf_str(&row), b->c.names, &b->arena));
        row.p[i] = was;
    }
    buf_release(&row);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* It went pending while the clock was an hour ahead. */
static void a_clock_that_is_set_back_delays_nothing(void **state)
{
    struct bench *b = *state;

    b->wall_ahead = NS_PER_H;
    run_to(b, 0, 1, "0");
    b->wall_ahead = 0;
    rule_set_back(&b->rule, START + 2 * NS_PER_M, -NS_PER_H);
    run_to(b, 2, 4, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_PENDING);
    run_to(b, 5, 5, "0");
    assert_int_equal(state_of(b, "0"), RULE_ALERT_FIRING);
    assert_int_equal(alert_of(b, "0")->active_at, START);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_clock_that_is_set_back_delays_nothing),
        T(for_must_pass_whole),
        T(a_gap_of_one_evaluation_resets_for),
        T(without_for_it_fires_at_once),
        T(an_error_leaves_everything),
        T(resolved_is_sent_for_fifteen_minutes),
        T(an_alert_that_returns_is_a_new_one),
        T(resending_is_strict_on_slots),
        T(keep_firing_for_needs_its_whole_time),
        T(a_kept_alert_that_returns_stays_the_same),
        T(keep_firing_for_does_not_hold_a_pending_one),
        T(a_longer_for_takes_firing_back),
        T(duplicate_labels_fail_the_evaluation),
        T(the_limit_throws_everything_away),
        T(rule_labels_override_and_delete),
        T(a_jump_of_the_wall_clock_fires_nothing),
        T(the_summary_is_the_worst_state),
        T(a_short_outage_changes_nothing),
        T(a_short_outage_counts_for_pending),
        T(a_longer_outage_is_not_counted),
        T(nearly_done_waits_for_the_grace_period),
        T(what_was_firing_fires_again),
        T(after_the_tolerance_all_is_dropped),
        T(rows_of_any_bytes_are_refused_or_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
