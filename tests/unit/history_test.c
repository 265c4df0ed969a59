/* History beside memory: what both give is what a store gives that has kept all. */
#include "tsdb_fixture.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "history/history.h"
#include "history/history_priv.h"
#include "history/past.h"
#include "promql/engine.h"
#include "promql/gather.h"
#include "promql/plan.h"
#include "tsdb/log.h"

enum { MINUTE = 60000, HOUR = 60 * MINUTE };
static const ts_ms midnight = INT64_C(1764460800000); /* 2025-11-30 */

static char dir[64], history_dir[80], log_dir[80];
static struct history *h;
static struct tsdb *all, *small; /* what has kept everything; what has history */
static uint64_t seed;
static dur_ns stepped; /* of the clock */

static unsigned draw(unsigned n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(seed >> 33) % n;
}

static struct now now_of(ts_ms t)
{
    static ts_ns mono;

    return (struct now){.wall = t * NS_PER_MS, .mono = ++mono, .stepped = stepped};
}

static bool always(void *arg)
{
    (void)arg;
    return true;
}

static void select_text(const char *text)
{
    struct matchers ms;
    struct err e = ERR_INIT;
    str warning;

    if (!matchers_parse(str_of(text), MATCHER_UTF8, &arena, &ms, &warning, &e) ||
        !history_select(h, &ms, 1, &e))
        fail_msg("%s", e.msg);
    matchers_release(&ms);
}

static void open_history(const char *what)
{
    struct err e = ERR_INIT;

    h = history_new(small);
    history_keep(h, 48 * HOUR, 0);
    select_text(what);
    if (!history_open(h, str_of(history_dir), &e))
        fail_msg("%s", e.msg);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/tocsin-history-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(history_dir, sizeof(history_dir), "%s/history", dir);
    snprintf(log_dir, sizeof(log_dir), "%s/samples", dir);
    open_with((struct tsdb_options){.min_reach_ms = 5 * MINUTE});
    small = db;
    all = tsdb_new(&(struct tsdb_options){.keep_all = true, .min_reach_ms = 100 * HOUR});
    open_history("{__name__!=\"\"}");
    seed = 1;
    stepped = 0;
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    history_free(h);
    tsdb_free(all);
    db = small;
    close_db();
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
    return 0;
}

static void step_history(ts_ms now)
{
    struct err e = ERR_INIT;
    bool more = true;

    while (more)
        if (!history_step(h, now_of(now), &more, &e))
            fail_msg("%s", e.msg);
}

/* -- samples -- */

static struct histogram exponential_at(unsigned i)
{
    return exponential(i % 37, 2 * i % 91);
}

static double value(unsigned series, unsigned i)
{
    switch (series % 8) {
    case 0: return i;                     /* a counter */
    case 1: return 0;                     /* that does not move */
    case 2: return draw(1000) / 10.0;     /* a gauge */
    case 3: return 1.0 / (1 + draw(100)); /* no decimal */
    case 4: return draw(3) == 0 ? NAN : -0.0;
    case 5: return 1.7e9 + i * 15;
    case 6: return draw(2) != 0 ? INFINITY : 1e300;
    default: return (double)(i / 7) * 1e12;
    }
}

/* One scrape of target a at t, into the store that is db: series come and go, ends are marked. */
static void scrape(const char *target, ts_ms t, unsigned i)
{
    uint64_t before = seed;

    begin(stream(target), t);
    for (unsigned k = 0; k < 12; k++)
        if (k < 8 || (i / (k + 3)) % 3 != 0)
            put(arena_printf(&arena, "m%u{target=\"%s\",k=\"%u\"}", k % 3, target, k).p,
                value(k, i));
    for (unsigned k = 0; k < 2; k++) {
        struct histogram x = exponential_at(i + k);

        if (i % 11 != k)
            tsdb_batch_add_histogram(
                &batch, TSDB_REF_NEW,
                labels(arena_printf(&arena, "h{target=\"%s\",k=\"%u\"}", target, k).p), &x);
    }
    tsdb_batch_add(&batch, TSDB_REF_NEW,
                   labels(arena_printf(&arena, "st{target=\"%s\"}", target).p), i);
    tsdb_batch_set_start(&batch, t - (t % (7 * MINUTE)));
    /* Others' times, some of them long gone. */
    for (unsigned k = 0; k < 3; k++)
        tsdb_batch_add_at(&batch, TSDB_REF_NEW,
                          labels(arena_printf(&arena, "own{target=\"%s\",k=\"%u\"}", target, k).p),
                          i, t - 1 - (ts_ms)k * 3 * MINUTE - (ts_ms)(i % 4) * (k != 2) * 100);
    /* Two of one time, of which one comes when the span may be written already. */
    if (i % 3 != 1)
        tsdb_batch_add_at(
            &batch, TSDB_REF_NEW,
            labels(arena_printf(&arena, "pair{target=\"%s\",k=\"%u\"}", target, i % 3).p), i,
            t - 1 - (i % 3 == 0 ? 0 : 2 * STEP));
    commit();
    if (db == small)
        seed = before; /* the other store gets the same */
}

