/* webex.c - Cisco Webex. */
#include "tocsin/receiver.h"

struct webex_conf {
    str api_url, room_id, message;
};

static const struct conf_key keys[] = {
    CONF_KEY(struct webex_conf, api_url, CONF_URL, "address of the API",
             CONF_GLOBAL(webex_api_url)),
    CONF_KEY(struct webex_conf, room_id, CONF_TEMPLATE, "room", .flags = CONF_REQUIRED),
    CONF_KEY(struct webex_conf, message, CONF_TEMPLATE, "text",
             .text = "{{ template \"webex.default.message\" . }}"),
    CONF_KEYS_END,
};

static void webex_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    (void)conf;
    if (!view->has_http_authorization)
        conf_error(c, "http_config", "needs \"authorization\" with the bot's token");
}

static const struct conf_type webex_conf_type = {
    .name = "webex_config",
    .doc = "Cisco Webex",
    .keys = keys,
    .size = sizeof(struct webex_conf),
};

const struct receiver_type webex_receiver = {
    .name = "webex",
    .config_key = "webex_configs",
    .doc = "Cisco Webex",
    .conf = &webex_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .check = webex_check,
};
