/* dingtalk_app.c - DingTalk, by the robot of an application of one's own: to groups and to people, and by DING, which people cannot
 * overlook: in the client, as a text message or a call.
 *
 * A token first, then a request a group, one for each twenty people, and one for the DING. delivery->had: a line each, "ding" for the
 * last.
 *
 * Source   https://open.dingtalk.com/document/orgapp: robot groupMessages/send, oToMessages/batchSend, ding/send.
 */
#include "tocsin/buf.h"
#include "tocsin/json.h"
#include "tocsin/receiver.h"

struct dingtalk_app_conf {
    struct secret client_secret;
    str client_id, api_url, robot_code, title, text, ding, ding_text;
    struct conf_strings chats, users, ding_users;
    dur_ns timeout;
};

static const char *const dings[] = {"app", "sms", "phone", NULL}; /* remindType 1, 2, 3 */

static const struct conf_key keys[] = {
    CONF_KEY(struct dingtalk_app_conf, client_id, CONF_STRING, "the application: its Client ID",
             .flags = CONF_REQUIRED),
    CONF_KEY(struct dingtalk_app_conf, client_secret, CONF_SECRET, "its Client Secret",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct dingtalk_app_conf, api_url, CONF_URL, "an exclusive edition has one of its own",
             .text = "https://api.dingtalk.com", .flags = CONF_SLASH),
    CONF_KEY(struct dingtalk_app_conf, robot_code, CONF_STRING,
             "its robot; that of client_id when not given"),
    CONF_KEY(struct dingtalk_app_conf, chats, CONF_STRINGS,
             "groups: openConversationId (cid...); templates, commas part several"),
    CONF_KEY(struct dingtalk_app_conf, users, CONF_STRINGS,
             "people: userId; templates, commas part several"),
    CONF_KEY(struct dingtalk_app_conf, title, CONF_TEMPLATE, "what the phone's notification shows",
             .text = "{{ template \"dingtalk.default.title\" . }}"),
    CONF_KEY(struct dingtalk_app_conf, text, CONF_TEMPLATE, "text",
             .text = "{{ template \"dingtalk.default.text\" . }}"),
    CONF_KEY(struct dingtalk_app_conf, ding, CONF_WORD,
             "while something fires, people get a DING: app, sms or phone", .words = dings),
    CONF_KEY(struct dingtalk_app_conf, ding_users, CONF_STRINGS,
             "who, when not users: userId; templates, commas part several"),
    CONF_KEY(struct dingtalk_app_conf, ding_text, CONF_TEMPLATE, "of the DING",
             .text = "{{ template \"dingtalk.default.title\" . }}"),
    CONF_KEY(struct dingtalk_app_conf, timeout, CONF_GO_DURATION,
             "limit for one request, 0 = a minute"),
    CONF_KEYS_END,
};

static const struct conf_type dingtalk_app_conf_type = {
    .name = "dingtalk_app_config",
    .doc = "DingTalk application",
    .keys = keys,
    .size = sizeof(struct dingtalk_app_conf),
};

static void dingtalk_app_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct dingtalk_app_conf *k = conf;

    (void)view;
    if (!secret_is_set(k->client_secret))
        conf_error(c, NULL, "\"client_secret\" (or its file) is needed");
    if (k->chats.n + k->users.n + k->ding_users.n == 0)
        conf_error(c, NULL, "one of \"chats\", \"users\" and \"ding_users\" is needed");
    if (k->ding.n != 0 && k->users.n + k->ding_users.n == 0)
        conf_error(c, "ding", "whom? \"users\" or \"ding_users\"");
    if (k->ding.n == 0 && k->ding_users.n != 0)
        conf_error(c, "ding_users", "how? \"ding\"");
}

/* -- where an attempt is -- */

enum { DINGTALK_BATCH = 20, DINGTALK_APP_MAX = 20000, DINGTALK_EARLY_S = 300 };

