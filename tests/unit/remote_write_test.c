/* What is heard of the sample log against what the store has; requests, read back; the queue under kills, damage, a full
 * disk and too much. */
#include "tsdb_fixture.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/rand.h"
#include "codec/protobuf.h"
#include "codec/snappy.h"
#include "remote_write/batch.h"
#include "remote_write/hearing.h"
#include "remote_write/request.h"
#include "remote_write/spool.h"
#include "tsdb/log.h"
#include "unsnap.h"

static char dir[64];

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/tocsin-remote-XXXXXX");
    assert_non_null(mkdtemp(dir));
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "chmod -R u+w '%s'; rm -rf '%s'", dir, dir);
    assert_int_equal(system(command), 0);
    return 0;
}

/* -- snappy -- */

static void check_snappy(str text)
{
    struct buf small = BUF_INIT, back = BUF_INIT;

    snappy_compress(&small, text);
    assert_true(small.n <= text.n + text.n / 6 + 32);
    assert_true(unsnap(buf_str(&small), &back));
    assert_true(str_eq(buf_str(&back), text));
    buf_release(&small);
    buf_release(&back);
}

static void a_block_of_snappy_says_what_went_in(void **state)
{
    struct rand r = rand_of(7);
    struct buf b = BUF_INIT, small = BUF_INIT;

    (void)state;
    for (size_t n = 0; n < 300; n++) { /* all lengths of literals and copies */
        check_snappy(buf_str(&b));
        buf_addc(&b, (char)('a' + n % 5));
    }
    for (size_t kinds = 1; kinds <= 256; kinds *= 4) {
        buf_clear(&b);
        for (size_t i = 0; i < 200000; i++)
            buf_addc(&b, (char)rand_below(&r, kinds));
        check_snappy(buf_str(&b));
        check_snappy(str_sub(buf_str(&b), 0, 65536));
        check_snappy(str_sub(buf_str(&b), 0, 65537));
    }
    for (size_t back = 1; back < 70000; back = back * 3 + 1) { /* copies from near and far */
        buf_clear(&b);
        for (size_t i = 0; i < 140000; i++)
            buf_addc(&b, i < back ? (char)rand_below(&r, 256) : b.p[i - back]);
        check_snappy(buf_str(&b));
    }
    buf_clear(&b);
    for (int i = 0; i < 1000; i++)
        buf_addf(&b, "http_requests_total{job=\"api\",code=\"200\",path=\"/%d\"} %d\n", i, i * 7);
    snappy_compress(&small, buf_str(&b));
    assert_true(small.n < b.n / 4);
    buf_release(&b);
    buf_release(&small);
}

/* -- requests -- */

static str encoded(const char *text)
{
    struct labels ls = labels(text);
    struct buf b = BUF_INIT;
    str out;

    LABELS_EACH (l, ls)
        request_put_label(&b, l->name, l->value);
    out = arena_str(&arena, buf_str(&b));
    buf_release(&b);
    return out;
}

static void a_request_is_prometheus_write_request(void **state)
{
    static const unsigned char wanted[] = "\x0a\x29"                          /* timeseries */
                                          "\x0a\x0d\x0a\x08__name__\x12\x01m" /* label */
                                          "\x0a\x06\x0a\x01"
                                          "a\x12\x01"
                                          "b" /* label */
                                          "\x12\x10\x09\x00\x00\x00\x00\x00\x00\xf8\x3f\x10\x80\xd0"
                                          "\x95\xff\xbc\x31"; /* 1.5 at a time */
    struct buf b = BUF_INIT;
    str ls;
    struct labels back;

    (void)state;
    arena_init(&arena, 0);
    ls = encoded("m{a=\"b\"}");
    request_put_sample(&b, ls, 1700000000000, storage_float(1.5), NULL);
    assert_int_equal(b.n, sizeof(wanted) - 1);
    assert_memory_equal(b.p, wanted, b.n);
    back = request_labels(ls, &arena);
    assert_true(labels_eq(back, labels("m{a=\"b\"}")));
    buf_release(&b);
    arena_release(&arena);
}

