/* The one judge: what keeps an alert back, in which order, until when, and that asking costs nothing where nothing has
 * changed. Then what an attempt makes of its answer. */
#include "conf_text.h"

#include "core/audience.h"
#include "core/engine.h"
#include "state/backend.h"
#include "config/config.h"

static const struct now start = {1767225600 * NS_PER_S, 1000 * NS_PER_S}; /* 2026-01-01T00:00:00Z */

static const char config[] =
    "route:\n"
    "  receiver: r\n"
    "  group_by: [alertname]\n"
    "  group_wait: 30s\n"
    "  routes:\n"
    "    - {matchers: [team=\"gpu\"], mute_time_intervals: [early]}\n"
    "    - {matchers: [team=\"llm\"], active_time_intervals: [late], mute_time_intervals: "
    "[early]}\n"
    "    - {match_re: {team: 'db|storage'}, receiver: old}\n"
    "receivers:\n"
    "  - {name: r, webhook_configs: [{url: 'http://sink'}]}\n"
    "  - {name: old, webhook_configs: [{url: 'http://sink'}]}\n"
    "inhibit_rules:\n"
    "  - {source_matchers: [alertname=\"Down\"], target_matchers: [alertname=\"Slow\"], equal: "
    "[i]}\n"
    "time_intervals:\n"
    "  - {name: early, time_intervals: [{times: [{start_time: '00:00', end_time: '00:06'}]}]}\n"
    "  - {name: late, time_intervals: [{times: [{start_time: '00:11', end_time: '24:00'}]}]}\n";

struct fixture {
    struct engine *e;
    struct state_backend *b;
    struct effects fx;
    struct arena arena;
    struct verdict v;
};

static void committed(void *arg, uint64_t n, bool ok, const struct err *e)
{
    (void)arg, (void)n, (void)e;
    assert_true(ok);
}

static struct config *load(void)
{
    return config_of_text("t.yml", str_of(config));
}

static int set_up(void **state)
{
    struct state_shell shell = {.committed = committed};
    struct fixture *f = mem_new(struct fixture);

    arena_init(&f->arena, 0);
    effects_init(&f->fx);
    f->b = state_memory_new(&shell);
    f->e = engine_new(&load()->core, MATCHER_FALLBACK, NS_PER_H, 1, start);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    const struct core_conf *conf = f->e->conf;

    verdict_release(&f->v);
    engine_free(f->e);
    config_unref(config_of(conf));
    effects_release(&f->fx);
    arena_release(&f->arena);
    state_backend_free(f->b);
    mem_free(f);
    return 0;
}

static struct now after(dur_ns d)
{
    return (struct now){start.wall + d, start.mono + d};
}

static struct labels labels(struct fixture *f, const char *text)
{
    struct err e = ERR_INIT;
    struct matchers ms;
    struct label *v;
    str warning, dup;

    if (!matchers_parse(str_of(text), MATCHER_UTF8, &f->arena, &ms, &warning, &e))
        fail_msg("%s", e.msg);
    v = arena_array(&f->arena, ms.n, sizeof(*v));
    for (size_t i = 0; i < ms.n; i++)
        v[i] = (struct label){ms.v[i].name, ms.v[i].value};
    assert_int_equal(labels_sort(v, ms.n, &dup), ms.n);
    matchers_release(&ms);
    return (struct labels){v, ms.n};
}

/* ends_at: TS_NONE: fires. */
static struct alert *post(struct fixture *f, const char *text, ts_ns ends_at, struct now now)
{
    struct alert_input in = {
        .labels = labels(f, text), .starts_at = start.wall, .ends_at = ends_at};
    struct event ev = {.kind = EVENT_ALERTS, .alerts = {.v = &in, .n = 1}};

    engine_step(f->e, &ev, now, &f->fx, NULL);
    return engine_alert(f->e, labels_fingerprint(in.labels));
}

static void silence(struct fixture *f, const char *text, dur_ns from, dur_ns to, struct now now)
{
    struct silence *s = silence_new();
    struct event ev = {.kind = EVENT_SILENCE_PUT, .silence = s};
    struct event_result r = {0};
    struct err e = ERR_INIT;
    str warning;

    s->sets = arena_new(&s->arena, struct matchers);
    s->n_sets = 1;
    if (!matchers_parse(arena_str(&s->arena, str_of(text)), MATCHER_FALLBACK, &s->arena, s->sets,
                        &warning, &e))
        fail_msg("%s", e.msg);
    s->starts_at = start.wall + from;
    s->ends_at = start.wall + to;
    s->created_by = s->comment = S("test");
    engine_step(f->e, &ev, now, &f->fx, &r);
    if (!r.ok)
        fail_msg("%s", r.err.msg);
}

