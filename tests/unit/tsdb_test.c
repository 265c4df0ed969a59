#include "tsdb_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "os/role.h"

#include <math.h>

static void samples_come_back(void **state)
{
    struct tsdb_stream *s;

    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    s = stream("a");
    for (int i = 1; i <= 3; i++) {
        begin(s, i * STEP);
        put("m{x=\"1\"}", i);
        put("m{x=\"2\"}", i == 2 ? (double)NAN : 10 * i);
        commit();
    }
    assert_string_equal(dump("{__name__=\"m\"}"), "{__name__=\"m\", x=\"1\"} 15=1 30=2 45=3\n"
                                                  "{__name__=\"m\", x=\"2\"} 15=10 30=NaN 45=30\n");
    assert_int_equal(tsdb_stats(db).appended, 6);
    close_db();
}

static void rows_slide(void **state)
{
    struct tsdb_stream *s;
    uint32_t ref = TSDB_REF_NEW;
    const char *out;

    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    s = stream("a");
    for (int i = 1; i <= 1000; i++) {
        begin(s, (ts_ms)i * STEP);
        tsdb_batch_add(&batch, ref, labels("m"), i);
        commit();
        ref = batch.items.v[0].ref;
    }
    out = dump("{__name__=\"m\"}");
    assert_non_null(strstr(out, " 15000=1000\n"));
    assert_non_null(strstr(out, " 14715=981")); /* 20 samples back */
    assert_null(strstr(out, " 14400=960"));     /* out of reach */
    assert_true(tsdb_stats(db).bytes < 20000);
    close_db();
}

static void series_end_and_begin(void **state)
{
    struct tsdb_stream *s;

    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    s = stream("a");
    begin(s, STEP);
    put("a", 1);
    put("b", 1);
    commit();
    begin(s, 2 * STEP);
    put("b", 2);
    put("c", 2);
    commit();
    begin(s, 3 * STEP);
    put("a", 3);
    put("b", 3);
    commit();
    assert_string_equal(dump("{__name__=~\".+\"}"), "{__name__=\"a\"} 15=1 30=stale 45=3\n"
                                                    "{__name__=\"b\"} 15=1 30=2 45=3\n"
                                                    "{__name__=\"c\"} 30=2 45=stale\n");
    end_stream(s, 4 * STEP);
    assert_string_equal(dump("{__name__=\"b\"}"), "{__name__=\"b\"} 15=1 30=2 45=3 60=stale\n");
    /* another target with the same series takes them over */
    begin(stream("b"), 5 * STEP);
    put("b", 5);
    commit();
    assert_string_equal(dump("{__name__=\"b\"}"), "{__name__=\"b\"} 75=5\n");
    close_db();
}

static void bad_samples_are_refused(void **state)
{
    struct tsdb_stream *s, *other;
    struct err e = ERR_INIT;
    struct tsdb_stats stats;

    (void)state;
    open_with((struct tsdb_options){.keep_all = true, .max_series = 2, .max_label_bytes = 30});
    s = stream("a");
    other = stream("b");
    begin(s, STEP);
    put("a", 1);
    put("a", 2);
    put("b", 2);
    put("c", 2);
    put("a{long=\"0123456789012345678901234567890\"}", 1);
    commit();
    begin(s, STEP);
    put("a", 2);
    assert_false(tsdb_commit(&batch, &e));
    assert_int_equal(e.code, ERR_CONFLICT);
    begin(other, STEP);
    put("a", 3);
    commit();
    stats = tsdb_stats(db);
    assert_int_equal(stats.series, 2);
    assert_int_equal(stats.refused[TSDB_DUPLICATE], 1);
    assert_int_equal(stats.refused[TSDB_TOO_MANY_SERIES], 1);
    assert_int_equal(stats.refused[TSDB_LABELS_TOO_LONG], 1);
    assert_int_equal(stats.refused[TSDB_OUT_OF_ORDER], 1);
    assert_int_equal(stats.refused[TSDB_FOREIGN], 1);
    assert_string_equal(dump("{__name__=\"a\"}"), "{__name__=\"a\"} 15=1\n");
    close_db();
}

