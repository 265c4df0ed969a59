/* pushover.c - Pushover. */
#include "tocsin/receiver.h"

struct pushover_conf {
    struct secret user_key, token;
    str title, message, url, url_title, device, sound, priority;
    dur_ns retry, expire, ttl;
    bool html, monospace;
};

static const struct conf_key keys[] = {
    CONF_KEY(struct pushover_conf, user_key, CONF_SECRET, "key of the user or group",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct pushover_conf, token, CONF_SECRET, "token of the application",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct pushover_conf, title, CONF_TEMPLATE, "title",
             .text = "{{ template \"pushover.default.title\" . }}"),
    CONF_KEY(struct pushover_conf, message, CONF_TEMPLATE, "text",
             .text = "{{ template \"pushover.default.message\" . }}"),
    CONF_KEY(struct pushover_conf, url, CONF_TEMPLATE, "link",
             .text = "{{ template \"pushover.default.url\" . }}"),
    CONF_KEY(struct pushover_conf, url_title, CONF_TEMPLATE, "text of the link"),
    CONF_KEY(struct pushover_conf, device, CONF_TEMPLATE, "one device of the user"),
    CONF_KEY(struct pushover_conf, sound, CONF_TEMPLATE, "sound"),
    CONF_KEY(struct pushover_conf, priority, CONF_TEMPLATE, "-2 to 2",
             .text = "{{ if eq .Status \"firing\" }}2{{ else }}0{{ end }}"),
    CONF_KEY(struct pushover_conf, retry, CONF_GO_DURATION, "how often priority 2 is repeated",
             .text = "1m"),
    CONF_KEY(struct pushover_conf, expire, CONF_GO_DURATION, "for how long", .text = "1h"),
    CONF_KEY(struct pushover_conf, ttl, CONF_GO_DURATION,
             "how long the message is kept, 0 = forever"),
    CONF_KEY(struct pushover_conf, html, CONF_BOOL, "the text is HTML"),
    CONF_KEY(struct pushover_conf, monospace, CONF_BOOL, "the text is monospaced"),
    CONF_KEYS_END,
};

static void pushover_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct pushover_conf *p = conf;

    (void)view;
    if (!secret_is_set(p->user_key))
        conf_error(c, NULL, "one of \"user_key\" and \"user_key_file\" is needed");
    if (!secret_is_set(p->token))
        conf_error(c, NULL, "one of \"token\" and \"token_file\" is needed");
    if (p->html && p->monospace)
        conf_error(c, "monospace", "cannot stand beside \"html\"");
}

static const struct conf_type pushover_conf_type = {
    .name = "pushover_config",
    .doc = "Pushover",
    .keys = keys,
    .size = sizeof(struct pushover_conf),
};

const struct receiver_type pushover_receiver = {
    .name = "pushover",
    .config_key = "pushover_configs",
    .doc = "Pushover",
    .conf = &pushover_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .check = pushover_check,
};
