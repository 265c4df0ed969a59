/* dingtalk.c - DingTalk, by custom robot.
 *
 * Source   https://open.dingtalk.com/document/robots/custom-robot-access
 */
#include "tocsin/buf.h"
#include "tocsin/json.h"
#include "tocsin/receiver.h"

struct dingtalk_mention {
    bool all;
    struct conf_strings mobiles, user_ids;
};

struct dingtalk_button {
    str title, url;
};

struct dingtalk_conf {
    struct secret url, access_token, secret;
    str api_url, message_type, title, text, single_title, single_url;
    struct dingtalk_mention mention;
    struct conf_strings keywords;
    CONF_LIST_OF(struct dingtalk_button) buttons;
    dur_ns timeout;
};

static const struct conf_key mention_keys[] = {
    CONF_KEY(struct dingtalk_mention, all, CONF_BOOL, "everybody in the group"),
    CONF_KEY(struct dingtalk_mention, mobiles, CONF_STRINGS,
             "phone numbers, +CC-number abroad; templates, commas part several"),
    CONF_KEY(struct dingtalk_mention, user_ids, CONF_STRINGS,
             "user ids; templates, commas part several"),
    CONF_KEYS_END,
};
static const struct conf_type mention_type = {
    .name = "dingtalk_mention", .keys = mention_keys, .size = sizeof(struct dingtalk_mention)};

static const struct conf_key button_keys[] = {
    CONF_KEY(struct dingtalk_button, title, CONF_TEMPLATE, "text on it", .flags = CONF_REQUIRED),
    CONF_KEY(struct dingtalk_button, url, CONF_TEMPLATE, "where it leads", .flags = CONF_REQUIRED),
    CONF_KEYS_END,
};
static const struct conf_type button_type = {
    .name = "dingtalk_button", .keys = button_keys, .size = sizeof(struct dingtalk_button)};

static const char *const message_types[] = {"text", "markdown", "actionCard", NULL};

static const struct conf_key keys[] = {
    CONF_KEY(struct dingtalk_conf, url, CONF_SECRET_URL,
             "address of the robot, with its access_token", .flags = CONF_PATH_FIXED),
    CONF_KEY(struct dingtalk_conf, access_token, CONF_SECRET, "token, in place of url",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct dingtalk_conf, api_url, CONF_URL,
             "for access_token; an exclusive edition has one of its own",
             .text = "https://oapi.dingtalk.com", .flags = CONF_SLASH),
    CONF_KEY(struct dingtalk_conf, secret, CONF_SECRET, "SEC...: messages are signed",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct dingtalk_conf, message_type, CONF_WORD, "form of the message",
             .text = "markdown", .words = message_types),
    CONF_KEY(struct dingtalk_conf, title, CONF_TEMPLATE, "what the phone's notification shows",
             .text = "{{ template \"dingtalk.default.title\" . }}"),
    CONF_KEY(struct dingtalk_conf, text, CONF_TEMPLATE, "text",
             .text = "{{ template \"dingtalk.default.text\" . }}"),
    CONF_KEY(struct dingtalk_conf, mention, CONF_STRUCT,
             "who is called; not with message_type actionCard", .sub = &mention_type),
    CONF_KEY(struct dingtalk_conf, keywords, CONF_STRINGS,
             "those of the robot's security settings: a message without any gets the first"),
    CONF_KEY(struct dingtalk_conf, single_title, CONF_TEMPLATE, "actionCard: text on its button"),
    CONF_KEY(struct dingtalk_conf, single_url, CONF_TEMPLATE, "actionCard: where it leads"),
    CONF_KEY(struct dingtalk_conf, buttons, CONF_LIST, "actionCard: several buttons",
             .sub = &button_type, .flags = CONF_NO_NULLS),
    CONF_KEY(struct dingtalk_conf, timeout, CONF_GO_DURATION, "limit for one request, 0 = none"),
    CONF_KEYS_END,
};

static void dingtalk_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct dingtalk_conf *k = conf;
    bool single = k->single_title.n != 0 && k->single_url.n != 0;

    (void)view;
    if (secret_is_set(k->url) == secret_is_set(k->access_token))
        conf_error(c, NULL, "one of \"url\" and \"access_token\" (or its file) is needed");
    if ((k->single_title.n != 0) != (k->single_url.n != 0))
        conf_error(c, NULL, "\"single_title\" and \"single_url\" belong together");
    if (single && k->buttons.n != 0)
        conf_error(c, "buttons", "either \"single_title\" or \"buttons\"");
    if (str_is(k->message_type, "actionCard") && !single && k->buttons.n == 0)
        conf_error(c, "message_type", "an actionCard needs \"single_title\" or \"buttons\"");
}

