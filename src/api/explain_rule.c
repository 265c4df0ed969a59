/* GET /api/v2/explain?rule=NAME: why a rule has fired or not. What the last run left is shown; the rest is found out now, as
 * promql/why.h does it: over our own store on a worker, by questions to the source of the group otherwise, one after the other.
 *
 * A name may be that of several rules, each of which is explained. */
#include "api/prom.h"

#include "base/map.h"
#include "codec/duration.h"
#include "codec/float.h"
#include "live/rule_driver.h"
#include "promql/made_up.h"
#include "promql/why.h"
#include "ruler/rule_group.h"
#include "ruler/rule_query.h"
#include "ruler/rule_template.h"
#include "scrape/metadata.h"

enum {
    RULES_MAX = 20,
    EXPLAINING_MAX = 20,
    EXPLAIN_GATHER_MAX = 1 << 30,
    EXPLAIN_MS_MAX = 30000,
    ALERTS_SHOWN_MAX = 20
};

/* What an alert of the rule would say, and over which sample. */
struct rule_words {
    enum rule_words_basis {
        WORDS_NONE,      /* of no alert, or it was not found out */
        WORDS_SELECTORS, /* labels that its selectors ask for */
        WORDS_NEAREST,   /* the value that is nearest to a threshold */
        WORDS_RESULT,
    } basis;
    double value;
    struct labels labels, annotations;
};

/* One of the rules of the name. */
struct rule_asked {
    const struct rule_conf *rule;
    const struct rule_group_conf *group;
    struct rule_group_view *view; /* a reference; NULL: it has never run */
    const struct rule_view *seen; /* in it */
    ts_ms at;                     /* that it is evaluated for */
    struct why why;
    struct rule_words words;
    struct err err;  /* why could not be found out */
    bool is_watched; /* series of its names are kept from now on only */
};

struct explain_rule {
    struct http_later later;
    struct api *api;
    struct config *conf; /* a reference */
    bool is_text;
    ts_ms at_time; /* when it is asked for; INT64_MIN: now, and what the last run left is shown */
    struct tz *zone;
    struct rule_asked *v;
    size_t n, at;

    /* of the one that is asked for now */
    struct rule_queries queries;
    struct answer_notes notes;
    struct rule_question *question; /* under way */
    struct buf body;                /* of its answer */
    struct source_answer answer;
    bool has_answer;
    struct job job;
    bool is_working, is_stopped;
    struct explain_rule *next, *prev;
};

/* -- a worker finds out -- */

static bool explain_goes_on(void *arg)
{
    struct explain_rule *x = arg;

    return !http_later_is_gone(&x->later) && clock_mono(x->later.of->clock) < x->later.deadline;
}

/* Our own store. */
static bool ask_own(void *arg, str query, struct samples *out, struct err *e)
{
    struct explain_rule *x = arg;

    return store_ask(x->api->conf.store, query, x->v[x->at].at, explain_goes_on, x, &x->later.arena,
                     out, e);
}

/* Of a rule that is taken apart: each part of it by whom it is evaluated. All that is missing of the source is wanted at once. */
static bool ask_split(void *arg, str query, struct samples *out, struct err *e)
{
    struct explain_rule *x = arg;
    const str *recorded = x->conf->recorded;
    struct arena *a = &x->later.arena;
    struct rule_split split;
    struct samples *answers;
    enum own_share share;
    bool ok = true;
    struct promql_expr *expr = promql_parse(query, &promql_everything, a, NULL, e);

    if (expr == NULL)
        return false;
    share = own_share(expr, recorded, x->conf->n_recorded);
    promql_release(expr);
    if (share == OWN_ALL)
        return ask_own(arg, query, out, e);
    if (share != OWN_SOME || !rule_split_make(query, recorded, x->conf->n_recorded, a, &split))
        return rule_queries_ask(&x->queries, query, out, e);
    answers = arena_array(a, split.n, sizeof(*answers));
    for (size_t i = 0; i < split.n; i++)
        ok &= rule_queries_ask(&x->queries, split.asked[i], &answers[i], e);
    return ok && store_ask_split(x->api->conf.store, &split, answers, x->v[x->at].at,
                                 explain_goes_on, x, a, out, e);
}