struct dingtalk_progress {
    bool asks;               /* for a token */
    bool is_fresh;           /* the token was asked for in this attempt */
    struct conf_strings who; /* to whom the request went: a group, people, or "ding" */
    str token, why;
    bool is_told; /* somebody, in this attempt or one before */
    bool is_later;
    str skipped; /* who is to be told by a later attempt */
    dur_ns wait;
    enum delivery_failure failure;
};

static bool dingtalk_app_has(str lines, str who)
{
    while (lines.n != 0)
        if (str_eq(str_cut(&lines, '\n'), who))
            return true;
    return false;
}

static str dingtalk_app_and(struct delivery *d, str lines, struct conf_strings who)
{
    struct buf b = BUF_INIT;

    buf_add(&b, lines);
    for (size_t i = 0; i < who.n; i++)
        buf_addf(&b, "%.*s\n", STR(who.v[i]));
    return arena_take(d->arena, &b);
}

/* Who of those is still to be told in this attempt, at most so many. */
static struct conf_strings dingtalk_app_left(struct delivery *d, const struct dingtalk_progress *p,
                                             const struct conf_strings *configured, size_t max)
{
    struct conf_strings names, out;

    delivery_addresses(d, configured, &names);
    out = (struct conf_strings){arena_array(d->arena, names.n, sizeof(str)), 0};
    for (size_t i = 0; i < names.n && out.n < max; i++)
        if (str_find(names.v[i], '\n') < 0 && !delivery_had(d, names.v[i]) &&
            !dingtalk_app_has(p->skipped, names.v[i]))
            out.v[out.n++] = names.v[i];
    return out;
}

/* -- the requests -- */

static str dingtalk_app_token_name(struct delivery *d, str secret)
{
    const struct dingtalk_app_conf *k = d->conf;

    return delivery_hash(d, arena_printf(d->arena, "dingtalk\n%.*s\n%.*s\n%.*s", STR(k->api_url),
                                         STR(k->client_id), STR(secret)));
}

static enum delivery_verdict dingtalk_app_post(struct delivery *d, const char *path,
                                               struct buf *body, const struct dingtalk_progress *p)
{
    const struct dingtalk_app_conf *k = d->conf;
    struct http_header *h = arena_array(d->arena, 2, sizeof(*h));
    struct dingtalk_progress *kept = arena_new(d->arena, struct dingtalk_progress);

    h[0] = (struct http_header){S("Content-Type"), S("application/json; charset=utf-8")};
    h[1] = (struct http_header){S("x-acs-dingtalk-access-token"), p->token};
    d->request =
        (struct http_request){.method = S("POST"),
                              .url = arena_printf(d->arena, "%.*sv1.0/%s", STR(k->api_url), path),
                              .headers = {h, p->asks ? 1 : 2},
                              .body = arena_take(d->arena, body)};
    d->timeout = k->timeout;
    *kept = *p;
    d->progress = kept;
    return DELIVERY_SEND_HTTP;
}

static enum delivery_verdict dingtalk_app_ask(struct delivery *d, struct dingtalk_progress *p,
                                              str secret)
{
    const struct dingtalk_app_conf *k = d->conf;
    struct json_writer w;
    struct buf b = BUF_INIT;

    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    json_put_text(&w, "appKey", k->client_id);
    json_put_text(&w, "appSecret", secret);
    json_close(&w, '}');
    p->asks = true;
    return dingtalk_app_post(d, "oauth2/accessToken", &b, p);
}

static void dingtalk_app_put_names(struct json_writer *w, const char *key, struct conf_strings who)
{
    json_key(w, str_of(key));
    json_open(w, '[');
    for (size_t i = 0; i < who.n; i++)
        json_put_str(w, who.v[i]);
    json_close(w, ']');
}

static str dingtalk_app_robot(const struct dingtalk_app_conf *k)
{
    return k->robot_code.n != 0 ? k->robot_code : k->client_id;
}

