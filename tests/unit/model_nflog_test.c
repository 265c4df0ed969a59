#include "unit.h"

#include "base/attr.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "model/nflog.h"
#include "model/outbox.h"
#include "model/row.h"

#define HOUR (3600ll * 1000000000)

static struct hash_list list(const char *digits, uint64_t *room)
{
    struct hash_list h = {room, 0};

    for (; *digits != '\0'; digits++)
        room[h.n++] = (uint64_t)(*digits - '0');
    return h;
}

/* The table of alertmanager.md 3.7, first match wins. entry "-" = none, else "firing/resolved". */
struct row {
    const char *entry_firing, *entry_resolved, *firing, *resolved;
    bool send_resolved;
    int64_t hours_ago; /* of the entry; repeat_interval is 4 h */
    enum notify_reason want;
};

static const struct row rows[] = {
    {NULL, NULL, "1", "", true, 0, REASON_FIRST},
    {NULL, NULL, "", "1", true, 0, REASON_NONE},
    {NULL, NULL, "", "", true, 0, REASON_NONE},
    {"", "1", "2", "", true, 0, REASON_FIRST},
    {"1", "", "12", "", true, 0, REASON_NEW_ALERTS},
    {"1", "", "2", "1", true, 0, REASON_NEW_ALERTS},
    {"12", "", "", "12", true, 0, REASON_ALL_RESOLVED},
    {"12", "", "", "12", false, 0, REASON_ALL_RESOLVED},
    {"", "12", "", "12", true, 9, REASON_NONE},
    {"12", "", "1", "2", true, 0, REASON_SOME_RESOLVED},
    {"12", "", "1", "2", false, 0, REASON_NONE},
    {"12", "2", "1", "2", true, 0, REASON_NONE},
    {"12", "", "1", "", true, 0, REASON_NONE}, /* one was silenced: no reason to tell */
    {"1", "", "1", "", true, 4, REASON_NONE},  /* exactly the interval is not over it */
    {"1", "", "1", "", true, 5, REASON_REPEAT},
    {"12", "", "1", "2", false, 5, REASON_REPEAT},
};

static void dedup_table(void **state)
{
    struct now now = {100 * HOUR, 50 * HOUR};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        uint64_t a[8], b[8], c[8], d[8];
        struct nflog_entry *e = NULL;
        enum notify_reason got;

        if (r->entry_firing != NULL)
            e = nflog_entry_new(now.wall - r->hours_ago * HOUR, now.mono - r->hours_ago * HOUR,
                                TS_MAX, list(r->entry_firing, a), list(r->entry_resolved, b), NULL,
                                0);
        got = nflog_decide(e, list(r->firing, c), list(r->resolved, d), r->send_resolved, 4 * HOUR,
                           now);
        if (got != r->want)
            print_error("row %zu: %s\n", i, notify_reason_text(got));
        assert_int_equal(got, r->want);
        nflog_entry_free(e);
    }
}

/* A restart with a wall clock that went on: the age of an entry is kept on the new monotonic clock. */
static void entries_survive_packing(void **state)
{
    struct now before = {100 * HOUR, 50 * HOUR}, after = {101 * HOUR, 1 * HOUR};
    struct delivery_pair kept[] = {{S("threadTs"), S("17.5")}};
    uint64_t room[8];
    struct nflog_entry *e = nflog_entry_new(before.wall, before.mono, before.mono + 8 * HOUR,
                                            list("13", room), (struct hash_list){NULL, 0}, kept, 1);
    struct nflog_entry *back;
    struct buf b = BUF_INIT;

    (void)state;
    e->opened_as = mem_str_dup(S("{}/{a=~\"b\"}:{}"));
    e->is_unsure = true;
    nflog_pack(&b, e, before);
    back = nflog_unpack(buf_str(&b), after);
    assert_non_null(back);
    assert_int_equal(after.mono - back->sent_mono, HOUR);
    assert_int_equal(back->expires_mono - after.mono, 7 * HOUR);
    assert_int_equal(back->firing.n, 2);
    assert_int_equal(back->firing.v[1], 3);
    assert_str(back->kept[0].value, "17.5");
    assert_str(back->opened_as, "{}/{a=~\"b\"}:{}");
    assert_true(back->is_unsure);
    for (size_t cut = 0; cut < b.n; cut++)
        assert_null(nflog_unpack(str_sub(buf_str(&b), 0, cut), after));
    nflog_entry_free(e);
    nflog_entry_free(back);
    buf_release(&b);
}