static void scrape_both(const char *target, ts_ms t, unsigned i)
{
    db = small;
    scrape(target, t, i);
    db = all;
    scrape(target, t, i);
    db = small;
}

/* From 5 minutes before midnight on. */
static void run(unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        ts_ms t = midnight - 5 * MINUTE + (ts_ms)i * STEP;

        scrape_both("a", t, i);
        if (i % 50 != 20) /* one is missed */
            scrape_both("b", t + 4711 + draw(7), i);
        if (i % 60 == 30) {
            const char *const gone = arena_printf(&arena, "gone%u", i).p;

            scrape_both(gone, t + 1, i);
            db = small;
            end_stream(stream(gone), t + 5000);
            db = all;
            end_stream(stream(gone), t + 5000);
            db = small;
        }
        step_history(t + 5000);
        (void)tsdb_collect(small, t + 5000);
    }
}

/* -- both beside all -- */

static const char *dump_storage(struct storage st, const char *text, ts_ms from)
{
    struct err e = ERR_INIT;
    struct promql_expr *x = promql_parse(str_of(text), &promql_everything, &arena, NULL, &e);
    struct storage_selector *s;
    struct buf b = BUF_INIT;
    const char *out;

    if (x == NULL)
        fail_msg("%s", e.msg);
    s = storage_select(st, &x->selector.matchers, 0, &e);
    storage_begin(st);
    storage_contract_dump(st, s, from, &b);
    storage_end(st);
    storage_release(st, s);
    promql_release(x);
    out = arena_str(&arena, buf_str(&b)).p;
    buf_release(&b);
    return out;
}

static const char *gathered(const char *text, ts_ms from)
{
    struct past *past = past_new(h, from, INT64_MAX / 2, 0, always, NULL);
    struct gather *g = gather_new(tsdb_storage(small), 0, always, NULL);
    const char *out;

    if (past != NULL)
        gather_past(g, past_storage(past));
    out = dump_storage(gather_storage(g), text, from);
    assert_true(gather_is_whole(g));
    gather_free(g);
    if (past != NULL) {
        assert_true(past_is_whole(past));
        assert_int_equal(past_warning(past).n, 0);
    }
    past_free(past);
    return out;
}

static void must_be_equal(const char *what, const char *got, const char *want)
{
    size_t at = 0;

    while (got[at] == want[at] && got[at] != '\0')
        at++;
    if (got[at] == want[at])
        return;
    for (size_t line = at; got[line] != '\n'; line--)
        if (line == 0 || got[line - 1] == '\n') {
            print_error("in %.60s\n", got + line);
            break;
        }
    at = at > 60 ? at - 60 : 0;
    fail_msg("%s:\n%.300s\n%.300s", what, got + at, want + at);
}

static void compare_one(const char *selector, ts_ms from)
{
    must_be_equal(selector, gathered(selector, from),
                  dump_storage(tsdb_storage(all), selector, from));
}

static void compare(ts_ms from)
{
    static const char *const selectors[] = {
        "{__name__!=\"\"}",     "m1",           "{k=~\"[13]\"}", "h", "st{target=\"b\"}", "own",
        "{target=~\"gone.*\"}", "m2{k!=\"2\"}", "nobody"};

    for (size_t i = 0; i < ARRAY_LEN(selectors); i++)
        compare_one(selectors[i], from);
}

