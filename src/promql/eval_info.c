/* info(v, {matchers}): labels of info series (target_info and the like) added to the series that they describe, those of
 * the same job and instance.
 *
 *     info(up{job="a", instance="1"})   with target_info{job="a", instance="1", version="3"}
 *     -> up{job="a", instance="1", version="3"}
 *
 * The matchers choose info series, by __name__ the metrics, and say which labels are wanted. The info series count as of
 * the time that the first selector of v looks at; they are floats, a histogram among them is an error.
 */
#include "promql/eval.h"

#include "base/vec.h"

/* -- the second argument -- */

static const struct matchers *data_matchers(const struct promql_expr *x)
{
    static const struct matchers none = {NULL, 0};

    return x->call.n_args > 1 ? &promql_unwrap(x->call.args[1])->selector.matchers : &none;
}

static bool is_name(const struct matcher *m)
{
    return str_is(m->name, "__name__");
}

struct naming {
    size_t n, positive;
};

static struct naming naming_of(const struct matchers *ms)
{
    struct naming k = {0, 0};

    for (size_t i = 0; i < ms->n; i++) {
        k.n += is_name(&ms->v[i]);
        k.positive += is_name(&ms->v[i]) && !matcher_is_negative(&ms->v[i]);
    }
    return k;
}

/* Whether a metric of this name is an info metric here. */
static bool is_info(const struct matchers *ms, str metric)
{
    struct naming k = naming_of(ms);

    if (k.n == 0)
        return str_is(metric, "target_info");
    for (size_t i = 0; i < ms->n; i++)
        if (is_name(&ms->v[i]) && !matcher_matches(&ms->v[i], metric))
            return false;
    return k.positive != 0 || (metric.n > 5 && str_ends_with(metric, S("_info")));
}

static bool all_match_empty(const struct matchers *ms)
{
    for (size_t i = 0; i < ms->n; i++)
        if (!is_name(&ms->v[i]) && !matcher_matches_empty(&ms->v[i]))
            return false;
    return true;
}

/* Without data matchers every label is wanted. */
static bool eval_info_is_wanted(const struct matchers *ms, str label)
{
    if (naming_of(ms).n == ms->n)
        return true;
    for (size_t i = 0; i < ms->n; i++)
        if (!is_name(&ms->v[i]) && str_eq(ms->v[i].name, label))
            return true;
    return false;
}

bool promql_info_select(struct promql_eval *ev, const struct promql_expr *x)
{
    const struct matchers *given = data_matchers(x);
    struct naming k = naming_of(given);
    struct matcher *v = mem_array(given->n + 1, sizeof(*v)), *extra = &v[given->n];
    struct matchers all = {v, given->n + (k.positive == 0 ? 1 : 0)};
    struct promql_node *n = promql_node_of(ev, x);
    bool ok = true;

    if (given->n != 0)
        memcpy(v, given->v, given->n * sizeof(*v));
    if (k.n == 0)
        ok = matcher_init(extra, MATCH_EQ, S("__name__"), S("target_info"), ev->e);
    else if (k.positive == 0)
        ok = matcher_init(extra, MATCH_RE, S("__name__"), S(".+_info"), ev->e);
    if (ok)
        n->selector = storage_select(ev->storage, &all, ev->is_kept ? ev->set.lookback : 0, ev->e);
    regex_unref(extra->re);
    mem_free(v);
    return n->selector != NULL;
}

/* -- info series as of a time -- */

struct identity {
    str job, instance, metric;
};

struct candidate {
    struct identity id;
    struct labels labels;
    ts_ms t;
};

struct candidates {
    VEC(struct candidate) v;
};

static struct identity identity_of(struct labels ls)
{
    return (struct identity){labels_get(ls, S("job")), labels_get(ls, S("instance")),
                             promql_metric(ls)};
}

static bool is_same_target(const struct identity *a, const struct identity *b)
{
    return str_eq(a->job, b->job) && str_eq(a->instance, b->instance);
}

/* The first selector below x looks at this time when x is evaluated at t. */
static bool first_reference(const struct promql_eval *ev, const struct promql_expr *x, ts_ms *t)
{
    const struct promql_expr *child;
    ts_ms below = *t;

    if (x->kind == PROMQL_SELECTOR || x->kind == PROMQL_SUBQUERY)
        below = promql_reference(promql_node_of(ev, x), below);
    if (x->kind == PROMQL_SELECTOR) {
        *t = below;
        return true;
    }
    for (size_t i = 0; (child = promql_child(x, i)) != NULL; i++)
        if (first_reference(ev, child, &below)) {
            *t = below;
            return true;
        }
    return false;
}

