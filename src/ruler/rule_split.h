/* rule_split.h - an expression that reads what rules record here and what a source has, taken apart.
 *
 * The largest parts that read nothing of ours are the source's to answer, each as a vector at the rule's instant; the rest is
 * evaluated here, over our own store and these answers:
 *
 *     load:recorded > on (job) sum by (job) (rate(m[5m]))
 *     asked     sum by (job) (rate(m[5m]))
 *     here      load:recorded > on (job) {__part__="0"}
 *
 * Shapes   some parts. What cannot be taken apart: series of a source within a subquery, or a range, that reads ours, too.
 * Errors   those of promql/engine.h; ERR_UNSUPPORTED for an answer with native histograms, or with the same labels twice.
 * Owns     texts live in the arena given.
 * Source   design.md 4 "rules".
 */
#ifndef RULER_RULE_SPLIT_H
#define RULER_RULE_SPLIT_H

#include "model/sample.h"
#include "promql/engine.h"

struct rule_split {
    str here; /* empty: it is not taken apart */
    str *asked;
    size_t n;
};

/* recorded: what rules record, sorted. False: it cannot be. */
bool rule_split_make(str expr, const str *recorded, size_t n, struct arena *a,
                     struct rule_split *out) must_check;

/* What stands here, over own and one answer a part. The answers' text lives as long as a. */
bool rule_split_instant(const struct promql_query *here, const struct samples *answers, size_t n,
                        ts_ms t, struct arena *a, struct promql_result *out,
                        struct err *e) must_check;

#endif