static const struct route *route_of(struct fixture *f, const char *text)
{
    struct route_list routes = {0};
    const struct route *r;

    route_tree_match(&f->e->tree, labels(f, text), &routes);
    assert_int_equal(routes.n, 1);
    r = routes.v[0];
    vec_release(&routes);
    return r;
}

static enum held_by held(struct fixture *f, const char *text, struct now at)
{
    struct audience au = audience_at(f->e, route_of(f, text), at);
    bool told = audience_tells(&au, labels(f, text), &f->v);

    assert_int_equal(told, f->v.held_by == HELD_BY_NOTHING);
    return f->v.held_by;
}

/* -- verdicts -- */

static void inhibition_then_time_then_silences(void **state)
{
    struct fixture *f = *state;
    const char *slow = "{alertname=\"Slow\",i=\"0\",team=\"gpu\"}";
    struct audience au;

    assert_int_equal(held(f, slow, start), HELD_BY_MUTE_TIME);
    assert_int_equal(held(f, slow, after(6 * NS_PER_M)), HELD_BY_NOTHING);
    assert_int_equal(held(f, "{alertname=\"Slow\",team=\"llm\"}", start), HELD_BY_ACTIVE_TIME);
    silence(f, "{i=\"0\"}", 0, 20 * NS_PER_M, start);
    silence(f, "{alertname=\"Slow\"}", 0, 10 * NS_PER_M, start);
    assert_int_equal(held(f, slow, start), HELD_BY_MUTE_TIME);
    assert_int_equal(f->v.silenced_by.n, 0);
    assert_int_equal(held(f, slow, after(6 * NS_PER_M)), HELD_BY_SILENCE);
    assert_int_equal(f->v.silenced_by.n, 2);
    assert_int_equal(f->v.until, start.wall + 20 * NS_PER_M);
    /* a silence holds at its end */
    assert_int_equal(held(f, slow, after(20 * NS_PER_M)), HELD_BY_SILENCE);
    assert_int_equal(held(f, slow, after(20 * NS_PER_M + 1)), HELD_BY_NOTHING);
    post(f, "{alertname=\"Down\",i=\"0\"}", start.wall + 3 * NS_PER_M, start);
    assert_int_equal(held(f, slow, start), HELD_BY_INHIBITION);
    assert_int_equal(f->v.until, TS_NONE);
    /* all of it, for the first of them */
    au = audience_at(f->e, route_of(f, slow), start);
    assert_false(audience_judge(&au, labels(f, slow), &f->v));
    assert_int_equal(f->v.held_by, HELD_BY_INHIBITION);
    assert_int_equal(f->v.inhibited_by.n, 1);
    assert_int_equal(f->v.silenced_by.n, 2);
    /* who has ended does not inhibit; of the instant the monotonic clock says so */
    assert_int_equal(held(f, slow, after(3 * NS_PER_M)), HELD_BY_MUTE_TIME);
    assert_int_equal(held(f, slow, (struct now){start.wall + 3 * NS_PER_M, start.mono}),
                     HELD_BY_INHIBITION);
}

static void asking_writes_nothing(void **state)
{
    struct fixture *f = *state;
    struct engine_stats before;

    post(f, "{alertname=\"Down\",i=\"0\"}", TS_NONE, start);
    silence(f, "{i=\"0\"}", 0, 20 * NS_PER_M, start);
    effects_clear(&f->fx);
    before = f->e->stats;
    for (int i = 0; i < 100; i++)
        held(f, "{alertname=\"Slow\",i=\"0\",team=\"gpu\"}", after(i * NS_PER_M));
    assert_memory_equal(&before, &f->e->stats, sizeof(before));
    assert_int_equal(f->fx.decisions.n, 0);
}

/* -- revisions -- */

static uint64_t questions(const struct fixture *f)
{
    return silencer_stats(f->e->silencer).questions;
}

static bool is_cleared(struct fixture *f, struct alert *a, struct now at)
{
    struct audience any = audience_at(f->e, NULL, at);

    (void)audience_tells_alert(&any, a, &a->cleared, &f->v);
    return a->cleared == audience_revision(f->e);
}

