/* histogram_stats.h - what a native histogram knows about its observations.
 *
 * Within a bucket observations are taken as spread evenly: on a logarithmic scale in exponential buckets, on a linear one
 * in custom buckets and the zero bucket.
 *
 * Errors   none: what has no answer is NaN.
 * Source   promql.md 13.
 */
#ifndef MODEL_HISTOGRAM_STATS_H
#define MODEL_HISTOGRAM_STATS_H

#include "model/histogram.h"

/* Observations of NaN are in the count but in no bucket: what that did to an answer. */
enum histogram_nan {
    HISTOGRAM_NAN_NONE,
    HISTOGRAM_NAN_RESULT,   /* the quantile lies among them */
    HISTOGRAM_NAN_SKEW,     /* the quantile is higher than without them */
    HISTOGRAM_NAN_EXCLUDED, /* they are in no fraction */
};

/* Without observations NaN; -Inf below q = 0, +Inf above 1. */
double histogram_quantile(const struct histogram *h, double q, enum histogram_nan *nan);
/* The share of observations between lower and upper. */
double histogram_fraction(const struct histogram *h, double lower, double upper,
                          enum histogram_nan *nan);
double histogram_mean(const struct histogram *h);
double histogram_variance(const struct histogram *h); /* of the population; stddev is its root */

#endif