/* Only what some selector selects is kept: the names of those that select nothing are kept from now on. */
static void watch_names(struct explain_rule *x, struct rule_asked *k)
{
    for (size_t i = 0; i < k->why.n_causes; i++) {
        struct why_cause *c = &k->why.causes[i];
        str selector = c->selector, name = c->wanted;

        if (c->reason > WHY_NO_SERIES)
            continue;
        if (c->reason != WHY_NO_METRIC)
            name = str_cut(&selector, '{');
        if (name.n == 0 || !store_watch(x->api->conf.store, name))
            continue;
        k->is_watched = true;
        if (c->reason == WHY_NO_METRIC)
            c->text =
                arena_printf(&x->later.arena,
                             "no rule selects a series of %.*s, so that none is kept", STR(name));
    }
}

/* -- what it would say -- */

static struct sample sample_to_say(struct explain_rule *x, struct rule_asked *k,
                                   const struct promql_expr *expr, const struct why_asker *asker)
{
    static const struct labels none;
    struct sample out = {.labels = none};
    struct samples s = {0};
    struct err e = ERR_INIT;

    k->words.basis = WORDS_SELECTORS;
    for (size_t i = 0; i < k->why.n_causes; i++)
        if (k->why.causes[i].reason == WHY_COMPARISON) {
            k->words.basis = WORDS_NEAREST;
            out.labels = k->why.causes[i].series;
            out.value = k->why.causes[i].value;
        }
    if (k->why.n_causes == 0 && asker->ask(asker->arg, k->rule->expr, &s, &e) && s.n != 0) {
        k->words.basis = WORDS_RESULT;
        out = s.v[0];
    }
    if (k->words.basis == WORDS_SELECTORS)
        out.labels = promql_made_up_labels(expr, none, S("..."), &x->later.arena);
    out.labels = labels_copy(&x->later.arena, out.labels);
    return out;
}

/* Queries of the templates over our own store. */
static bool answer_own_queries(struct explain_rule *x)
{
    const struct rule_query *q;
    bool any = false;

    while ((q = rule_queries_next(&x->queries)) != NULL) {
        struct samples s = {0};
        struct err e = ERR_INIT;
        bool ok = ask_own(x, q->text, &s, &e);

        rule_queries_take(&x->queries, s, NULL, ok ? NULL : &e);
        any = true;
    }
    return any;
}

/* False: an answer of the source to a query of a template is missing. */
static bool find_words(struct explain_rule *x, struct rule_asked *k, const struct promql_expr *expr,
                       const struct why_asker *asker)
{
    struct arena *a = &x->later.arena;
    const struct sample sample = sample_to_say(x, k, expr, asker);
    const struct rule_template_vars vars = {.alert = k->rule->name,
                                            .labels = sample.labels,
                                            .value = sample.value,
                                            .external_labels = x->conf->external_labels,
                                            .external_url = x->api->engine->external_url,
                                            .slot = k->at * NS_PER_MS};
    struct rule_templates *t = rule_templates_new();
    struct rule_words *w = &k->words;

    w->value = sample.value;
    do {
        x->queries.is_missing = false;
        w->labels = rule_template_expand_all(t, a, &k->rule->all_labels, &vars, &x->queries);
        w->annotations = rule_template_expand_all(t, a, &k->rule->annotations, &vars, &x->queries);
    } while (x->queries.is_missing && k->rule->is_own && answer_own_queries(x));
    rule_templates_free(t);
    w->labels = labels_copy(a, labels_merge(a, sample.labels, w->labels));
    w->annotations = labels_copy(a, w->annotations);
    return !x->queries.is_missing;
}

/* False: an answer of the source is missing. */
static bool explain_one_rule(struct explain_rule *x, struct rule_asked *k)
{
    struct why_asker asker = {rule_queries_ask, &x->queries};
    struct promql_expr *expr;
    bool ok;

    k->err = (struct err)ERR_INIT;
    if (x->has_answer) {
        x->answer.body = buf_str(&x->body);
        x->has_answer = false;
        if (!rule_queries_answer(&x->queries, &x->answer, &k->err))
            return true;
    }
    expr = promql_parse(k->rule->expr, &promql_everything, &x->later.arena, NULL, &k->err);
    if (expr == NULL)
        return true;
    if (k->rule->is_own)
        asker = (struct why_asker){ask_own, x};
    else if (k->rule->split != NULL && x->api->conf.store != NULL)
        asker = (struct why_asker){ask_split, x};
    x->queries.is_missing = false;
    ok = why_empty(expr, &asker, &x->later.arena, &k->why, &k->err);
    if (ok)
        k->err = (struct err)ERR_INIT;
    if (ok && k->rule->is_alert)
        ok = find_words(x, k, expr, &asker);
    if (ok && k->why.n_causes != 0 && k->rule->is_own && x->at_time == INT64_MIN &&
        x->api->conf.store != NULL)
        watch_names(x, k);
    promql_release(expr);
    return ok || !x->queries.is_missing;
}

