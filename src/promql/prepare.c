/* What is constant for a whole query: computed durations, @ start() and @ end(), kernels, selectors. */
#include "promql/eval.h"

#include <math.h>

#include "promql/kernel_rows.h"

/* -- computed durations, in seconds -- */

struct durations {
    double step, range;
    struct err *e;
};

static bool dur_value(struct durations *d, const struct promql_dur *x, double *out);

static bool dur_binary(struct durations *d, const struct promql_dur *x, double *out)
{
    double a, b;
    bool keep;

    if (!dur_value(d, x->a, &a) || !dur_value(d, x->b, &b))
        return false;
    if (b == 0 && (x->op == PROMQL_DIV || x->op == PROMQL_MOD))
        return err_set(d->e, ERR_INVALID, "%s by zero",
                       x->op == PROMQL_DIV ? "division" : "modulo");
    *out = promql_binary(x->op, a, b, &keep);
    return true;
}

static bool dur_pair(struct durations *d, const struct promql_dur *x, double *out)
{
    double a, b;

    if (!dur_value(d, x->a, &a) || !dur_value(d, x->b, &b))
        return false;
    *out = x->kind == PROMQL_DUR_MIN ? promql_min(a, b) : promql_max(a, b);
    return true;
}

static bool dur_value(struct durations *d, const struct promql_dur *x, double *out)
{
    switch (x->kind) {
    case PROMQL_DUR_LITERAL: *out = x->seconds; return true;
    case PROMQL_DUR_STEP: *out = d->step; return true;
    case PROMQL_DUR_RANGE: *out = d->range; return true;
    case PROMQL_DUR_MIN:
    case PROMQL_DUR_MAX: return dur_pair(d, x, out);
    case PROMQL_DUR_PLUS: return dur_value(d, x->a, out);
    case PROMQL_DUR_MINUS:
        if (!dur_value(d, x->a, out))
            return false;
        *out = -*out;
        return true;
    case PROMQL_DUR_BINARY: return dur_binary(d, x, out);
    }
    return false;
}

static bool span_value(struct promql_eval *ev, struct promql_span s, bool may_be_negative,
                       ts_ms *out)
{
    struct durations d = {(double)ev->step / 1000, (double)(ev->end - ev->start) / 1000, ev->e};
    double seconds = 0;

    if (s.expr == NULL) {
        *out = s.ns / NS_PER_MS;
        return true;
    }
    if (!dur_value(&d, s.expr, &seconds))
        return false;
    if (!(fabs(seconds) < 9223372036.0))
        return err_set(ev->e, ERR_INVALID, "duration out of range");
    *out = (ts_ms)(seconds * 1000);
    if (*out <= 0 && !may_be_negative)
        return err_set(ev->e, ERR_INVALID, "duration must be greater than 0");
    return true;
}

/* -- nodes -- */

static bool resolve_shift(struct promql_eval *ev, const struct promql_shift *s,
                          struct promql_node *n)
{
    n->has_at = s->at != PROMQL_AT_NONE;
    n->at = s->at == PROMQL_AT_START ? ev->start
            : s->at == PROMQL_AT_END ? ev->end
                                     : promql_clamp_time(s->at_time);
    return span_value(ev, s->offset, true, &n->offset);
}

static bool resolve_node(struct promql_eval *ev, const struct promql_expr *x)
{
    struct promql_node *n = promql_node_of(ev, x);

    switch (x->kind) {
    case PROMQL_SELECTOR: return resolve_shift(ev, &x->selector.shift, n);
    case PROMQL_RANGE:
        return resolve_shift(ev, &x->range.selector->selector.shift, n) &&
               span_value(ev, x->range.length, false, &n->length);
    case PROMQL_SUBQUERY:
        n->step = ev->set.subquery_step;
        if (!resolve_shift(ev, &x->subquery.shift, n) ||
            !span_value(ev, x->subquery.length, false, &n->length) ||
            (x->subquery.has_step && !span_value(ev, x->subquery.step, false, &n->step)))
            return false;
        return n->step > 0 ||
               err_set(ev->e, ERR_INVALID, "subquery step is shorter than a millisecond");
    default: return true;
    }
}

