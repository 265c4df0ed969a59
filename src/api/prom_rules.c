/* /api/v1/rules and /api/v1/alerts: the views that the groups' last runs left. */
#include "api/prom.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include "codec/float.h"

struct filter {
    bool alerts, records, hides_alerts;
    str *rules, *groups, *files;
    size_t n_rules, n_groups, n_files;
    struct matchers *matches;
    size_t n_matches;
    uint64_t limit; /* groups a page; 0 = all */
    str token;
    struct arena arena;
};

static bool prom_rules_holds(const str *v, size_t n, str s)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(v[i], s))
            return true;
    return n == 0;
}

static bool prom_rules_is_wanted(const struct filter *f, const struct rule_view *r)
{
    if (!(r->is_alert ? f->alerts : f->records) || !prom_rules_holds(f->rules, f->n_rules, r->name))
        return false;
    for (size_t i = 0; i < f->n_matches; i++)
        if (matchers_match(&f->matches[i], r->labels))
            return true;
    return f->n_matches == 0;
}

static void filter_release(struct filter *f)
{
    for (size_t i = 0; i < f->n_matches; i++)
        matchers_release(&f->matches[i]);
    arena_release(&f->arena);
}

static bool prom_rules_parse_matches(struct http_req *rq, const struct prom_params *p,
                                     struct filter *f)
{
    struct err e = ERR_INIT;
    str *texts;
    size_t n = prom_param_list(p, "match[]", &f->arena, &texts);

    f->matches = arena_array(&f->arena, n, sizeof(*f->matches));
    for (size_t i = 0; i < n; i++) {
        struct promql_expr *x =
            promql_parse(arena_str(&f->arena, texts[i]), &promql_everything, &f->arena, NULL, &e);

        if (x == NULL || x->kind != PROMQL_SELECTOR) {
            prom_fail(rq, PROM_BAD_DATA, "invalid parameter \"match[]\": %s",
                      x != NULL ? "a series selector is wanted" : e.msg);
            promql_release(x);
            return false;
        }
        f->matches[f->n_matches++] = matchers_copy(&f->arena, &x->selector.matchers);
        promql_release(x);
    }
    return true;
}

/* False: it has answered. */
static bool filter_init(struct http_req *rq, struct filter *f)
{
    struct prom_params p = prom_params(rq);
    str type = prom_param(&p, "type"), limit = prom_param(&p, "group_limit");

    *f = (struct filter){.alerts = !str_is(type, "record"), .records = !str_is(type, "alert")};
    arena_init(&f->arena, 0);
    f->n_rules = prom_param_list(&p, "rule_name[]", &f->arena, &f->rules);
    f->n_groups = prom_param_list(&p, "rule_group[]", &f->arena, &f->groups);
    f->n_files = prom_param_list(&p, "file[]", &f->arena, &f->files);
    f->hides_alerts = api_param_bool(rq, S("exclude_alerts"), false);
    f->token = prom_param(&p, "group_next_token");
    if (type.n != 0 && !str_is(type, "alert") && !str_is(type, "record"))
        prom_fail(rq, PROM_BAD_DATA, "invalid parameter \"type\": not supported value \"%.*s\"",
                  STR(type));
    else if (limit.n != 0 && (!str_to_u64(limit, &f->limit) || f->limit == 0))
        prom_fail(rq, PROM_BAD_DATA,
                  "invalid parameter \"group_limit\": group_limit needs to be a valid number and "
                  "greater than 0");
    else if (f->token.n != 0 && f->limit == 0)
        prom_fail(rq, PROM_BAD_DATA,
                  "invalid parameter \"group_limit\": group_limit needs to be specified if "
                  "group_next_token is");
    else if (prom_rules_parse_matches(rq, &p, f))
        return true;
    filter_release(f);
    return false;
}

/* -- writing -- */

static void prom_rules_put_time(struct json_writer *w, const char *key, ts_ns t)
{
    json_key(w, str_of(key));
    json_put_rfc3339_nano(w, t);
}

static void prom_rules_put_alert(struct json_writer *w, const struct rule_alert_view *a)
{
    struct buf b = BUF_INIT;

    json_open(w, '{');
    json_key(w, S("labels"));
    labels_put_json(w, a->labels);
    json_key(w, S("annotations"));
    labels_put_json(w, a->annotations);
    json_put_text(w, "state", a->state == RULE_ALERT_FIRING ? S("firing") : S("pending"));
    prom_rules_put_time(w, "activeAt", a->active_at);
    if (a->keep_firing_since != TS_NONE)
        prom_rules_put_time(w, "keepFiringSince", a->keep_firing_since);
    float_print_exponent(&b, a->value);
    json_put_text(w, "value", buf_str(&b));
    json_close(w, '}');
    buf_release(&b);
}

static void prom_rules_put_texts(struct json_writer *w, const char *key, const str *v, size_t n)
{
    if (n == 0)
        return;
    json_key(w, str_of(key));
    json_open(w, '[');
    for (size_t i = 0; i < n; i++)
        json_put_str(w, v[i]);
    json_close(w, ']');
}

