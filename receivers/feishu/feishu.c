/* feishu.c - Feishu and Lark, by custom robot of a group: a card, rich text or plain text.
 *
 * Source   ecosystem.md 1.5; https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
 */
#include "lark.h"
#include "tocsin/buf.h"

struct feishu_mention {
    bool all;
    struct conf_strings user_ids;
};

struct feishu_conf {
    struct secret url, token, secret;
    str api_url, message_type, title, text, color;
    struct feishu_mention mention;
    struct conf_strings keywords;
    CONF_LIST_OF(struct lark_button) buttons;
    dur_ns timeout;
};

static const struct conf_key mention_keys[] = {
    CONF_KEY(struct feishu_mention, all, CONF_BOOL, "everybody in the group"),
    CONF_KEY(struct feishu_mention, user_ids, CONF_STRINGS,
             "open_id (ou_...) or user_id; templates, commas part several"),
    CONF_KEYS_END,
};
static const struct conf_type mention_type = {
    .name = "feishu_mention", .keys = mention_keys, .size = sizeof(struct feishu_mention)};

static const char *const message_types[] = {"interactive", "post", "text", NULL};

static const struct conf_key keys[] = {
    CONF_KEY(struct feishu_conf, url, CONF_SECRET_URL, "address of the robot",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct feishu_conf, token, CONF_SECRET,
             "what stands behind /hook/ there, in place of url", .flags = CONF_PATH_FIXED),
    CONF_KEY(struct feishu_conf, api_url, CONF_URL,
             "for token; Lark: https://open.larksuite.com, or a private edition",
             .text = "https://open.feishu.cn", .flags = CONF_SLASH),
    CONF_KEY(struct feishu_conf, secret, CONF_SECRET,
             "of the robot's signature: messages are signed", .flags = CONF_PATH_FIXED),
    CONF_KEY(struct feishu_conf, message_type, CONF_WORD,
             "form of the message: a card, rich text, text", .text = "interactive",
             .words = message_types),
    CONF_KEY(struct feishu_conf, title, CONF_TEMPLATE, "headline; not of message_type text",
             .text = "{{ template \"feishu.default.title\" . }}"),
    CONF_KEY(struct feishu_conf, text, CONF_TEMPLATE,
             "text; unset: {{ template \"feishu.default.text\" . }} in a card, "
             "feishu.default.plain else"),
    CONF_KEY(struct feishu_conf, color, CONF_TEMPLATE,
             "of the card's headline: red, orange, green, ...",
             .text = "{{ template \"feishu.default.color\" . }}"),
    CONF_KEY(struct feishu_conf, mention, CONF_STRUCT, "who is called", .sub = &mention_type),
    CONF_KEY(struct feishu_conf, keywords, CONF_STRINGS,
             "those of the robot's security settings: a message without any gets the first"),
    CONF_KEY(struct feishu_conf, buttons, CONF_LIST, "of a card", .sub = &lark_button_type,
             .flags = CONF_NO_NULLS),
    CONF_KEY(struct feishu_conf, timeout, CONF_GO_DURATION, "limit for one request, 0 = none"),
    CONF_KEYS_END,
};

static const struct conf_type feishu_conf_type = {
    .name = "feishu_config",
    .doc = "Feishu or Lark robot",
    .keys = keys,
    .size = sizeof(struct feishu_conf),
};

static bool feishu_is_card(const struct feishu_conf *k)
{
    return str_is(k->message_type, "interactive");
}

static void feishu_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct feishu_conf *k = conf;

    (void)view;
    if (secret_is_set(k->url) == secret_is_set(k->token))
        conf_error(c, NULL, "one of \"url\" and \"token\" (or its file) is needed");
    if (k->buttons.n != 0 && !feishu_is_card(k))
        conf_error(c, "buttons", "only a card has buttons: message_type interactive");
}

/* -- the message -- */

enum { FEISHU_BODY_MAX = 20000 }; /* bytes, by Feishu */

/* What the templates gave. */
struct feishu_content {
    str title, text, color, keyword;
    struct conf_strings user_ids;
};

static void feishu_render(struct delivery *d, struct feishu_content *c)
{
    const struct feishu_conf *k = d->conf;
    const struct delivery_member color = {.text = k->color, .instead = "red"};
    str text = k->text.n != 0      ? k->text
               : feishu_is_card(k) ? S("{{ template \"feishu.default.text\" . }}")
                                   : S("{{ template \"feishu.default.plain\" . }}");

    delivery_expand_names(d, &k->mention.user_ids, &c->user_ids);
    lark_keep_ids(&c->user_ids);
    c->title = delivery_truncate_runes(d, delivery_say(d, k->title, false), LARK_TITLE_MAX);
    c->text = delivery_say(d, text, false);
    c->color = delivery_member_text(d, &color);
    c->keyword = delivery_missing_keyword(
        d, arena_printf(d->arena, "%.*s\n%.*s", STR(c->title), STR(c->text)), &k->keywords);
}

