/* global.h - what `global:` says, as receivers see it: the defaults that an integration inherits.
 *
 * Owns     all text lives in the arena of the configuration.
 * Source   alertmanager.md 2.3 and the global section of Prometheus.
 */
#ifndef TOCSIN_GLOBAL_H
#define TOCSIN_GLOBAL_H

#include "tocsin/conf.h"

struct http_conf;
struct tls_conf;

struct global_conf {
    /* Alertmanager */
    dur_ns resolve_timeout;
    struct http_conf *http_config; /* never NULL */
    str smtp_from, smtp_hello, smtp_smarthost, smtp_auth_username, smtp_auth_identity;
    struct secret smtp_auth_password, smtp_auth_secret;
    enum conf_tristate smtp_require_tls;        /* never unset */
    enum conf_tristate smtp_force_implicit_tls; /* unset: iff the port is 465 */
    struct tls_conf *smtp_tls_config;           /* NULL = none */
    struct secret slack_api_url, slack_app_token;
    str slack_app_url, pagerduty_url, opsgenie_api_url, wechat_api_url, wechat_api_corp_id,
        victorops_api_url;
    struct secret opsgenie_api_key, wechat_api_secret, victorops_api_key;
    str telegram_api_url, webex_api_url, rocketchat_api_url, jira_api_url;
    struct secret telegram_bot_token, rocketchat_token, rocketchat_token_id, mattermost_webhook_url;
    /* Prometheus */
    dur_ns evaluation_interval, rule_query_offset;
    struct conf_map external_labels;
    /* tocsin */
    /* of messages: "en" or "zh"; a name of the zone database, empty = the language's */
    str language, timezone;
};

/* In a row, of a receiver's keys as a rule: where absent, it is this member of `global`. */
#define CONF_GLOBAL(member) CONF_INHERIT(struct global_conf, member)

/* The mapping of a struct tls_conf whose files are not resolved against the configuration's folder: SMTP. */
extern const struct conf_type smtp_tls_conf_type;

#endif
