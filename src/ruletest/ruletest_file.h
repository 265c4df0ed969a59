/* ruletest_file.h - unit tests of rules as files say them: promtool's format, and what goes beyond it.
 *
 * What is ours: the states and values of expected alerts, where labels are routed, and whom the router tells what and when.
 *
 * Errors   problems go to diags, with the ids of conf.h.
 * Owns     everything lives in the arena given.
 * Source   rules.md 6.3.
 */
#ifndef RULETEST_RULETEST_FILE_H
#define RULETEST_RULETEST_FILE_H

#include "base/diags.h"
#include "codec/yaml.h"
#include "tocsin/conf.h"

struct ruletest_series {
    str series, values;
};

struct ruletest_alert { /* one that is expected */
    struct conf_map labels, annotations;
    str state; /* firing, pending */
    str value; /* empty: any */
};

struct ruletest_alerts {
    dur_ns eval_time;
    str alertname;
    CONF_LIST_OF(struct ruletest_alert) expected;
};

struct ruletest_sample {
    str labels, histogram;
    double value;
};

struct ruletest_expr {
    str expr;
    dur_ns eval_time;
    CONF_LIST_OF(struct ruletest_sample) expected;
};

struct ruletest_route {
    struct conf_map labels;
    struct conf_strings receivers;
};

/* -- of the router: what comes in beside the rules' alerts, and who is told. Times are since the start. -- */

struct ruletest_posted { /* by somebody else */
    struct conf_map labels, annotations;
    dur_ns at, lasts;
};

struct ruletest_silence {
    str matchers;
    dur_ns at, lasts;
};

struct ruletest_outage { /* of services */
    str receiver;
    struct conf_strings integrations; /* none: all of the receiver's */
    dur_ns at, lasts;
};

struct ruletest_told { /* a message that is expected */
    str receiver;
    struct conf_strings integrations; /* "sms", "sms[1]"; none: each of the receiver's sends one */
    dur_ns at, until;                 /* to the second; at <= until */
    str status;                       /* firing, resolved */
    struct conf_strings alerts;       /* names, each once; none: any */
    struct conf_map group_labels;     /* those of the group, or some of them */
    struct conf_strings text;         /* each stands in it */
};

struct ruletest_case {
    str name; /* may be empty */
    dur_ns interval;
    ts_ns start;
    str external_url;
    struct conf_map external_labels;
    CONF_LIST_OF(struct ruletest_series) series;
    CONF_LIST_OF(struct ruletest_alerts) alerts;
    CONF_LIST_OF(struct ruletest_expr) exprs;
    CONF_LIST_OF(struct ruletest_route) routes;
    dur_ns run_for;                              /* the router; 0: up to the last notification */
    CONF_LIST_OF(struct ruletest_posted) posted; /* these two in the order of their times */
    CONF_LIST_OF(struct ruletest_silence) silences;
    CONF_LIST_OF(struct ruletest_outage) outages;
    CONF_LIST_OF(struct ruletest_told) notifications;
    struct diag_place place;
};

struct ruletest_file {
    struct yaml_doc *doc;
    struct conf_strings rule_files,
        config_files; /* of routes; as given, or from the file's folder */
    struct conf_strings group_order;
    dur_ns evaluation_interval;
    bool is_fuzzy;
    CONF_LIST_OF(struct ruletest_case) tests;
};

extern const struct conf_type ruletest_file_type;

bool ruletest_file_parse(str text, str path, struct arena *a, struct ruletest_file *out,
                         struct diags *d) must_check;

#endif