static void explain_rule_find_out(struct job *j)
{
    struct explain_rule *x = container_of(j, struct explain_rule, job);

    while (x->at < x->n && explain_goes_on(x) && explain_one_rule(x, &x->v[x->at])) {
        x->at++;
        rule_queries_release(&x->queries);
        x->queries = (struct rule_queries){0};
        rule_queries_begin(&x->queries, &x->later.arena, &x->notes);
    }
}

/* -- what came of it: JSON -- */

static void put_number(struct json_writer *w, const char *key, double v)
{
    json_key(w, str_of(key));
    if (v != v)
        json_put_null(w);
    else
        json_put_double(w, v);
}

static void explain_rule_put_count(struct json_writer *w, const char *key, size_t n)
{
    json_key(w, str_of(key));
    json_put_u64(w, n);
}

static void put_cause(struct json_writer *w, const struct why_cause *c)
{
    json_open(w, '{');
    json_put_text(w, "reason", str_of(why_reason_text(c->reason)));
    json_put_text(w, "part", c->part);
    explain_rule_put_count(w, "at", c->at);
    explain_rule_put_count(w, "end", c->end);
    json_put_text(w, "selector", c->selector);
    json_put_text(w, "label", c->label);
    json_put_text(w, "wanted", c->wanted);
    json_put_text(w, "nearest", c->nearest);
    put_number(w, "value", c->value);
    put_number(w, "threshold", c->threshold);
    explain_rule_put_count(w, "left", c->left);
    explain_rule_put_count(w, "right", c->right);
    json_put_text(w, "text", c->text);
    json_close(w, '}');
}

static void put_step(struct json_writer *w, const struct why_step *s)
{
    json_open(w, '{');
    explain_rule_put_count(w, "depth", s->depth);
    json_put_text(w, "part", s->part);
    explain_rule_put_count(w, "at", s->at);
    explain_rule_put_count(w, "end", s->end);
    explain_rule_put_count(w, "series", s->n);
    json_close(w, '}');
}

static ts_ns fires_at(const struct rule_view *r, const struct rule_alert_view *a)
{
    return a->state == RULE_ALERT_PENDING ? ts_add(a->active_at, r->hold_for) : TS_NONE;
}

/* Until when it fires though its expression has no result any more. */
static ts_ns kept_until(const struct rule_view *r, const struct rule_alert_view *a)
{
    return a->keep_firing_since != TS_NONE && a->keep_firing_since != 0
               ? ts_add(a->keep_firing_since, r->keep_firing_for)
               : TS_NONE;
}

static void explain_rule_put_time(struct json_writer *w, const char *key, ts_ns t)
{
    json_key(w, str_of(key));
    if (t == TS_NONE || t == 0)
        json_put_null(w);
    else
        json_put_rfc3339_ms(w, t);
}

static void put_rule_alert(struct json_writer *w, const struct rule_view *r,
                           const struct rule_alert_view *a)
{
    json_open(w, '{');
    json_key(w, S("labels"));
    labels_put_json(w, a->labels);
    json_put_text(w, "state", str_of(rule_alert_state_text(a->state)));
    put_number(w, "value", a->value);
    explain_rule_put_time(w, "activeAt", a->active_at);
    explain_rule_put_time(w, "firesAt", fires_at(r, a));
    explain_rule_put_time(w, "keptUntil", kept_until(r, a));
    json_close(w, '}');
}