/* Whoever hands them over should have looked; the store looks again, by ref, in its own time, and from the log. */
static void labels_without_text_are_refused(void **state)
{
    static const struct label bad[][2] = {
        {{S_INIT(""), S_INIT("x")}, {S_INIT("__name__"), S_INIT("m")}},
        {{S_INIT("__name__"), S_INIT("m")}, {S_INIT("a"), S_INIT("")}},
        {{S_INIT("__name__"), S_INIT("m")}, {S_INIT("\xff"), S_INIT("x")}}};
    struct tsdb_stream *s;

    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    s = stream("a");
    begin(s, STEP);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        tsdb_batch_add(&batch, TSDB_REF_NEW, (struct labels){bad[i], 2}, 1);
        tsdb_batch_add_at(&batch, TSDB_REF_NEW, (struct labels){bad[i], 2}, 1, STEP - 1);
    }
    put("m{a=\"1\"}", 5);
    commit();
    assert_int_equal(batch.refused, 2 * ARRAY_LEN(bad));
    assert_int_equal(batch.why, TSDB_LABELS_INVALID);
    assert_int_equal(tsdb_stats(db).refused[TSDB_LABELS_INVALID], 2 * ARRAY_LEN(bad));
    assert_string_equal(dump("{__name__=~\".+\"}"), "{__name__=\"m\", a=\"1\"} 15=5\n");
    close_db();
}

static void memory_is_limited(void **state)
{
    struct tsdb_stream *s;
    struct err e = ERR_INIT;
    struct tsdb_stats stats;
    bool ok = true;

    (void)state;
    open_with(
        (struct tsdb_options){.keep_all = true, .max_bytes = 200000, .min_reach_ms = 1000000});
    s = stream("a");
    begin(s, STEP);
    for (int i = 0; i < 200; i++)
        put(arena_printf(&arena, "m{i=\"%d\"}", i).p, i);
    commit();
    for (int i = 1; ok && i < 2000; i++) {
        begin(s, STEP + i * 1000); /* far more often than announced */
        put("m{i=\"1\"}", i);
        ok = tsdb_commit(&batch, &e);
    }
    stats = tsdb_stats(db);
    assert_false(ok);
    assert_int_equal(e.code, ERR_LIMIT);
    assert_true(stats.bytes <= 200000);
    assert_true(stats.refused[TSDB_TOO_MUCH_MEMORY] > 0);
    assert_non_null(strstr(dump("{i=\"1\"}"), " 15=1 "));
    close_db();
}

/* Without keep_all only what a selector reads is stored, as far back as it reads. */
static void selectors_decide_what_is_kept(void **state)
{
    struct storage_selector *near, *far, *peek;
    struct tsdb_stream *s;
    uint64_t epoch;

    (void)state;
    open_with((struct tsdb_options){0});
    near = selector("{__name__=\"m\",x!=\"\"}", MINUTES_5);
    peek = selector("{__name__=\"other\"}", 0); /* looks, but keeps nothing */
    s = stream("a");
    epoch = tsdb_batch_begin(&batch, db, s, STEP);
    put("m", 1);
    put("m{x=\"1\"}", 1);
    put("other", 1);
    commit();
    assert_int_equal(batch.items.v[0].ref, TSDB_REF_DROPPED);
    assert_int_equal(count(near), 1);
    assert_int_equal(count(peek), 0);
    far = selector("{__name__=~\"m|other\"}", 4 * MINUTES_5);
    assert_true(tsdb_batch_begin(&batch, db, s, 2 * STEP) != epoch); /* refs are void */
    put("m", 2);
    put("m{x=\"1\"}", 2);
    put("other", 2);
    commit();
    assert_int_equal(count(far), 3);
    assert_int_equal(count(peek), 1);
    for (int i = 3; i < 200; i++) {
        begin(s, (ts_ms)i * STEP);
        put("m", i);
        put("m{x=\"1\"}", i);
        commit();
    }
    assert_non_null(strstr(dump("{__name__=\"m\",x=\"1\"}"), " 1800=120 "));
    assert_null(strstr(dump("{__name__=\"m\",x=\"1\"}"), " 1500=100 "));
    release(far);
    while (tsdb_collect(db, 200 * STEP) != 0) /* nobody wants "other" and plain "m" any more */
        ;
    assert_int_equal(tsdb_stats(db).series, 1);
    release(near);
    release(peek);
    while (tsdb_collect(db, 200 * STEP) != 0)
        ;
    assert_int_equal(tsdb_stats(db).series, 0);
    close_db();
}

