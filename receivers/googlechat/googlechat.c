/* googlechat.c - Google Chat, by a webhook of a space: a text, in a thread of its group.
 *
 * Source   ecosystem.md 1.0; https://developers.google.com/workspace/chat/quickstart/webhooks
 */
#include "tocsin/buf.h"
#include "tocsin/json.h"
#include "tocsin/receiver.h"

struct googlechat_conf {
    struct secret url;
    str message;
    bool threading;
    dur_ns timeout;
};

static const struct conf_key keys[] = {
    CONF_KEY(struct googlechat_conf, url, CONF_SECRET_URL, "address of the space's webhook",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct googlechat_conf, message, CONF_TEMPLATE, "text",
             .text = "{{ template \"googlechat.default.message\" . }}"),
    CONF_KEY(struct googlechat_conf, threading, CONF_BOOL, "a group's messages make one thread",
             .text = "true"),
    CONF_KEY(struct googlechat_conf, timeout, CONF_GO_DURATION, "limit for one request, 0 = none"),
    CONF_KEYS_END,
};

static const struct conf_type googlechat_conf_type = {
    .name = "googlechat_config",
    .doc = "Google Chat",
    .keys = keys,
    .size = sizeof(struct googlechat_conf),
};

static void googlechat_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct googlechat_conf *k = conf;

    (void)view;
    if (!secret_is_set(k->url))
        conf_error(c, NULL, "one of \"url\" and \"url_file\" is needed");
}

/* -- the request -- */

enum { GOOGLECHAT_TEXT_MAX = 4096 /* bytes */ };

static str googlechat_address(struct delivery *d, str url)
{
    const struct googlechat_conf *k = d->conf;

    if (!k->threading)
        return url;
    return arena_printf(d->arena, "%.*s%cmessageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD",
                        STR(url), str_find(url, '?') >= 0 ? '&' : '?');
}

/* A group's own, or that of the digest that told it. */
static str googlechat_thread(struct delivery *d)
{
    str of_digest = delivery_kept_thread(d, S("threadKey"));

    return of_digest.n != 0 ? of_digest : delivery_group_hash(d);
}

static void googlechat_fill(struct delivery *d)
{
    const struct googlechat_conf *k = d->conf;
    struct json_writer w;
    struct buf b = BUF_INIT;

    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    json_put_text(&w, "text",
                  delivery_truncate_bytes(d, delivery_say(d, k->message, false),
                                          GOOGLECHAT_TEXT_MAX));
    if (k->threading) {
        json_key(&w, S("thread"));
        json_open(&w, '{');
        json_put_text(&w, "threadKey", googlechat_thread(d));
        json_close(&w, '}');
    }
    json_close(&w, '}');
    d->request.body = arena_take(d->arena, &b);
}

static enum delivery_verdict googlechat_send(struct delivery *d)
{
    static struct http_header json = {S_INIT("Content-Type"),
                                      S_INIT("application/json; charset=UTF-8")};
    const struct googlechat_conf *k = d->conf;
    str url;

    if (!d->secret(d, k->url, &url))
        return DELIVERY_RETRY; /* the file may come back */
    googlechat_fill(d);
    d->request.url = googlechat_address(d, url);
    d->request.method = S("POST");
    d->request.headers = (struct http_headers){&json, 1};
    d->timeout = k->timeout;
    return DELIVERY_SEND_HTTP;
}

/* -- the answer -- */

static const char *googlechat_advice(int status)
{
    switch (status) {
    case 400: return "Google Chat finds something wrong in the message, or \"key\" in \"url\"";
    case 401:
    case 403: return "\"key\" or \"token\" in \"url\" is wrong, or the space allows no webhooks";
    case 404: return "the space or its webhook is gone: make a new one and set \"url\"";
    case 429: return "Google Chat takes one message a second and space";
    default: return "unexpected status code";
    }
}

/* Of a digest alone: a group's own thread is found by its name. */
static void googlechat_keep(struct delivery *d)
{
    struct delivery_pair *p = arena_new(d->arena, struct delivery_pair);

    *p = (struct delivery_pair){S("threadKey"), delivery_group_hash(d)};
    d->kept = p;
    d->n_kept = ((const struct googlechat_conf *)d->conf)->threading && d->n->act == ACT_DIGEST;
}

static enum delivery_verdict googlechat_judge(struct delivery *d)
{
    enum delivery_verdict v = delivery_judge_http(d);
    str said;

    if (v == DELIVERY_OK)
        googlechat_keep(d);
    if (v == DELIVERY_OK || d->answer->status == 0)
        return v;
    if (!delivery_answer_member(d, S("error.message"), &said))
        said = d->answer->body;
    err_set(&d->err, ERR_IO, "%s (%d: %.*s)", googlechat_advice(d->answer->status),
            d->answer->status, STR(delivery_truncate_bytes(d, str_trim(said), 200)));
    return v;
}

static enum delivery_verdict googlechat_step(struct delivery *d)
{
    return d->answer != NULL ? googlechat_judge(d) : googlechat_send(d);
}

const struct receiver_type googlechat_receiver = {
    .name = "googlechat",
    .config_key = "googlechat_configs",
    .doc = "Google Chat",
    .conf = &googlechat_conf_type,
    .send_resolved_default = true,
    .is_ours = true,
    .uses_http = true,
    .can = CAN_THREAD | CAN_DIGEST | CAN_SPLIT,
    .pace = {.limits = {{1, NS_PER_S}}, .bytes = GOOGLECHAT_TEXT_MAX},
    .check = googlechat_check,
    .step = googlechat_step,
};
