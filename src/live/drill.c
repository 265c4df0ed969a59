#include "live/drill.h"

#include "base/mem.h"
#include "model/labels.h"
#include "model/relabel.h"
#include "promql/ast.h"
#include "promql/made_up.h"
#include "promql/promql.h"
#include "route/route_conf.h"
#include "ruler/rule_template.h"

/* -- the rule -- */

static bool drill_find(const struct config *c, str name, struct drill *out)
{
    for (size_t i = 0; i < c->n_groups; i++)
        for (size_t k = 0; k < c->groups[i].n_rules; k++)
            if (c->groups[i].rules[k].is_alert && str_eq(c->groups[i].rules[k].name, name)) {
                out->group = &c->groups[i];
                out->rule = &c->groups[i].rules[k];
                return true;
            }
    return false;
}

static bool drill_no_rule(const struct config *c, str name, struct err *err)
{
    VEC(str) names = VEC_INIT;
    const str *near;

    for (size_t i = 0; i < c->n_groups; i++)
        for (size_t k = 0; k < c->groups[i].n_rules; k++)
            if (c->groups[i].rules[k].is_alert)
                vec_push(&names, c->groups[i].rules[k].name);
    near = str_nearest(name, names.v, names.n);
    if (near != NULL)
        err_set(err, ERR_NOT_FOUND, "there is no alerting rule '%.*s', did you mean '%.*s'?",
                STR(name), STR(*near));
    else
        err_set(err, ERR_NOT_FOUND, "there is no alerting rule '%.*s'", STR(name));
    vec_release(&names);
    return false;
}

/* What its evaluations made of it. NULL: nothing yet. */
static const struct rule_view *drill_view(const struct engine *e, const struct drill *d)
{
    VEC_EACH (struct rule_slot *const *, s, &e->rules) {
        const struct rule_group_view *v = (*s)->shown;

        if (v == NULL || !str_eq(v->name, d->group->name))
            continue;
        for (size_t i = 0; i < v->n_rules; i++)
            if (v->rules[i].is_alert && str_eq(v->rules[i].name, d->rule->name))
                return &v->rules[i];
    }
    return NULL;
}

/* -- an alert that is made up -- */

static struct labels made_up_sample(const struct drill *d, struct labels given, struct arena *a)
{
    struct promql_place place;
    struct err e = ERR_INIT;
    struct promql_expr *x = promql_parse(d->rule->expr, &promql_everything, a, &place, &e);
    struct labels out = promql_made_up_labels(x, given, S("drill"), a);

    promql_release(x);
    return out;
}

static void drill_make_up(const struct engine *e, struct drill *d, struct labels given,
                          struct now now, struct arena *a)
{
    const struct rule_template_vars vars = {.alert = d->rule->name,
                                            .labels = made_up_sample(d, given, a),
                                            .value = 1,
                                            .external_labels = e->conf->external_labels,
                                            .external_url = e->external_url,
                                            .slot = now.wall};
    struct rule_templates *t = rule_templates_new();
    struct label name = {S("alertname"), d->rule->name};
    struct labels own = rule_template_expand_all(t, a, &d->rule->all_labels, &vars, NULL);

    own = labels_merge(a, vars.labels, own);
    d->annotations = rule_template_expand_all(t, a, &d->rule->annotations, &vars, NULL);
    own = labels_merge(a, e->conf->external_labels, own);
    d->labels = labels_merge(a, own, (struct labels){&name, 1});
    d->labels = labels_copy(a, d->labels);
    d->annotations = labels_copy(a, d->annotations);
    rule_templates_free(t);
    d->is_made_up = true;
}

/* -- its way -- */

static void drill_route(const struct engine *e, struct drill *d, struct now now, struct arena *a)
{
    const struct config *c = config_of(e->conf);
    struct explanation x = {0};

    engine_explain(e, d->labels, now, a, &x);
    d->ways = arena_array(a, x.n, sizeof(*d->ways));
    for (size_t i = 0; i < x.n; i++) {
        const struct explain_route *r = &x.routes[i];
        struct drill_way *w = &d->ways[d->n++];

        w->receiver = arena_str(a, r->route->receiver);
        w->conf = config_receiver(c, w->receiver);
        w->group_key = arena_str(a, r->group_key);
        w->group_labels = labels_copy(a, r->group_labels);
        if (r->route->conf->labels.n != 0)
            w->route_templates = route_conf_templates(&r->route->conf->labels, a);
        w->held = r->held_by == HELD_BY_SILENCE       ? S("a silence")
                  : r->held_by == HELD_BY_INHIBITION  ? S("an inhibition")
                  : r->held_by == HELD_BY_ACTIVE_TIME ? S("the route's active time")
                  : r->held_by == HELD_BY_MUTE_TIME   ? S("the route's mute time")
                                                      : STR_NONE;
    }
    explanation_release(&x);
}

bool drill_plan(const struct engine *e, str alertname, struct labels given, struct now now,
                struct arena *a, struct drill *out, struct err *err)
{
    const struct config *c = config_of(e->conf);
    const struct rule_view *v;

    *out = (struct drill){.n = 0};
    if (!drill_find(c, alertname, out))
        return drill_no_rule(c, alertname, err);
    v = drill_view(e, out);
    if (v != NULL)
        out->rule_error = arena_str(a, v->last_error);
    if (v != NULL && v->n_alerts != 0 && given.n == 0) {
        out->labels =
            labels_copy(a, labels_merge(a, e->conf->external_labels, v->alerts[0].labels));
        out->annotations = labels_copy(a, v->alerts[0].annotations);
    } else {
        drill_make_up(e, out, given, now, a);
    }
    if (!relabel(&e->conf->alert_relabel_configs, out->labels, a, &out->labels))
        out->is_dropped = true;
    else
        drill_route(e, out, now, a);
    return true;
}

void drill_add(const struct drill *d, struct trial *t, ts_ns at)
{
    struct notified_alert alert =
        trial_alert(&t->arena, t->conf, ACT_DRILL, d->labels, d->annotations, at);

    for (size_t i = 0; i < d->n; i++) {
        const struct drill_way *w = &d->ways[i];
        struct notified_alert group = trial_alert(&t->arena, t->conf, ACT_DRILL, w->group_labels,
                                                  (struct labels){NULL, 0}, at);
        struct notification n = {
            .receiver = w->receiver,
            .group_key = arena_printf(&t->arena, "drill %.*s", STR(w->group_key)),
            .group_labels =
                labels_has(w->group_labels, S("alertname")) ? group.labels : w->group_labels,
            .route_templates = w->route_templates,
            .act = ACT_DRILL,
            .decided_at = at,
            .alerts = &alert,
            .n_alerts = 1,
            .n_firing = 1};

        for (size_t k = 0; w->conf != NULL && k < w->conf->n_integrations; k++)
            trial_add(t, &w->conf->integrations[k], &n);
    }
}
