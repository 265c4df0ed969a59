/* kernel_pair.h - one pair of samples under a binary operator: floats, histograms, or one of each.
 *
 * Source   promql.md 9.
 */
#ifndef PROMQL_KERNEL_PAIR_H
#define PROMQL_KERNEL_PAIR_H

#include "promql/kernel_math.h"
#include "promql/kernel_range.h"

struct promql_operand {
    double v;
    const struct histogram *h; /* NULL: a float */
};

/* What may be said about a pair that has no result, beside the notes of kernel_range.h. */
enum promql_mismatch {
    PROMQL_FITS,
    PROMQL_WRONG_TYPES,   /* the operator does not know this pair of types */
    PROMQL_WRONG_BUCKETS, /* exponential and custom */
};

struct promql_outcome {
    double v;
    const struct histogram *h;
    bool keep;
    enum promql_mismatch mismatch;
    unsigned notes; /* enum promql_note */
};

struct promql_outcome promql_pair(enum promql_op op, struct promql_operand a,
                                  struct promql_operand b, struct arena *arena);

#endif
