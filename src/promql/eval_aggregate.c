/* Aggregations: series into groups by the labels that by() keeps or without() leaves.
 *
 *     sum by (job) (x)    x{job="a", i="1"} 1, x{job="a", i="2"} 2, x{job="b"} 5  ->  {job="a"} 3, {job="b"} 5
 */
#include "promql/eval.h"

#include <math.h>
#include "base/vec.h"
#include "codec/float.h"
#include "codec/quote.h"
#include "promql/kernel_agg.h"
#include "promql/matching.h"

struct agg_group {
    struct labels labels;
    bool drops_name;
    uint32_t n; /* members */
    struct promql_acc acc;
    struct promql_top top;
    VEC(double) values; /* of quantile */
};

struct agg {
    struct promql_eval *ev;
    const struct promql_expr *x;
    enum promql_agg op;
    struct promql_names names;
    double param;
    struct promql_vector in;
    struct label_sets by_labels;
    VEC(struct agg_group) groups;
    struct promql_vector *out;
};

static struct agg_group *eval_aggregate_group_of(struct agg *g, struct labels ls)
{
    struct labels key = promql_pick(&g->names, ls, g->ev->a);
    bool is_new;
    uint32_t at = *label_sets_add(&g->by_labels, key, (uint32_t)g->groups.n, &is_new);

    if (is_new)
        vec_push(&g->groups, (struct agg_group){.labels = key});
    return &g->groups.v[at];
}

static void note_ignored(struct agg *g)
{
    promql_note(&g->ev->notes, false, promql_place_of(g->x->aggregate.expr),
                "ignored histogram in %s aggregation", promql_agg_info(g->op)->name);
}

/* -- one value a group -- */

static void eval_aggregate_fold(struct agg *g)
{
    uint32_t at = promql_place_of(g->x->aggregate.expr);

    for (size_t i = 0; i < g->in.n; i++) {
        const struct promql_sample *s = &g->in.v[i];
        struct agg_group *k = eval_aggregate_group_of(g, s->labels);
        unsigned notes = promql_acc_add(g->op, &k->acc, s->v, s->h, g->ev->a);

        k->drops_name |= s->drops_name;
        if (notes & PROMQL_ACC_IGNORED)
            note_ignored(g);
        promql_notes_add(&g->ev->notes, notes & ~(unsigned)PROMQL_ACC_IGNORED,
                         promql_metric(s->labels), at);
    }
    VEC_EACH (struct agg_group *, k, &g->groups) {
        struct promql_value v;
        bool has = promql_acc_result(g->op, &k->acc, g->ev->a, &v);

        promql_notes_add(&g->ev->notes, v.notes, STR_NONE, at);
        if (has)
            promql_push(g->ev, g->out,
                        (struct promql_sample){
                            .labels = k->labels, .v = v.v, .h = v.h, .drops_name = k->drops_name});
    }
}

static void quantiles(struct agg *g)
{
    if (!(g->param >= 0 && g->param <= 1))
        promql_note_quantile(&g->ev->notes, g->param, promql_place_of(g->x->aggregate.param));
    for (size_t i = 0; i < g->in.n; i++) {
        const struct promql_sample *s = &g->in.v[i];
        struct agg_group *k;

        if (s->h != NULL) {
            note_ignored(g);
            continue;
        }
        k = eval_aggregate_group_of(g, s->labels);
        k->drops_name |= s->drops_name;
        vec_push(&k->values, s->v);
    }
    VEC_EACH (struct agg_group *, k, &g->groups) {
        promql_push(g->ev, g->out,
                    (struct promql_sample){.labels = k->labels,
                                           .v = promql_quantile(g->param, k->values.v, k->values.n),
                                           .drops_name = k->drops_name});
        vec_release(&k->values);
    }
}

static bool count_values(struct agg *g)
{
    str label = promql_unwrap(g->x->aggregate.param)->text;
    struct buf text = BUF_INIT;

    if (!label_name_is_utf8(label)) {
        quote_go(&text, label);
        promql_fail_eval(g->ev, "invalid label name %.*s", STR(buf_str(&text)));
        buf_release(&text);
        return false;
    }
    g->names = promql_group_names(g->x, label, g->ev->a);
    for (size_t i = 0; i < g->in.n; i++) {
        const struct promql_sample *s = &g->in.v[i];
        struct label *l = arena_new(g->ev->a, struct label);
        struct agg_group *k;

        buf_clear(&text);
        if (s->h != NULL)
            histogram_print(&text, s->h);
        else
            float_print_shortest(&text, s->v);
        *l = (struct label){label, arena_str(g->ev->a, buf_str(&text))};
        k = eval_aggregate_group_of(g, labels_merge(g->ev->a, s->labels, (struct labels){l, 1}));
        k->n++;
        k->drops_name |= s->drops_name;
    }
    buf_release(&text);
    VEC_EACH (struct agg_group *, k, &g->groups)
        promql_push(
            g->ev, g->out,
            (struct promql_sample){.labels = k->labels, .v = k->n, .drops_name = k->drops_name});
    return true;
}

