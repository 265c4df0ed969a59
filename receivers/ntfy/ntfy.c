/* ntfy.c - ntfy: a message to a topic of ntfy.sh or of a server of one's own, with priority, tags, a link and buttons.
 *
 * Source   https://docs.ntfy.sh/publish/#publish-as-json: all of it in the body, so that no label reaches a header.
 */
#include "tocsin/buf.h"
#include "tocsin/json.h"
#include "tocsin/receiver.h"

struct ntfy_action {
    str label, url;
};

struct ntfy_conf {
    str url, topic, title, message, priority, click, icon;
    struct secret token;
    struct conf_strings tags;
    CONF_LIST_OF(struct ntfy_action) actions;
    bool markdown;
    dur_ns timeout;
};

static const struct conf_key action_keys[] = {
    CONF_KEY(struct ntfy_action, label, CONF_TEMPLATE, "text on it", .flags = CONF_REQUIRED),
    CONF_KEY(struct ntfy_action, url, CONF_TEMPLATE, "what it opens", .flags = CONF_REQUIRED),
    CONF_KEYS_END,
};
static const struct conf_type action_type = {
    .name = "ntfy_action", .keys = action_keys, .size = sizeof(struct ntfy_action)};

static const struct conf_key keys[] = {
    CONF_KEY(struct ntfy_conf, url, CONF_URL, "the server, without the topic",
             .text = "https://ntfy.sh", .flags = CONF_SLASH),
    CONF_KEY(struct ntfy_conf, topic, CONF_TEMPLATE, "topic", .flags = CONF_REQUIRED | CONF_HIDDEN),
    CONF_KEY(struct ntfy_conf, token, CONF_SECRET, "access token, if the topic needs one",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct ntfy_conf, title, CONF_TEMPLATE, "title",
             .text = "{{ template \"ntfy.default.title\" . }}"),
    CONF_KEY(struct ntfy_conf, message, CONF_TEMPLATE, "text",
             .text = "{{ template \"ntfy.default.message\" . }}"),
    CONF_KEY(struct ntfy_conf, priority, CONF_TEMPLATE, "1 to 5; 5 rings on",
             .text = "{{ template \"ntfy.default.priority\" . }}"),
    CONF_KEY(struct ntfy_conf, tags, CONF_STRINGS,
             "tags and emojis; templates, commas part several"),
    CONF_KEY(struct ntfy_conf, click, CONF_TEMPLATE, "what the message opens",
             .text = "{{ template \"__alertmanagerURL\" . }}"),
    CONF_KEY(struct ntfy_conf, icon, CONF_TEMPLATE, "address of a picture"),
    CONF_KEY(struct ntfy_conf, actions, CONF_LIST, "buttons, three at most", .sub = &action_type,
             .flags = CONF_NO_NULLS),
    CONF_KEY(struct ntfy_conf, markdown, CONF_BOOL, "the text is Markdown"),
    CONF_KEY(struct ntfy_conf, timeout, CONF_GO_DURATION, "limit for one request, 0 = none"),
    CONF_KEYS_END,
};

static const struct conf_type ntfy_conf_type = {
    .name = "ntfy_config",
    .doc = "ntfy",
    .keys = keys,
    .size = sizeof(struct ntfy_conf),
};

enum { NTFY_ACTIONS_MAX = 3, NTFY_MESSAGE_MAX = 4096 /* bytes: what is longer becomes a file */ };

static void ntfy_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct ntfy_conf *k = conf;

    if (k->actions.n > NTFY_ACTIONS_MAX)
        conf_error(c, "actions", "ntfy shows three buttons at most");
    if (secret_is_set(k->token) && view->has_http_authorization)
        conf_error(c, "token", "http_config has credentials, too");
}

/* -- the request -- */

/* What is no priority is the highest: a page is not lost in a fault of a template. */
static uint64_t ntfy_priority(struct delivery *d, str text)
{
    const struct delivery_member m = {.text = text, .instead = "5"};
    str said = str_trim(delivery_member_text(d, &m));

    return said.n == 1 && said.p[0] >= '1' && said.p[0] <= '5' ? (uint64_t)(said.p[0] - '0') : 5;
}

