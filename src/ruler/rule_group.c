/* A run goes rule by rule: the expression, in our own store or as a query that is wanted, then the queries of its
 * templates, then the step of its alerts or the recording. What all of it left is gathered at the end. */
#include "ruler/rule_group.h"

#include <stdio.h>
#include "codec/escape.h"
#include "model/labels.h"
#include "ruler/rule_persist.h"
#include "ruler/rule_resolve.h"

static str known_by(const struct rule_group_conf *g)
{
    return g->path.n != 0 ? g->path : g->file;
}

static uint64_t rule_group_identity(str path, const struct rule_group_conf *g,
                                    const struct rule_conf *r)
{
    struct buf b = BUF_INIT;
    uint64_t h;

    buf_addf(&b, "%.*s\xff%.*s\xff%d%.*s\xff", STR(path), STR(g->name), r->is_alert, STR(r->name));
    for (size_t i = 0; i < r->all_labels.n; i++)
        buf_addf(&b, "%.*s\xff%.*s\xff", STR(r->all_labels.v[i].name),
                 STR(r->all_labels.v[i].value));
    h = hash_xxh64(buf_str(&b));
    buf_release(&b);
    return h;
}

void rule_old_identities(const struct rule_group_conf *g, const struct rule_conf *r,
                         uint64_t out[static RULE_OLD_IDENTITIES])
{
    out[0] = rule_group_identity(g->file, g, r);
    out[1] = g->absolute.n != 0 ? rule_group_identity(g->absolute, g, r) : out[0];
}

uint64_t rule_group_id(const struct rule_group_conf *g)
{
    struct buf b = BUF_INIT;
    uint64_t h;

    buf_addf(&b, "%.*s\xff%.*s", STR(known_by(g)), STR(g->name));
    h = hash_xxh64(buf_str(&b));
    buf_release(&b);
    return h;
}

/* XXH64 of {file, name} in the length-prefixed form of label sets; any uniform hash serves (rules.md 2.1). */
uint64_t rule_group_place(const struct rule_group_conf *g)
{
    struct buf b = BUF_INIT;
    str path = known_by(g);
    uint64_t h;

    buf_addf(&b, "%c%s%c%.*s%c%s%c%.*s", 4, "file", (int)(path.n & 0xff), STR(path), 4, "name",
             (int)(g->name.n & 0xff), STR(g->name));
    h = hash_xxh64(buf_str(&b));
    buf_release(&b);
    return h;
}

static struct own *make_own(const struct rule_group *g, struct tsdb *db)
{
    uint64_t *identities = mem_array(g->n_rules, sizeof(*identities));
    struct own *own;

    for (size_t i = 0; i < g->n_rules; i++)
        identities[i] = g->rules[i].identity;
    own = own_new(db, g->conf, identities);
    mem_free(identities);
    return own;
}

struct rule_group *rule_group_new(const struct rule_group_conf *conf, str link_base,
                                  struct tsdb *db)
{
    struct rule_group *g = mem_new(struct rule_group);

    g->conf = conf;
    g->names = interner_new();
    g->templates = rule_templates_new();
    g->rules = mem_array(conf->n_rules, sizeof(*g->rules));
    g->n_rules = conf->n_rules;
    g->down_at = g->last_slot = TS_NONE;
    g->link_base = mem_str_dup(link_base);
    arena_init_small(&g->arena, 0);
    for (size_t i = 0; i < conf->n_rules; i++) {
        g->rules[i].conf = &conf->rules[i];
        g->rules[i].identity = rule_group_identity(known_by(conf), conf, &conf->rules[i]);
        g->rules[i].last_eval = TS_NONE;
    }
    if (db != NULL)
        g->own = make_own(g, db);
    rule_group_make_view(g);
    return g;
}

/* What a slot's queries ask for, and what the samples recorded in it carry. */
static ts_ms query_time(const struct rule_group *g, ts_ns slot)
{
    return (slot - g->conf->query_offset) / NS_PER_MS;
}

void rule_group_leave(struct rule_group *g)
{
    if (g->own != NULL)
        own_leave(g->own);
}

