/* opsgenie.c - Opsgenie. */
#include "tocsin/json.h"
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

/* -- the requests: what is open is created and, if wanted, updated; what has ended is closed -- */

enum opsgenie_request {
    OPSGENIE_CREATE,
    OPSGENIE_MESSAGE,
    OPSGENIE_DESCRIPTION,
    OPSGENIE_CLOSE,
    OPSGENIE_ACK
};

enum { MAX_MESSAGE = 130, OPSGENIE_MAX_USER = 100 }; /* runes */

/* Common labels, and over them what is configured. */
static void opsgenie_put_details(struct delivery *d, struct json_writer *w)
{
    const struct opsgenie_conf *o = d->conf;
    struct labels first = d->n->n_alerts != 0 ? d->n->alerts[0].labels : LABELS_NONE;
    struct delivery_pair *v = arena_array(d->arena, first.n + o->details.n, sizeof(*v));
    size_t n = 0;

    for (size_t i = 0; i < o->details.n; i++)
        v[n++] = (struct delivery_pair){o->details.v[i].name,
                                        delivery_say(d, o->details.v[i].value, false)};
    LABELS_EACH (l, first) {
        size_t i = 0;

        while (i < o->details.n && !str_eq(o->details.v[i].name, l->name))
            i++;
        if (i == o->details.n && notification_is_common(d->n, l, false))
            v[n++] = (struct delivery_pair){l->name, l->value};
    }
    json_key(w, S("details"));
    delivery_put_pairs(w, v, n);
}

static void opsgenie_put_responder(struct delivery *d, struct json_writer *w,
                                   const struct opsgenie_responder *r)
{
    const struct delivery_member m[] = {{"id", r->id, .instead = ""},
                                        {"name", r->name, .instead = ""},
                                        {"username", r->username, .instead = ""},
                                        {"type", r->type, .always = true, .instead = ""}};

    json_open(w, '{');
    delivery_put_members(d, w, m, ARRAY_LEN(m));
    json_close(w, '}');
}

/* A responder whose templates give nothing is none; the name of teams is several. */
static void opsgenie_put_rendered(struct delivery *d, struct json_writer *w,
                                  struct opsgenie_responder r)
{
    str *const all[] = {&r.id, &r.name, &r.username, &r.type};
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        const struct delivery_member m = {"", *all[i], .instead = ""};

        *all[i] = delivery_member_text(d, &m);
        n += all[i]->n;
    }
    if (n == 0)
        return;
    if (!str_is(r.type, "teams")) {
        opsgenie_put_responder(d, w, &r);
        return;
    }
    for (str rest = str_trim(r.name); rest.n != 0;) {
        struct opsgenie_responder team = {.name = str_cut(&rest, ','), .type = S("team")};

        if (team.name.n != 0)
            opsgenie_put_responder(d, w, &team);
    }
}

/* Left out when it is empty. */
static void opsgenie_put_items(struct json_writer *w, const char *key, struct buf *items)
{
    if (items->n != 0) {
        json_key(w, str_of(key));
        json_open(w, '[');
        json_put_raw(w, buf_str(items));
        json_close(w, ']');
    }
    buf_release(items);
}

static void opsgenie_put_responders(struct delivery *d, struct json_writer *w)
{
    const struct opsgenie_conf *o = d->conf;
    struct buf b = BUF_INIT;
    struct json_writer items;

    json_writer_init(&items, &b, true);
    for (size_t i = 0; i < o->responders.n; i++)
        opsgenie_put_rendered(d, &items, o->responders.v[i]);
    opsgenie_put_items(w, "responders", &b);
}

static void opsgenie_put_commas(struct delivery *d, struct json_writer *w, const char *key,
                                str text)
{
    const struct delivery_member m = {"", text, .instead = ""};
    struct buf b = BUF_INIT;
    struct json_writer items;

    json_writer_init(&items, &b, true);
    for (str rest = str_trim(delivery_member_text(d, &m)); rest.n != 0;) {
        str item = str_cut(&rest, ',');

        if (item.n != 0)
            json_put_str(&items, item);
    }
    opsgenie_put_items(w, key, &b);
}

static void opsgenie_put_alert(struct delivery *d, struct json_writer *w)
{
    const struct opsgenie_conf *o = d->conf;
    const struct delivery_member first[] = {{"message", o->message, .always = true,
                                             .max_runes = MAX_MESSAGE},
                                            {"description", o->description}};
    const struct delivery_member source = {"source", o->source, .always = true, .instead = ""};
    const struct delivery_member note[] = {{"note", o->note},
                                           {"priority", o->priority, .instead = ""},
                                           {"entity", o->entity, .instead = ""}};

    json_put_text(w, "alias", delivery_group_hash(d));
    delivery_put_members(d, w, first, ARRAY_LEN(first));
    opsgenie_put_details(d, w);
    delivery_put_members(d, w, &source, 1);
    opsgenie_put_responders(d, w);
    opsgenie_put_commas(d, w, "tags", o->tags);
    delivery_put_members(d, w, note, ARRAY_LEN(note));
    opsgenie_put_commas(d, w, "actions", o->actions);
}