static void ntfy_put_actions(struct delivery *d, struct json_writer *w, const struct ntfy_conf *k)
{
    json_key(w, S("actions"));
    json_open(w, '[');
    for (size_t i = 0; i < k->actions.n; i++) {
        const struct delivery_member m[] = {{"label", k->actions.v[i].label, .always = true},
                                            {"url", k->actions.v[i].url, .always = true,
                                             .instead = ""}};

        json_open(w, '{');
        json_put_text(w, "action", S("view"));
        delivery_put_members(d, w, m, ARRAY_LEN(m));
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void ntfy_fill(struct delivery *d, str topic)
{
    const struct ntfy_conf *k = d->conf;
    const struct delivery_member links[] = {{"click", k->click, .instead = ""},
                                            {"icon", k->icon, .instead = ""}};
    struct conf_strings tags;
    struct json_writer w;
    struct buf b = BUF_INIT;

    delivery_expand_names(d, &k->tags, &tags);
    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    json_put_text(&w, "topic", topic);
    json_put_text(&w, "title", delivery_say(d, k->title, false));
    json_put_text(&w, "message",
                  delivery_truncate_markup(d, delivery_say(d, k->message, false),
                                           NTFY_MESSAGE_MAX));
    json_key(&w, S("priority"));
    json_put_u64(&w, ntfy_priority(d, k->priority));
    if (tags.n != 0) {
        json_key(&w, S("tags"));
        json_open(&w, '[');
        for (size_t i = 0; i < tags.n; i++)
            json_put_str(&w, tags.v[i]);
        json_close(&w, ']');
    }
    if (k->markdown) {
        json_key(&w, S("markdown"));
        json_put_bool(&w, true);
    }
    delivery_put_members(d, &w, links, ARRAY_LEN(links));
    if (k->actions.n != 0)
        ntfy_put_actions(d, &w, k);
    json_close(&w, '}');
    d->request.body = arena_take(d->arena, &b);
}

static enum delivery_verdict ntfy_send(struct delivery *d)
{
    const struct ntfy_conf *k = d->conf;
    struct http_header *h = arena_array(d->arena, 2, sizeof(*h));
    str topic, token;

    if (!delivery_expand(d, delivery_address(d, k->topic), &topic))
        return DELIVERY_FAILED;
    h[0] = (struct http_header){S("Content-Type"), S("application/json")};
    d->request.headers = (struct http_headers){h, 1};
    if (secret_is_set(k->token)) {
        if (!d->secret(d, k->token, &token))
            return DELIVERY_RETRY; /* the file may come back */
        h[d->request.headers.n++] =
            (struct http_header){S("Authorization"),
                                 arena_printf(d->arena, "Bearer %.*s", STR(token))};
    }
    ntfy_fill(d, topic);
    d->request.method = S("POST");
    d->request.url = k->url;
    d->timeout = k->timeout;
    return DELIVERY_SEND_HTTP;
}

/* -- the answer -- */

/* A refusal says why, and has a code of its own: 40301. */
static enum delivery_verdict ntfy_judge(struct delivery *d)
{
    static const char *const names[] = {"error", "code"};
    enum delivery_verdict v = delivery_judge_http(d);
    str said[ARRAY_LEN(names)];

    if (v == DELIVERY_OK || !delivery_answer_read(d, names, said, ARRAY_LEN(names)) ||
        said[0].n == 0)
        return v;
    err_set(&d->err, ERR_IO, "unexpected status code %d: %.*s (%.*s)%s", d->answer->status,
            STR(str_sub(said[0], 0, 200)), STR(said[1]),
            d->failure == FAILURE_AUTH ? ": set \"token\" to one that may write to the topic" : "");
    return v;
}

static enum delivery_verdict ntfy_step(struct delivery *d)
{
    return d->answer != NULL ? ntfy_judge(d) : ntfy_send(d);
}

const struct receiver_type ntfy_receiver = {
    .name = "ntfy",
    .config_key = "ntfy_configs",
    .doc = "ntfy",
    .conf = &ntfy_conf_type,
    .send_resolved_default = true,
    .is_ours = true,
    .uses_http = true,
    .can = CAN_DIGEST | CAN_SPLIT | CAN_PERSON,
    .pace = {.limits = {{1, 5 * NS_PER_S, 60}}, .bytes = NTFY_MESSAGE_MAX},
    .check = ntfy_check,
    .step = ntfy_step,
};