/* Fields of a message, by number: bytes or numbers, as text. */
static void print_fields(struct buf *out, str message)
{
    for (struct pb_reader r = pb_reader_of(message); pb_next(&r);) {
        double v;

        memcpy(&v, &r.value, sizeof(v));
        if (r.is_bytes)
            buf_addf(out, "%u:[%zu] ", r.field, r.bytes.n);
        else if (r.value > UINT32_MAX)
            buf_addf(out, "%u:%g ", r.field, v);
        else
            buf_addf(out, "%u:%llu ", r.field, (unsigned long long)r.value);
    }
}

static void a_histogram_has_all_its_fields(void **state)
{
    static const struct histogram_span spans[] = {{-2, 2}, {1, 1}};
    static const double counts[] = {1, 2, 3}, bounds[] = {0.5, 1};
    struct histogram h = {.hint = HISTOGRAM_GAUGE,
                          .schema = -1,
                          .count = 9,
                          .sum = 4.5,
                          .zero_threshold = 0.25,
                          .zero_count = 2,
                          .positive = {spans, counts, 2, 3},
                          .negative = {spans, counts, 1, 2},
                          .bounds = bounds,
                          .n_bounds = 2};
    struct buf b = BUF_INIT, text = BUF_INIT;
    struct pb_reader r;

    (void)state;
    request_put_sample(&b, STR_NONE, 1000, 0, &h);
    r = pb_reader_of(buf_str(&b));
    assert_true(pb_next(&r) && r.field == 1);
    r = pb_reader_of(r.bytes);
    assert_true(pb_next(&r) && r.field == 4);
    print_fields(&text, r.bytes);
    assert_str(
        buf_str(&text),
        "2:9 3:4.5 4:1 5:0.25 7:2 8:[4] 10:[16] 11:[4] 11:[4] 13:[24] 14:3 15:1000 16:[16] ");
    buf_release(&b);
    buf_release(&text);
}

/* -- hearing -- */

struct ears {
    struct buf text;
    struct hearing *h;
};

static void heard_one(void *arg, const struct heard *x)
{
    struct ears *e = arg;
    struct arena a;
    double v;

    arena_init(&a, 0);
    labels_print(&e->text, request_labels(x->series->labels, &a));
    memcpy(&v, &x->slot, sizeof(v));
    if (x->histogram != NULL)
        buf_addf(&e->text, " %lld histogram\n", (long long)x->t);
    else if (x->slot == STORAGE_STALE)
        buf_addf(&e->text, " %lld stale\n", (long long)x->t);
    else
        buf_addf(&e->text, " %lld %g\n", (long long)x->t, v);
    arena_release(&a);
}

static void ears_begin(void *arg)
{
    hearing_begin(((struct ears *)arg)->h);
}

static void ears_record(void *arg, struct tsdb_log_place end, bool is_replayed, str bytes)
{
    (void)end;
    (void)is_replayed;
    hearing_record(((struct ears *)arg)->h, bytes);
}

static void open_log(struct ears *e, const struct tsdb_log_ear *ear, bool all)
{
    struct tsdb_replay r;
    struct err why = ERR_INIT;

    open_with((struct tsdb_options){.keep_all = true});
    e->h = hearing_new(heard_one, e);
    hearing_of_all(e->h, all);
    tsdb_log_listen(db, ear);
    if (!tsdb_log_open(db, str_of(dir), &r, &why))
        fail_msg("%s", why.msg);
}

static void close_log(struct ears *e)
{
    hearing_free(e->h);
    close_db();
    buf_clear(&e->text);
}

static void log_step(ts_ms now)
{
    struct err e = ERR_INIT;

    assert_true(tsdb_log_step(db, now, true, &e));
}

static void what_ends_is_heard(void **state)
{
    struct ears e = {.text = BUF_INIT};
    const struct tsdb_log_ear ear = {ears_begin, ears_record, &e};
    struct tsdb_stream *s;

    (void)state;
    open_log(&e, &ear, true);
    s = stream("rule/1");
    begin(s, 1000);
    put("m{a=\"1\"}", 1);
    put("m{a=\"2\"}", 2);
    put("m{a=\"2\"}", 3);
    commit();
    begin(s, 2000);
    put("m{a=\"2\"}", 4);
    commit();
    log_step(2000);
    assert_str(buf_str(&e.text),
               "{__name__=\"m\", a=\"1\"} 1000 1\n{__name__=\"m\", a=\"2\"} 1000 2\n"
               "{__name__=\"m\", a=\"2\"} 2000 4\n{__name__=\"m\", a=\"1\"} 2000 stale\n");
    buf_clear(&e.text);
    end_stream(s, 3000);
    begin(stream("rule/2"), 4000);
    put("m{a=\"2\"}", 5);
    commit();
    log_step(4000);
    assert_str(buf_str(&e.text),
               "{__name__=\"m\", a=\"2\"} 3000 stale\n{__name__=\"m\", a=\"2\"} 4000 5\n");
    close_log(&e);
    buf_release(&e.text);
}

