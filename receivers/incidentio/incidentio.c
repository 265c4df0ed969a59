/* incidentio.c - incident.io alert sources. */
#include "tocsin/receiver.h"

struct incidentio_conf {
    struct secret url, alert_source_token;
    int64_t max_alerts;
    dur_ns timeout;
};

static const struct conf_key keys[] = {
    CONF_KEY(struct incidentio_conf, url, CONF_SECRET_URL, "address of the alert source",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct incidentio_conf, alert_source_token, CONF_SECRET, "its token",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct incidentio_conf, max_alerts, CONF_INT, "alerts in a message, 0 = all",
             .flags = CONF_NOT_NEGATIVE),
    CONF_KEY(struct incidentio_conf, timeout, CONF_GO_DURATION, "limit for one request, 0 = none"),
    CONF_KEYS_END,
};

static void incidentio_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct incidentio_conf *i = conf;

    if (!secret_is_set(i->url))
        conf_error(c, NULL, "one of \"url\" and \"url_file\" is needed");
    if (!view->has_http_config)
        return;
    if (secret_is_set(i->alert_source_token) && view->has_http_authorization)
        conf_error(c, "alert_source_token",
                   "cannot stand beside the authorization of \"http_config\"");
    if (!secret_is_set(i->alert_source_token) && !view->has_http_authorization)
        conf_error(c, NULL,
                   "\"alert_source_token\" or an authorization in \"http_config\" is needed");
}

static const struct conf_type incidentio_conf_type = {
    .name = "incidentio_config",
    .doc = "incident.io",
    .keys = keys,
    .size = sizeof(struct incidentio_conf),
};

const struct receiver_type incidentio_receiver = {
    .name = "incidentio",
    .config_key = "incidentio_configs",
    .doc = "incident.io",
    .conf = &incidentio_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .check = incidentio_check,
};
