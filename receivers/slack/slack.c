/* slack.c - Slack, by incoming webhook or by bot token. */
#include "tocsin/receiver.h"

struct slack_confirm {
    str text, title, ok_text, dismiss_text;
};

struct slack_action {
    str type, text, url, style, name, value;
    struct slack_confirm *confirm;
};

struct slack_field {
    str title, value;
    enum conf_tristate is_short;
};

struct slack_conf {
    struct secret api_url, app_token;
    str app_url, channel, username, color, title, title_link, pretext, text, message_text, footer,
        fallback, callback_id, icon_emoji, icon_url, image_url, thumb_url;
    CONF_LIST_OF(struct slack_field) fields;
    CONF_LIST_OF(struct slack_action) actions;
    bool short_fields, link_names, update_message;
    struct conf_strings mrkdwn_in;
    dur_ns timeout;
    bool by_token; /* the address is app_url, the token authorizes */
};

static const struct conf_key confirm_keys[] = {
    CONF_KEY(struct slack_confirm, text, CONF_TEMPLATE, "question", .flags = CONF_REQUIRED),
    CONF_KEY(struct slack_confirm, title, CONF_TEMPLATE, "title"),
    CONF_KEY(struct slack_confirm, ok_text, CONF_TEMPLATE, "yes"),
    CONF_KEY(struct slack_confirm, dismiss_text, CONF_TEMPLATE, "no"),
    CONF_KEYS_END,
};
static const struct conf_type confirm_type = {
    .name = "slack_confirm", .keys = confirm_keys, .size = sizeof(struct slack_confirm)};

static void check_action(struct conf_check *c, void *obj)
{
    struct slack_action *a = obj;

    if (a->url.n == 0 && a->name.n == 0)
        conf_error(c, NULL, "an action needs \"url\" or \"name\"");
    if (a->url.n != 0) {
        a->name = a->value = STR_NONE;
        a->confirm = NULL;
    }
}

static const struct conf_key action_keys[] = {
    CONF_KEY(struct slack_action, type, CONF_TEMPLATE, "button", .flags = CONF_REQUIRED),
    CONF_KEY(struct slack_action, text, CONF_TEMPLATE, "text on it", .flags = CONF_REQUIRED),
    CONF_KEY(struct slack_action, url, CONF_TEMPLATE, "where it leads"),
    CONF_KEY(struct slack_action, style, CONF_TEMPLATE, "default, primary or danger"),
    CONF_KEY(struct slack_action, name, CONF_TEMPLATE, "name of the value"),
    CONF_KEY(struct slack_action, value, CONF_TEMPLATE, "value"),
    CONF_KEY(struct slack_action, confirm, CONF_STRUCT_PTR, "ask before", .sub = &confirm_type),
    CONF_KEYS_END,
};
static const struct conf_type action_type = {.name = "slack_action",
                                             .keys = action_keys,
                                             .size = sizeof(struct slack_action),
                                             .check = check_action};

static const struct conf_key field_keys[] = {
    CONF_KEY(struct slack_field, title, CONF_TEMPLATE, "title", .flags = CONF_REQUIRED),
    CONF_KEY(struct slack_field, value, CONF_TEMPLATE, "value", .flags = CONF_REQUIRED),
    CONF_KEY_AS("short", struct slack_field, is_short, CONF_TRISTATE,
                "two a line; short_fields when not given"),
    CONF_KEYS_END,
};
static const struct conf_type field_type = {
    .name = "slack_field", .keys = field_keys, .size = sizeof(struct slack_field)};

