/* The board's parts that decide by themselves: what is asked, how bad it is, and the day of a group in 48 slots. */
#include "unit.h"

#include "board/ask.h"
#include "board/strip.h"

static void reads_a_question(void **state)
{
    struct board_ask q;
    struct err e = ERR_INIT;
    struct label v[] = {{S_INIT("alertname"), S_INIT("Slow")}, {S_INIT("job"), S_INIT("vLLM")}};
    struct labels ls = {v, 2};

    (void)state;
    assert_true(board_ask_init(&q,
                               S("filter=job%3D~%22v.*%22&q=SLO&state=firing,silenced&limit=9999&"
                                 "severity=,critical&unknown=x"),
                               MATCHER_FALLBACK, &e));
    assert_int_equal(q.filter.n, 1);
    assert_int_equal(q.limit, 500);
    assert_true(q.states[BOARD_FIRING] && q.states[BOARD_SILENCED] && !q.states[BOARD_INHIBITED]);
    assert_int_equal(q.n_severities, 2);
    assert_int_equal(q.severities[0].n, 0);
    assert_true(board_ask_takes(&q, ls, LABELS_NONE));
    v[0].value = S("Fast");
    assert_false(board_ask_takes(&q, ls, LABELS_NONE));
    assert_true(board_ask_takes(&q, ls, (struct labels){&(struct label){S("s"), S("is slow")}, 1}));
    v[1].value = S("other");
    assert_false(
        board_ask_takes(&q, ls, (struct labels){&(struct label){S("s"), S("is slow")}, 1}));
    board_ask_release(&q);
}

static void refuses_what_it_cannot_read(void **state)
{
    static const char *const bad[] = {"state=firing,asleep", "limit=many", "filter=%3D",
                                      "offset=-1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct board_ask q;
        struct err e = ERR_INIT;

        assert_false(board_ask_init(&q, str_of(bad[i]), MATCHER_FALLBACK, &e));
        assert_true(e.msg[0] != '\0');
    }
}

static void ranks(void **state)
{
    struct board_ask q;
    struct err e = ERR_INIT;

    (void)state;
    assert_true(board_ask_init(&q, STR_NONE, MATCHER_FALLBACK, &e));
    assert_int_equal(board_rank(&q, S("critical")), 0);
    assert_int_equal(board_rank(&q, S("P1")), 0);
    assert_int_equal(board_rank(&q, S("Warning")), 2);
    assert_int_equal(board_rank(&q, STR_NONE), 3);
    assert_int_equal(board_rank(&q, S("none")), 4);
    board_ask_release(&q);
    assert_true(board_ask_init(&q, S("order=sev1, sev2,warning"), MATCHER_FALLBACK, &e));
    assert_int_equal(board_rank(&q, S("SEV1")), 0);
    assert_int_equal(board_rank(&q, S("sev2")), 1);
    assert_int_equal(board_rank(&q, S("critical")), 3); /* behind all that are named */
    board_ask_release(&q);
    assert_true(board_ask_init(&q, S("order=a,b,c,d,e,f"), MATCHER_FALLBACK, &e));
    assert_int_equal(board_rank(&q, S("f")), 4);
    board_ask_release(&q);
}

static void tell(struct journal *j, ts_ns at, size_t firing)
{
    static const uint64_t fps[64];
    struct state_commit c = {0};
    struct decision d = {.kind = DECISION_NOTIFY,
                         .at = at,
                         .until = TS_NONE,
                         .group_key = S("{}:{}"),
                         .receiver = S("r"),
                         .alerts = fps,
                         .n_alerts = firing != 0 ? firing : 1,
                         .n_firing = firing};

    journal_add(j, &d, 1, &c);
    state_commit_release(&c);
}

static void expect_strip(struct strips *s, const struct journal *j, ts_ns now, const char *wanted)
{
    struct buf out = BUF_INIT;

    while (strips_read(s, j, now))
        ;
    if (wanted == NULL) {
        assert_false(strip_put(s, strip_key(S("{}:{}"), S("r")), now, &out));
    } else {
        assert_true(strip_put(s, strip_key(S("{}:{}"), S("r")), now, &out));
        assert_int_equal(out.n, STRIP_SLOTS);
        assert_string_equal(buf_z(&out) + STRIP_SLOTS - strlen(wanted), wanted);
    }
    buf_release(&out);
}

static void a_day_in_slots(void **state)
{
    const ts_ns slot = NS_PER_D / STRIP_SLOTS, t = 1000000 * slot;
    struct journal j = {0};
    struct strips s = {0};

    (void)state;
    expect_strip(&s, &j, t, NULL);
    tell(&j, t, 1);
    expect_strip(&s, &j, t, "0001");
    expect_strip(&s, &j, t + 2 * slot, "00111"); /* nobody said that it ended */
    tell(&j, t + 2 * slot + 1, 12);
    tell(&j, t + 3 * slot, 0);
    expect_strip(&s, &j, t + 4 * slot,
                 "0114"
                 "40"); /* the slot in which it ended has fired, too */
    tell(&j, t + 4 * slot, 50);
    expect_strip(&s, &j, t + 4 * slot, "5");
    tell(&j, t + 5 * slot, 0);
    expect_strip(&s, &j, t + 60 * slot, NULL);
    assert_int_equal(s.of.n, 0);
    strips_release(&s);
    journal_release(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_question),
        cmocka_unit_test(refuses_what_it_cannot_read),
        cmocka_unit_test(ranks),
        cmocka_unit_test(a_day_in_slots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
