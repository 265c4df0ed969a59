/* What there is in the store: /api/v1/series, labels, label/NAME/values, and /federate, which also has the newest samples. */
#include "api/prom_job.h"

#include "promql/gather.h"

#include <stdlib.h>
#include "codec/float.h"
#include "tsdb/tsdb.h"

bool prom_selector(struct http_req *rq, const char *param, str text, struct arena *a,
                   struct matchers *out)
{
    struct err e = ERR_INIT;
    struct promql_expr *x = promql_parse(arena_str(a, text), &promql_everything, a, NULL, &e);
    bool ok = x != NULL && x->kind == PROMQL_SELECTOR;

    if (ok)
        *out = matchers_copy(a, &x->selector.matchers);
    else
        prom_fail(rq, PROM_BAD_DATA, "invalid parameter \"%s\": %s", param,
                  x != NULL ? "a series selector is wanted" : e.msg);
    promql_release(x);
    return ok;
}

void prom_job_match_all(struct query_job *q)
{
    struct matcher *any = arena_new(&q->later.arena, struct matcher);

    any->op = MATCH_NE; /* "" */
    any->name = S("__name__");
    q->matches = arena_array(&q->later.arena, 1, sizeof(*q->matches));
    q->matches[0] = (struct matchers){any, 1};
    q->n_matches = 1;
}

/* match[] are series selectors. Without one, when that is allowed, everything matches. */
static bool prom_series_parse_matches(struct http_req *rq, struct query_job *q,
                                      const struct prom_params *p, bool is_required)
{
    str *texts;
    size_t n = prom_param_list(p, "match[]", &q->later.arena, &texts);

    if (n == 0 && is_required) {
        prom_fail(rq, PROM_BAD_DATA, "no match[] parameter provided");
        return false;
    }
    q->matches = arena_array(&q->later.arena, n + 1, sizeof(*q->matches));
    for (size_t i = 0; i < n; i++)
        if (prom_selector(rq, "match[]", texts[i], &q->later.arena, &q->matches[q->n_matches]))
            q->n_matches++;
        else
            return false;
    if (n == 0)
        prom_job_match_all(q);
    return true;
}

struct found {
    str *v;
    size_t n, cap;
};

/* A series as it is listed: as JSON, a text that can be compared. */
static void see_series(struct query_job *q, void *to, struct labels ls, uint32_t id)
{
    struct found *f = to;
    struct buf b = BUF_INIT;
    struct json_writer w;

    (void)id;
    json_writer_init(&w, &b, false);
    labels_put_json(&w, ls);
    vec_push(f, arena_str(&q->later.arena, buf_str(&b)));
    buf_release(&b);
}

static void see_labels(struct query_job *q, void *to, struct labels ls, uint32_t id)
{
    struct found *f = to;

    (void)id;
    LABELS_EACH (l, ls) {
        if (q->name.n == 0)
            vec_push(f, arena_str(&q->later.arena, l->name));
        else if (str_eq(l->name, q->name))
            vec_push(f, arena_str(&q->later.arena, l->value));
    }
}

static void unique(void *to)
{
    struct found *f = to;
    str *v = f->v;
    size_t k = 0;

    if (v == NULL)
        return;
    if (f->n > 1)
        qsort(v, f->n, sizeof(*v), str_order);
    for (size_t i = 0; i < f->n; i++)
        if (k == 0 || !str_eq(v[k - 1], v[i]))
            v[k++] = v[i];
    f->n = k;
}

/* Whether the series has a sample in the span; as with Prometheus' chunks, one before and one after will do. */
static bool is_in_span(const struct query_job *q, struct storage s, uint32_t id)
{
    struct storage_series v;
    size_t first = 0;

    storage_read(s, &id, 1, &v);
    while (first < v.n && storage_at(&v, first) == STORAGE_ABSENT)
        first++;
    while (v.n > first && storage_at(&v, v.n - 1) == STORAGE_ABSENT)
        v.n--;
    return first < v.n && q->start <= q->end && v.times[first] <= q->end &&
           v.times[v.n - 1] >= q->start;
}

static bool series_goes_on(void *arg)
{
    return !http_later_is_gone(arg);
}

