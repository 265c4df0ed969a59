/* msteamsv2.c - Microsoft Teams by workflows. */
#include "tocsin/receiver.h"

struct msteamsv2_conf {
    struct secret webhook_url;
    str title, text;
};

static const struct conf_key keys[] = {
    CONF_KEY(struct msteamsv2_conf, webhook_url, CONF_SECRET_URL, "where to post",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct msteamsv2_conf, title, CONF_TEMPLATE, "title",
             .text = "{{ template \"msteamsv2.default.title\" . }}"),
    CONF_KEY(struct msteamsv2_conf, text, CONF_TEMPLATE, "text",
             .text = "{{ template \"msteamsv2.default.text\" . }}"),
    CONF_KEYS_END,
};

static void msteamsv2_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct msteamsv2_conf *m = conf;

    (void)view;
    if (!secret_is_set(m->webhook_url))
        conf_error(c, NULL, "one of \"webhook_url\" and \"webhook_url_file\" is needed");
}

static const struct conf_type msteamsv2_conf_type = {
    .name = "msteamsv2_config",
    .doc = "Microsoft Teams (workflows)",
    .keys = keys,
    .size = sizeof(struct msteamsv2_conf),
};

const struct receiver_type msteamsv2_receiver = {
    .name = "msteamsv2",
    .config_key = "msteamsv2_configs",
    .doc = "Microsoft Teams (workflows)",
    .conf = &msteamsv2_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .inherits_proxy = true,
    .check = msteamsv2_check,
};
