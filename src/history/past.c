/* For each selector: of every file the symbols, the series that match, and their rows, span by span. A series' rows become one
 * array when all files were read; series with rows of the same times share these. Few series are looked up one by one, of
 * many all rows of a span are walked over.
 */
#include "history/past.h"

#include <stdio.h>
#include <unistd.h>
#include "base/map.h"
#include "base/mem.h"
#include "history/history_priv.h"
#include "history/row.h"
#include "model/labels.h"

enum { LOOKED_UP = 8, LATE = 1 << 19 };

struct past_part { /* a row */
    int64_t span;
    struct history_samples samples;
};

struct past_series {
    struct labels labels;
    VEC(struct past_part) parts;
};

struct storage_selector {
    struct matchers ms; /* owned */
    struct storage_selector *next;
    struct storage_ids ids;
    bool is_read;
};

struct past {
    struct history *h;
    int64_t from, to; /* spans, both of them too */
    bool (*goes_on)(void *arg);
    void *arg;
    struct history_entry *files; /* in keep */
    size_t n_files;
    struct arena keep, parts, scratch; /* parts: of a selector; scratch: of a file */
    struct storage_selector *first;
    VEC(struct storage_series) series;
    VEC(struct labels) labels;
    struct history_histograms histograms;
    uint64_t epoch;
    bool is_whole;
    char warning[256];
    struct { /* rows whose times were joined last */
        const struct past_series *of;
        const ts_ms *times;
    } joined;
};

MAP_DECLARE(past_map, struct labels, uint32_t);
MAP_DEFINE(past_map, struct labels, uint32_t, labels_hash, labels_eq);

/* What a selector has found in all files. */
struct past_found {
    struct past_map by_labels;
    VEC(struct past_series) v;
};

/* One file, for one selector. */
struct past_reading {
    struct past *p;
    struct history_file file;
    const struct matchers *ms;
    struct past_found *to;
    VEC(str) symbols;      /* by number */
    uint8_t *verdicts;     /* of matcher m and symbol s at m * symbols + s: 1 yes, 2 no */
    uint64_t *names;       /* of each matcher the symbol of its label; symbols.n: it is not there */
    VEC(uint32_t) numbers; /* of series that match, ascending */
    VEC(struct labels) found; /* theirs */
    uint32_t *local;          /* of series by number: index in to + 1 */
    size_t n_local;
    int64_t span;
    VEC(struct history_samples) times; /* of the span, by number */
    size_t steps;
};

static bool past_goes_on(struct past *p)
{
    return p->is_whole && (p->is_whole = p->goes_on(p->arg) && !arena_is_full(&p->parts) &&
                                         !arena_is_full(&p->keep));
}

/* -- series -- */

static bool past_see_symbol(void *arg, int64_t key, str body, struct err *e)
{
    struct past_reading *r = arg;

    if (key != (int64_t)r->symbols.n)
        return err_set(e, ERR_CORRUPT, "symbols are damaged");
    vec_push(&r->symbols, arena_str(&r->p->scratch, body));
    return true;
}

static uint64_t past_symbol_of(const struct past_reading *r, str text)
{
    for (size_t i = 0; i < r->symbols.n; i++)
        if (str_eq(r->symbols.v[i], text))
            return i;
    return r->symbols.n;
}

static bool past_matches_value(struct past_reading *r, size_t m, uint64_t value)
{
    uint8_t *v = &r->verdicts[m * r->symbols.n + value];

    if (*v == 0)
        *v = matcher_matches(&r->ms->v[m], r->symbols.v[value]) ? 1 : 2;
    return *v == 1;
}

static bool past_matches(struct past_reading *r, const uint64_t *ids, size_t n)
{
    for (size_t m = 0; m < r->ms->n; m++) {
        size_t i = 0;

        while (i < n && ids[2 * i] != r->names[m])
            i++;
        if (i < n ? !past_matches_value(r, m, ids[2 * i + 1])
                  : !matcher_matches_empty(&r->ms->v[m]))
            return false;
    }
    return true;
}