/* Equal ones are one, in whatever order their matchers stand; what differs in anything is another one. */
static void equal_selectors_are_one(void **state)
{
    static const char *const texts[] = {"{__name__=\"m\",x=\"1\",y=~\"a|b.*\"}",
                                        "{__name__=\"m\",x!=\"1\",y=~\"a|b.*\"}",
                                        "{__name__=\"m\",x=\"1\",y!~\"a|b.*\"}",
                                        "{__name__=\"m\",x=\"1\",y=~\"a|c.*\"}",
                                        "{__name__=\"m\",x=\"1\",y=\"a|b.*\"}",
                                        "{__name__=\"m\",y=\"1\",x=~\"a|b.*\"}",
                                        "{__name__=\"m\",x=\"1\"}"};
    struct storage_selector *first[ARRAY_LEN(texts)], *turned;

    (void)state;
    open_with((struct tsdb_options){.keep_all = false});
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        first[i] = selector(texts[i], 0);
        for (size_t j = 0; j < i; j++)
            assert_ptr_not_equal(first[i], first[j]);
    }
    turned = selector("{y=~\"a|b.*\",x=\"1\",__name__=\"m\"}", 0);
    assert_ptr_equal(turned, first[0]);
    assert_int_equal(tsdb_stats(db).selectors, ARRAY_LEN(texts));
    release(first[0]);
    assert_int_equal(tsdb_stats(db).selectors, ARRAY_LEN(texts));
    release(turned);
    assert_int_equal(tsdb_stats(db).selectors, ARRAY_LEN(texts) - 1);
    for (size_t i = 1; i < ARRAY_LEN(texts); i++)
        release(first[i]);
    close_db();
}

/* A selector that looks further back makes rows longer and keeps what they hold. */
static void reach_grows(void **state)
{
    struct storage_selector *sel = NULL;
    struct tsdb_stream *s;

    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    s = stream("a");
    for (int i = 1; i < 100; i++) {
        begin(s, (ts_ms)i * STEP);
        put("m", i);
        tsdb_batch_add(&batch, TSDB_REF_NEW, labels("st"), i);
        tsdb_batch_set_start(&batch, i);
        commit();
        if (i == 20)
            sel = selector("{__name__=~\"m|st\"}", 20 * 60000);
    }
    assert_non_null(strstr(dump("{__name__=\"m\"}"), " 300=20 "));
    assert_non_null(strstr(dump("{__name__=\"st\"}"), " 300=20@20 "));
    assert_null(strstr(dump("{__name__=\"m\"}"), " 30=2 "));
    release(sel);
    close_db();
}

static void matchers_select(void **state)
{
    static const struct {
        const char *text;
        size_t n;
    } cases[] = {
        {"{__name__=\"m\"}", 4},
        {"{__name__=\"m\",x=\"1\"}", 2},
        {"{__name__=\"m\",x!=\"1\"}", 2},
        {"{__name__=\"m\",x=\"\"}", 1},
        {"{x=~\"1|2\",y=\"a\"}", 2},
        {"{x=~\".*\"}", 5},
        {"{x=~\".+\"}", 4},
        {"{x!~\"1.*\",__name__!=\"\"}", 3},
        {"{y!=\"\"}", 2},
        {"{x=\"none\"}", 0},
        {"{nothing=\"\"}", 5},
    };
    struct storage_selector *s[ARRAY_LEN(cases)];

    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        s[i] = selector(cases[i].text, 0);
    begin(stream("a"), STEP);
    put("m{x=\"1\"}", 1);
    put("m{x=\"1\",y=\"a\"}", 1);
    put("m{x=\"2\",y=\"a\"}", 1);
    put("m", 1);
    put("n{x=\"3\"}", 1);
    commit();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct storage_selector *late = selector(cases[i].text, 0);

        if (count(s[i]) != cases[i].n)
            fail_msg("%s: %zu series", cases[i].text, count(s[i]));
        assert_ptr_equal(late, s[i]); /* equal ones are one */
        release(late);
        release(s[i]);
        late = selector(cases[i].text, 0); /* found by the index */
        if (count(late) != cases[i].n)
            fail_msg("%s by the index: %zu series", cases[i].text, count(late));
        release(late);
    }
    close_db();
}

