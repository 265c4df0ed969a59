#include "ruler/rule_resolve.h"

#include "model/labels.h"
#include "promql/ast.h"

static bool is_comparison(enum promql_op op)
{
    return op == PROMQL_EQ || op == PROMQL_NE || op == PROMQL_GT || op == PROMQL_LT ||
           op == PROMQL_GE || op == PROMQL_LE;
}

const struct promql_expr *rule_resolve_side(const struct promql_expr *x)
{
    while (x->kind == PROMQL_PAREN || (x->kind == PROMQL_BINARY && (x->binary.op == PROMQL_AND ||
                                                                    x->binary.op == PROMQL_UNLESS)))
        x = x->kind == PROMQL_PAREN ? x->inner : x->binary.lhs;
    if (x->kind != PROMQL_BINARY || !is_comparison(x->binary.op) || x->binary.is_bool)
        return NULL;
    x = x->binary.lhs->type == PROMQL_T_VECTOR ? x->binary.lhs : x->binary.rhs;
    return x->type == PROMQL_T_VECTOR ? x : NULL;
}

/* -- who ends -- */

/* As rule_step() will see it: not in the result, and not kept by keep_firing_for. */
static bool will_end(const struct rule *r, const struct rule_alert *a, const struct rule_context *c)
{
    dur_ns keep = r->conf->keep_firing_for;

    return a->state == RULE_ALERT_FIRING && !a->restored &&
           !(keep > 0 &&
             (a->keep_firing_since == TS_NONE || c->slot - a->keep_firing_since < keep));
}

static size_t find_ending(const struct rule *r, const struct rule_context *c,
                          const struct rule_result *result, struct rule_alert **out)
{
    struct u64_map here = {0};
    size_t n = 0;

    for (size_t i = 0; i < result->n; i++)
        u64_map_put(&here, labels_fingerprint(result->v[i].labels), NULL);
    MAP_EACH (struct u64_map_entry, it, &r->alerts)
        if (will_end(r, it->value, c) && u64_map_get(&here, it->key) == NULL)
            out[n++] = it->value;
    u64_map_release(&here);
    return n;
}

/* -- whose is a sample -- */

static bool is_set_by(const struct rule *r, str name)
{
    for (size_t i = 0; i < r->conf->all_labels.n; i++)
        if (str_eq(r->conf->all_labels.v[i].name, name))
            return true;
    return str_is(name, "alertname") || str_is(name, "__name__");
}

/* What a sample and its alert have in common, whatever the rule's templates make of the value. */
static uint64_t rule_resolve_common(const struct rule *r, struct labels ls, struct arena *a)
{
    struct label *v = arena_array(a, ls.n, sizeof(*v));
    size_t n = 0;

    LABELS_EACH (l, ls)
        if (!is_set_by(r, l->name))
            v[n++] = *l;
    return labels_fingerprint((struct labels){v, n});
}

static void rule_resolve_take(const struct rule *r, struct rule_context *c, struct samples samples,
                              struct rule_alert **ending, size_t n)
{
    struct u64_map by_labels = {0};

    for (size_t i = 0; i < samples.n; i++) {
        bool is_new;
        void **slot = u64_map_add(&by_labels, rule_resolve_common(r, samples.v[i].labels, c->arena),
                                  (void *)&samples.v[i], &is_new);

        if (!is_new)
            *slot = NULL;
    }
    for (size_t i = 0; i < n; i++) {
        void **hit = u64_map_get(&by_labels,
                                 rule_resolve_common(r, label_set_view(c->arena, ending[i]->labels),
                                                     c->arena));

        ending[i]->has_end = hit != NULL && *hit != NULL;
        if (ending[i]->has_end)
            ending[i]->end = ((const struct sample *)*hit)->value;
    }
    u64_map_release(&by_labels);
}

bool rule_resolve(struct rule *r, struct rule_context *c, struct rule_result result)
{
    struct rule_alert **ending = arena_array(c->arena, r->alerts.n, sizeof(*ending));
    struct samples samples = {0};
    struct err e = ERR_INIT;
    size_t n;

    if (r->conf->left.n == 0 || rule_worst_state(r) != RULE_ALERT_FIRING)
        return true;
    n = find_ending(r, c, &result, ending);
    if (n == 0)
        return true;
    c->queries->is_missing = false;
    if (!rule_queries_ask(c->queries, r->conf->left, &samples, &e) && c->queries->is_missing)
        return false;
    rule_resolve_take(r, c, samples, ending, n);
    return true;
}
