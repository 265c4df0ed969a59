/* told.h - the router of a test: alerts go in, and what the receivers are told is seen.
 *
 *     told_begin(t)                              the configurations' routes, receivers, inhibition, intervals run on a stage
 *     told_until(w, at)                          its time goes on; alerts and silences of the test come in
 *     told_alerts(w, v, n)                       what rules send
 *     told_compare(w)                            against notification_test
 *     told_end(w)
 *
 * Nothing is sent. A message counts when it would have gone out; what a service would say to it is not known, but for
 * input_outages, where it is out of order.
 *
 * Units    `at` is since the test's start.
 */
#ifndef RULETEST_TOLD_H
#define RULETEST_TOLD_H

#include "model/alert.h"
#include "ruletest/ruletest_priv.h"

struct told;

/* NULL: the test asks for none, or cannot have any; then t->failure says why. */
struct told *told_begin(struct ruletest *t);
void told_until(struct told *w, dur_ns at);
void told_alerts(struct told *w, const struct alert_input *v, size_t n);
void told_compare(struct told *w);
void told_end(struct told *w); /* NULL is fine */
/* How long the test goes on for it; 0: it asks for none. */
dur_ns told_lasts(const struct ruletest_case *c);

#endif
