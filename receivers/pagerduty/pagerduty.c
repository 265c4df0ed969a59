/* pagerduty.c - PagerDuty, Events API v1 and v2. */
#include "tocsin/json.h"
#include "tocsin/receiver.h"

struct pagerduty_image {
    str src, alt, href;
};

struct pagerduty_link {
    str href, text;
};

struct pagerduty_conf {
    struct secret service_key, routing_key;
    str url, client, client_url, description, source, severity, event_class, component, group;
    struct conf_value *details;
    CONF_LIST_OF(struct pagerduty_image) images;
    CONF_LIST_OF(struct pagerduty_link) links;
    dur_ns timeout;
};

static const struct conf_key image_keys[] = {
    CONF_KEY(struct pagerduty_image, src, CONF_TEMPLATE, "address of the image"),
    CONF_KEY(struct pagerduty_image, alt, CONF_TEMPLATE, "text in its place"),
    CONF_KEY(struct pagerduty_image, href, CONF_TEMPLATE, "where a click leads"),
    CONF_KEYS_END,
};
static const struct conf_type image_type = {
    .name = "pagerduty_image", .keys = image_keys, .size = sizeof(struct pagerduty_image)};

static const struct conf_key link_keys[] = {
    CONF_KEY(struct pagerduty_link, href, CONF_TEMPLATE, "address"),
    CONF_KEY(struct pagerduty_link, text, CONF_TEMPLATE, "text"),
    CONF_KEYS_END,
};
static const struct conf_type link_type = {
    .name = "pagerduty_link", .keys = link_keys, .size = sizeof(struct pagerduty_link)};

static const struct conf_key keys[] = {
    CONF_KEY(struct pagerduty_conf, service_key, CONF_SECRET, "key of an Events v1 integration",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct pagerduty_conf, routing_key, CONF_SECRET, "key of an Events v2 integration",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct pagerduty_conf, url, CONF_URL, "where to post", CONF_GLOBAL(pagerduty_url)),
    CONF_KEY(struct pagerduty_conf, client, CONF_TEMPLATE, "name of the sender",
             .text = "{{ template \"pagerduty.default.client\" . }}"),
    CONF_KEY(struct pagerduty_conf, client_url, CONF_TEMPLATE, "link to the sender",
             .text = "{{ template \"pagerduty.default.clientURL\" . }}"),
    CONF_KEY(struct pagerduty_conf, description, CONF_TEMPLATE, "summary",
             .text = "{{ template \"pagerduty.default.description\" . }}"),
    CONF_KEY(struct pagerduty_conf, details, CONF_ANY_MAP,
             "further details; the alerts are always among them"),
    CONF_KEY(struct pagerduty_conf, images, CONF_LIST, "images", .sub = &image_type),
    CONF_KEY(struct pagerduty_conf, links, CONF_LIST, "links", .sub = &link_type),
    CONF_KEY(struct pagerduty_conf, source, CONF_TEMPLATE,
             "what is affected; the client when not given"),
    CONF_KEY(struct pagerduty_conf, severity, CONF_TEMPLATE, "severity; error when not given"),
    CONF_KEY_AS("class", struct pagerduty_conf, event_class, CONF_TEMPLATE, "class of the event"),
    CONF_KEY(struct pagerduty_conf, component, CONF_TEMPLATE, "part of the source"),
    CONF_KEY(struct pagerduty_conf, group, CONF_TEMPLATE, "cluster of sources"),
    CONF_KEY(struct pagerduty_conf, timeout, CONF_GO_DURATION, "limit for one request, 0 = none"),
    CONF_KEYS_END,
};

static void pagerduty_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    struct pagerduty_conf *p = conf;

    (void)view;
    if (!secret_is_set(p->service_key) && !secret_is_set(p->routing_key))
        conf_error(c, NULL, "one of \"service_key\" and \"routing_key\" (or its file) is needed");
    if (p->source.n == 0)
        p->source = p->client;
}

static const struct conf_type pagerduty_conf_type = {
    .name = "pagerduty_config",
    .doc = "PagerDuty",
    .keys = keys,
    .size = sizeof(struct pagerduty_conf),
};

/* -- the event, in the field order of Alertmanager -- */

enum {
    MAX_EVENT = 512000, /* bytes */
    MAX_SUMMARY = 1024, /* runes */
};

static const str v1_url =
    S_INIT("https://events.pagerduty.com/generic/2010-04-15/create_event.json");

static bool uses_v1(const struct pagerduty_conf *p)
{
    return secret_is_set(p->service_key);
}

static bool has_detail(const struct conf_value *v, str name)
{
    for (size_t i = 0; v != NULL && i < v->n; i++)
        if (str_eq(v->names[i], name))
            return true;
    return false;
}

