#include "model/histogram_bins.h"

#include "model/histogram_walk.h"

void bins_reserve(struct histogram_bins *b, struct arena *a, uint32_t cap)
{
    b->n = 0;
    if (b->cap >= cap)
        return;
    b->cap = cap > 2 * b->cap ? cap : 2 * b->cap;
    b->v = arena_alloc(a, b->cap * sizeof(*b->v));
}

void bins_load(struct histogram_bins *b, struct arena *a, const struct histogram_side *s)
{
    struct histogram_cursor c = histogram_cursor_low(s);
    int64_t index;
    double count;

    bins_reserve(b, a, s->n);
    while (histogram_cursor_up(&c, &index, &count))
        if (count != 0)
            b->v[b->n++] = (struct histogram_bin){(int32_t)index, {count, 0}};
}

/* -- back to spans -- */

static bool histogram_bins_is_empty(const struct histogram_bin *b)
{
    return kahan_sum(&b->count) == 0;
}

/* How many empty buckets to write out between index from (exclusive) and to; SIZE_MAX: a new span begins. */
static size_t filler(int32_t from, int32_t to, uint32_t max_empty)
{
    int64_t gap = (int64_t)to - from - 1;

    return gap <= max_empty ? (size_t)gap : SIZE_MAX;
}

static void measure(const struct histogram_bins *b, uint32_t max_empty, uint32_t *n_spans,
                    size_t *n)
{
    const struct histogram_bin *last = NULL;

    *n_spans = 0;
    *n = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        size_t fill;

        if (histogram_bins_is_empty(&b->v[i]))
            continue;
        fill = last != NULL ? filler(last->index, b->v[i].index, max_empty) : SIZE_MAX;
        *n_spans += fill == SIZE_MAX;
        *n += 1 + (fill == SIZE_MAX ? 0 : fill);
        last = &b->v[i];
    }
}

struct histogram_side bins_store(const struct histogram_bins *b, struct arena *a,
                                 uint32_t max_empty)
{
    const struct histogram_bin *last = NULL;
    struct histogram_span *spans, *span = NULL;
    uint32_t n_spans;
    double *counts;
    size_t n;

    measure(b, max_empty, &n_spans, &n);
    if (n == 0)
        return (struct histogram_side){0};
    spans = arena_alloc(a, n_spans * sizeof(*spans));
    counts = arena_array(a, n, sizeof(*counts));
    n = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        const struct histogram_bin *bin = &b->v[i];
        size_t fill;

        if (histogram_bins_is_empty(bin))
            continue;
        fill = last != NULL ? filler(last->index, bin->index, max_empty) : SIZE_MAX;
        if (fill == SIZE_MAX) {
            span = span == NULL ? spans : span + 1;
            *span =
                (struct histogram_span){last == NULL ? bin->index : bin->index - last->index - 1,
                                        0};
            fill = 0;
        }
        n += fill;
        span->length += (uint32_t)fill + 1;
        counts[n++] = kahan_sum(&bin->count);
        last = bin;
    }
    return (struct histogram_side){spans, counts, n_spans, (uint32_t)n};
}

/* -- two into one -- */

void bins_merge(struct histogram_bins *out, struct arena *arena, const struct histogram_bins *a,
                const struct histogram_bins *b, double sign)
{
    uint32_t i = 0, j = 0, n = 0;

    bins_reserve(out, arena, a->n + b->n);
    while (i < a->n || j < b->n) {
        struct histogram_bin *to = &out->v[n++];
        bool has_a = i < a->n && (j == b->n || a->v[i].index <= b->v[j].index);
        bool has_b = j < b->n && (i == a->n || b->v[j].index <= a->v[i].index);

        *to = has_a ? a->v[i++] : (struct histogram_bin){b->v[j].index, {0, 0}};
        if (has_b) {
            kahan_add(&to->count, sign * b->v[j].count.sum);
            to->count.c += sign * b->v[j++].count.c;
        }
    }
    out->n = n;
}

/* -- other layouts -- */

/* Bin i, which has its new index, joins the one before if that has the same. k: bins so far; returns the new k. */
static uint32_t histogram_bins_settle(struct histogram_bins *b, uint32_t i, uint32_t k)
{
    if (k == 0 || b->v[k - 1].index != b->v[i].index) {
        b->v[k] = b->v[i];
        return k + 1;
    }
    kahan_add(&b->v[k - 1].count, b->v[i].count.sum);
    b->v[k - 1].count.c += b->v[i].count.c;
    return k;
}

void bins_coarsen(struct histogram_bins *b, unsigned shift)
{
    uint32_t k = 0;

    for (uint32_t i = 0; i < b->n; i++) {
        b->v[i].index = (int32_t)((((int64_t)b->v[i].index - 1) >> shift) + 1);
        k = histogram_bins_settle(b, i, k);
    }
    b->n = k;
}

void bins_rebound(struct histogram_bins *b, const struct histogram *from, const double *bounds,
                  uint32_t n_bounds)
{
    uint32_t k = 0, to = 0;

    for (uint32_t i = 0; i < b->n; i++) {
        double upper = histogram_bound(from, b->v[i].index);

        while (to < n_bounds && bounds[to] < upper)
            to++;
        b->v[i].index = (int32_t)to;
        k = histogram_bins_settle(b, i, k);
    }
    b->n = k;
}

/* -- the zero bucket grows over its neighbours -- */

double bins_uncut(const struct histogram_bins *b, int32_t schema, double threshold)
{
    for (uint32_t i = 0; i < b->n; i++) {
        if (histogram_exponential_bound(schema, (int64_t)b->v[i].index - 1) >= threshold)
            break;
        threshold = fmax(threshold, histogram_exponential_bound(schema, b->v[i].index));
    }
    return threshold;
}

struct kahan bins_take_zero(struct histogram_bins *b, int32_t schema, double threshold)
{
    struct kahan zero = {0, 0};
    uint32_t i = 0;

    while (i < b->n &&
           histogram_exponential_bound(schema, (int64_t)b->v[i].index - 1) < threshold) {
        kahan_add(&zero, b->v[i].count.sum);
        zero.c += b->v[i++].count.c;
    }
    b->n -= i;
    if (i != 0 && b->n != 0)
        memmove(b->v, b->v + i, b->n * sizeof(*b->v));
    return zero;
}
