/* lint_now.h - rules over the series of an exporter or a Prometheus: what would fire now, which threshold is far from all values,
 * what is there at times only. A Prometheus is asked about its past as well: an expression a comparison, and one a selector that
 * selects nothing now.
 *
 * Errors   R083, R086, R087 of lint/checks.h.
 * Owns     nothing after it returns.
 */
#ifndef LINT_LINT_NOW_H
#define LINT_LINT_NOW_H

#include "lint/lint_expr.h"

void lint_firing(struct lint_expr_check *c);
void lint_far_thresholds(struct lint_expr_check *c);
/* Of a selector that selects nothing now: whether a Prometheus says that it did within a day, and that was reported. */
bool lint_comes_and_goes(struct lint_expr_check *c, const struct promql_expr *x);

#endif
