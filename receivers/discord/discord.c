/* discord.c - Discord webhooks. */
#include "tocsin/json.h"
#include "tocsin/receiver.h"

struct discord_conf {
    struct secret webhook_url;
    str content, title, message, username, avatar_url;
};

static const struct conf_key keys[] = {
    CONF_KEY(struct discord_conf, webhook_url, CONF_SECRET_URL, "where to post",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct discord_conf, content, CONF_TEMPLATE, "text above the embed",
             .text = "{{ template \"discord.default.content\" . }}"),
    CONF_KEY(struct discord_conf, title, CONF_TEMPLATE, "title of the embed",
             .text = "{{ template \"discord.default.title\" . }}"),
    CONF_KEY(struct discord_conf, message, CONF_TEMPLATE, "text of the embed",
             .text = "{{ template \"discord.default.message\" . }}"),
    CONF_KEY(struct discord_conf, username, CONF_STRING, "name of the sender"),
    CONF_KEY(struct discord_conf, avatar_url, CONF_STRING, "picture of the sender"),
    CONF_KEYS_END,
};

static void discord_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct discord_conf *d = conf;

    (void)view;
    if (!secret_is_set(d->webhook_url))
        conf_error(c, NULL, "one of \"webhook_url\" and \"webhook_url_file\" is needed");
}

static const struct conf_type discord_conf_type = {
    .name = "discord_config",
    .doc = "Discord",
    .keys = keys,
    .size = sizeof(struct discord_conf),
};

/* -- the message, in the field order of Alertmanager -- */

enum { /* runes; and colours */
       DISCORD_MAX_CONTENT = 2000,
       DISCORD_MAX_TITLE = 256,
       DISCORD_MAX_DESCRIPTION = 4096,
       DISCORD_RED = 0x992d22,
       DISCORD_GREEN = 0x2ecc71,
};

static void discord_fill(struct delivery *d, struct json_writer *w, const struct discord_conf *k)
{
    const struct delivery_member content = {"content", k->content, .always = true,
                                            .max_runes = DISCORD_MAX_CONTENT};
    const struct delivery_member embed[] = {
        {"title", k->title, .always = true, .max_runes = DISCORD_MAX_TITLE},
        {"description", k->message, .always = true, .max_runes = DISCORD_MAX_DESCRIPTION},
    };

    json_open(w, '{');
    delivery_put_members(d, w, &content, 1);
    json_key(w, S("embeds"));
    json_open(w, '[');
    json_open(w, '{');
    delivery_put_members(d, w, embed, ARRAY_LEN(embed));
    json_key(w, S("color"));
    json_put_i64(w, d->n->n_firing != 0 ? DISCORD_RED : DISCORD_GREEN);
    json_close(w, '}');
    json_close(w, ']');
    if (k->username.n != 0) /* these two are no templates */
        json_put_text(w, "username", k->username);
    if (k->avatar_url.n != 0)
        json_put_text(w, "avatar_url", k->avatar_url);
    json_close(w, '}');
}

static enum delivery_verdict discord_send(struct delivery *d)
{
    const struct discord_conf *k = d->conf;
    struct json_writer w;
    struct buf b = BUF_INIT;
    str url;

    if (!d->secret(d, k->webhook_url, &url))
        return DELIVERY_RETRY; /* the file may come back */
    delivery_call_nobody(d);
    json_writer_init(&w, &b, true);
    discord_fill(d, &w, k);
    delivery_post_json(d, url, &b);
    return DELIVERY_SEND_HTTP;
}

/* -- the answer -- */

/* Some proxies before Discord give no Retry-After; {"message":"...","retry_after":0.65,"global":false} does. */
static enum delivery_verdict discord_judge(struct delivery *d)
{
    static const struct delivery_hint hints[] = {
        {0, "50006", "\"content\", \"title\" and \"message\" give no text"},
        {400, "\"username\"", "\"username\" is one that Discord does not take"},
        {400, "\"avatar_url\"", "\"avatar_url\" is no address of a picture"},
        {401, NULL, "\"webhook_url\" is wrong"},
        {404, NULL, "the webhook is gone: make one and set \"webhook_url\""},
        {0, NULL, NULL},
    };
    static const char *const names[] = {"retry_after"};
    enum delivery_verdict v = delivery_judge_http(d);
    str wait;

    if (v == DELIVERY_RETRY && d->answer->status == 429 &&
        delivery_answer_read(d, names, &wait, 1) && delivery_wait(d, wait))
        return DELIVERY_RETRY_AFTER;
    if (v == DELIVERY_FAILED)
        delivery_explain(d, hints);
    return v;
}

static enum delivery_verdict discord_step(struct delivery *d)
{
    return d->answer != NULL ? discord_judge(d) : discord_send(d);
}

const struct receiver_type discord_receiver = {
    .name = "discord",
    .config_key = "discord_configs",
    .doc = "Discord",
    .conf = &discord_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .can = CAN_DIGEST | CAN_SPLIT,
    .pace = {.limits = {{5, 2 * NS_PER_S}}, .runes = DISCORD_MAX_DESCRIPTION},
    .check = discord_check,
    .step = discord_step,
};
