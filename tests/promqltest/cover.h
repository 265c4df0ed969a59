/* cover.h - what of the language some case has asked: the tables of functions, operators and aggregations, and what else an
 * expression can be made of.
 *
 * Source   promql.md 5, 9-11.
 */
#ifndef TESTS_PROMQLTEST_COVER_H
#define TESTS_PROMQLTEST_COVER_H

#include "promql/promql.h"

/* An expression that a case expects an answer to. */
void cover_mark(struct promql_expr *x);
/* Says what no case asked; returns how many things these are. */
unsigned cover_report(void);

#endif