/* Beyond Prometheus: what the last answer said beside its samples. */
void api_put_rule_notes(struct json_writer *w, const struct rule_notes *n)
{
    prom_rules_put_texts(w, "warnings", n->warnings, n->n_warnings);
    prom_rules_put_texts(w, "infos", n->infos, n->n_infos);
    if (n->held.n == 0)
        return;
    json_put_text(w, "heldBecause", n->held);
    prom_rules_put_time(w, "heldSince", n->held_since);
}

/* Beyond Prometheus: what the rule has cost since the start, and what it last returned. */
static void put_cost(struct json_writer *w, const struct rule_view *r)
{
    json_key(w, S("evaluations"));
    json_put_u64(w, r->cost.evaluations);
    json_key(w, S("evaluationFailures"));
    json_put_u64(w, r->cost.failures);
    api_put_seconds(w, "evaluationTimeTotal", r->cost.took);
    json_key(w, S("lastSamples"));
    json_put_u64(w, r->samples);
}

static void prom_rules_put_rule(struct json_writer *w, const struct filter *f,
                                const struct rule_view *r)
{
    json_open(w, '{');
    if (r->is_alert)
        json_put_text(w, "state",
                      r->last_eval == TS_NONE ? S("unknown")
                                              : str_of(rule_alert_state_text(r->state)));
    json_put_text(w, "name", r->name);
    json_put_text(w, "query", r->query);
    if (r->is_alert) {
        api_put_seconds(w, "duration", r->hold_for);
        api_put_seconds(w, "keepFiringFor", r->keep_firing_for);
    }
    json_key(w, S("labels"));
    labels_put_json(w, r->labels);
    if (r->is_alert) {
        json_key(w, S("annotations"));
        labels_put_json(w, r->annotations);
        json_key(w, S("alerts"));
        if (f->hides_alerts) {
            json_put_null(w);
        } else {
            json_open(w, '[');
            for (size_t i = 0; i < r->n_alerts; i++)
                prom_rules_put_alert(w, &r->alerts[i]);
            json_close(w, ']');
        }
    }
    json_put_text(w, "health", str_of(rule_health_text(r->health)));
    if (r->last_error.n != 0)
        json_put_text(w, "lastError", r->last_error);
    if (r->is_trial) {
        json_key(w, S("trial"));
        json_put_bool(w, true);
    }
    api_put_rule_notes(w, r->notes);
    api_put_seconds(w, "evaluationTime", r->took);
    prom_rules_put_time(w, "lastEvaluation", r->last_eval);
    put_cost(w, r);
    json_put_text(w, "type", r->is_alert ? S("alerting") : S("recording"));
    json_close(w, '}');
}

static void prom_rules_put_group(struct json_writer *w, const struct filter *f,
                                 const struct rule_group_view *g)
{
    json_open(w, '{');
    json_put_text(w, "name", g->name);
    json_put_text(w, "file", g->file);
    json_key(w, S("rules"));
    json_open(w, '[');
    for (size_t i = 0; i < g->n_rules; i++)
        if (prom_rules_is_wanted(f, &g->rules[i]))
            prom_rules_put_rule(w, f, &g->rules[i]);
    json_close(w, ']');
    api_put_seconds(w, "interval", g->interval);
    json_key(w, S("limit"));
    json_put_i64(w, g->limit);
    api_put_seconds(w, "evaluationTime", g->took);
    prom_rules_put_time(w, "lastEvaluation", g->last_eval);
    json_close(w, '}');
}

/* -- which groups, in which order -- */

/* What the answers are made of. */
enum { OF_RULES = CHANGES_OF(CHANGED_RULES) | CHANGES_OF(CHANGED_CONFIG) };

static int prom_rules_by_place(const void *a, const void *b)
{
    const struct rule_group_view *x = *(struct rule_group_view *const *)a,
                                 *y = *(struct rule_group_view *const *)b;
    int c = str_cmp(x->file, y->file);

    return c != 0 ? c : str_cmp(x->name, y->name);
}

struct views {
    struct rule_group_view **v;
    size_t n, cap;
};

static void prom_rules_collect(const struct api *a, const struct filter *f, struct views *out)
{
    VEC_EACH (struct rule_slot *const *, s, &a->engine->rules) {
        struct rule_group_view *g = (*s)->shown;
        bool any = false;

        if (!prom_rules_holds(f->groups, f->n_groups, g->name) ||
            !prom_rules_holds(f->files, f->n_files, g->file))
            continue;
        for (size_t i = 0; i < g->n_rules && !any; i++)
            any = prom_rules_is_wanted(f, &g->rules[i]);
        if (any)
            vec_push(out, rule_group_view_ref(g));
    }
    if (out->n > 1)
        qsort(out->v, out->n, sizeof(*out->v), prom_rules_by_place);
}