/* msgParam is JSON within JSON. */
static str dingtalk_app_markdown(struct delivery *d)
{
    const struct dingtalk_app_conf *k = d->conf;
    str title = delivery_truncate_runes(d, delivery_say(d, k->title, false), 200);
    str text = delivery_say(d, k->text, false);
    struct json_writer w;
    struct buf b = BUF_INIT;

    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    json_put_text(&w, "title", title);
    json_put_text(&w, "text", text);
    json_close(&w, '}');
    return delivery_cut_json(d, arena_take(d->arena, &b), DINGTALK_APP_MAX);
}

/* To a group or to people. */
static enum delivery_verdict dingtalk_app_tell(struct delivery *d,
                                               const struct dingtalk_progress *p, bool is_group)
{
    struct json_writer w;
    struct buf b = BUF_INIT;

    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    json_put_text(&w, "msgKey", S("sampleMarkdown"));
    json_put_text(&w, "msgParam", dingtalk_app_markdown(d));
    if (is_group)
        json_put_text(&w, "openConversationId", p->who.v[0]);
    json_put_text(&w, "robotCode", dingtalk_app_robot(d->conf));
    if (!is_group)
        dingtalk_app_put_names(&w, "userIds", p->who);
    json_close(&w, '}');
    return dingtalk_app_post(
        d, is_group ? "robot/groupMessages/send" : "robot/oToMessages/batchSend", &b, p);
}

static enum delivery_verdict
dingtalk_app_ding(struct delivery *d, const struct dingtalk_progress *p, struct conf_strings users)
{
    const struct dingtalk_app_conf *k = d->conf;
    struct json_writer w;
    struct buf b = BUF_INIT;

    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    json_put_text(&w, "content",
                  delivery_truncate_runes(d, delivery_say(d, k->ding_text, false), 200));
    dingtalk_app_put_names(&w, "receiverUserIdList", users);
    json_key(&w, S("remindType"));
    json_put_i64(&w, str_is(k->ding, "app") ? 1 : str_is(k->ding, "sms") ? 2 : 3);
    json_put_text(&w, "robotCode", dingtalk_app_robot(k));
    json_close(&w, '}');
    return dingtalk_app_post(d, "robot/ding/send", &b, p);
}

static enum delivery_verdict dingtalk_app_end(struct delivery *d, const struct dingtalk_progress *p)
{
    d->err.msg[0] = '\0';
    if (p->why.n != 0)
        err_set(&d->err, ERR_IO, "%.*s", STR(p->why));
    d->failure = p->failure;
    if (p->is_later) {
        d->retry_after = p->wait;
        return p->wait > 0 ? DELIVERY_RETRY_AFTER : DELIVERY_RETRY;
    }
    if (p->is_told)
        return DELIVERY_OK;
    if (p->why.n == 0) {
        d->failure = FAILURE_CLIENT;
        err_set(&d->err, ERR_INVALID, "\"chats\" and \"users\" name nobody");
    }
    return DELIVERY_FAILED;
}

static enum delivery_verdict dingtalk_app_next(struct delivery *d, struct dingtalk_progress *p)
{
    const struct dingtalk_app_conf *k = d->conf;
    static str ding[] = {S_INIT("ding")};
    struct conf_strings users;

    if (d->address.n == 0)
        p->who = dingtalk_app_left(d, p, &k->chats, 1);
    else
        p->who = (struct conf_strings){0};
    if (p->who.n != 0)
        return dingtalk_app_tell(d, p, true);
    p->who = dingtalk_app_left(d, p, &k->users, DINGTALK_BATCH);
    if (p->who.n != 0)
        return dingtalk_app_tell(d, p, false);
    delivery_addresses(d, k->ding_users.n != 0 ? &k->ding_users : &k->users, &users);
    p->who = (struct conf_strings){ding, 1};
    if (k->ding.n != 0 && notification_is_alarm(d->n) && users.n != 0 &&
        !delivery_had(d, ding[0]) && !dingtalk_app_has(p->skipped, ding[0]))
        return dingtalk_app_ding(d, p, users);
    return dingtalk_app_end(d, p);
}

/* -- the answers -- */

enum dingtalk_outcome { DINGTALK_TAKEN, DINGTALK_LATER, DINGTALK_NEVER, DINGTALK_NO_TOKEN };

