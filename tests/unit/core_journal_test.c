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
    struct journal j = {.next = 0xfedcba97};
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
    assert_true(str_find_str(buf_str(&c.ops), S("00000000fedcba98")) > 0); /* the second's key */
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

struct paged {
    ts_ns at[16];
    size_t n, stop;
};

static bool page(void *arg, const struct decision *d, struct journal_place at)
{
    struct paged *p = arg;

    (void)at;
    p->at[p->n++] = d->at;
    return p->n != p->stop;
}

static void read_on(void *arg, const struct decision *d)
{
    struct paged *p = arg;

    p->at[p->n++] = d->at;
}

static void goes_on_where_a_reader_stopped(void **state)
{
    struct journal_place place = JOURNAL_END;
    struct state_commit c = {0};
    struct journal j = {0};
    struct paged p = {.stop = 2};
    uint64_t from = 0;

    (void)state;
    for (ts_ns t = 0; t < 6; t += 3) {
        struct decision v[] = {told(t + 1), told(t + 2), told(t + 3)};

        journal_add(&j, v, 3, &c);
    }
    assert_true(journal_scan_back(&j, &place, SIZE_MAX, page, &p) || p.n == 2);
    assert_true(p.at[0] == 6 && p.at[1] == 5);
    p.stop = 4;
    (void)journal_scan_back(&j, &place, SIZE_MAX, page, &p);
    assert_true(p.n == 4 && p.at[2] == 4 && p.at[3] == 3);
    p.stop = 16;
    assert_false(journal_scan_back(&j, &place, SIZE_MAX, page, &p));
    assert_true(p.n == 6 && p.at[4] == 2 && p.at[5] == 1);
    assert_true(journal_is_first(&j, place.block) && place.index == 0);
    place = JOURNAL_END;
    p = (struct paged){.stop = 16};
    assert_true(journal_scan_back(&j, &place, 1, page, &p)); /* a block is seen whole */
    assert_int_equal(p.n, 3);
    p = (struct paged){.stop = 16};
    assert_true(journal_read(&j, &from, 1, read_on, &p));
    assert_true(p.n == 3 && p.at[0] == 1);
    assert_false(journal_read(&j, &from, 1, read_on, &p));
    assert_true(p.n == 6 && p.at[5] == 6);
    assert_false(journal_read(&j, &from, 1, read_on, &p));
    assert_int_equal(p.n, 6);
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
        cmocka_unit_test(goes_on_where_a_reader_stopped),
        cmocka_unit_test(refuses_what_is_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