static void what_nothing_speaks_of_is_known_until_something_changes(void **state)
{
    struct fixture *f = *state;
    struct alert *slow = post(f, "{alertname=\"Slow\",i=\"0\"}", TS_NONE, start), *down;
    uint64_t revision, asked, scanned;

    assert_int_equal(slow->cleared, 0);
    assert_true(is_cleared(f, slow, start));
    asked = questions(f);
    assert_true(is_cleared(f, slow, after(NS_PER_H)));
    assert_int_equal(questions(f), asked);

    /* alerts that inhibit nobody change nothing, whatever rules there are */
    revision = audience_revision(f->e);
    post(f, "{alertname=\"Other\",i=\"0\"}", TS_NONE, start);
    assert_int_equal(audience_revision(f->e), revision);

    /* a silence of another: only that is looked at, and it is cleared again */
    scanned = silencer_stats(f->e->silencer).scanned;
    silence(f, "{i=\"1\"}", 0, NS_PER_H, start);
    assert_true(audience_revision(f->e) != revision);
    assert_true(is_cleared(f, slow, start));
    assert_int_equal(questions(f), asked);
    assert_int_equal(silencer_stats(f->e->silencer).scanned, scanned + 1);

    /* one that begins later is not forgotten */
    silence(f, "{i=\"0\"}", 10 * NS_PER_M, 20 * NS_PER_M, start);
    assert_false(is_cleared(f, slow, start));
    assert_int_equal(f->v.held_by, HELD_BY_NOTHING);
    assert_false(is_cleared(f, slow, after(15 * NS_PER_M)));
    assert_int_equal(f->v.held_by, HELD_BY_SILENCE);
    assert_true(is_cleared(f, slow, after(21 * NS_PER_M)));

    /* a source that has ended may fire again */
    down = post(f, "{alertname=\"Down\",i=\"0\"}", TS_NONE, after(22 * NS_PER_M));
    assert_false(is_cleared(f, slow, after(22 * NS_PER_M)));
    assert_int_equal(f->v.held_by, HELD_BY_INHIBITION);
    post(f, "{alertname=\"Down\",i=\"0\"}", after(23 * NS_PER_M).wall, after(23 * NS_PER_M));
    assert_true(alert_is_resolved(down, after(23 * NS_PER_M)));
    assert_false(is_cleared(f, slow, after(23 * NS_PER_M)));
    assert_int_equal(f->v.held_by, HELD_BY_NOTHING);
    revision = audience_revision(f->e);
    post(f, "{alertname=\"Down\",i=\"0\"}", TS_NONE, after(24 * NS_PER_M));
    assert_true(audience_revision(f->e) != revision);
    assert_false(is_cleared(f, slow, after(24 * NS_PER_M)));
    assert_int_equal(f->v.held_by, HELD_BY_INHIBITION);
}

/* A silence that has ended by the wall clock holds again when that goes back. */
static void a_step_of_the_wall_clock_is_a_change(void **state)
{
    struct fixture *f = *state;
    struct alert *a = post(f, "{alertname=\"Slow\",i=\"0\"}", TS_NONE, start);
    struct event ev = {.kind = EVENT_CLOCK_STEPPED, .wall_step = -5 * NS_PER_M};
    struct now back = {start.wall + NS_PER_M, start.mono + 6 * NS_PER_M};

    silence(f, "{i=\"0\"}", 0, 2 * NS_PER_M, start);
    assert_true(is_cleared(f, a, after(6 * NS_PER_M)));
    engine_step(f->e, &ev, back, &f->fx, NULL);
    assert_false(is_cleared(f, a, back));
    assert_int_equal(f->v.held_by, HELD_BY_SILENCE);
}

static void run(struct fixture *f, struct now now)
{
    struct event ev = {.kind = EVENT_TIMER};

    engine_step(f->e, &ev, now, &f->fx, NULL);
}

