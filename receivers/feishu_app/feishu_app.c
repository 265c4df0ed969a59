/* feishu_app.c - Feishu and Lark, by an application of one's own: a card to chats and to people, which later messages of the group
 * change, and which can call people by the client, a text message or a call.
 *
 * A token first, then for each address: the card; or its change, and under it a line, as a change rings nowhere; then who is
 * urged. What an attempt has done stands in delivery->had, a line an address: ADDRESS MESSAGE STEPS.
 *
 * Source   ecosystem.md 1.5; https://open.feishu.cn/document/server-docs/im-v1/introduction
 */
#include "lark.h"
#include "tocsin/buf.h"

struct feishu_app_conf {
    struct secret app_secret;
    str app_id, api_url, user_id_type, title, text, color, urgent;
    struct conf_strings chats, users, emails, urgent_users;
    bool update_message;
    CONF_LIST_OF(struct lark_button) buttons;
    dur_ns timeout;
};

static const char *const user_id_types[] = {"open_id", "user_id", "union_id", NULL};
static const char *const urgents[] = {"app", "sms", "phone", NULL};

static const struct conf_key keys[] = {
    CONF_KEY(struct feishu_app_conf, app_id, CONF_STRING, "the application: cli_...",
             .flags = CONF_REQUIRED),
    CONF_KEY(struct feishu_app_conf, app_secret, CONF_SECRET, "its secret",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct feishu_app_conf, api_url, CONF_URL,
             "Lark: https://open.larksuite.com, or a private edition",
             .text = "https://open.feishu.cn", .flags = CONF_SLASH),
    CONF_KEY(struct feishu_app_conf, chats, CONF_STRINGS,
             "chat_id (oc_...); templates, commas part several"),
    CONF_KEY(struct feishu_app_conf, users, CONF_STRINGS,
             "people, by user_id_type; templates, commas part several"),
    CONF_KEY(struct feishu_app_conf, emails, CONF_STRINGS,
             "people, by address of mail; templates, commas part several"),
    CONF_KEY(struct feishu_app_conf, user_id_type, CONF_WORD, "what users are named by",
             .text = "open_id", .words = user_id_types),
    CONF_KEY(struct feishu_app_conf, title, CONF_TEMPLATE, "headline",
             .text = "{{ template \"feishu.default.title\" . }}"),
    CONF_KEY(struct feishu_app_conf, text, CONF_TEMPLATE, "text",
             .text = "{{ template \"feishu.default.text\" . }}"),
    CONF_KEY(struct feishu_app_conf, color, CONF_TEMPLATE, "of the headline: red, orange, green",
             .text = "{{ template \"feishu.default.color\" . }}"),
    CONF_KEY(struct feishu_app_conf, buttons, CONF_LIST, "of the card", .sub = &lark_button_type,
             .flags = CONF_NO_NULLS),
    CONF_KEY(struct feishu_app_conf, update_message, CONF_BOOL,
             "later messages of a group change the card, and say so under it", .text = "true"),
    CONF_KEY(struct feishu_app_conf, urgent, CONF_WORD,
             "while something fires, people are urged: app, sms or phone", .words = urgents),
    CONF_KEY(struct feishu_app_conf, urgent_users, CONF_STRINGS,
             "of chats: who, by user_id_type; templates, commas part several"),
    CONF_KEY(struct feishu_app_conf, timeout, CONF_GO_DURATION,
             "limit for one request, 0 = a minute"),
    CONF_KEYS_END,
};

static const struct conf_type feishu_app_conf_type = {
    .name = "feishu_app_config",
    .doc = "Feishu or Lark application",
    .keys = keys,
    .size = sizeof(struct feishu_app_conf),
};

