/* Hints: what a histogram says about counter resets is kept only where it says "reset" or "gauge". For the others it
 * follows from the sample before, as in Prometheus' chunks, where every sample but the first of a chunk has been found
 * to go on from its predecessor:
 *
 *     stored   count 1   count 2   count 5   count 3   count 4, other schema
 *     read     unknown   not_reset not_reset reset     unknown
 */
#include "promql/mem_storage.h"

#include <stdlib.h>
#include "base/map.h"
#include "base/vec.h"
#include "model/histogram_reset.h"
#include "promql/label_sets.h"

struct series {
    struct labels labels;
    VEC(ts_ms) times;
    VEC(storage_slot) slots;
    VEC(ts_ms) starts;
    VEC(struct histogram) histograms; /* the low bits of a slot are an index into it */
    bool has_starts, is_dirty;
};

struct storage_selector {
    struct arena a;
    struct matchers matchers;
    VEC(uint32_t) ids;
    uint64_t epoch; /* of the store, when ids were found; 0: never */
};

struct mem_storage {
    struct arena text; /* labels and buckets */
    struct label_sets by_labels;
    VEC(struct series *) series;
    uint64_t epoch; /* grows with every new series */
};

struct mem_storage *mem_storage_new(void)
{
    struct mem_storage *m = mem_new(struct mem_storage);

    arena_init(&m->text, 0);
    m->epoch = 1;
    return m;
}

void mem_storage_free(struct mem_storage *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->series.n; i++) {
        struct series *s = m->series.v[i];

        vec_release(&s->times);
        vec_release(&s->slots);
        vec_release(&s->starts);
        vec_release(&s->histograms);
        mem_free(s);
    }
    vec_release(&m->series);
    label_sets_release(&m->by_labels);
    arena_release(&m->text);
    mem_free(m);
}

/* -- appending -- */

static struct series *mem_storage_series_of(struct mem_storage *m, struct labels ls)
{
    uint32_t *at = label_sets_get(&m->by_labels, ls);
    struct series *s;

    if (at != NULL)
        return m->series.v[*at];
    s = mem_new(struct series);
    s->labels = labels_copy(&m->text, ls);
    label_sets_put(&m->by_labels, s->labels, (uint32_t)m->series.n);
    vec_push(&m->series, s);
    m->epoch++;
    return s;
}

/* Index of the first time that is not before t. Samples mostly come in order, so the end is looked at first. */
static size_t mem_storage_place_of(const struct series *s, ts_ms t)
{
    size_t i = s->times.n;

    while (i != 0 && s->times.v[i - 1] >= t)
        i--;
    return i;
}

static void mem_storage_put(struct series *s, ts_ms t, storage_slot slot, ts_ms start)
{
    size_t i = mem_storage_place_of(s, t), k;

    s->is_dirty = true;
    s->has_starts |= start != 0;
    if (i == s->times.n || s->times.v[i] != t) {
        k = s->times.n - i;
        vec_push(&s->times, t);
        vec_push(&s->slots, slot);
        vec_push(&s->starts, start);
        memmove(&s->times.v[i + 1], &s->times.v[i], k * sizeof(s->times.v[0]));
        memmove(&s->slots.v[i + 1], &s->slots.v[i], k * sizeof(s->slots.v[0]));
        memmove(&s->starts.v[i + 1], &s->starts.v[i], k * sizeof(s->starts.v[0]));
    }
    s->times.v[i] = t;
    s->slots.v[i] = slot;
    s->starts.v[i] = start;
}

void mem_storage_append(struct mem_storage *m, struct labels ls, ts_ms t, double v, ts_ms start)
{
    mem_storage_put(mem_storage_series_of(m, ls), t, storage_float(v), start);
}

void mem_storage_append_stale(struct mem_storage *m, struct labels ls, ts_ms t)
{
    mem_storage_put(mem_storage_series_of(m, ls), t, STORAGE_STALE, 0);
}

