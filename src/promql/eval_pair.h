/* eval_pair.h - what both forms of a binary operator do with the outcome of a pair. */
#ifndef PROMQL_EVAL_PAIR_H
#define PROMQL_EVAL_PAIR_H

#include "promql/eval.h"
#include "promql/kernel_pair.h"

void promql_note_outcome(struct promql_eval *ev, const struct promql_expr *x,
                         struct promql_operand a, struct promql_operand b,
                         const struct promql_outcome *o);
/* With bool a comparison's outcome becomes 0 or 1. Returns whether there is a result. */
bool promql_apply_bool(const struct promql_expr *x, struct promql_outcome *o);
/* Arithmetic and bool; trims and filters keep the name. */
bool promql_drops_name(const struct promql_expr *x);

#endif
