/* msteams.c - Microsoft Teams by Office connectors. */
#include "tocsin/receiver.h"

struct msteams_conf {
    struct secret webhook_url;
    str title, summary, text;
};

static const struct conf_key keys[] = {
    CONF_KEY(struct msteams_conf, webhook_url, CONF_SECRET_URL, "where to post",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct msteams_conf, title, CONF_TEMPLATE, "title",
             .text = "{{ template \"msteams.default.title\" . }}"),
    CONF_KEY(struct msteams_conf, summary, CONF_TEMPLATE, "summary",
             .text = "{{ template \"msteams.default.summary\" . }}"),
    CONF_KEY(struct msteams_conf, text, CONF_TEMPLATE, "text",
             .text = "{{ template \"msteams.default.text\" . }}"),
    CONF_KEYS_END,
};

static void msteams_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct msteams_conf *m = conf;

    (void)view;
    if (!secret_is_set(m->webhook_url))
        conf_error(c, NULL, "one of \"webhook_url\" and \"webhook_url_file\" is needed");
}

static const struct conf_type msteams_conf_type = {
    .name = "msteams_config",
    .doc = "Microsoft Teams (connectors)",
    .keys = keys,
    .size = sizeof(struct msteams_conf),
};

const struct receiver_type msteams_receiver = {
    .name = "msteams",
    .config_key = "msteams_configs",
    .doc = "Microsoft Teams (connectors)",
    .conf = &msteams_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .check = msteams_check,
};
