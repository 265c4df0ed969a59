/* Classic histograms, collected by base name, labels and time, as native ones with custom buckets. */
#include "load.h"

#include <math.h>
#include <stdlib.h>
#include "base/vec.h"
#include "codec/float.h"
#include "model/labels.h"
#include "promql/label_sets.h"

struct bucket {
    double upper, count; /* cumulative */
};

struct classic {
    ts_ms t;
    VEC(struct bucket) buckets;
    double count, sum;
    bool has_count;
};

struct base {
    struct labels labels; /* with the base name, without le */
    VEC(struct classic) at;
};

struct nhcb {
    struct arena a;
    struct label_sets by_labels;
    VEC(struct base) bases;
};

struct nhcb *nhcb_new(void)
{
    struct nhcb *n = mem_new(struct nhcb);

    arena_init(&n->a, 0);
    return n;
}

void nhcb_free(struct nhcb *n)
{
    if (n == NULL)
        return;
    VEC_EACH (struct base *, b, &n->bases) {
        VEC_EACH (struct classic *, c, &b->at)
            vec_release(&c->buckets);
        vec_release(&b->at);
    }
    vec_release(&n->bases);
    label_sets_release(&n->by_labels);
    arena_release(&n->a);
    mem_free(n);
}

/* -- collecting -- */

static struct classic *classic_of(struct nhcb *n, struct labels ls, str name, ts_ms t)
{
    struct label *l = arena_array(&n->a, 2, sizeof(*l));
    struct base *b;
    bool is_new;
    uint32_t at;

    l[0] = (struct label){S("__name__"), name};
    l[1] = (struct label){S("le"), STR_NONE};
    ls = labels_copy(&n->a, labels_merge(&n->a, ls, (struct labels){l, 2}));
    at = *label_sets_add(&n->by_labels, ls, (uint32_t)n->bases.n, &is_new);
    if (is_new)
        vec_push(&n->bases, (struct base){.labels = ls});
    b = &n->bases.v[at];
    VEC_EACH (struct classic *, c, &b->at)
        if (c->t == t)
            return c;
    vec_push(&b->at, (struct classic){.t = t});
    return vec_last(&b->at);
}

static bool strip(str *name, const char *suffix)
{
    if (!str_ends_with(*name, str_of(suffix)))
        return false;
    *name = str_sub(*name, 0, name->n - strlen(suffix));
    return true;
}

static void add_bucket(struct nhcb *n, struct labels ls, str name, ts_ms t, double v)
{
    struct classic *c;
    double upper;

    if (!float_parse(labels_get(ls, S("le")), &upper, NULL) || isnan(upper))
        return;
    c = classic_of(n, ls, name, t);
    VEC_EACH (struct bucket *, b, &c->buckets)
        if (b->upper == upper) {
            b->count = v;
            return;
        }
    vec_push(&c->buckets, (struct bucket){upper, v});
}

void nhcb_add(struct nhcb *n, struct labels ls, ts_ms t, double v)
{
    str name = labels_get(ls, S("__name__"));

    if (strip(&name, "_bucket"))
        add_bucket(n, ls, name, t, v);
    else if (strip(&name, "_count")) {
        struct classic *c = classic_of(n, ls, name, t);

        c->count = v;
        c->has_count = true;
    } else if (strip(&name, "_sum"))
        classic_of(n, ls, name, t)->sum = v;
}

/* -- converting -- */

static int by_upper(const void *a, const void *b)
{
    const struct bucket *x = a, *y = b;

    return (x->upper > y->upper) - (x->upper < y->upper);
}

static bool close_buckets(struct classic *c, struct err *e)
{
    double before = 0;

    if (c->buckets.n > 1)
        qsort(c->buckets.v, c->buckets.n, sizeof(c->buckets.v[0]), by_upper);
    if (!c->has_count && c->buckets.n != 0)
        c->count = vec_last(&c->buckets)->count;
    if (c->buckets.n == 0 || vec_last(&c->buckets)->upper != INFINITY)
        vec_push(&c->buckets, (struct bucket){INFINITY, c->count});
    VEC_EACH (struct bucket *, b, &c->buckets) {
        if (!(b->count >= before))
            return err_set(e, ERR_INVALID, "classic histogram: counts are not cumulative");
        before = b->count;
    }
    return true;
}

static bool convert(struct classic *c, struct arena *a, struct histogram *out, struct err *e)
{
    struct histogram_span *span = arena_new(a, struct histogram_span);
    double *bounds, *counts;
    size_t n;

    if (!close_buckets(c, e))
        return false;
    n = c->buckets.n;
    bounds = arena_array(a, n, sizeof(*bounds));
    counts = arena_array(a, n, sizeof(*counts));
    for (size_t i = 0; i < n; i++) {
        bounds[i] = c->buckets.v[i].upper;
        counts[i] = c->buckets.v[i].count - (i != 0 ? c->buckets.v[i - 1].count : 0);
    }
    *span = (struct histogram_span){0, (uint32_t)n};
    *out = (struct histogram){.schema = HISTOGRAM_CUSTOM,
                              .count = c->count,
                              .sum = c->sum,
                              .positive = {span, counts, 1, (uint32_t)n},
                              .bounds = bounds,
                              .n_bounds = (uint32_t)n - 1};
    return true;
}

bool nhcb_store(struct nhcb *n, struct mem_storage *m, struct err *e)
{
    VEC_EACH (struct base *, b, &n->bases)
        VEC_EACH (struct classic *, c, &b->at) {
            struct histogram h;

            if (!convert(c, &n->a, &h, e) ||
                !mem_storage_append_histogram(m, b->labels, c->t, &h, 0, e))
                return false;
        }
    return true;
}
