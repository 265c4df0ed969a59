/* slack.c - Slack, by incoming webhook or by bot token. */
#include "tocsin/json.h"
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
    struct conf_value *blocks; /* NULL: none */
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
    CONF_KEY(
        struct slack_conf, api_url, CONF_SECRET_URL,
        "address of an incoming webhook; where neither it nor app_token is given, the global ones",
        .flags = CONF_PATH_FIXED),
    CONF_KEY(struct slack_conf, app_token, CONF_SECRET, "token of a bot", .flags = CONF_PATH_FIXED),
    CONF_KEY(struct slack_conf, app_url, CONF_URL, "where a bot posts", CONF_GLOBAL(slack_app_url)),
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
    CONF_KEY(
        struct slack_conf, blocks, CONF_ANY,
        "Block Kit blocks, in place of title, text, fields and actions; strings are templates"),
    CONF_KEY(struct slack_conf, update_message, CONF_BOOL,
             "change the first message instead of posting more"),
    CONF_KEY(struct slack_conf, timeout, CONF_GO_DURATION, "limit for one request, 0 = none"),
    CONF_KEYS_END,
};

static void slack_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    static const str post_url = S_INIT("https://slack.com/api/chat.postMessage");
    const struct global_conf *g = view->global;
    struct slack_conf *s = conf;

    if (secret_is_set(s->api_url) && secret_is_set(s->app_token)) {
        conf_error(c, "app_token",
                   "at most one of \"api_url\" and \"app_token\" (or their files) may be set");
        return;
    }
    if (secret_is_set(s->app_token) && view->has_http_authorization)
        conf_error(c, "http_config", "its authorization cannot stand beside a bot token");
    if (!secret_is_set(s->api_url) && !secret_is_set(s->app_token)) {
        if (!view->has_http_authorization) /* else that is the token, as it was written before app_token */
            s->app_token = g->slack_app_token;
        if (!secret_is_set(s->app_token))
            s->api_url = g->slack_api_url;
    }
    if (s->blocks != NULL && s->blocks->kind != CONF_VALUE_LIST)
        conf_error(c, "blocks", "a list is expected");
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

/* -- what labels may say -- */

/* <!here> and <@U1> call people; a label comes from whoever is scraped. Annotations are the rule author's, and may. */
static str without_mentions(struct delivery *d, str s)
{
    return delivery_replace(d, delivery_replace(d, s, S("<!"), S("&lt;!")), S("<@"), S("&lt;@"));
}

/* -- the message, in the field order of Alertmanager -- */

enum { MAX_TITLE = 1024 }; /* runes */

