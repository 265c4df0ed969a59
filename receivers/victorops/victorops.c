/* victorops.c - Splunk On-Call, formerly VictorOps. */
#include "tocsin/receiver.h"

struct victorops_conf {
    struct secret api_key;
    str api_url, routing_key, message_type, state_message, entity_display_name, monitoring_tool;
    struct conf_map custom_fields;
};

static const struct conf_key keys[] = {
    CONF_KEY(struct victorops_conf, api_key, CONF_SECRET, "key of the integration",
             CONF_GLOBAL(victorops_api_key), .flags = CONF_PATH_FIXED),
    CONF_KEY(struct victorops_conf, api_url, CONF_URL, "address of the API",
             CONF_GLOBAL(victorops_api_url), .flags = CONF_SLASH),
    CONF_KEY(struct victorops_conf, routing_key, CONF_TEMPLATE, "who is told",
             .flags = CONF_REQUIRED),
    CONF_KEY(struct victorops_conf, message_type, CONF_TEMPLATE, "INFO, WARNING or CRITICAL",
             .text = "CRITICAL"),
    CONF_KEY(struct victorops_conf, state_message, CONF_TEMPLATE, "text",
             .text = "{{ template \"victorops.default.state_message\" . }}"),
    CONF_KEY(struct victorops_conf, entity_display_name, CONF_TEMPLATE, "title",
             .text = "{{ template \"victorops.default.entity_display_name\" . }}"),
    CONF_KEY(struct victorops_conf, monitoring_tool, CONF_TEMPLATE, "name of the sender",
             .text = "{{ template \"victorops.default.monitoring_tool\" . }}"),
    CONF_KEY(struct victorops_conf, custom_fields, CONF_STRING_MAP, "further fields, templates"),
    CONF_KEYS_END,
};

static void victorops_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    static const char *const fixed[] = {"routing_key",         "message_type",    "state_message",
                                        "entity_display_name", "monitoring_tool", "entity_id",
                                        "entity_state"};
    struct victorops_conf *v = conf;

    (void)view;
    if (!secret_is_set(v->api_key))
        conf_error(c, NULL,
                   "no key: \"api_key\" is missing here and \"victorops_api_key\" in global");
    for (size_t i = 0; i < v->custom_fields.n; i++)
        for (size_t j = 0; j < ARRAY_LEN(fixed); j++)
            if (str_is(v->custom_fields.v[i].name, fixed[j]))
                conf_error(c, "custom_fields", "\"%s\" is a field of its own", fixed[j]);
}

static const struct conf_type victorops_conf_type = {
    .name = "victorops_config",
    .doc = "Splunk On-Call (VictorOps)",
    .keys = keys,
    .size = sizeof(struct victorops_conf),
};

const struct receiver_type victorops_receiver = {
    .name = "victorops",
    .config_key = "victorops_configs",
    .doc = "Splunk On-Call (VictorOps)",
    .conf = &victorops_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .check = victorops_check,
};