struct seeing {
    struct query_job *q;
    void *to;
    prom_see *see;
};

static void see_older(void *arg, struct labels ls)
{
    const struct seeing *s = arg;

    s->see(s->q, s->to, ls, UINT32_MAX);
}

static void walk_past(struct query_job *q, const struct matchers *ms, void *to, prom_see *see)
{
    struct seeing s = {q, to, see};
    struct past *past = NULL;

    if (q->has_past)
        past = store_past(q->api->conf.store, q->now, (struct promql_times){q->start, q->end}, 0,
                          series_goes_on, &q->later);
    if (past != NULL && past_labels(past, ms, see_older, &s) && past_warning(past).n != 0)
        vec_push(&q->notes, arena_str(&q->later.arena, past_warning(past)));
    past_free(past);
}

bool prom_job_walk(struct query_job *q, void *to, prom_see *see, void (*matched)(void *to))
{
    struct storage s = tsdb_storage(store_db(q->api->conf.store));
    struct arena scratch;

    arena_init(&scratch, 0);
    for (size_t i = 0; i < q->n_matches && !http_later_is_gone(&q->later); i++) {
        struct storage_selector *sel = storage_select(s, &q->matches[i], 0, &q->err);
        struct storage_slices it = {.storage = s, .selector = sel};
        struct storage_ids ids;

        if (sel == NULL)
            break;
        while (!http_later_is_gone(&q->later) && storage_slices_next(&it, &ids)) {
            for (size_t j = 0; j < ids.n; j++)
                if (is_in_span(q, s, ids.v[j]))
                    see(q, to, storage_labels(s, ids.v[j], &scratch), ids.v[j]);
            storage_slices_end(&it, ids.n);
            arena_reset(&scratch);
        }
        storage_slices_release(&it);
        storage_release(s, sel);
        walk_past(q, &q->matches[i], to, see);
        if (matched != NULL)
            matched(to);
    }
    arena_release(&scratch);
    q->failed = q->err.code != ERR_NONE;
    q->error = PROM_EXECUTION;
    return !q->failed;
}

static void prom_series_list(struct query_job *q, bool is_raw)
{
    struct found f = {NULL, 0, 0};
    struct json_writer w;

    if (prom_job_walk(q, &f, is_raw ? see_series : see_labels, unique)) {
        json_writer_init(&w, &q->body, false);
        json_open(&w, '{');
        json_key(&w, S("status"));
        json_put_str(&w, S("success"));
        json_key(&w, S("data"));
        json_open(&w, '[');
        for (size_t i = 0; i < f.n && (q->limit == 0 || i < q->limit); i++) {
            if (is_raw)
                json_put_raw(&w, f.v[i]);
            else
                json_put_str(&w, f.v[i]);
        }
        json_close(&w, ']');
        prom_put_notes(&w, q, q->limit != 0 && f.n > q->limit);
        json_close(&w, '}');
    }
    vec_release(&f);
}

static void list_series(struct query_job *q)
{
    prom_series_list(q, true);
}

static void list_labels(struct query_job *q)
{
    prom_series_list(q, false);
}

static void start_list(struct api *a, struct http_req *rq, void (*what)(struct query_job *q),
                       str name, bool needs_match)
{
    struct query_job *q = prom_job_new(a, what);
    struct prom_params p = prom_params(rq);

    q->name = arena_str(&q->later.arena, name);
    q->has_past = true;
    if (!prom_job_time(rq, &p, "start", INT64_MIN, &q->start) ||
        !prom_job_time(rq, &p, "end", INT64_MAX, &q->end) || !prom_job_limits(rq, q, &p) ||
        !prom_series_parse_matches(rq, q, &p, needs_match)) {
        prom_job_free(q);
        return;
    }
    prom_job_start(q, rq);
}

void prom_series(struct http_req *rq, void *arg)
{
    start_list(arg, rq, list_series, STR_NONE, true);
}

void prom_labels(struct http_req *rq, void *arg)
{
    start_list(arg, rq, list_labels, STR_NONE, false);
}