static void both_give_what_all_has(void **state)
{
    ts_ms start = midnight - 5 * MINUTE;

    (void)state;
    for (unsigned i = 0; i < 320; i += 40) {
        run(i, i + 40);
        compare(start);
        compare(start + (ts_ms)i * STEP);
    }
    assert_true(history_figures(h).files == 2); /* midnight came */
    assert_true(history_figures(h).oldest <= start);
    assert_int_equal(history_figures(h).damaged, 0);
}

/* -- PromQL across the seam -- */

typedef bool range_of(const struct promql_query *q, ts_ms start, ts_ms end, ts_ms step,
                      struct arena *a, struct promql_result *out, struct err *e);

static const char *range_text(range_of *evaluate, struct storage st, const char *text, ts_ms from,
                              ts_ms to)
{
    struct promql_settings settings = {0};
    struct err e = ERR_INIT;
    struct promql_expr *x = promql_parse(str_of(text), &promql_everything, &arena, NULL, &e);
    struct promql_query q = {.expr = x, .text = str_of(text), .storage = st, .settings = &settings};
    struct promql_result r;
    struct buf b = BUF_INIT;
    const char *out;

    if (x == NULL || !evaluate(&q, from, to, 20000, &arena, &r, &e))
        fail_msg("%s: %s", text, e.msg);
    for (size_t i = 0; i < r.n; i++) {
        labels_print(&b, r.series[i].labels);
        for (size_t k = 0; k < r.series[i].n; k++) {
            buf_addf(&b, " %lld=%.17g", (long long)r.series[i].points[k].t,
                     r.series[i].points[k].v);
            if (r.series[i].points[k].h != NULL)
                histogram_print(&b, r.series[i].points[k].h);
        }
        buf_addc(&b, '\n');
    }
    promql_release(x);
    out = arena_str(&arena, buf_str(&b)).p;
    buf_release(&b);
    return out;
}

static void queries_cross_the_seam(void **state)
{
    static const char *const queries[] = {
        "m0",
        "rate(m0[2m])",
        "sum by (target) (increase(m0[7m]))",
        "changes(m1[13m])",
        "histogram_quantile(0.9, rate(h[3m]))",
        "count_over_time(own[9m])",
        "max_over_time(rate(m0[1m])[20m:1m])",
        "m2 offset 11m",
        "absent(gone)",
        "increase(st[4m] anchored)",
        "quantile_over_time(0.5, m2[30m])",
        "last_over_time(m1{target=\"a\"}[6m])",
    };
    ts_ms start = midnight - 5 * MINUTE;

    (void)state;
    run(0, 200);
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        static range_of *const ways[] = {promql_range, promql_planned_range};
        const char *want =
            range_text(promql_range, tsdb_storage(all), queries[i], start, start + 200 * STEP);

        for (size_t k = 0; k < ARRAY_LEN(ways); k++) {
            struct past *past = past_new(h, start - HOUR, INT64_MAX / 2, 0, always, NULL);
            struct gather *g = gather_new(tsdb_storage(small), 0, always, NULL);

            assert_non_null(past);
            gather_past(g, past_storage(past));
            must_be_equal(queries[i],
                          range_text(ways[k], gather_storage(g), queries[i], start,
                                     start + 200 * STEP),
                          want);
            gather_free(g);
            past_free(past);
        }
    }
}

/* -- restarts -- */

static void replay_small(void)
{
    struct tsdb_replay r;
    struct err e = ERR_INIT;

    small = db = tsdb_new(&(struct tsdb_options){.min_reach_ms = 5 * MINUTE});
    open_history("{__name__!=\"\"}");
    if (!tsdb_log_open(small, str_of(log_dir), &r, &e))
        fail_msg("%s", e.msg);
}

/* Nothing is told to history on the way out: it dies. */
static void crash(void)
{
    struct err e = ERR_INIT;

    if (!tsdb_log_step(small, 0, true, &e))
        fail_msg("%s", e.msg);
    history_free(h);
    tsdb_free(small);
    for (size_t i = 0; i < n_held; i++)
        if (held[i].db == small)
            held[i--] = held[--n_held];
    replay_small();
}

static void run_logged(unsigned from, unsigned to)
{
    struct err e = ERR_INIT;

    for (unsigned i = from; i < to; i++) {
        run(i, i + 1);
        if (!tsdb_log_step(small, midnight - 5 * MINUTE + (ts_ms)i * STEP, true, &e))
            fail_msg("%s", e.msg);
    }
}

