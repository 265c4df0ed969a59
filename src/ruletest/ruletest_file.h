/* ruletest_file.h - unit tests of rules as files say them: promtool's format, and what goes beyond it.
 *
 * What is ours: the states and values of expected alerts, and where labels are routed.
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

bool ruletest_file_parse(str text, str path, struct arena *a, struct ruletest_file *out,
                         struct diags *d) must_check;

#endif
