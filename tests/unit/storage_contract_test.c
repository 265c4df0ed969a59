/* One contract, every store that PromQL reads from: the same samples give the same answers. */
#include "unit.h"

#include <math.h>
#include "base/rand.h"
#include "promql/gather.h"
#include "promql/mem_storage.h"
#include "promql/series.h"
#include "storage_contract.h"
#include "tsdb/tsdb.h"

enum { STEP = 15000, STEPS = 60, METRICS = 3, SERIES = 12 };

struct sample {
    struct labels labels;
    double v;
    const struct histogram *histogram;
    ts_ms start;
};

struct store {
    const char *name;
    struct storage (*open)(void);
    void (*append)(ts_ms t, const struct sample *v, size_t n);
    void (*close)(void);
};

/* -- the stores -- */

static struct mem_storage *plain;
static struct tsdb *db;
static struct tsdb_stream *stream;

static struct storage plain_open(void)
{
    plain = mem_storage_new();
    return mem_storage_port(plain);
}

static void plain_append(ts_ms t, const struct sample *v, size_t n)
{
    struct err e = ERR_INIT;

    for (size_t i = 0; i < n; i++) {
        if (v[i].histogram == NULL)
            mem_storage_append(plain, v[i].labels, t, v[i].v, v[i].start);
        else
            assert_true(mem_storage_append_histogram(plain, v[i].labels, t, v[i].histogram,
                                                     v[i].start, &e));
    }
}

static void plain_close(void)
{
    mem_storage_free(plain);
}

static struct storage tsdb_open(void)
{
    db = tsdb_new(&(struct tsdb_options){.keep_all = true, .min_reach_ms = STEPS * STEP});
    stream = tsdb_stream_open(db, &(struct tsdb_stream_conf){.name = S("s")}, NULL);
    return tsdb_storage(db);
}

static void tsdb_append(ts_ms t, const struct sample *v, size_t n)
{
    struct tsdb_batch b;
    struct err e = ERR_INIT;

    tsdb_batch_init(&b);
    (void)tsdb_batch_begin(&b, db, stream, t);
    for (size_t i = 0; i < n; i++) {
        if (v[i].histogram == NULL)
            tsdb_batch_add(&b, TSDB_REF_NEW, v[i].labels, v[i].v);
        else
            tsdb_batch_add_histogram(&b, TSDB_REF_NEW, v[i].labels, v[i].histogram);
        tsdb_batch_set_start(&b, v[i].start);
    }
    assert_true(tsdb_commit(&b, &e));
    tsdb_batch_release(&b);
}

static void tsdb_close(void)
{
    tsdb_free(db);
}

/* A copy of it, taken when it is first read. */
static struct gather *gathered;

static bool goes_on(void *arg)
{
    (void)arg;
    return true;
}

static struct storage gathered_open(void)
{
    gathered = gather_new(tsdb_open(), 0, goes_on, NULL);
    return gather_storage(gathered);
}

static void gathered_close(void)
{
    assert_true(gather_is_whole(gathered));
    gather_free(gathered);
    tsdb_close();
}

static const struct store stores[] = {
    {"plain", plain_open, plain_append, plain_close},
    {"tsdb", tsdb_open, tsdb_append, tsdb_close},
    {"gathered", gathered_open, tsdb_append, gathered_close},
};

/* As assert_string_equal(), but shows the place and not 10 kB. */
static void assert_same(struct buf *got, struct buf *want)
{
    size_t i = 0, from;

    while (i < got->n && i < want->n && got->p[i] == want->p[i])
        i++;
    if (i == got->n && i == want->n)
        return;
    from = i > 200 ? i - 200 : 0;
    fail_msg("got  ...%.300s\nwant ...%.300s", buf_z(got) + from, buf_z(want) + from);
}

/* -- the samples: the same for every store -- */

static const char *const selectors[] = {
    "{__name__=\"m0\"}",
    "{__name__=~\"m.*\",i!=\"3\"}",
    "{i=~\"1|2|11\",__name__!=\"m1\"}",
    "{j=\"\"}",
    "{__name__!=\"\"}",
};

static double some_value(struct rand *r, int step)
{
    static const uint64_t stale = STORAGE_STALE, other_nan = UINT64_C(0xfffc000000000001);
    double v = step * (double)rand_below(r, 10);

    switch (rand_below(r, 12)) {
    case 0: memcpy(&v, &stale, sizeof(v)); break;
    case 1: memcpy(&v, &other_nan, sizeof(v)); break; /* must come back as an ordinary one */
    case 2: v = -INFINITY; break;
    default: break;
    }
    return v;
}

