/* What came first stays: those given, then the selectors from left to right. */
#include "promql/made_up.h"

#include "base/vec.h"
#include "model/labels.h"

struct made_up {
    struct arena *a;
    str filler;
    VEC(struct label) v;
};

static void made_up_put(struct made_up *m, str name, str value)
{
    VEC_EACH (const struct label *, l, &m->v)
        if (str_eq(l->name, name))
            return;
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
            made_up_put(m, x->aggregate.labels[i], m->filler);
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

struct labels promql_made_up_labels(const struct promql_expr *x, struct labels given, str filler,
                                    struct arena *a)
{
    struct made_up m = {.a = a, .filler = filler};
    struct labels out;
    str dup;

    LABELS_EACH (l, given)
        made_up_put(&m, l->name, l->value);
    made_up_read(&m, x);
    m.v.n = labels_sort_keep(m.v.v, m.v.n, &dup);
    out = labels_copy(a, (struct labels){m.v.v, m.v.n != SIZE_MAX ? m.v.n : 0});
    vec_release(&m.v);
    return out;
}