static void a_series_that_moves_has_not_ended(void **state)
{
    struct ears e = {.text = BUF_INIT};
    const struct tsdb_log_ear ear = {ears_begin, ears_record, &e};
    struct tsdb_stream *s;

    (void)state;
    open_log(&e, &ear, true);
    s = stream("rule/1");
    begin(s, 1000);
    put("m", 1);
    put("n", 1);
    commit();
    tsdb_stream_leave(s); /* another may take it over */
    begin(stream("rule/2"), 2000);
    put("m", 2);
    commit();
    tsdb_stream_close_left(db, s, 2500);
    log_step(3000);
    assert_str(buf_str(&e.text),
               "{__name__=\"m\"} 1000 1\n{__name__=\"n\"} 1000 1\n{__name__=\"m\"} 2000 2\n"
               "{__name__=\"n\"} 2500 stale\n");
    close_log(&e);
    buf_release(&e.text);
}

static void only_rules_where_only_they_are_wanted(void **state)
{
    struct ears e = {.text = BUF_INIT};
    const struct tsdb_log_ear ear = {ears_begin, ears_record, &e};

    (void)state;
    open_log(&e, &ear, false);
    begin(stream("scrape/x"), 1000);
    put("up", 1);
    commit();
    begin(stream("rule/1"), 1000);
    put("m", 1);
    commit();
    begin(stream("scrape/x"), 2000);
    put("up", 1);
    put("new", 1);
    commit();
    log_step(2000);
    assert_str(buf_str(&e.text), "{__name__=\"m\"} 1000 1\n");
    buf_clear(&e.text);
    hearing_of_all(e.h, true);
    tsdb_log_listen(db, &ear); /* the next step is the last of its segment */
    log_step(2500);
    begin(stream("scrape/x"), 3000);
    put("up", 0);
    put("new", 1);
    commit();
    log_step(3000);
    assert_str(buf_str(&e.text), "{__name__=\"up\"} 3000 0\n{__name__=\"new\"} 3000 1\n");
    close_log(&e);
    buf_release(&e.text);
}

/* Everything that the store has of a series, as heard_one() prints it. */
static void print_series(struct buf *out, const char *text)
{
    struct storage st = tsdb_storage(db);
    struct storage_selector *sel = selector(text, INT64_C(1) << 40);
    struct storage_ids ids;
    struct storage_series x;

    storage_begin(st);
    ids = storage_ids(st, sel);
    for (size_t i = 0; i < ids.n; i++) {
        struct labels ls = st.ops->labels(st.impl, ids.v[i], &arena);

        st.ops->read(st.impl, &ids.v[i], 1, &x);
        for (size_t k = 0; k < x.n; k++) {
            storage_slot slot = storage_at(&x, k);
            double v;

            if (slot == STORAGE_ABSENT)
                continue;
            labels_print(out, ls);
            memcpy(&v, &slot, sizeof(v));
            if (slot == STORAGE_STALE)
                buf_addf(out, " %lld stale\n", (long long)x.times[k]);
            else
                buf_addf(out, " %lld %g\n", (long long)x.times[k], v);
        }
    }
    storage_end(st);
    release(sel);
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

static void sort_lines(struct buf *b)
{
    VEC(str) lines = VEC_INIT;
    struct buf out = BUF_INIT;
    str rest = buf_str(b);

    while (rest.n != 0)
        vec_push(&lines, str_cut(&rest, '\n'));
    if (lines.n != 0)
        qsort(lines.v, lines.n, sizeof(str), by_text);
    VEC_EACH (str *, l, &lines)
        buf_addf(&out, "%.*s\n", STR(*l));
    buf_release(b);
    *b = out;
    vec_release(&lines);
}

static void run_randomly(struct rand *r, ts_ms from, ts_ms to)
{
    static const char *const names[] = {"rule/a", "rule/b", "rule/c"};

    for (ts_ms t = from; t < to; t += 1000) {
        const char *name = names[rand_below(r, 3)];
        struct tsdb_stream *s = stream(name);

        begin(s, t);
        for (int i = 0; i < 8; i++) {
            char series[64];

            snprintf(series, sizeof(series), "m{of=\"%s\",i=\"%d\"}", name, i);
            if (rand_below(r, 3) != 0)
                put(series, (double)rand_below(r, 5));
            if (rand_below(r, 20) == 0)
                put(series, 77); /* a second one of this time, or the first */
        }
        commit();
        if (rand_below(r, 15) == 0)
            end_stream(s, t + 500);
        if (rand_below(r, 4) == 0)
            log_step(t);
    }
    log_step(to);
}

static void what_is_heard_is_what_the_store_has(void **state)
{
    struct ears e = {.text = BUF_INIT};
    const struct tsdb_log_ear ear = {ears_begin, ears_record, &e};

    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct rand r = rand_of(seed);
        struct buf stored = BUF_INIT;

        open_log(&e, &ear, true);
        struct storage_selector *keep = selector("{of!=\"\"}", INT64_C(1) << 40);

        run_randomly(&r, 1000 + (ts_ms)seed, 200000);
        print_series(&stored, "{of!=\"\"}");
        sort_lines(&stored);
        sort_lines(&e.text);
        assert_true(stored.n > 1000);
        assert_str(buf_str(&e.text), buf_z(&stored));
        buf_release(&stored);
        release(keep);
        close_log(&e);
        (void)tear_down(NULL);
        (void)set_up(NULL);
    }
    buf_release(&e.text);
}

