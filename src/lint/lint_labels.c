/* One function a kind of node, from the leaves up; at the end, what two shapes say of a join. */
#include "lint/lint_labels.h"

#include "promql/functions.h"

/* -- shapes -- */

static struct label_trait *label_shape_find(const struct label_shape *s, str name)
{
    for (size_t i = 0; i < s->n; i++)
        if (str_eq(s->v[i].name, name))
            return &s->v[i];
    return NULL;
}

struct label_trait label_shape_get(const struct label_shape *s, str name)
{
    const struct label_trait *hit = label_shape_find(s, name);

    if (hit != NULL)
        return *hit;
    return (struct label_trait){name, s->is_open ? LABEL_MAYBE : LABEL_GONE, STR_NONE};
}

static void shape_set(struct label_shape *s, struct label_trait t, struct arena *a)
{
    struct label_trait *hit = label_shape_find(s, t.name);

    if (hit != NULL) {
        *hit = t;
        return;
    }
    s->v = arena_copy(a, s->v, s->n, s->n + 1, sizeof(*s->v));
    s->v[s->n++] = t;
}

static struct label_shape shape_copy(const struct label_shape *s, struct arena *a)
{
    return (struct label_shape){s->is_open, arena_copy(a, s->v, s->n, s->n + 1, sizeof(*s->v)),
                                s->n};
}

static void shape_drop(struct label_shape *s, str name, struct arena *a)
{
    shape_set(s, (struct label_trait){name, LABEL_GONE, STR_NONE}, a);
}

/* Two colons make a recorded one; ALERTS has what its rules say. */
static bool is_scraped(const struct promql_selector *x)
{
    return x->name.n != 0 && str_find(x->name, ':') < 0 && !str_starts_with(x->name, S("ALERTS"));
}

/* Of a selector: what its matchers say, and what a scrape adds. */
static struct label_shape shape_of_selector(const struct promql_selector *x, struct arena *a)
{
    struct label_shape s = {.is_open = true};

    if (is_scraped(x)) {
        shape_set(&s, (struct label_trait){S("job"), LABEL_THERE, STR_NONE}, a);
        shape_set(&s, (struct label_trait){S("instance"), LABEL_THERE, STR_NONE}, a);
    }

    for (size_t i = 0; i < x->matchers.n; i++) {
        const struct matcher *m = &x->matchers.v[i];

        if (m->op == MATCH_EQ && m->value.n != 0)
            shape_set(&s, (struct label_trait){m->name, LABEL_KNOWN, m->value}, a);
        else if (m->op == MATCH_EQ)
            shape_drop(&s, m->name, a);
        else if (!matcher_matches(m, S("")) && label_shape_get(&s, m->name).is == LABEL_MAYBE)
            shape_set(&s, (struct label_trait){m->name, LABEL_THERE, STR_NONE}, a);
    }
    return s;
}

/* The labels of one that are in the list, and no others. */
static struct label_shape shape_only(const struct label_shape *s, const str *names, size_t n,
                                     struct arena *a)
{
    struct label_shape out = {.is_open = false};

    for (size_t i = 0; i < n; i++)
        shape_set(&out, label_shape_get(s, names[i]), a);
    return out;
}

/* Who names a label in by (...) means that it is there. */
static void shape_means(struct label_shape *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].is == LABEL_MAYBE)
            s->v[i].is = LABEL_THERE;
}

static struct label_shape shape_without(const struct label_shape *s, const str *names, size_t n,
                                        struct arena *a)
{
    struct label_shape out = shape_copy(s, a);

    for (size_t i = 0; i < n; i++)
        shape_drop(&out, names[i], a);
    return out;
}

static struct label_shape shape_of_aggregate(const struct promql_expr *x, struct arena *a)
{
    struct label_shape in = label_shape_of(x->aggregate.expr, a), out;

