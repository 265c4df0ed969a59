/* lint_expr.h - what an expression alone shows: mistakes that Prometheus accepts.
 *
 * One const row a check; what it is called stands in lint/checks.h. Each looks at the tree of one rule's expression. Those
 * that ask the catalogue are in lint/lint_metric.c.
 *
 * Errors   R030 to R080 of lint/checks.h; none is an error.
 * Owns     nothing after it returns.
 */
#ifndef LINT_LINT_EXPR_H
#define LINT_LINT_EXPR_H

#include "base/diags.h"
#include "lint/catalogue.h"
#include "promql/ast.h"
#include "ruler/rule_conf.h"

struct lint_samples;
struct lint_source;

/* What all files together say. */
struct lint_set {
    struct catalogue catalogue;
    struct str_map records;             /* names of recorded series */
    const struct lint_samples *samples; /* what an exporter exports; NULL: nobody has asked */
    const struct lint_source *source;   /* a Prometheus that has them; NULL: none */
};

struct lint_expr_check {
    const struct lint_expr_row *row;
    const struct rule_conf *rule;
    const struct lint_set *set;
    struct promql_expr *root;
    struct diags *d;
    struct arena *a;
    bool found; /* scratch of a check */
};

struct lint_expr_row {
    const char *id;
    bool alerts_only;
    void (*run)(struct lint_expr_check *c);
};

/* x: the rule's expression as written, since places are in it. */
void lint_expr(const struct rule_conf *r, struct promql_expr *x, const struct lint_set *set,
               struct arena *a, struct diags *d);

/* -- for the checks -- */

struct diag *lint_expr_report(struct lint_expr_check *c, const struct promql_expr *x,
                              const char *text);
bool promql_is_call_of(const struct promql_expr *x, const char *name);
bool promql_is_rate(const struct promql_expr *x);                     /* rate, irate, increase */
bool promql_has_label(const struct promql_expr *x, const char *name); /* of an aggregation */
bool promql_is_constant(const struct promql_expr *x, double *v);

#endif