/* In plain text a tag is a mention wherever it comes from: here none comes from the text itself. */
static void feishu_add_text(struct buf *b, str text)
{
    for (size_t i = 0; i < text.n; i++) {
        str rest = str_sub(text, i, text.n);

        if (str_starts_with(rest, S("<at")) || str_starts_with(rest, S("</at")))
            buf_adds(b, "＜");
        else
            buf_addc(b, text.p[i]);
    }
}

static void feishu_put_card(struct delivery *d, struct json_writer *w,
                            const struct feishu_content *c, str text)
{
    const struct feishu_conf *k = d->conf;
    const struct lark_card card = {.title = c->title,
                                   .text = text,
                                   .color = c->color,
                                   .tail = c->keyword,
                                   .calls_all = k->mention.all,
                                   .user_ids = c->user_ids,
                                   .buttons = k->buttons.v,
                                   .n_buttons = k->buttons.n};

    json_key(w, S("card"));
    lark_put_card(d, w, &card);
}

static void feishu_put_at(struct json_writer *w, str id)
{
    json_open(w, '{');
    json_put_text(w, "tag", S("at"));
    json_put_text(w, "user_id", id);
    json_close(w, '}');
}

static void feishu_put_post(struct delivery *d, struct json_writer *w,
                            const struct feishu_content *c, str text)
{
    const struct feishu_conf *k = d->conf;

    json_key(w, S("content"));
    json_open(w, '{');
    json_key(w, S("post"));
    json_open(w, '{');
    json_key(w, S("zh_cn"));
    json_open(w, '{');
    json_put_text(w, "title", c->title);
    json_key(w, S("content"));
    json_open(w, '[');
    json_open(w, '[');
    json_open(w, '{');
    json_put_text(w, "tag", S("text"));
    json_put_text(w, "text", arena_printf(d->arena, "%.*s%.*s", STR(text), STR(c->keyword)));
    json_close(w, '}');
    json_close(w, ']');
    if (k->mention.all || c->user_ids.n != 0) {
        json_open(w, '[');
        if (k->mention.all)
            feishu_put_at(w, S("all"));
        for (size_t i = 0; i < c->user_ids.n; i++)
            feishu_put_at(w, c->user_ids.v[i]);
        json_close(w, ']');
    }
    json_close(w, ']');
    json_close(w, '}');
    json_close(w, '}');
    json_close(w, '}');
}

static void feishu_put_text(struct delivery *d, struct json_writer *w,
                            const struct feishu_content *c, str text)
{
    const struct feishu_conf *k = d->conf;
    struct buf b = BUF_INIT;

    feishu_add_text(&b, text);
    buf_add(&b, c->keyword);
    if (k->mention.all || c->user_ids.n != 0)
        buf_addc(&b, '\n');
    if (k->mention.all)
        buf_adds(&b, "<at user_id=\"all\"></at>");
    for (size_t i = 0; i < c->user_ids.n; i++)
        buf_addf(&b, "<at user_id=\"%.*s\"></at>", STR(c->user_ids.v[i]));
    json_key(w, S("content"));
    json_open(w, '{');
    json_put_text(w, "text", buf_str(&b));
    json_close(w, '}');
    buf_release(&b);
}

/* The key is what would be signed elsewhere, and the text is empty. */
static bool feishu_put_sign(struct delivery *d, struct json_writer *w)
{
    const struct feishu_conf *k = d->conf;
    str secret, at;

    if (!secret_is_set(k->secret))
        return true;
    if (!d->secret(d, k->secret, &secret))
        return false;
    at = arena_printf(d->arena, "%lld", (long long)(d->now / NS_PER_S));
    json_put_text(w, "timestamp", at);
    json_put_text(w, "sign",
                  delivery_sign(d, arena_printf(d->arena, "%.*s\n%.*s", STR(at), STR(secret)),
                                STR_NONE));
    return true;
}

/* With at most so many bytes of the text. */
static bool feishu_fill(struct delivery *d, const struct feishu_content *c, size_t max)
{
    const struct feishu_conf *k = d->conf;
    str text = delivery_truncate_markup(d, c->text, max);
    struct json_writer w;
    struct buf b = BUF_INIT;
    bool ok;

    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    ok = feishu_put_sign(d, &w);
    json_put_text(&w, "msg_type", k->message_type);
    if (feishu_is_card(k))
        feishu_put_card(d, &w, c, text);
    else if (str_is(k->message_type, "post"))
        feishu_put_post(d, &w, c, text);
    else
        feishu_put_text(d, &w, c, text);
    json_close(&w, '}');
    d->request.body = arena_take(d->arena, &b);
    return ok;
}

static bool feishu_address(struct delivery *d)
{
    const struct feishu_conf *k = d->conf;
    str token;

    if (secret_is_set(k->url))
        return d->secret(d, k->url, &d->request.url);
    if (!d->secret(d, k->token, &token))
        return false;
    d->request.url = arena_printf(d->arena, "%.*sopen-apis/bot/v2/hook/%.*s", STR(k->api_url),
                                  STR(delivery_escape_query(d, token)));
    return true;
}

