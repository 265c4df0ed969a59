/* Subqueries: an expression at the multiples of the step within a window that is open to the left.
 *
 *     [5m:2m] at 10:01               instants at 9:58, 10:00: multiples of 2 min after 9:56
 *
 * From step to step of a range query a window loses its oldest instants and gets new ones. Under a plan those that two windows
 * have are computed once; the plain evaluator computes each window anew, and both say, read and count the same: what computing
 * an instant took is counted again, and an instant that had something to say, or a histogram, ends with its window.
 */
#include "promql/eval.h"

#include <stdlib.h>
#include "base/vec.h"

/* place: twice where the sample stood among those of its instant, and whether it drops its name. */
struct subquery_series {
    struct labels labels;
    VEC(ts_ms) times;
    VEC(storage_slot) slots;
    VEC(uint32_t) places;
    size_t begin; /* of the window, in these */
    VEC(struct promql_hpoint) h;
    VEC(uint32_t) h_places;
};

/* What an instant took. */
struct subquery_instant {
    ts_ms t;
    uint64_t read;
    size_t peak, weight;
};

struct promql_subquery {
    struct promql_subquery *next;
    struct promql_node *node;
    VEC(struct subquery_instant) instants; /* of the window, in turn */
    VEC(struct subquery_series) series;
    struct label_sets by_labels;
    struct arena a; /* labels */
    size_t held;    /* samples of the window */
    bool is_spent;  /* it is good for this window alone */
};

static struct promql_subquery *subquery_of(struct promql_eval *ev, struct promql_node *n)
{
    struct promql_subquery *q = n->subquery;

    if (q != NULL)
        return q;
    n->subquery = q = mem_new(struct promql_subquery);
    q->node = n;
    q->next = ev->subqueries;
    ev->subqueries = q;
    arena_init(&q->a, 0);
    return q;
}

static void subquery_forget(struct promql_subquery *q)
{
    VEC_EACH (struct subquery_series *, s, &q->series) {
        vec_release(&s->times);
        vec_release(&s->slots);
        vec_release(&s->places);
        vec_release(&s->h);
        vec_release(&s->h_places);
    }
    vec_clear(&q->series);
    vec_clear(&q->instants);
    label_sets_release(&q->by_labels);
    arena_reset(&q->a);
    q->held = 0;
    q->is_spent = false;
}

void promql_subqueries_end(struct promql_eval *ev)
{
    while (ev->subqueries != NULL) {
        struct promql_subquery *q = ev->subqueries;

        ev->subqueries = q->next;
        q->node->subquery = NULL;
        subquery_forget(q);
        vec_release(&q->series);
        vec_release(&q->instants);
        arena_release(&q->a);
        mem_free(q);
    }
}

/* -- from window to window -- */

static bool subquery_goes_on(const struct promql_eval *ev, const struct promql_subquery *q,
                             ts_ms first, ts_ms to)
{
    if (ev->plan == NULL || q->is_spent || q->instants.n == 0)
        return false;
    return first >= q->instants.v[0].t && vec_last(&q->instants)->t <= to;
}

/* What has gone stays in front until it is as much as what is there. */
static void subquery_series_drop(struct subquery_series *s, ts_ms first)
{
    size_t left;

    while (s->begin < s->times.n && s->times.v[s->begin] < first)
        s->begin++;
    left = s->times.n - s->begin;
    if (s->begin == 0 || s->begin < left)
        return;
    memmove(s->times.v, s->times.v + s->begin, left * sizeof(s->times.v[0]));
    memmove(s->slots.v, s->slots.v + s->begin, left * sizeof(s->slots.v[0]));
    memmove(s->places.v, s->places.v + s->begin, left * sizeof(s->places.v[0]));
    s->times.n = s->slots.n = s->places.n = left;
    s->begin = 0;
}

static void subquery_drop(struct promql_subquery *q, ts_ms first)
{
    size_t gone = 0;

    while (gone < q->instants.n && q->instants.v[gone].t < first)
        q->held -= q->instants.v[gone++].weight;
    if (gone == 0)
        return;
    q->instants.n -= gone;
    memmove(q->instants.v, q->instants.v + gone, q->instants.n * sizeof(q->instants.v[0]));
    VEC_EACH (struct subquery_series *, s, &q->series)
        subquery_series_drop(s, first);
}

static bool subquery_count_again(struct promql_eval *ev, const struct promql_subquery *q)
{
    VEC_EACH (const struct subquery_instant *, i, &q->instants)
        if (!promql_spend(ev, i->peak, i->read) || !promql_charge(ev, i->weight))
            return false;
    return true;
}

/* -- an instant -- */

static void subquery_add(struct promql_subquery *q, struct promql_eval *ev, ts_ms t,
                         const struct promql_sample *s, uint32_t place)
{
    uint32_t *at = label_sets_get(&q->by_labels, s->labels);
    struct subquery_series *k;

    if (at == NULL) {
        struct labels ls = labels_copy(&q->a, s->labels);
        bool is_new;

        at = label_sets_add(&q->by_labels, ls, (uint32_t)q->series.n, &is_new);
        vec_push(&q->series, (struct subquery_series){.labels = ls});
    }
    assume(q->series.v != NULL); /* by_labels holds places in it */
    k = &q->series.v[*at];
    if (s->h == NULL) {
        storage_slot slot;

        memcpy(&slot, &s->v, sizeof(slot));
        vec_push(&k->times, t);
        vec_push(&k->slots, slot);
        vec_push(&k->places, place);
    } else {
        struct histogram *h = arena_new(ev->a, struct histogram);

        /* What the store knew about the sample before does not hold for the instant before. */
        *h = histogram_copy(ev->a, s->h);
        if (h->hint != HISTOGRAM_GAUGE)
            h->hint = HISTOGRAM_UNKNOWN;
        vec_push(&k->h, (struct promql_hpoint){.t = t, .h = h});
        vec_push(&k->h_places, place);
        q->is_spent = true;
    }
}

