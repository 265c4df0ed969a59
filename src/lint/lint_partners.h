/* lint_partners.h - joins beside real series: whether what is on the one side has a partner on the other.
 *
 *     rate(x[5m]) / sum by (job) (rate(y[5m]))     the left side has instance, the right one has not: no pair
 *
 * Values count for nothing here: from the series that were read it follows which label sets each part of an expression can have.
 *
 * Errors   R041, R081 of lint/checks.h.
 * Owns     nothing after it returns.
 * Cost     n log n in the series of the selectors.
 */
#ifndef LINT_LINT_PARTNERS_H
#define LINT_LINT_PARTNERS_H

#include "lint/lint_expr.h"

void lint_partners(struct lint_expr_check *c);    /* R041: joins */
void lint_lost_labels(struct lint_expr_check *c); /* R081: by (...) and on (...) */

#endif
