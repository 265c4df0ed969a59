/* wechat.c - WeChat Work. */
#include "tocsin/receiver.h"

struct wechat_conf {
    struct secret api_secret;
    str corp_id, api_url, message, to_user, to_party, to_tag, agent_id, message_type;
};

static const char *const message_types[] = {"text", "markdown", NULL};

static const struct conf_key keys[] = {
    CONF_KEY(struct wechat_conf, api_secret, CONF_SECRET, "secret of the application",
             CONF_GLOBAL(wechat_api_secret), .flags = CONF_PATH_FIXED),
    CONF_KEY(struct wechat_conf, corp_id, CONF_STRING, "id of the company",
             CONF_GLOBAL(wechat_api_corp_id)),
    CONF_KEY(struct wechat_conf, api_url, CONF_URL, "address of the API",
             CONF_GLOBAL(wechat_api_url), .flags = CONF_SLASH),
    CONF_KEY(struct wechat_conf, message, CONF_TEMPLATE, "text",
             .text = "{{ template \"wechat.default.message\" . }}"),
    CONF_KEY(struct wechat_conf, to_user, CONF_TEMPLATE, "users",
             .text = "{{ template \"wechat.default.to_user\" . }}"),
    CONF_KEY(struct wechat_conf, to_party, CONF_TEMPLATE, "departments",
             .text = "{{ template \"wechat.default.to_party\" . }}"),
    CONF_KEY(struct wechat_conf, to_tag, CONF_TEMPLATE, "tags",
             .text = "{{ template \"wechat.default.to_tag\" . }}"),
    CONF_KEY(struct wechat_conf, agent_id, CONF_TEMPLATE, "id of the application",
             .text = "{{ template \"wechat.default.agent_id\" . }}"),
    CONF_KEY(struct wechat_conf, message_type, CONF_WORD, "text or markdown", .text = "text",
             .words = message_types),
    CONF_KEYS_END,
};

static void wechat_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    struct wechat_conf *w = conf;

    (void)view;
    if (!secret_is_set(w->api_secret))
        conf_error(c, NULL,
                   "no secret: \"api_secret\" is missing here and \"wechat_api_secret\" in global");
    if (w->corp_id.n == 0)
        conf_error(c, NULL,
                   "no company: \"corp_id\" is missing here and \"wechat_api_corp_id\" in global");
}

static const struct conf_type wechat_conf_type = {
    .name = "wechat_config",
    .doc = "WeChat Work",
    .keys = keys,
    .size = sizeof(struct wechat_conf),
};

const struct receiver_type wechat_receiver = {
    .name = "wechat",
    .config_key = "wechat_configs",
    .doc = "WeChat Work",
    .conf = &wechat_conf_type,
    .send_resolved_default = false,
    .uses_http = true,
    .check = wechat_check,
};
