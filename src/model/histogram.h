/* histogram.h - native histograms as PromQL computes with them: float counts in exponential or custom buckets.
 *
 * A histogram is a value: no function here changes its arguments, results are built in the arena given. Buckets are
 * laid out by spans: the first span's offset is absolute, the others' count from the end of the one before.
 *
 * Shapes   up to a few hundred buckets; schema -4..8 (exponential, base 2^(2^-schema)) or HISTOGRAM_CUSTOM.
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

#endif
