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

extern const struct lint_expr_row lint_metric_rows[];
extern const size_t lint_metric_n_rows;

#endif