    switch (x->aggregate.op) {
    case PROMQL_TOPK:
    case PROMQL_BOTTOMK:
    case PROMQL_LIMITK:
    case PROMQL_LIMIT_RATIO: return in;
    default: break;
    }
    if (x->aggregate.is_without) {
        out = shape_without(&in, x->aggregate.labels, x->aggregate.n_labels, a);
        shape_drop(&out, S("__name__"), a);
    } else {
        out = shape_only(&in, x->aggregate.labels, x->aggregate.n_labels, a);
        shape_means(&out);
    }
    if (x->aggregate.op == PROMQL_COUNT_VALUES) {
        const struct promql_expr *name = promql_unwrap(x->aggregate.param);

        if (name->kind == PROMQL_TEXT)
            shape_set(&out, (struct label_trait){name->text, LABEL_MAYBE, STR_NONE}, a);
    }
    return out;
}

/* Labels of absent(): what equalities say, once each. */
static struct label_shape shape_of_absent(const struct promql_expr *arg, struct arena *a)
{
    struct label_shape s = {.is_open = false};
    const struct promql_expr *in = promql_unwrap(arg);

    if (in->kind == PROMQL_RANGE)
        in = in->range.selector;
    if (in->kind != PROMQL_SELECTOR)
        return s;
    s = shape_of_selector(&in->selector, a);
    s.is_open = false;
    shape_drop(&s, S("__name__"), a);
    for (size_t i = 0; i < s.n; i++)
        if (s.v[i].is == LABEL_KNOWN)
            s.v[i].is = LABEL_MAYBE; /* not where it is matched twice */
        else
            s.v[i].is = LABEL_GONE;
    return s;
}

static bool is_function(const struct promql_expr *x, const char *name)
{
    return strcmp(x->call.fn->name, name) == 0;
}

static struct label_shape shape_of_call(const struct promql_expr *x, struct arena *a)
{
    struct label_shape s = {.is_open = false};
    const struct promql_expr *vector = NULL;

    for (size_t i = 0; i < x->call.n_args && vector == NULL; i++)
        if (x->call.args[i]->type == PROMQL_T_VECTOR || x->call.args[i]->type == PROMQL_T_MATRIX)
            vector = x->call.args[i];
    if (is_function(x, "absent") || is_function(x, "absent_over_time"))
        return shape_of_absent(x->call.args[0], a);
    if (vector == NULL || is_function(x, "scalar"))
        return s;
    s = label_shape_of(vector, a);
    if (is_function(x, "info")) {
        s.is_open = true;
    } else if (is_function(x, "label_replace") || is_function(x, "label_join")) {
        const struct promql_expr *dst = promql_unwrap(x->call.args[1]);

        if (dst->kind == PROMQL_TEXT)
            shape_set(&s, (struct label_trait){dst->text, LABEL_MAYBE, STR_NONE}, a);
        return s;
    } else if (is_function(x, "histogram_quantile") || is_function(x, "histogram_fraction")) {
        shape_drop(&s, S("le"), a);
    } else if (is_function(x, "sort") || is_function(x, "sort_desc") ||
               is_function(x, "sort_by_label") || is_function(x, "sort_by_label_desc") ||
               is_function(x, "last_over_time") || is_function(x, "first_over_time")) {
        return s;
    }
    shape_drop(&s, S("__name__"), a);
    return s;
}

/* What both sides of "or" agree on. */
static struct label_shape shape_union(const struct label_shape *x, const struct label_shape *y,
                                      struct arena *a)
{
    struct label_shape out = {.is_open = x->is_open || y->is_open};

    for (int side = 0; side < 2; side++) {
        const struct label_shape *one = side == 0 ? x : y, *other = side == 0 ? y : x;

        for (size_t i = 0; i < one->n; i++) {
            struct label_trait p = one->v[i], q = label_shape_get(other, p.name);

            if (p.is != q.is || (p.is == LABEL_KNOWN && !str_eq(p.value, q.value)))
                p.is = LABEL_MAYBE;
            shape_set(&out, p, a);
        }
    }
    return out;
}

static struct label_shape shape_of_matched(const struct promql_expr *x, struct arena *a)
{
    const struct promql_matching *m = x->binary.matching;
    bool is_right = m->card == PROMQL_ONE_TO_MANY;
    struct label_shape many = label_shape_of(is_right ? x->binary.rhs : x->binary.lhs, a),
                       one = label_shape_of(is_right ? x->binary.lhs : x->binary.rhs, a), out;

