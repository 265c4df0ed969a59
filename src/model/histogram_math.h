/* histogram_math.h - sums, differences, means and multiples of histograms.
 *
 *     struct histogram_sum s;
 *
 *     histogram_sum_init(&s, a, &first);
 *     for each other: notes |= histogram_sum_add(&s, &other);
 *     total = histogram_sum_result(&s);
 *
 * Histograms of different layouts meet in what both can express: the lower resolution, the wider zero bucket (widened
 * further until it cuts no populated bucket), the custom bounds that both have. All additions are compensated. What
 * comes out is compact: no empty buckets.
 *
 * Hints: equal stays, any gauge makes a gauge, else unknown wins; differences and negative multiples are gauges.
 *
 * Shapes   any number of terms; a sum keeps three arrays of buckets and grows them in place.
 * Owns     results live in the arena; those of mul and div share spans and bounds with their argument.
 * Cost     O(buckets of the sum and the term) an addition.
 * Source   promql.md 10 (avg), 13.
 */
#ifndef MODEL_HISTOGRAM_MATH_H
#define MODEL_HISTOGRAM_MATH_H

#include "model/histogram_bins.h"

enum histogram_note {
    HISTOGRAM_COLLISION = 1,    /* one of the terms was a reset, another was not */
    HISTOGRAM_RECONCILED = 2,   /* custom bounds differed */
    HISTOGRAM_INCOMPATIBLE = 4, /* exponential and custom: the term was not added */
};

struct histogram_body {
    int32_t schema;
    double zero_threshold;
    struct kahan count, sum, zero;
    struct histogram_bins side[2]; /* negative, positive */
    const double *bounds;
    uint32_t n_bounds;
};

struct histogram_sum {
    struct arena *a;
    struct histogram_body total, term;
    struct histogram_bins spare[2];
    enum histogram_hint hint;
    bool has_reset, has_not_reset;
    double n;            /* terms */
    bool is_incremental; /* total is the mean: the sum would have been infinite */
};

void histogram_sum_init(struct histogram_sum *s, struct arena *a, const struct histogram *first);
unsigned histogram_sum_add(struct histogram_sum *s,
                           const struct histogram *h); /* enum histogram_note */
unsigned histogram_sum_sub(struct histogram_sum *s, const struct histogram *h);
struct histogram histogram_sum_result(const struct histogram_sum *s);

/* The mean, on the same struct: every term by histogram_mean_add(), the first by histogram_sum_init(). */
unsigned histogram_mean_add(struct histogram_sum *s, const struct histogram *h);
struct histogram histogram_mean_result(struct histogram_sum *s);

/* Of two. With HISTOGRAM_INCOMPATIBLE *out is untouched. */
unsigned histogram_add(struct arena *a, const struct histogram *x, const struct histogram *y,
                       struct histogram *out);
unsigned histogram_sub(struct arena *a, const struct histogram *x, const struct histogram *y,
                       struct histogram *out);

struct histogram histogram_mul(struct arena *a, const struct histogram *h, double factor);
/* By 0: no buckets, and totals that are infinite or NaN. */
struct histogram histogram_div(struct arena *a, const struct histogram *h, double divisor);

/* Without empty buckets, but for runs of at most max_empty between populated ones. */
struct histogram histogram_compact(struct arena *a, const struct histogram *h, uint32_t max_empty);
/* To an exponential schema that is not higher than h's. */
struct histogram histogram_reduce(struct arena *a, const struct histogram *h, int32_t schema);

#endif