void rule_group_free(struct rule_group *g)
{
    if (g == NULL)
        return;
    own_free(g->own, g->last_slot == TS_NONE ? 0 : query_time(g, g->last_slot) + 1);
    for (size_t i = 0; i < g->n_rules; i++)
        rule_release_alerts(&g->rules[i]);
    mem_free(g->rules);
    rule_group_view_unref(g->view);
    vec_release(&g->send);
    vec_release(&g->rows);
    rule_queries_release(&g->queries);
    rule_templates_free(g->templates);
    arena_release(&g->arena);
    interner_free(g->names);
    mem_str_free(g->link_base);
    mem_str_free(g->own_base);
    mem_free(g);
}

void rule_group_set_own_base(struct rule_group *g, str url)
{
    if (str_eq(g->own_base, url))
        return;
    mem_str_free(g->own_base);
    g->own_base = mem_str_dup(url);
}

void rule_group_clear(struct rule_group *g)
{
    arena_reset(&g->arena);
    vec_clear(&g->send);
    vec_clear(&g->rows);
    for (size_t i = 0; i < g->n_rules; i++)
        rule_clear_changes(&g->rules[i]);
}

void rule_group_begin(struct rule_group *g, ts_ns slot, struct now now)
{
    dur_ns set = now.stepped - g->now.stepped;

    rule_group_clear(g);
    g->slot = slot;
    g->now = now;
    g->at = 0;
    g->asked = g->is_expanding = false;
    g->n_parts = 0;
    g->failed = g->outages = g->evaluated = 0;
    g->rules_took = 0;
    g->rule_since = now.mono;
    g->said = (struct answer_notes){0};
    g->has_said = false;
    g->iterations++;
    for (size_t i = 0; set < 0 && i < g->n_rules; i++)
        rule_set_back(&g->rules[i], now.wall, set);
}

/* Who evaluates a rule shows its expression, too. */
static str base_of(const struct rule_group *g, const struct rule *r)
{
    return r->conf->is_own ? g->own_base : g->link_base;
}

static str generator_url(struct rule_group *g, const struct rule *r)
{
    struct buf b = BUF_INIT;
    str url;

    buf_add(&b, base_of(g, r));
    buf_adds(&b, "/graph?g0.expr=");
    escape_query(&b, rule_canonical(r->conf));
    buf_adds(&b, "&g0.tab=1");
    url = arena_str(&g->arena, buf_str(&b));
    buf_release(&b);
    return url;
}

static struct rule_context rule_group_context(struct rule_group *g, const struct rule *r)
{
    return (struct rule_context){.names = g->names,
                                 .arena = &g->arena,
                                 .slot = g->slot,
                                 .now = g->now,
                                 .interval = g->conf->interval,
                                 .limit = g->conf->limit,
                                 .external_labels = g->external_labels,
                                 .external_url = base_of(g, r),
                                 .templates = g->templates,
                                 .queries = &g->queries,
                                 .is_partial = g->said.partial.n != 0,
                                 .down_at = g->down_at};
}

/* The samples' text is a slice of the answer, which goes when the templates' queries are asked. */
static void keep_samples(struct rule_group *g)
{
    for (size_t i = 0; i < g->result.n; i++) {
        struct sample *own = arena_new(&g->arena, struct sample);

        *own = *g->result.v[i].sample;
        own->labels = labels_copy(&g->arena, own->labels);
        g->result.v[i].sample = own;
    }
}

/* -- recording -- */

static struct labels recorded_labels(struct rule_group *g, const struct rule *r, struct labels ls)
{
    struct label name = {S("__name__"), r->conf->name};
    struct label *own = arena_array(&g->arena, r->conf->all_labels.n, sizeof(*own));
    str dup;
    size_t n = r->conf->all_labels.n;

    for (size_t i = 0; i < n; i++)
        own[i] = (struct label){r->conf->all_labels.v[i].name, r->conf->all_labels.v[i].value};
    n = labels_sort_keep(own, n, &dup);
    ls = labels_merge(&g->arena, ls, (struct labels){own, n == SIZE_MAX ? 0 : n});
    return labels_merge(&g->arena, ls, (struct labels){&name, 1});
}

