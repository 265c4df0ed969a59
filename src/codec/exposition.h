/* exposition.h - metrics as text: the Prometheus format 0.0.4 and OpenMetrics 1.0.
 *
 *     expo_init(&x, &out, EXPO_TEXT);
 *     expo_family(&x, S("tocsin_turns_total"), EXPO_COUNTER, S("Turns of the loop."));
 *     expo_u64(&x, NULL, 0, turns);
 *     expo_end(&x);
 *
 * All samples of a family follow its expo_family(). Names are given complete ("_total" for a counter); OpenMetrics'
 * other spelling is this file's business.
 *
 * Shapes   label values are any UTF-8, names are the caller's constants and not checked.
 * Owns     the writer borrows out; expo_family() borrows the name until the next one.
 * Source   Prometheus exposition formats; Go expfmt for the spelling of numbers (1e+06, +Inf).
 */
#ifndef CODEC_EXPOSITION_H
#define CODEC_EXPOSITION_H

#include "base/buf.h"

enum expo_format { EXPO_TEXT, EXPO_OPENMETRICS };
enum expo_type { EXPO_COUNTER, EXPO_GAUGE, EXPO_HISTOGRAM, EXPO_SUMMARY, EXPO_UNTYPED };

struct expo_label {
    str name, value;
};

struct expo {
    struct buf *out;
    enum expo_format format;
    str name;
};

#define EXPO_CONTENT_TYPE_TEXT "text/plain; version=0.0.4; charset=utf-8; escaping=values"
#define EXPO_CONTENT_TYPE_OPENMETRICS                                                              \
    "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=values"

void expo_init(struct expo *x, struct buf *out, enum expo_format format);
void expo_family(struct expo *x, str name, enum expo_type type, str help);
void expo_value(struct expo *x, const struct expo_label *labels, size_t n, double v);
void expo_u64(struct expo *x, const struct expo_label *labels, size_t n, uint64_t v); /* exact */

/* bounds: n upper bounds without +Inf; counts: n + 1, not cumulative. */
void expo_histogram(struct expo *x, const struct expo_label *labels, size_t n_labels,
                    const double *bounds, const uint64_t *counts, size_t n, double sum);
/* A summary without quantiles. */
void expo_summary(struct expo *x, const struct expo_label *labels, size_t n, double sum,
                  uint64_t count);
void expo_end(struct expo *x);

/* -- the spelling of texts -- */

/* Whether a name needs no quotes. Only that of a metric may have colons. */
bool expo_is_bare(str name, bool with_colon);
/* A label's value, or (without quotes) a HELP. */
void expo_escape(struct buf *out, str s, bool quotes);

#endif
