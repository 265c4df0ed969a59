/* lint_expr.h - what an expression alone shows: mistakes that Prometheus accepts.
 *
 * One const row a check; what it is called stands in lint/checks.h. Each looks at the tree of one rule's expression.
 *
 * Errors   R030 to R072 of lint/checks.h; none is an error.
 * Owns     nothing after it returns.
 */
#ifndef LINT_LINT_EXPR_H
#define LINT_LINT_EXPR_H

#include "base/diags.h"
#include "ruler/rule_conf.h"

struct lint_expr_check;

struct lint_expr_row {
    const char *id;
    bool alerts_only;
    void (*run)(struct lint_expr_check *c);
};

/* The rule's expression has been accepted by rule_file_parse(); one that does not parse is passed over. */
void lint_expr(const struct rule_conf *r, struct diags *d);

#endif
