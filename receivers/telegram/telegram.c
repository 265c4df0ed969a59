/* telegram.c - Telegram bots. */
#include "tocsin/json.h"
#include "tocsin/receiver.h"

struct telegram_conf {
    str api_url;
    struct secret bot_token;
    int64_t chat_id, message_thread_id;
    str chat_id_file, message, parse_mode;
    bool disable_notifications;
};

static const char *const parse_modes[] = {"", "Markdown", "MarkdownV2", "HTML", NULL};

#define TELEGRAM_MESSAGE "{{ template \"telegram.default.message\" . }}"

static const struct conf_key keys[] = {
    CONF_KEY(struct telegram_conf, api_url, CONF_URL, "address of the API",
             CONF_GLOBAL(telegram_api_url)),
    CONF_KEY(struct telegram_conf, bot_token, CONF_SECRET, "token of the bot",
             CONF_GLOBAL(telegram_bot_token), .flags = CONF_PATH_FIXED),
    CONF_KEY(struct telegram_conf, chat_id, CONF_INT, "chat"),
    CONF_KEY(struct telegram_conf, chat_id_file, CONF_PATH, "file that holds the chat",
             .flags = CONF_PATH_FIXED | CONF_READ_LATER),
    CONF_KEY(struct telegram_conf, message_thread_id, CONF_INT, "topic in the chat"),
    CONF_KEY(struct telegram_conf, message, CONF_TEMPLATE, "text", .text = TELEGRAM_MESSAGE),
    CONF_KEY(struct telegram_conf, disable_notifications, CONF_BOOL, "no sound"),
    CONF_KEY(struct telegram_conf, parse_mode, CONF_WORD, "how the text is marked up",
             .text = "HTML", .words = parse_modes),
    CONF_KEYS_END,
};

static void telegram_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    struct telegram_conf *t = conf;

    (void)view;
    if (!secret_is_set(t->bot_token))
        conf_error(c, NULL,
                   "no token: \"bot_token\" is missing here and \"telegram_bot_token\" in global");
    if ((t->chat_id != 0) == (t->chat_id_file.n != 0))
        conf_error(c, NULL, "exactly one of \"chat_id\" and \"chat_id_file\" is needed");
}

static const struct conf_type telegram_conf_type = {
    .name = "telegram_config",
    .doc = "Telegram",
    .keys = keys,
    .size = sizeof(struct telegram_conf),
};

/* -- the request -- */

enum { TELEGRAM_MAX_TEXT = 4096 }; /* runes */

/* A number, or Telegram would take it for somebody's name. False: the file may say something better the next time. */
static bool telegram_chat(struct delivery *d, const struct telegram_conf *t, str *out)
{
    const struct secret file = {.file = t->chat_id_file};
    uint64_t id;

    if (d->address.n != 0 || t->chat_id_file.n == 0) {
        *out = delivery_address(d, arena_printf(d->arena, "%lld", (long long)t->chat_id));
        return true;
    }
    if (!d->secret(d, file, out))
        return false;
    *out = str_trim(*out);
    if (!str_to_u64(str_starts_with(*out, S("-")) ? str_sub(*out, 1, out->n) : *out, &id))
        return err_set(&d->err, ERR_INVALID, "'%.*s' does not hold the number of a chat",
                       STR(t->chat_id_file));
    return true;
}

/* HTML that is cut may end inside of a tag, which Telegram refuses: Alertmanager's notice stands for it. */
static str telegram_text(struct delivery *d, const struct telegram_conf *t)
{
    bool html = str_is(t->parse_mode, "HTML");
    str whole = delivery_say(d,
                             html || !str_is(t->message, TELEGRAM_MESSAGE)
                                 ? t->message
                                 : S("{{ template \"telegram.default.plain\" . }}"),
                             html);
    str cut = delivery_truncate_runes(d, whole, TELEGRAM_MAX_TEXT);

    if (html && cut.p != whole.p)
        return S("Alertmanager notification could not be sent: message length exceeds Telegram "
                 "limits.\n\t\t\tPlease check the template used for producing the message "
                 "content.");
    return cut;
}

/* Members in byte order and all of them texts, as Alertmanager sends them. */
static void telegram_fill(struct delivery *d, struct json_writer *w, str chat, bool plain)
{
    const struct telegram_conf *t = d->conf;

    json_open(w, '{');
    json_put_text(w, "chat_id", chat);
    if (t->disable_notifications)
        json_put_text(w, "disable_notification", S("true"));
    json_put_text(w, "disable_web_page_preview", S("true"));
    if (t->message_thread_id != 0 && d->address.n == 0)
        json_put_text(w, "message_thread_id",
                      arena_printf(d->arena, "%lld", (long long)t->message_thread_id));
    if (t->parse_mode.n != 0 && !plain)
        json_put_text(w, "parse_mode", t->parse_mode);
    json_put_text(w, "text", telegram_text(d, t));
    json_close(w, '}');
}

