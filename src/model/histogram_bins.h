/* histogram_bins.h - one side of a histogram while it is being computed: its populated buckets, in order of index.
 *
 * Spans suit storage; sums, merges and cuts want to insert and drop buckets. So every operation that changes a layout
 * loads sides into bins and stores them back, which also compacts: bins have no empty buckets. Internal to
 * model/histogram_*.c.
 *
 * Shapes   count.sum is the count, count.c what rounding has lost so far (base/kahan.h).
 * Owns     the arena owns the bins; growing leaves the old array behind there.
 * Cost     O(buckets) each.
 */
#ifndef MODEL_HISTOGRAM_BINS_H
#define MODEL_HISTOGRAM_BINS_H

#include "base/kahan.h"
#include "model/histogram.h"

struct histogram_bin {
    int32_t index;
    struct kahan count;
};

struct histogram_bins {
    struct histogram_bin *v;
    uint32_t n, cap;
};

void bins_reserve(struct histogram_bins *b, struct arena *a, uint32_t cap); /* b gets emptied */
void bins_load(struct histogram_bins *b, struct arena *a, const struct histogram_side *s);
/* With max_empty, runs of at most so many empty buckets between populated ones become explicit. */
struct histogram_side bins_store(const struct histogram_bins *b, struct arena *a,
                                 uint32_t max_empty);

/* a + sign * b into out, which is neither. */
void bins_merge(struct histogram_bins *out, struct arena *arena, const struct histogram_bins *a,
                const struct histogram_bins *b, double sign);
/* To the exponential schema that is lower by shift; to custom bounds that are a subset of from's. */
void bins_coarsen(struct histogram_bins *b, unsigned shift);
void bins_rebound(struct histogram_bins *b, const struct histogram *from, const double *bounds,
                  uint32_t n_bounds);

/* The smallest threshold from the given one on that cuts no bucket. */
double bins_uncut(const struct histogram_bins *b, int32_t schema, double threshold);
/* Takes away the buckets inside of the threshold and returns their counts. */
struct kahan bins_take_zero(struct histogram_bins *b, int32_t schema, double threshold);

#endif
