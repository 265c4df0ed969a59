/* An addition has two halves. align() brings the sum and the term to one layout without changing what either counts;
 * combine() adds bucket to bucket. A mean that overflows in combine() can therefore take that half back and go on with
 * scaled values.
 *
 *     sum   schema 1, zero bucket up to 0.001, buckets (1, 1.41] 2, (1.41, 2] 3
 *     term  schema 0, zero bucket up to 0.5,   buckets (0.5, 1] 1, (1, 2] 4
 *     align sum: schema 0, zero bucket up to 0.5, (1, 2] 5
 *     combine    (0.5, 1] 1, (1, 2] 9
 */
#include "model/histogram_math.h"

/* -- bodies -- */

static void histogram_math_load(struct histogram_body *b, struct arena *a,
                                const struct histogram *h)
{
    b->schema = h->schema;
    b->zero_threshold = h->zero_threshold;
    b->count = (struct kahan){h->count, 0};
    b->sum = (struct kahan){h->sum, 0};
    b->zero = (struct kahan){h->zero_count, 0};
    b->bounds = h->bounds;
    b->n_bounds = h->n_bounds;
    bins_load(&b->side[0], a, &h->negative);
    bins_load(&b->side[1], a, &h->positive);
}

static struct histogram histogram_math_store(const struct histogram_body *b, struct arena *a,
                                             uint32_t max_empty, enum histogram_hint hint)
{
    return (struct histogram){.hint = hint,
                              .schema = b->schema,
                              .count = kahan_sum(&b->count),
                              .sum = kahan_sum(&b->sum),
                              .zero_threshold = b->zero_threshold,
                              .zero_count = kahan_sum(&b->zero),
                              .negative = bins_store(&b->side[0], a, max_empty),
                              .positive = bins_store(&b->side[1], a, max_empty),
                              .bounds = b->bounds,
                              .n_bounds = b->n_bounds};
}

static void scale_one(struct kahan *k, double factor, double divisor)
{
    k->sum = k->sum * factor / divisor;
    k->c = k->c * factor / divisor;
}

static void scale(struct histogram_body *b, double factor, double divisor)
{
    scale_one(&b->count, factor, divisor);
    scale_one(&b->sum, factor, divisor);
    scale_one(&b->zero, factor, divisor);
    for (int s = 0; s < 2; s++)
        for (uint32_t i = 0; i < b->side[s].n; i++)
            scale_one(&b->side[s].v[i].count, factor, divisor);
}

static bool has_inf(const struct histogram_body *b)
{
    if (isinf(b->count.sum) || isinf(b->sum.sum) || isinf(b->zero.sum))
        return true;
    for (int s = 0; s < 2; s++)
        for (uint32_t i = 0; i < b->side[s].n; i++)
            if (isinf(b->side[s].v[i].count.sum))
                return true;
    return false;
}

/* -- one layout for two -- */

static bool is_custom(const struct histogram_body *b)
{
    return b->schema == HISTOGRAM_CUSTOM;
}

/* The threshold that b's zero bucket must have to reach the given one; its own stays, whatever it cuts. */
static double uncut(const struct histogram_body *b, double threshold)
{
    double from;

    if (threshold == b->zero_threshold)
        return threshold;
    do {
        from = threshold;
        threshold = bins_uncut(&b->side[0], b->schema, threshold);
        threshold = bins_uncut(&b->side[1], b->schema, threshold);
    } while (threshold != from);
    return threshold;
}

static void widen_zero(struct histogram_body *b, double threshold)
{
    if (threshold == b->zero_threshold)
        return;
    for (int s = 0; s < 2; s++) {
        struct kahan k = bins_take_zero(&b->side[s], b->schema, threshold);

        kahan_add(&b->zero, k.sum);
        b->zero.c += k.c;
    }
    b->zero_threshold = threshold;
}

static void align_zero(struct histogram_body *x, struct histogram_body *y)
{
    double threshold = fmax(x->zero_threshold, y->zero_threshold), from;

    if (x->zero_threshold == y->zero_threshold)
        return;
    do {
        from = threshold;
        threshold = uncut(y, uncut(x, threshold));
    } while (threshold != from);
    widen_zero(x, threshold);
    widen_zero(y, threshold);
}

static void histogram_math_lower(struct histogram_body *b, int32_t schema)
{
    for (int s = 0; s < 2 && b->schema != schema; s++)
        bins_coarsen(&b->side[s], (unsigned)(b->schema - schema));
    b->schema = schema;
}

