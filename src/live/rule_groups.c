/* Groups are made ahead of a reload where they differ from what runs, and taken in force with it; at a restart what
 * earlier versions kept of a rule finds its place by path and name. */
#include "live/rule_groups.h"

#include "codec/escape.h"

static str link_base(const struct config *conf, str source)
{
    const struct source_conf *sc = config_source(conf, source);
    str base = STR_NONE;

    if (sc != NULL)
        base = sc->external_url.n != 0 ? sc->external_url
               : sc->n_urls != 0       ? sc->urls[0]
                                       : STR_NONE;
    return url_trim_slash(base);
}

static struct rule_group *make_group(const struct config *conf, const struct rule_group_conf *gc,
                                     struct tsdb *db)
{
    struct rule_group *g = rule_group_new(gc, link_base(conf, gc->source), db);

    g->external_labels = conf->external_labels;
    return g;
}

/* Whether a group of one configuration is what it is in another, with all that its rules and links are made of. */
static bool is_unchanged(const struct config *was, const struct rule_group_conf *a,
                         const struct config *next, const struct rule_group_conf *b)
{
    return rule_group_same(a, b) && labels_eq(was->external_labels, next->external_labels) &&
           str_eq(link_base(was, a->source), link_base(next, b->source));
}

/* -- groups of a reload -- */

struct rules_ahead {
    struct job job;
    struct config *conf;   /* that the groups read: one reference */
    struct rule_group **v; /* by index in the configuration; NULL: it runs already, or was taken */
    size_t n;
};

struct rules_ahead *rules_ahead_new(const struct config *running, const struct config *next,
                                    struct tsdb *db)
{
    struct rules_ahead *a = mem_new(struct rules_ahead);
    struct u64_map known = {0}; /* id -> const struct rule_group_conf * */

    for (size_t i = 0; i < running->n_groups; i++)
        u64_map_put(&known, rule_group_id(&running->groups[i]), &running->groups[i]);
    a->n = next->n_groups;
    a->conf = config_ref((struct config *)(uintptr_t)next); /* counted, not changed */
    a->v = mem_array(a->n, sizeof(struct rule_group *));
    for (size_t i = 0; i < a->n; i++) {
        void **was = u64_map_get(&known, rule_group_id(&next->groups[i]));

        if (was == NULL || !is_unchanged(running, *was, next, &next->groups[i]))
            a->v[i] = make_group(next, &next->groups[i], db);
    }
    u64_map_release(&known);
    return a;
}

static void free_ahead(struct job *j)
{
    struct rules_ahead *a = container_of(j, struct rules_ahead, job);

    for (size_t i = 0; i < a->n; i++)
        rule_group_free(a->v[i]);
    config_unref(a->conf);
}

static void freed_ahead(struct job *j)
{
    struct rules_ahead *a = container_of(j, struct rules_ahead, job);

    mem_free(a->v);
    mem_free(a);
}

void rules_ahead_discard(struct pool *pool, struct rules_ahead *a)
{
    if (a == NULL)
        return;
    a->job = (struct job){.run = free_ahead, .done = freed_ahead};
    pool_run(pool, WORK_SLOW, &a->job);
}

/* -- generations -- */

static void generation_release(struct rule_generation *g)
{
    rule_group_free(g->group);
    config_unref(g->conf);
}

static void free_generation(struct job *j)
{
    generation_release(container_of(j, struct rule_generation, job));
}

static void freed_generation(struct job *j)
{
    mem_free(container_of(j, struct rule_generation, job));
}

void rule_groups_discard(struct rule_groups *gs, struct rule_generation *g)
{
    if (g == NULL)
        return;
    g->job = (struct job){.run = free_generation, .done = freed_generation};
    pool_run(gs->pool, WORK_SLOW, &g->job);
}

static void generation_free(struct rule_generation *g)
{
    if (g == NULL)
        return;
    generation_release(g);
    mem_free(g);
}

