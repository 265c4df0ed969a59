/* POST /api/v2/alerts. A body is read straight into inputs, here or, above 256 KiB, on a worker; the engine takes those some a
 * turn when they are many (live/taking.h), so that a sender of megabytes holds up nobody. */
#include "api/api_priv.h"

#include "base/hash.h"
#include "os/log.h"
#include "live/taking.h"
#include "codec/timefmt.h"
#include "codec/url.h"

enum { INLINE_MAX = 256 << 10, DEPTH_MAX = 16, TWICE_MAX = 1000 };

struct body {
    struct arena arena;
    str text;
    const struct engine *engine; /* that may know what comes; NULL: it is read on a worker */
    bool is_new;                 /* the last alert was not known: the next is not expected to be */
    struct alert_input *v;
    size_t n, cap;
    struct read_time {
        str text;
        ts_ns t;
    } starts, ends;   /* that were read last: those of a body are often the same */
    int status, code; /* 0 = well-formed */
    struct err err;
};

static bool alerts_post_refuse(struct body *b, int status, int code, const char *fmt, size_t i,
                               const char *field)
{
    b->status = status;
    b->code = code;
    err_set(&b->err, ERR_INVALID, fmt, i, field);
    return false;
}

/* Null is the zero value, as in Go. */
static bool alerts_post_read_text(struct json_reader *r, str *out)
{
    *out = STR_NONE;
    return json_peek(r) == JSON_NULL ? json_null(r) : json_string(r, out);
}

/* A JSON object of strings into sorted labels, added to those that are there, as Go adds to a map. Annotations keep empty
 * values. */
static bool alerts_post_read_map(struct body *b, struct json_reader *r, bool keep_empty,
                                 struct labels *out)
{
    VEC(struct label) v = VEC_INIT;
    struct label l, *copy;
    size_t n;

    if (json_peek(r) == JSON_NULL) {
        *out = LABELS_NONE;
        return json_null(r);
    }
    LABELS_EACH (old, *out)
        vec_push(&v, *old);
    for (json_object_begin(r); json_object_next(r, &l.name);)
        if (alerts_post_read_text(r, &l.value))
            vec_push(&v, l);
    n = labels_sort_last(v.v, v.n);
    assume(v.v != NULL || n == 0);
    copy = arena_array(&b->arena, n, sizeof(*copy));
    out->v = copy;
    out->n = 0;
    for (size_t i = 0; i < n; i++)
        if (keep_empty || v.v[i].value.n != 0)
            copy[out->n++] = v.v[i];
    vec_release(&v);
    return !r->failed;
}

static bool alerts_post_read_time(struct body *b, struct json_reader *r, size_t i,
                                  const char *field, struct read_time *latest, ts_ns *out)
{
    struct err e = ERR_INIT;
    str text;

    if (json_peek(r) == JSON_NULL)
        return json_null(r);
    if (json_peek(r) != JSON_STRING)
        return alerts_post_refuse(
            b, 400, 400, "parsing alerts body from \"\" failed, because %zu.%s is not a string", i,
            field);
    if (!json_string(r, &text))
        return false;
    if (text.n != 0 && str_eq(text, latest->text)) {
        *out = latest->t;
        return true;
    }
    if (!api_time_parse(text, out, &e))
        return alerts_post_refuse(
            b, 400, 400, "parsing alerts body from \"\" failed, because %zu.%s is not a date-time",
            i, field);
    *latest = (struct read_time){text, *out};
    return true;
}

static bool read_link(struct body *b, struct json_reader *r, size_t i, str *out)
{
    if (!alerts_post_read_text(r, out))
        return false;
    if (out->n == 0 || url_is_request_uri(*out, &b->arena))
        return true;
    b->status = 422;
    b->code = 601;
    return err_set(&b->err, ERR_INVALID, "%zu.generatorURL in body must be of type uri: \"%.*s\"",
                   i, STR(*out));
}

static void alerts_post_add(struct body *b, struct alert_input in)
{
    if (b->n == b->cap) {
        b->v = arena_copy(&b->arena, b->v, b->n, b->cap != 0 ? b->cap * 2 : 64, sizeof(*b->v));
        b->cap = b->cap != 0 ? b->cap * 2 : 64;
    }
    b->v[b->n++] = in;
}

/* -- what is known -- */

/* An alert's text but for its times. */
struct spans {
    str labels, annotations, generator_url;
};

/* Reads the times and passes over the rest. False: it has to be read. */
static bool read_spans(struct body *b, struct json_reader *r, size_t i, struct alert_input *in,
                       struct spans *s)
{
    bool ok = true;
    str key;

    for (json_object_begin(r); ok && json_object_next(r, &key);) {
        if (json_key_is(key, "labels"))
            ok = s->labels.n == 0 && json_object_span(r, &s->labels);
        else if (json_key_is(key, "annotations"))
            ok = s->annotations.n == 0 && json_object_span(r, &s->annotations);
        else if (json_key_is(key, "startsAt"))
            ok = alerts_post_read_time(b, r, i, "startsAt", &b->starts, &in->starts_at);
        else if (json_key_is(key, "endsAt"))
            ok = alerts_post_read_time(b, r, i, "endsAt", &b->ends, &in->ends_at);
        else if (json_key_is(key, "generatorURL"))
            ok = s->generator_url.n == 0 && json_raw(r, &s->generator_url);
        else
            ok = json_skip(r);
    }
    return ok && !r->failed && s->labels.n != 0;
}