static void feishu_app_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct feishu_app_conf *k = conf;

    (void)view;
    if (!secret_is_set(k->app_secret))
        conf_error(c, NULL, "\"app_secret\" (or its file) is needed");
    if (k->chats.n + k->users.n + k->emails.n == 0)
        conf_error(c, NULL, "one of \"chats\", \"users\" and \"emails\" is needed");
    if (k->urgent.n != 0 && k->users.n + k->urgent_users.n == 0)
        conf_error(c, "urgent", "whom? \"users\", or \"urgent_users\" of chats");
    if (k->urgent.n == 0 && k->urgent_users.n != 0)
        conf_error(c, "urgent_users", "how? \"urgent\"");
}

/* -- to whom -- */

struct feishu_to {
    const char *type; /* receive_id_type */
    str id;
};

struct feishu_tos {
    struct feishu_to *v;
    size_t n;
};

static void feishu_app_add(struct delivery *d, struct feishu_tos *tos, const char *type,
                           const struct conf_strings *configured)
{
    struct conf_strings names;
    struct feishu_to *v;

    delivery_expand_names(d, configured, &names);
    v = arena_array(d->arena, tos->n + names.n, sizeof(*v));
    if (tos->n != 0)
        memcpy(v, tos->v, tos->n * sizeof(*v));
    tos->v = v;
    for (size_t i = 0; i < names.n; i++)
        if (str_find(names.v[i], ' ') < 0 && str_find(names.v[i], '\n') < 0)
            tos->v[tos->n++] = (struct feishu_to){type, names.v[i]};
}

/* A person's own address says by its form what it is. */
static struct feishu_tos feishu_app_tos(struct delivery *d)
{
    const struct feishu_app_conf *k = d->conf;
    const struct conf_strings own = {&d->address, d->address.n != 0};
    struct feishu_tos tos = {0};

    if (own.n != 0) {
        feishu_app_add(d, &tos,
                       str_find(d->address, '@') >= 0          ? "email"
                       : str_starts_with(d->address, S("oc_")) ? "chat_id"
                                                               : arena_z(d->arena, k->user_id_type),
                       &own);
        return tos;
    }
    feishu_app_add(d, &tos, "chat_id", &k->chats);
    feishu_app_add(d, &tos, arena_z(d->arena, k->user_id_type), &k->users);
    feishu_app_add(d, &tos, "email", &k->emails);
    return tos;
}

/* -- what has become of each -- */

enum feishu_stage { STAGE_CARD, STAGE_LINE, STAGE_URGE, STAGE_DONE };

struct feishu_state {
    str message; /* "-": none, "!": refused for good */
    uint64_t stage;
};

/* Between the requests of an attempt. */
struct feishu_progress {
    bool asks;     /* for a token */
    bool is_fresh; /* the token was asked for in this attempt */
    bool changed;  /* the card that is there was changed */
    bool replied;  /* the card stands under another, a digest's */
    size_t at;     /* of the addresses */
    str token, had, why;
    bool is_later;
    dur_ns wait;
    enum delivery_failure failure;
};

static struct feishu_state feishu_state_of(str had, str id)
{
    while (had.n != 0) {
        str line = str_cut(&had, '\n');
        struct feishu_state s = {0};

        if (!str_eq(str_cut(&line, ' '), id))
            continue;
        s.message = str_cut(&line, ' ');
        (void)str_to_u64(line, &s.stage);
        return s;
    }
    return (struct feishu_state){0};
}

static void feishu_mark(struct delivery *d, struct feishu_progress *p, str id, str message,
                        enum feishu_stage stage)
{
    struct buf b = BUF_INIT;
    str had = p->had;

    while (had.n != 0) {
        str line = str_cut(&had, '\n'), whole = line;

        if (!str_eq(str_cut(&line, ' '), id))
            buf_addf(&b, "%.*s\n", STR(whole));
    }
    buf_addf(&b, "%.*s %.*s %d\n", STR(id), STR(message), (int)stage);
    p->had = arena_take(d->arena, &b);
}

/* -- the requests -- */

enum { FEISHU_APP_BODY_MAX = 30000, FEISHU_EARLY_S = 300 };

