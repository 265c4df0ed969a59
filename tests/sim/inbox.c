#include "inbox.h"

#include <stdio.h>
#include "codec/json.h"
#include "codec/timefmt.h"
#include "model/labels.h"

/* -- what arrives -- */

static struct labels read_labels(struct json_reader *r, struct arena *a)
{
    struct label *v = arena_array(a, 64, sizeof(*v));
    size_t n = 0;
    str key;

    for (json_object_begin(r); n < 64 && json_object_next(r, &key);) {
        v[n].name = arena_str(a, key);
        json_string(r, &v[n].value);
        v[n].value = arena_str(a, v[n].value);
        n++;
    }
    return (struct labels){v, n};
}

static ts_ns read_time(struct json_reader *r, ts_ns origin)
{
    struct err e = ERR_INIT;
    ts_ns t = TS_NONE;
    str text;

    if (json_string(r, &text) && !rfc3339_parse(text, &t, &e))
        fprintf(stderr, "the sink got a time that is none: %s\n", e.msg);
    return t == TS_NONE ? t : t - origin;
}

static void read_alert(struct json_reader *r, struct arena *a, ts_ns origin, struct arrived *out)
{
    struct arrived_alert al = {.starts_at = TS_NONE, .ends_at = TS_NONE};
    str key, status;

    for (json_object_begin(r); json_object_next(r, &key);) {
        if (str_is(key, "status")) {
            json_string(r, &status);
            al.resolved = str_is(status, "resolved");
        } else if (str_is(key, "labels")) {
            al.labels = read_labels(r, a);
        } else if (str_is(key, "annotations")) {
            al.annotations = read_labels(r, a);
        } else if (str_is(key, "startsAt")) {
            al.starts_at = read_time(r, origin);
        } else if (str_is(key, "endsAt")) {
            al.ends_at = read_time(r, origin);
        } else {
            json_skip(r);
        }
    }
    vec_push(&out->alerts, al);
}

str inbox_path(str url)
{
    ptrdiff_t scheme = str_find_str(url, S("://"));
    str rest = scheme < 0 ? url : str_sub(url, (size_t)scheme + 3, url.n);
    ptrdiff_t slash = str_find(rest, '/');

    return slash < 0 || (size_t)slash + 1 == rest.n ? S("") : str_sub(rest, (size_t)slash, rest.n);
}

static void inbox_read_group(struct json_reader *r, struct arena *a, struct arrived *m, int64_t *n)
{
    str key;

    for (json_object_begin(r); json_object_next(r, &key);) {
        if (str_is(key, "groupKey") && json_string(r, &m->key))
            m->key = arena_str(a, m->key);
        else if (str_is(key, "groupLabels"))
            m->group = read_labels(r, a);
        else if (str_is(key, "alerts"))
            json_i64(r, n);
        else
            json_skip(r);
    }
}

/* A digest's groups, in the order of its alerts, which have been read. */
static void inbox_read_groups(struct json_reader *r, struct arena *a, struct arrived *whole,
                              struct inbox *in)
{
    size_t at = 0, first = in->v.n;

    for (json_array_begin(r); json_array_next(r);) {
        struct arrived m = {.at = whole->at};
        int64_t n = 0;

        inbox_read_group(r, a, &m, &n);
        for (; n > 0 && at < whole->alerts.n; n--)
            vec_push(&m.alerts, whole->alerts.v[at++]);
        vec_push(&in->v, m);
    }
    whole->in_digest = in->v.n - first;
}

/* What all groups of a message have alike. */
static void inbox_share(struct arrived *m, const struct arrived *whole, str path, struct arena *a)
{
    m->is_first = path.n == 0 || str_eq(str_sub(path, 1, path.n), whole->receiver);
    m->receiver =
        arena_printf(a, "%.*s%.*s", STR(whole->receiver), STR(m->is_first ? S("") : path));
    m->reason = arena_str(a, whole->reason);
    m->in_digest = whole->in_digest;
    m->is_late = whole->is_late;
}

size_t inbox_take(struct inbox *in, const struct scripted_request *rq, ts_ns at, ts_ns origin,
                  struct arena *a)
{
    struct arrived m = {.at = at};
    struct json_reader r;
    size_t n;
    str key;

