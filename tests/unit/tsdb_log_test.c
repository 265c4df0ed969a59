/* The sample log, also under a kill and beside threads that append and evaluate. */
#include "tsdb_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tsdb/log.h"

static char dir[64];

static void make_dir(void)
{
    snprintf(dir, sizeof(dir), "/tmp/tocsin-tsdb-XXXXXX");
    assert_non_null(mkdtemp(dir));
}

static void remove_dir(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
}

static struct tsdb_replay open_log(void)
{
    struct tsdb_replay r;
    struct err e = ERR_INIT;

    if (!tsdb_log_open(db, str_of(dir), &r, &e))
        fail_msg("%s", e.msg);
    return r;
}

static void step(ts_ms now)
{
    struct err e = ERR_INIT;

    if (!tsdb_log_step(db, now, true, &e))
        fail_msg("%s", e.msg);
}

/* Two targets, series that come and go, a histogram, start times, a closed stream. */
static void fill(int from, int to)
{
    for (int i = from; i < to; i++) {
        struct histogram h = exponential(i, 2 * i);

        begin(stream("a"), (ts_ms)i * STEP);
        put("m{x=\"1\"}", i);
        if (i % 7 != 0)
            put("m{x=\"2\"}", -i);
        tsdb_batch_add(&batch, TSDB_REF_NEW, labels("st"), i);
        tsdb_batch_set_start(&batch, i * STEP - 5);
        tsdb_batch_add_histogram(&batch, TSDB_REF_NEW, labels("h"), &h);
        commit();
        begin(stream("b"), (ts_ms)i * STEP + 100);
        put(arena_printf(&arena, "p{pod=\"%d\"}", i / 5).p, i);
        commit();
        if (i == 50)
            end_stream(stream("b"), 50 * STEP + 200);
        step((ts_ms)i * STEP);
    }
}

/* Fills a store that logs to dir, in a process that is killed. */
static void fill_and_die(int to)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        open_with((struct tsdb_options){.keep_all = true});
        (void)open_log();
        fill(1, to);
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void replay_gives_what_a_kill_left(void **state)
{
    static char want[1 << 16];
    struct tsdb_replay r;

    (void)state;
    make_dir();
    open_with((struct tsdb_options){.keep_all = true});
    (void)open_log();
    fill(1, 100);
    snprintf(want, sizeof(want), "%s", dump_from("{__name__!=\"\"}", 99 * STEP - MINUTES_5));
    close_db();
    remove_dir();

    make_dir();
    fill_and_die(100);
    open_with((struct tsdb_options){.keep_all = true});
    r = open_log();
    assert_int_equal(r.damaged, 0);
    assert_false(r.was_torn);
    assert_true(r.segments > 2 && r.segments < 10); /* the older ones have been removed */
    assert_true(r.samples > 0);
    assert_string_equal(dump_from("{__name__!=\"\"}", 99 * STEP - MINUTES_5), want);
    fill(100, 110); /* and it goes on */
    assert_non_null(strstr(dump("{__name__=\"m\",x=\"1\"}"), " 1485=99 1500=100 "));
    close_db();
    open_with((struct tsdb_options){.keep_all = true});
    (void)open_log();
    assert_non_null(strstr(dump("{__name__=\"m\",x=\"1\"}"), " 1485=99 1500=100 "));
    begin(stream("renamed"), 110 * STEP); /* its old stream has not been opened again */
    put("m{x=\"1\"}", 110);
    commit();
    assert_string_equal(dump("{__name__=\"m\",x=\"1\"}"), "{__name__=\"m\", x=\"1\"} 1650=110\n");
    close_db();
    remove_dir();
}

/* Who has opened a stream while the log was read keeps it, whether the log knows it or not. */
static void a_replay_closes_no_stream_in_use(void **state)
{
    struct tsdb_stream *known, *fresh;

    (void)state;
    make_dir();
    fill_and_die(60); /* "b" was closed in between */
    open_with((struct tsdb_options){.keep_all = true});
    known = stream("b");
    fresh = stream("rule/1");
    (void)open_log();
    for (int i = 0; i < 1000; i++)
        (void)tsdb_collect(db, 10 * MINUTES_5);
    begin(fresh, 70 * STEP);
    put("ALERTS", 1);
    commit();
    begin(known, 70 * STEP);
    put("p{pod=\"x\"}", 1);
    commit();
    assert_ptr_equal(known, stream("b"));
    assert_ptr_equal(fresh, stream("rule/1"));
    close_db();
    remove_dir();
}