/* What may have been heard is no reason to keep still, and an end is told. */
static void doubts_are_told(void **state)
{
    struct now now = {100 * HOUR, 50 * HOUR};
    uint64_t a[8], b[8], c[8];
    struct nflog_entry *e = nflog_entry_new(now.wall, now.mono, now.mono + HOUR, list("13", a),
                                            (struct hash_list){NULL, 0}, NULL, 0);

    (void)state;
    assert_int_equal(nflog_decide(e, list("1", b), list("", c), true, HOUR, now), REASON_NONE);
    e->is_unsure = true;
    assert_int_equal(nflog_decide(e, list("1", b), list("", c), true, HOUR, now),
                     REASON_NEW_ALERTS);
    assert_int_equal(nflog_decide(e, list("", b), list("1", c), true, HOUR, now),
                     REASON_ALL_RESOLVED);
    nflog_entry_free(e);
}

/* Version 0.1.0 ended an entry where opened_as stands now. */
static void entries_of_version_1_are_read(void **state)
{
    static const char bytes[] = "\x01\x02\x04\x00\x00\x01\x01k\x01v";
    struct nflog_entry *e =
        nflog_unpack((str){bytes, sizeof(bytes) - 1}, (struct now){100 * HOUR, 50 * HOUR});

    (void)state;
    assert_non_null(e);
    assert_int_equal(e->timestamp, 1);
    assert_str(e->kept[0].value, "v");
    assert_int_equal(e->opened_as.n, 0);
    nflog_entry_free(e);
}

static void keys_fall_apart(void **state)
{
    str group, receiver, integration;
    uint64_t index;
    struct buf b = BUF_INIT;

    (void)state;
    nflog_key(&b, S("{}/{a=\"}:x\"}:{b=\"c/d\"}"), S("team/a"), S("webhook"), 12);
    assert_true(nflog_key_split(buf_str(&b), &group, &receiver, &integration, &index));
    assert_str(group, "{}/{a=\"}:x\"}:{b=\"c/d\"}");
    assert_str(receiver, "team/a");
    assert_str(integration, "webhook");
    assert_int_equal(index, 12);
    assert_false(nflog_key_split(S("{}:{}"), &group, &receiver, &integration, &index));
    buf_release(&b);
}