bool mem_storage_append_histogram(struct mem_storage *m, struct labels ls, ts_ms t,
                                  const struct histogram *h, ts_ms start, struct err *e)
{
    struct series *s;

    if (!histogram_check(h, e))
        return false;
    s = mem_storage_series_of(m, ls);
    mem_storage_put(s, t, STORAGE_HISTOGRAM | s->histograms.n, start);
    vec_push(&s->histograms, histogram_copy(&m->text, h));
    return true;
}

/* -- hints -- */

static void derive_hints(struct series *s)
{
    const struct histogram *before = NULL;

    for (size_t i = 0; i < s->slots.n; i++) {
        struct histogram *h;

        if (!storage_is_histogram(s->slots.v[i])) {
            before = NULL;
            continue;
        }
        h = &s->histograms.v[s->slots.v[i] & ~STORAGE_HISTOGRAM];
        h->hint = histogram_hint_after(h, before);
        before = h;
    }
    s->is_dirty = false;
}

/* -- the port -- */

static void mem_storage_begin(void *impl)
{
    struct mem_storage *m = impl;

    for (size_t i = 0; i < m->series.n; i++)
        if (m->series.v[i]->is_dirty)
            derive_hints(m->series.v[i]);
}

static void mem_storage_end(void *impl)
{
    (void)impl;
}

static struct storage_selector *mem_storage_select_series(void *impl, const struct matchers *ms,
                                                          int64_t reach_ms, struct err *e)
{
    struct storage_selector *s = mem_new(struct storage_selector);

    (void)impl, (void)reach_ms, (void)e; /* everything is kept */
    arena_init(&s->a, 0);
    s->matchers = matchers_copy(&s->a, ms);
    return s;
}

static void mem_storage_release(void *impl, struct storage_selector *s)
{
    (void)impl;
    matchers_release(&s->matchers);
    vec_release(&s->ids);
    arena_release(&s->a);
    mem_free(s);
}

static int mem_storage_by_labels(const void *a, const void *b, void *arg)
{
    struct mem_storage *m = arg;
    const uint32_t *x = a, *y = b;

    return label_sets_order(m->series.v[*x]->labels, m->series.v[*y]->labels);
}

static struct storage_ids ids(void *impl, struct storage_selector *s)
{
    struct mem_storage *m = impl;

    if (s->epoch != m->epoch) {
        vec_clear(&s->ids);
        for (size_t i = 0; i < m->series.n; i++)
            if (matchers_match(&s->matchers, m->series.v[i]->labels))
                vec_push(&s->ids, (uint32_t)i);
        if (s->ids.n > 1)
            qsort_r(s->ids.v, s->ids.n, sizeof(s->ids.v[0]), mem_storage_by_labels, m);
        s->epoch = m->epoch;
    }
    return (struct storage_ids){s->ids.v, s->ids.n, s->epoch};
}

static void mem_storage_read_series(void *impl, const uint32_t *which, size_t n,
                                    struct storage_series *out)
{
    struct mem_storage *m = impl;

    for (size_t i = 0; i < n; i++) {
        const struct series *s = m->series.v[which[i]];

        out[i] = (struct storage_series){.times = s->times.v,
                                         .row = s->slots.v,
                                         .codes = STORAGE_PLAIN,
                                         .starts = s->has_starts ? s->starts.v : NULL,
                                         .n = s->times.n,
                                         .store = s};
    }
}

static struct labels mem_storage_labels_of(void *impl, uint32_t id, struct arena *a)
{
    struct mem_storage *m = impl;

    (void)a;
    return m->series.v[id]->labels;
}

static void histogram(void *impl, const struct storage_series *series, storage_slot slot,
                      struct histogram *out)
{
    const struct series *s = series->store;

    (void)impl;
    *out = s->histograms.v[slot & ~STORAGE_HISTOGRAM];
}

struct storage mem_storage_port(struct mem_storage *m)
{
    static const struct storage_ops ops = {
        .begin = mem_storage_begin,
        .end = mem_storage_end,
        .select = mem_storage_select_series,
        .release = mem_storage_release,
        .ids = ids,
        .read = mem_storage_read_series,
        .labels = mem_storage_labels_of,
        .histogram = histogram,
    };

    return (struct storage){&ops, m};
}
