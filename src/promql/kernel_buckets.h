/* kernel_buckets.h - quantiles and fractions of classic histograms: cumulative counts by upper bound.
 *
 * Shapes   5-50 buckets; the highest must end at +Inf.
 * Errors   none: what has no answer is NaN.
 * Owns     nothing; the buckets given get sorted, merged and levelled in place.
 * Source   promql.md 12.
 */
#ifndef PROMQL_KERNEL_BUCKETS_H
#define PROMQL_KERNEL_BUCKETS_H

#include "base/str.h"

struct promql_bucket {
    double upper, count; /* count: of this bucket and all below */
};

struct promql_buckets {
    struct promql_bucket *v;
    size_t n;
};

/* What had to be levelled, because counts fell from one bucket to the next. */
struct promql_levelled {
    bool any;
    double from, to, most; /* the lowest and highest bucket, the greatest fall */
};

double promql_bucket_quantile(double q, struct promql_buckets *b, struct promql_levelled *levelled);
double promql_bucket_fraction(double lower, double upper, struct promql_buckets *b);

/* a and b differ by less than tolerance, relative to both. */
bool promql_almost_equal(double a, double b, double tolerance);

#endif