/* plain: without the mark-up, which Telegram could not read. */
static enum delivery_verdict telegram_send(struct delivery *d, bool plain)
{
    const struct telegram_conf *t = d->conf;
    struct json_writer w;
    struct buf b = BUF_INIT;
    str token, chat;

    if (!d->secret(d, t->bot_token, &token) || !telegram_chat(d, t, &chat))
        return DELIVERY_RETRY; /* the file may come back */
    json_writer_init(&w, &b, true);
    telegram_fill(d, &w, chat, plain);
    delivery_post_json(
        d, arena_printf(d->arena, "%.*s/bot%.*s/sendMessage", STR(t->api_url), STR(token)), &b);
    return DELIVERY_SEND_HTTP;
}

/* -- the answer -- */

static enum delivery_verdict telegram_refused(struct delivery *d)
{
    static const struct delivery_hint hints[] = {
        {0, "migrate_to_chat_id", "the group has another number now, set \"chat_id\" to it"},
        {0, "chat not found", "set \"chat_id\" to a chat that the bot is in"},
        {0, "message thread not found", "set \"message_thread_id\" to a topic of the chat"},
        {0, "message text is empty", "\"message\" gives no text"},
        {0, "can't parse entities", "\"message\" is not marked up as \"parse_mode\" wants it"},
        {401, NULL, "\"bot_token\" is wrong"},
        {403, NULL, "the bot may not write there: add it to the chat"},
        {404, NULL, "\"bot_token\" or \"api_url\" is wrong"},
        {0, NULL, NULL},
    };

    delivery_explain(d, hints);
    return DELIVERY_FAILED;
}

/* A page that shows its mark-up is better than none. A quote inside of a text has a backslash before it: this is the member. */
static bool telegram_may_be_plain(const struct delivery *d)
{
    return d->answer->status == 400 &&
           str_find_str(d->answer->body, S("can't parse entities")) >= 0 &&
           str_find_str(d->request.body, S(",\"parse_mode\":\"")) >= 0;
}

static enum delivery_verdict telegram_send_plain(struct delivery *d)
{
    enum delivery_verdict v = telegram_send(d, true);

    if (v == DELIVERY_SEND_HTTP) /* logged when the plain text is taken */
        (void)err_set(&d->err, ERR_IO, "sent without \"parse_mode\", as Telegram says %.*s",
                      STR(str_sub(d->answer->body, 0, 200)));
    return v;
}

/* Of a 2xx: "ok" decides. */
static enum delivery_verdict telegram_judge_body(struct delivery *d)
{
    static const char *const names[] = {"ok", "description"};
    str said[ARRAY_LEN(names)];

    if (!delivery_answer_read(d, names, said, ARRAY_LEN(names)) || said[0].n == 0) {
        err_set(&d->err, ERR_IO, "not an answer of Telegram: %.*s",
                STR(str_sub(d->answer->body, 0, 200)));
        return DELIVERY_RETRY;
    }
    if (str_is(said[0], "true"))
        return DELIVERY_OK;
    d->failure = FAILURE_CLIENT;
    err_set(&d->err, ERR_IO, "error of Telegram: %.*s", STR(str_sub(said[1], 0, 200)));
    return telegram_refused(d);
}

/* {"ok":false,"error_code":429,"description":"...","parameters":{"retry_after":5}} */
static enum delivery_verdict telegram_throttled(struct delivery *d, enum delivery_verdict v)
{
    static const char *const outer[] = {"parameters"}, *const inner[] = {"retry_after"};
    str parameters, wait;

    if (delivery_answer_read(d, outer, &parameters, 1) &&
        delivery_json_read(d, parameters, inner, &wait, 1) && delivery_wait(d, wait))
        return DELIVERY_RETRY_AFTER;
    return v;
}

static enum delivery_verdict telegram_judge(struct delivery *d)
{
    enum delivery_verdict v = delivery_judge_whole(d);

    if (d->lost)
        return v;
    if (v == DELIVERY_OK)
        return telegram_judge_body(d);
    if (d->answer->status == 429)
        return telegram_throttled(d, v);
    if (telegram_may_be_plain(d))
        return telegram_send_plain(d);
    return v == DELIVERY_FAILED ? telegram_refused(d) : v;
}

static enum delivery_verdict telegram_step(struct delivery *d)
{
    if (d->answer != NULL)
        return telegram_judge(d);
    delivery_call_nobody(d);
    return telegram_send(d, false);
}

const struct receiver_type telegram_receiver = {
    .name = "telegram",
    .config_key = "telegram_configs",
    .doc = "Telegram",
    .conf = &telegram_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .can = CAN_DIGEST | CAN_SPLIT | CAN_PERSON,
    .pace = {.limits = {{1, NS_PER_S}, {20, NS_PER_M}}, .runes = TELEGRAM_MAX_TEXT},
    .check = telegram_check,
    .step = telegram_step,
};
