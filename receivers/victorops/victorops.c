/* victorops.c - Splunk On-Call, formerly VictorOps. */
#include "tocsin/json.h"
#include "tocsin/receiver.h"

struct victorops_conf {
    struct secret api_key;
    str api_url, routing_key, message_type, state_message, entity_display_name, monitoring_tool;
    struct conf_map custom_fields;
};

static const struct conf_key keys[] = {
    CONF_KEY(struct victorops_conf, api_key, CONF_SECRET, "key of the integration",
             CONF_GLOBAL(victorops_api_key), .flags = CONF_PATH_FIXED),
    CONF_KEY(struct victorops_conf, api_url, CONF_URL, "address of the API",
             CONF_GLOBAL(victorops_api_url), .flags = CONF_SLASH),
    CONF_KEY(struct victorops_conf, routing_key, CONF_TEMPLATE, "who is told",
             .flags = CONF_REQUIRED),
    CONF_KEY(struct victorops_conf, message_type, CONF_TEMPLATE, "INFO, WARNING or CRITICAL",
             .text = "CRITICAL"),
    CONF_KEY(struct victorops_conf, state_message, CONF_TEMPLATE, "text",
             .text = "{{ template \"victorops.default.state_message\" . }}"),
    CONF_KEY(struct victorops_conf, entity_display_name, CONF_TEMPLATE, "title",
             .text = "{{ template \"victorops.default.entity_display_name\" . }}"),
    CONF_KEY(struct victorops_conf, monitoring_tool, CONF_TEMPLATE, "name of the sender",
             .text = "{{ template \"victorops.default.monitoring_tool\" . }}"),
    CONF_KEY(struct victorops_conf, custom_fields, CONF_STRING_MAP, "further fields, templates"),
    CONF_KEYS_END,
};

static void victorops_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    static const char *const fixed[] = {"routing_key",         "message_type",    "state_message",
                                        "entity_display_name", "monitoring_tool", "entity_id",
                                        "entity_state"};
    struct victorops_conf *v = conf;

    (void)view;
    if (!secret_is_set(v->api_key))
        conf_error(c, NULL,
                   "no key: \"api_key\" is missing here and \"victorops_api_key\" in global");
    for (size_t i = 0; i < v->custom_fields.n; i++)
        for (size_t j = 0; j < ARRAY_LEN(fixed); j++)
            if (str_is(v->custom_fields.v[i].name, fixed[j]))
                conf_error(c, "custom_fields", "\"%s\" is a field of its own", fixed[j]);
}

static const struct conf_type victorops_conf_type = {
    .name = "victorops_config",
    .doc = "Splunk On-Call (VictorOps)",
    .keys = keys,
    .size = sizeof(struct victorops_conf),
};

/* -- the request -- */

enum { MAX_STATE_MESSAGE = 20480, VICTOROPS_FIELDS = 5 }; /* runes; those that are always there */

/* CRITICAL for a word that VictorOps does not know: towards noise. */
static str victorops_type(struct delivery *d, const struct victorops_conf *v)
{
    static const char *const known[] = {"INFO", "WARNING", "CRITICAL"};
    const struct delivery_member m = {"", v->message_type, .instead = "CRITICAL"};
    str type = delivery_member_text(d, &m);

    if (d->n->n_firing == 0)
        return S("RECOVERY");
    if (d->n->act == ACT_ACKED)
        return S("ACKNOWLEDGEMENT");
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_is(type, known[i]))
            return type;
    return S("CRITICAL");
}

static str victorops_body(struct delivery *d, const struct victorops_conf *v)
{
    const struct delivery_member state = {"", v->state_message, .max_runes = MAX_STATE_MESSAGE};
    struct delivery_pair *p =
        arena_array(d->arena, VICTOROPS_FIELDS + v->custom_fields.n, sizeof(*p));
    size_t n = 0;
    struct json_writer w;
    struct buf b = BUF_INIT;

    p[n++] = (struct delivery_pair){S("message_type"), victorops_type(d, v)};
    p[n++] = (struct delivery_pair){S("entity_id"), delivery_group_hash(d)};
    p[n++] = (struct delivery_pair){S("entity_display_name"),
                                    delivery_say(d, v->entity_display_name, false)};
    p[n++] = (struct delivery_pair){S("state_message"), delivery_member_text(d, &state)};
    p[n++] =
        (struct delivery_pair){S("monitoring_tool"), delivery_say(d, v->monitoring_tool, false)};
    for (size_t i = 0; i < v->custom_fields.n; i++)
        p[n++] = (struct delivery_pair){v->custom_fields.v[i].name,
                                        delivery_say(d, v->custom_fields.v[i].value, false)};
    json_writer_init(&w, &b, true);
    delivery_put_pairs(&w, p, n);
    buf_addc(&b, '\n');
    return arena_take(d->arena, &b);
}

static enum delivery_verdict victorops_send(struct delivery *d)
{
    static struct http_header json = {S_INIT("Content-Type"), S_INIT("application/json")};
    const struct victorops_conf *v = d->conf;
    str key, routing_key;

    if (!d->secret(d, v->api_key, &key))
        return DELIVERY_RETRY; /* the file may come back */
    if (!delivery_expand(d, v->routing_key, &routing_key))
        return DELIVERY_FAILED;
    key = arena_printf(d->arena, "%.*s/%.*s", STR(key), STR(routing_key));
    d->request = (struct http_request){.method = S("POST"),
                                       .url = delivery_url(d, v->api_url,
                                                           delivery_escape_path(d, key), STR_NONE),
                                       .headers = {&json, 1},
                                       .body = victorops_body(d, v)};
    return DELIVERY_SEND_HTTP;
}

static enum delivery_verdict victorops_step(struct delivery *d)
{
    enum delivery_verdict v;

    if (d->answer == NULL)
        return victorops_send(d);
    v = delivery_judge_http(d);
    if (v == DELIVERY_FAILED && (d->failure == FAILURE_AUTH || d->answer->status == 404))
        delivery_advise(d, "\"api_key\" is not that of a REST endpoint");
    return v;
}

const struct receiver_type victorops_receiver = {
    .name = "victorops",
    .config_key = "victorops_configs",
    .doc = "Splunk On-Call (VictorOps)",
    .conf = &victorops_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .can = CAN_EDIT | CAN_ACK,
    .pace = {.runes = MAX_STATE_MESSAGE},
    .check = victorops_check,
    .step = victorops_step,
};
