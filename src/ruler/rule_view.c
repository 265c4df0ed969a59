#include "ruler/rule_group.h"

/* What the view holds as long as it lives. */
static str view_text(struct rule_group_view *v, str s)
{
    return v->texts != NULL ? s : arena_str(&v->arena, s);
}

static struct labels view_labels(struct rule_group_view *v, struct labels shown,
                                 const struct conf_map *m)
{
    struct arena scratch;

    if (v->texts != NULL)
        return shown;
    arena_init(&scratch, 0);
    shown = labels_copy(&v->arena, rule_shown(&scratch, m));
    arena_release(&scratch);
    return shown;
}

static const str *copy_texts(struct arena *a, const str *v, size_t n)
{
    str *copy = arena_array(a, n, sizeof(*copy));

    for (size_t i = 0; i < n; i++)
        copy[i] = arena_str(a, v[i]);
    return copy;
}

struct rule_notes rule_notes_copy(struct arena *a, const struct rule_notes *n)
{
    if (!rule_notes_any(n))
        return (struct rule_notes){.n_warnings = 0};
    return (struct rule_notes){.warnings = copy_texts(a, n->warnings, n->n_warnings),
                               .n_warnings = n->n_warnings,
                               .infos = copy_texts(a, n->infos, n->n_infos),
                               .n_infos = n->n_infos,
                               .held = arena_str(a, n->held),
                               .held_since = n->held_since};
}

static const struct rule_notes *view_notes(struct arena *a, const struct rule_notes *n)
{
    struct rule_notes *copy;

    if (!rule_notes_any(n))
        return &rule_no_notes;
    copy = arena_new(a, struct rule_notes);
    *copy = rule_notes_copy(a, n);
    return copy;
}

/* What its evaluations made of a rule. */
static void view_state(struct arena *a, const struct rule *r, struct rule_view *out)
{
    struct rule_alert_view *alerts =
        r->alerts.n != 0 ? arena_array(a, r->alerts.n, sizeof(*alerts)) : NULL;

    out->health = r->health;
    out->state = rule_worst_state(r);
    out->last_error = r->last_error != NULL ? arena_str(a, str_of(r->last_error)) : S("");
    out->notes = view_notes(a, rule_notes_of(r));
    out->last_eval = r->last_eval;
    out->took = r->took;
    out->cost = r->cost;
    out->samples = r->samples;
    out->alerts = alerts;
    out->n_alerts = 0;
    MAP_EACH (struct u64_map_entry, it, &r->alerts) {
        const struct rule_alert *al = it->value;

        if (al->resolved_at != TS_NONE)
            continue;
        alerts[out->n_alerts++] =
            (struct rule_alert_view){.labels = labels_copy(a, label_set_view(a, al->labels)),
                                     .annotations =
                                         labels_copy(a, label_set_view(a, al->annotations)),
                                     .state = al->state,
                                     .value = al->value,
                                     .active_at = al->active_at,
                                     .fired_at = al->fired_at,
                                     .keep_firing_since = al->keep_firing_since};
    }
}

static void view_rule(struct rule_group_view *v, const struct rule *r, struct rule_view *out)
{
    *out = (struct rule_view){.is_alert = r->conf->is_alert,
                              .is_trial = r->conf->is_trial,
                              .name = view_text(v, r->conf->name),
                              .query = view_text(v, rule_canonical(r->conf)),
                              .hold_for = r->conf->hold_for,
                              .keep_firing_for = r->conf->keep_firing_for,
                              .labels = view_labels(v, r->conf->shown_labels, &r->conf->all_labels),
                              .annotations = view_labels(v, r->conf->shown_annotations,
                                                         &r->conf->annotations)};
    view_state(&v->arena, r, out);
}

static void view_runs(struct rule_group_view *v, const struct rule_group *g)
{
    v->took = g->took;
    v->rules_took = g->rules_took;
    v->last_eval = g->last_slot;
    v->iterations = g->iterations;
    v->evaluations = g->evaluations;
    v->failures = g->failures;
}

void rule_group_update_view(struct rule_group *g)
{
    if (atomic_load_explicit(&g->view->refs, memory_order_acquire) > 1) {
        rule_group_make_view(g);
        return;
    }
    view_runs(g->view, g);
    for (size_t i = 0; i < g->n_rules; i++)
        view_state(&g->view->arena, &g->rules[i], &g->view->rules[i]);
}

void rule_group_make_view(struct rule_group *g)
{
    struct rule_group_view *v = mem_new(struct rule_group_view);

    atomic_init(&v->refs, 1);
    arena_init_small(&v->arena, 0);
    v->texts = rule_texts_ref(g->conf->texts);
    v->file = view_text(v, g->conf->file);
    v->name = view_text(v, g->conf->name);
    v->interval = g->conf->interval;
    v->limit = g->conf->limit;
    view_runs(v, g);
    v->rules = arena_array(&v->arena, g->n_rules, sizeof(*v->rules));
    v->n_rules = g->n_rules;
    for (size_t i = 0; i < g->n_rules; i++)
        view_rule(v, &g->rules[i], &v->rules[i]);
    rule_group_view_unref(g->view);
    g->view = v;
}