static void epochs_tell_of_changes(void **state)
{
    struct storage st;
    struct storage_selector *m;
    uint64_t before, after;

    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    st = tsdb_storage(db);
    m = selector("{__name__=\"m\"}", MINUTES_5);
    for (int i = 1; i <= 3; i++) {
        storage_begin(st);
        before = storage_ids(st, m).epoch;
        storage_end(st);
        begin(stream("a"), (ts_ms)i * STEP);
        put("m", i);
        put(i == 2 ? "m{x=\"1\"}" : "n", i);
        commit();
        storage_begin(st);
        after = storage_ids(st, m).epoch;
        storage_end(st);
        assert_int_equal(before != after, i != 3);
    }
    release(m);
    close_db();
}

static void ended_series_are_forgotten(void **state)
{
    struct storage_selector *re;
    struct tsdb_stream *s;

    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    re = selector("{pod=~\"pod.*\"}", MINUTES_5);
    s = stream("a");
    for (int i = 0; i < 3000; i++) { /* a new pod every scrape */
        begin(s, (ts_ms)(i + 1) * STEP);
        put("up", 1);
        put(arena_printf(&arena, "m{pod=\"pod%d\"}", i).p, i);
        commit();
        (void)tsdb_collect(db, (ts_ms)(i + 1) * STEP);
        arena_reset(&arena);
    }
    assert_true(tsdb_stats(db).series < 30);
    assert_true(tsdb_stats(db).symbols < 60);
    assert_int_equal(count(re), tsdb_stats(db).series - 1);
    assert_true(tsdb_stats(db).bytes < 60000);
    assert_non_null(strstr(dump("{pod=\"pod2999\"}"), "=2999"));
    end_stream(s, 3001 * STEP);
    while (tsdb_collect(db, 3001 * STEP + MINUTES_5) != 0)
        ;
    (void)tsdb_collect(db, 3001 * STEP + MINUTES_5);
    assert_int_equal(tsdb_stats(db).series, 0);
    assert_int_equal(tsdb_stats(db).streams, 0);
    release(re);
    close_db();
}

static void an_open_batch_keeps_its_refs_good(void **state)
{
    struct tsdb_stream *s;
    uint64_t epoch;

    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    s = stream("a");
    begin(s, STEP);
    put("m", 1);
    commit();
    epoch = tsdb_batch_begin(&batch, db, s, 2 * STEP);
    assert_int_equal(tsdb_collect(db, STEP + MINUTES_5), 0);
    tsdb_batch_cancel(&batch);
    assert_int_equal(tsdb_collect(db, STEP + MINUTES_5), 1);
    assert_int_not_equal(tsdb_batch_begin(&batch, db, s, 2 * STEP), epoch);
    tsdb_batch_cancel(&batch);
    close_db();
}

static void histograms_share_layouts(void **state)
{
    struct tsdb_stream *s;
    size_t before = 0;

    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    s = stream("a");
    for (int i = 1; i <= 200; i++) {
        struct histogram h = exponential(i == 199 ? 1 : i, 2 * i);

        if (i == 100)
            before = tsdb_stats(db).bytes;
        begin(s, (ts_ms)i * STEP);
        tsdb_batch_add_histogram(&batch, TSDB_REF_NEW, labels("h"), &h);
        commit();
    }
    assert_true(tsdb_stats(db).bytes < before + 1000); /* those that slid out are given back */
    assert_non_null(strstr(dump("{__name__=\"h\"}"),
                           " 2970={count:594, sum:198, (1,2]:198, (2,4]:396}not_reset "
                           "2985={count:399, sum:1, (1,2]:1, (2,4]:398}reset "));
    close_db();
}

static void what_is_left_is_given_away_or_ends(void **state)
{
    struct tsdb_stream *old;

    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    old = hold_stream("old", NULL);
    begin(old, STEP);
    put("moves", 1);
    put("ends", 1);
    commit();
    begin(stream("new"), 2 * STEP);
    put("moves", 2);
    commit();
    assert_int_equal(tsdb_stats(db).refused[TSDB_FOREIGN], 1); /* it is the other's still */
    tsdb_stream_leave(old);
    begin(stream("new"), 3 * STEP);
    put("moves", 3);
    commit();
    tsdb_stream_close_left(db, old, 3 * STEP);
    assert_string_equal(dump("{__name__=\"moves\"}"), "{__name__=\"moves\"} 45=3\n");
    assert_string_equal(dump("{__name__=\"ends\"}"), "{__name__=\"ends\"} 15=1 45=stale\n");
    close_db();
}