static bool same_bounds(const struct histogram_body *x, const struct histogram_body *y)
{
    struct histogram p = {.bounds = x->bounds, .n_bounds = x->n_bounds};
    struct histogram q = {.bounds = y->bounds, .n_bounds = y->n_bounds};

    return histogram_same_bounds(&p, &q);
}

static void rebound(struct histogram_body *b, const double *bounds, uint32_t n)
{
    struct histogram from = {
        .schema = HISTOGRAM_CUSTOM, .bounds = b->bounds, .n_bounds = b->n_bounds};

    bins_rebound(&b->side[1], &from, bounds, n);
    b->bounds = bounds;
    b->n_bounds = n;
}

static void align_bounds(struct arena *a, struct histogram_body *x, struct histogram_body *y)
{
    double *both = arena_array(a, x->n_bounds, sizeof(*both));
    uint32_t n = 0;

    for (uint32_t i = 0, j = 0; i < x->n_bounds; i++) {
        while (j < y->n_bounds && y->bounds[j] < x->bounds[i])
            j++;
        if (j < y->n_bounds && y->bounds[j] == x->bounds[i])
            both[n++] = x->bounds[i];
    }
    rebound(x, both, n);
    rebound(y, both, n);
}

static unsigned align(struct histogram_sum *s)
{
    struct histogram_body *x = &s->total, *y = &s->term;

    if (is_custom(x) != is_custom(y))
        return HISTOGRAM_INCOMPATIBLE;
    if (is_custom(x)) {
        if (same_bounds(x, y))
            return 0;
        align_bounds(s->a, x, y);
        return HISTOGRAM_RECONCILED;
    }
    align_zero(x, y);
    if (x->schema != y->schema) {
        int32_t schema = x->schema < y->schema ? x->schema : y->schema;

        histogram_math_lower(x, schema);
        histogram_math_lower(y, schema);
    }
    return 0;
}

/* -- sums -- */

static void swap_spares(struct histogram_sum *s)
{
    for (int i = 0; i < 2; i++) {
        struct histogram_bins old = s->total.side[i];

        s->total.side[i] = s->spare[i];
        s->spare[i] = old;
    }
}

/* The old buckets are in the spares until the next time. */
static void combine(struct histogram_sum *s, double sign)
{
    struct histogram_body *x = &s->total, *y = &s->term;

    kahan_add(&x->count, sign * y->count.sum);
    kahan_add(&x->sum, sign * y->sum.sum);
    kahan_add(&x->zero, sign * y->zero.sum);
    x->zero.c += sign * y->zero.c;
    for (int i = 0; i < 2; i++)
        bins_merge(&s->spare[i], s->a, &x->side[i], &y->side[i], sign);
    swap_spares(s);
}

static void see_hint(struct histogram_sum *s, enum histogram_hint hint)
{
    s->has_reset |= hint == HISTOGRAM_RESET;
    s->has_not_reset |= hint == HISTOGRAM_NOT_RESET;
    if (hint == s->hint || s->hint == HISTOGRAM_GAUGE)
        return;
    s->hint = hint == HISTOGRAM_GAUGE ? HISTOGRAM_GAUGE : HISTOGRAM_UNKNOWN;
}

/* Loads the next term and aligns it. */
static unsigned begin_term(struct histogram_sum *s, const struct histogram *h)
{
    unsigned notes;

    histogram_math_load(&s->term, s->a, h);
    notes = align(s);
    if ((notes & HISTOGRAM_INCOMPATIBLE) != 0)
        return notes;
    see_hint(s, h->hint);
    s->n++;
    return notes | (s->has_reset && s->has_not_reset ? HISTOGRAM_COLLISION : 0);
}

void histogram_sum_init(struct histogram_sum *s, struct arena *a, const struct histogram *first)
{
    *s = (struct histogram_sum){.a = a, .hint = first->hint, .n = 1};
    see_hint(s, first->hint);
    histogram_math_load(&s->total, a, first);
}

unsigned histogram_sum_add(struct histogram_sum *s, const struct histogram *h)
{
    unsigned notes = begin_term(s, h);

    if ((notes & HISTOGRAM_INCOMPATIBLE) == 0)
        combine(s, 1);
    return notes;
}

