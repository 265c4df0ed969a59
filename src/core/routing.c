/* A reload as alertmanager.md 3.5 has it: the tree is new, every group starts over from the stored alerts, and the notification
 * log keeps what was said from being said again. Of 100,000 alerts that takes most of a second. So the new routing is made
 * beside the old one, some alerts a step, while that goes on; alerts that come in meanwhile are put into both. Putting the
 * configuration in force then only exchanges them, and what is left of the old one goes some groups a step, too. */
#include "core/engine_priv.h"

struct routing_group_key {
    size_t route;
    uint64_t fingerprint;
};

struct ahead {
    struct routing of;
    VEC(uint64_t) alerts; /* that were stored at the beginning, by fingerprint */
    VEC(struct routing_group_key)
    groups; /* that there were: alerts that only they hold are not lost */
    size_t at, group_at;
};

static void swap_heaps(struct heap *a, struct heap *b)
{
    struct heap was = *a;

    *a = *b;
    *b = was;
}

/* What e routes by becomes the other one's, and the other way round. */
static void exchange(struct engine *e, struct routing *r)
{
    struct routing was = {.conf = e->conf,
                          .tree = e->tree,
                          .groups = e->groups,
                          .n_groups = e->n_groups,
                          .inhibitor = e->inhibitor};

    e->conf = r->conf;
    e->tree = r->tree;
    e->groups = r->groups;
    e->n_groups = r->n_groups;
    e->inhibitor = r->inhibitor;
    was.timers = r->timers;
    swap_heaps(&e->group_timers, &was.timers);
    *r = was;
}

/* -- making it -- */

static void core_routing_put(struct engine *e, struct alert *a, struct now now)
{
    struct effects unused;

    effects_init(&unused);
    exchange(e, &e->ahead->of);
    if (!alerts_route(e, a, now, &unused))
        a->is_routed = false; /* those of now may have it, but not all that come */
    exchange(e, &e->ahead->of);
    effects_release(&unused);
}

void ahead_take(struct engine *e, struct alert *a, struct now now)
{
    if (e->ahead == NULL)
        return;
    inhibitor_add(e->ahead->of.inhibitor, a);
    core_routing_put(e, a, now);
}

void ahead_forget(struct engine *e, const struct alert *a)
{
    if (e->ahead != NULL)
        inhibitor_drop(e->ahead->of.inhibitor, a);
}

static void routing_begin(struct engine *e, const struct core_conf *conf)
{
    struct ahead *x = e->ahead = mem_new(struct ahead);

    x->of.conf = conf;
    route_tree_init(&x->of.tree, conf->route);
    x->of.groups = mem_array(x->of.tree.n, sizeof(*x->of.groups));
    x->of.inhibitor = inhibitor_new(conf->inhibit_rules, conf->n_inhibit_rules);
    vec_reserve(&x->alerts, e->alerts.n);
    ALERT_TABLE_EACH (a, &e->alerts)
        vec_push(&x->alerts, alert_fingerprint(a));
    for (size_t i = 0; i < e->tree.n; i++)
        MAP_EACH (struct u64_map_entry, it, &e->groups[i])
            vec_push(&x->groups, (struct routing_group_key){i, it->key});
}

/* Returns how many it looked at. */
static size_t routing_put_held(struct engine *e, struct routing_group_key key, struct now now)
{
    void **slot = u64_map_get(&e->groups[key.route], key.fingerprint);
    const struct group *g = slot != NULL ? *slot : NULL;

    if (g == NULL)
        return 1;
    ALERT_TABLE_EACH (a, &g->alerts)
        if (engine_alert(e, alert_fingerprint(a)) == NULL)
            core_routing_put(e, a, now);
    return 1 + g->alerts.n / 10;
}

/* Returns whether it is whole. */
static bool routing_step(struct engine *e, struct now now)
{
    struct ahead *x = e->ahead;
    size_t n = 0;

    for (; x->at < x->alerts.n && n < e->slice; n++) {
        struct alert *a = engine_alert(e, x->alerts.v[x->at++]);

        if (a != NULL)
            ahead_take(e, a, now);
    }
    while (x->at == x->alerts.n && x->group_at < x->groups.n && n < e->slice)
        n += routing_put_held(e, x->groups.v[x->group_at++], now);
    return x->group_at == x->groups.n && x->at == x->alerts.n;
}

bool ahead_go_on(struct engine *e, const struct core_conf *conf, struct now now)
{
    if (e->ahead != NULL && e->ahead->of.conf != conf)
        ahead_release(e);
    if (conf == NULL)
        return true;
    if (e->ahead == NULL)
        routing_begin(e, conf);
    return routing_step(e, now);
}

/* -- what goes -- */

static void free_group(struct routing *r, struct group *g)
{
    heap_remove(&r->timers, &g->timer);
    group_free(g);
}

/* Of the first route that has some; returns whether some are left. */
static bool free_groups(struct routing *r, size_t most)
{
    for (size_t i = 0; i < r->tree.n; i++) {
        while (r->groups[i].used != 0 && most != 0) {
            struct u64_map_entry *it = &r->groups[i].v[--r->groups[i].used];

            if (!it->live)
                continue;
            free_group(r, it->value);
            most--;
        }
        if (most == 0)
            return true;
    }
    return false;
}

static void routing_release(struct routing *r)
{
    free_groups(r, SIZE_MAX);
    for (size_t i = 0; i < r->tree.n; i++)
        u64_map_release(&r->groups[i]);
    mem_free(r->groups);
    heap_release(&r->timers);
    inhibitor_free(r->inhibitor);
    route_tree_release(&r->tree);
    *r = (struct routing){.conf = NULL};
}

void ahead_release(struct engine *e)
{
    struct ahead *x = e->ahead;

    if (x == NULL)
        return;
    e->ahead = NULL;
    routing_release(&x->of);
    vec_release(&x->alerts);
    vec_release(&x->groups);
    mem_free(x);
}

ts_ns past_due(const struct engine *e)
{
    return e->next_past;
}

void past_run(struct engine *e, struct now now, struct effects *fx)
{
    bool is_more = free_groups(&e->past, e->slice * 2);

    (void)fx;
    e->next_past = is_more ? now.mono + 1 : TS_MAX;
    if (!is_more)
        routing_release(&e->past);
}

void past_release(struct engine *e)
{
    routing_release(&e->past);
}

const struct core_conf *routing_put(struct engine *e, const struct core_conf *conf, struct now now)
{
    const struct core_conf *old = e->conf;

    while (!ahead_go_on(e, conf, now))
        ;
    routing_release(&e->past);
    exchange(e, &e->ahead->of);
    e->past = e->ahead->of;
    e->ahead->of = (struct routing){.conf = NULL};
    ahead_release(e);
    /* What its groups flushed last is nobody's any more. */
    u64_map_release(&e->flushes);
    e->flushes = (struct u64_map){0};
    e->next_past = now.mono + 1;
    return old;
}
