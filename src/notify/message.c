/* message.c - what every receiver needs: the data of a notification as Go's JSON, to whom it goes, and the usual judgement of
 * an answer. */
#include <stdio.h>
#include "base/buf.h"
#include "codec/json.h"
#include "codec/quote.h"
#include "model/labels.h"
#include "tocsin/conf.h"
#include "tocsin/delivery.h"

/* Where in the text something stands. */
struct message_span {
    size_t from, end;
};

static struct message_span put_labels(struct json_writer *w, struct labels ls)
{
    size_t from = w->out->n;

    labels_put_json(w, ls);
    return (struct message_span){from, w->out->n};
}

static void put_again(struct json_writer *w, struct message_span s)
{
    buf_reserve(w->out, s.end - s.from); /* it does not move while it is copied */
    json_put_raw(w, str_sub(buf_str(w->out), s.from, s.end));
}

/* spans: of its labels and its annotations. */
static void message_put_alert(struct json_writer *w, const struct notified_alert *a,
                              bool shows_change, struct message_span spans[2])
{
    json_open(w, '{');
    json_key_of(w, "status");
    json_put_str(w, a->is_resolved ? S("resolved") : S("firing"));
    json_key_of(w, "labels");
    spans[0] = put_labels(w, a->labels);
    json_key_of(w, "annotations");
    spans[1] = put_labels(w, a->annotations);
    json_key_of(w, "startsAt");
    json_put_rfc3339_nano(w, a->starts_at);
    json_key_of(w, "endsAt");
    json_put_rfc3339_nano(w, a->ends_at);
    json_key_of(w, "generatorURL");
    json_put_str(w, a->generator_url);
    json_key_of(w, "fingerprint");
    json_put_hex64(w, a->fingerprint);
    if (shows_change) {
        json_key_of(w, "change");
        json_put_str(w, str_of(alert_change_text(a->change)));
    }
    json_close(w, '}');
}

bool notification_is_common(const struct notification *n, const struct label *l, bool annotations)
{
    for (size_t i = 0; i < n->n_alerts; i++) {
        struct labels ls = annotations ? n->alerts[i].annotations : n->alerts[i].labels;

        if (!labels_has(ls, l->name) || !str_eq(labels_get(ls, l->name), l->value))
            return false;
    }
    return true;
}

/* The pairs that every alert has with the same value; last: those of the last one, which of one alert are these. */
static void put_common(struct json_writer *w, const struct notification *n, bool annotations,
                       struct message_span last)
{
    struct labels first = LABELS_NONE;

    if (n->n_alerts != 0)
        first = annotations ? n->alerts[0].annotations : n->alerts[0].labels;
    if (n->n_alerts == 1) {
        put_again(w, last);
        return;
    }
    json_open(w, '{');
    LABELS_EACH (l, first) {
        if (!notification_is_common(n, l, annotations))
            continue;
        json_key(w, l->name);
        json_put_str(w, l->value);
    }
    json_close(w, '}');
}

/* regexp.QuoteMeta: the name is used inside a pattern by the link to the page. */
static void quote_meta(struct buf *out, str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (str_find(S("\\.+*?()|[]{}^$"), s.p[i]) >= 0)
            buf_addc(out, '\\');
        buf_addc(out, s.p[i]);
    }
}

void buf_add_json_str(struct buf *out, str s)
{
    quote_json(out, s, true);
}

/* Of a digest only, which Alertmanager has not: of whom its alerts are, in their order. */
static void put_groups(struct json_writer *w, const struct notification *n)
{
    if (n->n_groups == 0)
        return;
    if (n->is_late) {
        json_key_of(w, "late");
        json_put_bool(w, true);
    }
    json_key_of(w, "groups");
    json_open(w, '[');
    for (size_t i = 0; i < n->n_groups; i++) {
        json_open(w, '{');
        json_key_of(w, "groupKey");
        json_put_str(w, n->groups[i].group_key);
        json_key_of(w, "groupLabels");
        labels_put_json(w, n->groups[i].group_labels);
        json_key_of(w, "alerts");
        json_put_u64(w, n->groups[i].n_alerts);
        json_close(w, '}');
    }
    json_close(w, ']');
}

void notification_json(struct buf *out, const struct notification *n, str external_url)
{
    struct json_writer w;
    struct buf name = BUF_INIT;
    struct message_span last[2] = {{0, 0}};

    buf_reserve(out, 1024); /* most that tell of one alert need no more */
    quote_meta(&name, n->receiver);
    json_writer_init(&w, out, true);
    json_open(&w, '{');
    json_key_of(&w, "receiver");
    json_put_str(&w, buf_str(&name));
    json_key_of(&w, "status");
    json_put_str(&w, n->n_firing != 0 ? S("firing") : S("resolved"));
    json_key_of(&w, "alerts");
    json_open(&w, '[');
    for (size_t i = 0; i < n->n_alerts; i++)
        message_put_alert(&w, &n->alerts[i], n->shows_changes, last);
    json_close(&w, ']');
    json_key_of(&w, "notification_reason");
    json_put_str(&w, str_of(notification_why(n)));
    json_key_of(&w, "groupLabels");
    labels_put_json(&w, n->group_labels);
    json_key_of(&w, "commonLabels");
    put_common(&w, n, false, last[0]);
    json_key_of(&w, "commonAnnotations");
    put_common(&w, n, true, last[1]);
    json_key_of(&w, "routeLabels");
    labels_put_json(&w, n->route_labels);
    json_key_of(&w, "externalURL");
    json_put_str(&w, external_url);
    put_groups(&w, n);
    buf_release(&name);
}

