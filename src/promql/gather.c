/* gather.c - a storage read once in slices, and the port over the copy. */
#include "promql/gather.h"

#include "base/mem.h"
#include "base/map.h"
#include "base/vec.h"
#include "model/labels.h"

enum { SLICE_SERIES = 256, SLICE_SAMPLES = 64 << 10 };

/* -- slices -- */

/* An id of a series that has gone may be another's by now; one that the selector still lists is one to look at. */
static void drop_gone(struct storage_slices *it, struct storage_ids now)
{
    uint32_t most = 0;
    uint8_t *is_there;
    size_t k = it->at;

    for (size_t i = it->at; i < it->n; i++)
        most = it->ids[i] > most ? it->ids[i] : most;
    is_there = mem_array((size_t)most + 1, 1);
    for (size_t i = 0; i < now.n; i++)
        if (now.v[i] <= most)
            is_there[now.v[i]] = 1;
    for (size_t i = it->at; i < it->n; i++)
        if (is_there[it->ids[i]])
            it->ids[k++] = it->ids[i];
    it->n = k;
    mem_free(is_there);
}

bool storage_slices_next(struct storage_slices *it, struct storage_ids *out)
{
    struct storage_ids now;
    size_t left;

    if (it->has_begun && it->at == it->n)
        return false;
    storage_begin(it->storage);
    now = storage_ids(it->storage, it->selector);
    if (!it->has_begun) {
        it->ids = mem_array(now.n + 1, sizeof(*it->ids));
        if (now.n != 0)
            memcpy(it->ids, now.v, now.n * sizeof(*it->ids));
        it->n = now.n;
    } else if (now.epoch != it->epoch) {
        drop_gone(it, now);
    }
    it->has_begun = true;
    it->epoch = now.epoch;
    left = it->n - it->at;
    if (left == 0) {
        storage_end(it->storage);
        return false;
    }
    *out = (struct storage_ids){it->ids + it->at, left < SLICE_SERIES ? left : SLICE_SERIES,
                                it->epoch};
    return true;
}

void storage_slices_end(struct storage_slices *it, size_t done)
{
    storage_end(it->storage);
    it->at += done;
}

void storage_slices_release(struct storage_slices *it)
{
    mem_free(it->ids);
}

/* -- the copy -- */

struct storage_selector {
    struct storage_selector *of, *past, *next; /* past: NULL without one */
    struct storage_ids ids;                    /* of the copy, in keep */
    bool is_read;
};

MAP_DECLARE(gather_map, struct labels, uint32_t);
MAP_DEFINE(gather_map, struct labels, uint32_t, labels_hash, labels_eq);

struct gather {
    struct storage of, past;    /* past.ops NULL: there is none */
    struct arena keep, scratch; /* scratch: of a slice */
    struct storage_selector *first;
    VEC(struct storage_series) series;
    VEC(struct labels) labels;
    VEC(struct histogram) histograms;
    uint64_t epoch;
    bool (*goes_on)(void *arg);
    void *arg;
    bool is_whole;
    /* of this slice: series of one stream share their times */
    const ts_ms *times, *copied;
    size_t n_times;
    /* of this selector: series of the past that the store has not had yet */
    struct gather_map older;
    struct {
        const ts_ms *past, *now;
        size_t n_past, n_now;
        const ts_ms *both; /* NULL: of none yet */
    } joined;              /* the last times that were put behind one another */
};

static void *gather_keep(struct gather *g, const void *v, size_t n, size_t size)
{
    return arena_copy(&g->keep, v, n, n, size);
}

static const ts_ms *copy_times(struct gather *g, const struct storage_series *s)
{
    if (g->copied == NULL || g->times != s->times || g->n_times != s->n) {
        g->times = s->times;
        g->n_times = s->n;
        g->copied = gather_keep(g, s->times, s->n, sizeof(*s->times));
    }
    return g->copied;
}

/* Slots of histograms are the store's: in the copy they are places in g->histograms. */
static void copy_histograms(struct gather *g, struct storage of, const struct storage_series *s,
                            storage_slot *row, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct histogram h;

        if (!storage_is_histogram(row[i]))
            continue;
        storage_histogram(of, s, row[i], &h);
        row[i] = STORAGE_HISTOGRAM | g->histograms.n;
        vec_push(&g->histograms, histogram_copy(&g->keep, &h));
    }
}

static struct storage_series copy_whole(struct gather *g, struct storage of,
                                        const struct storage_series *s)
{
    struct storage_series c = *s;
    void *row = gather_keep(g, s->row, s->n, s->codes.bytes);

    if (s->codes.bytes == sizeof(storage_slot) && !arena_is_full(&g->keep))
        copy_histograms(g, of, s, row, s->n);
    c.row = row;
    c.times = copy_times(g, s);
    c.starts = s->starts != NULL ? gather_keep(g, s->starts, s->n, sizeof(*s->starts)) : NULL;
    c.store = NULL;
    return c;
}