static void quiet_groups_ask_no_silence(void **state)
{
    struct fixture *f = *state;
    char text[64];
    uint64_t asked;

    for (int i = 0; i < 500; i++) {
        snprintf(text, sizeof(text), "{i=~\"x%d|y%d\"}", i, i);
        silence(f, text, 0, NS_PER_H, start);
        snprintf(text, sizeof(text), "{alertname=\"A%d\"}", i);
        post(f, text, start.wall + NS_PER_H, start);
    }
    run(f, after(30 * NS_PER_S));
    asked = questions(f);
    assert_true(asked >= 500);
    run(f, after(30 * NS_PER_S + 5 * NS_PER_M));
    run(f, after(30 * NS_PER_S + 10 * NS_PER_M));
    assert_int_equal(questions(f), asked);
}

/* -- attempts -- */

static const struct outbox_row *only_row(const struct fixture *f)
{
    assert_int_equal(f->e->outbox.n, 1);
    MAP_EACH (struct outbox_map_entry, it, &f->e->outbox)
        return it->value->row;
    return NULL;
}

static void fail_once(struct fixture *f, struct now now)
{
    const struct answered_row row = {only_row(f)->key, only_row(f)->flush_id};
    struct event ev = {.kind = EVENT_DELIVERED,
                       .delivered = {.rows = &row,
                                     .n_rows = 1,
                                     .verdict = DELIVERY_RETRY_AFTER,
                                     .retry_after = NS_PER_M,
                                     .status = 503}};

    engine_step(f->e, &ev, now, &f->fx, NULL);
}

static const struct outbox_row *attempt(struct fixture *f, struct now now)
{
    struct event ev = {.kind = EVENT_ATTEMPT, .attempt = only_row(f)->key};
    struct event_result r = {0};

    effects_clear(&f->fx);
    engine_step(f->e, &ev, now, &f->fx, &r);
    return r.row;
}

static void is_decision(const struct fixture *f, size_t i, enum decision_kind kind,
                        const char *receiver, const char *group_key)
{
    const struct decision *d = &f->fx.decisions.v[i];

    assert_true(i < f->fx.decisions.n);
    assert_int_equal(d->kind, kind);
    assert_str(d->receiver, receiver);
    assert_str(d->group_key, group_key);
}

/* The row is freed, and what is said of it is not. */
static void what_is_taken_back_is_told(void **state)
{
    struct fixture *f = *state;

    post(f, "{alertname=\"Slow\",i=\"0\"}", TS_NONE, start);
    post(f, "{alertname=\"Slow\",i=\"1\"}", TS_NONE, start);
    run(f, after(30 * NS_PER_S));
    fail_once(f, after(31 * NS_PER_S));
    silence(f, "{alertname=\"Slow\"}", 0, NS_PER_H, after(40 * NS_PER_S));
    post(f, "{alertname=\"Down\",i=\"1\"}", TS_NONE, after(40 * NS_PER_S));
    assert_null(attempt(f, after(91 * NS_PER_S)));
    assert_int_equal(f->e->outbox.n, 0);
    assert_int_equal(f->fx.decisions.n, 3);
    is_decision(f, 0, DECISION_SILENCED, "r", "{}:{alertname=\"Slow\"}");
    is_decision(f, 1, DECISION_INHIBITED, "r", "{}:{alertname=\"Slow\"}");
    is_decision(f, 2, DECISION_DROPPED, "r", "{}:{alertname=\"Slow\"}");
    assert_int_equal(f->e->stats.suppressed[HELD_BY_SILENCE], 1);
    assert_int_equal(f->e->stats.suppressed[HELD_BY_INHIBITION], 1);
}

/* A digest is one request, and each of its rows is answered by it; one that is gone by now is left out. */
static void one_answer_is_about_several_rows(void **state)
{
    static const struct delivery_pair kept = {S_INIT("ts"), S_INIT("1")};
    struct fixture *f = *state;
    struct answered_row rows[3];
    struct event ev = {.kind = EVENT_DELIVERED,
                       .delivered = {.rows = rows,
                                     .verdict = DELIVERY_RETRY,
                                     .requests = 1,
                                     .had = S("alice\n"),
                                     .kept = &kept,
                                     .n_kept = 1}};

    post(f, "{alertname=\"A\"}", TS_NONE, start);
    post(f, "{alertname=\"B\"}", TS_NONE, start);
    run(f, after(30 * NS_PER_S));
    assert_int_equal(f->e->outbox.n, 2);
    rows[ev.delivered.n_rows++] = (struct answered_row){S("gone"), 1};
    MAP_EACH (struct outbox_map_entry, it, &f->e->outbox)
        rows[ev.delivered.n_rows++] =
            (struct answered_row){arena_str(&f->arena, it->value->row->key),
                                  it->value->row->flush_id};

    engine_step(f->e, &ev, after(31 * NS_PER_S), &f->fx, NULL);
    MAP_EACH (struct outbox_map_entry, it, &f->e->outbox) {
        assert_int_equal(it->value->row->attempt, 1);
        assert_str(it->value->row->had, "alice\n");
    }
    run(f, after(NS_PER_M));
    ev.delivered.verdict = DELIVERY_OK;
    engine_step(f->e, &ev, after(61 * NS_PER_S), &f->fx, NULL);
    assert_int_equal(f->e->outbox.n, 0);
    assert_int_equal(f->e->nflog.n, 2);
    MAP_EACH (struct nflog_map_entry, it, &f->e->nflog) { /* no row's own message to edit */
        assert_int_equal(it->value->n_kept, 2);
        assert_str(it->value->kept[0].key, "ts");
        assert_str(it->value->kept[1].key, KEPT_OF_DIGEST);
    }
    assert_int_equal(f->e->stats.integration[0].requests, 2);
    assert_int_equal(f->e->stats.integration[0].notifications, 2);
}

