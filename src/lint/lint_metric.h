/* lint_metric.h - what an expression asks of metrics that are known: names that nobody exports, bounds, units and labels that
 * they do not have, functions that are not for their type. Rows as those of lint_expr.c.
 *
 * Errors   R043, R045, R062 to R069 and R073 to R077 of lint/checks.h; none is an error.
 * Owns     nothing.
 * Source   ecosystem.md 5.4.
 */
#ifndef LINT_LINT_METRIC_H
#define LINT_LINT_METRIC_H

#include "lint/lint_expr.h"

struct known_series {
    const struct known_metric *m; /* NULL: not in the catalogue */
    str suffix;                   /* "_bucket" and so on */
};

/* Of a selector, or a range of one. */
struct known_series metric_known_of(const struct lint_expr_check *c, const struct promql_expr *x);
/* The one selector below sums and rates, or NULL. */
const struct promql_expr *metric_summed_below(const struct promql_expr *x);

extern const struct lint_expr_row lint_metric_rows[];
extern const size_t lint_metric_n_rows;

#endif
