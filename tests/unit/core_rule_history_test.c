/* The state changes of alerts: in order, the last hundred, and the longest unchanged goes first. */
#include "unit.h"

#include "core/rule_history.h"

struct bench {
    struct rule_group_view view;
    struct interner *own;
    struct rule_history h;
};

static int set_up(void **state)
{
    struct bench *b = mem_new(struct bench);

    b->view.file = S("f.yml");
    b->view.name = S("g");
    b->own = interner_new();
    rule_history_init(&b->h, b->own);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    rule_history_release(&b->h);
    assert_int_equal(interner_count(b->own), 0);
    interner_free(b->own);
    mem_free(b);
    return 0;
}

static void change(struct bench *b, const char *gpu, ts_ns at, enum rule_alert_state state)
{
    struct label v[] = {{S("alertname"), S("A")}, {S("gpu"), str_of(gpu)}};
    struct rule_news c = {.rule = 1,
                          .labels = {v, 2},
                          .fingerprint = labels_fingerprint((struct labels){v, 2}),
                          .state = state,
                          .value = (double)at};
    const struct rules_ran ran = {.slot = at, .view = &b->view, .changes = &c, .n_changes = 1};

    rule_history_note(&b->h, &ran);
}

static const struct alert_history *of(const struct bench *b, const char *gpu)
{
    MAP_EACH (struct u64_map_entry, it, &b->h.alerts) {
        const struct alert_history *a = it->value;

        if (str_is(label_set_get(a->labels, S("gpu")), gpu))
            return a;
    }
    return NULL;
}

static void changes_are_kept_in_order(void **state)
{
    struct bench *b = *state;
    const struct alert_history *a;

    change(b, "0", 1, RULE_ALERT_PENDING);
    change(b, "1", 1, RULE_ALERT_PENDING);
    change(b, "0", 5, RULE_ALERT_FIRING);
    change(b, "1", 6, RULE_ALERT_INACTIVE);
    a = of(b, "0");
    assert_int_equal(a->events.n, 2);
    assert_int_equal(a->events.v[1].at, 5);
    assert_true(a->events.v[1].value == 5);
    assert_int_equal(a->events.v[1].state, RULE_ALERT_FIRING);
    assert_str(shared_text_str(a->group), "g");
    assert_str(shared_text_str(a->file), "f.yml");
    a = of(b, "1");
    assert_int_equal(a->events.v[1].state, RULE_ALERT_INACTIVE);
}

static void only_the_last_hundred_stay(void **state)
{
    struct bench *b = *state;
    const struct alert_history *a;

    for (ts_ns t = 1; t <= 250; t++)
        change(b, "0", t, RULE_ALERT_FIRING);
    a = of(b, "0");
    assert_int_equal(a->events.n, RULE_HISTORY_OF_ALERT);
    assert_int_equal(a->events.v[0].at, 151);
    assert_int_equal(b->h.n, RULE_HISTORY_OF_ALERT);
}

static void the_longest_unchanged_alert_goes_first(void **state)
{
    struct bench *b = *state;

    b->h.max = 4;
    change(b, "0", 1, RULE_ALERT_PENDING);
    change(b, "1", 2, RULE_ALERT_PENDING);
    change(b, "0", 3, RULE_ALERT_FIRING);
    change(b, "1", 4, RULE_ALERT_FIRING);
    change(b, "0", 5, RULE_ALERT_INACTIVE);
    assert_null(of(b, "1"));
    assert_int_equal(of(b, "0")->events.n, 3);
    assert_int_equal(b->h.n, 3);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(changes_are_kept_in_order),
        T(only_the_last_hundred_stay),
        T(the_longest_unchanged_alert_goes_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
