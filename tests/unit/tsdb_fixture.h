/* tsdb_fixture.h - a store, a batch and an arena for a test, and short words for what is done with them. */
#ifndef TESTS_TSDB_FIXTURE_H
#define TESTS_TSDB_FIXTURE_H

#include "unit.h"

#include "model/labels.h"
#include "promql/kernel_range.h"
#include "promql/series.h"
#include "storage_contract.h"
#include "tsdb/tsdb.h"

enum { STEP = 15000, MINUTES_5 = 300000 };

static struct tsdb *db;
static struct arena arena;
static struct tsdb_batch batch;

static struct {
    struct tsdb *db;
    const char *name;
    struct tsdb_stream *stream;
} held[64]; /* by the test, each once */
static size_t n_held;

static inline void open_with(struct tsdb_options o)
{
    n_held = 0;
    db = tsdb_new(&o);
    arena_init(&arena, 0);
    tsdb_batch_init(&batch);
}

static inline void close_db(void)
{
    tsdb_batch_release(&batch);
    arena_release(&arena);
    tsdb_free(db);
    n_held = 0;
}

static inline struct labels labels(const char *text)
{
    struct labels ls;
    struct err e = ERR_INIT;

    if (!series_parse_labels(str_of(text), &arena, &ls, &e))
        fail_msg("%s: %s", text, e.msg);
    return ls;
}

static inline struct tsdb_stream *hold_stream(const char *name, struct tsdb_stream *had)
{
    return tsdb_stream_open(
        db,
        &(struct tsdb_stream_conf){.name = str_of(name), .interval_ms = STEP, .marks_stale = true},
        had);
}

/* The same each time, until it is closed. */
static inline struct tsdb_stream *stream(const char *name)
{
    size_t i = 0;

    while (i < n_held && (held[i].db != db || strcmp(held[i].name, name) != 0))
        i++;
    if (i == n_held) {
        assert_true(n_held < ARRAY_LEN(held));
        held[n_held].db = db;
        held[n_held].name = name;
        held[n_held++].stream = hold_stream(name, NULL);
    }
    return held[i].stream;
}

static inline void end_stream(struct tsdb_stream *s, ts_ms t)
{
    for (size_t i = 0; i < n_held; i++)
        if (held[i].stream == s)
            held[i--] = held[--n_held];
    tsdb_stream_close(db, s, t);
}

static inline void begin(struct tsdb_stream *s, ts_ms t)
{
    (void)tsdb_batch_begin(&batch, db, s, t);
}

static inline void put(const char *series, double v)
{
    tsdb_batch_add(&batch, TSDB_REF_NEW, labels(series), v);
}

static inline void commit(void)
{
    struct err e = ERR_INIT;

    if (!tsdb_commit(&batch, &e))
        fail_msg("%s", e.msg);
}

static inline struct storage_selector *selector(const char *text, int64_t reach_ms)
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

static inline void release(struct storage_selector *s)
{
    storage_release(tsdb_storage(db), s);
}

static inline size_t count(struct storage_selector *s)
{
    struct storage st = tsdb_storage(db);
    size_t n;

    storage_begin(st);
    n = storage_ids(st, s).n;
    storage_end(st);
    return n;
}

/* What a selector gives from a time on, as text: labels, then time=value. Times in seconds. */
static inline const char *dump_from(const char *text, ts_ms from)
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

static inline const char *dump(const char *text)
{
    return dump_from(text, INT64_MIN);
}

/* The newest value of each series of a selector, without times. */
static inline str newest(const char *text)
{
    struct storage st = tsdb_storage(db);
    struct storage_selector *s = selector(text, 0);
    struct storage_ids ids;
    struct buf b = BUF_INIT;
    str out;

    storage_begin(st);
    ids = storage_ids(st, s);
    for (size_t i = 0; i < ids.n; i++) {
        struct storage_series series;
        storage_slot slot;

        storage_read(st, &ids.v[i], 1, &series);
        slot = series.n != 0 ? storage_at(&series, series.n - 1) : STORAGE_ABSENT;
        labels_print(&b, storage_labels(st, ids.v[i], &arena));
        if (slot == STORAGE_ABSENT || slot == STORAGE_STALE)
            buf_adds(&b, " ended\n");
        else
            buf_addf(&b, " %g\n", promql_float(slot));
    }
    storage_end(st);
    release(s);
    out = arena_str(&arena, buf_str(&b));
    buf_release(&b);
    return out;
}

static inline struct histogram exponential(double first, double second)
{
    static const struct histogram_span span = {1, 2};
    double *counts = arena_array(&arena, 2, sizeof(*counts));

    counts[0] = first;
    counts[1] = second;
    return (
        struct histogram){.count = first + second, .sum = first, .positive = {&span, counts, 1, 2}};
}

#endif