static str feishu_app_token_name(struct delivery *d, str secret)
{
    const struct feishu_app_conf *k = d->conf;

    return delivery_hash(d, arena_printf(d->arena, "feishu\n%.*s\n%.*s\n%.*s", STR(k->api_url),
                                         STR(k->app_id), STR(secret)));
}

static void feishu_app_request(struct delivery *d, const char *method, str path, struct buf *body,
                               const struct feishu_progress *p)
{
    const struct feishu_app_conf *k = d->conf;
    struct http_header *h = arena_array(d->arena, 2, sizeof(*h));
    struct feishu_progress *kept = arena_new(d->arena, struct feishu_progress);

    h[0] = (struct http_header){S("Content-Type"), S("application/json; charset=utf-8")};
    h[1] = (struct http_header){S("Authorization"),
                                arena_printf(d->arena, "Bearer %.*s", STR(p->token))};
    d->request = (struct http_request){.method = str_of(method),
                                       .url = arena_printf(d->arena, "%.*sopen-apis/%.*s",
                                                           STR(k->api_url), STR(path)),
                                       .headers = {h, p->asks ? 1 : 2},
                                       .body = arena_take(d->arena, body)};
    d->timeout = k->timeout;
    *kept = *p;
    d->progress = kept;
}

static enum delivery_verdict feishu_app_ask(struct delivery *d, struct feishu_progress *p,
                                            str secret)
{
    const struct feishu_app_conf *k = d->conf;
    struct json_writer w;
    struct buf b = BUF_INIT;

    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    json_put_text(&w, "app_id", k->app_id);
    json_put_text(&w, "app_secret", secret);
    json_close(&w, '}');
    p->asks = true;
    feishu_app_request(d, "POST", S("auth/v3/tenant_access_token/internal"), &b, p);
    return DELIVERY_SEND_HTTP;
}

/* With at most so many bytes of the text. */
static str feishu_app_card(struct delivery *d, str title, str text, size_t max)
{
    const struct feishu_app_conf *k = d->conf;
    const struct delivery_member color = {.text = k->color, .instead = "red"};
    const struct lark_card card = {.title = title,
                                   .text = delivery_truncate_markup(d, text, max),
                                   .color = delivery_member_text(d, &color),
                                   .buttons = k->buttons.v,
                                   .n_buttons = k->buttons.n,
                                   .changes = true};
    struct json_writer w;
    struct buf b = BUF_INIT;

    json_writer_init(&w, &b, false);
    lark_put_card(d, &w, &card);
    return arena_take(d->arena, &b);
}

/* What Feishu has had of the same notification it takes no second time within an hour. */
static str feishu_app_uuid(struct delivery *d, str id, const char *what)
{
    return str_sub(
        delivery_hash(d, arena_printf(d->arena, "%.*s\n%llu\n%.*s\n%s", STR(d->n->group_key),
                                      (unsigned long long)d->n->flush_id, STR(id), what)),
        0, 32);
}

static void feishu_app_fill(struct delivery *d, struct buf *b, const struct feishu_to *to,
                            const struct feishu_progress *p, str card)
{
    bool changes = p->changed;
    struct json_writer w;

    json_writer_init(&w, b, false);
    json_open(&w, '{');
    if (!changes) {
        if (!p->replied)
            json_put_text(&w, "receive_id", to->id);
        json_put_text(&w, "msg_type", S("interactive"));
    }
    json_put_text(&w, "content", card);
    if (!changes)
        json_put_text(&w, "uuid", feishu_app_uuid(d, to->id, "card"));
    json_close(&w, '}');
}