static const ts_ms *join_times(struct gather *g, const ts_ms *past, size_t n_past,
                               const struct storage_series *s, size_t from)
{
    size_t n_now = s->n - from;
    ts_ms *both;

    if (g->joined.both != NULL && g->joined.past == past && g->joined.n_past == n_past &&
        g->joined.now == s->times + from && g->joined.n_now == n_now)
        return g->joined.both;
    both = arena_copy(&g->keep, past, n_past, n_past + n_now, sizeof(*both));
    memcpy(both + n_past, s->times + from, n_now * sizeof(*both));
    g->joined.past = past;
    g->joined.n_past = n_past;
    g->joined.now = s->times + from;
    g->joined.n_now = n_now;
    return g->joined.both = both;
}

static const ts_ms *join_starts(struct gather *g, const struct storage_series *past, size_t n_past,
                                const struct storage_series *s, size_t from)
{
    size_t n = n_past + s->n - from;
    ts_ms *both;

    if (past->starts == NULL && s->starts == NULL)
        return NULL;
    both = arena_array(&g->keep, n, sizeof(*both));
    if (past->starts != NULL)
        memcpy(both, past->starts, n_past * sizeof(*both));
    if (s->starts != NULL)
        memcpy(both + n_past, s->starts + from, (s->n - from) * sizeof(*both));
    return both;
}

/* What the past has up to the store's first sample, and then the store's. That one is the past's where both have it: the store
 * may not know any more whether a histogram was a reset. */
static struct storage_series copy_joined(struct gather *g, uint32_t id,
                                         const struct storage_series *s)
{
    struct storage_series past, c = *s;
    size_t from = 0, n_past;
    storage_slot *row;

    storage_read(g->past, &id, 1, &past);
    while (from < s->n && storage_at(s, from) == STORAGE_ABSENT)
        from++;
    if (from == s->n)
        return copy_whole(g, g->past, &past);
    for (n_past = past.n; n_past != 0 && past.times[n_past - 1] > s->times[from];)
        n_past--;
    if (n_past != 0 && past.times[n_past - 1] == s->times[from]) {
        if (storage_at(&past, n_past - 1) == STORAGE_ABSENT)
            n_past--;
        else
            from++;
    }
    c.n = n_past + s->n - from;
    row = arena_alloc(&g->keep, c.n * sizeof(*row));
    storage_row_slots(past.row, &past.codes, 0, n_past, row);
    storage_row_slots(s->row, &s->codes, from, s->n, row + n_past);
    if (!arena_is_full(&g->keep)) {
        copy_histograms(g, g->past, &past, row, n_past);
        copy_histograms(g, g->of, s, row + n_past, s->n - from);
    }
    c.row = row;
    c.codes = STORAGE_PLAIN;
    c.times = join_times(g, past.times, n_past, s, from);
    c.starts = join_starts(g, &past, n_past, s, from);
    c.rising = s->rising < s->n - from ? s->rising : s->n - from;
    c.store = NULL;
    return c;
}

static size_t copy_series(struct gather *g, uint32_t id)
{
    struct labels ls = storage_labels(g->of, id, &g->scratch);
    struct gather_map_entry *older = gather_map_find(&g->older, ls);
    struct storage_series s, c;

    storage_read(g->of, &id, 1, &s);
    c = older != NULL ? copy_joined(g, older->value, &s) : copy_whole(g, g->of, &s);
    if (older != NULL)
        gather_map_del_entry(&g->older, older);
    vec_push(&g->series, c);
    vec_push(&g->labels, labels_copy(&g->keep, ls));
    return c.n;
}

static size_t copy_slice(struct gather *g, struct storage_ids ids)
{
    size_t i = 0, samples = 0;

    g->copied = NULL;
    g->joined.both = NULL;
    while (i < ids.n && samples < SLICE_SAMPLES)
        samples += copy_series(g, ids.v[i++]);
    return i;
}

static void gather_number(struct gather *g, struct storage_selector *s, size_t from)
{
    uint32_t *v = arena_array(&g->keep, g->series.n - from, sizeof(*v));

    if (arena_is_full(&g->keep))
        return;
    for (size_t i = from; i < g->series.n; i++)
        v[i - from] = (uint32_t)i;
    s->ids = (struct storage_ids){v, g->series.n - from, ++g->epoch};
}

/* Before the span, so that nobody waits for large lists to move. */
static bool gather_make_room(struct gather *g)
{
    vec_reserve(&g->series, g->series.n + SLICE_SERIES);
    vec_reserve(&g->labels, g->labels.n + SLICE_SERIES);
    return true;
}

