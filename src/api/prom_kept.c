/* A query for what is scraped and not kept has an empty result that looks like silence, so it is told. What targets have is what
 * they say of it, HELP and TYPE. */
#include "api/prom_job.h"

#include "live/history_scope.h"
#include "promql/promql.h"
#include "scrape/metadata.h"
#include "tsdb/tsdb.h"

struct prom_name {
    str name; /* in the query's tree */
    bool has_history;
};

struct prom_kept {
    struct query_job *q;
    VEC(struct prom_name) names;
    VEC(struct metadata *) said; /* each once */
    struct u64_map seen;
};

static bool kept_see_selector(struct promql_expr *x, void *arg)
{
    struct prom_kept *k = arg;
    str name = x->kind == PROMQL_SELECTOR ? promql_selector_metric(&x->selector) : STR_NONE;

    if (name.n != 0)
        vec_push(&k->names, (struct prom_name){.name = name});
    return true;
}

static void kept_see_target(void *arg, const struct target_status *t)
{
    struct prom_kept *k = arg;
    bool is_new = false;

    if (t->metadata != NULL)
        (void)u64_map_add(&k->seen, (uintptr_t)t->metadata, NULL, &is_new);
    if (is_new)
        vec_push(&k->said, metadata_ref(t->metadata));
}

void prom_kept_begin(struct query_job *q)
{
    const struct config *conf = config_of(q->api->engine->conf);
    struct prom_kept *k = mem_new(struct prom_kept);

    q->kept = k;
    k->q = q;
    promql_walk(q->expr, kept_see_selector, k);
    VEC_EACH (struct prom_name *, n, &k->names)
        n->has_history = history_scope_has(conf, n->name);
    if (k->names.n != 0 && !config_keeps_all(conf))
        scraper_each(store_scraper(q->api->conf.store), kept_see_target, k);
}

void prom_kept_free(struct query_job *q)
{
    struct prom_kept *k = q->kept;

    vec_release(&q->notes);
    if (k == NULL)
        return;
    VEC_EACH (struct metadata **, m, &k->said)
        metadata_unref(*m);
    vec_release(&k->said);
    vec_release(&k->names);
    u64_map_release(&k->seen);
    mem_free(k);
}

/* The series of a metric that is a histogram, a summary or a counter of OpenMetrics have its name and one of these behind. */
static bool kept_is_of(str name, str metric)
{
    static const str ends[] = {S_INIT(""),       S_INIT("_bucket"), S_INIT("_sum"),
                               S_INIT("_count"), S_INIT("_total"),  S_INIT("_created")};

    if (!str_starts_with(name, metric))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (str_eq(str_sub(name, metric.n, name.n), ends[i]))
            return true;
    return false;
}

static bool kept_is_scraped(struct prom_kept *k, str name)
{
    VEC_EACH (struct metadata **, m, &k->said) {
        size_t n;
        const struct metadata_item *v =
            metadata_items((str){(*m)->records, (*m)->n}, &k->q->later.arena, &n);

        for (size_t i = 0; i < n; i++)
            if (kept_is_of(name, v[i].metric))
                return true;
    }
    return false;
}

/* How far back memory has the metric; INT64_MAX: it has no series of it. */
static ts_ms kept_since(struct query_job *q, str name)
{
    struct storage s = tsdb_storage(store_db(q->api->conf.store));
    struct storage_selector *sel = NULL;
    struct storage_series v;
    struct storage_ids ids;
    struct matcher m;
    ts_ms since = INT64_MAX;

    if (matcher_init(&m, MATCH_EQ, S("__name__"), name, NULL))
        sel = storage_select(s, &(struct matchers){&m, 1}, 0, NULL);
    if (sel == NULL)
        return INT64_MIN;
    storage_begin(s);
    ids = storage_ids(s, sel);
    if (ids.n != 0) {
        storage_read(s, ids.v, 1, &v);
        since = v.n != 0 ? v.times[0] : q->now;
    }
    storage_end(s);
    storage_release(s, sel);
    return since;
}

static void kept_note(struct query_job *q, str text)
{
    VEC_EACH (const str *, n, &q->notes)
        if (str_eq(*n, text))
            return;
    vec_push(&q->notes, text);
}

void prom_kept_tell(struct query_job *q, ts_ms from)
{
    struct prom_kept *k = q->kept;

    if (k == NULL)
        return;
    VEC_EACH (const struct prom_name *, n, &k->names) {
        ts_ms since = kept_since(q, n->name);

        if (since == INT64_MAX && kept_is_scraped(k, n->name))
            kept_note(q, arena_printf(&q->later.arena,
                                      "%.*s is scraped and not kept, because no rule selects it: "
                                      "storage.keep: all keeps it",
                                      STR(n->name)));
        else if (since != INT64_MAX && !n->has_history && from < q->now - STORE_MEMORY_MS &&
                 from < since)
            kept_note(q, arena_printf(&q->later.arena,
                                      "%.*s is kept in memory only, for some minutes: "
                                      "storage.history.what says what is kept for longer",
                                      STR(n->name)));
    }
}