/* message: that it changes; empty: a new one, under `thread` if there is that. */
static void feishu_app_send_card(struct delivery *d, struct feishu_progress *p,
                                 const struct feishu_to *to, str message, str thread)
{
    const struct feishu_app_conf *k = d->conf;
    str title = delivery_truncate_runes(d, delivery_say(d, k->title, false), LARK_TITLE_MAX);
    str text = delivery_say(d, k->text, false);
    struct buf b = BUF_INIT;
    size_t max = text.n, over;

    p->changed = message.n != 0;
    p->replied = !p->changed && thread.n != 0;
    feishu_app_fill(d, &b, to, p, feishu_app_card(d, title, text, max));
    while (b.n > FEISHU_APP_BODY_MAX && max != 0) { /* it is escaped twice: once is not enough */
        over = b.n - FEISHU_APP_BODY_MAX;
        max = max > over ? max - over : 0;
        buf_clear(&b);
        feishu_app_fill(d, &b, to, p, feishu_app_card(d, title, text, max));
    }
    if (p->changed)
        feishu_app_request(d, "PATCH", arena_printf(d->arena, "im/v1/messages/%.*s", STR(message)),
                           &b, p);
    else if (p->replied)
        feishu_app_request(d, "POST",
                           arena_printf(d->arena, "im/v1/messages/%.*s/reply", STR(thread)), &b, p);
    else
        feishu_app_request(d, "POST",
                           arena_printf(d->arena, "im/v1/messages?receive_id_type=%s", to->type),
                           &b, p);
}

/* The headline alone, as text: a mention in it is none. */
static void feishu_app_send_line(struct delivery *d, struct feishu_progress *p,
                                 const struct feishu_to *to, str message)
{
    const struct feishu_app_conf *k = d->conf;
    str title = delivery_replace(d, delivery_say(d, k->title, false), S("<"), S("＜"));
    struct json_writer w;
    struct buf inner = BUF_INIT, b = BUF_INIT;

    json_writer_init(&w, &inner, false);
    json_open(&w, '{');
    json_put_text(&w, "text", delivery_truncate_runes(d, title, LARK_TITLE_MAX));
    json_close(&w, '}');
    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    json_put_text(&w, "content", buf_str(&inner));
    json_put_text(&w, "msg_type", S("text"));
    json_put_text(&w, "uuid", feishu_app_uuid(d, to->id, "line"));
    json_close(&w, '}');
    buf_release(&inner);
    feishu_app_request(d, "POST", arena_printf(d->arena, "im/v1/messages/%.*s/reply", STR(message)),
                       &b, p);
}

/* False: there is nobody to urge. */
static bool feishu_app_urge(struct delivery *d, struct feishu_progress *p,
                            const struct feishu_to *to, str message)
{
    const struct feishu_app_conf *k = d->conf;
    struct conf_strings one = {(str[]){to->id}, 1}, names = {0};
    struct json_writer w;
    struct buf b = BUF_INIT;

    if (k->urgent.n == 0 || !notification_is_alarm(d->n) || strcmp(to->type, "email") == 0)
        return false;
    if (strcmp(to->type, "chat_id") == 0)
        delivery_expand_names(d, &k->urgent_users, &names);
    else
        names = one;
    if (names.n == 0)
        return false;
    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    json_key(&w, S("user_id_list"));
    json_open(&w, '[');
    for (size_t i = 0; i < names.n; i++)
        json_put_str(&w, names.v[i]);
    json_close(&w, ']');
    json_close(&w, '}');
    feishu_app_request(d, "PATCH",
                       arena_printf(d->arena, "im/v1/messages/%.*s/urgent_%.*s?user_id_type=%.*s",
                                    STR(message), STR(k->urgent), STR(k->user_id_type)),
                       &b, p);
    return true;
}

/* -- the answers -- */

enum feishu_outcome { FEISHU_TAKEN, FEISHU_LATER, FEISHU_NEVER, FEISHU_NO_TOKEN, FEISHU_GONE };

