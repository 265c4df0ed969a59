/* wecom.c - WeCom (企业微信), by robot of a group. The app is the receiver `wechat`, as in Alertmanager.
 *
 * Source   ecosystem.md 1.4; https://developer.work.weixin.qq.com/document/path/91770
 */
#include "tocsin/buf.h"
#include "tocsin/json.h"
#include "tocsin/receiver.h"

struct wecom_mention {
    bool all;
    struct conf_strings user_ids, mobiles;
};

struct wecom_conf {
    struct secret url, key;
    str api_url, message_type, text;
    struct wecom_mention mention;
    dur_ns timeout;
};

static const struct conf_key mention_keys[] = {
    CONF_KEY(struct wecom_mention, all, CONF_BOOL, "everybody in the group"),
    CONF_KEY(struct wecom_mention, user_ids, CONF_STRINGS,
             "user ids; templates, commas part several"),
    CONF_KEY(struct wecom_mention, mobiles, CONF_STRINGS,
             "phone numbers, of message_type text; templates, commas part several"),
    CONF_KEYS_END,
};
static const struct conf_type mention_type = {
    .name = "wecom_mention", .keys = mention_keys, .size = sizeof(struct wecom_mention)};

static const char *const message_types[] = {"markdown", "text", NULL};

static const struct conf_key keys[] = {
    CONF_KEY(struct wecom_conf, url, CONF_SECRET_URL, "address of the robot, with its key",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct wecom_conf, key, CONF_SECRET, "key, in place of url", .flags = CONF_PATH_FIXED),
    CONF_KEY(struct wecom_conf, api_url, CONF_URL, "for key; a private edition has its own",
             .text = "https://qyapi.weixin.qq.com", .flags = CONF_SLASH),
    CONF_KEY(struct wecom_conf, message_type, CONF_WORD, "form of the message", .text = "markdown",
             .words = message_types),
    CONF_KEY(struct wecom_conf, text, CONF_TEMPLATE,
             "text; unset: {{ template \"wecom.default.text\" . }}, or wecom.default.plain of "
             "message_type text"),
    CONF_KEY(struct wecom_conf, mention, CONF_STRUCT, "who is called", .sub = &mention_type),
    CONF_KEY(struct wecom_conf, timeout, CONF_GO_DURATION, "limit for one request, 0 = none"),
    CONF_KEYS_END,
};

static const struct conf_type wecom_conf_type = {
    .name = "wecom_config",
    .doc = "WeCom robot",
    .keys = keys,
    .size = sizeof(struct wecom_conf),
};

static bool wecom_is_text(const struct wecom_conf *k)
{
    return str_is(k->message_type, "text");
}

static void wecom_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct wecom_conf *k = conf;

    (void)view;
    if (secret_is_set(k->url) == secret_is_set(k->key))
        conf_error(c, NULL, "one of \"url\" and \"key\" (or its file) is needed");
    if (!wecom_is_text(k) && (k->mention.mobiles.n != 0 || k->mention.all))
        conf_error(c, "mention", "Markdown calls people by \"user_ids\" only: message_type text");
}

/* -- the message -- */

enum { WECOM_MARKDOWN_MAX = 4096, WECOM_TEXT_MAX = 2048 }; /* bytes of the text, by WeCom */

static void wecom_put_names(struct json_writer *w, const char *key, bool all,
                            struct conf_strings names)
{
    if (!all && names.n == 0)
        return;
    json_key(w, str_of(key));
    json_open(w, '[');
    for (size_t i = 0; i < names.n; i++)
        json_put_str(w, names.v[i]);
    if (all)
        json_put_str(w, S("@all"));
    json_close(w, ']');
}

/* Names stand in markup: what would end it is no name. */
static str wecom_mentions(struct delivery *d, struct conf_strings names)
{
    struct buf b = BUF_INIT;
    str out;

    for (size_t i = 0; i < names.n; i++)
        if (str_find(names.v[i], '>') < 0 && str_find(names.v[i], '<') < 0)
            buf_addf(&b, "%s<@%.*s>", b.n == 0 ? "\n" : "", STR(names.v[i]));
    out = arena_str(d->arena, buf_str(&b));
    buf_release(&b);
    return out;
}

