/* catalogue.h - what exporters export: names, types, units, labels and bounds, from src/lint/catalogue.txt.
 *
 *     const struct known_metric *m = catalogue_find(c, S("vllm:e2e_request_latency_seconds_bucket"), &suffix);
 *     m->type == METRIC_HISTOGRAM, m->unit is "seconds", suffix is "_bucket"
 *
 * What is said of a name that is not in it is certain only for prefixes that are listed in full ("all"); of others a name is
 * told that is one slip of the pen away from one that is listed ("near"), and nothing else.
 *
 * Shapes   a thousand metrics.
 * Owns     the catalogue is the arena's but for its table: catalogue_release(). Texts are the program's.
 * Cost     reading it 0.3 ms; finding a name two or three look-ups.
 * Source   ecosystem.md 5.1; the exporters named in the file.
 */
#ifndef LINT_CATALOGUE_H
#define LINT_CATALOGUE_H

#include "base/arena.h"
#include "base/map.h"

enum metric_type { METRIC_ANY, METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_SUMMARY };

struct known_metric {
    str name, source;
    enum metric_type type;
    str unit; /* empty: a number, or not known */
    bool knows_labels;
    str *labels; /* its own */
    size_t n_labels;
    double *bounds; /* of a histogram, but for +Inf; n_bounds 0: not known */
    size_t n_bounds;
    bool is_off; /* not exported unless enabled */
    str enable;  /* how */
    str now;     /* its name by now; empty: this one */
    str sparse; /* of a counter born with its first event: what to ask instead; empty: it is there before */
};

struct catalogue {
    struct str_map names; /* struct known_metric * */
    struct catalogue_prefix *prefixes;
    size_t n_prefixes;
};

void catalogue_read(struct catalogue *c, struct arena *a);
void catalogue_release(struct catalogue *c);

/* *suffix: "_bucket", "_sum", "_count" or "_created" where the metric has such series; else empty. NULL: it is not listed. */
const struct known_metric *catalogue_find(const struct catalogue *c, str name, str *suffix);

/* Whether nobody exports a series of this name: *near is the name that may be meant, with its suffix, or empty; *source
 * whose prefix it is. */
bool catalogue_denies(const struct catalogue *c, str name, struct arena *a, str *near, str *source);

bool catalogue_is_slip(str a, str b); /* one edit apart, or apart in case or underscores alone */

#endif
