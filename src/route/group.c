#include "route/group.h"
#include "route/route_conf.h"

struct group *group_new(const struct route *r, struct interner *names, struct labels group_labels)
{
    struct group *g = mem_new(struct group);
    struct buf key = BUF_INIT;

    g->route = r;
    g->labels = label_set_intern(names, group_labels);
    g->fingerprint = labels_fingerprint(group_labels);
    route_group_key(&key, r, group_labels);
    g->key = mem_str_dup(buf_str(&key));
    buf_release(&key);
    return g;
}

static void group_lose(struct alert *a)
{
    a->is_routed = false;
    alert_unref(a);
}

void group_free(struct group *g)
{
    if (g == NULL)
        return;
    BUG_ON(heap_holds(&g->timer));
    ALERT_TABLE_EACH (a, &g->alerts)
        group_lose(a);
    alert_table_release(&g->alerts);
    u64_map_release(&g->said);
    vec_release(&g->told);
    label_set_unref(g->labels);
    mem_str_free(g->key);
    mem_free(g);
}

bool group_insert(struct group *g, struct alert *a)
{
    if (alert_table_get(&g->alerts, alert_fingerprint(a)) == a)
        return false;
    alert_unref(alert_table_put(&g->alerts, alert_ref(a)));
    return true;
}

ts_ns group_first_due(const struct route *r, const struct alert *a, struct now now)
{
    if (ts_add(a->starts_at, r->conf->group_wait) < now.wall)
        return now.mono;
    return ts_add(now.mono, r->conf->group_wait);
}

ts_ns group_next_due(const struct route *r, ts_ns due, struct now now)
{
    ts_ns next = ts_add(due, r->conf->group_interval);

    return next > now.mono ? next : ts_add(now.mono, r->conf->group_interval);
}

struct alert_list group_sorted(const struct group *g, struct arena *a)
{
    struct alert_list l = {arena_array(a, g->alerts.n, sizeof(*l.v)), 0};

    ALERT_TABLE_EACH (al, &g->alerts)
        l.v[l.n++] = al;
    alerts_sort(l.v, l.n);
    return l;
}

struct alert *group_told(const struct group *g, size_t i)
{
    const struct told_resolved *t = &g->told.v[i];
    struct alert *a = alert_table_get(&g->alerts, t->fingerprint);

    return a != NULL && a->updated_at == t->updated_at && a->ends_at == t->ends_at ? a : NULL;
}

void group_forget_told(struct group *g)
{
    for (size_t i = 0; i < g->told.n; i++) {
        struct alert *a = group_told(g, i);

        if (a == NULL)
            continue;
        alert_table_del(&g->alerts, alert_table_find(&g->alerts, alert_fingerprint(a)));
        group_lose(a);
        u64_map_del(&g->said, g->told.v[i].fingerprint);
    }
    vec_clear(&g->told);
}
