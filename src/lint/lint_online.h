/* lint_online.h - rules beside what an exporter really exports: names, labels and values that are not there, joins
 * without partners, types; and whether that text itself makes sense.
 *
 * Errors   M001 to M003, R041, R043, R080 to R082, R085 of lint/checks.h; M001 is an error.
 * Owns     the samples own all of their text; what a check reports is the diags'.
 */
#ifndef LINT_LINT_ONLINE_H
#define LINT_LINT_ONLINE_H

#include "base/time.h"
#include "lint/lint.h"
#include "lint/lint_expr.h"
#include "model/labels.h"

/* from: the file or the URL, for messages. again: the same read a second time, or empty: counters must not have fallen. */
struct lint_samples *lint_samples_read(str from, str text, str again, ts_ms now, struct diags *d);
void lint_samples_free(struct lint_samples *s); /* NULL is fine */

struct online_series {
    struct labels labels;
    double value;
    int line;
};

struct online_name {
    struct online_series *v;
    size_t n;
};

/* The series of a name; NULL: there is none. */
const struct online_name *lint_samples_find(const struct lint_samples *s, str name);
/* Whether job and instance are among the labels: a Prometheus was asked, not an exporter. */
bool lint_samples_have_targets(const struct lint_samples *s);
str lint_samples_from(const struct lint_samples *s);
/* What an expression gives over the series as they are. False: no vector. */
bool lint_samples_ask(const struct lint_samples *s, const struct promql_expr *x, str text,
                      struct arena *a, struct lint_answer *out);
/* Whether a scrape, a rule or Prometheus itself makes the series of this name. */
bool lint_is_made_elsewhere(const struct lint_expr_check *c, str name);

extern const struct lint_expr_row lint_online_rows[]; /* asked only where the set has samples */
extern const size_t lint_online_n_rows;

#endif
