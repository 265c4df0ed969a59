/* slo_rules.h - objectives as recording and alerting rules: multi-window burn rates.
 *
 * An objective's counters are read over 5 minutes only, events and errors a second; each longer window is the mean of what
 * was recorded, which weighs by traffic as the counters themselves do, and costs two series. An alert wants the budget to
 * burn too fast over a long window and, so that it ends soon after the fault, over one of a twelfth.
 *
 *     budget 0.5 %, 30d: 2 % of it in 1h is 14.4 times what may burn: error ratio over 1h and 5m above 14.4 * 0.005
 *
 * Source   The Site Reliability Workbook, chapter 5; ecosystem.md 6.4.
 */
#ifndef SLO_SLO_RULES_H
#define SLO_SLO_RULES_H

#include "base/buf.h"
#include "slo/slo_file.h"

/* A rule file: the same objectives give the same text. from: the name of their file. */
void slo_rules_print(struct buf *out, const struct slo_file *f, str from);

#endif
