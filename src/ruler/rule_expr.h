/* rule_expr.h - the expression of a rule: parsed, its type checked, written canonically.
 *
 * Errors   R005 does not parse (in the metricsql dialect a warning R071: our parser knows PromQL only); R006 gives a
 *          range vector or a string. The place is inside the YAML file.
 * Owns     nothing is kept but canonical texts, in the arena given.
 */
#ifndef RULER_RULE_EXPR_H
#define RULER_RULE_EXPR_H

#include "ruler/rule_conf.h"

/* Sets r->query and r->left. where: "group "g", rule 1, "name"", for messages. */
void rule_expr_check(struct rule_conf *r, enum rule_dialect dialect, str where, struct arena *a,
                     struct diags *d);

#endif