/* A recording rule's samples go to the store, all or none. histograms: parallel to the samples, or NULL. */
static bool rule_group_record(struct rule_group *g, struct rule *r, struct samples samples,
                              const struct promql_result *histograms, struct err *e)
{
    struct labels *ls = arena_array(&g->arena, samples.n, sizeof(*ls));
    struct u64_map seen = {0};
    bool ok = true;

    for (size_t i = 0; i < samples.n && ok; i++) {
        uint64_t fp;

        ls[i] = recorded_labels(g, r, samples.v[i].labels);
        fp = labels_fingerprint(ls[i]);
        ok = u64_map_get(&seen, fp) == NULL;
        u64_map_put(&seen, fp, NULL);
    }
    u64_map_release(&seen);
    if (!ok)
        return err_set(e, ERR_INVALID,
                       "vector contains metrics with the same labelset after applying rule labels");
    if (g->conf->limit > 0 && samples.n > (size_t)g->conf->limit)
        return err_set(e, ERR_LIMIT, "exceeded limit of %lld with %zu series",
                       (long long)g->conf->limit, samples.n);
    own_record_begin(g->own, (size_t)(r - g->rules), query_time(g, g->slot));
    for (size_t i = 0; i < samples.n; i++)
        own_record(g->own, ls[i], samples.v[i].value,
                   histograms != NULL ? histograms->series[i].points[0].h : NULL);
    own_record_end(g->own);
    return true;
}

/* A half sum would be taken for a whole one by whatever reads it: of a partial answer nothing is recorded, and what stands there
 * stays as long as it does when the rule cannot be evaluated. */
static bool rule_group_record_whole(struct rule_group *g, struct rule *r, struct samples samples,
                                    const struct promql_result *histograms, struct err *e)
{
    return g->said.partial.n != 0 || rule_group_record(g, r, samples, histograms, e);
}

/* The same of a source's answer.
 *
 * The query API tells a histogram's buckets by their bounds, not by the schema that a sample needs. */
static bool rule_group_record_answer(struct rule_group *g, struct rule *r, struct samples samples,
                                     struct err *e)
{
    for (size_t i = 0; g->said.partial.n == 0 && i < samples.n; i++)
        if (samples.v[i].is_histogram)
            return err_set(e, ERR_UNSUPPORTED,
                           "a native histogram that a source answers cannot be recorded");
    return rule_group_record_whole(g, r, samples, NULL, e);
}

/* ALERTS and ALERTS_FOR_STATE of an alerting rule (rules.md 2.5). */
static void record_alerts(struct rule_group *g, struct rule *r)
{
    if (g->own == NULL)
        return;
    own_record_begin(g->own, (size_t)(r - g->rules), query_time(g, g->slot));
    MAP_EACH (struct u64_map_entry, it, &r->alerts) {
        const struct rule_alert *a = it->value;
        struct label more[] = {{S("__name__"), S("ALERTS")},
                               {S("alertstate"),
                                a->state == RULE_ALERT_FIRING ? S("firing") : S("pending")}};
        struct label state = {S("__name__"), S("ALERTS_FOR_STATE")};
        int64_t active_s = a->active_at / NS_PER_S;
        struct labels ls;

        if (a->state == RULE_ALERT_INACTIVE)
            continue;
        ls = label_set_view(&g->arena, a->labels);
        own_record(g->own, labels_merge(&g->arena, ls, (struct labels){more, 2}), 1, NULL);
        own_record(g->own, labels_merge(&g->arena, ls, (struct labels){&state, 1}),
                   (double)active_s, NULL);
    }
    own_record_end(g->own);
}

/* -- one rule -- */

enum verdict {
    FAILED,
    COMPLETE,
    WAITS,   /* for answers to templates */
    GOES_ON, /* there are more parts to ask for */
};

static bool rule_is_split(const struct rule_group *g, const struct rule *r)
{
    return g->own != NULL && !r->conf->is_own && r->conf->split != NULL;
}

/* Of a rule on trial nobody hears; when the trial is over, all of it is news. */
static void send_due(struct rule_group *g, struct rule *r, struct rule_context *c)
{
    size_t at = g->send.n;
    str url;

    if (r->conf->is_trial)
        return;
    rule_collect_due(r, c, &g->send);
    if (g->send.n == at)
        return;
    for (url = generator_url(g, r); at < g->send.n; at++)
        g->send.v[at].generator_url = url;
}

/* Expands what can be, and takes the alerts over when everything is. */
static enum verdict alert(struct rule_group *g, struct rule *r, struct err *e)
{
    struct rule_context c = rule_group_context(g, r);

