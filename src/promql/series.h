/* series.h - series as tests write them: labels, then values.
 *
 *     http_requests_total{job="api"} 0+10x3 _ stale {{schema:1 count:3 sum:4 buckets:[1 2]}}x2
 *
 * Used by .test files, rule unit tests and fixtures.
 *
 * Shapes   at most 1,000,000 values a line, after repetition.
 * Errors   ERR_INVALID with the place in e->line, e->col; ERR_LIMIT.
 * Owns     everything lives in the arena given.
 * Source   promql.md 2.3.
 */
#ifndef PROMQL_SERIES_H
#define PROMQL_SERIES_H

#include "base/arena.h"
#include "base/err.h"
#include "tocsin/labels.h"

enum series_hint {
    SERIES_HINT_NONE,
    SERIES_HINT_UNKNOWN,
    SERIES_HINT_RESET,
    SERIES_HINT_NOT_RESET,
    SERIES_HINT_GAUGE
};

struct series_numbers {
    double *v;
    size_t n;
};

/* A native histogram as written. What is not given is zero. */
struct series_histogram {
    int schema, offset, n_offset;
    double count, sum, zero_count, zero_threshold;
    struct series_numbers buckets, n_buckets, custom_values;
    enum series_hint hint; /* NONE: not written, so not compared */
};

enum series_value_kind { SERIES_FLOAT, SERIES_OMITTED, SERIES_STALE, SERIES_HISTOGRAM };

/* A histogram's value is base, to which step has been added (sign 1) or taken away (sign -1) times over. */
struct series_value {
    enum series_value_kind kind;
    double v;
    const struct series_histogram *base, *step; /* step: NULL without one */
    int sign;
    unsigned times;
};

struct series_line {
    struct labels labels; /* with __name__ */
    struct series_value *values;
    size_t n;
};

bool series_parse(str line, struct arena *a, struct series_line *out, struct err *e) must_check;
/* The two halves, for formats that keep them apart. */
bool series_parse_labels(str text, struct arena *a, struct labels *out, struct err *e) must_check;
bool series_parse_values(str text, struct arena *a, struct series_value **out, size_t *n,
                         struct err *e) must_check;

#endif
