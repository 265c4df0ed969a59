#include "live/drill.h"

#include "base/mem.h"
#include "model/labels.h"
#include "model/relabel.h"
#include "promql/ast.h"
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

/* -- labels of an alert that is made up -- */

struct made_up {
    struct arena *a;
    VEC(struct label) v;
};

static void made_up_put(struct made_up *m, str name, str value)
{
    VEC_EACH (const struct label *, l, &m->v)
        if (str_eq(l->name, name))
            return; /* what came first stays */
    if (name.n != 0 && !str_is(name, "__name__"))
        vec_push(&m->v, (struct label){arena_str(m->a, name), arena_str(m->a, value)});
}

/* What selectors ask for by name and value, and labels that an aggregation keeps. */
static void made_up_read(struct made_up *m, const struct promql_expr *x)
{
    if (x == NULL)
        return;
    switch (x->kind) {
    case PROMQL_SELECTOR:
        for (size_t i = 0; i < x->selector.matchers.n; i++)
            if (x->selector.matchers.v[i].op == MATCH_EQ && x->selector.matchers.v[i].value.n != 0)
                made_up_put(m, x->selector.matchers.v[i].name, x->selector.matchers.v[i].value);
        return;
    case PROMQL_RANGE: made_up_read(m, x->range.selector); return;
    case PROMQL_SUBQUERY: made_up_read(m, x->subquery.expr); return;
    case PROMQL_CALL:
        for (size_t i = 0; i < x->call.n_args; i++)
            made_up_read(m, x->call.args[i]);
        return;
    case PROMQL_AGGREGATE:
        made_up_read(m, x->aggregate.expr);
        for (size_t i = 0; !x->aggregate.is_without && i < x->aggregate.n_labels; i++)
            made_up_put(m, x->aggregate.labels[i], S("drill"));
        return;
    case PROMQL_UNARY: made_up_read(m, x->unary.expr); return;
    case PROMQL_BINARY:
        made_up_read(m, x->binary.lhs);
        made_up_read(m, x->binary.rhs);
        return;
    case PROMQL_PAREN: made_up_read(m, x->inner); return;
    case PROMQL_NUMBER:
    case PROMQL_TEXT: return;
    }
}

static struct labels made_up_sample(const struct drill *d, struct labels given, struct arena *a)
{
    struct made_up m = {.a = a};
    struct promql_place place;
    struct err e = ERR_INIT;
    struct promql_expr *x;
    struct labels out;
    str dup;

    LABELS_EACH (l, given)
        made_up_put(&m, l->name, l->value);
    x = promql_parse(d->rule->expr, &promql_everything, a, &place, &e);
    made_up_read(&m, x);
    promql_release(x);
    m.v.n = labels_sort_keep(m.v.v, m.v.n, &dup);
    out = labels_copy(a, (struct labels){m.v.v, m.v.n != SIZE_MAX ? m.v.n : 0});
    vec_release(&m.v);
    return out;
}

struct drill_texts {
    struct rule_templates *templates;
    struct rule_template_vars vars;
    struct arena *a;
};

static struct labels drill_expand(struct drill_texts *t, struct labels under,
                                  const struct conf_map *texts)
{
    struct label *v = arena_copy(t->a, under.v, under.n, under.n + texts->n, sizeof(*v));
    size_t n = under.n;

    for (size_t i = 0; i < texts->n; i++)
        v[n++] = (struct label){texts->v[i].name,
                                rule_template_expand(t->templates, t->a, texts->v[i].value,
                                                     &t->vars, NULL)};
    return (struct labels){v, labels_sort_last(v, n)};
}

static void drill_make_up(const struct engine *e, struct drill *d, struct labels given,
                          struct now now, struct arena *a)
{
    struct drill_texts t = {.templates = rule_templates_new(), .a = a};
    struct label name = {S("alertname"), d->rule->name};
    struct labels own;

    t.vars = (struct rule_template_vars){.alert = d->rule->name,
                                         .labels = made_up_sample(d, given, a),
                                         .value = 1,
                                         .external_labels = e->conf->external_labels,
                                         .external_url = e->external_url,
                                         .slot = now.wall};
    own = drill_expand(&t, t.vars.labels, &d->rule->all_labels);
    d->annotations = drill_expand(&t, (struct labels){NULL, 0}, &d->rule->annotations);
    own = labels_merge(a, e->conf->external_labels, own);
    d->labels = labels_merge(a, own, (struct labels){&name, 1});
    d->labels = labels_copy(a, d->labels);
    d->annotations = labels_copy(a, d->annotations);
    rule_templates_free(t.templates);
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
