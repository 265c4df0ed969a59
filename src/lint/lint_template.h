/* lint_template.h - what the texts of an alert show beside its expression.
 *
 * Errors   R050, R051, R059 of lint/checks.h (warnings).
 * Owns     nothing after it returns.
 */
#ifndef LINT_LINT_TEMPLATE_H
#define LINT_LINT_TEMPLATE_H

#include "base/diags.h"
#include "ruler/rule_conf.h"

/* The rule is an alert whose templates can be read. */
void lint_template(const struct rule_conf *r, struct diags *d);

#endif