/* What is heard of a call is for whose call it is, once, has the row tried at once, and waits for the end of an attempt that is
 * under way. */
static void a_receipt_wakes_its_row(void **state)
{
    static const struct receipt other = {S_INIT("c2"), true, S_INIT("")},
                                unanswered = {S_INIT("c1"), false, S_INIT("busy\nline")},
                                answered = {S_INIT("c1"), true, S_INIT("")};
    struct fixture *f = *state;
    struct answered_row row;
    struct event_result r = {0};
    struct event ev = {.kind = EVENT_DELIVERED,
                       .delivered = {.rows = &row,
                                     .n_rows = 1,
                                     .verdict = DELIVERY_RETRY_AFTER,
                                     .retry_after = 2 * NS_PER_M,
                                     .under_way = true,
                                     .requests = 1,
                                     .had = S("+1\n+2 1 5 c1\n")}},
                 heard = {.kind = EVENT_RECEIPTS, .receipts = {S("r"), S("webhook"), 0, &other, 1}};

    post(f, "{alertname=\"A\"}", TS_NONE, start);
    run(f, after(30 * NS_PER_S));
    row = (struct answered_row){arena_str(&f->arena, only_row(f)->key), only_row(f)->flush_id};
    engine_step(f->e, &ev, after(31 * NS_PER_S), &f->fx, NULL);
    engine_step(f->e, &heard, after(32 * NS_PER_S), &f->fx, &r);
    assert_int_equal(r.accepted, 0);
    assert_true(only_row(f)->not_before > after(NS_PER_M).mono);
    heard.receipts.v = &unanswered;
    heard.receipts.receiver = S("old"); /* another's */
    engine_step(f->e, &heard, after(32 * NS_PER_S), &f->fx, &r);
    assert_int_equal(r.accepted, 0);
    heard.receipts.receiver = S("r");
    engine_step(f->e, &heard, after(33 * NS_PER_S), &f->fx, &r);
    assert_int_equal(r.accepted, 1);
    assert_str(only_row(f)->receipts, "c1 busy line\n");
    assert_int_equal(only_row(f)->not_before, after(33 * NS_PER_S).mono);
    heard.receipts.v = &answered; /* the first counts */
    engine_step(f->e, &heard, after(34 * NS_PER_S), &f->fx, &r);
    assert_int_equal(r.accepted, 0);
    assert_str(only_row(f)->receipts, "c1 busy line\n");

    run(f, after(35 * NS_PER_S)); /* an attempt, which makes another call */
    ev.delivered.had = S("+1\n+2 2 9 c2\n");
    engine_step(f->e, &ev, after(36 * NS_PER_S), &f->fx, NULL);
    assert_str(only_row(f)->receipts, "");
    run(f, after(170 * NS_PER_S)); /* which asks, and hears of it meanwhile */
    heard.receipts.v = &other;
    engine_step(f->e, &heard, after(171 * NS_PER_S), &f->fx, &r);
    assert_int_equal(r.accepted, 1);
    engine_step(f->e, &ev, after(172 * NS_PER_S), &f->fx, NULL);
    assert_str(only_row(f)->receipts, "c2\n");
    assert_int_equal(only_row(f)->not_before, after(172 * NS_PER_S).mono);
}

/* -- rows of an earlier life -- */

