/* msteams.c - Microsoft Teams by Office connectors. */
#include "tocsin/json.h"
#include "tocsin/receiver.h"

struct msteams_conf {
    struct secret webhook_url;
    str title, summary, text;
};

static const struct conf_key keys[] = {
    CONF_KEY(struct msteams_conf, webhook_url, CONF_SECRET_URL, "where to post",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct msteams_conf, title, CONF_TEMPLATE, "title",
             .text = "{{ template \"msteams.default.title\" . }}"),
    CONF_KEY(struct msteams_conf, summary, CONF_TEMPLATE, "summary",
             .text = "{{ template \"msteams.default.summary\" . }}"),
    CONF_KEY(struct msteams_conf, text, CONF_TEMPLATE, "text",
             .text = "{{ template \"msteams.default.text\" . }}"),
    CONF_KEYS_END,
};

static void msteams_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct msteams_conf *m = conf;

    (void)view;
    if (!secret_is_set(m->webhook_url))
        conf_error(c, NULL, "one of \"webhook_url\" and \"webhook_url_file\" is needed");
}

static const struct conf_type msteams_conf_type = {
    .name = "msteams_config",
    .doc = "Microsoft Teams (connectors)",
    .keys = keys,
    .size = sizeof(struct msteams_conf),
};

/* -- the card, in the field order of Alertmanager -- */

static void msteams_fill(struct delivery *d, struct json_writer *w)
{
    const struct msteams_conf *m = d->conf;
    const struct delivery_member texts[] = {{"title", m->title, .always = true},
                                            {"summary", m->summary, .always = true},
                                            {"text", m->text, .always = true}};

    json_open(w, '{');
    json_put_text(w, "@context", S("http://schema.org/extensions"));
    json_put_text(w, "type", S("MessageCard"));
    delivery_put_members(d, w, texts, ARRAY_LEN(texts));
    json_put_text(w, "themeColor", d->n->n_firing != 0 ? S("8C1A1A") : S("2DC72D"));
    json_close(w, '}');
}

static enum delivery_verdict msteams_send(struct delivery *d)
{
    const struct msteams_conf *m = d->conf;
    struct json_writer w;
    struct buf b = BUF_INIT;
    str url;

    if (!d->secret(d, m->webhook_url, &url))
        return DELIVERY_RETRY; /* the file may come back */
    json_writer_init(&w, &b, true);
    msteams_fill(d, &w);
    delivery_post_json(d, url, &b);
    return DELIVERY_SEND_HTTP;
}

/* -- the answer -- */

static enum delivery_verdict msteams_refused(struct delivery *d)
{
    static const struct delivery_hint hints[] = {
        {0, "Text is required", "\"title\", \"summary\" and \"text\" give no text"},
        {0, "HTTP error 413", "Teams takes 28 KB: shorten \"text\""},
        {413, NULL, "Teams takes 28 KB: shorten \"text\""},
        {404, NULL, "the connector is gone: make a workflow and use msteamsv2_configs"},
        {410, NULL, "the connector is gone: make a workflow and use msteamsv2_configs"},
        {0, NULL, NULL},
    };

    delivery_explain(d, hints);
    return DELIVERY_FAILED;
}

/* A connector answers 200 and "1"; when Teams itself took nothing, still 200, and "Webhook message delivery failed with
 * error: Microsoft Teams endpoint returned HTTP error 429 with ContextId ...". */
static enum delivery_verdict msteams_judge_body(struct delivery *d)
{
    static const str failed = S_INIT("message delivery failed"), code = S_INIT("HTTP error ");
    str body = d->answer->body;
    ptrdiff_t at = str_find_str(body, code);
    uint64_t status = 0;

    if (str_find_str(body, failed) < 0)
        return DELIVERY_OK;
    if (at >= 0)
        (void)str_to_u64(str_sub(body, (size_t)at + code.n, (size_t)at + code.n + 3), &status);
    err_set(&d->err, ERR_IO, "%.*s", STR(str_sub(body, 0, 200)));
    d->failure = status == 429   ? FAILURE_RATE_LIMITED
                 : status >= 500 ? FAILURE_SERVER
                                 : FAILURE_CLIENT;
    return status == 429 || status >= 500 ? DELIVERY_RETRY : msteams_refused(d);
}

static enum delivery_verdict msteams_judge(struct delivery *d)
{
    enum delivery_verdict v = delivery_judge_whole(d);

    if (v == DELIVERY_OK)
        return msteams_judge_body(d);
    return v == DELIVERY_FAILED ? msteams_refused(d) : v;
}

static enum delivery_verdict msteams_step(struct delivery *d)
{
    return d->answer != NULL ? msteams_judge(d) : msteams_send(d);
}

const struct receiver_type msteams_receiver = {
    .name = "msteams",
    .config_key = "msteams_configs",
    .doc = "Microsoft Teams (connectors)",
    .conf = &msteams_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .can = CAN_DIGEST | CAN_SPLIT,
    .pace = {.limits = {{4, NS_PER_S}}, .bytes = 28 << 10},
    .check = msteams_check,
    .step = msteams_step,
};
