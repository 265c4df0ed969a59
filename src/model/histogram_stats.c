#include "model/histogram_stats.h"

#include <math.h>
#include "base/kahan.h"
#include "model/histogram_walk.h"

static bool spans_zero(const struct histogram_bucket *b)
{
    return b->lower <= 0 && b->upper >= 0;
}

/* The zero bucket of a histogram with observations on one side only reaches to 0. */
static void halve_zero(const struct histogram *h, struct histogram_bucket *b)
{
    if (h->negative.n == 0 && h->positive.n != 0)
        b->lower = 0;
    else if (h->positive.n == 0 && h->negative.n != 0)
        b->upper = 0;
}

static bool is_linear(const struct histogram *h, const struct histogram_bucket *b)
{
    return histogram_is_custom(h) || spans_zero(b);
}

/* -- quantile -- */

/* The value below which the given share of the bucket's observations lies. */
static double histogram_stats_interpolate(const struct histogram *h,
                                          const struct histogram_bucket *b, double share)
{
    double lower, upper;

    if (is_linear(h, b))
        return b->lower + (b->upper - b->lower) * share;
    lower = log2(fabs(b->lower));
    upper = log2(fabs(b->upper));
    if (b->lower > 0)
        return exp2(lower + (upper - lower) * share);
    return -exp2(upper + (lower - upper) * (1 - share));
}

/* Walks to the bucket that holds the rank; returns the observations up to its end. */
static double walk_to(struct histogram_walk *w, double rank, struct histogram_bucket *b)
{
    double seen = 0;

    *b = (struct histogram_bucket){0};
    while (histogram_walk_next(w, b)) {
        if (b->count == 0)
            continue;
        seen += b->count;
        if (seen >= rank)
            break;
    }
    return seen;
}

static double count_rest(struct histogram_walk *w)
{
    struct histogram_bucket b;
    double n = 0;

    while (histogram_walk_next(w, &b))
        n += b.count;
    return n;
}

/* Custom buckets end at infinity, where nothing can be interpolated: true when *b says the answer, in *value. */
static bool is_at_infinity(struct histogram_bucket *b, double *value)
{
    if (isinf(b->lower) && b->lower < 0) {
        *value = b->upper;
        if (b->upper <= 0)
            return true;
        b->lower = 0;
        return false;
    }
    *value = b->lower;
    return isinf(b->upper);
}

double histogram_quantile(const struct histogram *h, double q, enum histogram_nan *nan)
{
    bool is_up = isnan(h->sum) || q < 0.5; /* those that are NaN count as the highest */
    double rank = (is_up ? q : 1 - q) * h->count, seen, value;
    struct histogram_walk w;
    struct histogram_bucket b;

    *nan = HISTOGRAM_NAN_NONE;
    if (q < 0 || q > 1)
        return q < 0 ? -HUGE_VAL : HUGE_VAL;
    if (h->count == 0 || isnan(q))
        return NAN;
    (is_up ? histogram_walk_up : histogram_walk_down)(&w, h);
    seen = walk_to(&w, rank, &b);
    if (histogram_is_custom(h)) {
        if (is_at_infinity(&b, &value))
            return value;
    } else if (b.lower < 0 && b.upper > 0)
        halve_zero(h, &b);
    seen = fmin(seen, h->count); /* sums of counts need not be exact */
    if (seen < rank) {
        *nan = isnan(h->sum) ? HISTOGRAM_NAN_RESULT : HISTOGRAM_NAN_NONE;
        return isnan(h->sum) ? NAN : b.upper;
    }
    rank = is_up ? rank - (seen - b.count) : seen - rank;
    if (isnan(h->sum) && seen + count_rest(&w) < h->count)
        *nan = HISTOGRAM_NAN_SKEW;
    return histogram_stats_interpolate(h, &b, rank / b.count);
}

/* -- fraction -- */

/* How many observations lie below v, of which the bucket b holds some and `below` are in lower buckets. */
static double rank_in(const struct histogram *h, const struct histogram_bucket *b, double below,
                      double v)
{
    double lower, upper, share;

    if (is_linear(h, b)) {
        if (isinf(b->lower))
            return b->count;
        return below + b->count * (v - b->lower) / (b->upper - b->lower);
    }
    lower = log2(fabs(b->lower));
    upper = log2(fabs(b->upper));
    if (v > 0)
        share = (log2(v) - lower) / (upper - lower);
    else
        share = 1 - (log2(fabs(v)) - upper) / (lower - upper);
    return below + b->count * share;
}

/* How many observations lie below v; *all: those in buckets. */
static double histogram_stats_rank_of(const struct histogram *h, double v, double *all)
{
    double below = 0, rank = NAN;
    struct histogram_walk w;
    struct histogram_bucket b;

    histogram_walk_up(&w, h);
    while (histogram_walk_next(&w, &b)) {
        if (spans_zero(&b))
            halve_zero(h, &b);
        if (isnan(rank) && b.lower >= v)
            rank = below;
        else if (isnan(rank) && b.upper > v)
            rank = rank_in(h, &b, below, v);
        below += b.count;
    }
    *all = isnan(h->sum) ? below : h->count;
    return isnan(rank) || rank > *all ? *all : rank;
}

double histogram_fraction(const struct histogram *h, double lower, double upper,
                          enum histogram_nan *nan)
{
    double all, from, to;

    *nan = HISTOGRAM_NAN_NONE;
    if (h->count == 0 || isnan(lower) || isnan(upper))
        return NAN;
    if (lower >= upper)
        return 0;
    from = histogram_stats_rank_of(h, lower, &all);
    to = histogram_stats_rank_of(h, upper, &all);
    if (all < h->count)
        *nan = HISTOGRAM_NAN_EXCLUDED;
    return (to - from) / h->count;
}

/* -- moments -- */

double histogram_mean(const struct histogram *h)
{
    return h->sum / h->count;
}

static double middle(const struct histogram *h, const struct histogram_bucket *b)
{
    if (histogram_is_custom(h))
        return (b->lower + b->upper) / 2;
    if (spans_zero(b))
        return 0;
    return copysign(sqrt(b->lower * b->upper), b->upper);
}

double histogram_variance(const struct histogram *h)
{
    double mean = histogram_mean(h);
    struct kahan sum = {0, 0};
    struct histogram_walk w;
    struct histogram_bucket b;

    histogram_walk_up(&w, h);
    while (histogram_walk_next(&w, &b)) {
        double delta;

        if (b.count == 0)
            continue;
        delta = middle(h, &b) - mean;
        kahan_add(&sum, b.count * delta * delta);
    }
    return kahan_sum(&sum) / h->count;
}