static void put_seen(struct json_writer *w, const struct rule_view *r)
{
    json_put_text(w, "state", str_of(rule_alert_state_text(r->state)));
    json_put_text(w, "health", str_of(rule_health_text(r->health)));
    json_put_text(w, "lastError", r->last_error);
    explain_rule_put_time(w, "lastEvaluation", r->last_eval);
    explain_rule_put_count(w, "series", r->samples);
    api_put_rule_notes(w, r->notes);
    json_key(w, S("alerts"));
    json_open(w, '[');
    for (size_t i = 0; i < r->n_alerts && i < ALERTS_SHOWN_MAX; i++)
        put_rule_alert(w, r, &r->alerts[i]);
    json_close(w, ']');
    explain_rule_put_count(w, "active", r->n_alerts);
}

static void put_would_say(struct json_writer *w, const struct rule_words *o)
{
    static const char *const bases[] = {
        [WORDS_SELECTORS] = "selectors", [WORDS_NEAREST] = "nearest", [WORDS_RESULT] = "result"};

    json_key(w, S("wouldSay"));
    json_open(w, '{');
    json_put_text(w, "basis", str_of(bases[o->basis]));
    put_number(w, "value", o->value);
    json_key(w, S("labels"));
    labels_put_json(w, o->labels);
    json_key(w, S("annotations"));
    labels_put_json(w, o->annotations);
    json_close(w, '}');
}

static void put_rule_asked(struct json_writer *w, const struct rule_asked *k)
{
    json_open(w, '{');
    json_put_text(w, "name", k->rule->name);
    json_put_text(w, "type", k->rule->is_alert ? S("alerting") : S("recording"));
    json_put_text(w, "group", k->group->name);
    json_put_text(w, "file", k->group->file);
    explain_rule_put_count(w, "line", (size_t)k->rule->line);
    json_put_text(w, "expr", k->rule->expr);
    json_key(w, S("trial"));
    json_put_bool(w, k->rule->is_trial);
    json_put_text(w, "source", k->rule->is_own ? S("own") : k->group->source);
    api_put_duration(w, "for", k->rule->hold_for);
    api_put_duration(w, "keepFiringFor", k->rule->keep_firing_for);
    if (k->seen != NULL)
        put_seen(w, k->seen);
    json_put_text(w, "error", str_of(k->err.msg));
    json_key(w, S("watched"));
    json_put_bool(w, k->is_watched);
    json_key(w, S("parts"));
    json_open(w, '[');
    for (size_t i = 0; i < k->why.n_steps; i++)
        put_step(w, &k->why.steps[i]);
    json_close(w, ']');
    json_key(w, S("causes"));
    json_open(w, '[');
    for (size_t i = 0; i < k->why.n_causes; i++)
        put_cause(w, &k->why.causes[i]);
    json_close(w, ']');
    if (k->words.basis != WORDS_NONE)
        put_would_say(w, &k->words);
    json_close(w, '}');
}

/* -- in words -- */

static void explain_rule_say_alert(struct buf *b, const struct rule_view *r,
                                   const struct rule_alert_view *a, const struct local_now *l)
{
    ts_ns fires = fires_at(r, a), kept = kept_until(r, a);

    buf_addf(b, "    %s ", rule_alert_state_text(a->state));
    labels_print(b, a->labels);
    buf_adds(b, " value ");
    float_print_g(b, a->value);
    buf_adds(b, ", since ");
    explain_say_time(b, a->active_at, l);
    if (fires != TS_NONE) {
        buf_adds(b, ", fires ");
        explain_say_time(b, fires, l);
    }
    if (kept != TS_NONE) {
        buf_adds(b, ", kept firing until ");
        explain_say_time(b, kept, l);
    }
    buf_addc(b, '\n');
}

static void say_seen(struct buf *b, const struct rule_view *r, const struct local_now *l)
{
    buf_addf(b, "  %s, ", rule_alert_state_text(r->state));
    if (r->last_eval == TS_NONE || r->last_eval == 0) {
        buf_adds(b, "never evaluated\n");
    } else {
        buf_adds(b, "evaluated ");
        explain_say_time(b, r->last_eval, l);
        buf_addf(b, ": %zu series\n", r->samples);
    }
    if (r->last_error.n != 0)
        buf_addf(b, "  it failed: %.*s\n", STR(r->last_error));
    for (size_t i = 0; i < r->notes->n_warnings; i++)
        buf_addf(b, "  warning: %.*s\n", STR(r->notes->warnings[i]));
    for (size_t i = 0; i < r->notes->n_infos; i++)
        buf_addf(b, "  info: %.*s\n", STR(r->notes->infos[i]));
    for (size_t i = 0; i < r->n_alerts && i < ALERTS_SHOWN_MAX; i++)
        explain_rule_say_alert(b, r, &r->alerts[i], l);
    if (r->n_alerts > ALERTS_SHOWN_MAX)
        buf_addf(b, "    and %zu more\n", r->n_alerts - ALERTS_SHOWN_MAX);
}