/* A robot is its token, whether that stands by itself or in an address of DingTalk's own. */
static bool dingtalk_destination(const void *conf, struct buf *out)
{
    const struct dingtalk_conf *k = conf;
    str url = k->url.hidden, token = k->access_token.hidden, mark = S("access_token=");
    str home = S("https://oapi.dingtalk.com/robot/send");
    ptrdiff_t at = str_find_str(url, mark);

    if (url.n != 0 && at >= 0) {
        home = str_sub(url, 0, (size_t)at - 1);
        token = str_sub(url, (size_t)at + mark.n, url.n);
        token = str_cut(&token, '&');
    }
    if (token.n == 0)
        return false;
    buf_addf(out, "%.*s %.*s", STR(home), STR(token));
    return true;
}

static const struct conf_type dingtalk_conf_type = {
    .name = "dingtalk_config",
    .doc = "DingTalk robot",
    .keys = keys,
    .size = sizeof(struct dingtalk_conf),
};

/* -- the message -- */

enum { MAX_BODY = 20000 /* bytes, by DingTalk */, MAX_TITLE = 200 /* runes, by us */ };

/* What the templates gave, and what is added behind the text. */
struct content {
    str title, text, tail;
    struct conf_strings mobiles, user_ids;
};

/* Nobody is highlighted whose "@name" is not in the text too. */
static void add_names(struct buf *b, str text, struct conf_strings names)
{
    for (size_t i = 0; i < names.n; i++) {
        struct buf at = BUF_INIT;

        buf_addf(&at, "@%.*s", STR(names.v[i]));
        if (str_find_str(text, buf_str(&at)) < 0) {
            buf_addc(b, b->n == 0 ? '\n' : ' ');
            buf_add(b, buf_str(&at));
        }
        buf_release(&at);
    }
}

static void render_content(struct delivery *d, const struct dingtalk_conf *k, struct content *c)
{
    struct buf tail = BUF_INIT;

    if (!str_is(k->message_type, "actionCard")) {
        delivery_expand_names(d, &k->mention.mobiles, &c->mobiles);
        delivery_expand_names(d, &k->mention.user_ids, &c->user_ids);
    }
    d->at_mobiles = &c->mobiles;
    c->title = delivery_truncate_runes(d, delivery_say(d, k->title, false), MAX_TITLE);
    c->text = delivery_say(d, k->text, false);
    d->at_mobiles = NULL;
    if (!str_is(k->message_type, "actionCard")) {
        add_names(&tail, c->text, c->mobiles);
        add_names(&tail, c->text, c->user_ids);
    }
    buf_add(&tail, delivery_missing_keyword(d, c->text, &k->keywords));
    c->tail = arena_str(d->arena, buf_str(&tail));
    buf_release(&tail);
}

static void put_names(struct json_writer *w, str key, struct conf_strings names)
{
    json_key(w, key);
    json_open(w, '[');
    for (size_t i = 0; i < names.n; i++)
        json_put_str(w, names.v[i]);
    json_close(w, ']');
}

static void put_at(struct json_writer *w, const struct content *c, bool all)
{
    json_key(w, S("at"));
    json_open(w, '{');
    put_names(w, S("atMobiles"), c->mobiles);
    put_names(w, S("atUserIds"), c->user_ids);
    json_key(w, S("isAtAll"));
    json_put_bool(w, all);
    json_close(w, '}');
}