/* A code that ends with * stands for all that begin so. */
static const struct dingtalk_code {
    const char *code;
    enum dingtalk_outcome outcome;
    dur_ns wait;
    enum delivery_failure failure;
    const char *advice;
} dingtalk_codes[] = {
    {"Forbidden.AccessDenied.QpsLimit*", DINGTALK_LATER, NS_PER_S, FAILURE_RATE_LIMITED,
     "DingTalk is asked too often"},
    {"Throttling*", DINGTALK_LATER, 2 * NS_PER_S, FAILURE_RATE_LIMITED,
     "DingTalk is asked too often"},
    {"send.frequency*", DINGTALK_LATER, NS_PER_M, FAILURE_RATE_LIMITED,
     "the group takes no more right now"},
    {"InvalidAuthentication", DINGTALK_NO_TOKEN, 0, FAILURE_AUTH, "the token is not taken"},
    {"invalidClientIdOrSecret", DINGTALK_NEVER, 0, FAILURE_AUTH,
     "\"client_id\" or \"client_secret\" is wrong"},
    {"Forbidden.AccessDenied.AccessTokenPermissionDenied", DINGTALK_NEVER, 0, FAILURE_AUTH,
     "the application lacks a permission, which the answer names: give it in its console"},
    {"Forbidden.AccessDenied.IpNotInWhiteList", DINGTALK_NEVER, 0, FAILURE_AUTH,
     "this machine's IP address is not allowed: add it in the application's console"},
    {"Forbidden*", DINGTALK_NEVER, 0, FAILURE_AUTH, "the application may not do this"},
    {"ServiceUnavailable*", DINGTALK_LATER, 0, FAILURE_SERVER, "DingTalk is busy"},
    {"systemError*", DINGTALK_LATER, 0, FAILURE_SERVER, "DingTalk has a fault"},
    {"system.error*", DINGTALK_LATER, 0, FAILURE_SERVER, "DingTalk has a fault"},
    {"InternalError*", DINGTALK_LATER, 0, FAILURE_SERVER, "DingTalk has a fault"},
    {"unknownError*", DINGTALK_LATER, 0, FAILURE_SERVER, "DingTalk has a fault"},
    {"resource.not.found", DINGTALK_NEVER, 0, FAILURE_CLIENT,
     "\"robot_code\" is wrong, or the robot is not in this group"},
    {"robot.not.exist*", DINGTALK_NEVER, 0, FAILURE_CLIENT, "\"robot_code\" is wrong"},
    {"staffId.notExisted", DINGTALK_NEVER, 0, FAILURE_CLIENT, "\"users\" name nobody"},
    {"miss.openConversationId", DINGTALK_NEVER, 0, FAILURE_CLIENT, "no group of the company"},
    {"invalidParameter*", DINGTALK_NEVER, 0, FAILURE_CLIENT,
     "an id in \"chats\", \"users\" or \"robot_code\" is wrong"},
    {NULL, DINGTALK_NEVER, 0, FAILURE_CLIENT, "DingTalk refuses it"},
};

static enum dingtalk_outcome dingtalk_app_by_code(struct delivery *d, str code, str msg)
{
    const struct dingtalk_code *row = dingtalk_codes;

    for (; row->code != NULL; row++) {
        str known = str_of(row->code);
        bool is_prefix = known.p[known.n - 1] == '*';

        if (is_prefix ? str_starts_with(code, str_sub(known, 0, known.n - 1)) : str_eq(code, known))
            break;
    }
    d->failure = row->failure;
    d->retry_after = row->wait;
    err_set(&d->err, ERR_IO, "%s (%.*s: %.*s)", row->advice, STR(str_sub(code, 0, 100)),
            STR(str_sub(msg, 0, 300)));
    return row->code == NULL && d->answer->status / 100 == 5 ? DINGTALK_LATER : row->outcome;
}

