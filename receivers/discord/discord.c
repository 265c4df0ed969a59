/* discord.c - Discord webhooks. */
#include "tocsin/receiver.h"

struct discord_conf {
    struct secret webhook_url;
    str content, title, message, username, avatar_url;
};

static const struct conf_key keys[] = {
    CONF_KEY(struct discord_conf, webhook_url, CONF_SECRET_URL, "where to post",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct discord_conf, content, CONF_TEMPLATE, "text above the embed",
             .text = "{{ template \"discord.default.content\" . }}"),
    CONF_KEY(struct discord_conf, title, CONF_TEMPLATE, "title of the embed",
             .text = "{{ template \"discord.default.title\" . }}"),
    CONF_KEY(struct discord_conf, message, CONF_TEMPLATE, "text of the embed",
             .text = "{{ template \"discord.default.message\" . }}"),
    CONF_KEY(struct discord_conf, username, CONF_STRING, "name of the sender"),
    CONF_KEY(struct discord_conf, avatar_url, CONF_STRING, "picture of the sender"),
    CONF_KEYS_END,
};

static void discord_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct discord_conf *d = conf;

    (void)view;
    if (!secret_is_set(d->webhook_url))
        conf_error(c, NULL, "one of \"webhook_url\" and \"webhook_url_file\" is needed");
}

static const struct conf_type discord_conf_type = {
    .name = "discord_config",
    .doc = "Discord",
    .keys = keys,
    .size = sizeof(struct discord_conf),
};

const struct receiver_type discord_receiver = {
    .name = "discord",
    .config_key = "discord_configs",
    .doc = "Discord",
    .conf = &discord_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .check = discord_check,
};