static void rows_survive_packing(void **state)
{
    struct now now = {100 * HOUR, 50 * HOUR};
    struct label labels[] = {{S("alertname"), S("X")}};
    static const str actors[] = {S_INIT("alice"), S_INIT("bob")};
    struct notified_alert alerts[] = {
        {.labels = {labels, 1},
         .starts_at = 5,
         .ends_at = TS_NONE,
         .fingerprint = 7,
         .has_value = true,
         .value = 0.25},
        {.labels = {labels, 1}, .starts_at = 5, .ends_at = 9, .is_resolved = true}};
    struct notification n = {.receiver = S("r"),
                             .group_key = S("{}:{}"),
                             .act = ACT_ACKED,
                             .reason = REASON_FIRST,
                             .actors = actors,
                             .n_actors = 2,
                             .alerts = alerts,
                             .n_alerts = 2,
                             .n_firing = 1,
                             .is_relayed = true,
                             .from_receiver = S("theirs"),
                             .from_url = S("http://am"),
                             .flush_id = 77},
                        read;
    const struct receipt *receipts;
    struct hash_list none = {NULL, 0};
    struct outbox_row *row = outbox_row_new(S("k"), &n, S("webhook"), 3, none, none, HOUR, now),
                      *back;
    struct buf b = BUF_INIT;
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    row->not_before = now.mono + HOUR;
    outbox_row_failed(row, FAILURE_RATE_LIMITED, S("slow down"));
    outbox_row_had(row, S("+1 1 5 c1\n+2 1 5 c2\n"));
    assert_true(outbox_row_hears(row, &(struct receipt){S("c1"), true, S("")}));
    assert_true(outbox_row_hears(row, &(struct receipt){S("c2"), false, S("busy")}));
    assert_false(outbox_row_hears(row, &(struct receipt){S("c2"), true, S("")}));
    assert_false(outbox_row_hears(row, &(struct receipt){S("2"), true, S("")}));
    outbox_pack(&b, row, now);
    back = outbox_unpack(S("k"), buf_str(&b), (struct now){now.wall + HOUR / 2, 0});
    assert_non_null(back);
    assert_int_equal(back->not_before, HOUR / 2);
    assert_int_equal(back->index, 3);
    assert_int_equal(back->attempt, 1);
    assert_int_equal(back->failure, FAILURE_RATE_LIMITED);
    assert_str(back->error, "slow down");
    assert_int_equal(outbox_receipts(back, &a, &receipts), 2);
    assert_true(receipts[0].is_told && !receipts[1].is_told);
    assert_str(receipts[1].why, "busy");
    outbox_row_had(back, S("+2 1 5 c2\n"));
    assert_str(back->receipts, "c2 busy\n"); /* of the other call nobody asks any more */
    assert_true(notification_unpack(back->data, &a, &read));
    assert_int_equal(read.n_alerts, 2);
    assert_int_equal(read.n_firing, 1);
    assert_int_equal(read.alerts[0].ends_at, TS_NONE);
    assert_int_equal(read.flush_id, 77);
    assert_true(read.alerts[0].has_value && read.alerts[0].value == 0.25);
    assert_false(read.alerts[1].has_value);
    assert_int_equal(read.act, ACT_ACKED);
    assert_int_equal(read.n_actors, 2);
    assert_str(read.actors[1], "bob");
    assert_true(back->is_relayed && read.is_relayed);
    assert_str(read.from_receiver, "theirs");
    assert_str(read.from_url, "http://am");
    assert_str(outbox_told_as(back), "{}:{}"); /* "k" does not begin with it */
    for (size_t cut = 0; cut < b.n; cut++)
        assert_null(outbox_unpack(S("k"), str_sub(buf_str(&b), 0, cut), now));
    for (size_t cut = 0; cut < back->data.n; cut++)
        assert_false(notification_unpack(str_sub(back->data, 0, cut), &a, &read));
    outbox_row_free(row);
    outbox_row_free(back);
    buf_release(&b);
    arena_release(&a);
}

/* A row that names its alerts is on disk, and tells, what one with copies does, whatever becomes of the alerts; with it goes the
 * last that is known of them. */