static void say_words(struct buf *b, const struct rule_words *w)
{
    static const char *const bases[] = {[WORDS_SELECTORS] =
                                            ", with labels made up of its selectors",
                                        [WORDS_NEAREST] = " of the nearest value",
                                        [WORDS_RESULT] = ""};

    if (w->annotations.n == 0)
        return;
    buf_addf(b, "  what it would say%s\n    ", bases[w->basis]);
    labels_print(b, w->labels);
    if (w->basis != WORDS_SELECTORS) {
        buf_adds(b, " value ");
        float_print_g(b, w->value);
    }
    buf_addc(b, '\n');
    LABELS_EACH (l, w->annotations)
        buf_addf(b, "    %.*s: %.*s\n", STR(l->name), STR(l->value));
}

static void say_rule_asked(struct buf *b, const struct rule_asked *k, bool is_then,
                           const struct local_now *l)
{
    buf_addf(b, "rule %.*s of group %.*s, %.*s:%d\n  %.*s\n", STR(k->rule->name),
             STR(k->group->name), STR(k->group->file), k->rule->line, STR(k->rule->expr));
    if (k->rule->hold_for != 0) {
        buf_adds(b, "  for ");
        duration_print(b, k->rule->hold_for);
        buf_addc(b, '\n');
    }
    if (k->rule->is_trial)
        buf_adds(b, "  on trial: nobody is told (tocsin trial report)\n");
    if (k->seen != NULL)
        say_seen(b, k->seen, l);
    if (k->err.msg[0] != '\0')
        buf_addf(b, "  why cannot be found out: %s\n", k->err.msg);
    if (k->why.n_steps != 0)
        buf_addf(b, "  parts, and how many series each %s\n", is_then ? "had then" : "has now");
    for (size_t i = 0; i < k->why.n_steps; i++)
        buf_addf(b, "    %5zu  %*s%.*s\n", k->why.steps[i].n, (int)(2 * k->why.steps[i].depth), "",
                 STR(k->why.steps[i].part));
    if (k->why.n_causes != 0)
        buf_adds(b, "  why nothing comes of it\n");
    for (size_t i = 0; i < k->why.n_causes; i++)
        buf_addf(b, "    %.*s: %.*s\n", STR(k->why.causes[i].part), STR(k->why.causes[i].text));
    if (k->words.basis != WORDS_NONE)
        say_words(b, &k->words);
    if (k->is_watched)
        buf_adds(b, "  Only what rules select is kept. What else is scraped by these names is kept "
                    "from now on for "
                    "ten minutes: ask again after the next scrape.\n");
}

static void answer_rules(struct explain_rule *x, struct http_req *rq)
{
    struct local_now l = {shell_clock(x->api->conf.shell)->now, x->zone};
    struct buf b = BUF_INIT, shown = BUF_INIT;
    struct json_writer w;

    if (x->is_text) {
        for (size_t i = 0; i < x->n; i++)
            say_rule_asked(&b, &x->v[i], x->at_time != INT64_MIN, &l);
        buf_add_shown(&shown, buf_str(&b));
    } else {
        json_writer_init(&w, &shown, true);
        json_open(&w, '{');
        json_key(&w, S("rules"));
        json_open(&w, '[');
        for (size_t i = 0; i < x->n; i++)
            put_rule_asked(&w, &x->v[i]);
        json_close(&w, ']');
        json_close(&w, '}');
        buf_addc(&shown, '\n');
    }
    api_headers(rq);
    http_reply(rq, 200, x->is_text ? S("text/plain; charset=utf-8") : S("application/json"),
               buf_str(&shown));
    buf_release(&b);
    buf_release(&shown);
}

/* -- its life -- */

