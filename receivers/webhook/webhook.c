/* webhook.c - posts the notification as JSON to any URL. */
#include "tocsin/buf.h"
#include "tocsin/json.h"
#include "tocsin/receiver.h"

struct webhook_conf {
    struct secret url; /* may be a template */
    int64_t max_alerts;
    dur_ns timeout;
    bool changes;
    struct conf_value *payload; /* replaces the body; NULL = the standard one */
};

static const struct conf_key keys[] = {
    CONF_KEY(struct webhook_conf, url, CONF_SECRET_URL, "where to post; may be a template",
             .flags = CONF_TEMPLATE_OK | CONF_PATH_FIXED),
    CONF_KEY(struct webhook_conf, max_alerts, CONF_INT, "alerts in a message, 0 = all",
             .flags = CONF_NOT_NEGATIVE | CONF_PRINT_EMPTY),
    CONF_KEY(struct webhook_conf, timeout, CONF_GO_DURATION, "limit for one request, 0 = none",
             .flags = CONF_PRINT_EMPTY),
    CONF_KEY(struct webhook_conf, changes, CONF_BOOL,
             "each alert says what changed since the last message: added, unchanged or resolved"),
    CONF_KEY(struct webhook_conf, payload, CONF_ANY,
             "a body of your own; its strings are templates"),
    CONF_KEYS_END,
};

static void webhook_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct webhook_conf *w = conf;

    (void)view;
    if (!secret_is_set(w->url))
        conf_error(c, NULL, "one of \"url\" and \"url_file\" is needed");
}

static const struct conf_type webhook_conf_type = {
    .name = "webhook_config",
    .doc = "JSON to any URL",
    .keys = keys,
    .size = sizeof(struct webhook_conf),
};

/* The notification's data with what makes it a webhook of version 4, in Go's order of fields. */
static void put_standard(struct delivery *d, size_t cut, struct buf *b)
{
    notification_json(b, d->n, d->external_url);
    buf_adds(b, ",\"version\":\"4\",\"groupKey\":");
    buf_add_json_str(b, d->n->group_key);
    buf_adds(b, ",\"truncatedAlerts\":");
    buf_add_u64(b, cut);
    buf_adds(b, "}\n");
}

static void put_own(struct delivery *d, const struct webhook_conf *w, struct buf *b)
{
    struct json_writer jw;

    json_writer_init(&jw, b, true);
    delivery_put_value(d, &jw, w->payload);
    buf_addc(b, '\n');
}

static void webhook_fill(struct delivery *d, const struct webhook_conf *w)
{
    struct notification *n = arena_new(d->arena, struct notification);
    struct buf b = BUF_INIT;
    size_t cut;

    *n = *d->n;
    cut = notification_truncate(n, (size_t)w->max_alerts);
    n->shows_changes = w->changes;
    d->n = n; /* a payload's templates see the alerts that are told */
    if (w->payload != NULL)
        put_own(d, w, &b);
    else
        put_standard(d, cut, &b);
    d->request.body = arena_take(d->arena, &b);
}

static enum delivery_verdict webhook_webhook_step(struct delivery *d)
{
    static struct http_header json = {S_INIT("Content-Type"), S_INIT("application/json")};
    const struct webhook_conf *w = d->conf;
    str url;

    if (d->answer != NULL)
        return delivery_judge_http(d);
    if (!d->secret(d, w->url, &url))
        return DELIVERY_RETRY;
    if (!d->render(d, url, false, &d->request.url))
        return DELIVERY_FAILED;
    d->request.method = S("POST");
    d->request.headers = (struct http_headers){&json, 1};
    d->timeout = w->timeout;
    webhook_fill(d, w);
    return DELIVERY_SEND_HTTP;
}

const struct receiver_type webhook_receiver = {
    .name = "webhook",
    .config_key = "webhook_configs",
    .doc = "JSON to any URL",
    .conf = &webhook_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .check = webhook_check,
    .step = webhook_webhook_step,
};