    json_reader_init(&r, arena_str(a, rq->http.body), a, 64);
    for (json_object_begin(&r); json_object_next(&r, &key);) {
        if (str_is(key, "receiver"))
            json_string(&r, &m.receiver);
        else if (str_is(key, "notification_reason"))
            json_string(&r, &m.reason);
        else if (str_is(key, "groupKey"))
            json_string(&r, &m.key);
        else if (str_is(key, "groupLabels"))
            m.group = read_labels(&r, a);
        else if (str_is(key, "routeLabels"))
            m.route = read_labels(&r, a);
        else if (str_is(key, "late"))
            json_bool(&r, &m.is_late);
        else if (str_is(key, "groups"))
            inbox_read_groups(&r, a, &m, in);
        else if (str_is(key, "alerts"))
            for (json_array_begin(&r); json_array_next(&r);)
                read_alert(&r, a, origin, &m);
        else
            json_skip(&r);
    }
    if (!json_end(&r))
        fprintf(stderr, "the sink got something that is not JSON: %s\n", r.err.msg);
    m.key = arena_str(a, m.key);
    n = m.in_digest != 0 ? m.in_digest : 1;
    if (m.in_digest == 0)
        vec_push(&in->v, m);
    else
        vec_release(&m.alerts);
    for (size_t i = in->v.n - n; i < in->v.n; i++)
        inbox_share(&in->v.v[i], &m, inbox_path(rq->http.url), a);
    return n;
}

void inbox_release(struct inbox *in)
{
    VEC_EACH (struct arrived *, a, &in->v)
        vec_release(&a->alerts);
    vec_release(&in->v);
}

/* -- judgement -- */

static bool has_all(const struct arrived_alert *al, struct labels wanted)
{
    LABELS_EACH (l, wanted)
        if (!str_eq(labels_get(al->labels, l->name), l->value) &&
            !str_eq(labels_get(al->annotations, l->name), l->value))
            return false;
    return true;
}

static bool is_it(const struct expected_alert *x, const struct arrived_alert *al)
{
    return al->resolved == x->resolved && has_all(al, x->names) &&
           (x->starts_at == TS_NONE || x->starts_at == al->starts_at) &&
           (x->ends_at == TS_NONE || x->ends_at == al->ends_at) &&
           (al->resolved || al->ends_at == TS_NONE);
}

static bool matches(const struct expected *x, struct arrived *a)
{
    bool in_time =
        a->at / NS_PER_MS >= x->at / NS_PER_MS && a->at / NS_PER_MS <= x->at_latest / NS_PER_MS;

    if (!in_time || !str_eq(a->receiver, x->receiver) || !labels_eq(a->group, x->group) ||
        a->alerts.n != x->alerts.n || (x->checks_route && !labels_eq(a->route, x->route)) ||
        (x->reason.n != 0 && !str_eq(x->reason, a->reason)) ||
        (x->checks_shape && (a->in_digest != x->in_digest || a->is_late != x->is_late)))
        return false;
    VEC_EACH (struct arrived_alert *, al, &a->alerts)
        al->matched = false;
    VEC_EACH (const struct expected_alert *, want, &x->alerts) {
        bool found = false;

        VEC_EACH (struct arrived_alert *, al, &a->alerts) {
            if (found || al->matched || !is_it(want, al))
                continue;
            al->matched = found = true;
        }
        if (!found)
            return false;
    }
    return true;
}

static void add_time(struct buf *b, const char *before, ts_ns t)
{
    if (t != TS_NONE)
        buf_addf(b, "%s%.3fs", before, (double)(t / NS_PER_MS) / 1000);
}

void arrived_print(const struct arrived *a)
{
    struct buf b = BUF_INIT;

    add_time(&b, "", a->at);
    buf_addf(&b, " %.*s ", STR(a->receiver));
    labels_print(&b, a->group);
    buf_addf(&b, " \"%.*s\"", STR(a->reason));
    if (a->in_digest != 0)
        buf_addf(&b, " digest %zu%s", a->in_digest, a->is_late ? " late" : "");
    if (a->route.n != 0) {
        buf_adds(&b, " route ");
        labels_print(&b, a->route);
    }
    VEC_EACH (const struct arrived_alert *, al, &a->alerts) {
        buf_addf(&b, " %s", al->resolved ? "resolved" : "firing");
        labels_print(&b, al->labels);
        if (al->annotations.n != 0)
            labels_print(&b, al->annotations);
        add_time(&b, "@", al->starts_at);
        add_time(&b, "..", al->ends_at);
    }
    fprintf(stderr, "  arrived %.*s\n", STR(buf_str(&b)));
    buf_release(&b);
}

bool inbox_judge(struct inbox *in, const struct scenario *scn, const char *path)
{
    bool ok = true;

    VEC_EACH (const struct expected *, x, &scn->expected) {
        bool found = false;

        VEC_EACH (struct arrived *, a, &in->v) {
            if (a->matched || !matches(x, a))
                continue;
            a->matched = found = true;
            break;
        }
        if (!found)
            fprintf(stderr, "%s:%d: expected at %.3fs, did not come\n", path, x->line,
                    (double)x->at / NS_PER_S);
        ok = ok && found;
    }
    VEC_EACH (const struct arrived *, a, &in->v)
        if (!a->matched) {
            fprintf(stderr, "%s: not expected:\n", path);
            arrived_print(a);
            ok = false;
        }
    return ok;
}