static enum delivery_verdict feishu_send(struct delivery *d)
{
    static struct http_header json = {S_INIT("Content-Type"), S_INIT("application/json")};
    const struct feishu_conf *k = d->conf;
    struct feishu_content c = {0};
    size_t over;

    if (!feishu_address(d))
        return DELIVERY_RETRY; /* the file may come back */
    feishu_render(d, &c);
    if (!feishu_fill(d, &c, c.text.n))
        return DELIVERY_RETRY;
    if (d->request.body.n > FEISHU_BODY_MAX) {
        over = d->request.body.n - FEISHU_BODY_MAX;
        feishu_fill(d, &c, c.text.n > over ? c.text.n - over : 0);
    }
    d->request.method = S("POST");
    d->request.headers = (struct http_headers){&json, 1};
    d->timeout = k->timeout;
    return DELIVERY_SEND_HTTP;
}

/* -- the answer -- */

/* Also what a robot hears at full and half hours, when all of Feishu is busy: then seconds are enough. Not all come back at
 * one instant. */
static enum delivery_verdict feishu_throttled(struct delivery *d, str code, str msg)
{
    unsigned char spread = (unsigned char)delivery_group_hash(d).p[d->attempt % 32];

    d->failure = FAILURE_RATE_LIMITED;
    d->retry_after = 5 * NS_PER_S + spread * 50 * NS_PER_MS;
    err_set(&d->err, ERR_IO,
            "Feishu takes no more than 5 messages a second and 100 a minute (%.*s: %.*s)",
            STR(code), STR(msg));
    return DELIVERY_RETRY_AFTER;
}

static enum delivery_verdict feishu_refused(struct delivery *d, str code, str msg)
{
    static const struct {
        const char *code, *advice;
        enum delivery_failure failure;
    } known[] = {
        {"19001", "\"url\" or \"token\" is wrong, or the robot is gone", FAILURE_AUTH},
        {"19002", "\"url\" or \"token\" is wrong, or the robot is gone", FAILURE_AUTH},
        {"19022",
         "this machine's IP address is not allowed: add it to the robot's security settings",
         FAILURE_AUTH},
        {"19024",
         "no keyword of the robot in the message: set \"keywords\" as in the robot's security "
         "settings",
         FAILURE_CLIENT},
        {NULL, "Feishu refuses the message", FAILURE_CLIENT},
    };
    str date = http_header_get(&d->answer->headers, S("Date"));
    size_t i = 0;

    if (str_is(code, "19021")) {
        d->failure = FAILURE_AUTH;
        err_set(&d->err, ERR_IO,
                "bad signature: set \"secret\" to that of the robot's security settings, and this "
                "machine's clock (NTP): "
                "Feishu's says \"%.*s\" (19021: %.*s)",
                STR(date), STR(msg));
        return DELIVERY_FAILED;
    }
    while (known[i].code != NULL && !str_is(code, known[i].code))
        i++;
    d->failure = known[i].failure;
    err_set(&d->err, ERR_IO, "%s (%.*s: %.*s)", known[i].advice, STR(code), STR(msg));
    return DELIVERY_FAILED;
}

static enum delivery_verdict feishu_judge(struct delivery *d)
{
    static const char *const names[] = {"code", "msg", "StatusCode", "StatusMessage"};
    str said[ARRAY_LEN(names)], code, msg;
    bool is_object = delivery_answer_read(d, names, said, ARRAY_LEN(names));
    enum delivery_verdict v;

    if (is_object && str_is(said[0], "11232")) /* with 200, 400 or 429 */
        return feishu_throttled(d, said[0], str_sub(said[1], 0, 200));
    v = delivery_judge_whole(d);
    if (v != DELIVERY_OK && !(v == DELIVERY_FAILED && is_object && said[0].n != 0))
        return v;
    code = said[0].n != 0 ? said[0] : said[2]; /* the older answer */
    msg = str_sub(said[1].n != 0 ? said[1] : said[3], 0, 200);
    if (!is_object || code.n == 0) {
        err_set(&d->err, ERR_IO, "not an answer of Feishu: %.*s",
                STR(str_sub(d->answer->body, 0, 200)));
        return DELIVERY_RETRY;
    }
    if (str_is(code, "0") && v == DELIVERY_OK)
        return DELIVERY_OK;
    if (str_is(code, "9499") && str_find_str(msg, S("too many")) >= 0)
        return feishu_throttled(d, code, msg);
    return feishu_refused(d, code, msg);
}

static enum delivery_verdict feishu_step(struct delivery *d)
{
    return d->answer != NULL ? feishu_judge(d) : feishu_send(d);
}

const struct receiver_type feishu_receiver = {
    .name = "feishu",
    .config_key = "feishu_configs",
    .doc = "Feishu or Lark robot",
    .conf = &feishu_conf_type,
    .send_resolved_default = true,
    .is_ours = true,
    .uses_http = true,
    .can = CAN_DIGEST | CAN_SPLIT,
    .pace = {.limits = {{5, NS_PER_S}, {100, NS_PER_M}}, .bytes = FEISHU_BODY_MAX},
    .check = feishu_check,
    .step = feishu_step,
};
