/* msteamsv2.c - Microsoft Teams by workflows. */
#include "tocsin/json.h"
#include "tocsin/receiver.h"

struct msteamsv2_conf {
    struct secret webhook_url;
    str title, text;
};

static const struct conf_key keys[] = {
    CONF_KEY(struct msteamsv2_conf, webhook_url, CONF_SECRET_URL, "where to post",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct msteamsv2_conf, title, CONF_TEMPLATE, "title",
             .text = "{{ template \"msteamsv2.default.title\" . }}"),
    CONF_KEY(struct msteamsv2_conf, text, CONF_TEMPLATE, "text",
             .text = "{{ template \"msteamsv2.default.text\" . }}"),
    CONF_KEYS_END,
};

static void msteamsv2_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct msteamsv2_conf *m = conf;

    (void)view;
    if (!secret_is_set(m->webhook_url))
        conf_error(c, NULL, "one of \"webhook_url\" and \"webhook_url_file\" is needed");
}

static const struct conf_type msteamsv2_conf_type = {
    .name = "msteamsv2_config",
    .doc = "Microsoft Teams (workflows)",
    .keys = keys,
    .size = sizeof(struct msteamsv2_conf),
};

/* -- the card, in the field order of Alertmanager -- */

static void msteamsv2_put_blocks(struct delivery *d, struct json_writer *w)
{
    const struct msteamsv2_conf *m = d->conf;
    const struct delivery_member title = {"text", m->title, .always = true};
    const struct delivery_member text = {"text", m->text, .always = true};

    json_key(w, S("body"));
    json_open(w, '[');
    json_open(w, '{');
    json_put_text(w, "type", S("TextBlock"));
    delivery_put_members(d, w, &title, 1);
    json_put_text(w, "weight", S("Bolder"));
    json_put_text(w, "size", S("Medium"));
    json_key(w, S("wrap"));
    json_put_bool(w, true);
    json_put_text(w, "style", S("heading"));
    json_put_text(w, "color", d->n->n_firing != 0 ? S("Attention") : S("Good"));
    json_close(w, '}');
    json_open(w, '{');
    json_put_text(w, "type", S("TextBlock"));
    delivery_put_members(d, w, &text, 1);
    json_key(w, S("wrap"));
    json_put_bool(w, true);
    json_close(w, '}');
    json_close(w, ']');
}

static void msteamsv2_fill(struct delivery *d, struct json_writer *w)
{
    json_open(w, '{');
    json_put_text(w, "type", S("message"));
    json_key(w, S("attachments"));
    json_open(w, '[');
    json_open(w, '{');
    json_put_text(w, "contentType", S("application/vnd.microsoft.card.adaptive"));
    json_key(w, S("contentUrl"));
    json_put_null(w);
    json_key(w, S("content"));
    json_open(w, '{');
    json_put_text(w, "$schema", S("http://adaptivecards.io/schemas/adaptive-card.json"));
    json_put_text(w, "type", S("AdaptiveCard"));
    json_put_text(w, "version", S("1.2"));
    msteamsv2_put_blocks(d, w);
    json_key(w, S("msteams"));
    json_open(w, '{');
    json_put_text(w, "width", S("full"));
    json_close(w, '}');
    json_close(w, '}');
    json_close(w, '}');
    json_close(w, ']');
    json_close(w, '}');
}

static enum delivery_verdict msteamsv2_send(struct delivery *d)
{
    const struct msteamsv2_conf *m = d->conf;
    struct json_writer w;
    struct buf b = BUF_INIT;
    str url;

    if (!d->secret(d, m->webhook_url, &url))
        return DELIVERY_RETRY; /* the file may come back */
    json_writer_init(&w, &b, true);
    msteamsv2_fill(d, &w);
    delivery_post_json(d, url, &b);
    return DELIVERY_SEND_HTTP;
}

/* -- the answer -- */

static enum delivery_verdict msteamsv2_judge(struct delivery *d)
{
    static const struct delivery_hint hints[] = {
        {0, "TriggerInputSchemaMismatch",
         "the workflow begins with another trigger: make one that begins with a Teams webhook"},
        {401, NULL, "\"webhook_url\" is not whole: its signature belongs to it"},
        {403, NULL, "\"webhook_url\" is not whole: its signature belongs to it"},
        {404, NULL, "the workflow is gone or off: turn it on, or set \"webhook_url\""},
        {413, NULL, "Teams takes 28 KB: shorten \"text\""},
        {0, NULL, NULL},
    };
    enum delivery_verdict v = delivery_judge_http(d);

    if (v == DELIVERY_FAILED)
        delivery_explain(d, hints);
    return v;
}

static enum delivery_verdict msteamsv2_step(struct delivery *d)
{
    return d->answer != NULL ? msteamsv2_judge(d) : msteamsv2_send(d);
}

const struct receiver_type msteamsv2_receiver = {
    .name = "msteamsv2",
    .config_key = "msteamsv2_configs",
    .doc = "Microsoft Teams (workflows)",
    .conf = &msteamsv2_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .inherits_proxy = true,
    .can = CAN_DIGEST | CAN_SPLIT,
    .pace = {.limits = {{4, NS_PER_S}}, .bytes = 28 << 10},
    .check = msteamsv2_check,
    .step = msteamsv2_step,
};
