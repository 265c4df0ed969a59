#include "api/webhook_body.h"

#include "base/utf8.h"
#include "base/vec.h"
#include "codec/json.h"
#include "codec/timefmt.h"
#include "model/labels.h"

enum { WEBHOOK_DEPTH_MAX = 16, VALUE_MAX = 64 << 10, WEBHOOK_ALERTS_MAX = 100000 };

static bool webhook_text(struct json_reader *r, str *out)
{
    if (json_peek(r) == JSON_NULL)
        return json_null(r);
    if (!json_string(r, out))
        return false;
    if (out->n > VALUE_MAX)
        *out = utf8_cut(*out, VALUE_MAX);
    return true;
}

static bool webhook_labels(struct json_reader *r, struct labels *out)
{
    VEC(struct label) v = VEC_INIT;
    struct label l;

    if (json_peek(r) == JSON_NULL)
        return json_null(r);
    for (json_object_begin(r); json_object_next(r, &l.name);) {
        l.value = STR_NONE;
        if (webhook_text(r, &l.value))
            vec_push(&v, l);
    }
    v.n = labels_sort_last(v.v, v.n);
    *out = (struct labels){arena_copy(r->a, v.v, v.n, v.n, sizeof(v.v[0])), v.n};
    vec_release(&v);
    return !r->failed;
}

static bool webhook_time(struct json_reader *r, ts_ns *out)
{
    struct err e = ERR_INIT;
    str text = STR_NONE;

    if (!webhook_text(r, &text))
        return false;
    if (text.n == 0 || rfc3339_parse(text, out, &e))
        return true;
    return json_fail(r, "\"%.*s\" is no time", STR(str_sub(text, 0, 40)));
}

/* What is neither is told as firing. */
static bool webhook_status(struct json_reader *r, bool *is_resolved)
{
    str text = STR_NONE;

    if (!webhook_text(r, &text))
        return false;
    *is_resolved = str_is(text, "resolved");
    return true;
}

static bool webhook_alert(struct json_reader *r, struct notified_alert *a)
{
    bool has_status = false;
    str key;

    if (json_peek(r) != JSON_OBJECT)
        return json_fail(r, "an alert is no object");
    for (json_object_begin(r); json_object_next(r, &key);) {
        if (json_key_is(key, "labels"))
            webhook_labels(r, &a->labels);
        else if (json_key_is(key, "annotations"))
            webhook_labels(r, &a->annotations);
        else if (json_key_is(key, "startsAt"))
            webhook_time(r, &a->starts_at);
        else if (json_key_is(key, "endsAt"))
            webhook_time(r, &a->ends_at);
        else if (json_key_is(key, "generatorURL"))
            webhook_text(r, &a->generator_url);
        else if (json_key_is(key, "status"))
            has_status = webhook_status(r, &a->is_resolved);
        else
            json_skip(r);
    }
    if (!has_status) /* of somebody who is not Alertmanager: what has an end has ended */
        a->is_resolved = a->ends_at != TS_NONE;
    a->fingerprint = labels_fingerprint(a->labels);
    return !r->failed;
}

static bool webhook_alerts(struct json_reader *r, struct notification *n)
{
    VEC(struct notified_alert) v = VEC_INIT;

    if (json_peek(r) == JSON_NULL)
        return json_null(r);
    n->n_firing = 0; /* of a member that stands twice the last one counts */
    for (json_array_begin(r); json_array_next(r);) {
        struct notified_alert a = {.starts_at = TS_NONE, .ends_at = TS_NONE};

        if (!webhook_alert(r, &a))
            break;
        if (v.n == WEBHOOK_ALERTS_MAX) {
            json_fail(r, "more than %d alerts", WEBHOOK_ALERTS_MAX);
            break;
        }
        n->n_firing += !a.is_resolved;
        vec_push(&v, a);
    }
    n->alerts = arena_copy(r->a, v.v, v.n, v.n, sizeof(v.v[0]));
    n->n_alerts = v.n;
    vec_release(&v);
    return !r->failed;
}

bool webhook_body_read(str body, struct arena *a, struct notification *out, struct err *e)
{
    struct notification n = {.is_relayed = true};
    bool has_alerts = false;
    struct json_reader r;
    str key;

    json_reader_init(&r, body, a, WEBHOOK_DEPTH_MAX);
    if (json_peek(&r) != JSON_OBJECT)
        json_fail(&r, "the body is no message of Alertmanager's");
    for (json_object_begin(&r); !r.failed && json_object_next(&r, &key);) {
        if (json_key_is(key, "receiver"))
            webhook_text(&r, &n.from_receiver);
        else if (json_key_is(key, "externalURL"))
            webhook_text(&r, &n.from_url);
        else if (json_key_is(key, "groupKey"))
            webhook_text(&r, &n.group_key);
        else if (json_key_is(key, "groupLabels"))
            webhook_labels(&r, &n.group_labels);
        else if (json_key_is(key, "alerts"))
            has_alerts = webhook_alerts(&r, &n) && n.alerts != NULL;
        else
            json_skip(&r);
    }
    if (json_end_of_value(&r) && !has_alerts)
        json_fail(&r, "\"alerts\" is missing");
    if (r.failed)
        return err_set(e, ERR_INVALID, "line %d, column %d: %s", r.err.line, r.err.col, r.err.msg);
    *out = n;
    return true;
}