bool promql_resolve(struct promql_eval *ev, const struct promql_expr *x)
{
    const struct promql_expr *child;

    if (!resolve_node(ev, x))
        return false;
    for (size_t i = 0; (child = promql_child(x, i)) != NULL; i++)
        if (!promql_resolve(ev, child))
            return false;
    return true;
}

/* How far before the evaluation samples are read, on the way down to a selector. */
struct reach {
    ts_ms ms;
    bool in_range; /* the next selector reads a range, without a lookback */
};

/* Computed durations count as nothing: whoever keeps samples for an expression cannot know them. */
static ts_ms constant_ms(struct promql_span s)
{
    return s.expr == NULL ? s.ns / NS_PER_MS : 0;
}

static struct reach reach_below(const struct promql_eval *ev, const struct promql_expr *x,
                                struct reach r)
{
    if (x->kind == PROMQL_SUBQUERY)
        r.ms += constant_ms(x->subquery.length) + constant_ms(x->subquery.shift.offset);
    if (x->kind == PROMQL_RANGE) {
        const struct promql_shift *s = &x->range.selector->selector.shift;

        r.ms += constant_ms(x->range.length);
        r.in_range = !s->is_anchored && !s->is_smoothed;
    }
    if (x->kind == PROMQL_SELECTOR)
        r.ms += constant_ms(x->selector.shift.offset) + (r.in_range ? 0 : ev->set.lookback);
    return r;
}

static bool prepare_node(struct promql_eval *ev, const struct promql_expr *x, ts_ms reach)
{
    struct promql_node *n = promql_node_of(ev, x);

    if (x->kind == PROMQL_SELECTOR && !x->selector.may_match_all) { /* info() has its own */
        n->selector = storage_select(ev->storage, &x->selector.matchers,
                                     ev->is_kept && reach > 0 ? reach : 0, ev->e);
        return n->selector != NULL;
    }
    if (x->kind != PROMQL_CALL)
        return true;
    n->kernel = promql_kernel_of(x->call.fn);
    return strcmp(x->call.fn->name, "info") != 0 || promql_info_select(ev, x);
}

static bool check_modifiers(struct promql_eval *ev, const struct promql_expr *x)
{
    for (size_t i = 0; x->kind == PROMQL_CALL && i < x->call.n_args; i++) {
        const struct promql_expr *arg = promql_unwrap(x->call.args[i]);

        if (arg->kind == PROMQL_RANGE &&
            !promql_check_modifier(promql_node_of(ev, x)->kernel,
                                   &arg->range.selector->selector.shift, ev->e))
            return false;
    }
    return true;
}

/* What the store knows of resets is told where Prometheus reads histograms without their buckets: below a function that needs
 * none, unless one that does, or a subquery, stands above the selector. Elsewhere it is told nothing: there Prometheus cannot
 * know whether the sample before is still there. rate() and increase() look for themselves. */
enum resets { RESETS_HIDDEN, RESETS_SHOWN, RESETS_NEVER };

static enum resets resets_below(const struct promql_eval *ev, const struct promql_expr *x,
                                enum resets above)
{
    const struct promql_kernel *k;

    if (x->kind == PROMQL_SUBQUERY)
        return RESETS_NEVER;
    if (x->kind == PROMQL_BINARY &&
        (x->binary.op == PROMQL_TRIM_UPPER || x->binary.op == PROMQL_TRIM_LOWER))
        return RESETS_NEVER;
    if (x->kind != PROMQL_CALL || above == RESETS_NEVER)
        return above;
    k = promql_node_of(ev, x)->kernel;
    if (k->call == promql_histogram_count || k->call == promql_histogram_sum ||
        k->call == promql_histogram_avg)
        return RESETS_SHOWN;
    return k->wants_counter || k->call == promql_histogram_quantile ||
                   k->call == promql_histogram_quantiles || k->call == promql_histogram_fraction
               ? RESETS_NEVER
               : above;
}

