/* pagerduty.c - PagerDuty, Events API v1 and v2. */
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
    CONF_KEY(struct pagerduty_conf, url, CONF_URL, "where to post", .flags = CONF_INHERIT),
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

static void check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    struct pagerduty_conf *p = conf;

    if (!secret_is_set(p->service_key) && !secret_is_set(p->routing_key))
        conf_error(c, NULL, "one of \"service_key\" and \"routing_key\" (or its file) is needed");
    if (p->url.n == 0)
        p->url = view->global->pagerduty_url;
    if (p->source.n == 0)
        p->source = p->client;
}

static const struct conf_type pagerduty_conf_type = {
    .name = "pagerduty_config",
    .doc = "PagerDuty",
    .keys = keys,
    .size = sizeof(struct pagerduty_conf),
};

const struct receiver_type pagerduty_receiver = {
    .name = "pagerduty",
    .config_key = "pagerduty_configs",
    .doc = "PagerDuty",
    .conf = &pagerduty_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .check = check,
};