/* Of the i-th group of the configuration. */
static struct rule_generation *generation_new(struct rule_groups *gs, struct config *conf, size_t i,
                                              struct rules_ahead *ahead)
{
    struct rule_generation *g = mem_new(struct rule_generation);

    g->number = ++gs->generation;
    if (ahead != NULL && ahead->v[i] != NULL) {
        g->group = ahead->v[i];
        ahead->v[i] = NULL;
    } else {
        g->group = make_group(conf, &conf->groups[i], gs->db);
    }
    g->conf = config_ref(conf);
    return g;
}

/* -- groups -- */

struct driven_group *rule_groups_find(const struct rule_groups *gs, uint64_t id)
{
    void **slot = u64_map_get(&gs->by_id, id);

    return slot != NULL ? *slot : NULL;
}

static struct rule_generation *rule_groups_newest(const struct driven_group *g)
{
    return g->next != NULL ? g->next : g->has;
}

void rule_groups_release(struct rule_groups *gs)
{
    MAP_EACH (struct u64_map_entry, it, &gs->by_id) {
        struct driven_group *g = it->value;

        rule_group_view_unref(g->before.view);
        generation_free(g->has);
        generation_free(g->next);
        rule_past_free(g->past);
        mem_free(g);
    }
    u64_map_release(&gs->by_id);
}

void rule_groups_retired(struct rule_groups *gs, struct driven_group *g)
{
    rule_groups_discard(gs, g->has);
    g->has = NULL;
    if (g->named == gs->configured)
        return;
    rule_groups_discard(gs, g->next);
    u64_map_del(&gs->by_id, g->id);
    mem_free(g);
}

/* Whether the i-th group runs as it is. What a worker has found out is not looked for again. */
static bool rule_groups_is_same(const struct rule_groups *gs, const struct driven_group *g,
                                const struct config *conf, size_t i,
                                const struct rules_ahead *ahead)
{
    if (g->named + 1 != gs->configured) /* it is being retired */
        return false;
    return ahead != NULL ? ahead->v[i] == NULL
                         : is_unchanged(rule_groups_newest(g)->conf,
                                        rule_groups_newest(g)->group->conf, conf, &conf->groups[i]);
}

static struct driven_group *rule_groups_put_in_force(struct rule_groups *gs, struct config *conf,
                                                     size_t i, struct rules_ahead *ahead)
{
    uint64_t id = rule_group_id(&conf->groups[i]);
    struct driven_group *g = rule_groups_find(gs, id);

    if (g == NULL) {
        g = mem_new(struct driven_group);
        g->id = id;
        g->has = generation_new(gs, conf, i, ahead);
        u64_map_put(&gs->by_id, id, g);
    } else if (!rule_groups_is_same(gs, g, conf, i, ahead)) {
        rule_groups_discard(gs, g->next); /* never ran */
        g->next = generation_new(gs, conf, i, ahead);
    }
    g->named = gs->configured;
    return g;
}

static struct rule_shape shape_of(const struct driven_group *g)
{
    const struct rule_generation *n = rule_groups_newest(g);
    const struct rule_group_conf *gc = n->group->conf;
    struct rule_shape s = {.id = g->id,
                           .generation = n->number,
                           .place = rule_group_place(gc),
                           .interval = gc->interval,
                           .inherits = g->past != NULL};

    if (n == g->next || !g->is_busy) /* else it is the worker's */
        s.view = n->group->view;

    for (size_t i = 0; i < gc->n_rules; i++)
        s.reads_own |= rule_reads_own(&gc->rules[i]);
    return s;
}

struct rule_shape *rule_groups_configure(struct rule_groups *gs, struct config *conf,
                                         struct rules_ahead *ahead)
{
    struct rule_shape *v = mem_array(conf->n_groups, sizeof(*v));

    gs->configured++;
    for (size_t i = 0; i < conf->n_groups; i++)
        v[i] = shape_of(rule_groups_put_in_force(gs, conf, i, ahead));
    rules_ahead_discard(gs->pool, ahead);
    return v;
}

/* -- a restart -- */

struct rule_groups_place {
    struct driven_group *group;
    size_t rule;
};