static enum dingtalk_outcome dingtalk_app_read(struct delivery *d)
{
    static const char *const names[] = {"code", "message"};
    enum delivery_verdict v = delivery_judge_whole(d);
    dur_ns after = v == DELIVERY_RETRY_AFTER ? d->retry_after : 0;
    enum dingtalk_outcome o = v == DELIVERY_OK       ? DINGTALK_TAKEN
                              : v == DELIVERY_FAILED ? DINGTALK_NEVER
                                                     : DINGTALK_LATER;
    str said[ARRAY_LEN(names)];

    if (!d->lost && v != DELIVERY_OK && delivery_answer_read(d, names, said, ARRAY_LEN(names)) &&
        said[0].n != 0) {
        o = dingtalk_app_by_code(d, said[0], said[1]);
        if (after != 0)
            d->retry_after = after;
        return o;
    }
    d->retry_after = after;
    return o;
}

static void dingtalk_app_note(struct delivery *d, struct dingtalk_progress *p, str who,
                              const char *why)
{
    p->why = arena_printf(d->arena, "%.*s%s%.*s: %s", STR(p->why), p->why.n != 0 ? "; " : "",
                          STR(str_sub(who, 0, 200)), why);
    p->failure = d->failure;
}

static void dingtalk_app_later(struct delivery *d, struct dingtalk_progress *p,
                               struct conf_strings who, dur_ns wait)
{
    p->skipped = dingtalk_app_and(d, p->skipped, who);
    p->wait = p->is_later && (p->wait == 0 || wait == 0 || p->wait < wait) ? p->wait : wait;
    p->is_later = true;
}

/* Those whom an answer names, with commas between; *out: the others. */
static void dingtalk_app_part(struct delivery *d, struct dingtalk_progress *p, str named,
                              struct conf_strings *in, struct conf_strings *out)
{
    *in = *out = (struct conf_strings){0};
    in->v = arena_array(d->arena, p->who.n, sizeof(str));
    out->v = arena_array(d->arena, p->who.n, sizeof(str));
    for (size_t i = 0; i < p->who.n; i++) {
        str rest = named;
        bool is_in = false;

        while (rest.n != 0 && !is_in)
            is_in = str_eq(str_trim(str_cut(&rest, ',')), p->who.v[i]);
        if (is_in)
            in->v[in->n++] = p->who.v[i];
        else
            out->v[out->n++] = p->who.v[i];
    }
}

/* Taken, but for the people whom the answer names: unknown, or told too much in a short time. */
static void dingtalk_app_taken(struct delivery *d, struct dingtalk_progress *p)
{
    static const char *const names[] = {"invalidStaffIdList", "filteredStaffIdList",
                                        "flowControlledStaffIdList", "failedList"};
    str v[ARRAY_LEN(names)];
    struct conf_strings later = {0}, told = p->who;

    if (!delivery_answer_read(d, names, v, ARRAY_LEN(names)))
        v[0] = v[1] = v[2] = v[3] = STR_NONE;
    d->failure = FAILURE_CLIENT;
    if (v[0].n != 0)
        dingtalk_app_note(d, p, v[0], "no such userId");
    if (v[1].n != 0)
        dingtalk_app_note(d, p, v[1], "the application may not write to them");
    if (str_is(p->who.v[0], "ding") && v[3].n > 2)
        dingtalk_app_note(d, p, v[3], "no DING");
    if (v[2].n != 0) {
        d->failure = FAILURE_RATE_LIMITED;
        dingtalk_app_note(d, p, v[2], "told too much in a short time");
        dingtalk_app_part(d, p, v[2], &later, &told);
        dingtalk_app_later(d, p, later, NS_PER_M);
    }
    p->is_told |= told.n != 0 && !(v[0].n != 0 && told.n == 1);
    delivery_note_had(d, told.v, told.n);
}

