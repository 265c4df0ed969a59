/* forward_conf.h - Prometheus' `alerting`: relabeling of what our rules send, and the Alertmanagers that get it too.
 *
 * Owns     everything lives in the arena of the configuration, but for the regexes: alerting_conf_release().
 * Source   rules.md 4.1, 4.3; Prometheus 3 config.go.
 */
#ifndef FORWARD_FORWARD_CONF_H
#define FORWARD_FORWARD_CONF_H

#include "discovery/discovery_conf.h"
#include "model/relabel.h"

struct alertmanagers_conf { /* one entry: a set of targets that are reached alike */
    str scheme, path_prefix, api_version;
    dur_ns timeout;
    CONF_LIST_OF(struct static_sd_conf) statics;
    struct relabel_rules relabel_configs;       /* of the targets */
    struct relabel_rules alert_relabel_configs; /* of what they get */
    struct http_conf *http;
};

struct alerting_conf {
    /* of all that our rules send, to our own routes too */
    struct relabel_rules alert_relabel_configs;
    CONF_LIST_OF(struct alertmanagers_conf) alertmanagers;
};

extern const struct conf_type alerting_conf_type;

void alerting_conf_release(struct alerting_conf *c);

#endif