static void the_log_is_heard_again_at_the_start(void **state)
{
    struct ears e = {.text = BUF_INIT};
    const struct tsdb_log_ear ear = {ears_begin, ears_record, &e};
    struct rand r = rand_of(3);
    struct buf first = BUF_INIT;

    (void)state;
    open_log(&e, &ear, true);
    run_randomly(&r, 1000, 60000);
    buf_add(&first, buf_str(&e.text));
    close_log(&e);
    open_log(&e, &ear, true);
    assert_str(buf_str(&e.text), buf_z(&first));
    run_randomly(&r, 60000, 80000); /* and goes on: what is not there any more has ended */
    assert_true(e.text.n > first.n);
    close_log(&e);
    buf_release(&first);
    buf_release(&e.text);
}

/* -- the queue -- */

static struct spool *open_spool(void)
{
    struct spool *s = spool_new();
    struct err e = ERR_INIT;

    spool_limit(s, 1 << 20);
    if (!spool_open(s, str_of(dir), &e))
        fail_msg("%s", e.msg);
    return s;
}

static const struct tsdb_log_place nowhere = {1, 8};

/* n requests in one step, the first of which says so. */
static bool append(struct spool *s, int first, size_t n, struct tsdb_log_place place)
{
    struct spool_item v[16] = {0};
    struct err e = ERR_INIT;
    char text[16][16];

    for (size_t i = 0; i < n; i++) {
        snprintf(text[i], sizeof(text[i]), "body %d", first + (int)i);
        v[i] = (struct spool_item){
            .samples = 10, .oldest = 1000 + first, .newest = 2000 + first, .body = str_of(text[i])};
    }
    return spool_append(s, v, n, place, &e);
}

/* The next is this one; it is answered. */
static void expect(struct spool *s, const char *body)
{
    struct buf b = BUF_INIT;
    struct spool_item x;

    assert_true(spool_next(s, &x, &b));
    assert_str(x.body, body);
    spool_answered(s, x.id);
    buf_release(&b);
}

static void expect_nothing(struct spool *s)
{
    struct buf b = BUF_INIT;
    struct spool_item x;

    assert_false(spool_next(s, &x, &b));
    assert_int_equal(spool_figures(s).samples, 0);
    assert_int_equal(spool_figures(s).oldest, 0);
    buf_release(&b);
}

