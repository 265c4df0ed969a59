#include "unit.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "promql/series.h"
#include "storage_contract.h"
#include "tsdb/log.h"
#include "tsdb/tsdb.h"

enum { STEP = 15000, MINUTES_5 = 300000 };

static struct tsdb *db;
static struct arena arena;
static struct tsdb_batch batch;

static void open_with(struct tsdb_options o)
{
    db = tsdb_new(&o);
    arena_init(&arena, 0);
    tsdb_batch_init(&batch);
}

static void close_db(void)
{
    tsdb_batch_release(&batch);
    arena_release(&arena);
    tsdb_free(db);
}

static struct labels labels(const char *text)
{
    struct labels ls;
    struct err e = ERR_INIT;

    if (!series_parse_labels(str_of(text), &arena, &ls, &e))
        fail_msg("%s: %s", text, e.msg);
    return ls;
}

static struct tsdb_stream *stream(const char *name)
{
    return tsdb_stream_open(db, &(struct tsdb_stream_conf){.name = str_of(name),
                                                           .interval_ms = STEP,
                                                           .marks_stale = true});
}

static void begin(struct tsdb_stream *s, ts_ms t)
{
    (void)tsdb_batch_begin(&batch, db, s, t);
}

static void put(const char *series, double v)
{
    (void)tsdb_batch_add(&batch, TSDB_REF_NEW, labels(series), v);
}

static void commit(void)
{
    struct err e = ERR_INIT;

    if (!tsdb_commit(&batch, &e))
        fail_msg("%s", e.msg);
}

static struct storage_selector *selector(const char *text, int64_t reach_ms)
{
    struct matchers ms;
    struct err e = ERR_INIT;
    struct storage_selector *s;
    str warning;

    if (!matchers_parse(str_of(text), MATCHER_UTF8, &arena, &ms, &warning, &e))
        fail_msg("%s: %s", text, e.msg);
    s = storage_select(tsdb_storage(db), &ms, reach_ms, &e);
    matchers_release(&ms);
    return s;
}

static void release(struct storage_selector *s)
{
    storage_release(tsdb_storage(db), s);
}

static size_t count(struct storage_selector *s)
{
    struct storage st = tsdb_storage(db);
    size_t n;

    storage_begin(st);
    n = storage_ids(st, s).n;
    storage_end(st);
    return n;
}

/* What a selector gives from a time on, as text: labels, then time=value. Times in seconds. */
static const char *dump_from(const char *text, ts_ms from)
{
    struct storage st = tsdb_storage(db);
    struct storage_selector *s = selector(text, 0);
    struct buf b = BUF_INIT;
    const char *out;

    storage_begin(st);
    storage_contract_dump(st, s, from, &b);
    storage_end(st);
    release(s);
    out = arena_str(&arena, buf_str(&b)).p;
    buf_release(&b);
    return out;
}

static const char *dump(const char *text)
{
    return dump_from(text, INT64_MIN);
}

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
        (void)tsdb_batch_add(&batch, ref, labels("m"), i);
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
    tsdb_stream_close(db, s, 4 * STEP);
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
        tsdb_batch_add(&batch, TSDB_REF_NEW, labels("st"), i)->start = i;
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
    tsdb_stream_close(db, s, 3001 * STEP);
    while (tsdb_collect(db, 3001 * STEP + MINUTES_5) != 0)
        ;
    (void)tsdb_collect(db, 3001 * STEP + MINUTES_5);
    assert_int_equal(tsdb_stats(db).series, 0);
    assert_int_equal(tsdb_stats(db).streams, 0);
    release(re);
    close_db();
}

static struct histogram exponential(double first, double second)
{
    static const struct histogram_span span = {1, 2};
    double *counts = arena_array(&arena, 2, sizeof(*counts));

    counts[0] = first;
    counts[1] = second;
    return (
        struct histogram){.count = first + second, .sum = first, .positive = {&span, counts, 1, 2}};
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
        (void)tsdb_batch_add_histogram(&batch, TSDB_REF_NEW, labels("h"), &h);
        commit();
    }
    assert_true(tsdb_stats(db).bytes < before + 1000); /* those that slid out are given back */
    assert_non_null(strstr(dump("{__name__=\"h\"}"),
                           " 2970={count:594, sum:198, (1,2]:198, (2,4]:396}not_reset "
                           "2985={count:399, sum:1, (1,2]:1, (2,4]:398}reset "));
    close_db();
}

/* -- the log -- */

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
        tsdb_batch_add(&batch, TSDB_REF_NEW, labels("st"), i)->start = i * STEP - 5;
        (void)tsdb_batch_add_histogram(&batch, TSDB_REF_NEW, labels("h"), &h);
        commit();
        begin(stream("b"), (ts_ms)i * STEP + 100);
        put(arena_printf(&arena, "p{pod=\"%d\"}", i / 5).p, i);
        commit();
        if (i == 50)
            tsdb_stream_close(db, stream("b"), 50 * STEP + 200);
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
    close_db();
    remove_dir();
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
    struct tsdb_stream *s = stream(name);
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
            (void)tsdb_batch_add(&b, now == epoch && k < 9 ? refs[k] : TSDB_REF_NEW,
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
                *sum += (double)(v[k].slots[j] & 1) + (double)v[k].times[j];
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
        cmocka_unit_test(samples_come_back),
        cmocka_unit_test(rows_slide),
        cmocka_unit_test(series_end_and_begin),
        cmocka_unit_test(bad_samples_are_refused),
        cmocka_unit_test(memory_is_limited),
        cmocka_unit_test(selectors_decide_what_is_kept),
        cmocka_unit_test(reach_grows),
        cmocka_unit_test(matchers_select),
        cmocka_unit_test(epochs_tell_of_changes),
        cmocka_unit_test(ended_series_are_forgotten),
        cmocka_unit_test(histograms_share_layouts),
        cmocka_unit_test(replay_gives_what_a_kill_left),
        cmocka_unit_test(torn_tails_are_cut),
        cmocka_unit_test(damage_costs_the_rest_of_a_segment),
        cmocka_unit_test(a_log_that_cannot_be_written_begins_anew),
        cmocka_unit_test(appends_beside_evaluations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
