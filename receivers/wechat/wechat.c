/* wechat.c - WeChat Work (WeCom), by an application. The robot of a group is the receiver `wecom`. */
#include "tocsin/json.h"
#include "tocsin/receiver.h"

struct wechat_conf {
    struct secret api_secret;
    str corp_id, api_url, message, to_user, to_party, to_tag, agent_id, message_type;
    str title, url; /* ours */
};

static const char *const message_types[] = {"text", "markdown", "textcard", NULL};

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
    CONF_KEY(struct wechat_conf, message_type, CONF_WORD, "text, markdown or textcard",
             .text = "text", .words = message_types),
    CONF_KEY(struct wechat_conf, title, CONF_TEMPLATE,
             "textcard: headline; unset: {{ template \"wechat.default.title\" . }}"),
    CONF_KEY(struct wechat_conf, url, CONF_TEMPLATE,
             "textcard: where it leads; unset: {{ template \"wechat.default.url\" . }}"),
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
    if (!str_is(w->message_type, "textcard") && w->title.n + w->url.n != 0)
        conf_error(c, NULL, "only a card has \"title\" and \"url\": message_type textcard");
}

static const struct conf_type wechat_conf_type = {
    .name = "wechat_config",
    .doc = "WeChat Work",
    .keys = keys,
    .size = sizeof(struct wechat_conf),
};

/* -- the requests: for a token, then with it -- */

struct wechat_progress {
    bool asks;     /* for a token */
    bool is_fresh; /* the token was asked for in this attempt */
};

enum { TOKEN_EARLY_S = 300 };

/* By the address, the company and the secret: what one of them gave is of no use with another. */
static str wechat_token_name(struct delivery *d, str secret)
{
    const struct wechat_conf *w = d->conf;

    return delivery_hash(d, arena_printf(d->arena, "wechat\n%.*s\n%.*s\n%.*s", STR(w->api_url),
                                         STR(w->corp_id), STR(secret)));
}

static void wechat_progress(struct delivery *d, bool asks, bool is_fresh)
{
    struct wechat_progress *p = arena_new(d->arena, struct wechat_progress);

    *p = (struct wechat_progress){asks, is_fresh};
    d->progress = p;
}

static enum delivery_verdict wechat_ask(struct delivery *d, str secret)
{
    const struct wechat_conf *w = d->conf;

    d->request = (struct http_request){
        .method = S("GET"),
        .url = arena_printf(d->arena, "%.*sgettoken?corpid=%.*s&corpsecret=%.*s", STR(w->api_url),
                            STR(delivery_escape_form(d, w->corp_id)),
                            STR(delivery_escape_form(d, secret)))};
    wechat_progress(d, true, false);
    return DELIVERY_SEND_HTTP;
}

static void wechat_put_content(struct json_writer *w, const char *key, str text)
{
    json_key(w, str_of(key));
    json_open(w, '{');
    json_put_text(w, "content", text);
    json_close(w, '}');
}

enum { WECHAT_TITLE_MAX = 128, WECHAT_CARD_MAX = 512 }; /* bytes, by WeChat */

/* Its text is read as HTML. */
static void wechat_put_card(struct delivery *d, struct json_writer *w)
{
    const struct wechat_conf *c = d->conf;
    str title = c->title.n != 0 ? c->title : S("{{ template \"wechat.default.title\" . }}"), url;
    const struct delivery_member m = {
        .key = "url",
        .text = c->url.n != 0 ? c->url : S("{{ template \"wechat.default.url\" . }}"),
        .always = true,
        .instead = ""};

    title = delivery_truncate_bytes(d, delivery_say(d, title, false), WECHAT_TITLE_MAX);
    url = delivery_member_text(d, &m);
    json_key(w, S("textcard"));
    json_open(w, '{');
    json_put_text(w, "title", title);
    json_put_text(w, "description",
                  delivery_truncate_markup(d, delivery_say(d, c->message, true), WECHAT_CARD_MAX));
    json_put_text(w, "url", url.n != 0 ? url : d->external_url);
    json_close(w, '}');
}

