/* histogram.h - native histograms as PromQL computes with them: float counts in exponential or custom buckets.
 *
 * A histogram is a value: no function here changes its arguments, results are built in the arena given. Buckets are
 * laid out by spans: the first span's offset is absolute, the others' count from the end of the one before. Bucket i of
 * an exponential schema is (bound(i - 1), bound(i)], of custom bounds (bounds[i - 1], bounds[i]].
 *
 * Beside this file: histogram_walk (buckets one by one), histogram_math (sums, scaling, resolution), histogram_reset,
 * histogram_stats (quantiles and moments), histogram_trim.
 *
 * Shapes   up to a few hundred buckets; schema -4..8 (exponential, base 2^(2^-schema)) or HISTOGRAM_CUSTOM.
 * Errors   ERR_INVALID from validation; everything else takes what validation has let through.
 * Owns     all pointers are borrowed from an arena or a store; a struct histogram is copied freely.
 * Source   promql.md 13.
 */
#ifndef MODEL_HISTOGRAM_H
#define MODEL_HISTOGRAM_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

enum { HISTOGRAM_CUSTOM = -53, HISTOGRAM_SCHEMA_MIN = -4, HISTOGRAM_SCHEMA_MAX = 8 };
enum { HISTOGRAM_SCHEMA_WIRE_MAX = 52 }; /* accepted, to be reduced (histogram_reduce) */

enum histogram_hint {
    HISTOGRAM_UNKNOWN,
    HISTOGRAM_RESET,
    HISTOGRAM_NOT_RESET,
    HISTOGRAM_GAUGE,
};

struct histogram_span {
    int32_t offset;
    uint32_t length;
};

struct histogram_side { /* of one sign */
    const struct histogram_span *spans;
    const double *counts; /* absolute, as many as the spans' lengths add up to */
    uint32_t n_spans, n;
};

struct histogram {
    enum histogram_hint hint;
    int32_t schema;
    double count, sum, zero_threshold, zero_count;
    struct histogram_side positive, negative;
    const double *bounds; /* of HISTOGRAM_CUSTOM: upper bounds, strictly increasing, without +Inf */
    uint32_t n_bounds;
};

static inline bool histogram_is_custom(const struct histogram *h)
{
    return h->schema == HISTOGRAM_CUSTOM;
}

/* What a sample from outside must hold before anything else here may see it. A schema above HISTOGRAM_SCHEMA_MAX passes:
 * the caller reduces it. */
bool histogram_check(const struct histogram *h, struct err *e) must_check;

/* Upper bound of an exponential bucket. The last that a double can express ends at DBL_MAX, all above at +Inf. */
double histogram_exponential_bound(int32_t schema, int64_t index);
/* The same for any histogram; custom buckets start at index 0, the one before it ends at -Inf. */
double histogram_bound(const struct histogram *h, int64_t index);

/* Exactly the same observations in exactly the same buckets, an explicit empty bucket counting as one. Counts compare by
 * their bits; hints and empty spans do not matter. */
bool histogram_eq(const struct histogram *a, const struct histogram *b);
bool histogram_same_bounds(const struct histogram *a, const struct histogram *b); /* custom ones */

struct histogram histogram_copy(struct arena *a, const struct histogram *h); /* deep */

/* {count:3, sum:4, [-2,-1):1, [-0.001,0.001]:1, (0.5,1]:1}, without the empty buckets. */
void histogram_print(struct buf *out, const struct histogram *h);

#endif