void prom_label_values(struct http_req *rq, void *arg)
{
    str name = rq->wildcard;

    if (!label_name_is_utf8(name)) {
        prom_fail(rq, PROM_BAD_DATA, "invalid label name: \"%.*s\"", STR(name));
        return;
    }
    start_list(arg, rq, list_labels, name, false);
}

/* -- /federate -- */

enum { LOOKBACK_MS = 5 * 60 * 1000 };

/* The newest sample within the lookback; SIZE_MAX: none, or the series has ended. Histograms have no form in this text. */
static size_t prom_series_newest(const struct storage_series *s, ts_ms now)
{
    size_t i = s->n;

    while (i-- != 0) {
        storage_slot slot = storage_at(s, i);

        if (slot != STORAGE_ABSENT && s->times[i] <= now)
            return s->times[i] > now - LOOKBACK_MS && slot != STORAGE_STALE &&
                           !storage_is_histogram(slot)
                       ? i
                       : SIZE_MAX;
    }
    return SIZE_MAX;
}

static str wished(struct query_job *q, str name, bool with_colon)
{
    struct buf b = BUF_INIT;
    str s;

    if (q->wish.escaping == EXPO_UTF8 || expo_is_bare(name, with_colon))
        return name;
    expo_escape_name(&b, name, with_colon, q->wish.escaping);
    s = arena_str(&q->later.arena, buf_str(&b));
    buf_release(&b);
    return s;
}

/* Name as it is written, a NUL, and the line: sorted by that, series of one name stand together. */
static void see_sample(struct query_job *q, void *to, struct labels ls, uint32_t id)
{
    struct found *f = to;
    str name = wished(q, labels_get(ls, S("__name__")), true);
    struct storage_series s;
    storage_slot slot;
    struct buf b = BUF_INIT;
    double v;
    size_t i;
    bool any;

    storage_read(tsdb_storage(store_db(q->api->conf.store)), &id, 1, &s);
    i = prom_series_newest(&s, q->end);
    if (i == SIZE_MAX)
        return;
    slot = storage_at(&s, i);
    memcpy(&v, &slot, sizeof(v));
    buf_add(&b, name);
    buf_addc(&b, '\0');
    any = expo_open_series(&b, name, "");
    ls = labels_merge(&q->later.arena, q->external, ls);
    if (labels_get(ls, S("instance")).n == 0) /* else the scraper would add its own */
        expo_put_label(&b, &any, S("instance"), STR_NONE);
    LABELS_EACH (l, ls)
        if (!str_is(l->name, "__name__"))
            expo_put_label(&b, &any, wished(q, l->name, false), l->value);
    buf_adds(&b, "} ");
    float_print_g(&b, v);
    buf_addf(&b, " %lld\n", (long long)s.times[i]);
    vec_push(f, arena_str(&q->later.arena, buf_str(&b)));
    buf_release(&b);
}

static void federate(struct query_job *q)
{
    struct found f = {NULL, 0, 0};
    str last = STR_NONE;

    if (prom_job_walk(q, &f, see_sample, unique))
        for (size_t i = 0; i < f.n; i++) {
            str rest, name;

            assume(f.v != NULL);
            rest = f.v[i];
            name = str_cut(&rest, '\0');

            if (i == 0 || !str_eq(name, last)) {
                buf_adds(&q->body, "# TYPE ");
                expo_put_name(&q->body, name, "");
                buf_adds(&q->body, " untyped\n");
            }
            buf_add(&q->body, rest);
            last = name;
        }
    vec_release(&f);
}

void prom_federate(struct http_req *rq, void *arg)
{
    const struct api *a = arg;
    struct query_job *q = prom_job_new(arg, federate);
    struct prom_params p = prom_params(rq);
    struct buf type = BUF_INIT;

    q->wish = expo_negotiate(http_header_get(&rq->headers, S("Accept")), false);
    expo_put_content_type(&type, &q->wish);
    q->content_type = arena_str(&q->later.arena, buf_str(&type));
    buf_release(&type);
    q->external = labels_copy(&q->later.arena, config_of(a->engine->conf)->external_labels);
    q->end = prom_now_ms(a);
    if (!prom_series_parse_matches(rq, q, &p, true)) {
        prom_job_free(q);
        return;
    }
    prom_job_start(q, rq);
}