    if (!rule_expand(r, &c, &g->result) ||
        (g->conf->value_at_resolve && !rule_resolve(r, &c, g->result)))
        return WAITS;
    if (!rule_step(r, &c, g->result, e))
        return FAILED;
    send_due(g, r, &c);
    record_alerts(g, r);
    return COMPLETE;
}

static void rule_group_begin_alert(struct rule_group *g, const struct rule *r,
                                   struct samples samples)
{
    struct rule_context c = rule_group_context(g, r);

    rule_queries_begin(&g->queries, &g->arena, &g->said);
    g->result = rule_result_of(&c, samples);
}

/* The query for the values that alerts end with: they end all the same when it fails. */
static bool is_of_end(const struct rule_group *g, const struct rule *r, const struct rule_query *q)
{
    return g->conf->value_at_resolve && r->conf->left.n != 0 && str_eq(q->text, r->conf->left);
}

/* Templates ask for the slot, whatever the offset of the rule's own query. */
static ts_ns time_of(const struct rule_group *g, const struct rule *r, const struct rule_query *q)
{
    return is_of_end(g, r, q) ? g->slot - g->conf->query_offset : g->slot;
}

static struct answer_notes notes_of(struct rule_group *g, const struct promql_result *r)
{
    struct answer_notes n = {0};

    for (size_t i = 0; i < r->n_warnings; i++)
        answer_warn(&n, &g->arena, r->warnings[i]);
    for (size_t i = 0; i < r->n_infos; i++)
        answer_inform(&n, &g->arena, r->infos[i]);
    return n;
}

/* An answer to one of several questions of the rule. */
static void add_notes(struct rule_group *g, const struct answer_notes *n)
{
    for (size_t i = 0; i < n->n_warnings; i++)
        answer_warn(&g->said, &g->arena, n->warnings[i]);
    for (size_t i = 0; i < n->n_infos; i++)
        answer_inform(&g->said, &g->arena, n->infos[i]);
    if (g->said.partial.n == 0)
        g->said.partial = n->partial;
}

/* All parts are answered. */
static enum verdict evaluate_split(struct rule_group *g, struct rule *r, struct err *e)
{
    struct promql_result result;
    struct answer_notes notes;
    struct samples samples;

    if (!own_query_split(g->own, (size_t)(r - g->rules), g->parts, query_time(g, g->slot),
                         &g->arena, &result, e) ||
        !own_samples(&result, &g->arena, &samples, e))
        return FAILED;
    notes = notes_of(g, &result);
    add_notes(g, &notes);
    g->has_said = true;
    r->samples = samples.n;
    if (!r->conf->is_alert)
        return rule_group_record_whole(g, r, samples, &result, e) ? COMPLETE : FAILED;
    rule_group_begin_alert(g, r, samples);
    return alert(g, r, e);
}

static enum verdict take_split_part(struct rule_group *g, struct rule *r,
                                    const struct source_answer *a, struct err *e)
{
    const struct rule_split *split = r->conf->split;
    struct answer_notes notes = {0};

    if (g->n_parts == 0)
        g->parts = arena_array(&g->arena, split->n, sizeof(*g->parts));
    if (a->error != SOURCE_OK || !prom_answer_parse(arena_str(&g->arena, a->body), &g->arena,
                                                    &g->parts[g->n_parts], &notes, e))
        return FAILED;
    add_notes(g, &notes);
    return ++g->n_parts < split->n ? GOES_ON : evaluate_split(g, r, e);
}

/* From a source's samples, or one more answer to a template, to alerts or recorded series. */
static enum verdict rule_group_evaluate(struct rule_group *g, struct rule *r,
                                        const struct source_answer *a, struct err *e)
{
    struct samples samples;
    enum verdict v;

    if (g->is_expanding) {
        if (a->error != SOURCE_OK && is_of_end(g, r, rule_queries_next(&g->queries)))
            rule_queries_take(&g->queries, (struct samples){NULL, 0}, NULL, &a->err);
        else if (!rule_queries_answer(&g->queries, a, e))
            return FAILED;
        return rule_queries_next(&g->queries) != NULL ? WAITS : alert(g, r, e);
    }
    if (rule_is_split(g, r))
        return take_split_part(g, r, a, e);
    if (a->error != SOURCE_OK || !prom_answer_parse(a->body, &g->arena, &samples, &g->said, e))
        return FAILED;
    g->has_said = true;
    r->samples = samples.n;
    if (!r->conf->is_alert)
        return rule_group_record_answer(g, r, samples, e) ? COMPLETE : FAILED;
    rule_group_begin_alert(g, r, samples);
    v = alert(g, r, e);
    if (v == WAITS)
        keep_samples(g);
    return v;
}

