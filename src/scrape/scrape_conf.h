/* scrape_conf.h - a job: targets, how they are asked, and what is made of their samples. Prometheus' scrape_configs.
 *
 * A limit that is 0 is none. What a job does not say, or as 0, it takes from `global` (CONF_INHERIT).
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
    dur_ns interval, timeout; /* timeout: not longer */
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
    struct conf_given given;
};

void scrape_conf_release(struct scrape_conf *s);

struct scrape_conf_list {
    struct scrape_conf *v;
    size_t n;
};

extern const struct conf_type scrape_conf_type;
/* in->above: the struct scrape_common of `global`. */
bool scrape_decode_list(struct conf_in *in, const struct yaml_node *node, void *member);
/* Of `global` and of a job. interval_of: "scrape_interval" in words, of whom it is. */
void scrape_common_check(struct conf_check *c, struct scrape_common *s, bool has_timeout,
                         const char *interval_of);

/* Rows for the mapping that holds a struct scrape_common; `global` has nothing above. */
#define SCRAPE_COMMON_KEY(key, type, member, its, kind, extra, doc, ...)                           \
    CONF_KEY_AS(key, type, member.its, kind, doc, CONF_INHERIT(struct scrape_common, its),         \
                .flags = (extra) | CONF_EMPTY_IS_NONE, ##__VA_ARGS__)
/* clang-format off: a list of rows */
#define SCRAPE_COMMON_KEYS(type, member, extra)                                                    \
    SCRAPE_COMMON_KEY("scrape_interval", type, member, interval, CONF_DURATION, extra,             \
                      "how often", .text = "1m"),                                                  \
        SCRAPE_COMMON_KEY("scrape_timeout", type, member, timeout, CONF_DURATION, extra,           \
                          "limit for one scrape, or the interval if that is shorter",              \
                          .text = "10s"),                                                          \
        SCRAPE_COMMON_KEY("scrape_protocols", type, member, protocols, CONF_STRINGS, extra,        \
                          "formats to ask for, best first"),                                       \
        SCRAPE_COMMON_KEY("body_size_limit", type, member, limits.body_size, CONF_SIZE, extra,     \
                          "limit for an answer, inflated"),                                        \
        SCRAPE_COMMON_KEY("sample_limit", type, member, limits.samples, CONF_INT, extra,           \
                          "limit for the samples of a scrape"),                                    \
        SCRAPE_COMMON_KEY("label_limit", type, member, limits.labels, CONF_INT, extra,             \
                          "limit for the labels of a sample"),                                     \
        SCRAPE_COMMON_KEY("label_name_length_limit", type, member, limits.label_name_length,       \
                          CONF_INT, extra, "limit for a label's name, in bytes"),                  \
        SCRAPE_COMMON_KEY("label_value_length_limit", type, member, limits.label_value_length,     \
                          CONF_INT, extra, "limit for a label's value, in bytes"),                 \
        SCRAPE_COMMON_KEY("target_limit", type, member, limits.targets, CONF_INT, extra,           \
                          "limit for the targets of a job"),                                       \
        SCRAPE_COMMON_KEY("metric_name_validation_scheme", type, member, name_validation,          \
                          CONF_STRING, extra, "utf8 or legacy"),                                   \
        SCRAPE_COMMON_KEY("metric_name_escaping_scheme", type, member, name_escaping, CONF_STRING, \
                          extra, "allow-utf-8, underscores, dots or values")
/* clang-format on */

#endif
