/* rule_expr.h - the expression of a rule: parsed, its type checked, written canonically.
 *
 * Errors   R005 does not parse (in the metricsql dialect a warning R071: our parser knows PromQL only); R006 gives a
 *          range vector or a string; R014 it cannot be confined to a namespace. The place is inside the YAML file.
 * Owns     nothing is kept by rule_expr_check() but canonical texts, in the arena given.
 */
#ifndef RULER_RULE_EXPR_H
#define RULER_RULE_EXPR_H

#include "model/labels.h"
#include "promql/promql.h"
#include "ruler/rule_conf.h"

/* R005, R006 and R071 alone: the tree, in a, for the caller to promql_release(); NULL: it does not parse. group: its name, for
 * messages. */
struct promql_expr *rule_expr_parse(const struct rule_conf *r, enum rule_dialect dialect, str group,
                                    struct arena *a, struct diags *d);
/* Sets r->query and r->left. scope: a label whose value every selector has to ask for, NULL: none; then r->expr is set, too. */
void rule_expr_check(struct rule_conf *r, enum rule_dialect dialect, const struct label *scope,
                     str group, struct arena *a, struct diags *d);

#endif
