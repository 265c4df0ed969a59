/* Silences: list, create, edit, read, expire. */
#include "api/api_priv.h"

#include <stdlib.h>
#include "base/hash.h"
#include "os/log.h"
#include "codec/timefmt.h"

static void silences_put_silence(struct json_writer *w, const struct silence *s, ts_ns now)
{
    json_open(w, '{');
    json_key(w, S("id"));
    json_put_str(w, uuid_str(&s->id));
    json_key(w, S("status"));
    json_open(w, '{');
    json_key(w, S("state"));
    json_put_str(w, str_of(silence_state_text(silence_state(s, now))));
    json_close(w, '}');
    json_key(w, S("updatedAt"));
    json_put_rfc3339_ms(w, s->updated_at);
    if (s->annotations.n != 0) {
        json_key(w, S("annotations"));
        labels_put_json(w, s->annotations);
    }
    json_key(w, S("comment"));
    json_put_str(w, s->comment);
    json_key(w, S("createdBy"));
    json_put_str(w, s->created_by);
    json_key(w, S("endsAt"));
    json_put_rfc3339_ms(w, s->ends_at);
    json_key(w, S("matchers"));
    json_open(w, '[');
    for (size_t i = 0; s->n_sets != 0 && i < s->sets[0].n; i++)
        matcher_put_json(w, &s->sets[0].v[i]);
    json_close(w, ']');
    json_key(w, S("startsAt"));
    json_put_rfc3339_ms(w, s->starts_at);
    json_close(w, '}');
}

/* A silence passes a filter when one of its matchers is that matcher. */
static bool passes(const struct silence *s, const struct matchers *filters)
{
    for (size_t i = 0; i < filters->n; i++) {
        const struct matcher *f = &filters->v[i];
        bool found = false;

        for (size_t k = 0; k < s->n_sets && !found; k++)
            for (size_t j = 0; j < s->sets[k].n && !found; j++) {
                const struct matcher *m = &s->sets[k].v[j];

                found = m->op == f->op && str_eq(m->name, f->name) && str_eq(m->value, f->value);
            }
        if (!found)
            return false;
    }
    return true;
}

struct order {
    const struct silence *s;
    enum silence_state state;
};

/* Active by end, pending by start, expired by end descending. */
static int by_state(const void *a, const void *b)
{
    static const int rank[] = {[SILENCE_ACTIVE] = 0, [SILENCE_PENDING] = 1, [SILENCE_EXPIRED] = 2};
    const struct order *x = a, *y = b;
    ts_ns p, q;

    if (x->state != y->state)
        return rank[x->state] - rank[y->state];
    p = x->state == SILENCE_PENDING ? x->s->starts_at : x->s->ends_at;
    q = y->state == SILENCE_PENDING ? y->s->starts_at : y->s->ends_at;
    if (x->state == SILENCE_EXPIRED) {
        ts_ns t = p;

        p = q;
        q = t;
    }
    if (p != q)
        return p < q ? -1 : 1;
    return str_cmp(uuid_str(&x->s->id), uuid_str(&y->s->id));
}

void api_get_silences(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    ts_ns now = shell_clock(a->conf.shell)->now.wall;
    bool want[3];
    struct silence_list all = {0};
    struct api_filter f;
    struct order *v;
    struct buf b = BUF_INIT;
    struct json_writer w;
    size_t n = 0;

    want[SILENCE_ACTIVE] = api_param_bool(rq, S("active"), true);
    want[SILENCE_PENDING] = api_param_bool(rq, S("pending"), true);
    want[SILENCE_EXPIRED] = api_param_bool(rq, S("expired"), true);
    if (!api_filter_init(a, rq, &f))
        return;
    if (api_is_unchanged(a, rq, CHANGES_OF(CHANGED_SILENCE) | CHANGES_OF(CHANGED_CLOCK))) {
        api_filter_release(&f);
        return;
    }
    silencer_all(a->engine->silencer, &all);
    v = arena_array(&rq->arena, all.n, sizeof(*v));
    for (size_t i = 0; i < all.n; i++) {
        enum silence_state st = silence_state(all.v[i], now);

        if (want[st] && passes(all.v[i], &f.filters))
            v[n++] = (struct order){all.v[i], st};
    }
    vec_release(&all);
    api_filter_release(&f);
    if (n > 1)
        qsort(v, n, sizeof(*v), by_state);
    json_writer_init(&w, &b, true);
    json_open(&w, '[');
    for (size_t i = 0; i < n; i++)
        silences_put_silence(&w, v[i].s, now);
    json_close(&w, ']');
    buf_addc(&b, '\n');
    api_json(rq, 200, buf_str(&b));
    buf_release(&b);
}

