/* compare.h - what came against what was expected.
 *
 * Each function returns true when it fits, else appends what was expected and what came to why.
 *
 * Source   promql.md 2.4.
 */
#ifndef TESTS_PROMQLTEST_COMPARE_H
#define TESTS_PROMQLTEST_COMPARE_H

#include "expect.h"
#include "promql/engine.h"

bool compare_result(const struct expected *x, const struct promql_result *r, struct arena *a,
                    struct buf *why);
/* One step of a range query against the expectation of an instant one; the order does not count. */
bool compare_step(const struct expected *x, const struct promql_result *r, ts_ms t, struct arena *a,
                  struct buf *why);
bool compare_notes(const struct expected *x, const struct promql_result *r, struct buf *why);

#endif
