/* Samples with times of their own: each series reads as if it had a store for itself, and again after a replay. */
#include "tsdb_fixture.h"

#include <stdlib.h>
#include <unistd.h>
#include "tsdb/log.h"

enum { S = 1000 };

static void put_at(const char *series, double v, int seconds)
{
    tsdb_batch_add_at(&batch, TSDB_REF_NEW, labels(series), v, (ts_ms)seconds * S);
}

static void start(int seconds)
{
    begin(stream("s"), (ts_ms)seconds * S);
}

static void series_drift_apart(void **state)
{
    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    for (int i = 0; i < 8; i++) {
        start(14 + 15 * i);
        put("plain", i);
        put_at("a", i, 10 + 15 * i);
        put_at("b", i, i < 2 ? 10 + 14 * i : 24 + 15 * (i - 2)); /* once it does not advance */
        put_at("b2", i, i < 2 ? 10 + 14 * i : 24 + 15 * (i - 2));
        put_at("c", i, 12 + 15 * i);
        commit();
        assert_int_equal(batch.refused, i == 2 ? 2 : 0); /* the same time with another value */
    }
    assert_string_equal(dump("{__name__=\"a\"}"),
                        "{__name__=\"a\"} 10=0 25=1 40=2 55=3 70=4 85=5 100=6 115=7\n");
    assert_string_equal(dump("{__name__=\"b\"}"),
                        "{__name__=\"b\"} 10=0 24=1 39=3 54=4 69=5 84=6 99=7\n");
    assert_string_equal(dump("{__name__=\"b2\"}"),
                        "{__name__=\"b2\"} 10=0 24=1 39=3 54=4 69=5 84=6 99=7\n");
    assert_string_equal(dump("{__name__=\"c\"}"),
                        "{__name__=\"c\"} 12=0 27=1 42=2 57=3 72=4 87=5 102=6 117=7\n");
    assert_string_equal(dump("{__name__=\"plain\"}"),
                        "{__name__=\"plain\"} 14=0 29=1 44=2 59=3 74=4 89=5 104=6 119=7\n");
    assert_int_equal(tsdb_stats(db).streams, 4); /* a; b and b2; c; plain */
    close_db();
}

static void times_that_do_not_fit(void **state)
{
    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    start(100);
    put_at("a", 1, 90);
    put_at("old", 1, -200); /* nobody looks back so far */
    commit();
    assert_int_equal(batch.timed.v[1].item.ref, TSDB_REF_NEW);
    assert_int_equal(tsdb_stats(db).series, 1);
    start(115);
    put_at("a", 1, 90); /* the same again */
    commit();
    assert_int_equal(batch.refused, 0);
    start(130);
    put_at("a", 2, 90);
    commit();
    assert_int_equal(batch.refused, 1);
    assert_int_equal(batch.why, TSDB_DUPLICATE);
    start(145);
    put_at("a", 2, 80);
    put_at("b", 2, 80);
    commit();
    assert_int_equal(batch.refused, 1);
    assert_int_equal(batch.why, TSDB_OUT_OF_ORDER);
    start(160);
    put_at("a", 3, 300); /* ahead, and twice in a page */
    put_at("a", 4, 200);
    put_at("old", 4, 150);
    put_at("never", 4, 0);
    put_at("far", 4, 1 << 30);
    batch.timed.v[4].t = INT64_MAX; /* no time at all */
    commit();
    assert_int_equal(batch.refused, 1);
    start(175);
    commit(); /* nothing ends */
    assert_string_equal(dump("{__name__=\"a\"}"), "{__name__=\"a\"} 90=1 200=4 300=3\n");
    assert_string_equal(dump("{__name__=\"b\"}"), "{__name__=\"b\"} 80=2\n");
    assert_string_equal(dump("{__name__=\"old\"}"), "{__name__=\"old\"} 150=4\n");
    close_db();
}

static void what_is_not_renewed_goes(void **state)
{
    uint64_t epoch;

    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    start(100);
    put_at("a", 1, 90);
    commit();
    epoch = tsdb_batch_begin(&batch, db, stream("s"), 110 * S);
    assert_int_equal(tsdb_collect(db, 1000 * S), 0); /* not while a batch may have its ref */
    tsdb_batch_cancel(&batch);
    assert_int_equal(tsdb_collect(db, 390 * S), 1);
    (void)tsdb_collect(db, 390 * S);
    assert_int_equal(tsdb_stats(db).streams, 1);
    assert_true(tsdb_batch_begin(&batch, db, stream("s"), 391 * S) != epoch);
    put_at("a", 1, 90); /* it is still shown */
    commit();
    assert_int_equal(tsdb_stats(db).series, 0);
    assert_int_equal(tsdb_stats(db).streams, 1);
    close_db();
}