static bool past_see_series(void *arg, int64_t key, str body, struct err *e)
{
    struct past_reading *r = arg;
    struct arena *a = &r->p->scratch;
    struct unpack u = unpack_of(body);
    size_t n = unpack_count(&u, 2);
    uint64_t *ids = arena_alloc(a, (2 * n + 1) * sizeof(*ids));
    struct label *v;

    for (size_t i = 0; i < 2 * n; i++)
        if ((ids[i] = unpack_u64(&u)) >= r->symbols.n)
            return err_set(e, ERR_CORRUPT, "labels are damaged");
    if (u.failed || key < 0 || key > HISTORY_SERIES_MAX ||
        (r->numbers.n != 0 && key <= *vec_last(&r->numbers)))
        return err_set(e, ERR_CORRUPT, "series are damaged");
    if (!past_matches(r, ids, n))
        return true;
    v = arena_alloc(a, (n + 1) * sizeof(*v));
    for (size_t i = 0; i < n; i++)
        v[i] = (struct label){r->symbols.v[ids[2 * i]], r->symbols.v[ids[2 * i + 1]]};
    vec_push(&r->numbers, (uint32_t)key);
    vec_push(&r->found, (struct labels){v, n});
    return true;
}

/* The metric's symbol when a matcher says it, -1 when none does. */
static int64_t past_metric(const struct past_reading *r)
{
    for (size_t m = 0; m < r->ms->n; m++)
        if (r->ms->v[m].op == MATCH_EQ && str_is(r->ms->v[m].name, "__name__") &&
            r->ms->v[m].value.n != 0)
            return (int64_t)past_symbol_of(r, r->ms->v[m].value);
    return -1;
}

/* Of each matcher that wants a value: its label as a series that matches has it in its bytes. */
static struct history_needles past_needles(const struct past_reading *r)
{
    struct arena *a = &r->p->scratch;
    str *v = arena_array(a, r->ms->n + 1, sizeof(*v));
    size_t n = 0;

    for (size_t m = 0; m < r->ms->n; m++) {
        const struct matcher *x = &r->ms->v[m];
        struct buf b = BUF_INIT;

        if (x->op != MATCH_EQ || x->value.n == 0)
            continue;
        pack_u64(&b, r->names[m]);
        pack_u64(&b, past_symbol_of(r, x->value));
        v[n++] = arena_str(a, buf_str(&b));
        buf_release(&b);
    }
    return (struct history_needles){v, n};
}

static bool past_find_series(struct past_reading *r, struct err *e)
{
    struct history_needles needles;
    int64_t metric;

    if (!history_file_read(&r->file, HISTORY_SYMBOL, 0, INT64_MAX, past_see_symbol, r, e))
        return false;
    r->names = arena_array(&r->p->scratch, r->ms->n + 1, sizeof(*r->names));
    r->verdicts = arena_array(&r->p->scratch, r->ms->n * r->symbols.n + 1, sizeof(*r->verdicts));
    for (size_t m = 0; m < r->ms->n; m++)
        r->names[m] = past_symbol_of(r, r->ms->v[m].name);
    metric = past_metric(r);
    if (metric == (int64_t)r->symbols.n) /* nothing has that name */
        return true;
    needles = past_needles(r);
    return history_file_read_series(&r->file, metric, &needles, past_see_series, r, e);
}

/* -- rows -- */

static bool past_see_times(void *arg, int64_t key, str body, struct err *e)
{
    struct past_reading *r = arg;
    struct history_samples t = {0};

    if (key != history_times_key(r->span, r->times.n))
        return err_set(e, ERR_CORRUPT, "times are missing");
    if (!history_times_read(body, &r->p->parts, &t.times, &t.n, e))
        return false;
    vec_push(&r->times, t);
    return true;
}

struct past_one_times {
    struct past *p;
    struct history_samples t;
};

static bool past_see_one_times(void *arg, int64_t key, str body, struct err *e)
{
    struct past_one_times *o = arg;

    (void)key;
    return history_times_read(body, &o->p->parts, &o->t.times, &o->t.n, e);
}

/* Most numbers of a span have no gap; what came late is looked up by itself. */
static bool past_times(struct past_reading *r, uint64_t number, struct history_samples *out,
                       struct err *e)
{
    struct past_one_times one = {.p = r->p};
    int64_t key = history_times_key(r->span, number);

    if (number < r->times.n) {
        *out = r->times.v[number];
        return true;
    }
    if (!history_file_read(&r->file, HISTORY_TIMES, key, key, past_see_one_times, &one, e))
        return false;
    *out = one.t;
    return one.t.times != NULL || err_set(e, ERR_CORRUPT, "times are missing");
}

static bool past_see_row(void *arg, int64_t key, str body, struct err *e)
{
    struct past_reading *r = arg;
    uint64_t series = (uint64_t)key & HISTORY_SERIES_MAX, number;
    struct unpack u = unpack_of(body);
    struct history_samples t;
    struct past_part part = {.span = r->span};

    if ((++r->steps & 1023) == 0 && !past_goes_on(r->p))
        return false;
    if (series >= r->n_local || r->local[series] == 0)
        return true;
    if (!history_row_read_times(&u, &number, e) || !past_times(r, number, &t, e) ||
        !history_row_read(&u, t.n, &r->p->parts, &r->p->histograms, &part.samples, e))
        return false;
    part.samples.times = t.times;
    vec_push(&r->to->v.v[r->local[series] - 1].parts, part);
    return true;
}

