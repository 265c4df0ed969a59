/* Matching is by symbols of the index, with regexes asked once a value; a list that many selectors share is filled
 * from the postings, and kept by trying each new series. */
#include "tsdb/selector.h"

#include "tsdb/tsdb_priv.h"

MAP_DEFINE(memo_map, uint64_t, bool, hash_u64, eq_u64);

static uint64_t hash_selector(const struct storage_selector *s)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < s->n; i++) {
        const struct selector_matcher *m = &s->m[i];

        sum += hash_u64(hash_u64((uint64_t)m->name << 32 | m->value) +
                        hash_u64((uint64_t)(uintptr_t)m->re) + m->op);
    }
    return sum;
}

static bool has_matcher(const struct storage_selector *s, const struct selector_matcher *m)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->m[i].op == m->op && s->m[i].name == m->name && s->m[i].value == m->value &&
            s->m[i].re == m->re)
            return true;
    return false;
}

/* Equal regexes are one as long as somebody holds them. */
static bool eq_selector(const struct storage_selector *a, const struct storage_selector *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!has_matcher(a, &b->m[i]) || !has_matcher(b, &a->m[i]))
            return false;
    return true;
}

MAP_DEFINE(selector_set, struct storage_selector *, bool, hash_selector, eq_selector);
MAP_DEFINE(metric_map, uint64_t, struct selector_list, hash_u64, eq_u64);

enum { USERS_MAX = (1 << 24) - 1 };

void selectors_init(struct tsdb *db)
{
    db->selectors.name = symbols_ref(&db->symbols, S("__name__"));
}

void selectors_release(struct tsdb *db)
{
    struct selectors *all = &db->selectors;

    BUG_ON(all->all.n != 0);
    MAP_EACH (struct metric_map_entry, e, &all->by_metric)
        vec_release(&e->value.v);
    selector_set_release(&all->all);
    metric_map_release(&all->by_metric);
    vec_release(&all->any.v);
    vec_release(&all->found.v);
}

/* -- matching -- */

static uint32_t selector_value_of(const struct series_label *v, uint32_t n, uint32_t name)
{
    for (uint32_t i = 0; i < n; i++)
        if (v[i].name == name)
            return v[i].value;
    return SYMBOL_NONE;
}

static bool regex_matches_symbol(struct tsdb *db, struct selector_matcher *m, uint32_t value)
{
    bool *known, does;

    if (m->memo == NULL)
        m->memo = mem_new(struct memo_map);
    known = memo_map_get(m->memo, value);
    if (known != NULL)
        return *known;
    does = regex_matches(m->re, symbols_text(&db->symbols, value)) == (m->op == MATCH_RE);
    memo_map_put(m->memo, value, does);
    db->symbols.v.v[value].is_remembered = true;
    return does;
}

static bool matches_value(struct tsdb *db, struct selector_matcher *m, uint32_t value)
{
    if (value == SYMBOL_NONE)
        return m->matches_absent;
    switch (m->op) {
    case MATCH_EQ: return value == m->value;
    case MATCH_NE: return value != m->value;
    default: return regex_matches_symbol(db, m, value);
    }
}

static bool selector_matches(struct tsdb *db, struct storage_selector *s,
                             const struct series_label *v, uint32_t n)
{
    for (size_t i = 0; i < s->n; i++)
        if (!matches_value(db, &s->m[i], selector_value_of(v, n, s->m[i].name)))
            return false;
    return true;
}

static void find_in(struct tsdb *db, const struct selector_list *list, const struct series_label *v,
                    uint32_t n, int64_t *reach)
{
    for (size_t i = 0; i < list->v.n; i++) {
        struct storage_selector *s = list->v.v[i];

        if (!selector_matches(db, s, v, n))
            continue;
        vec_push(&db->selectors.found.v, s);
        *reach = s->reach_ms > *reach ? s->reach_ms : *reach;
    }
}

int64_t selectors_match(struct tsdb *db, const struct series_label *v, uint32_t n)
{
    struct selectors *all = &db->selectors;
    const struct selector_list *list =
        metric_map_get(&all->by_metric, selector_value_of(v, n, all->name));
    int64_t reach = 0;

    vec_clear(&all->found.v);
    if (list != NULL)
        find_in(db, list, v, n, &reach);
    find_in(db, &all->any, v, n, &reach);
    return reach;
}

/* -- the lists -- */

static void selector_use(struct series_place *p, int by)
{
    if (p->users != USERS_MAX)
        p->users = (p->users + (unsigned)by) & USERS_MAX;
}

static void selector_admit(struct tsdb *db, struct storage_selector *s, uint32_t id)
{
    vec_push(&s->ids, id);
    s->epoch = ++db->selectors.epoch;
    if (s->reach_ms != 0)
        selector_use(&db->series.places.v[id], 1);
}

void selectors_admit(struct tsdb *db, uint32_t id)
{
    VEC_EACH (struct storage_selector **, s, &db->selectors.found.v)
        selector_admit(db, *s, id);
}

static void try_series(struct tsdb *db, struct storage_selector *s, uint32_t id)
{
    const struct series_key *k = db->series.keys.v[id];

    if (k != NULL && selector_matches(db, s, k->v, k->n))
        selector_admit(db, s, id);
}

static void try_posting(struct tsdb *db, struct storage_selector *s, const struct posting *p)
{
    const uint32_t *ids = posting_ids(p);

    for (uint32_t i = 0; i < p->n; i++)
        try_series(db, s, ids[i]);
}

