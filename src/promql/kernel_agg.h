/* kernel_agg.h - accumulators of aggregations: one a group, fed with the samples of its series in order.
 *
 *     struct promql_acc acc = {0};
 *
 *     for each member: notes |= promql_acc_add(op, &acc, v, h, a);
 *     if (promql_acc_result(op, &acc, a, &value)) ...
 *
 * Shapes   sum, avg, count, min, max, group, stddev, stdvar. The others keep more than an accumulator of their members.
 * Owns     sums of histograms live in the arena.
 * Cost     O(1) a float.
 * Source   promql.md 10, 15.
 */
#ifndef PROMQL_KERNEL_AGG_H
#define PROMQL_KERNEL_AGG_H

#include "promql/functions.h"
#include "promql/kernel_range.h"
#include "promql/kernel_sums.h"

struct histogram_sum;

struct promql_acc {
    struct promql_mean mean; /* of sum: only k; of moments: k.sum is the mean, n the count */
    double v;                /* min, max; of moments: sum of squared differences */
    struct histogram_sum *histograms;
    bool has_float, has_histogram, is_broken;
};

/* What a sample has done to its group, beside enum promql_note. */
enum { PROMQL_ACC_IGNORED = 1 << 30 }; /* the aggregation does not know histograms */

unsigned promql_acc_add(enum promql_agg op, struct promql_acc *acc, double v,
                        const struct histogram *h, struct arena *a);
/* False: the group has no result. */
bool promql_acc_result(enum promql_agg op, const struct promql_acc *acc, struct arena *a,
                       struct promql_value *out);

/* -- the k greatest or least: a heap whose top is the first to go -- */

struct promql_ranked {
    double v;
    uint32_t i; /* whose value it is */
};

struct promql_top {
    struct promql_ranked *v;
    size_t n, cap, k;
    bool is_bottom;
};

void promql_top_add(struct promql_top *t, double v, uint32_t i, struct arena *a);
void promql_top_sort(struct promql_top *t); /* best first; nothing may be added after */

/* Whether limit_ratio(ratio, ...) keeps the series. */
bool promql_ratio_keeps(double ratio, struct labels ls);

#endif
