/* rocketchat.c - Rocket.Chat. */
#include "tocsin/json.h"
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
    CONF_KEY(struct rocketchat_action, type, CONF_TEMPLATE, "button, whatever it says"),
    CONF_KEY(struct rocketchat_action, text, CONF_TEMPLATE, "text on it"),
    CONF_KEY(struct rocketchat_action, url, CONF_TEMPLATE, "where it leads"),
    CONF_KEY(struct rocketchat_action, imageurl, CONF_TEMPLATE, "image on it; not sent"),
    CONF_KEY(struct rocketchat_action, iswebview, CONF_BOOL, "open inside; not sent"),
    CONF_KEY(struct rocketchat_action, webviewheightratio, CONF_TEMPLATE,
             "height of that; not sent"),
    CONF_KEY(struct rocketchat_action, msg, CONF_TEMPLATE, "message to send"),
    CONF_KEY(struct rocketchat_action, msginchatwindow, CONF_BOOL, "send it in the chat; not sent"),
    CONF_KEY(struct rocketchat_action, msgprocessingtype, CONF_TEMPLATE,
             "how it is sent; not sent"),
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

/* -- the message, in the field order of Alertmanager -- */

enum { ROCKETCHAT_MAX_TITLE = 1024 }; /* runes */

static void rocketchat_put_fields(struct delivery *d, struct json_writer *w,
                                  const struct rocketchat_conf *r)
{
    if (r->fields.n == 0)
        return;
    json_key(w, S("fields"));
    json_open(w, '[');
    for (size_t i = 0; i < r->fields.n; i++) {
        const struct rocketchat_field *f = &r->fields.v[i];
        const struct delivery_member m[] = {{"title", f->title}, {"value", f->value}};

        json_open(w, '{');
        json_key(w, S("short"));
        json_put_bool(w, f->is_short == CONF_UNSET ? r->short_fields : f->is_short == CONF_YES);
        delivery_put_members(d, w, m, ARRAY_LEN(m));
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* There is one type of them, and Alertmanager tells no more of it than this. */
static void rocketchat_put_actions(struct delivery *d, struct json_writer *w,
                                   const struct rocketchat_conf *r)
{
    if (r->actions.n == 0)
        return;
    json_key(w, S("actions"));
    json_open(w, '[');
    for (size_t i = 0; i < r->actions.n; i++) {
        const struct rocketchat_action *a = &r->actions.v[i];
        const struct delivery_member before[] = {{"text", a->text}, {"url", a->url, .instead = ""}};
        const struct delivery_member msg = {"msg", a->msg};

        json_open(w, '{');
        json_put_text(w, "type", S("button"));
        delivery_put_members(d, w, before, ARRAY_LEN(before));
        json_key(w, S("is_webview"));
        json_put_bool(w, false);
        delivery_put_members(d, w, &msg, 1);
        json_key(w, S("msg_in_chat_window"));
        json_put_bool(w, false);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void rocketchat_fill(struct delivery *d, struct json_writer *w, str channel)
{
    const struct rocketchat_conf *r = d->conf;
    const struct delivery_member sender[] = {{"emoji", r->emoji, .instead = ""},
                                             {"avatar", r->icon_url, .instead = ""}};
    const struct delivery_member m[] = {
        {"title", r->title, .max_runes = ROCKETCHAT_MAX_TITLE},
        {"title_link", r->title_link, .instead = ""},
        {"text", r->text},
        {"image_url", r->image_url, .instead = ""},
        {"thumb_url", r->thumb_url, .instead = ""},
        {"color", r->color, .instead = ""},
    };

    json_open(w, '{');
    if (channel.n != 0)
        json_put_text(w, "channel", channel);
    delivery_put_members(d, w, sender, ARRAY_LEN(sender));
    json_key(w, S("attachments"));
    json_open(w, '[');
    json_open(w, '{');
    delivery_put_members(d, w, m, ARRAY_LEN(m));
    rocketchat_put_fields(d, w, r);
    rocketchat_put_actions(d, w, r);
    json_close(w, '}');
    json_close(w, ']');
    json_close(w, '}');
}

/* -- the request -- */

/* The path goes before a query. */
static str rocketchat_url(struct delivery *d, str query)
{
    str base = str_cut(&query, '?');

    while (str_ends_with(base, S("/")))
        base.n--;
    return arena_printf(d->arena, "%.*s/api/v1/chat.postMessage%s%.*s", STR(base),
                        query.n != 0 ? "?" : "", STR(query));
}

static enum delivery_verdict rocketchat_send(struct delivery *d)
{
    const struct rocketchat_conf *r = d->conf;
    struct http_header *h = arena_array(d->arena, 3, sizeof(*h));
    struct json_writer w;
    struct buf b = BUF_INIT;
    str channel;

    h[0] = (struct http_header){S("Content-Type"), S("application/json")};
    h[1].name = S("X-Auth-Token");
    h[2].name = S("X-User-Id");
    if (!d->secret(d, r->token, &h[1].value) || !d->secret(d, r->token_id, &h[2].value))
        return DELIVERY_RETRY;                                          /* the file may come back */
    if (!delivery_expand(d, delivery_address(d, r->channel), &channel)) /* which may be "@bob" */
        return DELIVERY_FAILED;
    delivery_call_nobody(d);
    json_writer_init(&w, &b, true);
    rocketchat_fill(d, &w, channel);
    delivery_post_json(d, rocketchat_url(d, r->api_url), &b);
    d->request.headers = (struct http_headers){h, 3};
    return DELIVERY_SEND_HTTP;
}

/* -- the answer -- */

static enum delivery_verdict rocketchat_refused(struct delivery *d)
{
    static const struct delivery_hint hints[] = {
        {0, "invalid-channel", "set \"channel\" to one that the user is in"},
        {0, "not-allowed", "the user may not post there"},
        {401, NULL, "\"token\" or \"token_id\" is wrong"},
        {403, NULL, "the user may not post there"},
        {404, NULL, "\"api_url\" is no Rocket.Chat"},
        {0, NULL, NULL},
    };

    if (str_find_str(d->answer->body, S("too-many-requests")) >= 0) {
        d->failure = FAILURE_RATE_LIMITED; /* with 400 or 200 */
        return DELIVERY_RETRY;
    }
    delivery_explain(d, hints);
    return DELIVERY_FAILED;
}

/* Of a 2xx: "success" decides. */
static enum delivery_verdict rocketchat_judge_body(struct delivery *d)
{
    static const char *const names[] = {"success", "error"};
    str said[ARRAY_LEN(names)];

    if (!delivery_answer_read(d, names, said, ARRAY_LEN(names))) {
        err_set(&d->err, ERR_IO, "not an answer of Rocket.Chat: %.*s",
                STR(str_sub(d->answer->body, 0, 200)));
        return DELIVERY_RETRY;
    }
    if (str_is(said[0], "true"))
        return DELIVERY_OK;
    d->failure = FAILURE_CLIENT;
    err_set(&d->err, ERR_IO, "error of Rocket.Chat: %.*s",
            STR(said[1].n != 0 ? str_sub(said[1], 0, 200) : S("no reason given")));
    return rocketchat_refused(d);
}

static enum delivery_verdict rocketchat_judge(struct delivery *d)
{
    enum delivery_verdict v = delivery_judge_whole(d);

    if (v == DELIVERY_OK)
        return rocketchat_judge_body(d);
    return v == DELIVERY_FAILED ? rocketchat_refused(d) : v;
}

static enum delivery_verdict rocketchat_step(struct delivery *d)
{
    return d->answer != NULL ? rocketchat_judge(d) : rocketchat_send(d);
}

const struct receiver_type rocketchat_receiver = {
    .name = "rocketchat",
    .config_key = "rocketchat_configs",
    .doc = "Rocket.Chat",
    .conf = &rocketchat_conf_type,
    .send_resolved_default = false,
    .uses_http = true,
    .can = CAN_DIGEST | CAN_SPLIT | CAN_PERSON,
    .check = rocketchat_check,
    .step = rocketchat_step,
};
