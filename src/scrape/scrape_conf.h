/* scrape_conf.h - a job: targets, how they are asked, and what is made of their samples. Prometheus' scrape_configs.
 *
 * A limit that is 0 is none. What a job does not say it takes from `global` (scrape_conf_inherit()).
 *
 * Owns     everything lives in the arena of the configuration, but for the regexes: scrape_conf_release().
 * Source   rules.md 8; Prometheus 3 config.go.
 */
#ifndef SCRAPE_SCRAPE_CONF_H
#define SCRAPE_SCRAPE_CONF_H

#include "discovery/discovery_conf.h"
#include "model/relabel.h"

struct scrape_limits {
    int64_t body_size, samples, labels, label_name_length, label_value_length, targets;
};

/* What `global` may say for all jobs, and a job for itself. */
struct scrape_common {
    dur_ns interval, timeout; /* 0: not given */
    struct conf_strings protocols;
    struct scrape_limits limits;
    str name_validation, name_escaping;
};

struct scrape_param {
    str name;
    struct conf_strings values;
};

struct scrape_conf {
    str job_name;
    struct scrape_common common;
    str metrics_path, scheme, fallback_protocol;
    CONF_LIST_OF(struct scrape_param) params;
    bool honor_labels, honor_timestamps, enable_compression;
    struct discovery_conf discovery;
    struct relabel_rules relabel_configs, metric_relabel_configs;
    struct http_conf *http;
    struct diag_place place;
};

/* What is filled in for a job that says nothing, by `global` and then by Prometheus' defaults. */
void scrape_conf_inherit(struct scrape_conf *s, const struct scrape_common *global,
                         struct diags *d);
void scrape_conf_release(struct scrape_conf *s);

struct scrape_conf_list {
    struct scrape_conf *v;
    size_t n;
};

bool scrape_decode_list(struct conf_in *in, const struct yaml_node *node, void *member);
void scrape_words_check(struct conf_check *c, const struct scrape_common *s);

/* Rows for the mapping that holds a struct scrape_common. */
#define SCRAPE_COMMON_KEYS(type, member, extra)                                                    \
    CONF_KEY_AS("scrape_interval", type, member.interval, CONF_DURATION, "how often",              \
                .flags = (extra)),                                                                 \
        CONF_KEY_AS("scrape_timeout", type, member.timeout, CONF_DURATION,                         \
                    "limit for one scrape; 10s, or the interval if that is shorter",               \
                    .flags = (extra)),                                                             \
        CONF_KEY_AS("scrape_protocols", type, member.protocols, CONF_STRINGS,                      \
                    "formats to ask for, best first", .flags = (extra)),                           \
        CONF_KEY_AS("body_size_limit", type, member.limits.body_size, CONF_SIZE,                   \
                    "limit for an answer, inflated", .flags = (extra)),                            \
        CONF_KEY_AS("sample_limit", type, member.limits.samples, CONF_INT,                         \
                    "limit for the samples of a scrape", .flags = (extra)),                        \
        CONF_KEY_AS("label_limit", type, member.limits.labels, CONF_INT,                           \
                    "limit for the labels of a sample", .flags = (extra)),                         \
        CONF_KEY_AS("label_name_length_limit", type, member.limits.label_name_length, CONF_INT,    \
                    "limit for a label's name, in bytes", .flags = (extra)),                       \
        CONF_KEY_AS("label_value_length_limit", type, member.limits.label_value_length, CONF_INT,  \
                    "limit for a label's value, in bytes", .flags = (extra)),                      \
        CONF_KEY_AS("target_limit", type, member.limits.targets, CONF_INT,                         \
                    "limit for the targets of a job", .flags = (extra)),                           \
        CONF_KEY_AS("metric_name_validation_scheme", type, member.name_validation, CONF_STRING,    \
                    "utf8 or legacy", .flags = (extra)),                                           \
        CONF_KEY_AS("metric_name_escaping_scheme", type, member.name_escaping, CONF_STRING,        \
                    "allow-utf-8, underscores, dots or values", .flags = (extra))

#endif
