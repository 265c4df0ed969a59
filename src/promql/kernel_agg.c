#include "promql/kernel_agg.h"

#include <math.h>
#include "base/buf.h"
#include "base/hash.h"
#include "model/histogram_math.h"

/* -- adding -- */

static void add_moment(struct promql_acc *acc, double v)
{
    double delta;

    acc->mean.n++;
    if (acc->mean.n == 1) {
        acc->mean.k.sum = v;
        acc->v = isfinite(v) ? 0 : NAN;
        return;
    }
    delta = v - acc->mean.k.sum;
    acc->mean.k.sum += delta / acc->mean.n;
    acc->v += delta * (v - acc->mean.k.sum);
}

static void kernel_agg_add_float(enum promql_agg op, struct promql_acc *acc, double v)
{
    switch (op) {
    case PROMQL_SUM: kahan_add(&acc->mean.k, v); break;
    case PROMQL_AVG: promql_mean_add(&acc->mean, v); break;
    case PROMQL_MIN:
        if (!acc->has_float || v < acc->v || isnan(acc->v))
            acc->v = v;
        break;
    case PROMQL_MAX:
        if (!acc->has_float || v > acc->v || isnan(acc->v))
            acc->v = v;
        break;
    case PROMQL_STDDEV:
    case PROMQL_STDVAR: add_moment(acc, v); break;
    default: break;
    }
    acc->has_float = true;
}

static unsigned add_histogram(enum promql_agg op, struct promql_acc *acc, const struct histogram *h,
                              struct arena *a)
{
    unsigned got;

    acc->has_histogram = true;
    if (acc->histograms == NULL) {
        acc->histograms = arena_new(a, struct histogram_sum);
        histogram_sum_init(acc->histograms, a, h);
        return 0;
    }
    got = op == PROMQL_SUM ? histogram_sum_add(acc->histograms, h)
                           : histogram_mean_add(acc->histograms, h);
    acc->is_broken |= (got & HISTOGRAM_INCOMPATIBLE) != 0;
    return (got & HISTOGRAM_INCOMPATIBLE ? NOTE_MIXED_SCHEMAS : 0) |
           (got & HISTOGRAM_COLLISION ? NOTE_COLLISION_AGG : 0) |
           (got & HISTOGRAM_RECONCILED ? NOTE_RECONCILED_AGG : 0);
}

unsigned promql_acc_add(enum promql_agg op, struct promql_acc *acc, double v,
                        const struct histogram *h, struct arena *a)
{
    if (op == PROMQL_COUNT || op == PROMQL_GROUP) {
        acc->has_float = true;
        acc->mean.n++;
        return 0;
    }
    if (h == NULL) {
        kernel_agg_add_float(op, acc, v);
        return 0;
    }
    return op == PROMQL_SUM || op == PROMQL_AVG ? add_histogram(op, acc, h, a)
                                                : (unsigned)PROMQL_ACC_IGNORED;
}

/* -- results -- */

static bool histogram_result(enum promql_agg op, const struct promql_acc *acc, struct arena *a,
                             struct promql_value *out)
{
    struct histogram *h;

    if (acc->is_broken)
        return false;
    h = arena_new(a, struct histogram);
    *h = op == PROMQL_SUM ? histogram_sum_result(acc->histograms)
                          : histogram_mean_result(acc->histograms);
    out->h = h;
    return true;
}

bool promql_acc_result(enum promql_agg op, const struct promql_acc *acc, struct arena *a,
                       struct promql_value *out)
{
    *out = (struct promql_value){.v = acc->v};
    if (acc->has_float && acc->has_histogram) {
        out->notes = NOTE_MIXED_AGGREGATION;
        return false;
    }
    if (acc->has_histogram)
        return histogram_result(op, acc, a, out);
    switch (op) {
    case PROMQL_SUM: out->v = kahan_sum(&acc->mean.k); break;
    case PROMQL_AVG: out->v = promql_mean_result(&acc->mean); break;
    case PROMQL_COUNT: out->v = acc->mean.n; break;
    case PROMQL_GROUP: out->v = 1; break;
    case PROMQL_STDVAR: out->v = acc->v / acc->mean.n; break;
    case PROMQL_STDDEV: out->v = sqrt(acc->v / acc->mean.n); break;
    default: break;
    }
    return acc->has_float;
}

