#include "os/zones.h"
#include "config/config_priv.h"

/* -- Alertmanager -- */

static void check_global(struct conf_check *c, void *obj)
{
    struct config_global *all = obj;
    const struct global_conf *g = &all->receivers;
    struct err e = ERR_INIT;
    struct tz *zone;

    scrape_common_check(c, &all->scrape, CONF_GIVEN(global_conf_type, all, scrape.timeout),
                        "\"scrape_interval\"");
    if (secret_is_set(g->slack_api_url) && secret_is_set(g->slack_app_token) &&
        !str_eq(g->slack_api_url.hidden, g->slack_app_url) &&
        !str_is(g->slack_api_url.hidden, "<secret>"))
        conf_error(c, "slack_app_token",
                   "at most one of \"slack_api_url\" and \"slack_app_token\" may be set");
    if (conf_has(c, "smtp_smarthost") && g->smtp_smarthost.n != 0 &&
        !smarthost_is_valid(g->smtp_smarthost))
        conf_error(c, "smtp_smarthost", "host:port expected, not \"%.*s\"", STR(g->smtp_smarthost));
    zone = zone_load(g->timezone, &e);
    if (zone == NULL)
        conf_error(c, "timezone", "%s", e.msg);
    tz_free(zone);
}

static const char *const languages[] = {"en", "zh", NULL};

#define TEXT(member, doc, ...) CONF_KEY(struct global_conf, member, CONF_STRING, doc, ##__VA_ARGS__)
#define SECRET(member, doc)                                                                        \
    CONF_KEY(struct global_conf, member, CONF_SECRET, doc, .flags = CONF_PATH_FIXED)
#define SECRET_URL(member, doc)                                                                    \
    CONF_KEY(struct global_conf, member, CONF_SECRET_URL, doc, .flags = CONF_PATH_FIXED)
#define URL(member, doc, ...) CONF_KEY(struct global_conf, member, CONF_URL, doc, ##__VA_ARGS__)
#define LATER(name, doc)      CONF_KEY_IGNORED(name, 0, doc)