/* What a template of a rule over our own store asks. */
static void answer_template(struct rule_group *g, const struct rule *r, const struct rule_query *q)
{
    struct promql_result result = {.n = 0};
    struct samples samples = {NULL, 0};
    struct answer_notes notes;
    struct err why = ERR_INIT;
    bool ok = own_ask(g->own, q->text, time_of(g, r, q) / NS_PER_MS, &g->arena, &result, &why) &&
              own_samples(&result, &g->arena, &samples, &why);

    notes = notes_of(g, &result);
    rule_queries_take(&g->queries, samples, &notes, ok ? NULL : &why);
}

/* The same over our own store, which always answers. */
static enum verdict evaluate_own(struct rule_group *g, struct rule *r, struct err *e)
{
    ts_ms t = query_time(g, g->slot);
    struct promql_result result;
    struct samples samples;
    enum verdict v;

    if (g->own == NULL) {
        err_set(e, ERR_UNSUPPORTED, "there is no store of our own");
        return FAILED;
    }
    if (!own_query(g->own, (size_t)(r - g->rules), t, &g->arena, &result, e) ||
        !own_samples(&result, &g->arena, &samples, e))
        return FAILED;
    g->said = notes_of(g, &result);
    g->has_said = true;
    r->samples = samples.n;
    if (!r->conf->is_alert)
        return rule_group_record(g, r, samples, &result, e) ? COMPLETE : FAILED;
    rule_group_begin_alert(g, r, samples);
    while ((v = alert(g, r, e)) == WAITS)
        for (const struct rule_query *q; (q = rule_queries_next(&g->queries)) != NULL;)
            answer_template(g, r, q);
    return v;
}

static void rule_group_note_failure(struct rule_group *g, struct rule *r, bool is_outage,
                                    const struct err *e)
{
    struct rule_context c = rule_group_context(g, r);

    /* What fired goes on firing: the router must not end it for want of news (Prometheus sends nothing here, and
     * its Alertmanager resolves four intervals into an outage). */
    if (r->conf->is_alert)
        send_due(g, r, &c);
    r->health = RULE_ERR;
    rule_note_error(r, e->msg);
    r->failures++;
    r->cost.failures++;
    g->failures++;
    g->failed++;
    g->outages += is_outage;
}

/* An evaluation without an answer says nothing, and what was said before stands. */
static void note_said(struct rule_group *g, struct rule *r)
{
    const struct rule_notes n = {.warnings = g->said.warnings,
                                 .n_warnings = g->said.n_warnings,
                                 .infos = g->said.infos,
                                 .n_infos = g->said.n_infos,
                                 .held = g->said.partial};

    r->notes_news = false;
    if (g->has_said)
        rule_take_notes(r, &n, g->slot);
    g->said = (struct answer_notes){0};
    g->has_said = false;
}

static ts_ns mono_now(const struct rule_group *g)
{
    return g->clock.mono(g->clock.arg);
}

/* The rule is done with; the next one's turn. */
static void rule_ended(struct rule_group *g, struct rule *r, enum verdict v, bool is_outage,
                       const struct err *e)
{
    ts_ns mono = mono_now(g);

    r->last_eval = g->slot;
    r->took = mono - g->rule_since;
    r->cost.evaluations++;
    r->cost.took += r->took;
    g->rules_took += r->took;
    g->evaluated++;
    g->evaluations++;
    if (v == COMPLETE) {
        r->health = RULE_OK;
        rule_note_error(r, NULL);
        r->failures = 0;
    } else {
        rule_group_note_failure(g, r, is_outage, e);
    }
    note_said(g, r);
    rule_group_collect_rows(g, r);
    g->at++;
    g->n_parts = 0;
    g->rule_since = mono;
}

static void rule_group_take_answer(struct rule_group *g, const struct source_answer *answer)
{
    struct rule *r = &g->rules[g->at];
    struct err e = answer->err;
    enum verdict v = rule_group_evaluate(g, r, answer, &e);

    g->is_expanding = v == WAITS;
    if (v != WAITS && v != GOES_ON)
        rule_ended(g, r, v, source_error_is_outage(answer->error), &e);
}

