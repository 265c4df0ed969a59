/* lint_unit.h - thresholds beside what they are compared with: seconds with milliseconds, a share with percent.
 *
 * Errors   R069 of lint/checks.h.
 * Owns     nothing.
 * Source   ecosystem.md 5.4.
 */
#ifndef LINT_LINT_UNIT_H
#define LINT_LINT_UNIT_H

#include "lint/lint_expr.h"

void lint_units(struct lint_expr_check *c);

#endif
