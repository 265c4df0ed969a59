/* series_histogram.h - histograms of series notation as histograms to compute with.
 *
 * Errors   ERR_INVALID for what no histogram can be, or cannot be added up.
 * Owns     everything lives in the arena.
 * Cost     {{a}}+{{b}}xN: one addition a value when the values are asked for in turn.
 * Source   promql.md 2.3.
 */
#ifndef PROMQL_SERIES_HISTOGRAM_H
#define PROMQL_SERIES_HISTOGRAM_H

#include "model/histogram.h"
#include "promql/series.h"

/* The value in front of the one asked for, as it was answered; v is NULL in front of the first. */
struct series_before {
    const struct series_value *v;
    struct histogram h;
};

/* v: a SERIES_HISTOGRAM. *before becomes v. */
bool series_to_histogram(const struct series_value *v, struct series_before *before,
                         struct arena *a, struct histogram *out, struct err *e) must_check;

#endif