static bool past_read_span(struct past_reading *r, int64_t span, struct err *e)
{
    uint32_t low = r->numbers.v[0], high = *vec_last(&r->numbers);
    int64_t first = history_times_key(span, 0);
    bool ok;

    r->span = span;
    vec_clear(&r->times);
    ok = history_file_read(&r->file, HISTORY_TIMES, first, first + LATE - 1, past_see_times, r, e);
    if (ok && r->numbers.n * LOOKED_UP > high - low)
        return history_file_read(&r->file, HISTORY_SAMPLE, history_sample_key(&r->file, span, low),
                                 history_sample_key(&r->file, span, high), past_see_row, r, e);
    for (size_t i = 0; ok && i < r->numbers.n && r->p->is_whole; i++) {
        int64_t key = history_sample_key(&r->file, span, r->numbers.v[i]);

        ok = history_file_read(&r->file, HISTORY_SAMPLE, key, key, past_see_row, r, e);
    }
    return ok;
}

/* Gives each series of the file its place among those of all files. */
static void past_place_series(struct past_reading *r)
{
    r->n_local = (size_t)*vec_last(&r->numbers) + 1;
    r->local = mem_array(r->n_local, sizeof(*r->local));
    for (size_t i = 0; i < r->numbers.n; i++) {
        uint32_t *at = past_map_get(&r->to->by_labels, r->found.v[i]);
        bool is_new;

        if (at == NULL) {
            struct labels ls = labels_copy(&r->p->keep, r->found.v[i]);

            at = past_map_add(&r->to->by_labels, ls, (uint32_t)r->to->v.n, &is_new);
            vec_push(&r->to->v, (struct past_series){.labels = ls});
        }
        r->local[r->numbers.v[i]] = *at + 1;
    }
}

static void past_release_reading(struct past_reading *r)
{
    history_file_close(&r->file);
    vec_release(&r->symbols);
    vec_release(&r->numbers);
    vec_release(&r->found);
    vec_release(&r->times);
    mem_free(r->local);
    arena_reset(&r->p->scratch);
}

/* A file that is gone was too old. */
static void past_failed(struct past *p, const struct history_entry *x, const struct err *e)
{
    char path[HISTORY_PATH];

    history_path(p->h, x->name, path);
    if (e->code == ERR_CORRUPT)
        history_note_damage(p->h, x->name, e);
    else if (access(path, F_OK) != 0)
        return;
    snprintf(p->warning, sizeof(p->warning), "history is not whole: %s: %s", x->name, e->msg);
}

static bool past_begin_file(struct past *p, const struct history_entry *x, struct past_reading *r,
                            struct err *e)
{
    char path[HISTORY_PATH];

    history_path(p->h, x->name, path);
    return history_file_look(&r->file, path, e) && past_find_series(r, e);
}

static void past_read_file(struct past *p, const struct history_entry *x, const struct matchers *ms,
                           struct past_found *to)
{
    struct past_reading r = {.p = p, .ms = ms, .to = to};
    struct err e = ERR_INIT;
    bool ok = past_begin_file(p, x, &r, &e);

    if (ok && r.numbers.n != 0) {
        past_place_series(&r);
        for (int64_t s = p->from > x->first ? p->from : x->first;
             ok && s <= p->to && s <= x->last && past_goes_on(p); s++)
            ok = past_read_span(&r, s, &e);
    }
    if (!ok)
        past_failed(p, x, &e);
    past_release_reading(&r);
}

/* -- of a series -- */

static int past_by_span(const void *a, const void *b)
{
    const struct past_part *x = a, *y = b;

    return (x->span > y->span) - (x->span < y->span);
}