static void what_waits_comes_in_order_once(void **state)
{
    struct spool *s = open_spool();
    struct buf b = BUF_INIT;
    struct spool_item x;

    (void)state;
    expect_nothing(s);
    assert_true(append(s, 1, 3, nowhere));
    assert_int_equal(spool_figures(s).samples, 30);
    expect(s, "body 1");
    assert_true(append(s, 4, 1, nowhere));
    expect(s, "body 2");
    assert_true(spool_next(s, &x, &b)); /* under way, and not answered */
    assert_int_equal(spool_figures(s).samples, 20);
    assert_int_equal(spool_figures(s).oldest, 1001);
    spool_unref(s); /* as a kill */
    s = open_spool();
    assert_int_equal(spool_figures(s).samples, 20);
    expect(s, "body 3");
    expect(s, "body 4");
    expect_nothing(s);
    spool_unref(s);
    s = open_spool();
    expect_nothing(s);
    assert_true(append(s, 5, 1, nowhere));
    expect(s, "body 5");
    spool_unref(s);
    buf_release(&b);
}

static void the_place_in_the_log_outlives_a_kill(void **state)
{
    struct spool *s = open_spool();

    (void)state;
    assert_true(spool_has_heard(s, (struct tsdb_log_place){99, 99})); /* it is new */
    assert_true(append(s, 1, 0, (struct tsdb_log_place){3, 100}));
    spool_unref(s);
    s = open_spool();
    assert_true(spool_has_heard(s, (struct tsdb_log_place){3, 100}));
    assert_false(spool_has_heard(s, (struct tsdb_log_place){3, 101}));
    assert_false(spool_has_heard(s, (struct tsdb_log_place){4, 8}));
    assert_true(append(s, 1, 1, (struct tsdb_log_place){4, 50}));
    spool_unref(s);
    s = open_spool();
    assert_true(spool_has_heard(s, (struct tsdb_log_place){4, 50}));
    assert_false(spool_has_heard(s, (struct tsdb_log_place){4, 51}));
    spool_unref(s);
}

/* The one file of requests. */
static void file_of(char out[320])
{
    DIR *d = opendir(dir);
    struct dirent *entry;

    out[0] = '\0';
    while (d != NULL && (entry = readdir(d)) != NULL)
        if (strncmp(entry->d_name, "queue-", 6) == 0)
            snprintf(out, 320, "%s/%s", dir, entry->d_name);
    if (d != NULL)
        closedir(d);
    assert_true(out[0] != '\0');
}

static void a_step_counts_as_a_whole(void **state)
{
    char path[320], note[100];
    struct stat before, after;
    struct spool *s = open_spool();

    (void)state;
    assert_true(append(s, 1, 2, (struct tsdb_log_place){1, 10}));
    file_of(path);
    assert_int_equal(stat(path, &before), 0);
    assert_true(append(s, 3, 3, (struct tsdb_log_place){1, 20}));
    assert_int_equal(stat(path, &after), 0);
    spool_unref(s);
    /* A kill within the second write: any part of it, and no note of it. */
    snprintf(note, sizeof(note), "%s/noted", dir);
    for (off_t cut = after.st_size - 1; cut >= before.st_size; cut -= 7) {
        assert_int_equal(truncate(path, cut), 0);
        (void)unlink(note);
        s = open_spool();
        assert_true(spool_has_heard(s, (struct tsdb_log_place){1, 10}));
        assert_false(spool_has_heard(s, (struct tsdb_log_place){1, 11}));
        assert_int_equal(spool_figures(s).samples, 20);
        spool_unref(s);
    }
    s = open_spool();
    expect(s, "body 1");
    expect(s, "body 2");
    expect_nothing(s);
    spool_unref(s);
}

static void a_note_that_is_ahead_is_not_believed(void **state)
{
    char path[320];
    struct spool *s = open_spool();

    (void)state;
    assert_true(append(s, 1, 1, (struct tsdb_log_place){1, 10}));
    assert_true(append(s, 2, 1, (struct tsdb_log_place){1, 20}));
    spool_unref(s);
    file_of(path); /* a power cut took the second, and left the note */
    assert_int_equal(truncate(path, 8 + 8 + 30), 0);
    s = open_spool();
    assert_false(spool_has_heard(s, (struct tsdb_log_place){1, 20}));
    assert_int_equal(spool_figures(s).damaged, 1);
    spool_unref(s);
}