static void a_restart_in_the_middle(void **state)
{
    static const unsigned at[] = {3, 21, 40, 41, 63, 90, 120, 155};
    unsigned i = 0;

    (void)state;
    history_free(h);
    tsdb_free(small);
    replay_small();
    for (size_t k = 0; k < ARRAY_LEN(at); i = at[k++]) {
        run_logged(i, at[k]);
        crash();
        compare(midnight - 5 * MINUTE);
    }
    run_logged(i, 200);
    compare(midnight - 5 * MINUTE);
}

/* An hour without it: what was not written is, before anything new comes. */
static void a_long_outage(void **state)
{
    (void)state;
    history_free(h);
    tsdb_free(small);
    replay_small();
    run_logged(0, 57);
    crash();
    step_history(midnight + 2 * HOUR);
    run_logged(500, 540);
    compare_one(
        "m1",
        midnight -
            5 * MINUTE); /* series that are there at each scrape: of others memory has no end then */
    compare_one("own", midnight - 5 * MINUTE);
}

/* So many series that a span takes several steps; another choice of what is written comes between two of them. */
static void a_reload_in_the_middle_of_a_span(void **state)
{
    enum { MANY = 20000 };
    ts_ms start = midnight - 5 * MINUTE;
    struct err e = ERR_INIT;
    bool more;
    struct past *past;
    struct storage_selector *s;
    struct storage st;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        begin(stream("a"), start + (ts_ms)i * MINUTE);
        for (unsigned k = 0; k < MANY; k++)
            put(arena_printf(&arena, "many{k=\"%u\"}", k).p, i + k);
        commit();
    }
    assert_true(history_step(h, now_of(midnight + 15000), &more, &e));
    assert_true(more);
    select_text("{__name__!=\"\"}");
    step_history(midnight + 15000);
    past = past_new(h, start, midnight, 0, always, NULL);
    assert_non_null(past);
    st = past_storage(past);
    s = storage_select(st, &(struct matchers){NULL, 0}, 0, NULL);
    storage_begin(st);
    assert_int_equal(storage_ids(st, s).n, MANY);
    storage_end(st);
    storage_release(st, s);
    past_free(past);
}

/* -- what goes -- */

static size_t files_there(void)
{
    char command[160];
    FILE *f;
    unsigned n = 0;

    snprintf(command, sizeof(command), "ls '%s' | grep -c '\\.db$'", history_dir);
    f = popen(command, "r");
    assert_int_equal(fscanf(f, "%u", &n), 1);
    pclose(f);
    return n;
}

static void what_is_too_old_goes(void **state)
{
    (void)state;
    run(0, 60);
    assert_int_equal(files_there(), 2);
    step_history(midnight + 47 * HOUR); /* the last span, in the file of another day */
    assert_int_equal(files_there(), 3);
    step_history(midnight + 48 * HOUR + MINUTE); /* the one that ended at midnight */
    assert_int_equal(files_there(), 2);
    assert_int_equal(history_figures(h).files, 2);
    history_keep(h, 0, 0);
    step_history(midnight + 49 * HOUR);
    assert_int_equal(files_there(), 0);
    assert_int_equal(history_figures(h).state, HISTORY_OFF);
}

static void what_is_too_much_goes(void **state)
{
    enum { MOST = 100 << 10 };
    ts_ms oldest = 0;

    (void)state;
    history_keep(h, 48 * HOUR, MOST);
    for (unsigned i = 0; i < 1200; i += 50) {
        run(i, i + 50);
        assert_true(history_figures(h).bytes <= MOST + MOST / 2);
        assert_true(history_figures(h).oldest >= oldest);
        oldest = history_figures(h).oldest;
    }
    assert_true(oldest > midnight);
    assert_in_range(files_there(), 2, 8);
    compare(oldest + 10 * MINUTE);
}

/* -- damage -- */

static void damage(size_t which, off_t at, const char *bytes, size_t n)
{
    char path[HISTORY_PATH];
    int fd;

    history_path(h, h->files.v[which].name, path);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, n, at), n);
    close(fd);
}

static void find_damage(void)
{
    for (size_t from = 0; from < 2; from++) {
        struct past *past = past_new(h, midnight - HOUR, midnight + 24 * HOUR, 0, always, NULL);

        if (past == NULL)
            return;
        (void)dump_storage(past_storage(past), "{__name__!=\"\"}", 0);
        past_free(past);
    }
}

