/* reads.h - from when to when an expression reads samples.
 *
 * Units    ts_ms. What durations that are computed reach nobody knows: then all times.
 * Source   promql.md 7, 8.
 */
#ifndef PROMQL_READS_H
#define PROMQL_READS_H

#include "promql/ast.h"

struct promql_times {
    ts_ms from, to; /* from > to: it reads nothing */
};

/* Evaluated from start to end. lookback 0: the default. */
struct promql_times promql_reads(const struct promql_expr *x, ts_ms start, ts_ms end,
                                 ts_ms lookback);

#endif
