#include "promql/matching.h"

#include <stdlib.h>
#include "promql/eval.h"

static struct promql_names sorted_names(const str *labels, size_t n, str extra, bool are_kept,
                                        struct arena *a)
{
    struct promql_names out = {arena_array(a, n + 1, sizeof(str)), n, are_kept};

    for (size_t i = 0; i < n; i++)
        out.v[i] = labels[i];
    if (extra.n != 0)
        out.v[out.n++] = extra;
    if (out.n > 1)
        qsort(out.v, out.n, sizeof(out.v[0]), str_order);
    return out;
}

struct labels promql_pick(const struct promql_names *names, struct labels ls, struct arena *a)
{
    return names->are_kept ? labels_only(a, ls, names->v, names->n)
                           : labels_without(a, ls, names->v, names->n);
}

struct promql_names promql_signature_names(const struct promql_matching *m, struct arena *a)
{
    return sorted_names(m->labels, m->n_labels, m->is_on ? STR_NONE : S("__name__"), m->is_on, a);
}

struct promql_names promql_group_names(const struct promql_expr *x, str extra, struct arena *a)
{
    return sorted_names(x->aggregate.labels, x->aggregate.n_labels,
                        x->aggregate.is_without ? S("__name__") : extra, !x->aggregate.is_without,
                        a);
}

struct labels promql_join_labels(const struct promql_expr *x, bool delayed_names,
                                 struct labels many, struct labels one, struct arena *a)
{
    const struct promql_matching *m = x->binary.matching;
    struct labels ls = many;

    if (x->binary.op <= PROMQL_ATAN2 || (x->binary.is_bool && !delayed_names))
        ls = promql_nameless(a, ls);
    if (m->card == PROMQL_ONE_TO_ONE) {
        /* ignoring() takes only what it lists: a filter keeps the name. */
        struct promql_names names = sorted_names(m->labels, m->n_labels, STR_NONE, m->is_on, a);

        ls = promql_pick(&names, ls, a);
    }
    for (size_t i = 0; i < m->n_include; i++) {
        struct label *l = arena_new(a, struct label);

        *l = (struct label){m->include[i], labels_get(one, m->include[i])};
        ls = labels_merge(a, ls, (struct labels){l, 1});
    }
    return ls;
}