static const struct feishu_code {
    const char *code;
    enum feishu_outcome outcome;
    dur_ns wait;
    enum delivery_failure failure;
    const char *advice;
} feishu_codes[] = {
    {"99991400", FEISHU_LATER, 2 * NS_PER_S, FAILURE_RATE_LIMITED, "Feishu is asked too often"},
    {"11232", FEISHU_LATER, 5 * NS_PER_S, FAILURE_RATE_LIMITED, "Feishu takes no more right now"},
    {"11233", FEISHU_LATER, 5 * NS_PER_S, FAILURE_RATE_LIMITED, "the chat takes no more right now"},
    {"230020", FEISHU_LATER, 5 * NS_PER_S, FAILURE_RATE_LIMITED,
     "five messages a second go to one address, and no more"},
    {"230049", FEISHU_LATER, 2 * NS_PER_S, FAILURE_OTHER, "the message is being sent"},
    {"99991663", FEISHU_NO_TOKEN, 0, FAILURE_AUTH, "the token is not taken"},
    {"99991661", FEISHU_NO_TOKEN, 0, FAILURE_AUTH, "the token is not taken"},
    {"99991664", FEISHU_NO_TOKEN, 0, FAILURE_AUTH, "the token is not taken"},
    {"99991665", FEISHU_NO_TOKEN, 0, FAILURE_AUTH, "the token is not taken"},
    {"99991668", FEISHU_NO_TOKEN, 0, FAILURE_AUTH, "the token is not taken"},
    {"230011", FEISHU_GONE, 0, FAILURE_CLIENT, "the message was taken back"},
    {"230031", FEISHU_GONE, 0, FAILURE_CLIENT, "the message is too old to be changed"},
    {"230110", FEISHU_GONE, 0, FAILURE_CLIENT, "the message was deleted"},
    {"231003", FEISHU_GONE, 0, FAILURE_CLIENT, "the message is not there any more"},
    {"10003", FEISHU_NEVER, 0, FAILURE_AUTH, "\"app_id\" is wrong"},
    {"10012", FEISHU_NEVER, 0, FAILURE_AUTH, "\"app_id\" is wrong"},
    {"10014", FEISHU_NEVER, 0, FAILURE_AUTH, "\"app_secret\" is wrong"},
    {"10015", FEISHU_NEVER, 0, FAILURE_AUTH, "\"app_secret\" is wrong"},
    {"99991401", FEISHU_NEVER, 0, FAILURE_AUTH,
     "this machine's IP address is not allowed: add it to the application's trusted ones"},
    {"99991672", FEISHU_NEVER, 0, FAILURE_AUTH,
     "the application lacks a permission, which the answer names: give it in its console"},
    {"99991679", FEISHU_NEVER, 0, FAILURE_AUTH,
     "the application lacks a permission, which the answer names: give it in its console"},
    {"230027", FEISHU_NEVER, 0, FAILURE_AUTH,
     "the application lacks a permission: im:message:send_as_bot, of urgent messages "
     "im:message.urgent, im:message.urgent:sms, im:message.urgent:phone"},
    {"230002", FEISHU_NEVER, 0, FAILURE_CLIENT, "the application is not in this chat: add it"},
    {"230006", FEISHU_NEVER, 0, FAILURE_CLIENT,
     "the application is no bot: switch that on in its console, and publish it"},
    {"230013", FEISHU_NEVER, 0, FAILURE_CLIENT,
     "the application is not available to them: widen its availability"},
    {"230018", FEISHU_NEVER, 0, FAILURE_CLIENT, "the chat lets the application say nothing"},
    {"230035", FEISHU_NEVER, 0, FAILURE_CLIENT, "the chat lets the application say nothing"},
    {"230022", FEISHU_NEVER, 0, FAILURE_CLIENT, "a word in the message is not allowed"},
    {"230028", FEISHU_NEVER, 0, FAILURE_CLIENT, "a word in the message is not allowed"},
    {"230025", FEISHU_NEVER, 0, FAILURE_CLIENT, "the message is too long"},
    {"230099", FEISHU_NEVER, 0, FAILURE_CLIENT, "Feishu finds something wrong in the card"},
    {"230029", FEISHU_NEVER, 0, FAILURE_CLIENT, "whoever this was has left"},
    {"230034", FEISHU_NEVER, 0, FAILURE_CLIENT, "nobody and nothing has this id"},
    {"230038", FEISHU_NEVER, 0, FAILURE_CLIENT, "of another company"},
    {"230053", FEISHU_NEVER, 0, FAILURE_CLIENT, "they want no messages of the application"},
    {"230001", FEISHU_NEVER, 0, FAILURE_CLIENT,
     "an id is wrong, or not of \"user_id_type\", or something in the card"},
    {"99992351", FEISHU_NEVER, 0, FAILURE_CLIENT, "no id of \"user_id_type\""},
    {"99992361", FEISHU_NEVER, 0, FAILURE_CLIENT, "an id of another application"},
    {"230012", FEISHU_NEVER, 0, FAILURE_CLIENT, "the message is not the application's"},
    {"230023", FEISHU_NEVER, 0, FAILURE_CLIENT, "they have 200 urgent messages unread"},
    {"230024", FEISHU_NEVER, 0, FAILURE_CLIENT,
     "no more urgent messages are left: buy some, or \"urgent: app\""},
    {NULL, FEISHU_NEVER, 0, FAILURE_CLIENT, "Feishu refuses it"},
};

