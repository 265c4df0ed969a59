/* exposition.h - metrics as text: the Prometheus formats 0.0.4 and 1.0.0 and OpenMetrics 1.0, as Accept asks.
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
 * Source   Prometheus exposition formats; Go expfmt for the spelling of numbers (1e+06, +Inf) and for what Accept means;
 *          rules.md 8.4 for the escaping of names. A colon in a label's name is escaped, too: no reader takes it bare.
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
/* The name of a metric, as HELP and TYPE have it: in quotes when it needs them. */
void expo_put_name(struct buf *out, str name, const char *suffix);
/* A sample's name, and the brace behind or before it. The result is for expo_put_label(): whether a comma is next. */
bool expo_open_series(struct buf *out, str name, const char *suffix);
void expo_put_label(struct buf *out, bool *any, str name, str value);

/* -- names for who cannot read all of them -- */

enum expo_escaping { EXPO_UNDERSCORES, EXPO_DOTS, EXPO_VALUES, EXPO_UTF8 };

/* A name that needs no quotes stays as it is, another is made one that needs none; EXPO_UTF8: none is. */
void expo_escape_name(struct buf *out, str name, bool with_colon, enum expo_escaping how);

/* What an Accept asks for. */
struct expo_wish {
    enum expo_format format;
    enum expo_escaping escaping;
    const char *version;
};

/* Never fails: text 0.0.4 with underscores for who asks for nothing that there is. */
struct expo_wish expo_negotiate(str accept, bool with_openmetrics);
void expo_put_content_type(struct buf *out, const struct expo_wish *w);

#endif