/* Changed bytes anywhere are found, or do not matter; a file is set aside, and the next one begins. */
static void damage_costs_a_day(void **state)
{
    size_t found = 0;

    (void)state;
    run(0, 100);
    for (unsigned i = 0; i < 24; i++) {
        size_t which = h->files.n - 1;
        char path[HISTORY_PATH];
        struct stat st;

        history_path(h, h->files.v[which].name, path);
        assert_int_equal(stat(path, &st), 0);
        history_free(h);
        open_history("{__name__!=\"\"}");
        damage(which, (off_t)draw((unsigned)st.st_size), "\xa5\x5a\xa5", 3);
        find_damage();
        step_history(midnight + (20 + 5 * (ts_ms)i) * MINUTE);
        found += history_figures(h).damaged;
        run(100 + 30 * i, 130 + 30 * i);
    }
    assert_true(found > 5);
    assert_true(history_figures(h).files >= 2); /* the day before is not touched */
    compare(midnight - 5 * MINUTE + (100 + 29 * 24) * STEP);
}

static void new_samples_hide_the_old_ones_between_them(void **state)
{
    static const ts_ms old_times[] = {1, 2, 3, 4, 5, 6}, new_times[] = {3, 5};
    static const storage_slot old_slots[] = {10, 20, 30, 40, 50, 60}, new_slots[] = {33, 55};
    static const ts_ms times[] = {1, 2, 3, 5, 6};
    static const storage_slot slots[] = {10, 20, 33, 55, 60};
    const struct history_samples old = {old_times, old_slots, NULL, 6},
                                 new = {new_times, new_slots, NULL, 2};
    struct history_samples both = history_samples_join(&arena, &old, &new);

    (void)state;
    assert_int_equal(both.n, ARRAY_LEN(times));
    assert_memory_equal(both.times, times, sizeof(times));
    assert_memory_equal(both.slots, slots, sizeof(slots));
}

/* As when its writer ended right behind the open: it is no damage, and is written. */
static void an_empty_file_is_begun_again(void **state)
{
    char path[200];
    int fd;

    (void)state;
    run(0, 10);
    history_free(h);
    snprintf(path, sizeof(path), "%s/history-20251129-00001.db", history_dir);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
    open_history("{__name__!=\"\"}");
    run(10, 60);
    compare(midnight - 5 * MINUTE);
    assert_int_equal(history_figures(h).damaged, 0);
    assert_int_equal(files_there(), 3);
}

/* -- the clock -- */

/* It goes on being written, by the clock as it is now; what was written stays where it was. */
static void a_clock_that_is_set_back(void **state)
{
    struct past *past;
    const char *got;

    (void)state;
    run(0, 60);
    stepped = -HOUR * NS_PER_MS;
    tsdb_follow(small, now_of(midnight - HOUR));
    for (unsigned i = 60; i < 140; i++) {
        ts_ms t = midnight - HOUR - 5 * MINUTE + (ts_ms)i * STEP;

        scrape("a", t, i);
        step_history(t + 5000);
        (void)tsdb_collect(small, t + 5000);
    }
    past = past_new(h, midnight - 2 * HOUR, midnight + HOUR, 0, always, NULL);
    assert_non_null(past);
    got = dump_storage(past_storage(past), "m1{target=\"a\",k=\"4\"}", 0);
    for (unsigned i = 0; i < 120; i++) {
        char wanted[40];

        snprintf(wanted, sizeof(wanted), " %lld=",
                 (long long)((midnight - 5 * MINUTE + (ts_ms)i * STEP) / 1000 -
                             (i < 60 ? 0 : HOUR / 1000)));
        if ((i < 40 || i >= 60) && strstr(got, wanted) == NULL)
            fail_msg("%u: no%s", i, wanted);
    }
    past_free(past);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_give_what_all_has, set_up, tear_down),
        cmocka_unit_test_setup_teardown(queries_cross_the_seam, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_restart_in_the_middle, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_outage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_in_the_middle_of_a_span, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_old_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_much_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_costs_a_day, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_file_is_begun_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(new_samples_hide_the_old_ones_between_them, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_is_set_back, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