static struct histogram *some_histogram(struct rand *r, struct arena *a, int step)
{
    struct histogram *h = arena_new(a, struct histogram);
    struct histogram_span *span = arena_new(a, struct histogram_span);
    double *counts = arena_array(a, 3, sizeof(*counts));

    *span = (struct histogram_span){(int32_t)rand_below(r, 2), 3};
    for (int i = 0; i < 3; i++)
        counts[i] = step + (double)rand_below(r, 3);
    h->hint = rand_below(r, 10) == 0 ? HISTOGRAM_GAUGE : HISTOGRAM_UNKNOWN;
    h->schema = (int32_t)rand_below(r, 10) / 9;
    h->count = counts[0] + counts[1] + counts[2];
    h->positive = (struct histogram_side){span, counts, 1, 3};
    return h;
}

static struct labels some_labels(struct arena *a, size_t metric, size_t i)
{
    struct label *v = arena_array(a, 3, sizeof(*v));
    size_t n = 2;

    v[0] = (struct label){S("__name__"), arena_printf(a, "m%zu", metric)};
    v[1] = (struct label){S("i"), arena_printf(a, "%zu", i)};
    if (i % 2 != 0)
        v[n++] = (struct label){S("j"), S("odd")};
    return (struct labels){v, n};
}

/* Series come and go; the last metric's are histograms. */
static size_t make_samples(struct rand *r, struct arena *a, int step, struct sample *out)
{
    size_t n = 0;

    for (size_t metric = 0; metric < METRICS; metric++)
        for (size_t i = 0; i < SERIES; i++) {
            if (rand_below(r, 5) == 0 || i > (size_t)step)
                continue;
            out[n] = (struct sample){.labels = some_labels(a, metric, i), .v = some_value(r, step)};
            if (metric + 1 == METRICS)
                out[n].histogram = some_histogram(r, a, step);
            if (metric == 1 && i % 3 == 0)
                out[n].start = (ts_ms)step * STEP - 100;
            n++;
        }
    return n;
}

static struct storage_selector *open_selector_reaching(struct storage st, const char *text,
                                                       int64_t reach_ms)
{
    struct storage_selector *s;
    struct matchers ms;
    struct err e = ERR_INIT;
    struct arena a;
    str warning;

    arena_init(&a, 0);
    assert_true(matchers_parse(str_of(text), MATCHER_UTF8, &a, &ms, &warning, &e));
    s = storage_select(st, &ms, reach_ms, &e);
    assert_non_null(s);
    matchers_release(&ms);
    arena_release(&a);
    return s;
}

static struct storage_selector *open_selector(struct storage st, const char *text)
{
    return open_selector_reaching(st, text, 0);
}

/* Everything that the selectors find, asked at the end by those registered before any sample and by new ones. */
static void run(const struct store *store, struct buf *early, struct buf *late)
{
    struct storage st = store->open();
    struct storage_selector *before[ARRAY_LEN(selectors)], *after;
    struct sample *samples = mem_array((size_t)METRICS * SERIES, sizeof(*samples));
    struct rand r = {1};
    struct arena a;

    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_LEN(selectors); i++)
        before[i] = open_selector(st, selectors[i]);
    for (int step = 1; step <= STEPS; step++) {
        size_t n = make_samples(&r, &a, step, samples);

        store->append((ts_ms)step * STEP, samples, n);
        arena_reset(&a);
    }
    for (size_t i = 0; i < ARRAY_LEN(selectors); i++) {
        storage_begin(st);
        storage_contract_dump(st, before[i], INT64_MIN, early);
        storage_end(st);
        storage_release(st, before[i]);
        after = open_selector(st, selectors[i]);
        storage_begin(st);
        storage_contract_dump(st, after, INT64_MIN, late);
        storage_end(st);
        storage_release(st, after);
    }
    store->close();
    mem_free(samples);
    arena_release(&a);
}

static void all_stores_answer_the_same(void **state)
{
    struct buf early = BUF_INIT, late = BUF_INIT, first = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(stores); i++) {
        buf_clear(&early);
        buf_clear(&late);
        run(&stores[i], &early, &late);
        assert_true(early.n > 10000);
        assert_same(&early, &late);
        if (i == 0)
            buf_add(&first, buf_str(&early));
        assert_same(&early, &first);
    }
    buf_release(&early);
    buf_release(&late);
    buf_release(&first);
}

