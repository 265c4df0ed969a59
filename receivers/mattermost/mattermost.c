/* mattermost.c - Mattermost webhooks. */
#include "tocsin/json.h"
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

/* -- the post, in the field order of Alertmanager -- */

enum { MATTERMOST_MAX_TEXT = 16383 }; /* runes */

static void mattermost_put_fields(struct delivery *d, struct json_writer *w,
                                  const struct mattermost_attachment *a)
{
    if (a->fields.n == 0)
        return;
    json_key(w, S("fields"));
    json_open(w, '[');
    for (size_t i = 0; i < a->fields.n; i++) {
        const struct mattermost_field *f = &a->fields.v[i];
        const struct delivery_member m[] = {{"title", f->title}, {"value", f->value}};

        json_open(w, '{');
        delivery_put_members(d, w, m, ARRAY_LEN(m));
        if (f->is_short != CONF_UNSET) {
            json_key(w, S("short"));
            json_put_bool(w, f->is_short == CONF_YES);
        }
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void mattermost_put_attachment(struct delivery *d, struct json_writer *w,
                                      const struct mattermost_attachment *a)
{
    const struct delivery_member before[] = {
        {"fallback", a->fallback},
        {"color", a->color, .instead = ""},
        {"pretext", a->pretext},
        {"text", a->text},
        {"author_name", a->author_name},
        {"author_link", a->author_link, .instead = ""},
        {"author_icon", a->author_icon, .instead = ""},
        {"title", a->title},
        {"title_link", a->title_link, .instead = ""},
    };
    const struct delivery_member behind[] = {
        {"thumb_url", a->thumb_url, .instead = ""},
        {"footer", a->footer},
        {"footer_icon", a->footer_icon, .instead = ""},
        {"image_url", a->image_url, .instead = ""},
    };

    json_open(w, '{');
    delivery_put_members(d, w, before, ARRAY_LEN(before));
    mattermost_put_fields(d, w, a);
    delivery_put_members(d, w, behind, ARRAY_LEN(behind));
    json_close(w, '}');
}

/* The attachments that are configured, or the one that the entry itself describes, which then has the text. */
static void mattermost_put_attachments(struct delivery *d, struct json_writer *w,
                                       const struct mattermost_conf *m)
{
    struct mattermost_attachment own = m->attachment;

    own.text = m->text;
    json_key(w, S("attachments"));
    json_open(w, '[');
    for (size_t i = 0; i < m->attachments.n; i++)
        mattermost_put_attachment(d, w, &m->attachments.v[i]);
    if (m->attachments.n == 0)
        mattermost_put_attachment(d, w, &own);
    json_close(w, ']');
}

static void mattermost_put_props(struct delivery *d, struct json_writer *w,
                                 const struct mattermost_props *p)
{
    const struct delivery_member card = {"card", p->card};

    if (p->card.n == 0)
        return;
    json_key(w, S("props"));
    json_open(w, '{');
    delivery_put_members(d, w, &card, 1);
    json_close(w, '}');
}

/* In lower case; what Mattermost does not know is the usual. */
static const char *mattermost_level(struct delivery *d, const struct mattermost_priority *p)
{
    static const char *const levels[] = {"urgent", "important"};
    const struct delivery_member m = {"priority", p->priority, .instead = ""};
    str said = delivery_member_text(d, &m);

    for (size_t i = 0; i < ARRAY_LEN(levels); i++)
        if (str_eq_nocase(said, str_of(levels[i])))
            return levels[i];
    return "standard";
}

static void mattermost_put_priority(struct delivery *d, struct json_writer *w,
                                    const struct mattermost_priority *p)
{
    str level;

    if (p->priority.n == 0)
        return;
    level = str_of(mattermost_level(d, p));
    json_key(w, S("priority"));
    json_open(w, '{');
    json_put_text(w, "priority", level);
    if (p->requested_ack && !str_is(level, "standard")) {
        json_key(w, S("requested_ack"));
        json_put_bool(w, true);
    }
    if (p->persistent_notifications && str_is(level, "urgent")) {
        json_key(w, S("persistent_notifications"));
        json_put_bool(w, true);
    }
    json_close(w, '}');
}

static void mattermost_fill(struct delivery *d, struct json_writer *w, str channel)
{
    const struct mattermost_conf *m = d->conf;
    const struct delivery_member text = {"text", m->text, .max_runes = MATTERMOST_MAX_TEXT};
    const struct delivery_member sender[] = {{"username", m->username, .instead = ""},
                                             {"icon_url", m->icon_url, .instead = ""},
                                             {"icon_emoji", m->icon_emoji, .instead = ""}};
    const struct delivery_member type = {"type", m->type, .instead = ""};

    json_open(w, '{');
    if (m->attachments.n != 0)
        delivery_put_members(d, w, &text, 1);
    if (channel.n != 0)
        json_put_text(w, "channel", channel);
    delivery_put_members(d, w, sender, ARRAY_LEN(sender));
    mattermost_put_attachments(d, w, m);
    delivery_put_members(d, w, &type, 1);
    if (m->props != NULL)
        mattermost_put_props(d, w, m->props);
    if (m->priority != NULL)
        mattermost_put_priority(d, w, m->priority);
    json_close(w, '}');
}

static enum delivery_verdict mattermost_send(struct delivery *d)
{
    const struct mattermost_conf *m = d->conf;
    struct json_writer w;
    struct buf b = BUF_INIT;
    str url, channel;

    if (!d->secret(d, m->webhook_url, &url))
        return DELIVERY_RETRY;                                          /* the file may come back */
    if (!delivery_expand(d, delivery_address(d, m->channel), &channel)) /* which may be "@bob" */
        channel = STR_NONE; /* a webhook has one of its own */
    delivery_call_nobody(d);
    json_writer_init(&w, &b, true);
    mattermost_fill(d, &w, channel);
    delivery_post_json(d, url, &b);
    return DELIVERY_SEND_HTTP;
}

/* -- the answer -- */

/* "ok", or JSON of a server that speaks the same and names no error. A page for a login is 200, too. */
static enum delivery_verdict mattermost_judge_body(struct delivery *d)
{
    static const char *const names[] = {"status_code", "message", "error"};
    str said[ARRAY_LEN(names)], body = str_trim(d->answer->body);

    if (body.n == 0 || str_eq_nocase(body, S("ok")))
        return DELIVERY_OK;
    if (delivery_answer_read(d, names, said, ARRAY_LEN(names)) && said[0].n == 0 && said[2].n == 0)
        return DELIVERY_OK;
    d->failure = FAILURE_CLIENT;
    err_set(&d->err, ERR_IO, "not the answer \"ok\" of Mattermost: %.*s",
            STR(str_sub(said[1].n != 0 ? said[1] : body, 0, 200)));
    return DELIVERY_FAILED;
}

static enum delivery_verdict mattermost_judge(struct delivery *d)
{
    static const struct delivery_hint hints[] = {
        {0, "incoming_webhook.channel_locked",
         "the webhook posts to its own channel only: leave \"channel\" out"},
        {0, "incoming_webhook.channel", "there is no such \"channel\""},
        {0, "incoming_webhook.user", "there is no such user as \"channel\" names"},
        {0, "incoming_webhook.permissions", "the webhook's owner may not post to \"channel\""},
        {0, "incoming_webhook.text", "\"text\" gives nothing, or too much"},
        {400, "incoming_webhook", "\"webhook_url\" is wrong"},
        {404, NULL, "\"webhook_url\" is wrong"},
        {0, NULL, NULL},
    };
    enum delivery_verdict v = delivery_judge_whole(d);

    if (v == DELIVERY_OK)
        return mattermost_judge_body(d);
    if (v == DELIVERY_FAILED)
        delivery_explain(d, hints);
    return v;
}

static enum delivery_verdict mattermost_step(struct delivery *d)
{
    return d->answer != NULL ? mattermost_judge(d) : mattermost_send(d);
}

const struct receiver_type mattermost_receiver = {
    .name = "mattermost",
    .config_key = "mattermost_configs",
    .doc = "Mattermost",
    .conf = &mattermost_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .can = CAN_DIGEST | CAN_SPLIT | CAN_PERSON,
    .pace = {.runes = MATTERMOST_MAX_TEXT},
    .check = mattermost_check,
    .step = mattermost_step,
};
