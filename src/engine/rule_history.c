#include "engine/rule_history.h"

void rule_history_init(struct rule_history *h, struct interner *names)
{
    *h = (struct rule_history){.names = names, .max = RULE_HISTORY_MAX};
}

static void forget(struct rule_history *h, struct u64_map_entry *it)
{
    struct alert_history *a = it->value;

    h->n -= a->events.n;
    label_set_unref(a->labels);
    interner_str_unref(h->names, a->file);
    interner_str_unref(h->names, a->group);
    vec_release(&a->events);
    mem_free(a);
    u64_map_del_entry(&h->alerts, it);
}

void rule_history_release(struct rule_history *h)
{
    MAP_EACH (struct u64_map_entry, it, &h->alerts)
        forget(h, it);
    u64_map_release(&h->alerts);
}

static struct alert_history *begin(struct rule_history *h, const struct rule_group *g,
                                   struct labels ls)
{
    struct alert_history *a = mem_new(struct alert_history);

    a->labels = label_set_intern(h->names, ls);
    a->file = interner_str(h->names, g->conf->file);
    a->group = interner_str(h->names, g->conf->name);
    return a;
}

/* The alert's history, last in the line from now on. */
static struct alert_history *find(struct rule_history *h, const struct rule_group *g,
                                  const struct rule *r, const struct rule_change *c)
{
    uint64_t key = c->labels->fingerprint ^ r->identity;
    void **slot = u64_map_get(&h->alerts, key);
    struct alert_history *a = slot != NULL ? *slot : begin(h, g, c->labels->ls);

    u64_map_del(&h->alerts, key);
    u64_map_put(&h->alerts, key, a);
    return a;
}

static void note(struct rule_history *h, struct alert_history *a, struct rule_event ev)
{
    if (a->events.n == RULE_HISTORY_OF_ALERT) {
        vec_remove(&a->events, 0);
        h->n--;
    }
    vec_push(&a->events, ev);
    h->n++;
}

void rule_history_note(struct rule_history *h, const struct rule_group *g)
{
    for (size_t i = 0; i < g->n_rules; i++)
        VEC_EACH (const struct rule_change *, c, &g->rules[i].changes)
            note(h, find(h, g, &g->rules[i], c),
                 (struct rule_event){g->slot, c->value,
                                     c->forgotten ? RULE_ALERT_INACTIVE : c->state});
    MAP_EACH (struct u64_map_entry, it, &h->alerts) {
        if (h->n <= h->max)
            break;
        forget(h, it);
    }
}