static void explain_rule_free(struct http_later *l)
{
    struct explain_rule *x = container_of(l, struct explain_rule, later);

    if (x->question != NULL)
        rule_driver_forget(x->question);
    if (x->prev != NULL)
        x->prev->next = x->next;
    else
        x->api->explaining = x->next;
    if (x->next != NULL)
        x->next->prev = x->prev;
    x->api->n_explaining--;
    for (size_t i = 0; i < x->n; i++)
        rule_group_view_unref(x->v[i].view);
    rule_queries_release(&x->queries);
    buf_release(&x->body);
    tz_free(x->zone);
    config_unref(x->conf);
    mem_free(x);
}

void api_stop_explaining(struct api *a)
{
    for (struct explain_rule *x = a->explaining, *next; x != NULL; x = next) {
        next = x->next;
        x->is_stopped = true;
        if (!x->is_working) /* else it goes when the worker is done */
            http_later_free(&x->later);
    }
}

static void explain_rule_work(struct explain_rule *x);

/* What targets say of their metrics names those, too, that nothing selects. */
struct nearest_metric {
    struct arena a;
    str wanted;
    const struct metadata *last; /* targets of a job mostly say the same */
    VEC(str) found;              /* the nearest of each */
    size_t looked_at;
};

enum { METADATA_LOOKED_AT_MAX = 20000 };

static void look_at_metadata(void *arg, const struct target_status *t)
{
    struct nearest_metric *m = arg;
    const struct metadata_item *v;
    const str *near;
    str *names;
    size_t n;

    if (t->metadata == NULL || t->metadata == m->last || m->looked_at > METADATA_LOOKED_AT_MAX)
        return;
    m->last = t->metadata;
    v = metadata_items((str){t->metadata->records, t->metadata->n}, &m->a, &n);
    names = arena_array(&m->a, n + 1, sizeof(*names));
    for (size_t i = 0; i < n; i++)
        names[i] = v[i].metric;
    m->looked_at += n;
    near = str_nearest(m->wanted, names, n);
    if (near != NULL)
        vec_push(&m->found, *near);
}

static void find_metric(struct explain_rule *x, struct why_cause *c)
{
    struct nearest_metric m = {.wanted = c->wanted};
    const str *near;

    arena_init(&m.a, 0);
    scraper_each(store_scraper(x->api->conf.store), look_at_metadata, &m);
    near = str_nearest(m.wanted, m.found.v, m.found.n);
    if (near != NULL && str_eq(*near, m.wanted)) {
        c->text = arena_printf(&x->later.arena,
                               "%.*s is scraped, and no rule selects a series of it, so "
                               "that none is kept",
                               STR(*near));
    } else if (near != NULL) {
        c->nearest = arena_str(&x->later.arena, *near);
        c->text = arena_printf(&x->later.arena, "nothing is called %.*s; there is %.*s",
                               STR(c->wanted), STR(*near));
    }
    vec_release(&m.found);
    arena_release(&m.a);
}

static void find_metrics(struct explain_rule *x)
{
    for (size_t i = 0; i < x->n; i++)
        for (size_t k = 0; x->v[i].rule->is_own && k < x->v[i].why.n_causes; k++) {
            struct why_cause *c = &x->v[i].why.causes[k];

            if (c->reason == WHY_NO_METRIC && c->nearest.n == 0 && x->api->conf.store != NULL)
                find_metric(x, c);
        }
}

static void explain_rule_end(struct explain_rule *x)
{
    struct http_req *rq = http_later_take(&x->later);

    if (rq != NULL && clock_mono(x->later.of->clock) >= x->later.deadline && x->at < x->n) {
        api_fail(rq, 503, S("there was no time to find it out"));
    } else if (rq != NULL) {
        find_metrics(x);
        answer_rules(x, rq);
    }
    http_later_free(&x->later);
}

static void rule_source_answered(void *arg, const struct source_answer *a)
{
    struct explain_rule *x = arg;

    x->question = NULL;
    x->answer = *a;
    buf_clear(&x->body);
    buf_add(&x->body, a->body);
    x->has_answer = true;
    explain_rule_work(x);
}

/* A question to the source is open, or all is known. */
static void explain_rule_done(struct job *j)
{
    struct explain_rule *x = container_of(j, struct explain_rule, job);
    const struct rule_query *next;

    x->is_working = false;
    if (x->at == x->n || x->is_stopped || !explain_goes_on(x)) {
        explain_rule_end(x);
        return;
    }
    next = rule_queries_next(&x->queries);
    if (next != NULL)
        x->question =
            rule_driver_ask(shell_rules(x->api->conf.shell), x->v[x->at].group->source, next->text,
                            x->v[x->at].at * NS_PER_MS, rule_source_answered, x);
    if (x->question != NULL)
        return;
    err_set(&x->v[x->at].err, ERR_NOT_FOUND, "there is no source \"%.*s\"",
            STR(x->v[x->at].group->source));
    x->at++;
    explain_rule_work(x);
}