/* -- the k best -- */

/* Whether a goes before b. A NaN is worse than anything. */
static bool is_worse(const struct promql_top *t, double a, double b)
{
    if (isnan(a))
        return true;
    return t->is_bottom ? a > b : a < b;
}

static void kernel_agg_swap(struct promql_top *t, size_t i, size_t j)
{
    struct promql_ranked x = t->v[i];

    t->v[i] = t->v[j];
    t->v[j] = x;
}

static void kernel_agg_sift_down(struct promql_top *t)
{
    size_t i = 0, child;

    while ((child = 2 * i + 1) < t->n) {
        if (child + 1 < t->n && is_worse(t, t->v[child + 1].v, t->v[child].v))
            child++;
        if (!is_worse(t, t->v[child].v, t->v[i].v))
            break;
        kernel_agg_swap(t, i, child);
        i = child;
    }
}

static void kernel_agg_grow(struct promql_top *t, struct arena *a)
{
    t->cap = t->cap != 0 ? t->cap * 2 : 8;
    t->v = arena_copy(a, t->v, t->n, t->cap, sizeof(t->v[0]));
}

void promql_top_add(struct promql_top *t, double v, uint32_t i, struct arena *a)
{
    size_t at = t->n;

    if (t->n < t->k) {
        if (t->n == t->cap)
            kernel_agg_grow(t, a);
        t->v[t->n++] = (struct promql_ranked){v, i};
        for (; at != 0 && is_worse(t, t->v[at].v, t->v[(at - 1) / 2].v); at = (at - 1) / 2)
            kernel_agg_swap(t, at, (at - 1) / 2);
        return;
    }
    if (t->k == 0 || (!is_worse(t, t->v[0].v, v) || isnan(v)))
        return;
    t->v[0] = (struct promql_ranked){v, i};
    kernel_agg_sift_down(t);
}

static bool goes_first(const struct promql_top *t, const struct promql_ranked *a,
                       const struct promql_ranked *b)
{
    if (isnan(a->v) || isnan(b->v))
        return isnan(a->v) == isnan(b->v) ? a->i < b->i : isnan(b->v);
    return a->v == b->v ? a->i < b->i : !is_worse(t, a->v, b->v);
}

/* The top of the heap is the worst: it goes to the end, again and again. */
void promql_top_sort(struct promql_top *t)
{
    size_t n = t->n;

    while (t->n > 1) {
        kernel_agg_swap(t, 0, --t->n);
        kernel_agg_sift_down(t);
    }
    t->n = n;
    for (size_t i = 1; i < n; i++)
        for (size_t j = i; j != 0 && goes_first(t, &t->v[j], &t->v[j - 1]); j--)
            kernel_agg_swap(t, j, j - 1);
}

/* -- limit_ratio -- */

static void add_sized(struct buf *b, str s)
{
    if (s.n < 255)
        buf_addc(b, (char)s.n);
    else {
        char size[4] = {(char)255, (char)s.n, (char)(s.n >> 8), (char)(s.n >> 16)};

        buf_add(b, (str){size, sizeof(size)});
    }
    buf_add(b, s);
}

/* Prometheus' hash of its packed labels as a share of all hashes. */
bool promql_ratio_keeps(double ratio, struct labels ls)
{
    struct buf b = BUF_INIT;
    double share;

    LABELS_EACH (l, ls) {
        add_sized(&b, l->name);
        add_sized(&b, l->value);
    }
    share = (double)hash_xxh64(buf_str(&b)) / 18446744073709551616.0;
    buf_release(&b);
    return ratio >= 0 ? share < ratio : share >= 1 + ratio;
}