/* The clock is ahead by an hour for two samples: they are where they belong, in the store and after a replay. */
static void a_step_of_the_clock_moves_samples(void **state)
{
    const char *want = "{__name__=\"m\"} 0=1 15=2 30=3 45=4 60=5\n";
    struct now at = {.mono = NS_PER_S};

    (void)state;
    make_dir();
    open_with((struct tsdb_options){.keep_all = true});
    (void)open_log();
    for (int i = 0; i < 5; i++) {
        ts_ms t = i * STEP;

        at.mono += NS_PER_S;
        at.stepped = i == 1 || i == 2 ? NS_PER_H : 0;
        tsdb_follow(db, at);
        begin(stream("a"), t + at.stepped / NS_PER_MS);
        batch.stepped = at.stepped;
        put("m", i + 1);
        commit();
        if (i == 1)
            assert_string_equal(dump("{__name__=\"m\"}"), "{__name__=\"m\"} 3600=1 3615=2\n");
    }
    assert_string_equal(dump("{__name__=\"m\"}"), want);
    step(5 * STEP);
    close_db();
    open_with((struct tsdb_options){.keep_all = true});
    assert_int_equal(open_log().damaged, 0);
    assert_string_equal(dump("{__name__=\"m\"}"), want);
    close_db();
    remove_dir();
}

/* A batch that began before the clock was set, and one of who has not heard of it yet. */
static void a_step_reaches_batches_under_way(void **state)
{
    struct now early = {.mono = NS_PER_S}, late = {.mono = 2 * NS_PER_S, .stepped = -NS_PER_H};

    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    begin(stream("a"), 2 * NS_PER_H / NS_PER_MS);
    put("m", 1);
    tsdb_follow(db, late);
    commit();
    assert_string_equal(dump("{__name__=\"m\"}"), "{__name__=\"m\"} 3600=1\n");
    tsdb_follow(db, early); /* comes late: the store is by the newer clock */
    begin(stream("a"), 2 * NS_PER_H / NS_PER_MS + STEP);
    batch.stepped = early.stepped;
    put("m", 2);
    commit();
    assert_string_equal(dump("{__name__=\"m\"}"), "{__name__=\"m\"} 3600=1 3615=2\n");
    assert_int_equal(tsdb_moved_ms(db, early.stepped), -NS_PER_H / NS_PER_MS);
    tsdb_pull_back(db, NS_PER_H / NS_PER_MS);
    assert_string_equal(dump("{__name__=\"m\"}"), "{__name__=\"m\"} 3585=1 3600=2\n");
    close_db();
}

/* The segment that the nth file of the folder is, n from the newest. */
static void segment_path(int n, char out[128])
{
    int last = 0;

    for (int i = 1; i < 1000; i++) {
        snprintf(out, 128, "%s/samples-%010d.log", dir, i);
        last = access(out, F_OK) == 0 ? i : last;
    }
    snprintf(out, 128, "%s/samples-%010d.log", dir, last - n);
}

static off_t size_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static void forget_note(void)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/noted", dir);
    assert_int_equal(unlink(path), 0);
}

static void torn_tails_are_cut(void **state)
{
    struct tsdb_replay r;
    char path[128];
    off_t size;

    (void)state;
    make_dir();
    fill_and_die(4);
    segment_path(0, path);
    size = size_of(path);
    assert_int_equal(truncate(path, size - 3), 0);
    forget_note(); /* it was not synced yet */
    open_with((struct tsdb_options){.keep_all = true});
    r = open_log();
    assert_true(r.was_torn);
    assert_int_equal(r.damaged, 0);
    assert_int_equal(r.records, 5);
    assert_true(size_of(path) < size - 3);
    assert_string_equal(dump("{__name__=\"m\",x=\"1\"}"),
                        "{__name__=\"m\", x=\"1\"} 15=1 30=2 45=3\n");
    close_db();
    remove_dir();
}

/* What was synced is not torn by a power cut: it is told, once. */
static void a_safe_end_that_is_gone_is_damage(void **state)
{
    struct tsdb_replay r;
    char path[128];
    off_t size;

    (void)state;
    for (int whole = 0; whole < 2; whole++) {
        make_dir();
        fill_and_die(4);
        segment_path(0, path);
        size = size_of(path);
        assert_int_equal(whole ? unlink(path) : truncate(path, size - 3), 0);
        open_with((struct tsdb_options){.keep_all = true});
        r = open_log();
        assert_false(r.was_torn);
        assert_int_equal(r.damaged, 1);
        assert_true(r.lost_bytes > 3);
        close_db();
        open_with((struct tsdb_options){.keep_all = true});
        r = open_log();
        assert_int_equal(r.damaged, 0);
        close_db();
        remove_dir();
    }
}

static void damage_costs_the_rest_of_a_segment(void **state)
{
    struct tsdb_replay r;
    char path[128];
    FILE *f;

    (void)state;
    make_dir();
    fill_and_die(20);
    segment_path(1, path);
    f = fopen(path, "r+");
    assert_non_null(f);
    assert_int_equal(fseek(f, (long)size_of(path) / 2, SEEK_SET), 0);
    assert_int_equal(fputc('!', f), '!');
    fclose(f);
    open_with((struct tsdb_options){.keep_all = true});
    r = open_log();
    assert_int_equal(r.damaged, 1);
    assert_false(r.was_torn);
    assert_non_null(strstr(dump("{__name__=\"m\",x=\"1\"}"), " 285=19\n")); /* of the next one */
    assert_non_null(strstr(dump("{__name__=\"m\",x=\"1\"}"), "} 15=1 "));   /* of the one before */
    close_db();
    remove_dir();
}