/* Never zeros. */
static struct hash_wide source_of(const struct spans *s)
{
    struct hash_wide of[] = {hash_wide(s->labels.p, s->labels.n),
                             hash_wide(s->annotations.p, s->annotations.n),
                             hash_wide(s->generator_url.p, s->generator_url.n)},
                     h = hash_wide(of, sizeof(of));

    h.low += h.low == 0;
    return h;
}

/* Whether the alert came before in these words: then it is passed over, and in says what it was. If not, the reader stands before
 * it. */
static bool alerts_post_knows(struct body *b, struct json_reader *r, size_t i,
                              struct alert_input *in)
{
    struct json_mark before = json_mark(r);
    struct alert_input it = *in;
    struct spans s = {STR_NONE, STR_NONE, STR_NONE};
    const struct alert *a = NULL;

    if (read_spans(b, r, i, &it, &s)) {
        it.source = source_of(&s);
        a = alert_table_of_source(&b->engine->alerts, it.source);
    }
    if (a == NULL) {
        json_go_back(r, before);
        b->status = b->code = 0;
        return false;
    }
    it.known = alert_content_ref(a);
    *in = it;
    return true;
}

/* -- reading it -- */

/* The value that comes, as it stands, from here to where the reader is at span_end(). */
static void span_begin(struct json_reader *r, str *span)
{
    (void)json_peek(r); /* spaces are no part of it */
    *span = (str){r->in.p + r->at, 0};
}

static void span_end(const struct json_reader *r, str *span)
{
    span->n = (size_t)(r->in.p + r->at - span->p);
}

static bool alerts_post_read_alert(struct body *b, struct json_reader *r, size_t i)
{
    struct alert_input in = {.starts_at = TS_NONE, .ends_at = TS_NONE};
    bool has_labels = false;
    struct spans s = {STR_NONE, STR_NONE, STR_NONE};
    bool is_plain = true; /* each of them stands once */
    str key;

    if (json_peek(r) == JSON_NULL)
        return json_null(r);
    if (json_peek(r) != JSON_OBJECT)
        return json_fail(r, "alert %zu is not an object", i);
    if (b->engine != NULL && !b->is_new && alerts_post_knows(b, r, i, &in)) {
        alerts_post_add(b, in);
        return true;
    }
    for (json_object_begin(r); b->status == 0 && json_object_next(r, &key);) {
        if (json_key_is(key, "labels")) {
            has_labels = json_peek(r) != JSON_NULL;
            is_plain &= s.labels.n == 0;
            span_begin(r, &s.labels);
            alerts_post_read_map(b, r, false, &in.labels);
            span_end(r, &s.labels);
        } else if (json_key_is(key, "annotations")) {
            is_plain &= s.annotations.n == 0;
            span_begin(r, &s.annotations);
            alerts_post_read_map(b, r, true, &in.annotations);
            span_end(r, &s.annotations);
        } else if (json_key_is(key, "startsAt")) {
            alerts_post_read_time(b, r, i, "startsAt", &b->starts, &in.starts_at);
        } else if (json_key_is(key, "endsAt")) {
            alerts_post_read_time(b, r, i, "endsAt", &b->ends, &in.ends_at);
        } else if (json_key_is(key, "generatorURL")) {
            is_plain &= s.generator_url.n == 0;
            span_begin(r, &s.generator_url);
            read_link(b, r, i, &in.generator_url);
            span_end(r, &s.generator_url);
        } else {
            json_skip(r);
        }
    }
    if (r->failed || b->status != 0)
        return false;
    if (!has_labels)
        return alerts_post_refuse(b, 422, 602, "%zu.%s in body is required", i, "labels");
    if (b->engine != NULL && is_plain) {
        in.source = source_of(&s);
        b->is_new = alert_table_of_source(&b->engine->alerts, in.source) == NULL;
    }
    alerts_post_add(b, in);
    return true;
}

/* Runs anywhere: touches the body, and the engine if it has one. */
static void alerts_post_read_body(struct body *b)
{
    struct json_reader r;

    json_reader_init(&r, b->text, &b->arena, DEPTH_MAX);
    if (json_peek(&r) == JSON_NULL && json_null(&r))
        return;
    if (json_peek(&r) != JSON_ARRAY) {
        b->status = b->code = 400;
        err_set(&b->err, ERR_INVALID,
                "parsing alerts body from \"\" failed: the body is not an array of alerts");
        return;
    }
    for (json_array_begin(&r); json_array_next(&r);)
        if (!alerts_post_read_alert(b, &r, b->n))
            break;
    if (b->status != 0 || json_end_of_value(&r))
        return;
    b->status = b->code = 400;
    err_set(&b->err, ERR_INVALID,
            "parsing alerts body from \"\" failed, because line %d, column %d: %s", r.err.line,
            r.err.col, r.err.msg);
}

