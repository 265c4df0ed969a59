#include "model/histogram.h"

#include <math.h>
#include "codec/float.h"
#include "model/histogram_walk.h"

/* -- validation -- */

static bool check_side(const struct histogram_side *s, const char *sign, struct err *e)
{
    uint64_t n = 0;
    int64_t index = 0;

    for (uint32_t i = 0; i < s->n_spans; i++) {
        if (i != 0 && s->spans[i].offset < 0)
            return err_set(e, ERR_INVALID, "histogram: %s span %u has the negative offset %d", sign,
                           i + 1, s->spans[i].offset);
        index += s->spans[i].offset + (int64_t)s->spans[i].length;
        n += s->spans[i].length;
        if (index > INT32_MAX || n > s->n)
            break;
    }
    if (index > INT32_MAX)
        return err_set(e, ERR_LIMIT, "histogram: %s bucket index is too large", sign);
    if (n != s->n)
        return err_set(e, ERR_INVALID, "histogram: %s spans and buckets differ in number", sign);
    for (uint32_t i = 0; i < s->n; i++)
        if (s->counts[i] < 0)
            return err_set(e, ERR_INVALID, "histogram: %s bucket %u has a negative count", sign,
                           i + 1);
    return true;
}

static bool check_custom(const struct histogram *h, struct err *e)
{
    struct histogram_cursor high = histogram_cursor_high(&h->positive);

    if (h->zero_count != 0 || h->zero_threshold != 0)
        return err_set(e, ERR_INVALID, "histogram: custom buckets have no zero bucket");
    if (h->negative.n != 0 || h->negative.n_spans != 0)
        return err_set(e, ERR_INVALID, "histogram: custom buckets have no negative side");
    for (uint32_t i = 0; i < h->n_bounds; i++) {
        if (!isfinite(h->bounds[i]))
            return err_set(e, ERR_INVALID, "histogram: custom bounds must be finite");
        if (i != 0 && h->bounds[i] <= h->bounds[i - 1])
            return err_set(e, ERR_INVALID, "histogram: custom bounds must increase");
    }
    if (h->positive.n_spans != 0 && h->positive.spans[0].offset < 0)
        return err_set(e, ERR_INVALID, "histogram: custom buckets start below the first bound");
    if (high.index > (int64_t)h->n_bounds + 1)
        return err_set(e, ERR_INVALID, "histogram: more custom buckets than bounds");
    return true;
}

bool histogram_check(const struct histogram *h, struct err *e)
{
    bool is_custom = histogram_is_custom(h);

    if (!is_custom && (h->schema < HISTOGRAM_SCHEMA_MIN || h->schema > HISTOGRAM_SCHEMA_WIRE_MAX))
        return err_set(e, ERR_INVALID, "histogram: schema %d is not between %d and %d", h->schema,
                       HISTOGRAM_SCHEMA_MIN, HISTOGRAM_SCHEMA_MAX);
    if (!is_custom && h->n_bounds != 0)
        return err_set(e, ERR_INVALID, "histogram: custom bounds in an exponential schema");
    if (h->count < 0 || h->zero_count < 0)
        return err_set(e, ERR_INVALID, "histogram: negative count");
    if (!(h->zero_threshold >= 0))
        return err_set(e, ERR_INVALID, "histogram: the zero bucket's width must not be negative");
    return check_side(&h->positive, "positive", e) && check_side(&h->negative, "negative", e) &&
           (!is_custom || check_custom(h, e));
}

/* -- comparison -- */

static bool same_bits(double a, double b)
{
    /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): bits are what is compared */
    return memcmp(&a, &b, sizeof(a)) == 0;
}

static bool same_side(const struct histogram_side *a, const struct histogram_side *b)
{
    struct histogram_cursor x = histogram_cursor_low(a), y = histogram_cursor_low(b);
    int64_t i, j;
    double p, q;

    if (a->n != b->n)
        return false;
    while (histogram_cursor_up(&x, &i, &p) && histogram_cursor_up(&y, &j, &q))
        if (i != j || !same_bits(p, q))
            return false;
    return true;
}

bool histogram_same_bounds(const struct histogram *a, const struct histogram *b)
{
    if (a->n_bounds != b->n_bounds)
        return false;
    if (a->bounds == b->bounds)
        return true;
    for (uint32_t i = 0; i < a->n_bounds; i++)
        if (a->bounds[i] != b->bounds[i])
            return false;
    return true;
}

bool histogram_eq(const struct histogram *a, const struct histogram *b)
{
    return a->schema == b->schema && a->zero_threshold == b->zero_threshold &&
           same_bits(a->zero_count, b->zero_count) && same_bits(a->count, b->count) &&
           same_bits(a->sum, b->sum) && histogram_same_bounds(a, b) &&
           same_side(&a->positive, &b->positive) && same_side(&a->negative, &b->negative);
}

/* -- copies and text -- */

static void *histogram_copy_array(struct arena *a, const void *p, size_t n, size_t size)
{
    return n != 0 ? memcpy(arena_alloc(a, n * size), p, n * size) : NULL;
}

static struct histogram_side copy_side(struct arena *a, struct histogram_side s)
{
    s.spans = histogram_copy_array(a, s.spans, s.n_spans, sizeof(*s.spans));
    s.counts = histogram_copy_array(a, s.counts, s.n, sizeof(*s.counts));
    return s;
}

struct histogram histogram_copy(struct arena *a, const struct histogram *h)
{
    struct histogram out = *h;

    out.positive = copy_side(a, h->positive);
    out.negative = copy_side(a, h->negative);
    out.bounds = histogram_copy_array(a, h->bounds, h->n_bounds, sizeof(*h->bounds));
    return out;
}

void histogram_print(struct buf *out, const struct histogram *h)
{
    struct histogram_walk w;
    struct histogram_bucket b;

    buf_adds(out, "{count:");
    float_print_g(out, h->count);
    buf_adds(out, ", sum:");
    float_print_g(out, h->sum);
    histogram_walk_up(&w, h);
    while (histogram_walk_next(&w, &b)) {
        if (b.count == 0)
            continue;
        buf_adds(out, ", ");
        buf_addc(out, b.lower_inclusive ? '[' : '(');
        float_print_g(out, b.lower);
        buf_addc(out, ',');
        float_print_g(out, b.upper);
        buf_addc(out, b.upper_inclusive ? ']' : ')');
        buf_addc(out, ':');
        float_print_g(out, b.count);
    }
    buf_addc(out, '}');
}