static enum delivery_verdict dingtalk_app_took(struct delivery *d, struct dingtalk_progress *p,
                                               str secret)
{
    enum dingtalk_outcome o;

    assume(p->who.v != NULL); /* what is answered had gone to somebody */
    if (!d->lost)
        d->err.msg[0] = '\0';
    o = dingtalk_app_read(d);
    if (o == DINGTALK_NO_TOKEN && !p->is_fresh) {
        d->remember(d, dingtalk_app_token_name(d, secret), STR_NONE, 0);
        return dingtalk_app_ask(d, p, secret);
    }
    switch (o) {
    case DINGTALK_TAKEN: dingtalk_app_taken(d, p); break;
    case DINGTALK_NO_TOKEN:
    case DINGTALK_LATER:
        dingtalk_app_note(d, p, p->who.v[0], d->err.msg);
        dingtalk_app_later(d, p, p->who, d->retry_after);
        break;
    case DINGTALK_NEVER:
        dingtalk_app_note(d, p, p->who.v[0], d->err.msg);
        delivery_note_had(d, p->who.v, p->who.n);
        break;
    }
    return dingtalk_app_next(d, p);
}

static enum delivery_verdict dingtalk_app_token_came(struct delivery *d,
                                                     struct dingtalk_progress *p, str secret)
{
    static const char *const names[] = {"accessToken", "expireIn"};
    enum dingtalk_outcome o = dingtalk_app_read(d);
    str v[ARRAY_LEN(names)];
    uint64_t s = 7200;

    if (o == DINGTALK_TAKEN &&
        (!delivery_answer_read(d, names, v, ARRAY_LEN(names)) || v[0].n == 0)) {
        err_set(&d->err, ERR_IO, "not an answer of DingTalk, of %zu bytes", d->answer->body.n);
        o = DINGTALK_LATER;
    }
    if (o == DINGTALK_NEVER)
        return DELIVERY_FAILED;
    if (o != DINGTALK_TAKEN)
        return d->retry_after > 0 ? DELIVERY_RETRY_AFTER : DELIVERY_RETRY;
    if (str_to_u64(v[1], &s) && s > 7200)
        s = 7200;
    if (s > DINGTALK_EARLY_S)
        d->remember(d, dingtalk_app_token_name(d, secret), v[0],
                    (dur_ns)(s - DINGTALK_EARLY_S) * NS_PER_S);
    p->token = v[0];
    p->asks = false;
    p->is_fresh = true;
    return dingtalk_app_next(d, p);
}

static enum delivery_verdict dingtalk_app_step(struct delivery *d)
{
    const struct dingtalk_app_conf *k = d->conf;
    struct dingtalk_progress p = {.is_told = d->had.n != 0};
    str secret;

    if (!d->secret(d, k->client_secret, &secret))
        return DELIVERY_RETRY; /* the file may come back */
    if (d->progress != NULL)
        p = *(const struct dingtalk_progress *)d->progress;
    if (d->answer != NULL)
        return p.asks ? dingtalk_app_token_came(d, &p, secret) : dingtalk_app_took(d, &p, secret);
    (void)dingtalk_app_left(d, &p, &k->chats, SIZE_MAX);
    (void)dingtalk_app_left(d, &p, &k->users, SIZE_MAX);
    p.why = arena_str(d->arena, str_of(d->err.msg)); /* of a template that fails: it names nobody */
    p.failure = FAILURE_CLIENT;
    if (d->recall(d, dingtalk_app_token_name(d, secret), &p.token))
        return dingtalk_app_next(d, &p);
    return dingtalk_app_ask(d, &p, secret);
}

static bool dingtalk_app_costs(const void *conf)
{
    const struct dingtalk_app_conf *k = conf;

    return str_is(k->ding, "sms") || str_is(k->ding, "phone");
}

const struct receiver_type dingtalk_app_receiver = {
    .name = "dingtalk_app",
    .config_key = "dingtalk_app_configs",
    .doc = "DingTalk application",
    .conf = &dingtalk_app_conf_type,
    .send_resolved_default = true,
    .is_ours = true,
    .uses_http = true,
    .can = CAN_DIGEST | CAN_PERSON,
    .pace = {.limits = {{20, NS_PER_S}}, .bytes = DINGTALK_APP_MAX},
    .check = dingtalk_app_check,
    .costs = dingtalk_app_costs,
    .step = dingtalk_app_step,
};
