/* webex.c - Cisco Webex. */
#include "tocsin/json.h"
#include "tocsin/receiver.h"

struct webex_conf {
    str api_url, room_id, message;
};

static const struct conf_key keys[] = {
    CONF_KEY(struct webex_conf, api_url, CONF_URL, "address of the API",
             CONF_GLOBAL(webex_api_url)),
    CONF_KEY(struct webex_conf, room_id, CONF_TEMPLATE, "room", .flags = CONF_REQUIRED),
    CONF_KEY(struct webex_conf, message, CONF_TEMPLATE, "text",
             .text = "{{ template \"webex.default.message\" . }}"),
    CONF_KEYS_END,
};

static void webex_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    (void)conf;
    if (!view->has_http_authorization)
        conf_error(c, "http_config", "needs \"authorization\" with the bot's token");
}

static const struct conf_type webex_conf_type = {
    .name = "webex_config",
    .doc = "Cisco Webex",
    .keys = keys,
    .size = sizeof(struct webex_conf),
};

enum { WEBEX_MAX_TEXT = 7439 }; /* bytes */

/* The token is that of http_config. */
static enum delivery_verdict webex_send(struct delivery *d)
{
    const struct webex_conf *k = d->conf;
    struct json_writer w;
    struct buf b = BUF_INIT;
    str room;

    if (!delivery_expand(d, delivery_address(d, k->room_id), &room))
        return DELIVERY_FAILED;
    delivery_call_nobody(d);
    json_writer_init(&w, &b, true);
    json_open(&w, '{');
    json_put_text(&w, "markdown",
                  delivery_truncate_bytes(d, delivery_say(d, k->message, false), WEBEX_MAX_TEXT));
    if (room.n != 0)
        json_put_text(&w, d->address.n != 0 ? "toPersonEmail" : "roomId", room);
    json_close(&w, '}');
    delivery_post_json(d, k->api_url, &b);
    return DELIVERY_SEND_HTTP;
}

static enum delivery_verdict webex_judge(struct delivery *d)
{
    static const struct delivery_hint hints[] = {
        {400, "roomId", "\"room_id\" gives no room"},
        {401, NULL, "the token in \"http_config\" is wrong"},
        {403, NULL, "the bot is not in the room: add it"},
        {404, NULL, "set \"room_id\" to a room that the bot is in"},
        {0, NULL, NULL},
    };
    enum delivery_verdict v = delivery_judge_http(d);

    if (v == DELIVERY_FAILED)
        delivery_explain(d, hints);
    return v;
}

static enum delivery_verdict webex_step(struct delivery *d)
{
    return d->answer != NULL ? webex_judge(d) : webex_send(d);
}

const struct receiver_type webex_receiver = {
    .name = "webex",
    .config_key = "webex_configs",
    .doc = "Cisco Webex",
    .conf = &webex_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .can = CAN_DIGEST | CAN_SPLIT | CAN_PERSON,
    .pace = {.bytes = WEBEX_MAX_TEXT},
    .check = webex_check,
    .step = webex_step,
};
