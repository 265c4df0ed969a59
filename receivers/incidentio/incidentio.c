/* incidentio.c - incident.io alert sources. */
#include "tocsin/buf.h"
#include "tocsin/receiver.h"

struct incidentio_conf {
    struct secret url, alert_source_token;
    int64_t max_alerts;
    dur_ns timeout;
};

static const struct conf_key keys[] = {
    CONF_KEY(struct incidentio_conf, url, CONF_SECRET_URL, "address of the alert source",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct incidentio_conf, alert_source_token, CONF_SECRET, "its token",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct incidentio_conf, max_alerts, CONF_INT, "alerts in a message, 0 = all",
             .flags = CONF_NOT_NEGATIVE),
    CONF_KEY(struct incidentio_conf, timeout, CONF_GO_DURATION, "limit for one request, 0 = none"),
    CONF_KEYS_END,
};

static void incidentio_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct incidentio_conf *i = conf;

    if (!secret_is_set(i->url))
        conf_error(c, NULL, "one of \"url\" and \"url_file\" is needed");
    if (!view->has_http_config)
        return;
    if (secret_is_set(i->alert_source_token) && view->has_http_authorization)
        conf_error(c, "alert_source_token",
                   "cannot stand beside the authorization of \"http_config\"");
    if (!secret_is_set(i->alert_source_token) && !view->has_http_authorization)
        conf_error(c, NULL,
                   "\"alert_source_token\" or an authorization in \"http_config\" is needed");
}

static const struct conf_type incidentio_conf_type = {
    .name = "incidentio_config",
    .doc = "incident.io",
    .keys = keys,
    .size = sizeof(struct incidentio_conf),
};

/* -- the message: a webhook's, of a version of its own -- */

enum { MAX_BODY = 512 << 10 }; /* bytes */

static void incidentio_fill(struct delivery *d, const struct notification *n, size_t cut)
{
    struct buf b = BUF_INIT;

    notification_json(&b, n, d->external_url);
    buf_adds(&b, ",\"version\":\"1\",\"groupKey\":");
    buf_add_json_str(&b, n->group_key);
    buf_adds(&b, ",\"truncatedAlerts\":");
    buf_add_u64(&b, cut);
    buf_adds(&b, "}\n");
    d->request.body = arena_take(d->arena, &b);
}

/* What is too large shrinks to one alert, and that one's annotations. One that fires is chosen before one that has ended: by
 * it incident.io knows the state of the whole. */
static void incidentio_shrink(struct delivery *d, struct notification *n, size_t cut)
{
    struct notified_alert *one = arena_new(d->arena, struct notified_alert);
    size_t i = 0;

    while (i < n->n_alerts && n->n_firing != 0 && n->alerts[i].is_resolved)
        i++;
    *one = n->alerts[i];
    cut += n->n_alerts - 1;
    n->alerts = one;
    n->n_alerts = 1;
    n->n_firing = !one->is_resolved;
    incidentio_fill(d, n, cut);
    if (d->request.body.n <= MAX_BODY)
        return;
    one->annotations = LABELS_NONE;
    incidentio_fill(d, n, cut);
}

static void incidentio_set_headers(struct delivery *d, str token)
{
    struct http_header *h = arena_array(d->arena, 2, sizeof(*h));

    h[0] = (struct http_header){S("Content-Type"), S("application/json")};
    if (token.n != 0)
        h[1] = (struct http_header){S("Authorization"),
                                    arena_printf(d->arena, "Bearer %.*s", STR(token))};
    d->request.headers = (struct http_headers){h, token.n != 0 ? 2 : 1};
}

static enum delivery_verdict incidentio_send(struct delivery *d)
{
    const struct incidentio_conf *c = d->conf;
    struct notification *n = arena_new(d->arena, struct notification);
    str token = STR_NONE;
    size_t cut;

    if (!d->secret(d, c->url, &d->request.url) || !d->secret(d, c->alert_source_token, &token))
        return DELIVERY_RETRY; /* the file may come back */
    *n = *d->n;
    cut = notification_truncate(n, (size_t)c->max_alerts);
    incidentio_fill(d, n, cut);
    if (d->request.body.n > MAX_BODY && n->n_alerts != 0)
        incidentio_shrink(d, n, cut);
    d->request.method = S("POST");
    incidentio_set_headers(d, token);
    d->timeout = c->timeout;
    return DELIVERY_SEND_HTTP;
}

static enum delivery_verdict incidentio_judge(struct delivery *d)
{
    enum delivery_verdict v = delivery_judge_http(d);

    if (v == DELIVERY_FAILED && d->failure == FAILURE_AUTH)
        delivery_advise(d, "\"alert_source_token\" is not that of the alert source");
    if (v == DELIVERY_FAILED && d->answer->status == 404)
        delivery_advise(d, "\"url\" is not that of an alert source");
    return v;
}

static enum delivery_verdict incidentio_step(struct delivery *d)
{
    return d->answer != NULL ? incidentio_judge(d) : incidentio_send(d);
}

const struct receiver_type incidentio_receiver = {
    .name = "incidentio",
    .config_key = "incidentio_configs",
    .doc = "incident.io",
    .conf = &incidentio_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .can = CAN_EDIT,
    .pace = {.bytes = MAX_BODY},
    .check = incidentio_check,
    .step = incidentio_step,
};
