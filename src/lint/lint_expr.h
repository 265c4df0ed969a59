/* lint_expr.h - what an expression alone shows: mistakes that Prometheus accepts.
 *
 * One const row a check: id, severity, what it finds. Each looks at the tree of one rule's expression.
 *
 * Errors   R030, R031, R038, R044-R046, R048, R049, R070 of rules.md 9.3, R072; none is an error.
 * Owns     nothing after it returns.
 */
#ifndef LINT_LINT_EXPR_H
#define LINT_LINT_EXPR_H

#include "base/diags.h"
#include "ruler/rule_conf.h"

struct lint_expr_check;

/* All checks, for documentation. */
struct lint_expr_row {
    const char *id;
    enum diag_severity severity;
    bool alerts_only;
    const char *doc;
    void (*run)(struct lint_expr_check *c);
};

/* The rule's expression has been accepted by rule_file_parse(); one that does not parse is passed over. */
void lint_expr(const struct rule_conf *r, struct diags *d);

#endif
