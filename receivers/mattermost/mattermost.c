/* mattermost.c - Mattermost webhooks. */
#include "tocsin/receiver.h"

struct mattermost_field {
    str title, value;
    enum conf_tristate is_short;
};

struct mattermost_attachment {
    str fallback, color, pretext, text, author_name, author_link, author_icon, title, title_link,
        thumb_url, footer, footer_icon, image_url;
    CONF_LIST_OF(struct mattermost_field) fields;
};

struct mattermost_props {
    str card;
};

struct mattermost_priority {
    str priority;
    bool requested_ack, persistent_notifications;
};

struct mattermost_conf {
    struct secret webhook_url;
    str channel, username, text, icon_url, icon_emoji, type;
    struct mattermost_attachment attachment; /* what the entry itself says */
    CONF_LIST_OF(struct mattermost_attachment) attachments;
    struct mattermost_props *props;
    struct mattermost_priority *priority;
};

static const struct conf_key field_keys[] = {
    CONF_KEY(struct mattermost_field, title, CONF_TEMPLATE, "title", .flags = CONF_REQUIRED),
    CONF_KEY(struct mattermost_field, value, CONF_TEMPLATE, "value", .flags = CONF_REQUIRED),
    CONF_KEY_AS("short", struct mattermost_field, is_short, CONF_TRISTATE, "two a line"),
    CONF_KEYS_END,
};
static const struct conf_type field_type = {
    .name = "mattermost_field", .keys = field_keys, .size = sizeof(struct mattermost_field)};

static const struct conf_key attachment_keys[] = {
    CONF_KEY(struct mattermost_attachment, fallback, CONF_TEMPLATE, "plain text of it"),
    CONF_KEY(struct mattermost_attachment, color, CONF_TEMPLATE, "colour of the bar"),
    CONF_KEY(struct mattermost_attachment, pretext, CONF_TEMPLATE, "text above"),
    CONF_KEY(struct mattermost_attachment, text, CONF_TEMPLATE, "text"),
    CONF_KEY(struct mattermost_attachment, author_name, CONF_TEMPLATE, "author"),
    CONF_KEY(struct mattermost_attachment, author_link, CONF_TEMPLATE, "where the author leads"),
    CONF_KEY(struct mattermost_attachment, author_icon, CONF_TEMPLATE, "picture of the author"),
    CONF_KEY(struct mattermost_attachment, title, CONF_TEMPLATE, "title"),
    CONF_KEY(struct mattermost_attachment, title_link, CONF_TEMPLATE, "where the title leads"),
    CONF_KEY(struct mattermost_attachment, fields, CONF_LIST, "fields", .sub = &field_type),
    CONF_KEY(struct mattermost_attachment, thumb_url, CONF_TEMPLATE, "small image"),
    CONF_KEY(struct mattermost_attachment, footer, CONF_TEMPLATE, "footer"),
    CONF_KEY(struct mattermost_attachment, footer_icon, CONF_TEMPLATE, "picture in the footer"),
    CONF_KEY(struct mattermost_attachment, image_url, CONF_TEMPLATE, "image"),
    CONF_KEYS_END,
};
static const struct conf_type attachment_type = {.name = "mattermost_attachment",
                                                 .keys = attachment_keys,
                                                 .size = sizeof(struct mattermost_attachment)};

static const struct conf_key props_keys[] = {
    CONF_KEY(struct mattermost_props, card, CONF_TEMPLATE, "Markdown for the side bar"),
    CONF_KEYS_END,
};
static const struct conf_type props_type = {
    .name = "mattermost_props", .keys = props_keys, .size = sizeof(struct mattermost_props)};

static const struct conf_key priority_keys[] = {
    CONF_KEY(struct mattermost_priority, priority, CONF_TEMPLATE, "urgent, important or standard"),
    CONF_KEY(struct mattermost_priority, requested_ack, CONF_BOOL, "ask for an acknowledgement"),
    CONF_KEY(struct mattermost_priority, persistent_notifications, CONF_BOOL,
             "repeat until acknowledged; urgent only"),
    CONF_KEYS_END,
};
static const struct conf_type priority_type = {.name = "mattermost_priority",
                                               .keys = priority_keys,
                                               .size = sizeof(struct mattermost_priority)};

#define ATTACHED(member, doc, ...)                                                                 \
    CONF_KEY_AS(#member, struct mattermost_conf, attachment.member, CONF_TEMPLATE, doc,            \
                ##__VA_ARGS__)

static const struct conf_key keys[] = {
    CONF_KEY(struct mattermost_conf, webhook_url, CONF_SECRET_URL, "where to post",
             CONF_GLOBAL(mattermost_webhook_url), .flags = CONF_PATH_FIXED),
    CONF_KEY(struct mattermost_conf, channel, CONF_TEMPLATE, "channel"),
    CONF_KEY(struct mattermost_conf, username, CONF_TEMPLATE, "name of the sender",
             .text = "{{ template \"mattermost.default.username\" . }}"),
    CONF_KEY(struct mattermost_conf, text, CONF_TEMPLATE, "text",
             .text = "{{ template \"mattermost.default.text\" . }}"),
    ATTACHED(fallback, "plain text of it all",
             .text = "{{ template \"mattermost.default.fallback\" . }}"),
    ATTACHED(color, "colour of the bar", .text = "{{ template \"mattermost.default.color\" . }}"),
    ATTACHED(pretext, "text above"),
    ATTACHED(author_name, "author"),
    ATTACHED(author_link, "where the author leads"),
    ATTACHED(author_icon, "picture of the author"),
    ATTACHED(title, "title", .text = "{{ template \"mattermost.default.title\" . }}"),
    ATTACHED(title_link, "where the title leads",
             .text = "{{ template \"mattermost.default.titlelink\" . }}"),
    CONF_KEY_AS("fields", struct mattermost_conf, attachment.fields, CONF_LIST, "fields",
                .sub = &field_type),
    ATTACHED(thumb_url, "small image"),
    ATTACHED(footer, "footer"),
    ATTACHED(footer_icon, "picture in the footer"),
    ATTACHED(image_url, "image"),
    CONF_KEY(struct mattermost_conf, icon_url, CONF_TEMPLATE, "picture of the sender"),
    CONF_KEY(struct mattermost_conf, icon_emoji, CONF_TEMPLATE, "emoji in its place"),
    CONF_KEY(struct mattermost_conf, attachments, CONF_LIST,
             "attachments in place of the one above", .sub = &attachment_type),
    CONF_KEY(struct mattermost_conf, type, CONF_TEMPLATE, "type of the post"),
    CONF_KEY(struct mattermost_conf, props, CONF_STRUCT_PTR, "properties", .sub = &props_type),
    CONF_KEY(struct mattermost_conf, priority, CONF_STRUCT_PTR, "priority", .sub = &priority_type),
    CONF_KEYS_END,
};

static void mattermost_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    struct mattermost_conf *m = conf;

    (void)view;
    if (!secret_is_set(m->webhook_url))
        conf_error(
            c, NULL,
            "no address: \"webhook_url\" is missing here and \"mattermost_webhook_url\" in global");
}

static const struct conf_type mattermost_conf_type = {
    .name = "mattermost_config",
    .doc = "Mattermost",
    .keys = keys,
    .size = sizeof(struct mattermost_conf),
};

const struct receiver_type mattermost_receiver = {
    .name = "mattermost",
    .config_key = "mattermost_configs",
    .doc = "Mattermost",
    .conf = &mattermost_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .check = mattermost_check,
};