struct rule_groups_reading {
    struct u64_map places; /* identity of a rule, now or then -> struct rule_groups_place * */
    struct arena arena;
    ts_ns down_at;
    struct state_commit *commit;
};

/* Of two that are alike the first keeps what there is. */
static void rule_groups_add_place(struct rule_groups_reading *r, uint64_t identity,
                                  struct driven_group *g, size_t rule)
{
    bool is_new;
    void **slot = u64_map_add(&r->places, identity, NULL, &is_new);

    if (!is_new)
        return;
    *slot = arena_new(&r->arena, struct rule_groups_place);
    *(struct rule_groups_place *)*slot = (struct rule_groups_place){g, rule};
}

/* Names of now go before names of then. */
static void find_places(struct rule_groups_reading *r, const struct rule_groups *gs)
{
    MAP_EACH (const struct u64_map_entry, it, &gs->by_id) {
        struct driven_group *g = it->value;

        for (size_t i = 0; i < g->has->group->n_rules; i++)
            rule_groups_add_place(r, g->has->group->rules[i].identity, g, i);
    }
    MAP_EACH (const struct u64_map_entry, it, &gs->by_id) {
        struct driven_group *g = it->value;
        const struct rule_group_conf *gc = g->has->group->conf;

        for (size_t i = 0; i < gc->n_rules; i++) {
            uint64_t then[RULE_OLD_IDENTITIES];

            rule_old_identities(gc, &gc->rules[i], then);
            for (size_t k = 0; k < ARRAY_LEN(then); k++)
                rule_groups_add_place(r, then[k], g, i);
        }
    }
}

static bool rule_groups_read_row(void *arg, str key, str value)
{
    struct rule_groups_reading *r = arg;
    uint64_t identity;
    void **slot = rule_row_identity(key, &identity) ? u64_map_get(&r->places, identity) : NULL;
    const struct rule_groups_place *p = slot != NULL ? *slot : NULL;

    if (p == NULL) { /* a rule that is gone */
        state_delete(r->commit, STATE_RULE, key);
        return true;
    }
    if (p->group->past == NULL)
        p->group->past = rule_past_new(r->down_at);
    rule_past_add(p->group->past, p->rule, key, value);
    return true;
}

bool rule_groups_read(struct rule_groups *gs, const struct state_reader *from, ts_ns down_at,
                      struct state_commit *c, struct err *e)
{
    struct rule_groups_reading r = {.down_at = down_at, .commit = c};
    bool ok;

    arena_init(&r.arena, 0);
    find_places(&r, gs);
    ok = from->scan(from->self, STATE_RULE, rule_groups_read_row, &r, e);
    u64_map_release(&r.places);
    arena_release(&r.arena);
    return ok || err_wrap(e, "reading the rows of rules");
}

static void rule_groups_put_row(void *arg, str key, str value)
{
    state_put(arg, STATE_RULE, key, value);
}

static void put_past(struct state_commit *c, const struct rule_past *p)
{
    if (p == NULL)
        return;
    VEC_EACH (const struct rule_past_row *, row, &p->rows)
        state_put(c, STATE_RULE, row->key, row->value);
}

/* A power cut before the job's end must not lose what was there when it began. */
static void put_before(struct state_commit *c, const struct rule_before *b, struct arena *a)
{
    put_past(c, b->past);
    if (b->view != NULL)
        rule_view_rows(b->view, b->of, a, rule_groups_put_row, c);
}

void rule_groups_snapshot(struct rule_groups *gs, struct state_commit *c)
{
    struct arena a;

    arena_init(&a, 0);
    MAP_EACH (const struct u64_map_entry, it, &gs->by_id) {
        struct driven_group *g = it->value;

        g->rewrite = g->is_busy || g->past != NULL;
        put_past(c, g->past);
        if (g->is_busy)
            put_before(c, &g->before, &a);
        else if (g->has != NULL)
            rule_group_rows(g->has->group, &a, rule_groups_put_row, c);
    }
    arena_release(&a);
}