static void too_much_costs_the_oldest(void **state)
{
    struct spool *s = open_spool();
    struct buf big = BUF_INIT, b = BUF_INIT;
    struct spool_item x = {.samples = 10, .oldest = 1, .newest = 2}, got;
    struct err e = ERR_INIT;
    uint64_t last = 0, seen = 0, dropped;

    (void)state;
    buf_pad(&big, 'x', 20000);
    for (int i = 0; i < 200; i++) {
        x.body = buf_str(&big);
        assert_true(spool_append(s, &x, 1, nowhere, &e));
        assert_true(spool_figures(s).bytes <= 1 << 20);
        if (i == 10) /* one is under way, and is not dropped */
            assert_true(spool_next(s, &got, &b));
    }
    dropped = spool_figures(s).dropped;
    assert_true(dropped > 1000);
    spool_answered(s, got.id);
    for (seen = 1; spool_next(s, &got, &b); seen++) {
        assert_true(got.id > last);
        last = got.id;
        spool_answered(s, got.id);
    }
    assert_int_equal(last, 200);
    assert_int_equal(dropped + seen * 10, 2000);
    expect_nothing(s);
    spool_unref(s);
    buf_release(&big);
    buf_release(&b);
}

static void a_disk_that_takes_nothing_leaves_it_to_memory(void **state)
{
    struct spool *s = open_spool();
    char aside[80];

    (void)state;
    snprintf(aside, sizeof(aside), "%s.aside", dir);
    assert_true(append(s, 1, 1, nowhere));
    expect(s, "body 1");
    spool_unref(s);
    s = open_spool(); /* the next write begins a file, and there is no folder */
    assert_int_equal(rename(dir, aside), 0);
    assert_false(append(s, 2, 2, nowhere));
    assert_false(append(s, 4, 1, nowhere));
    assert_true(spool_figures(s).is_in_memory);
    assert_int_equal(spool_figures(s).samples, 30);
    expect(s, "body 2");
    assert_int_equal(rename(aside, dir), 0);
    assert_true(append(s, 5, 1, nowhere));
    assert_false(spool_figures(s).is_in_memory);
    expect(s, "body 3");
    expect(s, "body 4");
    spool_unref(s);
    s = open_spool();
    expect(s, "body 5");
    expect_nothing(s);
    spool_unref(s);
}

static void what_goes_is_gone(void **state)
{
    struct spool *s = open_spool();
    struct buf b = BUF_INIT;
    struct spool_item x;

    (void)state;
    assert_true(append(s, 1, 2, nowhere));
    assert_int_equal(spool_remove(s), 20);
    assert_int_equal(access(dir, F_OK), -1);
    assert_false(spool_next(s, &x, &b));
    spool_answered(s, 1);
    spool_unref(s);
    assert_int_equal(mkdir(dir, 0700), 0);
    buf_release(&b);
}

/* Appending, reading, answering, kills: what comes out is what went in, once and in order. */
static void the_queue_under_kills(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct rand r = rand_of(seed);
        struct spool *s = open_spool();
        struct buf b = BUF_INIT;
        struct spool_item x;
        int made = 1, wanted = 1;
        char text[16];

        for (int i = 0; i < 200; i++) {
            switch (rand_below(&r, 4)) {
            case 0: {
                size_t n = rand_below(&r, 5);

                assert_true(append(s, made, n, (struct tsdb_log_place){1, (uint64_t)i}));
                made += (int)n;
                break;
            }
            case 1:
                spool_unref(s);
                s = open_spool();
                break;
            default:
                if (!spool_next(s, &x, &b)) {
                    assert_int_equal(wanted, made);
                    break;
                }
                snprintf(text, sizeof(text), "body %d", wanted);
                assert_str(x.body, text);
                if (rand_below(&r, 5) == 0) { /* the answer is lost with the life */
                    spool_unref(s);
                    s = open_spool();
                    break;
                }
                spool_answered(s, x.id);
                wanted++;
            }
            assert_int_equal(spool_figures(s).samples, (size_t)(made - wanted) * 10);
        }
        spool_unref(s);
        buf_release(&b);
        (void)tear_down(NULL);
        (void)set_up(NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_of_snappy_says_what_went_in),
        cmocka_unit_test(a_request_is_prometheus_write_request),
        cmocka_unit_test(a_histogram_has_all_its_fields),
        cmocka_unit_test_setup_teardown(what_ends_is_heard, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_series_that_moves_has_not_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_rules_where_only_they_are_wanted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_heard_is_what_the_store_has, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_log_is_heard_again_at_the_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_waits_comes_in_order_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_place_in_the_log_outlives_a_kill, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_step_counts_as_a_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_note_that_is_ahead_is_not_believed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_much_costs_the_oldest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_disk_that_takes_nothing_leaves_it_to_memory, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_goes_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_queue_under_kills, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