/* What a page's token names: its first group. */
static str token_of(const struct rule_group_view *g, struct arena *a)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    struct buf b = BUF_INIT;
    str key;

    buf_addf(&b, "%.*s;%.*s", STR(g->file), STR(g->name));
    SHA256((const unsigned char *)b.p, b.n, digest);
    buf_clear(&b);
    for (size_t i = 0; i < sizeof(digest); i++)
        buf_addf(&b, "%02x", digest[i]);
    key = arena_str(a, buf_str(&b));
    buf_release(&b);
    return key;
}

/* The first group of the page; SIZE_MAX when the token names none. */
static size_t page_start(const struct views *views, struct filter *f)
{
    if (f->token.n == 0)
        return 0;
    for (size_t i = 0; i < views->n; i++)
        if (str_eq(token_of(views->v[i], &f->arena), f->token))
            return i;
    return SIZE_MAX;
}

/* -- answers, written as fast as the client reads: views stay as they are -- */

struct rules_stream {
    struct filter f;
    struct views views; /* one reference each */
    size_t at, end;
    str next_token; /* the filter's arena; empty: there are no more */
    bool begun;
};

static void stream_done(void *ctx)
{
    struct rules_stream *s = ctx;

    VEC_EACH (struct rule_group_view **, g, &s->views)
        rule_group_view_unref(*g);
    vec_release(&s->views);
    filter_release(&s->f);
    mem_free(s);
}

static bool prom_rules_groups_next(void *ctx, struct buf *out)
{
    struct rules_stream *s = ctx;
    size_t enough = out->n + API_PIECE;
    struct json_writer w;

    if (!s->begun)
        buf_adds(out, "{\"status\":\"success\",\"data\":{\"groups\":[");
    for (; s->at < s->end && out->n < enough; s->at++) {
        if (s->begun)
            buf_addc(out, ',');
        s->begun = true;
        json_writer_init(&w, out, true);
        prom_rules_put_group(&w, &s->f, s->views.v[s->at]);
    }
    s->begun = true;
    if (s->at < s->end)
        return true;
    buf_addc(out, ']');
    if (s->next_token.n != 0)
        buf_addf(out, ",\"groupNextToken\":\"%.*s\"", STR(s->next_token));
    buf_adds(out, "}}");
    return false;
}

static void refuse_token(struct http_req *rq, str token)
{
    prom_fail(rq, PROM_BAD_DATA,
              "invalid parameter \"group_next_token\": invalid group_next_token '%.*s'. were rule "
              "groups changed?",
              STR(token));
}

void prom_rules(struct http_req *rq, void *arg)
{
    struct rules_stream *s = mem_new(struct rules_stream);

    if (!filter_init(rq, &s->f)) {
        mem_free(s);
        return;
    }
    if (api_is_unchanged(arg, rq, OF_RULES)) {
        stream_done(s);
        return;
    }
    prom_rules_collect(arg, &s->f, &s->views);
    s->at = page_start(&s->views, &s->f);
    if (s->at == SIZE_MAX) {
        refuse_token(rq, s->f.token);
        stream_done(s);
        return;
    }
    s->end = s->f.limit != 0 && s->f.limit < s->views.n - s->at ? s->at + (size_t)s->f.limit
                                                                : s->views.n;
    if (s->end < s->views.n)
        s->next_token = token_of(s->views.v[s->end], &s->f.arena);
    api_headers(rq);
    http_reply_stream(rq, 200, S("application/json"), prom_rules_groups_next, stream_done, s);
}

static bool prom_rules_alerts_next(void *ctx, struct buf *out)
{
    struct rules_stream *s = ctx;
    size_t enough = out->n + API_PIECE;
    struct json_writer w;

    if (s->at == 0)
        buf_adds(out, "{\"status\":\"success\",\"data\":{\"alerts\":[");
    for (; s->at < s->views.n && out->n < enough; s->at++) {
        const struct rule_group_view *g = s->views.v[s->at];

        for (size_t i = 0; i < g->n_rules; i++)
            for (size_t j = 0; j < g->rules[i].n_alerts; j++) {
                if (s->begun)
                    buf_addc(out, ',');
                s->begun = true;
                json_writer_init(&w, out, true);
                prom_rules_put_alert(&w, &g->rules[i].alerts[j]);
            }
    }
    if (s->at < s->views.n)
        return true;
    buf_adds(out, "]}}");
    return false;
}

void prom_alerts(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct rules_stream *s;

    if (api_is_unchanged(a, rq, OF_RULES))
        return;
    s = mem_new(struct rules_stream);
    arena_init(&s->f.arena, 0);
    VEC_EACH (struct rule_slot *const *, slot, &a->engine->rules)
        vec_push(&s->views, rule_group_view_ref((*slot)->shown));
    api_headers(rq);
    http_reply_stream(rq, 200, S("application/json"), prom_rules_alerts_next, stream_done, s);
}