/* A rule that is there again before the old one is gone, and gone before it: each holds the stream, and the last ends it. */
static void each_holder_lets_go_of_it(void **state)
{
    struct tsdb_stream *old, *again;

    (void)state;
    for (int order = 0; order < 4; order++) {
        open_with((struct tsdb_options){.keep_all = true, .min_reach_ms = STEP});
        old = hold_stream("s", NULL);
        begin(old, STEP);
        put("a", 1);
        commit();
        if (order % 2 == 0)
            tsdb_stream_leave(old); /* before the other one is there, or behind it */
        again = hold_stream("s", NULL);
        assert_ptr_equal(again, old);
        if (order % 2 == 1)
            tsdb_stream_leave(old);
        begin(stream("other"), STEP);
        put("a", 5);
        commit();
        assert_int_equal(tsdb_stats(db).refused[TSDB_FOREIGN], 1); /* somebody holds it */
        if (order < 2)
            tsdb_stream_close_left(db, old, 2 * STEP);
        assert_string_equal(dump("{__name__=\"a\"}"), "{__name__=\"a\"} 15=1\n");
        tsdb_stream_leave(again);
        tsdb_stream_close_left(db, again, 3 * STEP);
        for (int i = 0; i < 100; i++)
            tsdb_collect(db, MINUTES_5 * 100);
        if (order >= 2)
            tsdb_stream_close_left(db, old, 4 * STEP); /* it is there still */
        for (int i = 0; i < 100; i++)
            tsdb_collect(db, MINUTES_5 * 100);
        assert_false(tsdb_stream_is_known(db, S("s")));
        close_db();
    }
}

static bool is_nan(storage_slot slot)
{
    return slot << 1 > UINT64_C(0xffe0000000000000);
}

static double number(storage_slot slot)
{
    double v;

    memcpy(&v, &slot, sizeof(v));
    return v;
}

/* What a series says of its last slots is true; returns how many it says it of. */
static size_t check_rising(const struct storage_series *s)
{
    size_t end = s->n;

    assert_true(s->rising <= s->n);
    assert_true(s->n == 0 || s->last == storage_at(s, s->n - 1));
    while (end != 0 && is_nan(storage_at(s, end - 1)))
        end--;
    for (size_t i = s->n - s->rising; i < end; i++) {
        assert_false(is_nan(storage_at(s, i)));
        assert_true(i == s->n - s->rising ||
                    number(storage_at(s, i)) >= number(storage_at(s, i - 1)));
    }
    return s->rising;
}

/* Of all series of the selector; the sum. */
static size_t check_all_rising(struct storage_selector *sel)
{
    struct storage st = tsdb_storage(db);
    struct storage_series v;
    struct storage_ids ids;
    size_t sum = 0;

    storage_begin(st);
    ids = storage_ids(st, sel);
    for (size_t i = 0; i < ids.n; i++) {
        storage_read(st, &ids.v[i], 1, &v);
        sum += check_rising(&v);
    }
    storage_end(st);
    return sum;
}

/* Counters that are reset, gaps, NaNs, histograms; rows that slide, get longer, and go to another stream. */
static void what_is_said_to_rise_does(void **state)
{
    struct histogram h;
    struct storage_selector *all, *wide = NULL;
    struct tsdb_stream *s;
    uint32_t seed = 1;
    double v[20] = {0};
    size_t said = 0;

    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    h = exponential(1, 2);
    all = selector("{__name__=\"m\"}", MINUTES_5);
    s = stream("a");
    for (int t = 1; t <= 3000; t++) {
        begin(s, (ts_ms)t * STEP);
        for (uint32_t i = 0; i < ARRAY_LEN(v); i++) {
            char text[32];
            uint32_t dice = (seed = seed * 1664525 + 1013904223) >> 16 & 0x3ff;

            v[i] = dice < i ? 0 : v[i] + dice % 3; /* the first one never falls */
            snprintf(text, sizeof(text), "m{i=\"%u\"}", i);
            if (i != 0 && dice % 50 == 1)
                continue;
            if (i % 4 == 3 && dice % 70 == 2)
                tsdb_batch_add_histogram(&batch, TSDB_REF_NEW, labels(text), &h);
            else
                put(text, i % 4 == 1 && dice % 60 == 3 ? (double)NAN : v[i]);
        }
        commit();
        said += check_all_rising(all);
        if (t == 500)
            wide = selector("{__name__=\"m\",i=~\"1?[0-5]\"}", 4 * MINUTES_5);
        if (t % 1000 == 0) {
            end_stream(s, (ts_ms)t * STEP + 1);
            check_all_rising(all);
            s = stream(t == 1000 ? "b" : "c");
        }
    }
    assert_true(said > 3000 * 20 * 10); /* it is not always silent */
    release(wide);
    release(all);
    close_db();
}