static enum feishu_outcome feishu_app_by_code(struct delivery *d, str code, str msg)
{
    const struct feishu_code *row = feishu_codes;
    str reset = http_header_get(&d->answer->headers, S("x-ogw-ratelimit-reset"));

    while (row->code != NULL && !str_is(code, row->code))
        row++;
    d->retry_after = row->wait;
    if (row->wait != 0)
        (void)delivery_wait(d, reset);
    d->failure = row->failure;
    err_set(&d->err, ERR_IO, "%s (%.*s: %.*s)", row->advice, STR(code), STR(str_sub(msg, 0, 300)));
    if (d->answer->status / 100 == 5 && row->code == NULL)
        return FEISHU_LATER;
    return row->outcome;
}

/* code, msg and two more; anything but 0 is an error whatever the status is. */
static enum feishu_outcome feishu_app_read(struct delivery *d, const char *third,
                                           const char *fourth, str *v)
{
    const char *const names[] = {"code", "msg", third, fourth};
    enum delivery_verdict verdict;

    d->retry_after = 0;
    if (!d->lost && delivery_answer_read(d, names, v, ARRAY_LEN(names)) && v[0].n != 0)
        return str_is(v[0], "0") ? FEISHU_TAKEN : feishu_app_by_code(d, v[0], v[1]);
    verdict = delivery_judge_whole(d);
    if (verdict == DELIVERY_OK) /* without its words, which may hold the token */
        err_set(&d->err, ERR_IO, "not an answer of Feishu, of %zu bytes", d->answer->body.n);
    if (verdict != DELIVERY_RETRY_AFTER)
        d->retry_after = 0;
    return verdict == DELIVERY_FAILED ? FEISHU_NEVER : FEISHU_LATER;
}

static enum delivery_verdict feishu_app_next(struct delivery *d, struct feishu_progress *p);

static enum delivery_verdict feishu_app_token_came(struct delivery *d, struct feishu_progress *p,
                                                   str secret)
{
    str v[4];
    uint64_t s = 7200;
    enum feishu_outcome o = feishu_app_read(d, "tenant_access_token", "expire", v);

    if (o == FEISHU_TAKEN && v[2].n == 0) {
        err_set(&d->err, ERR_IO, "not an answer of Feishu, of %zu bytes", d->answer->body.n);
        o = FEISHU_LATER;
    }
    if (o != FEISHU_TAKEN) {
        d->had = p->had;
        if (o == FEISHU_LATER)
            return d->retry_after > 0 ? DELIVERY_RETRY_AFTER : DELIVERY_RETRY;
        return DELIVERY_FAILED;
    }
    if (str_to_u64(v[3], &s) && s > 7200)
        s = 7200;
    if (s > FEISHU_EARLY_S)
        d->remember(d, feishu_app_token_name(d, secret), v[2],
                    (dur_ns)(s - FEISHU_EARLY_S) * NS_PER_S);
    p->token = v[2];
    p->asks = false;
    p->is_fresh = true;
    return feishu_app_next(d, p);
}

