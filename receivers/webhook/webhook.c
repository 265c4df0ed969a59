/* webhook.c - posts the notification as JSON to any URL. */
#include "tocsin/receiver.h"

struct webhook_conf {
    struct secret url; /* may be a template */
    int64_t max_alerts;
    dur_ns timeout;
    struct conf_value *payload; /* replaces the body; NULL = the standard one */
};

static const struct conf_key keys[] = {
    CONF_KEY(struct webhook_conf, url, CONF_SECRET_URL, "where to post; may be a template",
             .flags = CONF_TEMPLATE_OK | CONF_PATH_FIXED),
    CONF_KEY(struct webhook_conf, max_alerts, CONF_INT, "alerts in a message, 0 = all",
             .flags = CONF_NOT_NEGATIVE | CONF_PRINT_EMPTY),
    CONF_KEY(struct webhook_conf, timeout, CONF_GO_DURATION, "limit for one request, 0 = none",
             .flags = CONF_PRINT_EMPTY),
    CONF_KEY(struct webhook_conf, payload, CONF_VALUE,
             "a body of your own; its strings are templates"),
    CONF_KEYS_END,
};

static void check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct webhook_conf *w = conf;

    (void)view;
    if (!secret_is_set(w->url))
        conf_error(c, NULL, "one of \"url\" and \"url_file\" is needed");
}

static const struct conf_type webhook_conf_type = {
    .name = "webhook_config",
    .doc = "JSON to any URL",
    .keys = keys,
    .size = sizeof(struct webhook_conf),
};

const struct receiver_type webhook_receiver = {
    .name = "webhook",
    .config_key = "webhook_configs",
    .doc = "JSON to any URL",
    .conf = &webhook_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .check = check,
};