/* Those to whom it goes, or false: without one of them it would reach the wrong people, or nobody. */
static bool wechat_put_whom(struct delivery *d, struct json_writer *w)
{
    const struct wechat_conf *c = d->conf;
    const struct {
        const char *key;
        str text;
    } m[] = {{"touser", delivery_address(d, c->to_user)},
             {"toparty", d->address.n == 0 ? c->to_party : STR_NONE},
             {"totag", d->address.n == 0 ? c->to_tag : STR_NONE},
             {"agentid", c->agent_id}};

    for (size_t i = 0; i < ARRAY_LEN(m); i++) {
        str text;

        if (!delivery_expand(d, m[i].text, &text))
            return false;
        if (text.n != 0)
            json_put_text(w, m[i].key, text);
    }
    return true;
}

static enum delivery_verdict wechat_tell(struct delivery *d, str token, bool is_fresh)
{
    const struct wechat_conf *c = d->conf;
    bool is_markdown = str_is(c->message_type, "markdown");
    bool is_card = str_is(c->message_type, "textcard");
    struct json_writer w;
    struct buf b = BUF_INIT;
    str text = is_card ? STR_NONE : delivery_say(d, c->message, false);
    bool ok;

    json_writer_init(&w, &b, true);
    json_open(&w, '{');
    if (is_card)
        wechat_put_card(d, &w);
    else
        wechat_put_content(&w, "text", is_markdown ? STR_NONE : text);
    ok = wechat_put_whom(d, &w);
    json_put_text(&w, "safe", S("0"));
    json_put_text(&w, "msgtype", c->message_type);
    if (!is_card)
        wechat_put_content(&w, "markdown", is_markdown ? text : STR_NONE);
    json_close(&w, '}');
    delivery_post_json(d,
                       arena_printf(d->arena, "%.*smessage/send?access_token=%.*s", STR(c->api_url),
                                    STR(delivery_escape_form(d, token))),
                       &b);
    wechat_progress(d, false, is_fresh);
    return ok ? DELIVERY_SEND_HTTP : DELIVERY_FAILED;
}

/* -- the answers -- */

/* What is for good, and what to change. */
static const struct wechat_code {
    const char *code;
    enum delivery_failure failure;
    const char *advice;
} wechat_codes[] = {
    {"40001", FAILURE_AUTH, "\"api_secret\" is wrong"},
    {"40013", FAILURE_AUTH, "\"corp_id\" is wrong"},
    {"40056", FAILURE_CLIENT, "\"agent_id\" is wrong"},
    {"301002", FAILURE_AUTH, "\"api_secret\" is not that of the application \"agent_id\""},
    {"60020", FAILURE_AUTH,
     "this machine's address, which the answer names, is not among the application's trusted IPs: "
     "add it there"},
    {"40003", FAILURE_CLIENT, "\"to_user\" names nobody"},
    {"81013", FAILURE_CLIENT,
     "\"to_user\", \"to_party\" and \"to_tag\" name nobody whom the application may tell"},
    {"82001", FAILURE_CLIENT, "one of \"to_user\", \"to_party\" and \"to_tag\" is needed"},
    {"45002", FAILURE_CLIENT, "the message is too long"},
    {"44004", FAILURE_CLIENT, "\"message\" is empty"},
};

static enum delivery_verdict wechat_refused(struct delivery *d, str code, str msg)
{
    const char *advice = "error of WeChat";

    d->failure = FAILURE_CLIENT;
    msg = str_sub(msg, 0, 200);
    if (str_is(code, "-1")) {
        d->failure = FAILURE_SERVER;
        err_set(&d->err, ERR_IO, "WeChat is busy (-1: %.*s)", STR(msg));
        return DELIVERY_RETRY;
    }
    if (str_is(code, "45009") || str_is(code, "45033")) {
        d->failure = FAILURE_RATE_LIMITED;
        d->retry_after = NS_PER_M;
        err_set(&d->err, ERR_IO, "WeChat is asked too often (%.*s: %.*s)", STR(code), STR(msg));
        return DELIVERY_RETRY_AFTER;
    }
    for (size_t i = 0; i < ARRAY_LEN(wechat_codes); i++) {
        if (!str_is(code, wechat_codes[i].code))
            continue;
        d->failure = wechat_codes[i].failure;
        advice = wechat_codes[i].advice;
    }
    err_set(&d->err, ERR_IO, "%s (%.*s: %.*s)", advice, STR(code), STR(msg));
    return DELIVERY_FAILED;
}

/* Without the secret or the token, which an answer may repeat. */
static enum delivery_verdict wechat_no_answer(struct delivery *d)
{
    err_set(&d->err, ERR_IO, "not an answer of WeChat, of %zu bytes", d->answer->body.n);
    return DELIVERY_RETRY;
}

