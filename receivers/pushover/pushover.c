/* pushover.c - Pushover. */
#include "tocsin/buf.h"
#include "tocsin/receiver.h"

struct pushover_conf {
    struct secret user_key, token;
    str title, message, url, url_title, device, sound, priority;
    dur_ns retry, expire, ttl;
    bool html, monospace;
};

static const struct conf_key keys[] = {
    CONF_KEY(struct pushover_conf, user_key, CONF_SECRET, "key of the user or group",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct pushover_conf, token, CONF_SECRET, "token of the application",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct pushover_conf, title, CONF_TEMPLATE, "title",
             .text = "{{ template \"pushover.default.title\" . }}"),
    CONF_KEY(struct pushover_conf, message, CONF_TEMPLATE, "text",
             .text = "{{ template \"pushover.default.message\" . }}"),
    CONF_KEY(struct pushover_conf, url, CONF_TEMPLATE, "link",
             .text = "{{ template \"pushover.default.url\" . }}"),
    CONF_KEY(struct pushover_conf, url_title, CONF_TEMPLATE, "text of the link"),
    CONF_KEY(struct pushover_conf, device, CONF_TEMPLATE, "one device of the user"),
    CONF_KEY(struct pushover_conf, sound, CONF_TEMPLATE, "sound"),
    CONF_KEY(struct pushover_conf, priority, CONF_TEMPLATE, "-2 to 2",
             .text = "{{ if eq .Status \"firing\" }}2{{ else }}0{{ end }}"),
    CONF_KEY(struct pushover_conf, retry, CONF_GO_DURATION, "how often priority 2 is repeated",
             .text = "1m"),
    CONF_KEY(struct pushover_conf, expire, CONF_GO_DURATION, "for how long", .text = "1h"),
    CONF_KEY(struct pushover_conf, ttl, CONF_GO_DURATION,
             "how long the message is kept, 0 = forever"),
    CONF_KEY(struct pushover_conf, html, CONF_BOOL, "the text is HTML"),
    CONF_KEY(struct pushover_conf, monospace, CONF_BOOL, "the text is monospaced"),
    CONF_KEYS_END,
};

static void pushover_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct pushover_conf *p = conf;

    (void)view;
    if (!secret_is_set(p->user_key))
        conf_error(c, NULL, "one of \"user_key\" and \"user_key_file\" is needed");
    if (!secret_is_set(p->token))
        conf_error(c, NULL, "one of \"token\" and \"token_file\" is needed");
    if (p->html && p->monospace)
        conf_error(c, "monospace", "cannot stand beside \"html\"");
}

static const struct conf_type pushover_conf_type = {
    .name = "pushover_config",
    .doc = "Pushover",
    .keys = keys,
    .size = sizeof(struct pushover_conf),
};

/* -- the request: everything is in the address, by name -- */

enum { MAX_TITLE = 250, MAX_MESSAGE = 1024, MAX_URL = 512 }; /* runes */

static void pushover_add(struct delivery *d, struct buf *b, const char *name, str value)
{
    buf_addf(b, "%s%s=%.*s", b->n != 0 ? "&" : "", name, STR(delivery_escape_form(d, value)));
}

static void pushover_add_seconds(struct delivery *d, struct buf *b, const char *name, dur_ns value)
{
    pushover_add(d, b, name, arena_printf(d->arena, "%lld", (long long)(value / NS_PER_S)));
}

/* For what is no text a template that fails gives nothing. */
static str pushover_word(struct delivery *d, str text)
{
    const struct delivery_member m = {"", text, .instead = ""};

    return delivery_member_text(d, &m);
}

static str pushover_message(struct delivery *d, const struct pushover_conf *p)
{
    str text =
        str_trim(delivery_truncate_runes(d, delivery_say(d, p->message, p->html), MAX_MESSAGE));

    return text.n != 0 ? text : S("(no details)");
}

static str pushover_query(struct delivery *d, str user, str token)
{
    const struct pushover_conf *p = d->conf;
    struct buf b = BUF_INIT;

    pushover_add(d, &b, "device", pushover_word(d, p->device));
    pushover_add_seconds(d, &b, "expire", p->expire);
    if (p->html)
        pushover_add(d, &b, "html", S("1"));
    pushover_add(d, &b, "message", pushover_message(d, p));
    if (p->monospace)
        pushover_add(d, &b, "monospace", S("1"));
    pushover_add(d, &b, "priority", pushover_word(d, p->priority));
    pushover_add_seconds(d, &b, "retry", p->retry);
    pushover_add(d, &b, "sound", pushover_word(d, p->sound));
    pushover_add(d, &b, "title",
                 delivery_truncate_runes(d, delivery_say(d, p->title, false), MAX_TITLE));
    pushover_add(d, &b, "token", token);
    if (p->ttl >= NS_PER_S)
        pushover_add_seconds(d, &b, "ttl", p->ttl);
    pushover_add(d, &b, "url", delivery_truncate_runes(d, pushover_word(d, p->url), MAX_URL));
    pushover_add(d, &b, "url_title", delivery_say(d, p->url_title, false));
    pushover_add(d, &b, "user", user);
    return arena_take(d->arena, &b);
}

static enum delivery_verdict pushover_send(struct delivery *d)
{
    static struct http_header text = {S_INIT("Content-Type"), S_INIT("text/plain")};
    const struct pushover_conf *p = d->conf;
    str user, token;

    if (!d->secret(d, p->user_key, &user) || !d->secret(d, p->token, &token))
        return DELIVERY_RETRY; /* the file may come back */
    if (!delivery_expand(d, delivery_address(d, user), &user) || !delivery_expand(d, token, &token))
        return DELIVERY_FAILED;
    d->request = (struct http_request){
        .method = S("POST"),
        .url = arena_printf(d->arena, "https://api.pushover.net/1/messages.json?%.*s",
                            STR(pushover_query(d, user, token))),
        .headers = {&text, 1}};
    return DELIVERY_SEND_HTTP;
}

/* -- the answer -- */

/* What Pushover refuses it refuses for good, a quota that is used up, too: it lasts a month. */
static enum delivery_verdict pushover_judge(struct delivery *d)
{
    static const char *const names[] = {"status", "errors"};
    enum delivery_verdict v = delivery_judge_whole(d);
    int status = d->answer->status;
    str said[ARRAY_LEN(names)];

    if (d->lost || status / 100 == 5)
        return v;
    if (!delivery_answer_read(d, names, said, ARRAY_LEN(names)))
        said[0] = said[1] = STR_NONE;
    if (v == DELIVERY_OK && !str_is(said[0], "0"))
        return DELIVERY_OK;
    if (v == DELIVERY_OK)
        d->failure = FAILURE_CLIENT;
    if (said[1].n != 0)
        err_set(&d->err, ERR_IO, "Pushover refuses it (%d): %.*s", status,
                STR(str_sub(said[1], 0, 200)));
    else if (v == DELIVERY_OK)
        err_set(&d->err, ERR_IO, "Pushover refuses it and does not say why");
    if (status == 429)
        delivery_advise(d, "the application's messages of this month are used up");
    return DELIVERY_FAILED;
}

static enum delivery_verdict pushover_step(struct delivery *d)
{
    return d->answer != NULL ? pushover_judge(d) : pushover_send(d);
}

const struct receiver_type pushover_receiver = {
    .name = "pushover",
    .config_key = "pushover_configs",
    .doc = "Pushover",
    .conf = &pushover_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .can = CAN_DIGEST | CAN_SPLIT | CAN_PERSON,
    .pace = {.runes = MAX_MESSAGE},
    .check = pushover_check,
    .step = pushover_step,
};