static void a_row_names_its_alerts(void **state)
{
    struct now now = {100 * HOUR, 50 * HOUR};
    struct label labels[] = {{S("alertname"), S("X")}, {S("n"), S("1")}};
    struct label others[] = {{S("alertname"), S("X")}, {S("n"), S("2")}, {S("severity"), S("p1")}};
    struct label said[] = {{S("summary"), S("it is broken")}};
    struct interner *names = interner_new();
    struct alert *of[] = {
        alert_new(names,
                  &(struct alert_input){.labels = {labels, 2},
                                        .annotations = {said, 1},
                                        .generator_url = S("http://p/graph"),
                                        .starts_at = 5,
                                        .ends_at = 9},
                  HOUR, now),
        alert_new(names, &(struct alert_input){.labels = {others, 3}, .starts_at = 6}, HOUR, now)};
    struct notified_alert alerts[2];
    struct notification n = {.receiver = S("r"),
                             .group_key = S("{}:{}"),
                             .act = ACT_FIRING,
                             .reason = REASON_NEW_ALERTS,
                             .decided_at = 7,
                             .alerts = alerts,
                             .n_alerts = 2,
                             .n_firing = 1,
                             .flush_id = 77,
                             .from_url = S("http://other")},
                        told;
    struct hash_list none = {NULL, 0};
    struct outbox_row *naming, *copying;
    struct buf a = BUF_INIT, b = BUF_INIT, c = BUF_INIT, d = BUF_INIT;
    struct notification without;
    struct arena arena;

    (void)state;
    arena_init(&arena, 0);
    for (size_t i = 0; i < 2; i++)
        alerts[i] =
            (struct notified_alert){.labels = label_set_view(&arena, of[i]->labels),
                                    .annotations = label_set_view(&arena, of[i]->annotations),
                                    .generator_url = alert_generator_url(of[i]),
                                    .starts_at = of[i]->starts_at,
                                    .ends_at = i == 0 ? 9 : TS_NONE,
                                    .fingerprint = alert_fingerprint(of[i]),
                                    .is_resolved = i == 0,
                                    .change = i == 0 ? CHANGE_RESOLVED : CHANGE_ADDED};
    copying = outbox_row_new(S("k"), &n, S("webhook"), 0, none, none, HOUR, now);
    naming = outbox_row_naming(S("k"), &n, (const struct alert *const *)of, S("webhook"), 0, none,
                               none, HOUR, now);
    notification_pack(&c, &n);
    for (size_t i = 0; i < 2; i++)
        alert_unref(of[i]);
    assert_true(interner_count(names) >= 3);
    outbox_pack(&a, copying, now);
    for (int i = 0; i < 2; i++) { /* at once, and again when it no longer has a copy */
        buf_clear(&b);
        outbox_pack(&b, naming, now);
        assert_true(str_eq(buf_str(&a), buf_str(&b)));
        outbox_row_written(naming);
    }
    without = n;
    without.n_alerts = 0;
    buf_clear(&b);
    notification_pack(&b, &without);
    assert_true(str_eq(naming->data, buf_str(&b)));
    assert_int_equal(naming->bytes, copying->bytes);
    assert_int_equal(naming->urgency, copying->urgency);
    assert_true(outbox_tells(naming, &arena, &told));
    assert_int_equal(told.n_firing, 1);
    assert_int_equal(told.act, ACT_FIRING);
    notification_pack(&d, &told);
    assert_true(str_eq(buf_str(&c), buf_str(&d)));
    outbox_row_free(naming);
    outbox_row_free(copying);
    assert_int_equal(interner_count(names), 0);
    interner_free(names);
    buf_release(&a);
    buf_release(&b);
    buf_release(&c);
    buf_release(&d);
    arena_release(&arena);
}

/* A row of version 3 ends before the reason. */
static void older_rows_have_no_reason(void **state)
{
    struct now now = {100 * HOUR, 50 * HOUR};
    struct notification n = {.receiver = S("r"), .group_key = S("{}:{}"), .flush_id = 77};
    struct hash_list none = {NULL, 0};
    struct outbox_row *row = outbox_row_new(S("k"), &n, S("webhook"), 3, none, none, HOUR, now),
                      *back;
    struct buf b = BUF_INIT;

    (void)state;
    outbox_row_failed(row, FAILURE_AUTH, STR_NONE);
    outbox_pack(&b, row, now);
    b.p[0] = 3;
    back = outbox_unpack(S("k"), str_sub(buf_str(&b), 0, b.n - 2), now);
    assert_non_null(back);
    assert_int_equal(back->attempt, 1);
    assert_int_equal(back->failure, FAILURE_DEADLINE);
    assert_int_equal(back->error.n, 0);
    outbox_row_free(row);
    outbox_row_free(back);
    buf_release(&b);
}

/* What takes a row's place has its attempts, and words that are cut are cut between runes. */
static void attempts_go_on(void **state)
{
    struct now now = {100 * HOUR, 50 * HOUR};
    struct notification n = {.receiver = S("r"), .group_key = S("{}:{}"), .flush_id = 77};
    struct hash_list none = {NULL, 0};
    struct outbox_row *row = outbox_row_new(S("k"), &n, S("webhook"), 3, none, none, HOUR, now),
                      *next = outbox_row_new(S("k"), &n, S("webhook"), 3, none, none, HOUR, now);
    struct buf long_ = BUF_INIT;

    (void)state;
    buf_addc(&long_, 'x');
    for (int i = 0; i < 300; i++)
        buf_adds(&long_, "\xe6\x97\xa5");
    outbox_row_failed(row, FAILURE_CLIENT, buf_str(&long_));
    outbox_row_failed(row, FAILURE_SERVER, buf_str(&long_));
    outbox_row_follow(next, row);
    assert_int_equal(next->attempt, 2);
    assert_int_equal(next->failure, FAILURE_SERVER);
    assert_true(next->error.n > 240 && next->error.n <= 250 && utf8_is_valid(next->error));
    outbox_row_free(row);
    outbox_row_free(next);
    buf_release(&long_);
}

