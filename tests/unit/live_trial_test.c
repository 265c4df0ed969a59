/* What is asked for before a test is sent, and how a test's alert is marked. */
#include "conf_text.h"

#include "live/trial.h"

static bool rings(const void *conf)
{
    return *(const bool *)conf;
}

static void what_costs_is_known(void **state)
{
    const struct receiver_type webhook = {.name = "webhook"}, app = {.name = "app", .costs = rings};
    bool yes = true, no = false;

    (void)state;
    assert_false(trial_costs(&(struct integration_conf){.type = &webhook}));
    assert_true(trial_costs(&(struct integration_conf){.type = &app, .conf = &yes}));
    assert_false(trial_costs(&(struct integration_conf){.type = &app, .conf = &no}));
}

static void the_alert_says_that_it_is_none(void **state)
{
    struct config *en = config_of_text("t.yml", S("storage: {keep: all}")),
                  *zh = config_of_text("t.yml", S("global: {language: zh}"));
    struct label labels[] = {{S("alertname"), S("X")}, {S("z"), S("1")}},
                 said[] = {{S("description"), S("d")}};
    struct notified_alert a;
    struct arena arena;

    (void)state;
    arena_init(&arena, 0);
    a = trial_alert(&arena, en, ACT_DRILL, (struct labels){labels, 2}, (struct labels){said, 1}, 5);
    assert_str(labels_get(a.labels, S("alertname")), "[DRILL] X");
    assert_str(labels_get(a.labels, S("z")), "1");
    assert_str(labels_get(a.annotations, S("description")), "[DRILL] d");
    assert_str(labels_get(a.annotations, S("summary")), "[DRILL]");
    a = trial_alert(&arena, zh, ACT_TEST, (struct labels){NULL, 0}, (struct labels){NULL, 0}, 5);
    assert_str(labels_get(a.labels, S("alertname")), "[测试]");
    arena_release(&arena);
    config_unref(en);
    config_unref(zh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_costs_is_known),
                                       cmocka_unit_test(the_alert_says_that_it_is_none)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
