/* rocketchat.c - Rocket.Chat. */
#include "tocsin/receiver.h"

struct rocketchat_field {
    str title, value;
    enum conf_tristate is_short;
};

struct rocketchat_action {
    str type, text, url, imageurl, webviewheightratio, msg, msgprocessingtype;
    bool iswebview, msginchatwindow;
};

struct rocketchat_conf {
    str api_url, channel, color, title, title_link, text, emoji, icon_url, image_url, thumb_url;
    struct secret token, token_id;
    CONF_LIST_OF(struct rocketchat_field) fields;
    CONF_LIST_OF(struct rocketchat_action) actions;
    bool short_fields, link_names;
};

static const struct conf_key field_keys[] = {
    CONF_KEY(struct rocketchat_field, title, CONF_TEMPLATE, "title"),
    CONF_KEY(struct rocketchat_field, value, CONF_TEMPLATE, "value"),
    CONF_KEY_AS("short", struct rocketchat_field, is_short, CONF_TRISTATE,
                "two a line; short_fields when not given"),
    CONF_KEYS_END,
};
static const struct conf_type field_type = {
    .name = "rocketchat_field", .keys = field_keys, .size = sizeof(struct rocketchat_field)};

static const struct conf_key action_keys[] = {
    CONF_KEY(struct rocketchat_action, type, CONF_TEMPLATE, "button"),
    CONF_KEY(struct rocketchat_action, text, CONF_TEMPLATE, "text on it"),
    CONF_KEY(struct rocketchat_action, url, CONF_TEMPLATE, "where it leads"),
    CONF_KEY(struct rocketchat_action, imageurl, CONF_TEMPLATE, "image on it"),
    CONF_KEY(struct rocketchat_action, iswebview, CONF_BOOL, "open inside"),
    CONF_KEY(struct rocketchat_action, webviewheightratio, CONF_TEMPLATE, "height of that"),
    CONF_KEY(struct rocketchat_action, msg, CONF_TEMPLATE, "message to send"),
    CONF_KEY(struct rocketchat_action, msginchatwindow, CONF_BOOL, "send it in the chat"),
    CONF_KEY(struct rocketchat_action, msgprocessingtype, CONF_TEMPLATE, "how it is sent"),
    CONF_KEYS_END,
};
static const struct conf_type action_type = {
    .name = "rocketchat_action", .keys = action_keys, .size = sizeof(struct rocketchat_action)};

static const struct conf_key keys[] = {
    CONF_KEY(struct rocketchat_conf, api_url, CONF_URL, "address of the server",
             CONF_GLOBAL(rocketchat_api_url)),
    CONF_KEY(struct rocketchat_conf, token, CONF_SECRET, "token", CONF_GLOBAL(rocketchat_token),
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct rocketchat_conf, token_id, CONF_SECRET, "id of the token's user",
             CONF_GLOBAL(rocketchat_token_id), .flags = CONF_PATH_FIXED),
    CONF_KEY(struct rocketchat_conf, channel, CONF_TEMPLATE, "channel"),
    CONF_KEY(struct rocketchat_conf, color, CONF_TEMPLATE, "colour of the bar",
             .text = "{{ if eq .Status \"firing\" }}red{{ else }}green{{ end }}"),
    CONF_KEY(struct rocketchat_conf, title, CONF_TEMPLATE, "title",
             .text = "{{ template \"rocketchat.default.title\" . }}"),
    CONF_KEY(struct rocketchat_conf, title_link, CONF_TEMPLATE, "where the title leads",
             .text = "{{ template \"rocketchat.default.titlelink\" . }}"),
    CONF_KEY(struct rocketchat_conf, text, CONF_TEMPLATE, "text",
             .text = "{{ template \"rocketchat.default.text\" . }}"),
    CONF_KEY(struct rocketchat_conf, fields, CONF_LIST, "fields", .sub = &field_type),
    CONF_KEY(struct rocketchat_conf, short_fields, CONF_BOOL, "two fields a line"),
    CONF_KEY(struct rocketchat_conf, emoji, CONF_TEMPLATE, "emoji as icon",
             .text = "{{ template \"rocketchat.default.emoji\" . }}"),
    CONF_KEY(struct rocketchat_conf, icon_url, CONF_TEMPLATE, "icon",
             .text = "{{ template \"rocketchat.default.iconurl\" . }}"),
    CONF_KEY(struct rocketchat_conf, image_url, CONF_TEMPLATE, "image"),
    CONF_KEY(struct rocketchat_conf, thumb_url, CONF_TEMPLATE, "small image"),
    CONF_KEY(struct rocketchat_conf, link_names, CONF_BOOL, "make links of names and channels"),
    CONF_KEY(struct rocketchat_conf, actions, CONF_LIST, "buttons", .sub = &action_type),
    CONF_KEYS_END,
};

static void rocketchat_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    struct rocketchat_conf *r = conf;

    (void)view;
    if (!secret_is_set(r->token))
        conf_error(c, NULL,
                   "no token: \"token\" is missing here and \"rocketchat_token\" in global");
    if (!secret_is_set(r->token_id))
        conf_error(
            c, NULL,
            "no token id: \"token_id\" is missing here and \"rocketchat_token_id\" in global");
}

static const struct conf_type rocketchat_conf_type = {
    .name = "rocketchat_config",
    .doc = "Rocket.Chat",
    .keys = keys,
    .size = sizeof(struct rocketchat_conf),
};

const struct receiver_type rocketchat_receiver = {
    .name = "rocketchat",
    .config_key = "rocketchat_configs",
    .doc = "Rocket.Chat",
    .conf = &rocketchat_conf_type,
    .send_resolved_default = false,
    .uses_http = true,
    .check = rocketchat_check,
};