/* 0.2.0 wrote no act: it follows from the alerts. */
static void an_older_notification_has_its_act(void **state)
{
    struct notified_alert alert = {.ends_at = TS_NONE};
    struct notification n = {.receiver = S("r"), .alerts = &alert, .n_alerts = 1}, read;
    struct buf b = BUF_INIT;
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    for (int resolved = 0; resolved <= 1; resolved++) {
        alert.is_resolved = resolved != 0;
        buf_clear(&b);
        notification_pack(&b, &n);
        assert_int_equal(b.p[0], 6);
        b.p[0] = 5; /* without values */
        assert_true(notification_unpack(str_sub(buf_str(&b), 0, b.n - 1), &a, &read));
        assert_false(read.alerts[0].has_value);
        b.p[0] = 4; /* nor from whom it is passed on */
        assert_true(notification_unpack(str_sub(buf_str(&b), 0, b.n - 4), &a, &read));
        assert_false(read.is_relayed);
        b.p[0] = 3;
        assert_true(notification_unpack(str_sub(buf_str(&b), 0, b.n - 6), &a, &read));
        assert_int_equal(read.act, resolved ? ACT_RESOLVED : ACT_FIRING);
        assert_int_equal(read.n_actors, 0);
    }
    buf_release(&b);
    arena_release(&a);
}

static void some_words_are_urgent(void **state)
{
    static const char *const urgent[] = {"critical", "Page", "EMERGENCY", "fatal", "p0", "P1"};
    static const char *const others[] = {"", "warning", "p2", "pages", "info"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(urgent) + ARRAY_LEN(others); i++) {
        bool is = i < ARRAY_LEN(urgent);
        struct label l[] = {{S("severity"), str_of(is ? urgent[i] : others[i - ARRAY_LEN(urgent)])},
                            {S("z"), S("critical")}};

        assert_int_equal(labels_are_urgent((struct labels){l, 2}), is);
        l[0].name = S("priority");
        assert_int_equal(labels_are_urgent((struct labels){l, 2}), is);
    }
}

static void what_is_packed_in_place_is_a_string(void **state)
{
    static const size_t sizes[] = {0, 1, 127, 128, 16383, 16384, 40000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct state_commit whole = {0}, begun = {0};
        struct buf b = BUF_INIT;
        size_t at;

        for (size_t k = 0; k < sizes[i]; k++)
            buf_addc(&b, (char)(k % 251));
        state_put(&whole, STATE_TOLD, S("key"), buf_str(&b));
        state_delete(&whole, STATE_TOLD, S("other"));
        at = state_put_begin(&begun, STATE_TOLD, S("key"));
        buf_add(&begun.ops, buf_str(&b));
        state_put_end(&begun, at);
        state_delete(&begun, STATE_TOLD, S("other"));
        assert_true(str_eq(buf_str(&whole.ops), buf_str(&begun.ops)));
        assert_int_equal(begun.rows, 2);
        state_commit_release(&whole);
        state_commit_release(&begun);
        buf_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(dedup_table),
                                       cmocka_unit_test(doubts_are_told),
                                       cmocka_unit_test(entries_survive_packing),
                                       cmocka_unit_test(older_rows_have_no_reason),
                                       cmocka_unit_test(attempts_go_on),
                                       cmocka_unit_test(entries_of_version_1_are_read),
                                       cmocka_unit_test(keys_fall_apart),
                                       cmocka_unit_test(an_older_notification_has_its_act),
                                       cmocka_unit_test(rows_survive_packing),
                                       cmocka_unit_test(a_row_names_its_alerts),
                                       cmocka_unit_test(some_words_are_urgent),
                                       cmocka_unit_test(what_is_packed_in_place_is_a_string)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