static bool prepare_prepare(struct promql_eval *ev, const struct promql_expr *x, struct reach above,
                            enum resets resets)
{
    struct reach r = reach_below(ev, x, above);
    const struct promql_expr *child;

    if (!prepare_node(ev, x, r.ms) || !check_modifiers(ev, x))
        return false;
    if (x->kind == PROMQL_SELECTOR)
        promql_node_of(ev, x)->shows_resets = resets == RESETS_SHOWN;
    resets = resets_below(ev, x, resets);
    for (size_t i = 0; (child = promql_child(x, i)) != NULL; i++)
        if (!prepare_prepare(ev, child, r, resets))
            return false;
    return true;
}

static uint32_t highest_id(const struct promql_expr *x)
{
    const struct promql_expr *child;
    uint32_t most = x->id;

    for (size_t i = 0; (child = promql_child(x, i)) != NULL; i++) {
        uint32_t below = highest_id(child);

        if (below > most)
            most = below;
    }
    return most;
}

#define NODE_ROOM_WITH(member)                                                                     \
    (offsetof(struct promql_node, member) + sizeof(((struct promql_node *)NULL)->member))

static size_t node_room(enum promql_kind kind)
{
    switch (kind) {
    case PROMQL_CALL: return NODE_ROOM_WITH(re);
    case PROMQL_SELECTOR: return NODE_ROOM_WITH(length);
    case PROMQL_SUBQUERY: return NODE_ROOM_WITH(subquery);
    default: return 0;
    }
}

static void make_nodes(struct promql_eval *ev, const struct promql_expr *x, struct arena *a)
{
    size_t room = node_room(x->kind);
    const struct promql_expr *child;

    ev->nodes[x->id] = room != 0 ? arena_zalloc(a, room) : NULL;
    for (size_t i = 0; (child = promql_child(x, i)) != NULL; i++)
        make_nodes(ev, child, a);
    if (x->kind == PROMQL_RANGE)
        ev->nodes[x->id] = promql_node_of(ev, x->range.selector);
}

bool promql_prepare(struct promql_eval *ev, const struct promql_expr *x, struct arena *a)
{
    ev->n_nodes = (size_t)highest_id(x) + 1;
    ev->nodes = arena_array(a, ev->n_nodes, sizeof(struct promql_node *));
    make_nodes(ev, x, a);
    return prepare_prepare(ev, x, (struct reach){0, false}, RESETS_HIDDEN);
}

void promql_unprepare(struct promql_eval *ev, const struct promql_expr *x)
{
    struct promql_node *n = promql_node_of(ev, x);
    const struct promql_expr *child;

    if (x->kind == PROMQL_CALL)
        regex_unref(n->re);
    if (n != NULL && x->kind != PROMQL_RANGE && n->selector != NULL)
        storage_release(ev->storage, n->selector);
    for (size_t i = 0; (child = promql_child(x, i)) != NULL; i++)
        promql_unprepare(ev, child);
}

const struct promql_found *promql_need_series(struct promql_eval *ev, struct promql_node *n)
{
    struct promql_found *f;
    struct storage_ids ids;

    if (n->found != NULL)
        return n->found;
    f = arena_new(ev->keep, struct promql_found);
    n->found = f;
    if (n->selector == NULL)
        return f;
    ids = storage_ids(ev->storage, n->selector);
    f->n = ids.n;
    f->series = arena_array(ev->keep, ids.n, sizeof(f->series[0]));
    storage_read(ev->storage, ids.v, ids.n, f->series);
    f->labels = arena_array(ev->keep, ids.n, sizeof(f->labels[0]));
    for (size_t i = 0; i < ids.n; i++)
        f->labels[i] = storage_labels(ev->storage, ids.v[i], ev->keep);
    return f;
}