static bool subquery_has_room(const struct promql_subquery *q, struct promql_eval *ev)
{
    enum { SAMPLE = sizeof(ts_ms) + sizeof(storage_slot) + sizeof(uint32_t) };

    return ev->set.max_bytes == 0 || q->held <= ev->set.max_bytes / SAMPLE ||
           err_set(ev->e, ERR_LIMIT, "query needs more than %zu bytes of memory",
                   ev->set.max_bytes);
}

/* Each instant has memory of its own: of hundreds only the samples may be alive at once. */
static bool subquery_instant(struct promql_subquery *q, struct promql_eval *ev,
                             const struct promql_expr *inner, ts_ms t, struct arena *scratch)
{
    size_t before = ev->samples, peak = ev->peak, said = ev->notes.said;
    struct subquery_instant i = {.t = t, .read = ev->read};
    struct arena *outer = ev->a;
    struct promql_vector v;
    bool ok;

    arena_rewind(scratch);
    ev->steps++;
    ev->peak = before + ev->results;
    ev->a = scratch;
    ok = promql_eval_vector(ev, inner, t, &v);
    ev->a = outer;
    ev->samples = before;
    if (!ok)
        return false;
    for (size_t k = 0; k < v.n; k++)
        subquery_add(q, ev, t, &v.v[k], (uint32_t)k << 1 | v.v[k].drops_name);
    i.read = ev->read - i.read;
    i.peak = ev->peak - before - ev->results;
    i.weight = promql_vector_weight(&v);
    vec_push(&q->instants, i);
    q->is_spent |= ev->notes.said != said;
    q->held += i.weight;
    ev->peak = ev->peak > peak ? ev->peak : peak;
    return promql_charge(ev, i.weight) && subquery_has_room(q, ev);
}

static bool subquery_instants(struct promql_subquery *q, struct promql_eval *ev,
                              const struct promql_expr *inner, ts_ms first, ts_ms to)
{
    struct arena scratch;
    bool ok = true;

    arena_init(&scratch, ev->set.max_bytes);
    for (ts_ms t = first; ok && t <= to; t += q->node->step)
        ok = subquery_instant(q, ev, inner, t, &scratch);
    arena_release(&scratch);
    ev->steps++;
    return ok;
}

/* -- the window -- */

struct subquery_order {
    ts_ms t; /* of its first sample in the window */
    uint32_t place;
    const struct subquery_series *series;
};

static int subquery_by_first(const void *a, const void *b)
{
    const struct subquery_order *x = a, *y = b;

    return x->t != y->t ? (x->t > y->t) - (x->t < y->t)
                        : (x->place > y->place) - (x->place < y->place);
}

/* A series of histograms alone has no times at all. */
static struct promql_window subquery_window(const struct subquery_series *s)
{
    struct promql_window w = {.n = s->times.n - s->begin, .h = s->h.v, .n_h = s->h.n};

    if (w.n != 0) {
        w.times = s->times.v + s->begin;
        w.slots = s->slots.v + s->begin;
    }
    return w;
}

/* In the order in which they come in the window, which sums depend on. */
static void subquery_hand_over(const struct promql_subquery *q, struct arena *a,
                               struct promql_matrix *out)
{
    struct subquery_order *order = arena_array(a, q->series.n, sizeof(*order)), *o;
    bool is_sorted = true;

    VEC_EACH (const struct subquery_series *, s, &q->series) {
        size_t floats = s->times.n - s->begin;

        if (floats + s->h.n == 0)
            continue;
        o = &order[out->n];
        if (floats != 0 && (s->h.n == 0 || s->times.v[s->begin] < s->h.v[0].t))
            *o = (struct subquery_order){s->times.v[s->begin], s->places.v[s->begin], s};
        else
            *o = (struct subquery_order){s->h.v[0].t, s->h_places.v[0], s};
        is_sorted &= out->n == 0 || subquery_by_first(o - 1, o) < 0;
        out->n++;
    }
    if (!is_sorted)
        qsort(order, out->n, sizeof(*order), subquery_by_first);
    out->v = arena_array(a, out->n, sizeof(out->v[0]));
    for (size_t i = 0; i < out->n; i++) {
        const struct subquery_series *s = order[i].series;

        out->v[i] = (struct promql_matrix_series){
            .labels = s->labels, .drops_name = order[i].place & 1, .window = subquery_window(s)};
    }
}

bool promql_eval_subquery(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                          struct promql_matrix *out)
{
    struct promql_node *n = promql_node_of(ev, x);
    struct promql_subquery *q = subquery_of(ev, n);
    ts_ms to = promql_reference(n, t), from = to - n->length, first = from / n->step * n->step;
    bool was_stepped = ev->is_stepped, ok;

    if (first <= from)
        first += n->step;
    out->range = (struct promql_range){
        .from = from, .to = to, .now = t, .seconds = (double)n->length / 1000, .a = ev->a};
    ev->is_stepped = first + n->step <= to;
    if (subquery_goes_on(ev, q, first, to))
        subquery_drop(q, first);
    else
        subquery_forget(q);
    ok = subquery_count_again(ev, q) &&
         subquery_instants(q, ev, x->subquery.expr,
                           q->instants.n != 0 ? vec_last(&q->instants)->t + n->step : first, to);
    ev->is_stepped = was_stepped;
    if (ok)
        subquery_hand_over(q, ev->a, out);
    return ok;
}