/* -- never on the loop: whoever would wait for the lock there dies -- */

static void lock_stats(void)
{
    (void)tsdb_stats(db);
}

static void lock_known(void)
{
    (void)tsdb_stream_is_known(db, S("s"));
}

static void lock_open(void)
{
    (void)stream("s");
}

static void lock_span(void)
{
    storage_begin(tsdb_storage(db));
}

static void lock_select(void)
{
    (void)storage_select(tsdb_storage(db), &(struct matchers){NULL, 0}, 0, NULL);
}

static void lock_collect(void)
{
    (void)tsdb_collect(db, 0);
}

static void lock_follow(void)
{
    tsdb_follow(db, (struct now){.mono = 1, .stepped = 1});
}

/* An exporter that never ends has its series made while it is read: they go with its scrape. */
static void what_a_failed_batch_made_goes(void **state)
{
    struct tsdb_stream *s;
    struct tsdb_stats before, now;
    size_t made;

    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    s = stream("t");
    begin(s, STEP);
    put("old{i=\"1\"}", 1);
    commit();
    before = tsdb_stats(db);
    tsdb_batch_release(&batch);
    tsdb_batch_init(&batch);
    begin(s, 2 * STEP);
    put("old{i=\"1\"}", 2);
    for (int i = 0; i < 5000; i++) {
        char text[64];

        snprintf(text, sizeof(text), "endless{i=\"%d\"}", i / 2); /* each twice */
        if (i % 3 == 0)
            tsdb_batch_add_at(&batch, TSDB_REF_NEW, labels(text), i, 2 * STEP);
        else
            put(text, i);
    }
    tsdb_batch_resolve(&batch);
    now = tsdb_stats(db);
    assert_int_equal(now.series, 2501);
    made = now.bytes - before.bytes;
    assert_int_equal(batch.made, made);
    tsdb_batch_clear(&batch);
    commit();
    now = tsdb_stats(db);
    assert_int_equal(now.series, 1);
    assert_true(now.bytes - before.bytes < made / 8); /* tables of what is known grow only */
    begin(s, 3 * STEP);
    put("endless{i=\"7\"}", 3);
    put("old{i=\"1\"}", 3);
    commit();
    assert_int_equal(tsdb_stats(db).series, 2);
    close_db();
}

static void never_on_the_loop(void **state)
{
    static void (*const all[])(void) = {lock_stats,  lock_known,   lock_open,  lock_span,
                                        lock_select, lock_collect, lock_follow};

    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        for (enum role role = ROLE_NONE; role <= ROLE_WORKER; role++) {
            int status;
            pid_t child = fork();

            if (child == 0) {
                signal(SIGABRT, SIG_DFL);
                (void)!freopen("/dev/null", "w", stderr);
                role_set(role);
                all[i]();
                _exit(0);
            }
            assert_int_equal(waitpid(child, &status, 0), child);
            assert_int_equal(WIFSIGNALED(status), role == ROLE_LOOP);
        }
    close_db();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_failed_batch_made_goes),
        cmocka_unit_test(never_on_the_loop),
        cmocka_unit_test(samples_come_back),
        cmocka_unit_test(rows_slide),
        cmocka_unit_test(series_end_and_begin),
        cmocka_unit_test(bad_samples_are_refused),
        cmocka_unit_test(memory_is_limited),
        cmocka_unit_test(labels_without_text_are_refused),
        cmocka_unit_test(selectors_decide_what_is_kept),
        cmocka_unit_test(equal_selectors_are_one),
        cmocka_unit_test(reach_grows),
        cmocka_unit_test(matchers_select),
        cmocka_unit_test(epochs_tell_of_changes),
        cmocka_unit_test(ended_series_are_forgotten),
        cmocka_unit_test(an_open_batch_keeps_its_refs_good),
        cmocka_unit_test(histograms_share_layouts),
        cmocka_unit_test(what_is_left_is_given_away_or_ends),
        cmocka_unit_test(each_holder_lets_go_of_it),
        cmocka_unit_test(what_is_said_to_rise_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
