#include "promql/kernel_buckets.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#define SMALL_DELTA 1e-12 /* below it a difference of counts is a rounding error */

bool promql_almost_equal(double a, double b, double tolerance)
{
    double sum, diff;
    uint64_t x, y;
    static const uint64_t stale = UINT64_C(0x7ff0000000000002);

    memcpy(&x, &a, sizeof(x));
    memcpy(&y, &b, sizeof(y));
    if (x == stale || y == stale)
        return x == y;
    if (isnan(a) && isnan(b))
        return true;
    if (a == b)
        return true;
    sum = fabs(a) + fabs(b);
    diff = fabs(a - b);
    if (a == 0 || b == 0 || sum < DBL_MIN)
        return diff < tolerance * DBL_MIN;
    return diff / fmin(sum, DBL_MAX) < tolerance;
}

static int by_upper(const void *a, const void *b)
{
    const struct promql_bucket *x = a, *y = b;

    return (x->upper > y->upper) - (x->upper < y->upper);
}

/* Sorts, and adds up what has the same bound. False: nothing ends at +Inf. */
static bool kernel_buckets_prepare(struct promql_buckets *b)
{
    size_t n = 0;

    qsort(b->v, b->n, sizeof(b->v[0]), by_upper);
    if (b->n == 0 || b->v[b->n - 1].upper != INFINITY)
        return false;
    for (size_t i = 0; i < b->n; i++) {
        if (n != 0 && b->v[n - 1].upper == b->v[i].upper)
            b->v[n - 1].count += b->v[i].count;
        else
            b->v[n++] = b->v[i];
    }
    b->n = n;
    return true;
}

static void level(struct promql_buckets *b, struct promql_levelled *out)
{
    double before = b->v[0].count;

    *out = (struct promql_levelled){.from = INFINITY, .to = -INFINITY};
    for (size_t i = 1; i < b->n; i++) {
        struct promql_bucket *x = &b->v[i];

        if (promql_almost_equal(before, x->count, SMALL_DELTA))
            x->count = before;
        else if (x->count < before) {
            out->any = true;
            out->from = fmin(out->from, x->upper);
            out->to = fmax(out->to, x->upper);
            out->most = fmax(out->most, before - x->count);
            x->count = before;
        } else
            before = x->count;
    }
}

static double kernel_buckets_interpolate(const struct promql_buckets *b, double rank)
{
    double start = 0, count, upper;
    size_t i = 0;

    while (i < b->n - 1 && !(b->v[i].count >= rank))
        i++;
    if (i == b->n - 1)
        return b->v[b->n - 2].upper;
    upper = b->v[i].upper;
    if (i == 0 && upper <= 0)
        return upper;
    count = b->v[i].count;
    if (i != 0) {
        start = b->v[i - 1].upper;
        count -= b->v[i - 1].count;
        rank -= b->v[i - 1].count;
    }
    return start + (upper - start) * (rank / count);
}

double promql_bucket_quantile(double q, struct promql_buckets *b, struct promql_levelled *levelled)
{
    levelled->any = false;
    if (isnan(q))
        return NAN;
    if (q < 0 || q > 1)
        return q < 0 ? -INFINITY : INFINITY;
    if (!kernel_buckets_prepare(b))
        return NAN;
    level(b, levelled);
    if (b->n < 2 || b->v[b->n - 1].count == 0)
        return NAN;
    return kernel_buckets_interpolate(b, q * b->v[b->n - 1].count);
}

/* Observations up to v. A first bucket starts at 0 when its bound is above; what lies in an endless bucket is taken to
 * be at its finite bound. */
static double kernel_buckets_rank_of(const struct promql_buckets *b, double v)
{
    double rank = 0;

    for (size_t i = 0; i < b->n; i++) {
        double upper = b->v[i].upper, count = b->v[i].count;
        double lower = i != 0 ? b->v[i - 1].upper : upper > 0 ? 0 : -INFINITY;

        if (lower >= v)
            return rank;
        if (upper > v)
            return isinf(lower) ? count : rank + (count - rank) * (v - lower) / (upper - lower);
        rank = count;
    }
    return b->v[b->n - 1].count;
}

double promql_bucket_fraction(double lower, double upper, struct promql_buckets *b)
{
    double total;

    if (!kernel_buckets_prepare(b))
        return NAN;
    total = b->v[b->n - 1].count;
    if (total == 0 || isnan(lower) || isnan(upper))
        return NAN;
    if (lower >= upper)
        return 0;
    return (fmin(kernel_buckets_rank_of(b, upper), total) -
            fmin(kernel_buckets_rank_of(b, lower), total)) /
           total;
}