/* A disk that takes nothing costs the log, not the store; what comes later can be read without what was lost. */
static void a_log_that_cannot_be_written_begins_anew(void **state)
{
    char moved[80];
    struct err e = ERR_INIT;

    (void)state;
    make_dir();
    open_with((struct tsdb_options){.keep_all = true});
    (void)open_log();
    snprintf(moved, sizeof(moved), "%s.moved", dir);
    assert_int_equal(rename(dir, moved), 0);
    begin(stream("a"), STEP);
    put("m", 1);
    commit();
    assert_false(tsdb_log_step(db, STEP, true, &e));
    assert_int_equal(e.code, ERR_IO);
    assert_int_equal(rename(moved, dir), 0);
    begin(stream("a"), 2 * STEP);
    put("m", 2);
    commit();
    step(2 * STEP);
    close_db();
    open_with((struct tsdb_options){.keep_all = true});
    (void)open_log();
    assert_string_equal(dump("{__name__=\"m\"}"), "{__name__=\"m\"} 30=2\n");
    close_db();
    remove_dir();
}

/* -- threads -- */

enum { WRITES = 300 };

static void *append(void *arg)
{
    const char *name = arg;
    struct tsdb_stream *s = hold_stream(name, NULL);
    struct tsdb_batch b;
    uint32_t refs[10];
    uint64_t epoch = UINT64_MAX;

    tsdb_batch_init(&b);
    for (int i = 1; i <= WRITES; i++) {
        struct label v[] = {{S("__name__"), S("m")}, {S("i"), S("")}, {S("stream"), str_of(name)}};
        uint64_t now = tsdb_batch_begin(&b, db, s, (ts_ms)i * STEP);
        struct err e = ERR_INIT;

        for (int k = 0; k < 10; k++) {
            char digit = (char)('0' + k), churn[16];

            v[1].value = (str){&digit, 1};
            if (k == 9) { /* comes and goes */
                snprintf(churn, sizeof(churn), "%d", 100 + i / 10);
                v[1].value = str_of(churn);
            }
            tsdb_batch_add(&b, now == epoch && k < 9 ? refs[k] : TSDB_REF_NEW,
                           (struct labels){v, 3}, i);
        }
        assert_true(tsdb_commit(&b, &e));
        for (int k = 0; k < 10; k++)
            refs[k] = b.items.v[k].ref;
        epoch = now;
        if (i % 20 == 0)
            (void)tsdb_collect(db, (ts_ms)i * STEP);
    }
    tsdb_batch_release(&b);
    return NULL;
}

static void *evaluate(void *arg)
{
    struct storage st = tsdb_storage(db);
    struct storage_selector *s = arg;
    double *sum = mem_new(double);

    for (int i = 0; i < WRITES; i++) {
        struct storage_ids ids;
        struct storage_series *v;

        storage_begin(st);
        ids = storage_ids(st, s);
        v = mem_array(ids.n + 1, sizeof(*v));
        storage_read(st, ids.v, ids.n, v);
        for (size_t k = 0; k < ids.n; k++)
            for (size_t j = 0; j < v[k].n; j++)
                *sum += (double)(storage_at(&v[k], j) & 1) + (double)v[k].times[j];
        storage_end(st);
        mem_free(v);
    }
    return sum;
}

static void *write_log(void *arg)
{
    for (int i = 1; i <= 50; i++)
        step((ts_ms)i * 6 * STEP);
    return arg;
}

static void appends_beside_evaluations(void **state)
{
    struct storage_selector *s;
    pthread_t t[6];
    void *sum;

    (void)state;
    make_dir();
    open_with((struct tsdb_options){.keep_all = true});
    (void)open_log();
    s = selector("{__name__=\"m\",i=~\"[0-9]+\"}", MINUTES_5);
    pthread_create(&t[0], NULL, append, (void *)(uintptr_t) "one");
    pthread_create(&t[1], NULL, append, (void *)(uintptr_t) "two");
    pthread_create(&t[2], NULL, evaluate, s);
    pthread_create(&t[3], NULL, evaluate, s);
    pthread_create(&t[4], NULL, write_log, NULL);
    for (int i = 0; i < 5; i++) {
        pthread_join(t[i], &sum);
        mem_free(sum);
    }
    assert_int_equal(tsdb_stats(db).appended, 2 * 10 * WRITES);
    assert_true(count(s) >= 18);
    release(s);
    close_db();
    remove_dir();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replay_gives_what_a_kill_left),
        cmocka_unit_test(a_replay_closes_no_stream_in_use),
        cmocka_unit_test(a_step_of_the_clock_moves_samples),
        cmocka_unit_test(a_step_reaches_batches_under_way),
        cmocka_unit_test(torn_tails_are_cut),
        cmocka_unit_test(a_safe_end_that_is_gone_is_damage),
        cmocka_unit_test(damage_costs_the_rest_of_a_segment),
        cmocka_unit_test(a_log_that_cannot_be_written_begins_anew),
        cmocka_unit_test(appends_beside_evaluations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