static struct rule_want rule_group_wanted(const struct rule_group *g)
{
    const struct rule *r = &g->rules[g->at];

    if (g->is_expanding) {
        const struct rule_query *q = rule_queries_next(&g->queries);

        return (struct rule_want){q->text, time_of(g, r, q)};
    }
    return (struct rule_want){rule_is_split(g, r) ? r->conf->split->asked[g->n_parts]
                                                  : r->conf->expr,
                              g->slot - g->conf->query_offset};
}

/* A recording rule has nowhere to record to without the own store: said at load. */
static bool rule_group_is_idle(const struct rule_group *g, const struct rule *r)
{
    return g->own == NULL && !r->conf->is_alert;
}

/* What the store refused of a rule's output: the others of its samples are kept, and its alerts went out. */
static void note_unwritten(struct rule_group *g)
{
    for (size_t i = 0; i < g->n_rules; i++) {
        struct rule *r = &g->rules[i];
        struct err e = ERR_INIT;

        if (own_is_written(g->own, i, &e))
            continue;
        r->health = RULE_ERR;
        rule_note_error(r, e.msg);
    }
}

/* -- what a job left -- */

static void collect_changes(struct rule_group *g, struct rules_ran *out)
{
    struct rule_news *v;
    size_t n = 0;

    for (size_t i = 0; i < g->n_rules; i++)
        n += g->rules[i].changes.n;
    v = arena_array(&g->arena, n, sizeof(*v));
    out->changes = v;
    for (size_t i = 0; i < g->n_rules; i++)
        VEC_EACH (const struct rule_change *, c, &g->rules[i].changes) {
            struct labels ls = label_set_view(&g->arena, c->labels);

            v[out->n_changes++] =
                (struct rule_news){.rule = g->rules[i].identity,
                                   .labels = ls,
                                   .fingerprint = labels_fingerprint(ls),
                                   .state = c->forgotten ? RULE_ALERT_INACTIVE : c->state,
                                   .value = c->value};
        }
}

void rule_group_ran(struct rule_group *g, struct rules_ran *out)
{
    *out = (struct rules_ran){.slot = g->slot,
                              .alerts = g->send.v,
                              .n_alerts = g->send.n,
                              .rows = g->rows.v,
                              .n_rows = g->rows.n,
                              .view = g->view,
                              .counts = {.evaluated = g->evaluated,
                                         .failed = g->failed,
                                         .outages = g->outages,
                                         .took = g->took,
                                         .rules_took = g->rules_took}};
    collect_changes(g, out);
    for (size_t i = 0; i < g->n_rules; i++) {
        const struct rule *r = &g->rules[i];

        if (r->failures <= out->counts.worst_failures)
            continue;
        out->counts.worst_failures = r->failures;
        out->counts.worst_rule = r->conf->name;
        out->counts.worst_error = r->last_error != NULL ? str_of(r->last_error) : S("");
    }
}

enum rule_group_step rule_group_advance(struct rule_group *g, const struct source_answer *answer,
                                        struct rule_clock clock, struct rule_want *want)
{
    g->clock = clock;
    if (g->own != NULL && g->at == 0 && !g->asked)
        own_begin(g->own, g->now); /* it may wait for the store: not when the loop begins the run */
    if (g->asked && answer != NULL)
        rule_group_take_answer(g, answer);
    g->asked = false;
    for (; g->at < g->n_rules && !g->is_expanding;) {
        struct rule *r = &g->rules[g->at];
        struct err e = ERR_INIT;

        if (rule_group_is_idle(g, r))
            g->at++;
        else if (r->conf->is_own)
            rule_ended(g, r, evaluate_own(g, r, &e), false, &e);
        else
            break;
    }
    if (g->own != NULL)
        own_pause(g->own);
    if (g->at < g->n_rules) {
        *want = rule_group_wanted(g);
        g->asked = true;
        return RULE_GROUP_WANT;
    }
    if (g->own != NULL)
        note_unwritten(g);
    g->took = mono_now(g) - g->now.mono;
    g->last_slot = g->slot;
    rule_group_make_view(g);
    return RULE_GROUP_DONE;
}
