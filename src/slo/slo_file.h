/* slo_file.h - service level objectives as a file says them, one line each.
 *
 *     slos:
 *       - {name: chat, service: llm, objective: 99.5, error: 'requests_total{status="error"}', total: requests_total}
 *
 * What counts is a counter, of which the sum of rates over 5 minutes is taken, or an expression that is events a second
 * itself.
 *
 * Units    an objective in percent.
 * Errors   problems go to diags: those of conf.h; C009 settings that contradict each other; R005, R006 an expression.
 * Owns     everything lives in the arena given.
 * Source   ecosystem.md 6.4.
 */
#ifndef SLO_SLO_FILE_H
#define SLO_SLO_FILE_H

#include "base/diags.h"
#include "tocsin/conf.h"

struct slo {
    str name, service, description;
    double objective; /* above 0, below 100 */
    dur_ns window;
    str good, error; /* one of them is empty */
    str total;
    struct conf_strings by;
    int64_t min_events;
    struct conf_map labels;
    str camel;                     /* the name as a part of an alert's */
    str total_rate, good_or_error; /* PromQL: events a second */
};

struct slo_file {
    CONF_LIST_OF(struct slo) slos;
};

extern const struct conf_type slo_file_type;

/* False when d got an error. */
bool slo_file_parse(str text, str path, struct arena *a, struct slo_file *out,
                    struct diags *d) must_check;

#endif