static void feishu_app_note(struct delivery *d, struct feishu_progress *p, str id)
{
    p->why = arena_printf(d->arena, "%.*s%s%.*s: %s", STR(p->why), p->why.n != 0 ? "; " : "",
                          STR(id), d->err.msg);
    p->failure = d->failure;
}

static void feishu_app_later(struct delivery *d, struct feishu_progress *p)
{
    p->wait = p->is_later && (p->wait == 0 || d->retry_after == 0 || p->wait < d->retry_after)
                  ? p->wait
                  : d->retry_after;
    p->is_later = true;
}

/* The stage that was asked for is over. */
static void feishu_app_taken(struct delivery *d, struct feishu_progress *p, str id,
                             const struct feishu_state *s)
{
    str message = s->message;

    if (s->stage == STAGE_CARD && !p->changed &&
        !delivery_answer_member(d, S("data.message_id"), &message))
        message = S("-");
    if (s->stage == STAGE_CARD && str_find(message, ' ') >= 0)
        message = S("-");
    feishu_mark(d, p, id, message,
                str_is(message, "-")     ? STAGE_DONE
                : s->stage == STAGE_CARD ? (p->changed ? STAGE_LINE : STAGE_URGE)
                : s->stage == STAGE_LINE ? STAGE_URGE
                                         : STAGE_DONE);
}

static enum delivery_verdict feishu_app_took(struct delivery *d, struct feishu_progress *p,
                                             str secret)
{
    const struct feishu_to *to = feishu_app_tos(d).v + p->at;
    struct feishu_state s = feishu_state_of(p->had, to->id);
    str v[4];
    enum feishu_outcome o;

    if (s.message.n == 0)
        s.message = delivery_kept(d, to->id);
    if (!d->lost)
        d->err.msg[0] = '\0';
    o = feishu_app_read(d, "data", "error", v);
    if (o == FEISHU_NO_TOKEN && !p->is_fresh) {
        d->remember(d, feishu_app_token_name(d, secret), STR_NONE, 0);
        return feishu_app_ask(d, p, secret);
    }
    if (o == FEISHU_NEVER && (p->changed || p->replied) && s.stage == STAGE_CARD &&
        d->failure == FAILURE_CLIENT)
        o = FEISHU_GONE; /* what cannot be changed is told anew */
    switch (o) {
    case FEISHU_TAKEN: feishu_app_taken(d, p, to->id, &s); break;
    case FEISHU_NO_TOKEN:
    case FEISHU_LATER:
        feishu_app_note(d, p, to->id);
        feishu_app_later(d, p);
        p->at++;
        break;
    case FEISHU_GONE:
        if ((p->changed || p->replied) && s.stage == STAGE_CARD) {
            feishu_mark(d, p, to->id, S("-"), STAGE_CARD); /* another one in its place */
            break;
        }
        feishu_mark(d, p, to->id, S("-"), STAGE_DONE);
        break;
    case FEISHU_NEVER:
        feishu_app_note(d, p, to->id);
        /* of what comes behind the card: it is told all the same */
        feishu_mark(d, p, to->id, s.stage == STAGE_CARD ? S("!") : s.message, STAGE_DONE);
        break;
    }
    return feishu_app_next(d, p);
}

/* -- the whole -- */

/* What the next notification of the group changes: until all is over. */
static void feishu_app_keep(struct delivery *d, const struct feishu_progress *p,
                            struct feishu_tos tos)
{
    struct delivery_pair *v = arena_array(d->arena, tos.n, sizeof(*v));
    size_t n = 0;

    for (size_t i = 0; i < tos.n && d->n->n_firing != 0; i++) {
        struct feishu_state s = feishu_state_of(p->had, tos.v[i].id);

        if (s.message.n > 1)
            v[n++] = (struct delivery_pair){tos.v[i].id, s.message};
    }
    d->kept = v;
    d->n_kept = n;
}

static enum delivery_verdict feishu_app_end(struct delivery *d, const struct feishu_progress *p,
                                            struct feishu_tos tos)
{
    size_t told = 0;