static void wecom_fill(struct delivery *d)
{
    const struct wecom_conf *k = d->conf;
    bool is_text = wecom_is_text(k);
    struct conf_strings users, mobiles;
    str text, tail = STR_NONE;
    size_t max = is_text ? WECOM_TEXT_MAX : WECOM_MARKDOWN_MAX;
    struct json_writer w;
    struct buf b = BUF_INIT;

    delivery_expand_names(d, &k->mention.user_ids, &users);
    delivery_expand_names(d, &k->mention.mobiles, &mobiles);
    text = delivery_say(d,
                        k->text.n != 0 ? k->text
                        : is_text      ? S("{{ template \"wecom.default.plain\" . }}")
                                       : S("{{ template \"wecom.default.text\" . }}"),
                        false);
    if (!is_text)
        tail = wecom_mentions(d, users);
    text = delivery_truncate_markup(d, text, max > tail.n ? max - tail.n : 0);
    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    json_put_text(&w, "msgtype", k->message_type);
    json_key(&w, k->message_type);
    json_open(&w, '{');
    json_put_text(&w, "content", arena_printf(d->arena, "%.*s%.*s", STR(text), STR(tail)));
    if (is_text) {
        wecom_put_names(&w, "mentioned_list", k->mention.all, users);
        wecom_put_names(&w, "mentioned_mobile_list", false, mobiles);
    }
    json_close(&w, '}');
    json_close(&w, '}');
    d->request.body = arena_take(d->arena, &b);
}

static enum delivery_verdict wecom_send(struct delivery *d)
{
    static struct http_header json = {S_INIT("Content-Type"), S_INIT("application/json")};
    const struct wecom_conf *k = d->conf;
    str key;

    if (secret_is_set(k->url)) {
        if (!d->secret(d, k->url, &d->request.url))
            return DELIVERY_RETRY; /* the file may come back */
    } else {
        if (!d->secret(d, k->key, &key))
            return DELIVERY_RETRY;
        d->request.url = arena_printf(d->arena, "%.*scgi-bin/webhook/send?key=%.*s",
                                      STR(k->api_url), STR(delivery_escape_query(d, key)));
    }
    wecom_fill(d);
    d->request.method = S("POST");
    d->request.headers = (struct http_headers){&json, 1};
    d->timeout = k->timeout;
    return DELIVERY_SEND_HTTP;
}

/* -- the answer -- */

static enum delivery_verdict wecom_refused(struct delivery *d, str code, str msg)
{
    static const struct {
        const char *code, *advice;
        enum delivery_failure failure;
    } known[] = {
        {"93000", "the key in \"url\" or \"key\" is wrong, or the robot is gone", FAILURE_AUTH},
        {"93008", "the robot is not in the group any more", FAILURE_AUTH},
        {"93017", "the robot is stopped: start it in the group's settings", FAILURE_AUTH},
        {"60020", "this machine's IP address is not allowed: add the one that is named here",
         FAILURE_AUTH},
        {"44004", "the message is empty: see \"text\"", FAILURE_CLIENT},
        {"40058", "WeCom finds something wrong in the message", FAILURE_CLIENT},
        {NULL, "WeCom refuses the message", FAILURE_CLIENT},
    };
    size_t i = 0;

    while (known[i].code != NULL && !str_is(code, known[i].code))
        i++;
    d->failure = known[i].failure;
    err_set(&d->err, ERR_IO, "%s (%.*s: %.*s)", known[i].advice, STR(code), STR(msg));
    return DELIVERY_FAILED;
}

static enum delivery_verdict wecom_judge(struct delivery *d)
{
    static const char *const names[] = {"errcode", "errmsg"};
    enum delivery_verdict v = delivery_judge_whole(d);
    str said[ARRAY_LEN(names)], msg;

    if (v != DELIVERY_OK)
        return v;
    if (!delivery_answer_read(d, names, said, ARRAY_LEN(names)) || said[0].n == 0) {
        err_set(&d->err, ERR_IO, "not an answer of WeCom: %.*s",
                STR(str_sub(d->answer->body, 0, 200)));
        return DELIVERY_RETRY;
    }
    msg = str_sub(said[1], 0, 200);
    if (str_is(said[0], "0"))
        return DELIVERY_OK;
    if (str_is(said[0], "45009")) {
        d->failure = FAILURE_RATE_LIMITED;
        d->retry_after = NS_PER_M;
        err_set(&d->err, ERR_IO, "WeCom takes no more than 20 messages a minute (45009: %.*s)",
                STR(msg));
        return DELIVERY_RETRY_AFTER;
    }
    if (str_is(said[0], "-1")) {
        d->failure = FAILURE_SERVER;
        err_set(&d->err, ERR_IO, "WeCom is busy (-1: %.*s)", STR(msg));
        return DELIVERY_RETRY;
    }
    return wecom_refused(d, said[0], msg);
}

static enum delivery_verdict wecom_step(struct delivery *d)
{
    return d->answer != NULL ? wecom_judge(d) : wecom_send(d);
}

const struct receiver_type wecom_receiver = {
    .name = "wecom",
    .config_key = "wecom_configs",
    .doc = "WeCom robot",
    .conf = &wecom_conf_type,
    .send_resolved_default = true,
    .is_ours = true,
    .uses_http = true,
    .can = CAN_DIGEST | CAN_SPLIT,
    .pace = {.limits = {{20, NS_PER_M}}, .bytes = WECOM_MARKDOWN_MAX},
    .check = wecom_check,
    .step = wecom_step,
};
