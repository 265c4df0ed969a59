/* lint_template.h - what the texts of an alert show beside its expression.
 *
 * Errors   R010 of lint/checks.h; R050, R051, R059, R084 (warnings).
 * Owns     nothing after it returns.
 */
#ifndef LINT_LINT_TEMPLATE_H
#define LINT_LINT_TEMPLATE_H

#include "base/diags.h"
#include "promql/ast.h"
#include "ruler/rule_conf.h"
#include "ruler/rule_template.h"

/* t keeps what is parsed. x: the rule's expression; NULL: it cannot be read. What is no alert has no templates. */
void lint_template(const struct rule_conf *r, str group, const struct promql_expr *x,
                   struct rule_templates *t, struct arena *a, struct diags *d);

#endif
