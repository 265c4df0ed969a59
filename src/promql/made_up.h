/* made_up.h - labels that a result of an expression may have, where it has none: for texts that are shown before anything happens.
 *
 * Owns     text and labels are the arena's.
 */
#ifndef PROMQL_MADE_UP_H
#define PROMQL_MADE_UP_H

#include "promql/ast.h"

/* Those given, what selectors ask for by name and value, and labels that an aggregation keeps, which are the filler. x: NULL is
 * an expression that asks for nothing. */
struct labels promql_made_up_labels(const struct promql_expr *x, struct labels given, str filler,
                                    struct arena *a);

#endif