/* -- under churn: streams of their own times, selectors that come and go, series that are forgotten -- */

enum { STREAMS = 4, ROUNDS = 3000, WATCHES = 6 };

struct watch {
    struct storage_selector *ours, *theirs;
    int64_t reach;
    ts_ms since; /* nothing is promised from before it was there */
};

static void open_watch(struct watch *w, struct rand *r, ts_ms now)
{
    const char *text = selectors[rand_below(r, ARRAY_LEN(selectors))];

    w->reach = (ts_ms)(1 + rand_below(r, 40)) * STEP;
    w->since = now + 1;
    w->ours = open_selector_reaching(tsdb_storage(db), text, w->reach);
    w->theirs = open_selector(mem_storage_port(plain), text);
}

static void close_watch(struct watch *w)
{
    storage_release(tsdb_storage(db), w->ours);
    storage_release(mem_storage_port(plain), w->theirs);
}

static void compare_watch(const struct watch *w, ts_ms now)
{
    struct storage st[2] = {tsdb_storage(db), mem_storage_port(plain)};
    struct storage_selector *s[2] = {w->ours, w->theirs};
    struct buf b[2] = {BUF_INIT, BUF_INIT};
    ts_ms from = now - w->reach + 1 > w->since ? now - w->reach + 1 : w->since;

    for (int i = 0; i < 2; i++) {
        storage_begin(st[i]);
        storage_contract_dump(st[i], s[i], from, &b[i]);
        storage_end(st[i]);
    }
    assert_same(&b[0], &b[1]);
    buf_release(&b[0]);
    buf_release(&b[1]);
}

/* Some series of stream k, of which there are ever new ones. */
static size_t make_churn(struct rand *r, struct arena *a, size_t k, int round, struct sample *out)
{
    size_t n = 0;

    for (size_t i = 0; i < 8; i++) {
        if (rand_below(r, 3) == 0)
            continue;
        out[n] = (struct sample){.labels = some_labels(a, k, i < 6 ? i : i + (size_t)round / 50),
                                 .v = (double)rand_below(r, 1000)}; /* a series that has only
                                                                       ended may be forgotten */
        if (k == 0) {
            struct histogram *h = some_histogram(r, a, round);

            h->hint = HISTOGRAM_GAUGE; /* a counter's would tell of what has been forgotten */
            out[n].histogram = h;
        }
        if (k == 1 && rand_below(r, 4) == 0)
            out[n].start = round;
        n++;
    }
    return n;
}

static void churn(bool keep_all)
{
    struct tsdb_stream *streams[STREAMS];
    struct watch watches[WATCHES];
    struct sample samples[8];
    struct rand r = {7};
    struct arena a;
    ts_ms now = 0;

    arena_init(&a, 0);
    plain = mem_storage_new();
    db = tsdb_new(&(struct tsdb_options){.keep_all = keep_all, .min_reach_ms = STEP});
    for (size_t k = 0; k < STREAMS; k++)
        streams[k] = tsdb_stream_open(
            db, &(struct tsdb_stream_conf){.name = arena_printf(&a, "%zu", k), .interval_ms = STEP},
            NULL);
    for (size_t i = 0; i < WATCHES; i++)
        open_watch(&watches[i], &r, now);
    for (int round = 1; round < ROUNDS; round++) {
        size_t k = rand_below(&r, STREAMS), n;

        now += (ts_ms)rand_below(&r, STEP);
        stream = streams[k];
        n = make_churn(&r, &a, k, round, samples);
        now++;
        tsdb_append(now, samples, n);
        plain_append(now, samples, n);
        if (rand_below(&r, 20) == 0) {
            struct watch *w = &watches[rand_below(&r, WATCHES)];

            compare_watch(w, now);
            close_watch(w);
            open_watch(w, &r, now);
        }
        if (rand_below(&r, 10) == 0)
            (void)tsdb_collect(db, now);
        arena_reset(&a);
    }
    assert_true(tsdb_stats(db).series < 200); /* the others have been forgotten */
    for (size_t i = 0; i < WATCHES; i++)
        close_watch(&watches[i]);
    tsdb_free(db);
    mem_storage_free(plain);
    arena_release(&a);
}

static void tsdb_forgets_nothing_within_reach(void **state)
{
    (void)state;
    churn(true);
    churn(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_stores_answer_the_same),
        cmocka_unit_test(tsdb_forgets_nothing_within_reach),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
