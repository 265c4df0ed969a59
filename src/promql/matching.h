/* matching.h - which labels make a signature, a group, a joined series: the label side of operators and aggregations.
 *
 * Owns     names and labels live in the arena, their text is shared.
 * Source   promql.md 9, 10.
 */
#ifndef PROMQL_MATCHING_H
#define PROMQL_MATCHING_H

#include "model/labels.h"
#include "promql/ast.h"

struct promql_names {
    str *v; /* sorted */
    size_t n;
    bool are_kept; /* else they are left out */
};

struct labels promql_pick(const struct promql_names *names, struct labels ls, struct arena *a);

/* on(), or ignoring() and __name__. */
struct promql_names promql_signature_names(const struct promql_matching *m, struct arena *a);

/* by(), or without() and __name__. extra: one more name for by(), may be empty. */
struct promql_names promql_group_names(const struct promql_expr *x, str extra, struct arena *a);

/* The labels of x's result for a pair, from those of the many side, with what group_x lists from the one side. */
struct labels promql_join_labels(const struct promql_expr *x, bool delayed_names,
                                 struct labels many, struct labels one, struct arena *a);

#endif