static str opsgenie_body(struct delivery *d, enum opsgenie_request what)
{
    const struct opsgenie_conf *o = d->conf;
    const struct delivery_member m[] = {
        [OPSGENIE_MESSAGE] = {"message", o->message, .max_runes = MAX_MESSAGE},
        [OPSGENIE_DESCRIPTION] = {"description", o->description},
        [OPSGENIE_CLOSE] = {"source", o->source, .always = true, .instead = ""},
        [OPSGENIE_ACK] = {"source", o->source, .always = true, .instead = ""}};
    struct json_writer w;
    struct buf b = BUF_INIT;

    json_writer_init(&w, &b, true);
    json_open(&w, '{');
    if (what == OPSGENIE_ACK && d->n->n_actors != 0)
        json_put_text(&w, "user", delivery_truncate_runes(d, d->n->actors[0], OPSGENIE_MAX_USER));
    if (what == OPSGENIE_CREATE)
        opsgenie_put_alert(d, &w);
    else
        delivery_put_members(d, &w, &m[what], 1);
    json_close(&w, '}');
    buf_addc(&b, '\n');
    return arena_take(d->arena, &b);
}

static str opsgenie_url(struct delivery *d, enum opsgenie_request what)
{
    static const char *const ends[] = {[OPSGENIE_CREATE] = "",
                                       [OPSGENIE_MESSAGE] = "/message",
                                       [OPSGENIE_DESCRIPTION] = "/description",
                                       [OPSGENIE_CLOSE] = "/close",
                                       [OPSGENIE_ACK] = "/acknowledge"};
    const struct opsgenie_conf *o = d->conf;

    if (what == OPSGENIE_CREATE)
        return delivery_url(d, o->api_url, S("v2/alerts"), STR_NONE);
    return delivery_url(d, o->api_url,
                        arena_printf(d->arena, "v2/alerts/%.*s%s", STR(delivery_group_hash(d)),
                                     ends[what]),
                        S("identifierType=alias"));
}

static enum delivery_verdict opsgenie_send(struct delivery *d, enum opsgenie_request what)
{
    const struct opsgenie_conf *o = d->conf;
    struct http_header *h = arena_array(d->arena, 2, sizeof(*h));
    enum opsgenie_request *at = arena_new(d->arena, enum opsgenie_request);
    bool updates = what == OPSGENIE_MESSAGE || what == OPSGENIE_DESCRIPTION;
    str key;

    if (!d->secret(d, o->api_key, &key))
        return DELIVERY_RETRY; /* the file may come back */
    if (!delivery_expand(d, key, &key))
        return DELIVERY_FAILED;
    h[0] = (struct http_header){S("Content-Type"), S("application/json")};
    h[1] = (struct http_header){S("Authorization"),
                                arena_printf(d->arena, "GenieKey %.*s", STR(str_trim(key)))};
    d->request = (struct http_request){.method = updates ? S("PUT") : S("POST"),
                                       .url = opsgenie_url(d, what),
                                       .headers = {h, 2},
                                       .body = opsgenie_body(d, what)};
    *at = what;
    d->progress = at;
    return DELIVERY_SEND_HTTP;
}

/* -- the answers -- */

static enum delivery_verdict opsgenie_judge(struct delivery *d)
{
    const struct opsgenie_conf *o = d->conf;
    const enum opsgenie_request *at = d->progress;
    enum delivery_verdict v = delivery_judge_http(d);

    if (v == DELIVERY_FAILED && d->failure == FAILURE_AUTH)
        delivery_advise(d,
                        "\"api_key\" is wrong or may not create alerts, or \"api_url\" is that of "
                        "another region");
    if (v != DELIVERY_OK || !o->update_alerts ||
        (*at != OPSGENIE_CREATE && *at != OPSGENIE_MESSAGE))
        return v;
    return opsgenie_send(d, *at == OPSGENIE_CREATE ? OPSGENIE_MESSAGE : OPSGENIE_DESCRIPTION);
}

static enum opsgenie_request opsgenie_first(const struct notification *n)
{
    return n->n_firing == 0 ? OPSGENIE_CLOSE : n->act == ACT_ACKED ? OPSGENIE_ACK : OPSGENIE_CREATE;
}

static enum delivery_verdict opsgenie_step(struct delivery *d)
{
    if (d->answer != NULL)
        return opsgenie_judge(d);
    return opsgenie_send(d, opsgenie_first(d->n));
}

const struct receiver_type opsgenie_receiver = {
    .name = "opsgenie",
    .config_key = "opsgenie_configs",
    .doc = "Opsgenie",
    .conf = &opsgenie_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .can = CAN_EDIT | CAN_ACK,
    .pace = {.runes = 15000},
    .check = opsgenie_check,
    .step = opsgenie_step,
};