/* A row of 0.1.0, under the key that it gave the group; version 1 did not say whether it may have arrived. */
static void store_old(struct fixture *f, uint8_t version)
{
    static const char key[] = "{}/{team=~\"db|storage\"}:{alertname=\"Full\"}";
    struct labels ls = labels(f, "{alertname=\"Full\",team=\"db\"}");
    struct notified_alert a = {.labels = ls,
                               .starts_at = start.wall,
                               .ends_at = TS_NONE,
                               .fingerprint = labels_fingerprint(ls)};
    uint64_t hash = labels_dedup_hash(ls);
    struct notification n = {.receiver = S("old"),
                             .group_key = str_of(key),
                             .group_labels = labels(f, "{alertname=\"Full\"}"),
                             .reason = REASON_FIRST,
                             .flush_id = 7,
                             .alerts = &a,
                             .n_alerts = 1,
                             .n_firing = 1};
    struct outbox_row *row =
        outbox_row_new(arena_printf(&f->arena, "%s:old/webhook/0", key), &n, S("webhook"), 0,
                       (struct hash_list){&hash, 1}, (struct hash_list){NULL, 0}, NS_PER_H, start);
    struct state_commit c = {0};
    struct buf b = BUF_INIT, since = BUF_INIT;

    row->not_before = start.mono + 4 * NS_PER_M;
    outbox_pack(&b, row, start);
    assert_int_equal(b.p[0], 6);
    b.p[0] = (char)version;
    pack_i64(&since, start.wall);
    state_put(&c, STATE_OUTBOX, row->key,
              str_sub(buf_str(&b), 0, b.n - since.n - 4 - (version == 1)));
    buf_release(&since);
    f->b->ops->commit(f->b->self, &c);
    f->b->ops->sync(f->b->self);
    buf_release(&b);
    outbox_row_free(row);
}

static void restore(struct fixture *f)
{
    struct state_reader reader = state_reader_of(f->b);
    struct err e = ERR_INIT;
    size_t unreadable = 0;

    if (!engine_restore(f->e, &reader, after(NS_PER_M), &f->fx, &unreadable, &e))
        fail_msg("%s", e.msg);
    assert_int_equal(unreadable, 0);
}

static void a_row_of_0_1_0_may_have_arrived(void **state)
{
    struct fixture *f = *state;

    store_old(f, 1);
    restore(f);
    post(f, "{alertname=\"Full\",team=\"db\"}", TS_NONE, after(NS_PER_M));
    silence(f, "{alertname=\"Full\"}", NS_PER_M, NS_PER_H, after(NS_PER_M));
    assert_ptr_equal(attempt(f, after(4 * NS_PER_M)), only_row(f));
    assert_int_equal(f->fx.decisions.n, 0);
}

/* It is told under the key that opened it; whose group it is says the key of the row. */
static void a_renamed_row_asks_its_group(void **state)
{
    struct fixture *f = *state;
    const char *key = "{}/{team=~\"^(?:db|storage)$\"}:{alertname=\"Full\"}";
    struct row_audience x;

    store_old(f, 2);
    restore(f);
    post(f, "{alertname=\"Full\",team=\"db\"}", TS_NONE, after(NS_PER_M));
    assert_str(outbox_group_key(only_row(f)), key);
    assert_true(audience_of_row(f->e, only_row(f), NULL, after(2 * NS_PER_M), &f->arena, &x));
    assert_true(x.is_whole);
    assert_non_null(x.group);
    assert_str(x.group->key, key);
    silence(f, "{alertname=\"Full\"}", NS_PER_M, NS_PER_H, after(NS_PER_M));
    assert_null(attempt(f, after(4 * NS_PER_M)));
    is_decision(f, 0, DECISION_SILENCED, "old", key);
    is_decision(f, 1, DECISION_DROPPED, "old", key);
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(inhibition_then_time_then_silences),
        ROW(asking_writes_nothing),
        ROW(what_nothing_speaks_of_is_known_until_something_changes),
        ROW(a_step_of_the_wall_clock_is_a_change),
        ROW(quiet_groups_ask_no_silence),
        ROW(what_is_taken_back_is_told),
        ROW(one_answer_is_about_several_rows),
        ROW(a_receipt_wakes_its_row),
        ROW(a_row_of_0_1_0_may_have_arrived),
        ROW(a_renamed_row_asks_its_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
