#include "core/rule_history.h"

void rule_history_init(struct rule_history *h, struct interner *names)
{
    *h = (struct rule_history){.names = names, .max = RULE_HISTORY_MAX};
}

static void rule_history_forget(struct rule_history *h, struct u64_map_entry *it)
{
    struct alert_history *a = it->value;

    h->n -= a->events.n;
    label_set_unref(a->labels);
    shared_text_unref(h->names, a->file);
    shared_text_unref(h->names, a->group);
    vec_release(&a->events);
    mem_free(a);
    u64_map_del_entry(&h->alerts, it);
}

void rule_history_release(struct rule_history *h)
{
    MAP_EACH (struct u64_map_entry, it, &h->alerts)
        rule_history_forget(h, it);
    u64_map_release(&h->alerts);
}

static struct alert_history *rule_history_begin(struct rule_history *h,
                                                const struct rule_group_view *g, struct labels ls)
{
    struct alert_history *a = mem_new(struct alert_history);

    a->labels = label_set_intern(h->names, ls);
    a->file = shared_text_intern(h->names, g->file);
    a->group = shared_text_intern(h->names, g->name);
    return a;
}

/* The alert's history, last in the line from now on. */
static struct alert_history *rule_history_find(struct rule_history *h,
                                               const struct rule_group_view *g,
                                               const struct rule_news *c)
{
    uint64_t key = c->fingerprint ^ c->rule;
    void **slot = u64_map_get(&h->alerts, key);
    struct alert_history *a = slot != NULL ? *slot : rule_history_begin(h, g, c->labels);

    u64_map_del(&h->alerts, key);
    u64_map_put(&h->alerts, key, a);
    return a;
}

static void core_rule_history_note(struct rule_history *h, struct alert_history *a,
                                   struct rule_event ev)
{
    if (a->events.n == RULE_HISTORY_OF_ALERT) {
        vec_remove(&a->events, 0);
        h->n--;
    }
    vec_push(&a->events, ev);
    h->n++;
}

void rule_history_note(struct rule_history *h, const struct rules_ran *ran)
{
    for (size_t i = 0; i < ran->n_changes; i++) {
        const struct rule_news *c = &ran->changes[i];

        core_rule_history_note(h, rule_history_find(h, ran->view, c),
                               (struct rule_event){ran->slot, c->value, c->state});
    }
    MAP_EACH (struct u64_map_entry, it, &h->alerts) {
        if (h->n <= h->max)
            break;
        rule_history_forget(h, it);
    }
}