/* In order, each span once: what another file has of one, too, is of the later file where both have it. */
static void past_order(struct past *p, struct past_series *s)
{
    size_t k = 0;
    bool is_ordered = true;

    for (size_t i = 1; i < s->parts.n; i++)
        is_ordered &= s->parts.v[i].span > s->parts.v[i - 1].span;
    if (is_ordered)
        return;
    for (size_t i = 1; i < s->parts.n;
         i++) /* few, and mostly in order: stays as it is where equal */
        for (size_t j = i; j != 0 && past_by_span(&s->parts.v[j - 1], &s->parts.v[j]) > 0; j--) {
            struct past_part x = s->parts.v[j];

            s->parts.v[j] = s->parts.v[j - 1];
            s->parts.v[j - 1] = x;
        }
    for (size_t i = 1; i < s->parts.n; i++)
        if (s->parts.v[i].span == s->parts.v[k].span)
            s->parts.v[k].samples =
                history_samples_join(&p->parts, &s->parts.v[k].samples, &s->parts.v[i].samples);
        else
            s->parts.v[++k] = s->parts.v[i];
    s->parts.n = k + 1;
}

static bool past_has_same_times(const struct past_series *a, const struct past_series *b)
{
    if (a == NULL || a->parts.n != b->parts.n)
        return false;
    for (size_t i = 0; i < a->parts.n; i++)
        if (a->parts.v[i].samples.times != b->parts.v[i].samples.times)
            return false;
    return true;
}

static const ts_ms *past_join_times(struct past *p, const struct past_series *s, size_t n)
{
    ts_ms *times;
    size_t at = 0;

    if (past_has_same_times(p->joined.of, s))
        return p->joined.times;
    times = arena_alloc(&p->keep, (n + 1) * sizeof(*times));
    VEC_EACH (const struct past_part *, x, &s->parts) {
        memcpy(times + at, x->samples.times, x->samples.n * sizeof(*times));
        at += x->samples.n;
    }
    p->joined.of = s;
    p->joined.times = times;
    return times;
}

static void past_add(struct past *p, struct past_series *s)
{
    struct storage_series out = {.codes = STORAGE_PLAIN};
    storage_slot *row;
    ts_ms *starts = NULL;
    bool has_starts = false;
    size_t at = 0;

    past_order(p, s);
    VEC_EACH (const struct past_part *, x, &s->parts) {
        out.n += x->samples.n;
        has_starts |= x->samples.starts != NULL;
    }
    if (out.n == 0)
        return;
    row = arena_alloc(&p->keep, out.n * sizeof(*row));
    if (has_starts)
        starts = arena_array(&p->keep, out.n, sizeof(*starts));
    VEC_EACH (const struct past_part *, x, &s->parts) {
        memcpy(row + at, x->samples.slots, x->samples.n * sizeof(*row));
        if (x->samples.starts != NULL)
            memcpy(starts + at, x->samples.starts, x->samples.n * sizeof(*starts));
        at += x->samples.n;
    }
    out.times = past_join_times(p, s, out.n);
    out.row = row;
    out.starts = starts;
    out.last = row[out.n - 1];
    vec_push(&p->series, out);
    vec_push(&p->labels, s->labels);
}

static void past_read_selector(struct past *p, struct storage_selector *s)
{
    struct past_found to = {.v = VEC_INIT};
    size_t from = p->series.n;
    uint32_t *ids;

    for (size_t i = 0; i < p->n_files && p->is_whole; i++)
        past_read_file(p, &p->files[i], &s->ms, &to);
    p->joined.of = NULL;
    VEC_EACH (struct past_series *, x, &to.v)
        if (past_goes_on(p))
            past_add(p, x);
    VEC_EACH (struct past_series *, x, &to.v)
        vec_release(&x->parts);
    vec_release(&to.v);
    past_map_release(&to.by_labels);
    arena_release(&p->parts);
    ids = arena_array(&p->keep, p->series.n - from + 1, sizeof(*ids));
    for (size_t i = from; i < p->series.n; i++)
        ids[i - from] = (uint32_t)i;
    s->ids = (struct storage_ids){ids, p->series.n - from, ++p->epoch};
    s->is_read = true;
}

/* -- labels -- */

static bool past_see_key(void *arg, int64_t key, str body, struct err *e)
{
    struct past_reading *r = arg;
    uint64_t series = (uint64_t)key & HISTORY_SERIES_MAX;

    (void)body, (void)e;
    if ((++r->steps & 1023) == 0 && !past_goes_on(r->p))
        return false;
    if (series < r->n_local)
        r->local[series] = 1;
    return true;
}

/* Marks those of its series that have a row in the time. */
static bool past_mark(struct past_reading *r, const struct history_entry *x, struct err *e)
{
    const struct past *p = r->p;
    int64_t from = p->from > x->first ? p->from : x->first, to = p->to < x->last ? p->to : x->last;

    r->n_local = (size_t)*vec_last(&r->numbers) + 1;
    r->local = mem_array(r->n_local, sizeof(*r->local));
    if (from == x->first && to == x->last) {
        for (size_t i = 0; i < r->n_local; i++)
            r->local[i] = 1;
        return true;
    }
    return history_file_read_keys(&r->file, history_sample_key(&r->file, from, 0),
                                  history_sample_key(&r->file, to, HISTORY_SERIES_MAX),
                                  past_see_key, r, e);
}

