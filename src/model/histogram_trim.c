#include "model/histogram_trim.h"

#include <math.h>
#include "model/histogram_math.h"
#include "model/histogram_walk.h"

struct trim {
    const struct histogram *h;
    double at;
    bool is_below; /* keeps what is below at */
    bool has_cut;
    double count, sum; /* of what is kept */
};

/* What is kept of a bucket: how many observations, and the value that stands for each. */
struct histogram_trim_kept {
    double count, value;
};

static double value_between(const struct histogram *h, enum histogram_part part, double lower,
                            double upper)
{
    if (isinf(lower) && isinf(upper))
        return 0;
    if (isinf(lower))
        return upper > 0 ? upper / 2 : upper;
    if (isinf(upper))
        return lower;
    if (histogram_is_custom(h) || part == HISTOGRAM_ZERO)
        return (lower + upper) / 2;
    return copysign(sqrt(fabs(lower * upper)), part == HISTOGRAM_POSITIVE ? 1 : -1);
}

/* A bucket that reaches to infinity says nothing about where in it observations lie. The lowest custom bucket with a
 * positive bound is taken to begin at 0; else it counts as lying at its finite bound, or, if that is cut too, goes. */
static struct histogram_trim_kept cut_infinite(const struct trim *t,
                                               const struct histogram_bucket *b)
{
    double bound = isinf(b->upper) ? b->lower : b->upper;

    if (isinf(b->lower)) {
        if (!isinf(b->upper) && b->upper > 0 && (t->is_below ? t->at > 0 : t->at >= 0))
            return t->is_below
                       ? (struct histogram_trim_kept){b->count * t->at / b->upper, t->at / 2}
                       : (struct histogram_trim_kept){b->count * (1 - t->at / b->upper),
                                                      (t->at + b->upper) / 2};
        if (t->is_below && b->upper <= 0)
            return (struct histogram_trim_kept){b->count, t->at};
    } else if (!t->is_below && t->at >= b->lower)
        return (struct histogram_trim_kept){b->count, t->at};
    return (struct histogram_trim_kept){0, isinf(bound) ? 0 : bound};
}

/* The share of the bucket's observations that lies below at. */
static double share_below(const struct trim *t, enum histogram_part part,
                          const struct histogram_bucket *b)
{
    double lower, upper, at;

    if (histogram_is_custom(t->h) || part == HISTOGRAM_ZERO)
        return (t->at - b->lower) / (b->upper - b->lower);
    lower = log2(fabs(b->lower));
    upper = log2(fabs(b->upper));
    at = log2(fabs(t->at));
    return part == HISTOGRAM_POSITIVE ? (at - lower) / (upper - lower)
                                      : 1 - (at - upper) / (lower - upper);
}

static struct histogram_trim_kept histogram_trim_keep(const struct trim *t,
                                                      enum histogram_part part,
                                                      const struct histogram_bucket *b)
{
    struct histogram_trim_kept whole = {b->count, value_between(t->h, part, b->lower, b->upper)},
                               none = {0, 0};
    double under;

    if (b->lower >= t->at) /* first: a zero bucket without width is not below 0 */
        return t->is_below ? none : whole;
    if (b->upper <= t->at)
        return t->is_below ? whole : none;
    if (isinf(b->lower) || isinf(b->upper))
        return cut_infinite(t, b);
    under = b->count * share_below(t, part, b);
    if (t->is_below)
        return (struct histogram_trim_kept){under, value_between(t->h, part, b->lower, t->at)};
    return (struct histogram_trim_kept){b->count - under,
                                        value_between(t->h, part, t->at, b->upper)};
}

static double trim_bucket(struct trim *t, enum histogram_part part,
                          const struct histogram_bucket *b)
{
    struct histogram_trim_kept k = histogram_trim_keep(t, part, b);

    t->has_cut |= k.count != b->count;
    t->count += k.count;
    t->sum += k.value * k.count;
    return k.count;
}

/* Returns whether the side has observations. */
static bool trim_side(struct trim *t, struct arena *a, enum histogram_part part,
                      struct histogram_side *s)
{
    struct histogram_cursor c = histogram_cursor_low(s);
    double *counts = arena_array(a, s->n, sizeof(*counts)), count;
    bool is_populated = false;
    int64_t index;

    for (uint32_t i = 0; histogram_cursor_up(&c, &index, &count); i++) {
        struct histogram_bucket b = histogram_bucket_at(t->h, part, index, count);

        if (count == 0)
            continue;
        is_populated = true;
        counts[i] = trim_bucket(t, part, &b);
    }
    s->counts = counts;
    return is_populated;
}

static struct histogram histogram_trim_trim(struct arena *a, const struct histogram *h, double at,
                                            bool is_below)
{
    struct trim t = {.h = h, .at = at, .is_below = is_below};
    struct histogram_bucket zero = histogram_zero_bucket(h);
    struct histogram out = *h;
    bool is_positive = trim_side(&t, a, HISTOGRAM_POSITIVE, &out.positive);
    bool is_negative = trim_side(&t, a, HISTOGRAM_NEGATIVE, &out.negative);

    if (h->zero_count > 0) {
        if (is_positive != is_negative) {
            zero.lower = is_positive ? 0 : zero.lower;
            zero.upper = is_positive ? zero.upper : 0;
        }
        out.zero_count = trim_bucket(&t, HISTOGRAM_ZERO, &zero);
    }
    if (!t.has_cut)
        return *h;
    out.count = t.count;
    out.sum = t.sum;
    return histogram_compact(a, &out, 0);
}

struct histogram histogram_below(struct arena *a, const struct histogram *h, double value)
{
    return histogram_trim_trim(a, h, value, true);
}

struct histogram histogram_above(struct arena *a, const struct histogram *h, double value)
{
    return histogram_trim_trim(a, h, value, false);
}
