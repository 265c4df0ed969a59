/* metric.h - what is counted, as const rows and plain numbers.
 *
 * A metric is one row of a const table (struct metric): the exposition, the docs and the dashboards' test read that row. Its
 * value is an integer or a struct metric_histogram in whoever counts. The loop owns all of them, so nothing here is atomic.
 *
 * Shapes   names and help are static text.
 * Units    as the name says: _seconds, _bytes, _total.
 * Owns     a histogram owns its counts and borrows its bounds, which are static.
 * Cost     observe: one short scan.
 */
#ifndef MODEL_METRIC_H
#define MODEL_METRIC_H

#include "base/str.h"
#include "codec/exposition.h"

struct metric {
    const char *name; /* complete: a counter's with _total */
    enum expo_type type;
    const char *help;
};

struct metric_histogram {
    const double *bounds; /* upper, ascending, without +Inf */
    size_t n;
    uint64_t *counts; /* n + 1, not cumulative */
    uint64_t count;
    double sum;
};

void metric_histogram_init(struct metric_histogram *h, const double *bounds, size_t n);
void metric_histogram_release(struct metric_histogram *h);
void metric_histogram_observe(struct metric_histogram *h, double v);

/* -- writing, by the row -- */

void metric_begin(struct expo *x, const struct metric *m);
void metric_put(struct expo *x, const struct metric *m, double v); /* one series, no labels */
void metric_put_histogram(struct expo *x, const struct expo_label *labels, size_t n,
                          const struct metric_histogram *h);

extern const double metric_seconds_bounds[11]; /* Prometheus' default: 5 ms to 10 s */

#endif
