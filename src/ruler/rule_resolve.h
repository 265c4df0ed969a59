/* rule_resolve.h - the value that an alert ended with: what the left side of its comparison is when the whole is not true.
 *
 *     expr: temperature > 80     at the slot where it returns nothing for gpu="0" any more, `temperature` is asked for:
 *     temperature{gpu="0"} 72    the alert's value is 72, and its annotation value_at_resolve says "72"
 *
 * Only alerts that end are asked for, with one query a rule for all of them. An alert finds its sample by its labels
 * without those that the rule sets. Who finds none, or several, ends without a value; so does everybody when the query
 * is refused.
 *
 * Source   rules.md 12 "the value when it ended".
 */
#ifndef RULER_RULE_RESOLVE_H
#define RULER_RULE_RESOLVE_H

#include "ruler/rule_state.h"

struct promql_expr;

/* The left side of the comparison that the expression is, maybe with `and` or `unless` behind it; where that is a constant,
 * the right one. NULL: it is no comparison. */
const struct promql_expr *rule_resolve_side(const struct promql_expr *x);

/* Gives the alerts that this result ends their values. False: c->queries are to be answered, then this is called again. */
bool rule_resolve(struct rule *r, struct rule_context *c, struct rule_result result);

#endif