/* The past first: what goes there meanwhile is still in the store. */
static void read_past(struct gather *g, struct storage_selector *s)
{
    struct storage_ids ids;
    bool is_new;

    if (s->past == NULL)
        return;
    storage_begin(g->past);
    ids = storage_ids(g->past, s->past);
    for (size_t i = 0; i < ids.n; i++)
        (void)gather_map_add(&g->older,
                             labels_copy(&g->keep, storage_labels(g->past, ids.v[i], &g->keep)),
                             ids.v[i], &is_new);
}

/* Series that the store does not have any more. */
static void read_rest_of_past(struct gather *g, struct storage_selector *s)
{
    if (s->past == NULL)
        return;
    g->copied = NULL;
    MAP_EACH (struct gather_map_entry, e, &g->older) {
        struct storage_series p;

        if (!g->is_whole)
            break;
        storage_read(g->past, &e->value, 1, &p);
        vec_push(&g->series, copy_whole(g, g->past, &p));
        vec_push(&g->labels, e->key);
        g->is_whole = !arena_is_full(&g->keep);
    }
    gather_map_release(&g->older);
    storage_end(g->past);
}

static void read_selector(struct gather *g, struct storage_selector *s)
{
    struct storage_slices it = {.storage = g->of, .selector = s->of};
    struct storage_ids ids;
    size_t from = g->series.n;

    read_past(g, s);
    while (g->is_whole && gather_make_room(g) && storage_slices_next(&it, &ids)) {
        storage_slices_end(&it, copy_slice(g, ids));
        arena_reset(&g->scratch);
        g->is_whole = g->goes_on(g->arg) && !arena_is_full(&g->keep);
    }
    storage_slices_release(&it);
    read_rest_of_past(g, s);
    gather_number(g, s, from);
    s->is_read = true;
    g->is_whole &= !arena_is_full(&g->keep);
}

/* -- the port -- */

static void gather_begin(void *impl)
{
    struct gather *g = impl;

    for (struct storage_selector *s = g->first; s != NULL; s = s->next)
        if (!s->is_read)
            read_selector(g, s);
}

static void gather_end(void *impl)
{
    (void)impl;
}

static struct storage_selector *gather_select_series(void *impl, const struct matchers *m,
                                                     int64_t reach_ms, struct err *e)
{
    struct gather *g = impl;
    struct storage_selector *of = storage_select(g->of, m, reach_ms, e), *past = NULL, *s;

    if (of == NULL)
        return NULL;
    if (g->past.ops != NULL && (past = storage_select(g->past, m, 0, e)) == NULL) {
        storage_release(g->of, of);
        return NULL;
    }
    s = mem_new(struct storage_selector);
    s->of = of;
    s->past = past;
    s->next = g->first;
    g->first = s;
    return s;
}

static void gather_release(void *impl, struct storage_selector *s)
{
    struct gather *g = impl;
    struct storage_selector **at = &g->first;

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    storage_release(g->of, s->of);
    if (s->past != NULL)
        storage_release(g->past, s->past);
    mem_free(s);
}

static struct storage_ids ids_of(void *impl, struct storage_selector *s)
{
    (void)impl;
    return s->ids;
}

static void gather_read_series(void *impl, const uint32_t *ids, size_t n,
                               struct storage_series *out)
{
    const struct gather *g = impl;

    for (size_t i = 0; i < n; i++)
        out[i] = g->series.v[ids[i]];
}

static struct labels gather_labels_of(void *impl, uint32_t id, struct arena *a)
{
    (void)a;
    return ((const struct gather *)impl)->labels.v[id];
}

static void histogram_of(void *impl, const struct storage_series *s, storage_slot slot,
                         struct histogram *out)
{
    (void)s;
    *out = ((const struct gather *)impl)->histograms.v[slot & ~STORAGE_HISTOGRAM];
}

struct storage gather_storage(struct gather *g)
{
    static const struct storage_ops ops = {.begin = gather_begin,
                                           .end = gather_end,
                                           .select = gather_select_series,
                                           .release = gather_release,
                                           .ids = ids_of,
                                           .read = gather_read_series,
                                           .labels = gather_labels_of,
                                           .histogram = histogram_of};

    return (struct storage){&ops, g};
}

struct gather *gather_new(struct storage of, size_t max_bytes, bool (*goes_on)(void *arg),
                          void *arg)
{
    struct gather *g = mem_new(struct gather);

    g->of = of;
    g->goes_on = goes_on;
    g->arg = arg;
    g->is_whole = true;
    arena_init(&g->keep, max_bytes);
    arena_init(&g->scratch, 0);
    return g;
}

void gather_past(struct gather *g, struct storage past)
{
    g->past = past;
}

bool gather_is_whole(const struct gather *g)
{
    return g->is_whole;
}

void gather_free(struct gather *g)
{
    arena_release(&g->keep);
    arena_release(&g->scratch);
    vec_release(&g->series);
    vec_release(&g->labels);
    vec_release(&g->histograms);
    mem_free(g);
}