/* The configured details and those that are always there, unless the configuration names them itself. */
static struct conf_value details(struct delivery *d, const struct conf_value *own)
{
    static const struct conf_pair always[] = {
        {S_INIT("firing"), S_INIT("{{ .Alerts.Firing | toJson }}")},
        {S_INIT("resolved"), S_INIT("{{ .Alerts.Resolved | toJson }}")},
        {S_INIT("num_firing"), S_INIT("{{ .Alerts.Firing | len }}")},
        {S_INIT("num_resolved"), S_INIT("{{ .Alerts.Resolved | len }}")},
    };
    struct conf_value v = {.kind = CONF_VALUE_MAP, .n = own != NULL ? own->n : 0};
    size_t room = v.n + ARRAY_LEN(always);

    v.names = arena_array(d->arena, room, sizeof(v.names[0]));
    v.items = arena_array(d->arena, room, sizeof(v.items[0]));
    for (size_t i = 0; i < v.n; i++) {
        v.names[i] = own->names[i];
        v.items[i] = own->items[i];
    }
    for (size_t i = 0; i < ARRAY_LEN(always); i++) {
        if (has_detail(own, always[i].name))
            continue;
        v.names[v.n] = always[i].name;
        v.items[v.n++] = (struct conf_value){.kind = CONF_VALUE_STRING, .s = always[i].value};
    }
    return v;
}

/* small: the event was too large, a note stands for the details. */
static void put_details(struct delivery *d, struct json_writer *w, const char *key, bool small)
{
    static const str note = S_INIT("Custom details have been removed because the original event "
                                   "exceeds the maximum size of 512KB");
    const struct pagerduty_conf *p = d->conf;
    struct conf_value v;

    json_key(w, str_of(key));
    if (small) {
        json_open(w, '{');
        json_key(w, S("error"));
        json_put_str(w, note);
        json_close(w, '}');
        return;
    }
    v = details(d, p->details);
    delivery_put_value(d, w, &v);
}

/* Adds {...} unless the first member, which everything hangs on, renders to nothing. */
static void pagerduty_put_item(struct delivery *d, struct json_writer *w,
                               const struct delivery_member *m, size_t n)
{
    struct delivery_member rendered[3] = {{NULL}};

    for (size_t i = 0; i < n; i++) {
        rendered[i] = m[i];
        rendered[i].text = delivery_member_text(d, &m[i]);
    }
    if (rendered[0].text.n == 0)
        return;
    json_open(w, '{');
    for (size_t i = 0; i < n; i++) {
        json_key(w, str_of(m[i].key));
        json_put_str(w, rendered[i].text);
    }
    json_close(w, '}');
}

/* A list that is left out when all of its items are. */
static void pagerduty_put_list(struct json_writer *w, const char *key, struct buf *items)
{
    if (items->n != 0) {
        json_key(w, str_of(key));
        json_open(w, '[');
        json_put_raw(w, buf_str(items));
        json_close(w, ']');
    }
    buf_release(items);
}

static void put_images(struct delivery *d, struct json_writer *w, const struct pagerduty_conf *p)
{
    struct buf b = BUF_INIT;
    struct json_writer items;

    json_writer_init(&items, &b, true);
    for (size_t i = 0; i < p->images.n; i++) {
        const struct pagerduty_image *v = &p->images.v[i];
        const struct delivery_member m[] = {
            {"src", v->src, .instead = ""}, {"alt", v->alt}, {"href", v->href, .instead = ""}};

        pagerduty_put_item(d, &items, m, ARRAY_LEN(m));
    }
    pagerduty_put_list(w, "images", &b);
}

static void put_links(struct delivery *d, struct json_writer *w, const struct pagerduty_conf *p)
{
    struct buf b = BUF_INIT;
    struct json_writer items;

    json_writer_init(&items, &b, true);
    for (size_t i = 0; i < p->links.n; i++) {
        const struct delivery_member m[] = {{"href", p->links.v[i].href, .instead = ""},
                                            {"text", p->links.v[i].text}};

        pagerduty_put_item(d, &items, m, ARRAY_LEN(m));
    }
    pagerduty_put_list(w, "links", &b);
}

static void put_client(struct delivery *d, struct json_writer *w, const struct pagerduty_conf *p)
{
    const struct delivery_member m[] = {{"client", p->client},
                                        {"client_url", p->client_url, .instead = ""}};

    delivery_put_members(d, w, m, ARRAY_LEN(m));
}

static str event(const struct delivery *d)
{
    return d->n->n_firing == 0      ? S("resolve")
           : d->n->act == ACT_ACKED ? S("acknowledge")
                                    : S("trigger");
}

