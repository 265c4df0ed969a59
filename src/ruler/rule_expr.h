/* rule_expr.h - the expression of a rule: parsed, its type checked, written canonically.
 *
 * Errors   R005 does not parse (in the metricsql dialect a warning R071: our parser knows PromQL only); R006 gives a
 *          range vector or a string; R014 it cannot be confined to a namespace. The place is inside the YAML file.
 * Owns     nothing is kept but canonical texts, in the arena given.
 */
#ifndef RULER_RULE_EXPR_H
#define RULER_RULE_EXPR_H

#include "model/labels.h"
#include "ruler/rule_conf.h"

/* Sets r->query and r->left. where: "group "g", rule 1, "name"", for messages. scope: a label whose value every selector
 * has to ask for, NULL: none; then r->expr is set, too. */
void rule_expr_check(struct rule_conf *r, enum rule_dialect dialect, const struct label *scope,
                     str where, struct arena *a, struct diags *d);

#endif