static bool fail_twice(struct promql_eval *ev, const struct candidate *a, const struct candidate *b)
{
    struct buf x = BUF_INIT, y = BUF_INIT;

    labels_print(&x, a->labels);
    labels_print(&y, b->labels);
    promql_fail_eval(
        ev, "found duplicate series for info metric: existing %.*s @ %lld, new %.*s @ %lld",
        STR(buf_str(&x)), (long long)a->t, STR(buf_str(&y)), (long long)b->t);
    buf_release(&x);
    buf_release(&y);
    return false;
}

static bool fail_histogram(struct promql_eval *ev, struct labels ls)
{
    struct buf b = BUF_INIT;

    labels_print(&b, ls);
    promql_fail_eval(ev, "this should be an info metric, with float samples: %.*s",
                     STR(buf_str(&b)));
    buf_release(&b);
    return false;
}

static bool has_target(const struct promql_vector *base, const struct identity *id)
{
    for (size_t i = 0; i < base->n; i++) {
        struct identity own = identity_of(base->v[i].labels);

        if (is_same_target(&own, id))
            return true;
    }
    return false;
}

/* Of one info metric of a target, the series with the newest sample. */
static bool add_candidate(struct promql_eval *ev, struct candidates *all, struct candidate c)
{
    for (size_t i = 0; i < all->v.n; i++) {
        struct candidate *old = &all->v.v[i];

        if (!is_same_target(&old->id, &c.id) || !str_eq(old->id.metric, c.id.metric))
            continue;
        if (old->t == c.t)
            return fail_twice(ev, old, &c);
        if (c.t > old->t)
            *old = c;
        return true;
    }
    vec_push(&all->v, c);
    return true;
}

static bool find_candidates(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                            const struct promql_vector *base, struct candidates *out)
{
    const struct promql_found *f = promql_need_series(ev, promql_node_of(ev, x));

    if (!first_reference(ev, x->call.args[0], &t))
        return true;
    for (size_t i = 0; i < f->n; i++) {
        struct candidate c = {identity_of(f->labels[i]), f->labels[i], 0};
        bool is_histogram;

        if ((c.id.job.n == 0 && c.id.instance.n == 0) || !has_target(base, &c.id) ||
            !promql_newest(ev, &f->series[i], t, &c.t, &is_histogram))
            continue;
        if (is_histogram)
            return fail_histogram(ev, c.labels);
        if (!add_candidate(ev, out, c))
            return false;
    }
    return true;
}

/* -- adding labels -- */

static bool add_labels(struct promql_eval *ev, const struct matchers *ms, struct labels info,
                       struct labels base, struct labels *added)
{
    LABELS_EACH (l, info) {
        str old = labels_get(*added, l->name);

        if (str_is(l->name, "__name__") || str_is(l->name, "job") || str_is(l->name, "instance") ||
            !eval_info_is_wanted(ms, l->name) || labels_has(base, l->name))
            continue;
        if (old.n != 0 && !str_eq(old, l->value))
            return promql_fail_eval(ev, "conflicting label: %.*s", STR(l->name));
        *added = labels_merge(ev->a, *added, (struct labels){l, 1});
    }
    return true;
}

static bool enrich(struct promql_eval *ev, const struct matchers *ms, const struct candidates *all,
                   struct promql_sample s, struct promql_vector *out)
{
    struct identity id = identity_of(s.labels);
    struct labels added = LABELS_NONE;
    bool any = false;

    for (size_t i = 0; i < all->v.n; i++) {
        if (!is_same_target(&all->v.v[i].id, &id))
            continue;
        any = true;
        if (!add_labels(ev, ms, all->v.v[i].labels, s.labels, &added))
            return false;
    }
    s.labels = labels_merge(ev->a, s.labels, added);
    if (any || all_match_empty(ms))
        promql_push(ev, out, s);
    return true;
}

bool promql_info(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                 struct promql_vector *out)
{
    const struct matchers *ms = data_matchers(x);
    struct candidates all = {.v = VEC_INIT};
    struct promql_vector base;
    bool ok;

    if (!promql_eval_vector(ev, x->call.args[0], t, &base))
        return false;
    ok = find_candidates(ev, x, t, &base, &all);
    for (size_t i = 0; ok && i < base.n; i++) {
        if (is_info(ms, promql_metric(base.v[i].labels)))
            promql_push(ev, out, base.v[i]);
        else
            ok = enrich(ev, ms, &all, base.v[i], out);
    }
    vec_release(&all.v);
    return ok;
}