unsigned histogram_sum_sub(struct histogram_sum *s, const struct histogram *h)
{
    unsigned notes = begin_term(s, h);

    if ((notes & HISTOGRAM_INCOMPATIBLE) == 0) {
        combine(s, -1);
        s->hint = HISTOGRAM_GAUGE;
    }
    return notes;
}

struct histogram histogram_sum_result(const struct histogram_sum *s)
{
    return histogram_math_store(&s->total, s->a, 0, s->hint);
}

/* -- means -- */

/* Adds, or leaves everything as it was when that overflows. */
static bool try_combine(struct histogram_sum *s)
{
    struct histogram_body *x = &s->total;
    struct kahan count = x->count, sum = x->sum, zero = x->zero;

    combine(s, 1);
    if (!has_inf(x))
        return true;
    swap_spares(s);
    x->count = count;
    x->sum = sum;
    x->zero = zero;
    return false;
}

unsigned histogram_mean_add(struct histogram_sum *s, const struct histogram *h)
{
    unsigned notes = begin_term(s, h);

    if ((notes & HISTOGRAM_INCOMPATIBLE) != 0)
        return notes;
    if (!s->is_incremental) {
        if (try_combine(s))
            return notes;
        s->is_incremental = true;
        scale(&s->total, 1, s->n - 1);
    }
    scale(&s->total, (s->n - 1) / s->n, 1);
    scale(&s->term, 1, s->n);
    combine(s, 1);
    return notes;
}

struct histogram histogram_mean_result(struct histogram_sum *s)
{
    if (!s->is_incremental)
        scale(&s->total, 1, s->n);
    s->is_incremental = true; /* from here on total is the mean */
    return histogram_sum_result(s);
}

/* -- of one and of two -- */

unsigned histogram_add(struct arena *a, const struct histogram *x, const struct histogram *y,
                       struct histogram *out)
{
    struct histogram_sum s;
    unsigned notes;

    histogram_sum_init(&s, a, x);
    notes = histogram_sum_add(&s, y);
    if ((notes & HISTOGRAM_INCOMPATIBLE) == 0)
        *out = histogram_sum_result(&s);
    return notes;
}

unsigned histogram_sub(struct arena *a, const struct histogram *x, const struct histogram *y,
                       struct histogram *out)
{
    struct histogram_sum s;
    unsigned notes;

    histogram_sum_init(&s, a, x);
    notes = histogram_sum_sub(&s, y);
    if ((notes & HISTOGRAM_INCOMPATIBLE) == 0)
        *out = histogram_sum_result(&s);
    return notes;
}

static struct histogram_side scale_side(struct arena *a, struct histogram_side s, double factor,
                                        double divisor)
{
    double *counts = arena_array(a, s.n, sizeof(*counts));

    for (uint32_t i = 0; i < s.n; i++)
        counts[i] = s.counts[i] * factor / divisor;
    s.counts = counts;
    return s;
}

static struct histogram scaled(struct arena *a, const struct histogram *h, double factor,
                               double divisor)
{
    struct histogram out = *h;

    if (factor < 0 || divisor < 0)
        out.hint = HISTOGRAM_GAUGE;
    out.count = h->count * factor / divisor;
    out.sum = h->sum * factor / divisor;
    out.zero_count = h->zero_count * factor / divisor;
    out.positive = scale_side(a, h->positive, factor, divisor);
    out.negative = scale_side(a, h->negative, factor, divisor);
    return out;
}

struct histogram histogram_mul(struct arena *a, const struct histogram *h, double factor)
{
    return scaled(a, h, factor, 1);
}

struct histogram histogram_div(struct arena *a, const struct histogram *h, double divisor)
{
    struct histogram without = *h;

    if (divisor != 0)
        return scaled(a, h, 1, divisor);
    without.positive = without.negative = (struct histogram_side){0};
    return scaled(a, &without, 1, divisor);
}

struct histogram histogram_compact(struct arena *a, const struct histogram *h, uint32_t max_empty)
{
    struct histogram_body b = {0};

    histogram_math_load(&b, a, h);
    return histogram_math_store(&b, a, max_empty, h->hint);
}

struct histogram histogram_reduce(struct arena *a, const struct histogram *h, int32_t schema)
{
    struct histogram_body b = {0};

    histogram_math_load(&b, a, h);
    histogram_math_lower(&b, schema);
    return histogram_math_store(&b, a, 0, h->hint);
}