void api_get_silence(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    const struct silence *s;
    struct uuid id;
    struct buf b = BUF_INIT;
    struct json_writer w;

    if (!uuid_parse(rq->wildcard, &id)) {
        api_refuse(rq, 422, 601, "silenceID in path must be of type uuid: \"%.*s\"",
                   STR(rq->wildcard));
        return;
    }
    s = silencer_get(a->engine->silencer, uuid_str(&id));
    if (s == NULL) {
        api_json(rq, 404, STR_NONE);
        return;
    }
    json_writer_init(&w, &b, true);
    silences_put_silence(&w, s, shell_clock(a->conf.shell)->now.wall);
    buf_addc(&b, '\n');
    api_json(rq, 200, buf_str(&b));
    buf_release(&b);
}

/* --log.silences: the audit trail that Alertmanager has. */
static void log_change(const struct api *a, const char *what, str id)
{
    const struct silence *s = silencer_get(a->engine->silencer, id);
    struct buf starts = BUF_INIT, ends = BUF_INIT, matchers = BUF_INIT, by = BUF_INIT;
    str given;

    if (!a->conf.log_silences || s == NULL)
        return;
    given = labels_get(s->annotations, S("createdBy"));
    buf_add(&by, s->created_by);
    if (given.n != 0)
        buf_addf(&by, " (given as %.*s)", STR(given));
    rfc3339_ms(&starts, s->starts_at);
    rfc3339_ms(&ends, s->ends_at);
    for (size_t i = 0; s->n_sets != 0 && i < s->sets[0].n; i++) {
        if (i != 0)
            buf_addc(&matchers, ',');
        matcher_print(&matchers, &s->sets[0].v[i]);
    }
    log_info(what, LOG_STR("id", id), LOG_STR("created_by", buf_str(&by)),
             LOG_STR("comment", s->comment), LOG_STR("starts_at", buf_str(&starts)),
             LOG_STR("ends_at", buf_str(&ends)), LOG_STR("matchers", buf_str(&matchers)));
    buf_release(&by);
    buf_release(&starts);
    buf_release(&ends);
    buf_release(&matchers);
}

/* Who may not touch the silence that an id names gets 403; an unknown id is the engine's to refuse. */
static bool may_change(struct api *a, struct http_req *rq, const struct uuid *id)
{
    const struct silence *s = silencer_get(a->engine->silencer, uuid_str(id));

    return s == NULL || access_may_silence(a->access, config_of(a->engine->conf), rq, s);
}

void api_delete_silence(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct event ev = {.kind = EVENT_SILENCE_EXPIRE};
    struct event_result r = {0};
    struct uuid id;

    if (!uuid_parse(rq->wildcard, &id)) {
        api_refuse(rq, 422, 601, "silenceID in path must be of type uuid: \"%.*s\"",
                   STR(rq->wildcard));
        return;
    }
    ev.silence_id = uuid_str(&id);
    if (!may_change(a, rq, &id))
        return;
    shell_event(a->conf.shell, &ev, &r);
    if (r.ok) {
        log_change(a, "silence expired", ev.silence_id);
        api_reply_after_commit(a, rq, 200, STR_NONE, STR_NONE);
    } else if (r.err.code == ERR_NOT_FOUND) {
        api_json(rq, 404, STR_NONE);
    } else {
        api_fail(rq, 500, str_of(r.err.msg));
    }
}

/* -- POST -- */

struct posted_matcher {
    str name, value;
    bool is_regex, is_equal, has_regex, has_name, has_value;
};

enum { F_MATCHERS = 1, F_STARTS = 2, F_ENDS = 4, F_CREATED = 8, F_COMMENT = 16 };

enum { MATCHERS_MAX = 1000 };

struct posted {
    struct silence *s;
    struct posted_matcher *m;
    size_t n, cap;
    str id;
    unsigned has;
    int status, code;
    struct err err;
};

static const struct {
    unsigned bit;
    const char *name;
} need[] = {{F_COMMENT, "comment"},
            {F_CREATED, "createdBy"},
            {F_ENDS, "endsAt"},
            {F_MATCHERS, "matchers"},
            {F_STARTS, "startsAt"}};

