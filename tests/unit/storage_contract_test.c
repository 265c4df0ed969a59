/* One contract, every store that PromQL reads from: the same samples give the same answers. */
#include "unit.h"

#include <math.h>
#include "base/rand.h"
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
    stream = tsdb_stream_open(db, &(struct tsdb_stream_conf){.name = S("s")});
    return tsdb_storage(db);
}

static void tsdb_append(ts_ms t, const struct sample *v, size_t n)
{
    struct tsdb_batch b;
    struct err e = ERR_INIT;

    tsdb_batch_init(&b);
    (void)tsdb_batch_begin(&b, db, stream, t);
    for (size_t i = 0; i < n; i++) {
        struct tsdb_item *item =
            v[i].histogram == NULL
                ? tsdb_batch_add(&b, TSDB_REF_NEW, v[i].labels, v[i].v)
                : tsdb_batch_add_histogram(&b, TSDB_REF_NEW, v[i].labels, v[i].histogram);

        item->start = v[i].start;
    }
    assert_true(tsdb_commit(&b, &e));
    tsdb_batch_release(&b);
}

static void tsdb_close(void)
{
    tsdb_free(db);
}

static const struct store stores[] = {
    {"plain", plain_open, plain_append, plain_close},
    {"tsdb", tsdb_open, tsdb_append, tsdb_close},
};

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

static const struct histogram *some_histogram(struct rand *r, struct arena *a, int step)
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

static struct storage_selector *open_selector(struct storage st, const char *text)
{
    struct storage_selector *s;
    struct matchers ms;
    struct err e = ERR_INIT;
    struct arena a;
    str warning;

    arena_init(&a, 0);
    assert_true(matchers_parse(str_of(text), MATCHER_UTF8, &a, &ms, &warning, &e));
    s = storage_select(st, &ms, 0, &e);
    assert_non_null(s);
    matchers_release(&ms);
    arena_release(&a);
    return s;
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
        assert_string_equal(buf_z(&early), buf_z(&late));
        if (i == 0)
            buf_add(&first, buf_str(&early));
        assert_string_equal(buf_z(&early), buf_z(&first));
    }
    buf_release(&early);
    buf_release(&late);
    buf_release(&first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_stores_answer_the_same)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