static void put_v1(struct delivery *d, struct json_writer *w, str key, bool small)
{
    const struct pagerduty_conf *p = d->conf;
    const struct delivery_member text = {"description", p->description, .max_runes = MAX_SUMMARY};

    json_open(w, '{');
    json_put_text(w, "service_key", key);
    json_put_text(w, "incident_key", delivery_group_hash(d));
    json_put_text(w, "event_type", event(d));
    delivery_put_members(d, w, &text, 1);
    json_put_text(w, "event_action", STR_NONE);
    json_key(w, S("payload"));
    json_put_null(w);
    if (d->n->n_firing != 0)
        put_client(d, w, p);
    put_details(d, w, "details", small);
    json_close(w, '}');
}

static void put_payload(struct delivery *d, struct json_writer *w, bool small)
{
    const struct pagerduty_conf *p = d->conf;
    const struct delivery_member m[] = {
        {"summary", p->description, .always = true, .max_runes = MAX_SUMMARY},
        {"source", p->source, .always = true},
        {"severity", p->severity.n != 0 ? p->severity : S("error"), .always = true,
         .instead = "error"},
        {"class", p->event_class},
        {"component", p->component},
        {"group", p->group},
    };

    json_key(w, S("payload"));
    json_open(w, '{');
    delivery_put_members(d, w, m, ARRAY_LEN(m));
    put_details(d, w, "custom_details", small);
    json_close(w, '}');
}

static void put_v2(struct delivery *d, struct json_writer *w, str key, bool small)
{
    const struct pagerduty_conf *p = d->conf;

    json_open(w, '{');
    json_put_text(w, "routing_key", key);
    json_put_text(w, "dedup_key", delivery_group_hash(d));
    json_put_text(w, "event_action", event(d));
    put_payload(d, w, small);
    put_client(d, w, p);
    put_images(d, w, p);
    put_links(d, w, p);
    json_close(w, '}');
}

static void pagerduty_fill(struct delivery *d, str key, bool small)
{
    struct json_writer w;
    struct buf b = BUF_INIT;

    json_writer_init(&w, &b, true);
    if (uses_v1(d->conf))
        put_v1(d, &w, key, small);
    else
        put_v2(d, &w, key, small);
    buf_addc(&b, '\n');
    d->request.body = arena_take(d->arena, &b);
}

static enum delivery_verdict pagerduty_send(struct delivery *d)
{
    static struct http_header json = {S_INIT("Content-Type"), S_INIT("application/json")};
    const struct pagerduty_conf *p = d->conf;
    bool v1 = uses_v1(p);
    str key;

    if (!d->secret(d, v1 ? p->service_key : p->routing_key, &key))
        return DELIVERY_RETRY; /* the file may come back */
    if (!delivery_expand(d, key, &key))
        return DELIVERY_FAILED;
    if (key.n == 0) {
        err_set(&d->err, ERR_INVALID, "the %s key is empty", v1 ? "service" : "routing");
        return DELIVERY_FAILED;
    }
    pagerduty_fill(d, key, false);
    if (d->request.body.n > MAX_EVENT)
        pagerduty_fill(d, key, true);
    d->request.method = S("POST");
    d->request.url = v1 ? v1_url : p->url;
    d->request.headers = (struct http_headers){&json, 1};
    d->timeout = p->timeout;
    return DELIVERY_SEND_HTTP;
}

static enum delivery_verdict pagerduty_judge(struct delivery *d)
{
    static const char *const names[] = {"message", "errors"};
    enum delivery_verdict v = delivery_judge_http(d);
    str said[ARRAY_LEN(names)];

    if (d->answer->status == 403 && uses_v1(d->conf)) {
        d->failure = FAILURE_RATE_LIMITED; /* that is how v1 says "too many" */
        return DELIVERY_RETRY;
    }
    if (d->answer->status == 400 && delivery_answer_read(d, names, said, ARRAY_LEN(names)))
        err_set(&d->err, ERR_IO, "unexpected status code 400: %.*s: %.*s", STR(said[0]),
                STR(str_sub(said[1], 0, 600)));
    return v;
}

static enum delivery_verdict pagerduty_step(struct delivery *d)
{
    return d->answer != NULL ? pagerduty_judge(d) : pagerduty_send(d);
}

const struct receiver_type pagerduty_receiver = {
    .name = "pagerduty",
    .config_key = "pagerduty_configs",
    .doc = "PagerDuty",
    .conf = &pagerduty_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .can = CAN_EDIT | CAN_ACK,
    .pace = {.bytes = MAX_EVENT},
    .check = pagerduty_check,
    .step = pagerduty_step,
};
