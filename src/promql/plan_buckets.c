/* Classic histograms: which rows are the buckets of which, and up to where they count, follows from the labels alone.
 *
 *     histogram_quantile(0.9, sum by (job, le) (x))
 *         rows of the sum  0 {job="a", le="1"}  1 {job="a", le="+Inf"}  2 {job="b", le="1"}  3 {le="?"}
 *         members          0 1 | 2 | 3    two histograms, and behind them the rows that are no bucket
 *         upper            1 +Inf | 1
 *
 * Native histograms, and values of rows that are no bucket, are left to the plain evaluator.
 */
#include "promql/plan_priv.h"

#include <math.h>
#include "codec/float.h"
#include "promql/kernel_buckets.h"

static const str le = S_INIT("le");

/* The labels of a bucket's histogram. */
static struct labels without_le(struct labels ls, struct arena *a)
{
    return labels_without(a, ls, &le, 1);
}

struct plan_row plan_bucket_row(struct promql_plan *p, const struct plan_node *n, size_t row,
                                struct arena *a)
{
    struct plan_row r = plan_row(p, n->a, n->members[n->begin[row]], a);

    r.labels = without_le(r.labels, a);
    return r;
}

/* Numbers the histograms; of[row]: whose bucket it is. */
static size_t number_buckets(struct promql_plan *p, struct plan_node *n, uint32_t *of,
                             double *upper)
{
    struct label_sets seen = {0};
    struct arena a, views;
    size_t histograms;

    arena_init(&a, 0);
    arena_init(&views, 0);
    for (size_t i = 0; i < n->a->n; i++) {
        struct labels ls;

        arena_reset(&a);
        ls = plan_row(p, n->a, i, &a).labels;
        of[i] = float_parse(labels_get(ls, le), &upper[i], NULL)
                    ? plan_number(&seen, without_le(ls, &a), &views)
                    : PLAN_NO_ROW;
    }
    histograms = seen.n;
    label_sets_release(&seen);
    arena_release(&a);
    arena_release(&views);
    return histograms;
}

/* Sorts the rows by what they are members of, one of 0 to groups - 1. Makes room for upper, too. */
static void make_members(struct plan_node *n, const uint32_t *group_of, size_t groups)
{
    uint32_t *end;

    n->upper = mem_resize(n->upper,
                          n->a->n * (sizeof(n->upper[0]) + sizeof(n->members[0])) +
                              (groups + 2) * sizeof(n->begin[0]),
                          1);
    n->members = (uint32_t *)(n->upper + n->a->n);
    n->begin = n->members + n->a->n;
    memset(n->begin, 0, (groups + 2) * sizeof(n->begin[0]));
    end = n->begin + 1;
    for (size_t i = 0; i < n->a->n; i++)
        end[group_of[i] + 1]++;
    for (size_t k = 0; k < groups; k++)
        end[k + 1] += end[k];
    /* end[k] is where group k begins, and moves on to its end: the beginning of the next. */
    for (size_t i = 0; i < n->a->n; i++)
        n->members[end[group_of[i]]++] = (uint32_t)i;
}

void plan_make_buckets(struct promql_plan *p, struct plan_node *n)
{
    uint32_t *of = mem_array(n->a->n + 1, sizeof(*of));
    double *upper = mem_array(n->a->n + 1, sizeof(*upper));

    n->n = number_buckets(p, n, of, upper);
    for (size_t i = 0; i < n->a->n; i++)
        if (of[i] == PLAN_NO_ROW)
            of[i] = (uint32_t)n->n;
    make_members(n, of, n->n + 1);
    for (size_t k = 0; k < n->begin[n->n]; k++)
        n->upper[k] = upper[n->members[k]];
    n->widest = 0;
    for (size_t i = 0; i < n->n; i++)
        if (n->begin[i + 1] - n->begin[i] > n->widest)
            n->widest = n->begin[i + 1] - n->begin[i];
    mem_free(of);
    mem_free(upper);
}

static bool has_others(const struct plan_node *n)
{
    for (size_t k = n->begin[n->n]; k < n->begin[n->n + 1]; k++)
        if (n->a->col->has[n->members[k]] != PLAN_NONE)
            return true;
    return false;
}

static size_t read_buckets(const struct plan_node *n, size_t row, struct promql_bucket *out)
{
    const struct plan_column *in = n->a->col;
    size_t count = 0;

    for (size_t k = n->begin[row]; k < n->begin[row + 1]; k++)
        if (in->has[n->members[k]] != PLAN_NONE)
            out[count++] = (struct promql_bucket){n->upper[k], in->v[n->members[k]]};
    return count;
}

bool plan_quantile(struct promql_eval *ev, struct plan_node *n, double q, ts_ms t)
{
    struct plan_column *c = n->col;
    struct promql_bucket *room;

    c->levelled = PROMQL_NO_EXTENT;
    if (n->a->col->h != NULL || has_others(n))
        return false;
    room = arena_alloc(ev->a, n->widest * sizeof(*room));
    for (size_t i = 0; i < n->n; i++) {
        struct promql_buckets b = {room, read_buckets(n, i, room)};
        struct promql_levelled l;

        c->has[i] = b.n != 0 ? PLAN_FLOAT : PLAN_NONE;
        if (b.n == 0)
            continue;
        c->present++;
        c->v[i] = promql_bucket_quantile(q, &b, &l);
        if (!l.any)
            continue;
        if (ev->set.delayed_names)
            return false; /* each metric is told of by its name */
        promql_extent_add(&c->levelled, (struct promql_extent){l.from, l.to, l.most, 1, t, t});
    }
    return true;
}