static void put_fields(struct delivery *d, struct json_writer *w, const struct slack_conf *s)
{
    if (s->fields.n == 0)
        return;
    json_key(w, S("fields"));
    json_open(w, '[');
    for (size_t i = 0; i < s->fields.n; i++) {
        const struct slack_field *f = &s->fields.v[i];
        const struct delivery_member m[] = {{"title", f->title}, {"value", f->value}};

        json_open(w, '{');
        delivery_put_members(d, w, m, ARRAY_LEN(m));
        json_key(w, S("short"));
        json_put_bool(w, f->is_short == CONF_UNSET ? s->short_fields : f->is_short == CONF_YES);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void put_confirm(struct delivery *d, struct json_writer *w, const struct slack_confirm *c)
{
    const struct delivery_member m[] = {
        {"text", c->text},
        {"title", c->title},
        {"ok_text", c->ok_text},
        {"dismiss_text", c->dismiss_text},
    };

    json_key(w, S("confirm"));
    json_open(w, '{');
    delivery_put_members(d, w, m, ARRAY_LEN(m));
    json_close(w, '}');
}

static void put_actions(struct delivery *d, struct json_writer *w, const struct slack_conf *s)
{
    if (s->actions.n == 0)
        return;
    json_key(w, S("actions"));
    json_open(w, '[');
    for (size_t i = 0; i < s->actions.n; i++) {
        const struct slack_action *a = &s->actions.v[i];
        const struct delivery_member m[] = {
            {"type", a->type},
            {"text", a->text},
            {"url", a->url, .instead = ""},
            {"style", a->style, .instead = ""},
            {"name", a->name},
            {"value", a->value},
        };

        json_open(w, '{');
        delivery_put_members(d, w, m, ARRAY_LEN(m));
        if (a->confirm != NULL)
            put_confirm(d, w, a->confirm);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void put_mrkdwn_in(struct json_writer *w, const struct slack_conf *s)
{
    static const str usual[] = {S_INIT("fallback"), S_INIT("pretext"), S_INIT("text")};
    const str *v = s->mrkdwn_in.n != 0 ? s->mrkdwn_in.v : usual;
    size_t n = s->mrkdwn_in.n != 0 ? s->mrkdwn_in.n : ARRAY_LEN(usual);

    json_key(w, S("mrkdwn_in"));
    json_open(w, '[');
    for (size_t i = 0; i < n; i++)
        json_put_str(w, v[i]);
    json_close(w, ']');
}

/* A tree whose strings are templates. What they give stays text, whatever YAML would make of it. */
static void slack_put_texts(struct delivery *d, struct json_writer *w, const struct conf_value *v)
{
    bool is_map = v->kind == CONF_VALUE_MAP;

    if (v->kind == CONF_VALUE_STRING) {
        json_put_str(w, delivery_say(d, v->s, false));
        return;
    }
    if (!is_map && v->kind != CONF_VALUE_LIST) {
        delivery_put_value(d, w, v);
        return;
    }
    json_open(w, is_map ? '{' : '[');
    for (size_t i = 0; i < v->n; i++) {
        if (is_map)
            json_key(w, v->names[i]);
        slack_put_texts(d, w, &v->items[i]);
    }
    json_close(w, is_map ? '}' : ']');
}

/* Blocks stand inside of the attachment, because only that has the coloured bar. */
static void put_blocks(struct delivery *d, struct json_writer *w, const struct slack_conf *s)
{
    const struct delivery_member around[] = {{"fallback", s->fallback, .always = true},
                                             {"color", s->color, .instead = ""}};

    json_open(w, '{');
    delivery_put_members(d, w, around, ARRAY_LEN(around));
    json_key(w, S("blocks"));
    slack_put_texts(d, w, s->blocks);
    json_close(w, '}');
}

static void put_attachment(struct delivery *d, struct json_writer *w, const struct slack_conf *s)
{
    const struct delivery_member before[] = {
        {"title", s->title, .max_runes = MAX_TITLE},
        {"title_link", s->title_link, .instead = ""},
        {"pretext", s->pretext},
        {"text", s->text, .always = true},
        {"fallback", s->fallback, .always = true},
        {"callback_id", s->callback_id, .always = true},
    };
    const struct delivery_member behind[] = {
        {"image_url", s->image_url, .instead = ""},
        {"thumb_url", s->thumb_url, .instead = ""},
        {"footer", s->footer, .always = true},
        {"color", s->color, .instead = ""},
    };

    json_open(w, '{');
    delivery_put_members(d, w, before, ARRAY_LEN(before));
    put_fields(d, w, s);
    put_actions(d, w, s);
    delivery_put_members(d, w, behind, ARRAY_LEN(behind));
    put_mrkdwn_in(w, s);
    json_close(w, '}');
}

/* ts: of the message to change; empty = a new one, under that of `thread`, if any. channel goes out as it is. */
static void put_message(struct delivery *d, struct json_writer *w, str channel, str ts, str thread)
{
    const struct slack_conf *s = d->conf;
    const struct delivery_member sender[] = {{"username", s->username, .instead = ""},
                                             {"icon_emoji", s->icon_emoji, .instead = ""},
                                             {"icon_url", s->icon_url, .instead = ""}};
    const struct delivery_member text = {"text", s->message_text};

    json_open(w, '{');
    if (channel.n != 0) {
        json_key(w, S("channel"));
        json_put_str(w, channel);
    }
    delivery_put_members(d, w, sender, ARRAY_LEN(sender));
    if (s->link_names) {
        json_key(w, S("link_names"));
        json_put_bool(w, true);
    }
    delivery_put_members(d, w, &text, 1);
    json_key(w, S("attachments"));
    json_open(w, '[');
    if (s->blocks != NULL)
        put_blocks(d, w, s);
    else
        put_attachment(d, w, s);
    json_close(w, ']');
    if (ts.n != 0) {
        json_key(w, S("ts"));
        json_put_str(w, ts);
    }
    if (thread.n != 0)
        json_put_text(w, "thread_ts", thread);
    json_close(w, '}');
}

/* -- the request -- */

static const str update_method = S_INIT("chat.update");

/* https://slack.com/api/chat.postMessage becomes https://slack.com/api/chat.update, also on GovSlack. */
static str update_url(struct delivery *d, str url)
{
    size_t n = url.n;

    while (n != 0 && url.p[n - 1] != '/')
        n--;
    return arena_printf(d->arena, "%.*s%.*s", STR(str_sub(url, 0, n)), STR(update_method));
}

static void slack_set_headers(struct delivery *d, str token)
{
    struct http_header *h = arena_array(d->arena, 2, sizeof(*h));

    h[0] = (struct http_header){S("Content-Type"), S("application/json")};
    if (token.n != 0)
        h[1] = (struct http_header){S("Authorization"),
                                    arena_printf(d->arena, "Bearer %.*s", STR(token))};
    d->request.headers = (struct http_headers){h, token.n != 0 ? 2 : 1};
}

/* has_old: a message of before may be changed, or have this one under it. */
static enum delivery_verdict slack_send(struct delivery *d, bool has_old)
{
    static const char stands_under[] = "";
    const struct slack_conf *s = d->conf;
    bool looks = has_old && s->update_message;
    str url = s->app_url, token = STR_NONE;
    str ts = looks ? delivery_kept(d, S("threadTs")) : STR_NONE;
    str thread = looks ? delivery_kept_thread(d, S("threadTs")) : STR_NONE;
    str channel =
        thread.n != 0 ? delivery_kept_thread(d, S("channelId")) : delivery_kept(d, S("channelId"));
    struct json_writer w;
    struct buf b = BUF_INIT;

    if (s->by_token ? !d->secret(d, s->app_token, &token) : !d->secret(d, s->api_url, &url))
        return DELIVERY_RETRY; /* the file may come back */
    d->progress = thread.n != 0 ? stands_under : NULL;
    if (channel.n != 0 && ts.n != 0) {
        url = update_url(d, url);
    } else if (channel.n == 0 || thread.n == 0) {
        ts = thread = STR_NONE;
        if (!delivery_expand(d, delivery_address(d, s->channel), &channel))
            channel = STR_NONE; /* a webhook has one of its own */
    }
    json_writer_init(&w, &b, true);
    put_message(d, &w, channel, ts, thread);
    buf_addc(&b, '\n');
    d->request =
        (struct http_request){.method = S("POST"), .url = url, .body = arena_take(d->arena, &b)};
    slack_set_headers(d, token);
    d->timeout = s->timeout;
    return DELIVERY_SEND_HTTP;
}

/* -- the answer -- */

/* Keeps where the message went: chat.update wants the channel's id, which only the answer tells. */
static void slack_keep(struct delivery *d, str ts, str channel)
{
    struct delivery_pair *p;

    if (ts.n == 0 || channel.n == 0)
        return;
    p = arena_array(d->arena, 2, sizeof(*p));
    p[0] = (struct delivery_pair){S("threadTs"), ts};
    p[1] = (struct delivery_pair){S("channelId"), channel};
    d->kept = p;
    d->n_kept = 2;
}

static enum delivery_verdict slack_refused(struct delivery *d, str why)
{
    d->failure = FAILURE_CLIENT;
    err_set(&d->err, ERR_IO, "error response from Slack: %.*s", STR(str_sub(why, 0, 200)));
    return DELIVERY_FAILED;
}

static enum delivery_verdict judge_json(struct delivery *d)
{
    static const char *const names[] = {"ok", "error", "ts", "channel"};
    const struct slack_conf *s = d->conf;
    bool is_under_digest = d->progress != NULL;
    str v[ARRAY_LEN(names)];

    if (!delivery_answer_read(d, names, v, ARRAY_LEN(names))) {
        err_set(&d->err, ERR_IO, "the answer of Slack is not JSON: %.*s",
                STR(str_sub(d->answer->body, 0, 200)));
        return DELIVERY_RETRY;
    }
    if (str_is(v[0], "true")) {
        if (s->update_message && !is_under_digest) /* what fires again has a message of its own */
            slack_keep(d, v[2], v[3]);
        else
            d->n_kept = 0;
        return DELIVERY_OK;
    }
    /* Somebody deleted the message: without a new one the group would stay silent for good. */
    if ((str_is(v[1], "message_not_found") || str_is(v[1], "thread_not_found")) &&
        (is_under_digest || str_ends_with(d->request.url, update_method)))
        return slack_send(d, false);
    if (str_is(v[1], "ratelimited")) {
        slack_refused(d, v[1]);
        d->failure = FAILURE_RATE_LIMITED;
        return DELIVERY_RETRY;
    }
    return slack_refused(d, v[1].n != 0 ? v[1] : S("no reason given"));
}

static enum delivery_verdict slack_judge(struct delivery *d)
{
    enum delivery_verdict v = delivery_judge_whole(d);

    if (v != DELIVERY_OK)
        return v;
    if (str_starts_with(http_header_get(&d->answer->headers, S("Content-Type")),
                        S("application/json")))
        return judge_json(d);
    return str_is(d->answer->body, "ok") ? DELIVERY_OK : slack_refused(d, d->answer->body);
}

static enum delivery_verdict slack_step(struct delivery *d)
{
    if (d->answer != NULL)
        return slack_judge(d);
    delivery_change_labels(d, without_mentions);
    return slack_send(d, true);
}

const struct receiver_type slack_receiver = {
    .name = "slack",
    .config_key = "slack_configs",
    .doc = "Slack",
    .conf = &slack_conf_type,
    .send_resolved_default = false,
    .uses_http = true,
    .can = CAN_EDIT | CAN_DIGEST | CAN_SPLIT | CAN_PERSON,
    .pace = {.limits = {{1, NS_PER_S, 25}}, .runes = 40000},
    .check = slack_check,
    .step = slack_step,
};