static void put_buttons(struct delivery *d, struct json_writer *w, const struct dingtalk_conf *k)
{
    const struct delivery_member single[] = {{"singleTitle", k->single_title},
                                             {"singleURL", k->single_url, .instead = ""}};

    if (k->buttons.n == 0) {
        delivery_put_members(d, w, single, ARRAY_LEN(single));
        return;
    }
    json_key(w, S("btns"));
    json_open(w, '[');
    for (size_t i = 0; i < k->buttons.n; i++) {
        const struct delivery_member m[] = {{"title", k->buttons.v[i].title, .always = true},
                                            {"actionURL", k->buttons.v[i].url, .always = true,
                                             .instead = ""}};

        json_open(w, '{');
        delivery_put_members(d, w, m, ARRAY_LEN(m));
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* The first keep bytes of the text, no rune split, and everything that stands behind it. */
static str cut_text(struct delivery *d, const struct content *c, size_t keep)
{
    if (keep < c->text.n)
        while (keep != 0 && ((unsigned char)c->text.p[keep] & 0xc0) == 0x80)
            keep--;
    return arena_printf(d->arena, "%.*s%s%.*s", STR(str_sub(c->text, 0, keep)),
                        keep < c->text.n ? "…" : "", STR(c->tail));
}

static void dingtalk_fill(struct delivery *d, const struct content *c, size_t keep)
{
    const struct dingtalk_conf *k = d->conf;
    bool is_text = str_is(k->message_type, "text"), is_card = str_is(k->message_type, "actionCard");
    struct json_writer w;
    struct buf b = BUF_INIT;

    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    json_put_text(&w, "msgtype", k->message_type);
    json_key(&w, k->message_type);
    json_open(&w, '{');
    if (!is_text)
        json_put_text(&w, "title", c->title);
    json_put_text(&w, is_text ? "content" : "text", cut_text(d, c, keep));
    if (is_card)
        put_buttons(d, &w, k);
    json_close(&w, '}');
    if (!is_card)
        put_at(&w, c, k->mention.all);
    json_close(&w, '}');
    d->request.body = arena_take(d->arena, &b);
}

/* -- the request -- */

static bool address(struct delivery *d, const struct dingtalk_conf *k, str *url)
{
    str token, secret, sign;
    long long ms = d->now / NS_PER_MS;

    if (secret_is_set(k->url)) {
        if (!d->secret(d, k->url, url))
            return false;
    } else {
        if (!d->secret(d, k->access_token, &token))
            return false;
        *url = arena_printf(d->arena, "%.*srobot/send?access_token=%.*s", STR(k->api_url),
                            STR(delivery_escape_query(d, token)));
    }
    if (!secret_is_set(k->secret))
        return true;
    if (!d->secret(d, k->secret, &secret))
        return false;
    sign = delivery_sign(d, secret, arena_printf(d->arena, "%lld\n%.*s", ms, STR(secret)));
    *url =
        arena_printf(d->arena, "%.*s%ctimestamp=%lld&sign=%.*s", STR(*url),
                     str_find(*url, '?') >= 0 ? '&' : '?', ms, STR(delivery_escape_query(d, sign)));
    return true;
}

static enum delivery_verdict dingtalk_send(struct delivery *d)
{
    static struct http_header json = {S_INIT("Content-Type"), S_INIT("application/json")};
    const struct dingtalk_conf *k = d->conf;
    struct content c = {0};
    size_t over;

    if (!address(d, k, &d->request.url))
        return DELIVERY_RETRY; /* the file may come back */
    render_content(d, k, &c);
    dingtalk_fill(d, &c, c.text.n);
    if (d->request.body.n > MAX_BODY) {
        over = d->request.body.n - MAX_BODY + strlen("…");
        delivery_note_long(d, d->request.body.n, MAX_BODY);
        dingtalk_fill(d, &c, c.text.n > over ? c.text.n - over : 0);
    }
    d->request.method = S("POST");
    d->request.headers = (struct http_headers){&json, 1};
    d->timeout = k->timeout;
    return DELIVERY_SEND_HTTP;
}

/* -- the answer -- */

static bool dingtalk_says(str text, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++)
        if (str_find_str(text, str_of(words[i])) >= 0)
            return true;
    return false;
}

/* 310000 is any of the robot's security settings; only the text tells which, in two languages. */
static void explain_security(struct delivery *d, str msg)
{
    static const char *const skew[] = {"invalid timestamp", "expire", "过期", NULL};
    static const char *const word[] = {"keyword", "关键词", NULL};
    static const char *const sign[] = {"sign", "签名", NULL};
    static const char *const ip[] = {"whitelist", "白名单", "IP", "ip ", NULL};
    str date = http_header_get(&d->answer->headers, S("Date"));
    const char *advice = "see the robot's security settings";

    msg = str_sub(msg, 0, 200);
    if (dingtalk_says(msg, skew)) {
        err_set(&d->err, ERR_IO,
                "clock skew: set this machine's clock (NTP), it is more than an hour away from "
                "DingTalk's, where it is \"%.*s\" (310000: %.*s)",
                STR(date), STR(msg));
        return;
    }
    if (dingtalk_says(msg, word))
        advice = "no keyword of the robot in the message: set \"keywords\" as in the robot's "
                 "security settings";
    else if (dingtalk_says(msg, sign))
        advice = "bad signature: set \"secret\" to the SEC... of the robot's security settings";
    else if (dingtalk_says(msg, ip))
        advice = "this machine's IP address is not allowed: add it to the robot's security "
                 "settings";
    err_set(&d->err, ERR_IO, "%s (310000: %.*s)", advice, STR(msg));
}

static enum delivery_verdict throttled(struct delivery *d, str code, str msg)
{
    d->failure = FAILURE_RATE_LIMITED;
    d->retry_after = NS_PER_M; /* 20 messages a minute a robot */
    err_set(&d->err, ERR_IO, "DingTalk takes no more than 20 messages a minute (%.*s: %.*s)",
            STR(code), STR(str_sub(msg, 0, 200)));
    return DELIVERY_RETRY_AFTER;
}

static enum delivery_verdict dingtalk_refused(struct delivery *d, str code, str msg)
{
    static const struct {
        const char *code, *advice;
    } known[] = {
        {"400013", "the group is disbanded: "},
        {"400101", "\"access_token\" is wrong: "},
        {"400102", "the robot is stopped, start it in the group's settings: "},
        {"300001", "\"access_token\" is wrong: "},
        {NULL, ""},
    };
    size_t i = 0;

    d->failure = FAILURE_CLIENT;
    if (str_is(code, "460101") || str_is(code, "101002")) {
        err_set(&d->err, ERR_LIMIT, "the message of %zu bytes is too long (%.*s: %.*s)",
                d->request.body.n, STR(code), STR(str_sub(msg, 0, 200)));
        return DELIVERY_FAILED;
    }
    if (str_is(code, "310000")) {
        d->failure = FAILURE_AUTH;
        explain_security(d, msg);
        return DELIVERY_FAILED;
    }
    while (known[i].code != NULL && !str_is(code, known[i].code))
        i++;
    err_set(&d->err, ERR_IO, "%serror of DingTalk %.*s: %.*s", known[i].advice, STR(code),
            STR(str_sub(msg, 0, 200)));
    return DELIVERY_FAILED;
}

static enum delivery_verdict dingtalk_judge(struct delivery *d)
{
    static const char *const names[] = {"errcode", "errmsg", "punish"};
    enum delivery_verdict v = delivery_judge_whole(d);
    str said[ARRAY_LEN(names)], code;

    if (v != DELIVERY_OK)
        return v;
    if (!delivery_answer_read(d, names, said, ARRAY_LEN(names)) ||
        (said[0].n == 0 && said[2].n == 0)) {
        err_set(&d->err, ERR_IO, "not an answer of DingTalk: %.*s",
                STR(str_sub(d->answer->body, 0, 200)));
        return DELIVERY_RETRY;
    }
    code = said[0];
    if (str_is(code, "0"))
        return DELIVERY_OK;
    if (str_is(code, "130101") || str_is(code, "410100") || said[2].n != 0)
        return throttled(d, code, said[1]);
    if (str_is(code, "-1")) {
        d->failure = FAILURE_SERVER;
        err_set(&d->err, ERR_IO, "DingTalk is busy (-1: %.*s)", STR(str_sub(said[1], 0, 200)));
        return DELIVERY_RETRY;
    }
    return dingtalk_refused(d, code, said[1]);
}

static enum delivery_verdict dingtalk_step(struct delivery *d)
{
    return d->answer != NULL ? dingtalk_judge(d) : dingtalk_send(d);
}

const struct receiver_type dingtalk_receiver = {
    .name = "dingtalk",
    .config_key = "dingtalk_configs",
    .doc = "DingTalk robot",
    .conf = &dingtalk_conf_type,
    .send_resolved_default = true,
    .is_ours = true,
    .uses_http = true,
    .can = CAN_DIGEST | CAN_SPLIT,
    .pace = {.limits = {{20, NS_PER_M}}, .bytes = MAX_BODY},
    .destination = dingtalk_destination,
    .check = dingtalk_check,
    .step = dingtalk_step,
};