/* host:port of a URL. */
static str host_of(str url)
{
    ptrdiff_t at = str_find_str(url, S("://"));
    str rest = at >= 0 ? str_sub(url, (size_t)at + 3, url.n) : url;

    return str_cut(&rest, '/');
}

/* Said once a rule and sender: both evaluate it, so whoever is told is told twice. */
static void tell_twice(struct api *a, const struct alert_input *in)
{
    const struct alert_content *k = &in->known;
    str rule = k->labels != NULL ? label_set_get(k->labels, S("alertname"))
                                 : labels_get(in->labels, S("alertname")),
        sender = host_of(k->labels != NULL ? shared_text_str(k->generator_url) : in->generator_url);
    uint64_t hash = hash_xxh64(rule) ^ hash_xxh64(sender) * 31;

    VEC_EACH (const uint64_t *, told, &a->twice)
        if (*told == hash)
            return;
    if (a->twice.n == TWICE_MAX)
        return;
    vec_push(&a->twice, hash);
    log_warn("a rule runs here and elsewhere: every page comes twice", LOG_STR("rule", rule),
             LOG_STR("sender", sender));
}

static void body_release(struct body *b)
{
    for (size_t i = 0; i < b->n; i++)
        alert_content_unref(&b->v[i].known);
    arena_release(&b->arena);
}

/* -- taking them -- */

/* From when it is read until all of it is taken, whether anybody waits for the answer or not. */
struct post {
    struct http_later later;
    struct api *api;
    struct body body;
    struct taking taking;
};

static void reply(struct api *a, struct http_req *rq, const struct event_result *result)
{
    struct buf text = BUF_INIT;

    if (result->ok) {
        api_reply_after_commit(a, rq, 200, STR_NONE, STR_NONE);
        return;
    }
    quote_json(&text, buf_str(&result->text), true);
    buf_addc(&text, '\n');
    api_reply_after_commit(a, rq, 400, S("application/json"), buf_str(&text));
    buf_release(&text);
}

static void taken(struct taking *t)
{
    struct post *p = container_of(t, struct post, taking);
    struct http_req *rq = http_later_take(&p->later);

    if (t->result.twice != NULL)
        tell_twice(p->api, t->result.twice);
    if (rq != NULL)
        reply(p->api, rq, &t->result);
    http_later_free(&p->later);
}

static void post_free(struct http_later *l)
{
    struct post *p = container_of(l, struct post, later);

    buf_release(&p->taking.result.text);
    body_release(&p->body);
    mem_free(p);
}

/* The body is taken. */
static void alerts_post_take(struct api *a, struct http_req *rq, struct body *b)
{
    struct post *p;

    if (b->status != 0) {
        api_refuse(rq, b->status, b->code, "%s", b->err.msg);
        body_release(b);
        return;
    }
    p = mem_new(struct post);
    p->api = a;
    p->body = *b;
    p->later.free = post_free;
    http_later_begin(&p->later, &a->laters, 0);
    http_later_wait(&p->later, rq);
    p->taking = (struct taking){.v = b->v, .n = b->n, .done = taken, .drop = taken};
    taking_begin(&p->taking, a->conf.shell);
}

/* -- large bodies -- */

struct post_job {
    struct http_later later;
    struct body body;
};

static void alerts_post_job_run(struct http_later *l)
{
    alerts_post_read_body(&container_of(l, struct post_job, later)->body);
}

static void alerts_post_job_answer(struct http_later *l)
{
    struct post_job *j = container_of(l, struct post_job, later);

    alerts_post_take(container_of(l->of, struct api, laters), http_later_take(l), &j->body);
    arena_init(&j->body.arena, 0);
}

static void alerts_post_job_free(struct http_later *l)
{
    struct post_job *j = container_of(l, struct post_job, later);

    arena_release(&j->body.arena);
    mem_free(j);
}

bool api_is_own_sending(const struct api *a, const struct http_req *rq)
{
    str from = http_header_get(&rq->headers, S(FORWARD_INSTANCE_HEADER));

    return from.n != 0 && str_eq(from, a->conf.instance);
}

void api_post_alerts(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct body b = {0};
    struct post_job *p;

    if (!api_expects_json(rq))
        return;
    if (rq->body.n <= INLINE_MAX || a->conf.pool == NULL) {
        arena_init(&b.arena, 0);
        b.text = rq->body;
        b.engine = a->engine;
        alerts_post_read_body(&b);
        alerts_post_take(a, rq, &b);
        return;
    }
    p = mem_new(struct post_job);
    http_later_begin(&p->later, &a->laters, 0);
    p->later.run = alerts_post_job_run;
    p->later.answer = alerts_post_job_answer;
    p->later.free = alerts_post_job_free;
    arena_init(&p->body.arena, 0);
    p->body.text = arena_str(&p->body.arena, rq->body);
    http_later_run(&p->later, rq, WORK_SOURCE);
}