static const struct conf_key keys[] = {
    CONF_KEY(struct global_conf, resolve_timeout, CONF_DURATION,
             "an alert posted without an end is resolved so long after its last post",
             .text = "5m"),
    CONF_KEY(struct global_conf, http_config, CONF_STRUCT_PTR,
             "HTTP client of receivers without their own", .sub = &http_conf_type, .text = "{}"),
    TEXT(smtp_from, "sender of mail"),
    TEXT(smtp_hello, "name to greet mail servers with", .text = "localhost"),
    TEXT(smtp_smarthost, "host:port of the mail server"),
    TEXT(smtp_auth_username, "user at the mail server"),
    SECRET(smtp_auth_password, "password there, for LOGIN and PLAIN"),
    SECRET(smtp_auth_secret, "secret there, for CRAM-MD5"),
    TEXT(smtp_auth_identity, "identity there, for PLAIN"),
    CONF_KEY(struct global_conf, smtp_require_tls, CONF_TRISTATE, "refuse to send mail in clear",
             .text = "true", .flags = CONF_EMPTY_IS_NO),
    CONF_KEY(struct global_conf, smtp_force_implicit_tls, CONF_TRISTATE,
             "TLS from the first byte; unset: iff the port is 465"),
    CONF_KEY(struct global_conf, smtp_tls_config, CONF_STRUCT_PTR, "TLS to the mail server",
             .sub = &smtp_tls_conf_type),
    SECRET_URL(slack_api_url, "Slack webhook"),
    SECRET(slack_app_token, "token of a Slack bot"),
    URL(slack_app_url, "where a Slack bot posts", .text = "https://slack.com/api/chat.postMessage"),
    URL(pagerduty_url, "PagerDuty, Events API v2",
        .text = "https://events.pagerduty.com/v2/enqueue"),
    URL(opsgenie_api_url, "Opsgenie", .text = "https://api.opsgenie.com/", .flags = CONF_SLASH),
    SECRET(opsgenie_api_key, "key for Opsgenie"),
    URL(wechat_api_url, "WeChat Work", .text = "https://qyapi.weixin.qq.com/cgi-bin/",
        .flags = CONF_SLASH),
    SECRET(wechat_api_secret, "secret for WeChat Work"),
    TEXT(wechat_api_corp_id, "company at WeChat Work"),
    URL(victorops_api_url, "Splunk On-Call", .flags = CONF_SLASH,
        .text = "https://alert.victorops.com/integrations/generic/20131114/alert/"),
    SECRET(victorops_api_key, "key for Splunk On-Call"),
    URL(telegram_api_url, "Telegram", .text = "https://api.telegram.org"),
    SECRET(telegram_bot_token, "token of a Telegram bot"),
    URL(webex_api_url, "Webex", .text = "https://webexapis.com/v1/messages"),
    URL(rocketchat_api_url, "Rocket.Chat", .text = "https://open.rocket.chat/"),
    SECRET(rocketchat_token, "token for Rocket.Chat"),
    SECRET(rocketchat_token_id, "id of that token's user"),
    SECRET_URL(mattermost_webhook_url, "Mattermost webhook"),
    URL(jira_api_url, "Jira"),
    /* Prometheus; not printed, because clients read the printed text as Alertmanager's configuration */
    CONF_KEY(struct global_conf, evaluation_interval, CONF_DURATION,
             "interval of rule groups without their own", .text = "1m",
             .flags = CONF_NOT_ZERO | CONF_UNPRINTED),
    CONF_KEY(struct global_conf, rule_query_offset, CONF_DURATION, "how far in the past rules ask",
             .flags = CONF_UNPRINTED),
    CONF_KEY(struct global_conf, external_labels, CONF_LABEL_MAP,
             "labels that every alert of a rule gets", .flags = CONF_UNPRINTED),
    SCRAPE_COMMON_KEYS(struct config_global, scrape, CONF_UNPRINTED),
    /* tocsin */
    CONF_KEY(struct global_conf, language, CONF_WORD, "language of the built-in messages: en or zh",
             .text = "en", .words = languages, .flags = CONF_UNPRINTED),
    CONF_KEY(struct global_conf, timezone, CONF_STRING,
             "zone of the times in messages; UTC, or Asia/Shanghai for zh",
             .flags = CONF_UNPRINTED),
    LATER("scrape_classic_histograms", "also store classic histograms"),
    LATER("scrape_native_histograms", "store native histograms"),
    LATER("always_scrape_classic_histograms", "also store classic histograms"),
    LATER("convert_classic_histograms_to_nhcb", "store classic histograms as native ones"),
    LATER("query_log_file", "log of queries"),
    LATER("scrape_failure_log_file", "log of failed scrapes"),
    LATER("keep_dropped_targets", "how many dropped targets are kept"),
    LATER("extra_scrape_metrics", "more report series"),
    CONF_KEYS_END,
};

const struct conf_type global_conf_type = {
    .name = "global",
    .doc = "Defaults for receivers and rule groups.",
    .keys = keys,
    .size = sizeof(struct config_global),
    .given = CONF_AT(struct config_global, given),
    .check = check_global,
};

bool smarthost_is_valid(str s)
{
    const char *colon = s.n != 0 ? memrchr(s.p, ':', s.n) : NULL;
    uint64_t port;
    str host;

    if (colon == NULL)
        return false;
    host = str_sub(s, 0, (size_t)(colon - s.p));
    if (str_find(host, ':') >= 0 && !(str_starts_with(host, S("[")) && str_ends_with(host, S("]"))))
        return false;
    return str_to_u64(str_sub(s, (size_t)(colon - s.p) + 1, s.n), &port) && port <= 65535;
}