    if (m->card == PROMQL_ONE_TO_ONE)
        out = m->is_on ? shape_only(&many, m->labels, m->n_labels, a)
                       : shape_without(&many, m->labels, m->n_labels, a);
    else
        out = shape_copy(&many, a);
    for (size_t i = 0; i < m->n_include; i++)
        shape_set(&out, label_shape_get(&one, m->include[i]), a);
    return out;
}

static struct label_shape shape_of_binary(const struct promql_expr *x, struct arena *a)
{
    const struct promql_op_info *op = promql_op_info(x->binary.op);
    bool left = x->binary.lhs->type == PROMQL_T_VECTOR,
         right = x->binary.rhs->type == PROMQL_T_VECTOR;
    struct label_shape s = {.is_open = false};

    if (x->binary.op == PROMQL_OR) {
        struct label_shape l = label_shape_of(x->binary.lhs, a),
                           r = label_shape_of(x->binary.rhs, a);

        return shape_union(&l, &r, a);
    }
    if (op->is_set)
        return label_shape_of(x->binary.lhs, a);
    if (!left && !right)
        return s;
    s = left && right ? shape_of_matched(x, a)
                      : label_shape_of(left ? x->binary.lhs : x->binary.rhs, a);
    if (!op->is_comparison || x->binary.is_bool)
        shape_drop(&s, S("__name__"), a);
    return s;
}

struct label_shape label_shape_of(const struct promql_expr *x, struct arena *a)
{
    struct label_shape s = {.is_open = false};

    switch (x->kind) {
    case PROMQL_SELECTOR: return shape_of_selector(&x->selector, a);
    case PROMQL_RANGE: return label_shape_of(x->range.selector, a);
    case PROMQL_SUBQUERY: return label_shape_of(x->subquery.expr, a);
    case PROMQL_PAREN: return label_shape_of(x->inner, a);
    case PROMQL_CALL: return shape_of_call(x, a);
    case PROMQL_AGGREGATE: return shape_of_aggregate(x, a);
    case PROMQL_BINARY: return shape_of_binary(x, a);
    case PROMQL_UNARY:
        s = label_shape_of(x->unary.expr, a);
        shape_drop(&s, S("__name__"), a);
        return s;
    default: return s;
    }
}

bool label_may_be_added(str name)
{
    static const char *const added[] = {"job",      "instance",  "cluster",     "namespace",
                                        "pod",      "container", "node",        "service",
                                        "endpoint", "region",    "zone",        "env",
                                        "hostname", "host",      "environment", "datacenter"};

    for (size_t i = 0; i < ARRAY_LEN(added); i++)
        if (str_is(name, added[i]))
            return true;
    return false;
}

/* -- matching -- */

static bool is_listed(const struct promql_matching *m, str name)
{
    for (size_t i = 0; i < m->n_labels; i++)
        if (str_eq(m->labels[i], name))
            return true;
    return false;
}

static bool traits_clash(struct label_trait x, struct label_trait y)
{
    if (x.is == LABEL_KNOWN && y.is == LABEL_KNOWN)
        return !str_eq(x.value, y.value);
    return (x.is >= LABEL_THERE && y.is == LABEL_GONE) ||
           (x.is == LABEL_GONE && y.is >= LABEL_THERE);
}

bool label_shapes_clash(const struct promql_matching *m, const struct label_shape *left,
                        const struct label_shape *right, struct label_clash *why)
{
    for (int side = 0; side < 2; side++) {
        const struct label_shape *one = side == 0 ? left : right;

        for (size_t i = 0; i < one->n; i++) {
            str name = one->v[i].name;

            if (str_is(name, "__name__") || is_listed(m, name) != m->is_on)
                continue;
            *why = (struct label_clash){name, label_shape_get(left, name),
                                        label_shape_get(right, name)};
            if (traits_clash(why->left, why->right))
                return true;
        }
    }
    return false;
}