size_t notification_truncate(struct notification *n, size_t max)
{
    size_t cut;

    if (max == 0 || n->n_alerts <= max)
        return 0;
    cut = n->n_alerts - max;
    n->n_alerts = max;
    n->n_firing = 0;
    for (size_t i = 0; i < max; i++)
        n->n_firing += !n->alerts[i].is_resolved;
    return cut;
}

/* -- to whom -- */

str delivery_address(const struct delivery *d, str configured)
{
    return d->address.n != 0 ? d->address : configured;
}

void delivery_addresses(struct delivery *d, const struct conf_strings *configured,
                        struct conf_strings *out)
{
    const struct conf_strings own = {&d->address, 1};

    delivery_expand_names(d, d->address.n != 0 ? &own : configured, out);
}

/* Of a message in parts each has its own: "2/3 alice@example.com". */
static str had_line(const struct delivery *d, str who)
{
    const struct notification *n = d->n;

    return n->n_parts > 1 ? arena_printf(d->arena, "%u/%u %.*s", n->part, n->n_parts, STR(who))
                          : who;
}

static str message_kept(const struct delivery *d, str key)
{
    for (size_t i = 0; i < d->n_kept; i++)
        if (str_eq(d->kept[i].key, key))
            return d->kept[i].value;
    return STR_NONE;
}

str delivery_kept(const struct delivery *d, str key)
{
    return d->kept_of_digest ? STR_NONE : message_kept(d, key);
}

str delivery_kept_thread(const struct delivery *d, str key)
{
    return d->kept_of_digest && d->n->n_firing == 0 ? message_kept(d, key) : STR_NONE;
}

bool delivery_had(const struct delivery *d, str who)
{
    str line = had_line(d, who);

    for (str rest = d->had; rest.n != 0;)
        if (str_eq(str_cut(&rest, '\n'), line))
            return true;
    return false;
}

void delivery_note_had(struct delivery *d, const str *who, size_t n)
{
    struct buf b = BUF_INIT;

    buf_add(&b, d->had);
    for (size_t i = 0; i < n; i++)
        buf_addf(&b, "%.*s\n", STR(had_line(d, who[i])));
    d->had = arena_take(d->arena, &b);
}

/* -- what an answer means -- */

enum { WAIT_MAX_S = 300 };

/* How long the server wants to be left alone. It is somebody whom we do not know, and must not gag a group for a day: what
 * is longer than five minutes is cut, and said. A receiver that knows its vendor's waits sets them by itself. The date
 * form of Retry-After is not used by the services that we talk to; backoff serves. */
bool delivery_wait(struct delivery *d, str seconds)
{
    str fraction = str_trim(seconds), whole = str_cut(&fraction, '.');
    struct err e = d->err;
    uint64_t s, rest = 0;

    if (!str_to_u64(whole, &s) || (fraction.n != 0 && !str_to_u64(fraction, &rest)))
        return false;
    if (rest != 0 && s < WAIT_MAX_S)
        s++;
    if (s > WAIT_MAX_S) {
        err_set(&d->err, ERR_IO, "%s; it asks for a wait of %llu s and gets %d", e.msg,
                (unsigned long long)s, WAIT_MAX_S);
        s = WAIT_MAX_S;
    }
    d->retry_after = (dur_ns)s * NS_PER_S;
    return true;
}

enum delivery_verdict delivery_judge_http(struct delivery *d)
{
    const struct http_answer *a = d->answer;
    str body;

    if (d->lost && a->status == 0)
        return DELIVERY_RETRY;
    if (d->lost) /* an answer that was cut off: its status has said it all */
        d->err = (struct err)ERR_INIT;
    if (a->status >= 200 && a->status < 300)
        return DELIVERY_OK;
    body = str_sub(str_trim(a->body), 0, 200);
    body = str_cut(&body, '\n');
    err_set(&d->err, ERR_IO, "unexpected status code %d%s%s%.*s", a->status,
            a->status == 407 ? " (the proxy wants a login, or another one)" : "",
            body.n != 0 ? ": " : "", STR(body));
    d->failure = a->status == 429                       ? FAILURE_RATE_LIMITED
                 : a->status == 401 || a->status == 403 ? FAILURE_AUTH
                 : a->status >= 400 && a->status < 500  ? FAILURE_CLIENT
                 : a->status >= 500                     ? FAILURE_SERVER
                                                        : FAILURE_OTHER;
    if ((a->status == 429 || a->status == 503) &&
        delivery_wait(d, http_header_get(&a->headers, S("Retry-After"))))
        return DELIVERY_RETRY_AFTER;
    return a->status == 429 || a->status >= 500 ? DELIVERY_RETRY : DELIVERY_FAILED;
}

enum delivery_verdict delivery_judge_whole(struct delivery *d)
{
    return d->lost ? DELIVERY_RETRY : delivery_judge_http(d);
}

void delivery_advise(struct delivery *d, const char *advice)
{
    (void)err_wrap(&d->err, "%s", advice);
}

void delivery_explain(struct delivery *d, const struct delivery_hint *hints)
{
    const struct http_answer *a = d->answer;

    for (; hints->advice != NULL; hints++)
        if ((hints->status == 0 || hints->status == a->status) &&
            (hints->words == NULL || str_find_str(a->body, str_of(hints->words)) >= 0)) {
            delivery_advise(d, hints->advice);
            return;
        }
}