static void explain_rule_work(struct explain_rule *x)
{
    x->is_working = true;
    x->job = (struct job){.run = explain_rule_find_out, .done = explain_rule_done};
    pool_run(x->later.of->pool, WORK_QUERY, &x->job);
}

/* -- the rules of a name -- */

static void see_rule(struct explain_rule *x, const struct rule_group_conf *g, size_t i)
{
    struct rule_asked *k = &x->v[x->n++];
    struct rule_group_view *v = engine_rules_shown(x->api->engine, rule_group_id(g));
    ts_ns now = x->at_time == INT64_MIN ? shell_clock(x->api->conf.shell)->now.wall
                                        : x->at_time * NS_PER_MS;

    *k = (struct rule_asked){.rule = &g->rules[i],
                             .group = g,
                             .at = (now - g->query_offset) / NS_PER_MS,
                             .err = ERR_INIT};
    if (v != NULL && x->at_time == INT64_MIN && i < v->n_rules &&
        str_eq(v->rules[i].name, k->rule->name)) {
        k->view = rule_group_view_ref(v);
        k->seen = &v->rules[i];
    }
}

static void find_rules(struct explain_rule *x, str name)
{
    const struct config *c = x->conf;

    x->v = arena_array(&x->later.arena, RULES_MAX, sizeof(*x->v));
    for (size_t i = 0; i < c->n_groups; i++)
        for (size_t k = 0; k < c->groups[i].n_rules && x->n < RULES_MAX; k++)
            if (str_eq(c->groups[i].rules[k].name, name))
                see_rule(x, &c->groups[i], k);
}

static void say_no_rule(struct http_req *rq, const struct config *c, str name)
{
    VEC(str) names = VEC_INIT;
    struct err e = ERR_INIT;
    const str *near;

    for (size_t i = 0; i < c->n_groups; i++)
        for (size_t k = 0; k < c->groups[i].n_rules; k++)
            vec_push(&names, c->groups[i].rules[k].name);
    near = str_nearest(name, names.v, names.n);
    err_set(&e, ERR_NOT_FOUND, "there is no rule \"%.*s\"", STR(name));
    if (near != NULL)
        err_set(&e, ERR_NOT_FOUND, "there is no rule \"%.*s\"; there is \"%.*s\"", STR(name),
                STR(*near));
    api_fail(rq, 404, str_of(e.msg));
    vec_release(&names);
}

void api_explain_rule(struct api *a, struct http_req *rq, str name)
{
    str at = api_param(rq, S("at"));
    struct explain_rule *x;
    ts_ms time = INT64_MIN;

    if (at.n != 0 && !prom_time(at, &time)) {
        api_fail(rq, 400, S("at is no time: RFC 3339, or Unix seconds"));
        return;
    }
    if (!api_has_room(a, rq) || a->n_explaining >= EXPLAINING_MAX) {
        api_fail(rq, 503, S("too many questions are under way"));
        return;
    }
    x = mem_new(struct explain_rule);
    http_later_begin(&x->later, &a->laters, 0);
    x->later.free = explain_rule_free;
    x->later.deadline = ts_add(clock_mono(a->laters.clock), (dur_ns)EXPLAIN_MS_MAX * NS_PER_MS);
    x->api = a;
    x->at_time = time;
    x->next = a->explaining;
    if (x->next != NULL)
        x->next->prev = x;
    a->explaining = x;
    a->n_explaining++;
    x->conf = config_ref(config_of(a->engine->conf));
    x->is_text = str_is(api_param(rq, S("format")), "text");
    x->zone = x->is_text ? tz_of_rule(api_param(rq, S("zone"))) : NULL;
    rule_queries_begin(&x->queries, &x->later.arena, &x->notes);
    find_rules(x, arena_str(&x->later.arena, name));
    if (x->n == 0) {
        say_no_rule(rq, x->conf, name);
        http_later_free(&x->later);
        return;
    }
    http_later_wait(&x->later, rq);
    explain_rule_work(x);
}