static void a_series_changes_its_ways(void **state)
{
    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    for (int i = 1; i <= 5; i++) {
        start(10 * i);
        if (i == 3 || i == 4)
            put_at("a", i, 10 * i - 3);
        else
            put("a", i);
        commit();
        if (i == 4)
            assert_string_equal(dump("{__name__=\"a\"}"),
                                "{__name__=\"a\"} 10=1 20=2 30=stale 37=4\n");
    }
    /* What the stream has no time for is lost. */
    assert_string_equal(dump("{__name__=\"a\"}"), "{__name__=\"a\"} 10=1 20=2 30=stale 50=5\n");
    close_db();
}

static void others_take_over_what_was_left(void **state)
{
    struct tsdb_stream *s;

    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    start(100);
    put_at("a", 1, 90);
    commit();
    begin(stream("t"), 100 * S);
    put_at("a", 2, 95);
    commit();
    assert_int_equal(batch.refused, 1);
    assert_int_equal(batch.why, TSDB_FOREIGN);
    s = stream("s");
    end_stream(s, 110 * S);
    assert_string_equal(dump("{__name__=\"a\"}"), "{__name__=\"a\"} 90=1\n"); /* no marker */
    begin(stream("t"), 110 * S);
    put_at("a", 2, 105);
    commit();
    assert_string_equal(dump("{__name__=\"a\"}"), "{__name__=\"a\"} 90=1 105=2\n");
    close_db();
}

/* Against series that have a stream each, by dice. */
static void lanes_are_as_good_as_streams(void **state)
{
    enum { N = 40, ROUNDS = 400 };
    char path[] = "/tmp/tocsin-lane-XXXXXX", command[64];
    struct tsdb_replay replayed;
    struct err e = ERR_INIT;
    const char *expected, *here;
    struct buf b = BUF_INIT;
    int last[N] = {0};
    uint32_t dice = 7;

    (void)state;
    assert_non_null(mkdtemp(path));
    open_with((struct tsdb_options){.keep_all = true, .min_reach_ms = 100 * MINUTES_5});
    assert_true(tsdb_log_open(db, str_of(path), &replayed, &e));
    for (int r = 1; r <= ROUNDS; r++) {
        start(1000 + r * 15);
        for (int i = 0; i < N; i++) {
            int t = 1000 + r * 15 - (i % 5) * 3;

            dice = dice * 1664525 + 1013904223;
            if ((dice >> 16) % 50 == 0) /* one group of them is not looked at, or somebody lags */
                t -= 20;
            if (t > last[i] && (dice >> 20) % 9 != 0) {
                put_at(arena_printf(&arena, "m{i=\"%02d\"}", i).p, r, t);
                last[i] = t;
            }
        }
        commit();
        assert_int_equal(batch.refused, 0);
        assert_true(tsdb_log_step(db, (1000 + r * 15) * (ts_ms)S, false, &e));
    }
    expected = dump("{__name__=\"m\"}");
    for (int i = 0; i < N; i++) { /* the same dice again, a series at a time */
        uint32_t d = 7;
        int newest_t = 0;

        buf_addf(&b, "{__name__=\"m\", i=\"%02d\"}", i);
        for (int k = 0; k < ROUNDS * N; k++) {
            int t = 1000 + (k / N + 1) * 15 - (i % 5) * 3;

            d = d * 1664525 + 1013904223;
            if (k % N != i)
                continue;
            if ((d >> 16) % 50 == 0)
                t -= 20;
            if (t > newest_t && (d >> 20) % 9 != 0) {
                buf_addf(&b, " %d=%d", t, k / N + 1);
                newest_t = t;
            }
        }
        buf_adds(&b, "\n");
    }
    here = arena_str(&arena, buf_str(&b)).p;
    buf_clear(&b);
    assert_int_equal(strlen(expected), strlen(here)); /* the order is that of coming */
    for (const char *line = here; *line != '\0';) {
        const char *end = strchr(line, '\n') + 1;

        if (strstr(expected, arena_str(&arena, (str){line, (size_t)(end - line)}).p) == NULL)
            fail_msg("%.*s", (int)(end - line), line);
        line = end;
    }
    expected = mem_zdup(str_of(expected));
    close_db();
    open_with((struct tsdb_options){.keep_all = true, .min_reach_ms = 100 * MINUTES_5});
    assert_true(tsdb_log_open(db, str_of(path), &replayed, &e));
    assert_string_equal(dump("{__name__=\"m\"}"), expected);
    close_db();
    mem_free((void *)(uintptr_t)expected);
    buf_release(&b);
    snprintf(command, sizeof(command), "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_drift_apart),
        cmocka_unit_test(times_that_do_not_fit),
        cmocka_unit_test(what_is_not_renewed_goes),
        cmocka_unit_test(a_series_changes_its_ways),
        cmocka_unit_test(others_take_over_what_was_left),
        cmocka_unit_test(lanes_are_as_good_as_streams),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