    for (size_t i = 0; i < tos.n; i++) {
        str message = feishu_state_of(p->had, tos.v[i].id).message;

        told += message.n != 0 && !str_is(message, "!");
    }
    d->err.msg[0] = '\0';
    d->failure = p->failure;
    if (p->why.n != 0)
        err_set(&d->err, ERR_IO, "%.*s", STR(p->why));
    if (p->is_later) {
        d->had = p->had;
        d->retry_after = p->wait;
        return p->wait > 0 ? DELIVERY_RETRY_AFTER : DELIVERY_RETRY;
    }
    if (tos.n == 0) {
        err_set(&d->err, ERR_INVALID, "\"chats\", \"users\" and \"emails\" name nobody%s%.*s",
                p->why.n != 0 ? ": " : "", STR(p->why));
    }
    if (told == 0)
        return DELIVERY_FAILED;
    feishu_app_keep(d, p, tos);
    return DELIVERY_OK;
}

/* The next request of an address, or of the next one. */
static enum delivery_verdict feishu_app_next(struct delivery *d, struct feishu_progress *p)
{
    const struct feishu_app_conf *k = d->conf;
    struct feishu_tos tos = feishu_app_tos(d);

    for (; p->at < tos.n; p->at++) {
        const struct feishu_to *to = &tos.v[p->at];
        struct feishu_state s = feishu_state_of(p->had, to->id);

        if (s.stage == STAGE_CARD && s.message.n == 0 && k->update_message)
            s.message = delivery_kept(d, to->id);
        if (s.stage == STAGE_CARD) {
            feishu_app_send_card(
                d, p, to, str_is(s.message, "-") ? STR_NONE : s.message,
                s.message.n == 0 && k->update_message ? delivery_kept_thread(d, to->id) : STR_NONE);
            return DELIVERY_SEND_HTTP;
        }
        if (s.stage == STAGE_LINE) {
            feishu_app_send_line(d, p, to, s.message);
            return DELIVERY_SEND_HTTP;
        }
        if (s.stage == STAGE_URGE && feishu_app_urge(d, p, to, s.message))
            return DELIVERY_SEND_HTTP;
    }
    return feishu_app_end(d, p, tos);
}

static enum delivery_verdict feishu_app_step(struct delivery *d)
{
    const struct feishu_app_conf *k = d->conf;
    struct feishu_progress p = {.had = d->had};
    str secret;

    if (!d->secret(d, k->app_secret, &secret))
        return DELIVERY_RETRY; /* the file may come back */
    if (d->progress != NULL)
        p = *(const struct feishu_progress *)d->progress;
    if (d->answer != NULL)
        return p.asks ? feishu_app_token_came(d, &p, secret) : feishu_app_took(d, &p, secret);
    (void)feishu_app_tos(d); /* a template that fails names nobody, and says why */
    p.why = arena_str(d->arena, str_of(d->err.msg));
    p.failure = FAILURE_CLIENT;
    if (d->recall(d, feishu_app_token_name(d, secret), &p.token))
        return feishu_app_next(d, &p);
    return feishu_app_ask(d, &p, secret);
}

static bool feishu_app_costs(const void *conf)
{
    const struct feishu_app_conf *k = conf;

    return str_is(k->urgent, "sms") || str_is(k->urgent, "phone");
}

const struct receiver_type feishu_app_receiver = {
    .name = "feishu_app",
    .config_key = "feishu_app_configs",
    .doc = "Feishu or Lark application",
    .conf = &feishu_app_conf_type,
    .send_resolved_default = true,
    .is_ours = true,
    .uses_http = true,
    .can = CAN_EDIT | CAN_THREAD | CAN_DIGEST | CAN_PERSON,
    .pace = {.limits = {{5, NS_PER_S}}, .bytes = FEISHU_APP_BODY_MAX},
    .check = feishu_app_check,
    .costs = feishu_app_costs,
    .step = feishu_app_step,
};