static const struct conf_key keys[] = {
    CONF_KEY(struct slack_conf, api_url, CONF_SECRET_URL, "address of an incoming webhook",
             .flags = CONF_INHERIT | CONF_PATH_FIXED),
    CONF_KEY(struct slack_conf, app_token, CONF_SECRET, "token of a bot",
             .flags = CONF_INHERIT | CONF_PATH_FIXED),
    CONF_KEY(struct slack_conf, app_url, CONF_URL, "where a bot posts", .flags = CONF_INHERIT),
    CONF_KEY(struct slack_conf, channel, CONF_TEMPLATE, "channel or user"),
    CONF_KEY(struct slack_conf, username, CONF_TEMPLATE, "name of the sender",
             .text = "{{ template \"slack.default.username\" . }}"),
    CONF_KEY(struct slack_conf, color, CONF_TEMPLATE, "colour of the bar",
             .text = "{{ template \"slack.default.color\" . }}"),
    CONF_KEY(struct slack_conf, title, CONF_TEMPLATE, "title",
             .text = "{{ template \"slack.default.title\" . }}"),
    CONF_KEY(struct slack_conf, title_link, CONF_TEMPLATE, "where the title leads",
             .text = "{{ template \"slack.default.titlelink\" . }}"),
    CONF_KEY(struct slack_conf, pretext, CONF_TEMPLATE, "text above",
             .text = "{{ template \"slack.default.pretext\" . }}"),
    CONF_KEY(struct slack_conf, text, CONF_TEMPLATE, "text",
             .text = "{{ template \"slack.default.text\" . }}"),
    CONF_KEY(struct slack_conf, message_text, CONF_TEMPLATE, "text of the message itself"),
    CONF_KEY(struct slack_conf, fields, CONF_LIST, "fields", .sub = &field_type,
             .flags = CONF_NO_NULLS),
    CONF_KEY(struct slack_conf, short_fields, CONF_BOOL, "two fields a line",
             .flags = CONF_PRINT_EMPTY),
    CONF_KEY(struct slack_conf, footer, CONF_TEMPLATE, "footer",
             .text = "{{ template \"slack.default.footer\" . }}"),
    CONF_KEY(struct slack_conf, fallback, CONF_TEMPLATE, "plain text of it all",
             .text = "{{ template \"slack.default.fallback\" . }}"),
    CONF_KEY(struct slack_conf, callback_id, CONF_TEMPLATE, "id for callbacks",
             .text = "{{ template \"slack.default.callbackid\" . }}"),
    CONF_KEY(struct slack_conf, icon_emoji, CONF_TEMPLATE, "emoji as icon",
             .text = "{{ template \"slack.default.iconemoji\" . }}"),
    CONF_KEY(struct slack_conf, icon_url, CONF_TEMPLATE, "icon",
             .text = "{{ template \"slack.default.iconurl\" . }}"),
    CONF_KEY(struct slack_conf, image_url, CONF_TEMPLATE, "image"),
    CONF_KEY(struct slack_conf, thumb_url, CONF_TEMPLATE, "small image"),
    CONF_KEY(struct slack_conf, link_names, CONF_BOOL, "make links of names and channels",
             .flags = CONF_PRINT_EMPTY),
    CONF_KEY(struct slack_conf, mrkdwn_in, CONF_STRINGS,
             "which parts are Markdown; fallback, pretext and text when not given"),
    CONF_KEY(struct slack_conf, actions, CONF_LIST, "buttons", .sub = &action_type,
             .flags = CONF_NO_NULLS),
    CONF_KEY(struct slack_conf, update_message, CONF_BOOL,
             "change the first message instead of posting more"),
    CONF_KEY(struct slack_conf, timeout, CONF_GO_DURATION, "limit for one request, 0 = none"),
    CONF_KEYS_END,
};

static void check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    static const str post_url = S_INIT("https://slack.com/api/chat.postMessage");
    const struct global_conf *g = view->global;
    struct slack_conf *s = conf;

    if (secret_is_set(s->api_url) && secret_is_set(s->app_token)) {
        conf_error(c, "app_token",
                   "at most one of \"api_url\" and \"app_token\" (or their files) may be set");
        return;
    }
    if (s->app_url.n == 0)
        s->app_url = g->slack_app_url;
    if (secret_is_set(s->app_token) && view->has_http_authorization)
        conf_error(c, "http_config", "its authorization cannot stand beside a bot token");
    if (!secret_is_set(s->api_url) && !secret_is_set(s->app_token)) {
        if (!view->has_http_authorization) /* else that is the token, as it was written before app_token */
            s->app_token = g->slack_app_token;
        if (!secret_is_set(s->app_token))
            s->api_url = g->slack_api_url;
    }
    s->by_token = secret_is_set(s->app_token);
    if (!s->by_token && !secret_is_set(s->api_url)) {
        conf_error(c, NULL,
                   "no Slack URL or token: none here, and neither \"slack_api_url\" nor "
                   "\"slack_app_token\" in global");
        return;
    }
    if (s->update_message && !s->by_token && !str_eq(s->api_url.hidden, post_url))
        conf_error(c, "update_message", "needs a bot token, or \"api_url\" %.*s", STR(post_url));
}

static const struct conf_type slack_conf_type = {
    .name = "slack_config",
    .doc = "Slack",
    .keys = keys,
    .size = sizeof(struct slack_conf),
};

const struct receiver_type slack_receiver = {
    .name = "slack",
    .config_key = "slack_configs",
    .doc = "Slack",
    .conf = &slack_conf_type,
    .send_resolved_default = false,
    .uses_http = true,
    .check = check,
};
