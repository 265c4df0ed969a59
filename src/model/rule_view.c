#include "model/rule_view.h"

#include "base/mem.h"

const struct rule_notes rule_no_notes = {.n_warnings = 0};

struct rule_group_view *rule_group_view_ref(struct rule_group_view *v)
{
    atomic_fetch_add_explicit(&v->refs, 1, memory_order_relaxed);
    return v;
}

void rule_group_view_unref(struct rule_group_view *v)
{
    if (v == NULL || atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) != 1)
        return;
    arena_release(&v->arena);
    rule_texts_unref(v->texts);
    mem_free(v);
}

struct rule_texts *rule_texts_new(void)
{
    struct rule_texts *t = mem_new(struct rule_texts);

    atomic_init(&t->refs, 1);
    arena_init(&t->arena, 0);
    return t;
}

struct rule_texts *rule_texts_ref(struct rule_texts *t)
{
    if (t != NULL)
        atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void rule_texts_unref(struct rule_texts *t)
{
    if (t == NULL || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
        return;
    arena_release(&t->arena);
    mem_free(t);
}

const char *rule_alert_state_text(enum rule_alert_state state)
{
    static const char *const texts[] = {[RULE_ALERT_INACTIVE] = "inactive",
                                        [RULE_ALERT_PENDING] = "pending",
                                        [RULE_ALERT_FIRING] = "firing"};

    return texts[state];
}

const char *rule_health_text(enum rule_health health)
{
    static const char *const texts[] = {
        [RULE_UNKNOWN] = "unknown", [RULE_OK] = "ok", [RULE_ERR] = "err"};

    return texts[health];
}