/* The equality whose label fewest series have; *none: one that no series has. */
static const struct posting *narrowest(const struct tsdb *db, const struct storage_selector *s,
                                       bool *none)
{
    const struct posting *best = NULL;

    *none = false;
    for (size_t i = 0; i < s->n; i++) {
        const struct selector_matcher *m = &s->m[i];
        const struct posting *p;

        if (m->op != MATCH_EQ || m->value == SYMBOL_NONE)
            continue;
        p = index_get(&db->index, m->name, m->value);
        if (p == NULL) {
            *none = true;
            return NULL;
        }
        best = best == NULL || p->n < best->n ? p : best;
    }
    return best;
}

/* Without an equality: the values of a label that must be there, else every series. */
static void fill_by_values(struct tsdb *db, struct storage_selector *s)
{
    struct selector_matcher *m = NULL;
    const struct index_values *values;

    for (size_t i = 0; i < s->n && m == NULL; i++)
        m = s->m[i].matches_absent ? NULL : &s->m[i];
    if (m == NULL) {
        for (size_t id = 0; id < db->series.keys.n; id++)
            try_series(db, s, (uint32_t)id);
        return;
    }
    values = index_values(&db->index, m->name);
    for (size_t i = 0; values != NULL && i < values->v.n; i++)
        if (matches_value(db, m, values->v.v[i]))
            try_posting(db, s, index_get(&db->index, m->name, values->v.v[i]));
}

static void selector_fill(struct tsdb *db, struct storage_selector *s)
{
    bool none;
    const struct posting *p = narrowest(db, s, &none);

    if (p != NULL)
        try_posting(db, s, p);
    else if (!none)
        fill_by_values(db, s);
    s->epoch = ++db->selectors.epoch;
}

/* -- registering -- */

static struct selector_list *list_for(struct tsdb *db, const struct storage_selector *s)
{
    struct selector_list *list;

    if (s->metric == SYMBOL_NONE)
        return &db->selectors.any;
    list = metric_map_get(&db->selectors.by_metric, s->metric);
    if (list == NULL)
        list =
            metric_map_put(&db->selectors.by_metric, s->metric, (struct selector_list){VEC_INIT});
    return list;
}

/* Not registered yet. */
static struct storage_selector *new_selector(struct tsdb *db, const struct matchers *ms)
{
    struct storage_selector *s = mem_zalloc(sizeof(*s) + ms->n * sizeof(s->m[0]));

    s->metric = SYMBOL_NONE;
    s->n = (uint32_t)ms->n;
    for (size_t i = 0; i < ms->n; i++) {
        const struct matcher *from = &ms->v[i];
        struct selector_matcher *m = &s->m[i];

        m->op = from->op;
        m->name = symbols_ref(&db->symbols, from->name);
        m->value = from->re == NULL ? symbols_ref(&db->symbols, from->value) : SYMBOL_NONE;
        m->re = from->re != NULL ? regex_ref(from->re) : NULL;
        m->matches_absent = matcher_matches_empty(from);
        if (m->op == MATCH_EQ && m->name == db->selectors.name)
            s->metric = m->value;
    }
    return s;
}

static void free_selector(struct tsdb *db, struct storage_selector *s)
{
    for (size_t i = 0; i < s->n; i++) {
        struct selector_matcher *m = &s->m[i];

        tsdb_unref_symbol(db, m->name);
        tsdb_unref_symbol(db, m->value);
        regex_unref(m->re);
        if (m->memo != NULL)
            memo_map_release(m->memo);
        mem_free(m->memo);
    }
    vec_release(&s->ids);
    mem_free(s);
}

/* What was dropped for lack of a selector may be wanted now: everybody is to ask again. */
static void void_refs(struct tsdb *db)
{
    MAP_EACH (struct stream_map_entry, e, &db->streams)
        e->value->epoch++;
}

static void raise_reach(struct tsdb *db, struct storage_selector *s, int64_t reach_ms)
{
    if (reach_ms <= s->reach_ms)
        return;
    for (size_t i = 0; i < s->ids.n; i++) {
        struct series_place *p = &db->series.places.v[s->ids.v[i]];

        if (s->reach_ms == 0)
            selector_use(p, 1);
        stream_widen(p->stream, reach_ms, p);
    }
    if (s->reach_ms == 0 && !db->o.keep_all)
        void_refs(db);
    s->reach_ms = reach_ms;
}

struct storage_selector *selectors_add(struct tsdb *db, const struct matchers *ms, int64_t reach_ms)
{
    struct storage_selector *s = new_selector(db, ms);
    struct selector_set_entry *known = selector_set_find(&db->selectors.all, s);

    if (known != NULL) {
        free_selector(db, s);
        s = known->key;
    } else {
        selector_set_put(&db->selectors.all, s, true);
        vec_push(&list_for(db, s)->v, s);
        selector_fill(db, s);
    }
    s->refs++;
    if (reach_ms != 0 && reach_ms < db->o.min_reach_ms)
        reach_ms = db->o.min_reach_ms;
    if (reach_ms > db->o.max_reach_ms)
        reach_ms = db->o.max_reach_ms;
    raise_reach(db, s, reach_ms);
    return s;
}

static void unlist(struct selector_list *list, const struct storage_selector *s)
{
    size_t i = 0;

    while (list->v.v[i] != s)
        i++;
    vec_remove(&list->v, i);
}

void selectors_remove(struct tsdb *db, struct storage_selector *s)
{
    if (--s->refs != 0)
        return;
    for (size_t i = 0; s->reach_ms != 0 && i < s->ids.n; i++)
        selector_use(&db->series.places.v[s->ids.v[i]], -1);
    unlist(list_for(db, s), s);
    selector_set_del(&db->selectors.all, s);
    free_selector(db, s);
}

int64_t selectors_longest(const struct tsdb *db)
{
    int64_t longest = db->o.min_reach_ms;

    MAP_EACH (struct selector_set_entry, e, &db->selectors.all)
        longest = e->key->reach_ms > longest ? e->key->reach_ms : longest;
    return longest;
}