/* -- some of the series -- */

static bool check_k(struct agg *g)
{
    struct buf b = BUF_INIT;

    if (isnan(g->param))
        return promql_fail_eval(g->ev, "Parameter value is NaN");
    if (g->param >= -9223372036854775808.0 && g->param <= 9223372036854774784.0)
        return true;
    float_print_g(&b, g->param);
    promql_fail_eval(g->ev, "Scalar value %.*s %s int64", STR(buf_str(&b)),
                     g->param > 0 ? "overflows" : "underflows");
    buf_release(&b);
    return false;
}

static size_t clip_k(const struct agg *g)
{
    return g->param < 1 ? 0 : g->param >= (double)g->in.n ? g->in.n : (size_t)g->param;
}

static void ranked(struct agg *g)
{
    size_t k = clip_k(g);

    for (size_t i = 0; k != 0 && i < g->in.n; i++) {
        const struct promql_sample *s = &g->in.v[i];
        struct agg_group *group;

        if (s->h != NULL) {
            note_ignored(g);
            continue;
        }
        group = eval_aggregate_group_of(g, s->labels);
        group->top.k = k;
        group->top.is_bottom = g->op == PROMQL_BOTTOMK;
        promql_top_add(&group->top, s->v, (uint32_t)i, g->ev->a);
    }
    VEC_EACH (struct agg_group *, group, &g->groups) {
        promql_top_sort(&group->top);
        for (size_t i = 0; i < group->top.n; i++)
            promql_push(g->ev, g->out, g->in.v[group->top.v[i].i]);
    }
}

static void first_k(struct agg *g)
{
    size_t k = clip_k(g);

    for (size_t i = 0; k != 0 && i < g->in.n; i++)
        if (eval_aggregate_group_of(g, g->in.v[i].labels)->n++ < k)
            promql_push(g->ev, g->out, g->in.v[i]);
}

static bool a_share(struct agg *g)
{
    double ratio = fmax(-1, fmin(1, g->param));
    struct buf b = BUF_INIT;

    if (isnan(g->param))
        return promql_fail_eval(g->ev, "Ratio value is NaN");
    if (ratio != g->param) {
        float_print_g(&b, g->param);
        promql_note(&g->ev->notes, true, promql_place_of(g->x->aggregate.param),
                    "ratio value should be between -1 and 1, got %.*s, capping to %g",
                    STR(buf_str(&b)), ratio);
        buf_release(&b);
    }
    for (size_t i = 0; ratio != 0 && i < g->in.n; i++)
        if (promql_ratio_keeps(ratio, g->in.v[i].labels))
            promql_push(g->ev, g->out, g->in.v[i]);
    return true;
}

static bool aggregate(struct agg *g)
{
    switch (g->op) {
    case PROMQL_QUANTILE: quantiles(g); return true;
    case PROMQL_COUNT_VALUES: return count_values(g);
    case PROMQL_LIMIT_RATIO: return a_share(g);
    case PROMQL_TOPK:
    case PROMQL_BOTTOMK:
        if (!check_k(g))
            return false;
        ranked(g);
        return true;
    case PROMQL_LIMITK:
        if (!check_k(g))
            return false;
        first_k(g);
        return true;
    default: eval_aggregate_fold(g); return true;
    }
}

bool promql_eval_aggregate(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                           struct promql_vector *out)
{
    struct agg g = {.ev = ev, .x = x, .op = x->aggregate.op, .out = out};
    const struct promql_expr *param = x->aggregate.param;
    bool ok;

    if (param != NULL && param->type == PROMQL_T_SCALAR &&
        !promql_eval_scalar(ev, param, t, &g.param))
        return false;
    if (!promql_eval_vector(ev, x->aggregate.expr, t, &g.in))
        return false;
    g.names = promql_group_names(x, STR_NONE, ev->a);
    ok = aggregate(&g);
    label_sets_release(&g.by_labels);
    vec_release(&g.groups);
    return ok;
}