/* Of a member that must be there; 0: it need not. */
static unsigned bit_of(str key)
{
    for (size_t i = 0; i < ARRAY_LEN(need); i++)
        if (json_key_is(key, need[i].name))
            return need[i].bit;
    return 0;
}

static bool silences_read_matcher(struct json_reader *r, struct posted *p)
{
    struct posted_matcher m = {.is_equal = true};
    str key;

    if (json_peek(r) == JSON_NULL)
        return json_null(r);
    if (p->n == MATCHERS_MAX)
        return json_fail(r, "more than %d matchers", MATCHERS_MAX);
    for (json_object_begin(r); json_object_next(r, &key);) {
        bool is_null = json_peek(r) == JSON_NULL && json_null(r);

        if (json_key_is(key, "name"))
            m.has_name = !is_null && json_string(r, &m.name);
        else if (json_key_is(key, "value"))
            m.has_value = !is_null && json_string(r, &m.value);
        else if (json_key_is(key, "isRegex"))
            m.has_regex = !is_null && json_bool(r, &m.is_regex);
        else if (json_key_is(key, "isEqual") && is_null)
            m.is_equal = true;
        else if (is_null)
            continue;
        else if (json_key_is(key, "isEqual"))
            json_bool(r, &m.is_equal);
        else
            json_skip(r);
    }
    if (r->failed)
        return false;
    if (p->n == p->cap) {
        p->cap = p->cap != 0 ? p->cap * 2 : 8;
        p->m = mem_resize(p->m, p->cap, sizeof(*p->m));
    }
    p->m[p->n++] = m;
    return true;
}

static void silences_read_when(struct json_reader *r, struct posted *p, const char *field,
                               unsigned bit, ts_ns *out)
{
    struct err e = ERR_INIT;
    str text;

    if (json_peek(r) != JSON_STRING) {
        json_skip(r);
        p->status = p->code = 400;
        err_set(&p->err, ERR_INVALID,
                "parsing silence body from \"\" failed, because %s is not a string", field);
        return;
    }
    if (!json_string(r, &text))
        return;
    if (!api_time_parse(text, out, &e)) {
        p->status = p->code = 400;
        err_set(&p->err, ERR_INVALID, "parsing silence body from \"\" failed, because %s: %s",
                field, e.msg);
    }
    p->has |= bit;
}

static void silences_read_annotations(struct json_reader *r, struct silence *s)
{
    VEC(struct label) v = VEC_INIT;
    struct label *copy;
    str key, value;

    for (json_object_begin(r); json_object_next(r, &key);) {
        value = STR_NONE;
        if (json_peek(r) == JSON_NULL ? json_null(r) : json_string(r, &value))
            vec_push(&v, (struct label){key, value});
    }
    copy = arena_copy(&s->arena, v.v, v.n, v.n, sizeof(*copy));
    s->annotations = (struct labels){copy, labels_sort_last(copy, v.n)};
    vec_release(&v);
}

/* What stands twice is what stands last, and null is nothing: as Go reads it. */
static void silences_read_silence(struct json_reader *r, struct posted *p)
{
    str key;

    for (json_object_begin(r); json_object_next(r, &key);) {
        p->has &= ~bit_of(key);
        if (json_peek(r) == JSON_NULL) {
            json_null(r);
        } else if (json_key_is(key, "id")) {
            json_string(r, &p->id);
        } else if (json_key_is(key, "comment")) {
            p->has |= json_string(r, &p->s->comment) ? F_COMMENT : 0;
        } else if (json_key_is(key, "createdBy")) {
            p->has |= json_string(r, &p->s->created_by) ? F_CREATED : 0;
        } else if (json_key_is(key, "startsAt")) {
            silences_read_when(r, p, "startsAt", F_STARTS, &p->s->starts_at);
        } else if (json_key_is(key, "endsAt")) {
            silences_read_when(r, p, "endsAt", F_ENDS, &p->s->ends_at);
        } else if (json_key_is(key, "annotations")) {
            silences_read_annotations(r, p->s);
        } else if (json_key_is(key, "matchers")) {
            p->has |= F_MATCHERS;
            p->n = 0;
            for (json_array_begin(r); json_array_next(r);)
                if (!silences_read_matcher(r, p))
                    break;
        } else {
            json_skip(r);
        }
    }
}

