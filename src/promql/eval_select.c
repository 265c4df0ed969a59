/* Selectors: the newest sample within the lookback, or all samples of a range. Windows and lookback are open to the left: a
 * sample exactly as old as the window is long is out.
 *
 *     lookback 5 min, at 10:00       samples at 9:55 (out), 9:56, 9:58 -> the one of 9:58
 *     [5m] at 10:00                  9:56 and 9:58
 */
#include "promql/eval.h"

#include "base/vec.h"

ts_ms promql_reference(const struct promql_node *n, ts_ms t)
{
    return (n->has_at ? n->at : t) - n->offset;
}

/* Index of the first sample after t. */
static size_t eval_select_first_after(const struct storage_series *s, ts_ms t)
{
    size_t lo = 0, hi = s->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (s->times[mid] > t)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

const struct histogram *promql_read_histogram(struct promql_eval *ev, const struct promql_node *n,
                                              const struct storage_series *s, storage_slot slot)
{
    struct histogram *h = arena_new(ev->a, struct histogram);

    storage_histogram(ev->storage, s, slot, h);
    if (h->hint == HISTOGRAM_RESET && !n->shows_resets)
        h->hint = HISTOGRAM_UNKNOWN;
    return h;
}

/* -- instants -- */

/* The newest sample that counts at ref: its index, or SIZE_MAX. */
static size_t eval_select_newest(const struct promql_eval *ev, const struct storage_series *s,
                                 ts_ms ref)
{
    size_t i = eval_select_first_after(s, ref);

    while (i != 0 && storage_at(s, i - 1) == STORAGE_ABSENT)
        i--;
    if (i == 0 || s->times[i - 1] <= ref - ev->set.lookback ||
        storage_at(s, i - 1) == STORAGE_STALE)
        return SIZE_MAX;
    return i - 1;
}

bool promql_newest(const struct promql_eval *ev, const struct storage_series *s, ts_ms ref,
                   ts_ms *t, bool *is_histogram)
{
    size_t i = eval_select_newest(ev, s, ref);

    if (i == SIZE_MAX)
        return false;
    *t = s->times[i];
    *is_histogram = storage_is_histogram(storage_at(s, i));
    return true;
}

/* selector smoothed: between the neighbours. */
static void push_smoothed(struct promql_eval *ev, const struct promql_expr *x, struct labels ls,
                          const struct storage_series *s, ts_ms ref, struct promql_vector *out)
{
    const struct promql_node *n = promql_node_of(ev, x);
    struct promql_value v = {.v = 0};
    struct promql_window w;

    promql_read_window(ev, n, s, ref - ev->set.lookback, ref + ev->set.lookback, &w);
    if (promql_interpolate(&w, ref, ev->a, &v))
        promql_push(ev, out, (struct promql_sample){.labels = ls, .v = v.v, .h = v.h});
    promql_notes_add(&ev->notes, v.notes, promql_metric(ls), x->at);
}

bool promql_eval_selector(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                          struct promql_vector *out)
{
    struct promql_node *n = promql_node_of(ev, x);
    const struct promql_found *f = promql_need_series(ev, n);
    ts_ms ref = promql_reference(n, t);

    for (size_t i = 0; i < f->n; i++) {
        const struct storage_series *s = &f->series[i];
        struct promql_sample sample = {.labels = f->labels[i]};
        storage_slot slot;
        size_t k;

        if (x->selector.shift.is_smoothed) {
            push_smoothed(ev, x, f->labels[i], s, ref, out);
            continue;
        }
        k = eval_select_newest(ev, s, ref);
        if (k == SIZE_MAX)
            continue;
        slot = storage_at(s, k);
        if (storage_is_histogram(slot))
            sample.h = promql_read_histogram(ev, n, s, slot);
        else
            sample.v = promql_float(slot);
        promql_push(ev, out, sample);
    }
    ev->read += promql_vector_weight(out);
    return promql_charge(ev, promql_vector_weight(out));
}

bool promql_eval_times(struct promql_eval *ev, const struct promql_expr *x, ts_ms t, bool starts,
                       struct promql_vector *out)
{
    struct promql_node *n = promql_node_of(ev, x);
    const struct promql_found *f = promql_need_series(ev, n);
    ts_ms ref = promql_reference(n, t);

    for (size_t i = 0; i < f->n; i++) {
        const struct storage_series *s = &f->series[i];
        size_t k = eval_select_newest(ev, s, ref);
        ts_ms at;

        if (k == SIZE_MAX)
            continue;
        at = !starts ? s->times[k] : s->starts != NULL ? s->starts[k] : 0;
        promql_push(ev, out,
                    (struct promql_sample){
                        .labels = f->labels[i], .v = (double)at / 1000, .drops_name = true});
    }
    ev->read += out->n;
    return promql_charge(ev, out->n);
}

/* -- ranges -- */

static bool is_float(storage_slot slot)
{
    return slot != STORAGE_STALE && slot != STORAGE_ABSENT && !storage_is_histogram(slot);
}

static const storage_slot *eval_select_slots_of(struct promql_eval *ev,
                                                const struct storage_series *s, size_t begin,
                                                size_t end)
{
    storage_slot *out;

    if (s->codes.bytes == sizeof(storage_slot))
        return (const storage_slot *)s->row + begin;
    out = arena_array(ev->a, end - begin, sizeof(*out));
    storage_row_slots(s->row, &s->codes, begin, end, out);
    return out;
}

/* The series' own arrays when the range holds nothing but floats, or their slots; else its floats and histograms apart. */
void promql_read_window(struct promql_eval *ev, const struct promql_node *node,
                        const struct storage_series *s, ts_ms from, ts_ms to,
                        struct promql_window *out)
{
    size_t begin = eval_select_first_after(s, from), end = eval_select_first_after(s, to), n = 0,
           n_h = 0;
    struct promql_hpoint *h;
    ts_ms *times, *starts;
    storage_slot *slots;
    const storage_slot *all;

    *out = (struct promql_window){0};
    if (begin >= end)
        return;
    all = eval_select_slots_of(ev, s, begin, end);
    *out = (struct promql_window){.times = s->times + begin,
                                  .slots = all,
                                  .starts = s->starts != NULL ? s->starts + begin : NULL};
    for (size_t i = 0; i < end - begin; i++) {
        n += is_float(all[i]);
        n_h += storage_is_histogram(all[i]);
    }
    out->n = n;
    if (n == end - begin)
        return;
    times = arena_array(ev->a, n, sizeof(*times));
    slots = arena_array(ev->a, n, sizeof(*slots));
    starts = arena_array(ev->a, n, sizeof(*starts));
    h = arena_array(ev->a, n_h, sizeof(*h));
    n = n_h = 0;
    for (size_t i = begin; i < end; i++) {
        ts_ms start = s->starts != NULL ? s->starts[i] : 0;

        if (is_float(all[i - begin])) {
            times[n] = s->times[i];
            slots[n] = all[i - begin];
            starts[n++] = start;
        } else if (storage_is_histogram(all[i - begin]))
            h[n_h++] = (struct promql_hpoint){s->times[i], start,
                                              promql_read_histogram(ev, node, s, all[i - begin])};
    }
    *out = (struct promql_window){times, slots, s->starts != NULL ? starts : NULL, n, h, n_h};
}

size_t promql_window_weight(const struct promql_window *w)
{
    size_t total = w->n;

    for (size_t i = 0; i < w->n_h; i++)
        total += promql_weight(w->h[i].h);
    return total;
}

/* Functions look at one window after the other, so only one at a time counts as alive. */
static bool charge_window(struct promql_eval *ev, const struct promql_window *w)
{
    size_t total = promql_window_weight(w);

    return promql_spend(ev, total, total);
}

static bool eval_range(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                       struct promql_matrix *out)
{
    const struct promql_node *n = promql_node_of(ev, x);
    struct promql_node *selector = promql_node_of(ev, x->range.selector);
    const struct promql_found *found = promql_need_series(ev, selector);
    const struct promql_shift *shift = &x->range.selector->selector.shift;
    bool is_extended = shift->is_anchored || shift->is_smoothed;
    ts_ms to = promql_reference(n, t), from = to - n->length;

    out->range = (struct promql_range){.from = from,
                                       .to = to,
                                       .now = t,
                                       .seconds = (double)n->length / 1000,
                                       .is_anchored = shift->is_anchored,
                                       .is_smoothed = shift->is_smoothed,
                                       .uses_starts = ev->set.start_times,
                                       .a = ev->a};
    out->v = arena_array(ev->a, found->n, sizeof(out->v[0]));
    for (size_t i = 0; i < found->n; i++) {
        struct promql_matrix_series *m = &out->v[out->n];

        m->labels = found->labels[i];
        promql_read_window(ev, selector, &found->series[i],
                           is_extended ? from - ev->set.lookback : from,
                           shift->is_smoothed ? to + ev->set.lookback : to, &m->window);
        if (m->window.n + m->window.n_h == 0)
            continue;
        out->n++;
        if (!charge_window(ev, &m->window))
            return false;
    }
    return true;
}

bool promql_eval_matrix(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                        struct promql_matrix *out)
{
    x = promql_unwrap(x);
    *out = (struct promql_matrix){.v = NULL};
    return x->kind == PROMQL_RANGE ? eval_range(ev, x, t, out)
                                   : promql_eval_subquery(ev, x, t, out);
}
