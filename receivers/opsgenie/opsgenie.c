/* opsgenie.c - Opsgenie. */
#include "tocsin/receiver.h"

struct opsgenie_responder {
    str id, name, username, type;
};

struct opsgenie_conf {
    struct secret api_key;
    str api_url, message, description, source, entity, actions, tags, note, priority;
    struct conf_map details;
    CONF_LIST_OF(struct opsgenie_responder) responders;
    bool update_alerts;
};

static bool is_responder_type(str type)
{
    static const char *const types[] = {"team", "teams", "user", "escalation", "schedule"};

    if (str_find_str(type, S("{{")) >= 0)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_eq_nocase(type, str_of(types[i])))
            return true;
    return false;
}

static void check_responder(struct conf_check *c, void *obj)
{
    const struct opsgenie_responder *r = obj;

    if (r->id.n + r->name.n + r->username.n == 0)
        conf_error(c, NULL, "a responder needs \"id\", \"name\" or \"username\"");
    if (!is_responder_type(r->type))
        conf_error(c, "type", "team, teams, user, escalation or schedule expected, not \"%.*s\"",
                   STR(r->type));
}

static const struct conf_key responder_keys[] = {
    CONF_KEY(struct opsgenie_responder, id, CONF_TEMPLATE, "id"),
    CONF_KEY(struct opsgenie_responder, name, CONF_TEMPLATE, "name"),
    CONF_KEY(struct opsgenie_responder, username, CONF_TEMPLATE, "name of a user"),
    CONF_KEY(struct opsgenie_responder, type, CONF_TEMPLATE,
             "team, teams, user, escalation or schedule"),
    CONF_KEYS_END,
};
static const struct conf_type responder_type = {.name = "opsgenie_responder",
                                                .keys = responder_keys,
                                                .size = sizeof(struct opsgenie_responder),
                                                .check = check_responder};

static const struct conf_key keys[] = {
    CONF_KEY(struct opsgenie_conf, api_key, CONF_SECRET, "key of the integration",
             CONF_GLOBAL(opsgenie_api_key), .flags = CONF_PATH_FIXED),
    CONF_KEY(struct opsgenie_conf, api_url, CONF_URL, "address of the API",
             CONF_GLOBAL(opsgenie_api_url), .flags = CONF_SLASH),
    CONF_KEY(struct opsgenie_conf, message, CONF_TEMPLATE, "title",
             .text = "{{ template \"opsgenie.default.message\" . }}"),
    CONF_KEY(struct opsgenie_conf, description, CONF_TEMPLATE, "text",
             .text = "{{ template \"opsgenie.default.description\" . }}"),
    CONF_KEY(struct opsgenie_conf, source, CONF_TEMPLATE, "link back",
             .text = "{{ template \"opsgenie.default.source\" . }}"),
    CONF_KEY(struct opsgenie_conf, details, CONF_STRING_MAP, "further details, templates"),
    CONF_KEY(struct opsgenie_conf, entity, CONF_TEMPLATE, "what is affected"),
    CONF_KEY(struct opsgenie_conf, responders, CONF_LIST, "who is told", .sub = &responder_type),
    CONF_KEY(struct opsgenie_conf, actions, CONF_TEMPLATE, "actions, comma-separated"),
    CONF_KEY(struct opsgenie_conf, tags, CONF_TEMPLATE, "tags, comma-separated"),
    CONF_KEY(struct opsgenie_conf, note, CONF_TEMPLATE, "note"),
    CONF_KEY(struct opsgenie_conf, priority, CONF_TEMPLATE, "P1 to P5"),
    CONF_KEY(struct opsgenie_conf, update_alerts, CONF_BOOL,
             "also update title and text of an open alert"),
    CONF_KEYS_END,
};

static void opsgenie_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    struct opsgenie_conf *o = conf;

    (void)view;
    if (!secret_is_set(o->api_key))
        conf_error(c, NULL,
                   "no key: \"api_key\" is missing here and \"opsgenie_api_key\" in global");
}

static const struct conf_type opsgenie_conf_type = {
    .name = "opsgenie_config",
    .doc = "Opsgenie",
    .keys = keys,
    .size = sizeof(struct opsgenie_conf),
};

const struct receiver_type opsgenie_receiver = {
    .name = "opsgenie",
    .config_key = "opsgenie_configs",
    .doc = "Opsgenie",
    .conf = &opsgenie_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .check = opsgenie_check,
};
