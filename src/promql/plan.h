/* plan.h - PromQL fast: the expressions of a rule group, compiled together and evaluated again and again.
 *
 *     struct promql_plan *p = promql_plan_new(storage, &settings);
 *
 *     promql_plan_add(p, expr, text, &number, &e);                   once
 *     promql_plan_begin(p);                                          every interval
 *     promql_plan_instant(p, number, now, &arena, &result, &e);
 *     promql_plan_end(p);
 *
 * Selectors, functions of ranges and of single values, label_replace and label_join, arithmetic, comparisons, joins, set
 * operators, simple aggregations and quantiles of classic histograms become columns: one value a series. Which series forms
 * which group and finds which partner is worked out when the set of series changes, not when values are computed, and equal
 * parts of several expressions are one column. Labels are put together of what is handed over, and kept of nothing. Everything
 * else, and whatever a column cannot say (annotations, errors, histograms in arithmetic), is left to the plain evaluator, which
 * takes the columns' survivors as its operands; so results, errors and annotations are the same.
 *
 * Shapes   up to hundreds of expressions, a million series a selector.
 * Errors   as engine.h.
 * Owns     the plan its columns and selectors. Expressions, texts and store are borrowed until promql_plan_free().
 * Cost     memory: 9 bytes a series and part of an expression, of few series only within a span; tables 4 to 12 more.
 *          promql_plan_add() compiles; the first evaluation after the set of series has changed derives the tables anew.
 * Source   promql.md 16, 17.
 */
#ifndef PROMQL_PLAN_H
#define PROMQL_PLAN_H

#include "promql/engine.h"

struct promql_plan;

struct promql_plan *promql_plan_new(struct storage s, const struct promql_settings *set);
void promql_plan_free(struct promql_plan *p);

/* Outside of begin and end. *number: what to evaluate it by. */
bool promql_plan_add(struct promql_plan *p, const struct promql_expr *x, str text, size_t *number,
                     struct err *e) must_check;

/* Nothing is added for a while: what finds equal parts of those that have been, goes. The next span does so, too. */
void promql_plan_seal(struct promql_plan *p);

/* A span in which the store does not change; what is computed in it is shared by all expressions. */
void promql_plan_begin(struct promql_plan *p);
void promql_plan_end(struct promql_plan *p);

bool promql_plan_instant(struct promql_plan *p, size_t number, ts_ms t, struct arena *a,
                         struct promql_result *out, struct err *e) must_check;
bool promql_plan_range(struct promql_plan *p, size_t number, ts_ms start, ts_ms end, ts_ms step,
                       struct arena *a, struct promql_result *out, struct err *e) must_check;

/* promql_range(), by a plan for this query alone. */
bool promql_planned_range(const struct promql_query *q, ts_ms start, ts_ms end, ts_ms step,
                          struct arena *a, struct promql_result *out, struct err *e) must_check;

#endif