static void check_matcher(struct posted *p, size_t i)
{
    const struct posted_matcher *m = &p->m[i];

    if (m->has_name && m->has_value && m->has_regex)
        return;
    p->status = 422;
    p->code = 602;
    err_set(&p->err, ERR_INVALID, "matchers.%zu.%s in body is required", i,
            !m->has_name    ? "name"
            : !m->has_value ? "value"
                            : "isRegex");
}

/* The frame's checks, first failure wins: members of matchers, required members, at least one matcher. */
static void check_required(struct posted *p)
{
    for (size_t i = 0; i < p->n && (p->has & F_MATCHERS) != 0 && p->status == 0; i++)
        check_matcher(p, i);
    for (size_t i = 0; i < ARRAY_LEN(need) && p->status == 0; i++)
        if (!(p->has & need[i].bit)) {
            p->status = 422;
            p->code = 602;
            err_set(&p->err, ERR_INVALID, "%s in body is required", need[i].name);
        }
    if (p->status == 0 && p->n == 0) {
        p->status = 422;
        p->code = 612;
        err_set(&p->err, ERR_INVALID, "matchers in body should have at least 1 items");
    }
}

/* Into p->s; false with the reason in p->err: a handler's 400. */
static bool silences_build(struct posted *p, ts_ns now)
{
    struct silence *s = p->s;
    struct matchers *set = arena_new(&s->arena, struct matchers);

    s->sets = set;
    s->n_sets = 1;
    set->v = arena_array(&s->arena, p->n, sizeof(*set->v));
    for (size_t i = 0; i < p->n; i++) {
        enum match_op op = p->m[i].is_regex ? (p->m[i].is_equal ? MATCH_RE : MATCH_NRE)
                                            : (p->m[i].is_equal ? MATCH_EQ : MATCH_NE);

        if (!matcher_init(&set->v[i], op, p->m[i].name, p->m[i].value, &p->err))
            return err_wrap(&p->err,
                            "invalid silence: invalid label matcher %zu in set 0: invalid regular "
                            "expression \"%.*s\"",
                            i, STR(p->m[i].value));
        set->n++;
    }
    if (p->id.n != 0 && !uuid_parse(p->id, &s->id))
        return err_set(&p->err, ERR_NOT_FOUND, "silence not found");
    if (s->starts_at >= s->ends_at)
        return err_set(&p->err, ERR_INVALID,
                       "Failed to create silence: start time must be before end time");
    if (s->ends_at < now)
        return err_set(&p->err, ERR_INVALID,
                       "Failed to create silence: end time can't be in the past");
    return true;
}

static void silences_accept(struct api *a, struct http_req *rq, struct posted *p)
{
    struct event ev = {.kind = EVENT_SILENCE_PUT, .silence = p->s};
    struct event_result r = {0};
    struct buf b = BUF_INIT;

    p->s = NULL;
    shell_event(a->conf.shell, &ev, &r);
    if (!r.ok) {
        api_fail(rq, r.err.code == ERR_NOT_FOUND ? 404 : 400, str_of(r.err.msg));
        return;
    }
    log_change(a, "silence set", uuid_str(&r.silence_id));
    buf_addf(&b, "{\"silenceID\":\"%s\"}\n", r.silence_id.text);
    api_reply_after_commit(a, rq, 200, S("application/json"), buf_str(&b));
    buf_release(&b);
}

void api_post_silences(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct posted p = {.s = NULL};
    struct json_reader r;

    if (!api_expects_json(rq))
        return;
    p.s = silence_new();
    json_reader_init(&r, arena_str(&p.s->arena, rq->body), &p.s->arena, 16);
    silences_read_silence(&r, &p);
    if (!json_end_of_value(&r))
        api_refuse(rq, 400, 400,
                   "parsing silence body from \"\" failed, because line %d, column %d: %s",
                   r.err.line, r.err.col, r.err.msg);
    else if (check_required(&p), p.status != 0)
        api_refuse(rq, p.status, p.code, "%s", p.err.msg);
    else if (!silences_build(&p, shell_clock(a->conf.shell)->now.wall))
        api_fail(rq, p.err.code == ERR_NOT_FOUND ? 404 : 400, str_of(p.err.msg));
    else if (may_change(a, rq, &p.s->id) &&
             access_may_silence(a->access, config_of(a->engine->conf), rq, p.s)) {
        access_sign(a->access, config_of(a->engine->conf), rq, p.s);
        silences_accept(a, rq, &p);
    }
    silence_free(p.s);
    mem_free(p.m);
}