bool past_labels(struct past *p, const struct matchers *ms,
                 void (*see)(void *arg, struct labels ls), void *arg)
{
    for (size_t i = 0; i < p->n_files && past_goes_on(p); i++) {
        struct past_reading r = {.p = p, .ms = ms};
        struct err e = ERR_INIT;

        if (!past_begin_file(p, &p->files[i], &r, &e) ||
            (r.numbers.n != 0 && !past_mark(&r, &p->files[i], &e)))
            past_failed(p, &p->files[i], &e);
        else
            for (size_t k = 0; k < r.numbers.n; k++)
                if (r.local[r.numbers.v[k]] != 0)
                    see(arg, r.found.v[k]);
        past_release_reading(&r);
    }
    return p->is_whole;
}

/* -- the port -- */

static void past_begin(void *impl)
{
    struct past *p = impl;

    for (struct storage_selector *s = p->first; s != NULL; s = s->next)
        if (!s->is_read)
            past_read_selector(p, s);
}

static void past_end(void *impl)
{
    (void)impl;
}

static struct storage_selector *past_select(void *impl, const struct matchers *m, int64_t reach_ms,
                                            struct err *e)
{
    struct past *p = impl;
    struct storage_selector *s = mem_new(struct storage_selector);

    (void)reach_ms, (void)e;
    s->ms = matchers_copy(&p->keep, m);
    s->next = p->first;
    return p->first = s;
}

static void past_release_selector(void *impl, struct storage_selector *s)
{
    struct past *p = impl;
    struct storage_selector **at = &p->first;

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    matchers_release(&s->ms);
    mem_free(s);
}

static struct storage_ids past_ids(void *impl, struct storage_selector *s)
{
    (void)impl;
    return s->ids;
}

static void past_read(void *impl, const uint32_t *ids, size_t n, struct storage_series *out)
{
    const struct past *p = impl;

    for (size_t i = 0; i < n; i++)
        out[i] = p->series.v[ids[i]];
}

static struct labels past_labels_of(void *impl, uint32_t id, struct arena *a)
{
    (void)a;
    return ((const struct past *)impl)->labels.v[id];
}

static void past_histogram(void *impl, const struct storage_series *s, storage_slot slot,
                           struct histogram *out)
{
    (void)s;
    *out = ((const struct past *)impl)->histograms.v.v[slot & ~STORAGE_HISTOGRAM];
}

struct storage past_storage(struct past *p)
{
    static const struct storage_ops ops = {.begin = past_begin,
                                           .end = past_end,
                                           .select = past_select,
                                           .release = past_release_selector,
                                           .ids = past_ids,
                                           .read = past_read,
                                           .labels = past_labels_of,
                                           .histogram = past_histogram};

    return (struct storage){&ops, p};
}

struct past *past_new(struct history *h, ts_ms from, ts_ms to, size_t max_bytes,
                      bool (*goes_on)(void *arg), void *arg)
{
    struct past *p = mem_new(struct past);

    p->h = h;
    p->from = history_span_of(from);
    p->to = history_span_of(to);
    p->goes_on = goes_on;
    p->arg = arg;
    p->is_whole = true;
    p->histograms.a = &p->keep;
    arena_init(&p->keep, max_bytes);
    arena_init(&p->parts, max_bytes);
    arena_init(&p->scratch, 0);
    pthread_mutex_lock(&h->lock);
    p->files = arena_array(&p->keep, h->files.n + 1, sizeof(*p->files));
    VEC_EACH (const struct history_entry *, x, &h->files)
        if (x->first <= p->to && x->last >= p->from && x->first <= x->last && !x->is_damaged)
            p->files[p->n_files++] = *x;
    pthread_mutex_unlock(&h->lock);
    if (p->n_files != 0)
        return p;
    past_free(p);
    return NULL;
}

void past_free(struct past *p)
{
    if (p == NULL)
        return;
    arena_release(&p->keep);
    arena_release(&p->parts);
    arena_release(&p->scratch);
    vec_release(&p->series);
    vec_release(&p->labels);
    vec_release(&p->histograms.v);
    mem_free(p);
}

bool past_is_whole(const struct past *p)
{
    return p->is_whole;
}

str past_warning(const struct past *p)
{
    return str_of(p->warning);
}