static enum delivery_verdict wechat_token_came(struct delivery *d, str secret)
{
    static const char *const names[] = {"errcode", "errmsg", "access_token", "expires_in"};
    str v[ARRAY_LEN(names)];
    uint64_t s = 7200;

    if (!delivery_answer_read(d, names, v, ARRAY_LEN(names)))
        return wechat_no_answer(d);
    if (v[0].n != 0 && !str_is(v[0], "0"))
        return wechat_refused(d, v[0], v[1]);
    if (v[2].n == 0)
        return wechat_no_answer(d);
    if (str_to_u64(v[3], &s) && s > 7200)
        s = 7200;
    if (s > TOKEN_EARLY_S)
        d->remember(d, wechat_token_name(d, secret), v[2], (dur_ns)(s - TOKEN_EARLY_S) * NS_PER_S);
    return wechat_tell(d, v[2], true);
}

/* A token that is not taken any more: another one, once an attempt. */
static enum delivery_verdict wechat_token_refused(struct delivery *d, str secret, str code, str msg)
{
    const struct wechat_progress *p = d->progress;

    d->remember(d, wechat_token_name(d, secret), STR_NONE, 0);
    if (!p->is_fresh)
        return wechat_ask(d, secret);
    d->failure = FAILURE_AUTH;
    err_set(&d->err, ERR_IO, "WeChat refuses the token that it has just given (%.*s: %.*s)",
            STR(code), STR(str_sub(msg, 0, 200)));
    return DELIVERY_RETRY;
}

/* It has come, to all but those whom the answer names. */
static enum delivery_verdict wechat_taken(struct delivery *d, const str invalid[3])
{
    static const char *const names[] = {"to_user", "to_party", "to_tag"};
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (invalid[i].n != 0)
            buf_addf(&b, "%s\"%s\" %.*s", b.n != 0 ? ", " : "", names[i],
                     STR(str_sub(invalid[i], 0, 100)));
    if (b.n != 0)
        err_set(&d->err, ERR_IO, "not told, as WeChat does not know them: %.*s", STR(buf_str(&b)));
    buf_release(&b);
    return DELIVERY_OK;
}

static enum delivery_verdict wechat_told(struct delivery *d, str secret)
{
    static const char *const names[] = {"errcode", "errmsg", "invaliduser", "invalidparty",
                                        "invalidtag"};
    str v[ARRAY_LEN(names)];

    if (!delivery_answer_read(d, names, v, ARRAY_LEN(names)) || v[0].n == 0)
        return wechat_no_answer(d);
    if (str_is(v[0], "0"))
        return wechat_taken(d, v + 2);
    if (str_is(v[0], "42001") || str_is(v[0], "40014") || str_is(v[0], "41001"))
        return wechat_token_refused(d, secret, v[0], v[1]);
    return wechat_refused(d, v[0], v[1]);
}

/* What a proxy or gateway says instead passes, too: Alertmanager tries everything again that is not a 200. */
static enum delivery_verdict wechat_judge(struct delivery *d, str secret)
{
    const struct wechat_progress *p = d->progress;
    enum delivery_verdict v = delivery_judge_whole(d);

    if (v == DELIVERY_FAILED && !d->lost)
        return DELIVERY_RETRY;
    if (v != DELIVERY_OK)
        return v;
    return p->asks ? wechat_token_came(d, secret) : wechat_told(d, secret);
}

static enum delivery_verdict wechat_step(struct delivery *d)
{
    const struct wechat_conf *w = d->conf;
    str secret, token;

    if (!d->secret(d, w->api_secret, &secret))
        return DELIVERY_RETRY; /* the file may come back */
    if (d->answer != NULL)
        return wechat_judge(d, secret);
    if (d->recall(d, wechat_token_name(d, secret), &token))
        return wechat_tell(d, token, false);
    return wechat_ask(d, secret);
}

const struct receiver_type wechat_receiver = {
    .name = "wechat",
    .config_key = "wechat_configs",
    .doc = "WeChat Work",
    .conf = &wechat_conf_type,
    .send_resolved_default = false,
    .uses_http = true,
    .can = CAN_DIGEST | CAN_SPLIT | CAN_PERSON,
    .pace = {.bytes = 2048},
    .check = wechat_check,
    .step = wechat_step,
};
