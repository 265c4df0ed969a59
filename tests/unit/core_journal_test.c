#include "core/journal.h"

#include "unit.h"

static const uint64_t fps[] = {1, UINT64_MAX};

static struct decision told(ts_ns at)
{
    return (struct decision){.kind = DECISION_NOTIFY,
                             .at = at,
                             .until = TS_NONE,
                             .group_key = S("{}:{a=\"b\"}"),
                             .receiver = S("ops"),
                             .integration = S("webhook"),
                             .index = 2,
                             .why = S("first notification"),
                             .flush_id = 7,
                             .alerts = fps,
                             .n_alerts = 2,
                             .n_firing = 1};
}

struct seen {
    struct decision v[8];
    size_t n, most;
};

static bool take(void *arg, const struct decision *d)
{
    struct seen *s = arg;

    s->v[s->n++] = *d;
    if (d->kind == DECISION_NOTIFY) {
        assert_true(str_is(d->receiver, "ops") && str_is(d->integration, "webhook"));
        assert_int_equal(d->index, 2);
        assert_int_equal(d->n_alerts, 2);
        assert_int_equal(d->n_firing, 1);
        assert_true(d->alerts[0] == fps[0] && d->alerts[1] == fps[1]);
    }
    return s->n < s->most;
}

static void keeps_the_news_newest_first(void **state)
{
    struct journal j = {0};
    struct state_commit c = {0};
    struct decision v[] = {told(10),
                           {.kind = DECISION_NOTHING, .at = 11},
                           {.kind = DECISION_SILENCED, .at = 12, .is_repeated = true},
                           {.kind = DECISION_FAILED, .at = 13, .until = TS_NONE, .status = 500}};
    struct seen s = {.most = 8};

    (void)state;
    journal_add(&j, v, 2, &c);
    journal_add(&j, v + 1, 2, &c); /* no news, no row */
    journal_add(&j, v + 3, 1, &c);
    assert_int_equal(c.rows, 2);
    journal_scan(&j, take, &s);
    assert_int_equal(s.n, 2);
    assert_true(s.v[0].kind == DECISION_FAILED && s.v[0].status == 500 && s.v[0].at == 13);
    assert_true(s.v[1].kind == DECISION_NOTIFY && s.v[1].until == TS_NONE);
    s = (struct seen){.most = 1};
    journal_scan(&j, take, &s);
    assert_int_equal(s.n, 1);
    journal_release(&j);
    state_commit_release(&c);
}

static void forgets_by_age_and_size(void **state)
{
    struct journal j = {0};
    struct state_commit c = {0};
    struct seen s = {.most = 8};
    size_t one;

    (void)state;
    for (ts_ns t = 1; t <= 4; t++) {
        struct decision d = told(t);

        journal_add(&j, &d, 1, &c);
    }
    one = j.bytes / 4;
    journal_trim(&j, 2, SIZE_MAX, &c);
    assert_int_equal(j.bytes, 3 * one);
    journal_trim(&j, 0, one, &c);
    assert_int_equal(j.bytes, one);
    assert_int_equal(c.rows, 4 + 3);
    journal_scan(&j, take, &s);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.v[0].at, 4);
    journal_release(&j);
    state_commit_release(&c);
}

static void refuses_what_is_damaged(void **state)
{
    struct journal j = {0};

    (void)state;
    assert_false(journal_restore(&j, S("0000000000000001"), S("\xff\xff")));
    assert_false(journal_restore(&j, S("1"), S("")));
    assert_false(journal_restore(&j, S("000000000000000g"), S("\x01\x00")));
    assert_int_equal(j.blocks.n, 0);
    journal_release(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_news_newest_first),
        cmocka_unit_test(forgets_by_age_and_size),
        cmocka_unit_test(refuses_what_is_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
