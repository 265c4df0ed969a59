/* discovery_conf.h - where targets come from: static_configs, file_sd_configs, http_sd_configs, dns_sd_configs.
 *
 * Owns     everything lives in the arena of the configuration.
 * Source   rules.md 8.8.
 */
#ifndef DISCOVERY_DISCOVERY_CONF_H
#define DISCOVERY_DISCOVERY_CONF_H

#include "base/diags.h"
#include "net/http_conf.h"
#include "tocsin/conf.h"

struct static_sd_conf {
    struct conf_strings targets;
    struct conf_map labels;
};

struct file_sd_conf {
    struct conf_strings files; /* patterns with at most one * in the last segment */
    dur_ns refresh_interval;
};

struct http_sd_conf {
    str url;
    dur_ns refresh_interval;
    struct http_conf *http;
};

enum dns_sd_type { DNS_SD_SRV, DNS_SD_A, DNS_SD_AAAA };

struct dns_sd_conf {
    struct conf_strings names;
    str type_name;
    enum dns_sd_type type;
    int64_t port; /* for all but SRV */
    dur_ns refresh_interval;
};

struct discovery_conf {
    CONF_LIST_OF(struct static_sd_conf) statics;
    CONF_LIST_OF(struct file_sd_conf) files;
    CONF_LIST_OF(struct http_sd_conf) https;
    CONF_LIST_OF(struct dns_sd_conf) dns;
    str unknown; /* key of a kind that is not known here; empty: none */
    struct diag_place unknown_place;
};

/* The rows of a section that has all of them; the member is a struct discovery_conf. */
#define DISCOVERY_KEYS(type, member)                                                               \
    CONF_KEY_AS("static_configs", type, member.statics, CONF_LIST, "targets, written down",        \
                .sub = &static_sd_conf_type, .flags = CONF_NO_NULLS),                              \
        CONF_KEY_AS("file_sd_configs", type, member.files, CONF_LIST, "files that list targets",   \
                    .sub = &file_sd_conf_type, .flags = CONF_NO_NULLS),                            \
        CONF_KEY_AS("http_sd_configs", type, member.https, CONF_CUSTOM, "URLs that list targets",  \
                    .decode = discovery_decode_http, .sub = &http_sd_conf_type,                    \
                    .beside = &http_conf_type, .json = CONF_JSON_LIST),                            \
        CONF_KEY_AS("dns_sd_configs", type, member.dns, CONF_LIST, "names that stand for targets", \
                    .sub = &dns_sd_conf_type, .flags = CONF_NO_NULLS)

/* A row of a kind that Prometheus knows and tocsin does not: noted in unknown, for who knows whether it matters. */
#define DISCOVERY_KEY_UNKNOWN(key, type, member)                                                   \
    CONF_KEY_AS(key, type, member, CONF_CUSTOM, "not known here: use http_sd_configs",             \
                .decode = discovery_decode_unknown)

extern const struct conf_type static_sd_conf_type, file_sd_conf_type, dns_sd_conf_type,
    http_sd_conf_type;
bool discovery_decode_http(struct conf_in *in, const struct yaml_node *node, void *member);
bool discovery_decode_unknown(struct conf_in *in, const struct yaml_node *node, void *member);

#endif
