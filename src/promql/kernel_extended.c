/* Anchored and smoothed windows: values at both edges instead of extrapolation.
 *
 * Anchored takes the newest sample at or before the start as the value there. Smoothed interpolates at both edges, with
 * the samples outside as neighbours; of a counter that dropped in between, the left neighbour counts as 0.
 *
 *     1 @ 0 s, 2 @ 15 s, 3 @ 30 s, window (5 s, 25 s]
 *     anchored  left 1, right 2, increase 1
 *     smoothed  left 1.333 right 2.667, increase 1.333
 */
#include "promql/kernel_range.h"

#include "model/histogram_math.h"
#include "model/histogram_reset.h"

/* The samples from the one that gives the left value to the one that gives the right value. */
struct span {
    size_t first, last;
    bool cuts_left, cuts_right; /* the value is interpolated */
};

static ts_ms time_at(const struct promql_window *w, size_t i)
{
    return w->n_h != 0 ? w->h[i].t : w->times[i];
}

/* Index of the first sample, but for the last one, whose time is greater than t, or at least t. */
static size_t search(const struct promql_window *w, size_t n, ts_ms t, bool or_equal)
{
    size_t lo = 0, hi = n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        ts_ms at = time_at(w, mid);

        if (at > t || (or_equal && at == t))
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

static bool find_span(const struct promql_window *w, const struct promql_range *r, struct span *out)
{
    size_t last = (w->n_h != 0 ? w->n_h : w->n) - 1, first = search(w, last, r->from, false);

    out->first = first != 0 ? first - 1 : 0;
    out->last = r->is_smoothed ? search(w, last, r->to, true) : last;
    out->cuts_left = r->is_smoothed && time_at(w, out->first) < r->from;
    out->cuts_right = r->is_smoothed && out->last != 0 && time_at(w, out->last) > r->to;
    return time_at(w, out->last) > r->from && time_at(w, out->first) <= r->to;
}

static double kernel_extended_share(const struct promql_window *w, size_t i, ts_ms t)
{
    return (double)(t - time_at(w, i)) / (double)(time_at(w, i + 1) - time_at(w, i));
}

/* -- floats -- */

/* The value at t between samples i and i + 1. */
static double kernel_extended_between(const struct promql_window *w, size_t i, ts_ms t,
                                      bool is_counter)
{
    double a = promql_at(w, i), b = promql_at(w, i + 1);

    if (is_counter && b < a)
        a = 0;
    return a + (b - a) * (double)(t - w->times[i]) / (double)(w->times[i + 1] - w->times[i]);
}

static double left_float(const struct promql_window *w, const struct span *s, ts_ms from,
                         bool is_counter)
{
    return s->cuts_left ? kernel_extended_between(w, s->first, from, is_counter)
                        : promql_at(w, s->first);
}

static double right_float(const struct promql_window *w, const struct span *s, ts_ms to,
                          bool is_counter)
{
    return s->cuts_right ? kernel_extended_between(w, s->last - 1, to, is_counter)
                         : promql_at(w, s->last);
}

static double extended_float(const struct promql_window *w, const struct promql_range *r,
                             const struct span *s, bool is_counter)
{
    double correction = 0;

    /* A drop that the left edge was interpolated across is in its value already. */
    for (size_t i = s->first + (s->cuts_left ? 1 : 0); is_counter && i < s->last; i++)
        if (promql_at(w, i + 1) < promql_at(w, i))
            correction += promql_at(w, i);
    return right_float(w, s, r->to, is_counter) - left_float(w, s, r->from, is_counter) +
           correction;
}

size_t promql_extend_floats(const struct promql_window *w, const struct promql_range *r,
                            ts_ms *times, storage_slot *slots)
{
    struct span s;
    double edge[2];
    size_t n = 0;

    if (w->n == 0 || !find_span(w, r, &s))
        return 0;
    edge[0] = left_float(w, &s, r->from, false);
    edge[1] = right_float(w, &s, r->to, false);
    times[n] = r->from;
    memcpy(&slots[n++], &edge[0], sizeof(slots[0]));
    for (size_t i = s.first; i <= s.last; i++) {
        if (w->times[i] <= r->from || w->times[i] >= r->to)
            continue;
        times[n] = w->times[i];
        slots[n++] = w->slots[i];
    }
    times[n] = r->to;
    memcpy(&slots[n++], &edge[1], sizeof(slots[0]));
    return n;
}

/* -- histograms -- */

static unsigned between_histograms(const struct promql_window *w, size_t i, ts_ms t,
                                   bool is_counter, struct arena *a, struct histogram *out)
{
    const struct histogram *x = w->h[i].h, *y = w->h[i + 1].h;
    struct histogram step, part;
    unsigned notes;

    if (histogram_is_custom(x) != histogram_is_custom(y))
        return NOTE_MIXED_SCHEMAS;
    if (is_counter && histogram_is_reset(y, x)) {
        *out = histogram_mul(a, y, kernel_extended_share(w, i, t));
        return 0;
    }
    notes = promql_histogram_notes(histogram_sub(a, y, x, &step), NOTE_RECONCILED_SUB);
    part = histogram_mul(a, &step, kernel_extended_share(w, i, t));
    return notes | promql_histogram_notes(histogram_add(a, x, &part, out), NOTE_RECONCILED_ADD);
}

static unsigned hint_notes(const struct promql_window *w, const struct span *s, bool is_counter)
{
    if (!is_counter)
        return w->h[s->first].h->hint != HISTOGRAM_GAUGE || w->h[s->last].h->hint != HISTOGRAM_GAUGE
                   ? NOTE_NOT_GAUGE
                   : 0;
    for (size_t i = s->first; i <= s->last; i++)
        if (w->h[i].h->hint == HISTOGRAM_GAUGE)
            return NOTE_NOT_COUNTER;
    return 0;
}

static bool is_mixed(const struct promql_window *w, const struct span *s)
{
    for (size_t i = s->first + 1; i <= s->last; i++)
        if (histogram_is_custom(w->h[i].h) != histogram_is_custom(w->h[s->first].h))
            return true;
    return false;
}

static unsigned extended_histogram(const struct promql_window *w, const struct promql_range *r,
                                   const struct span *s, bool is_counter, struct histogram *out)
{
    struct histogram left = *w->h[s->first].h, right = *w->h[s->last].h;
    struct histogram_sum total;
    unsigned notes = 0;

    if (is_counter && is_mixed(w, s))
        return NOTE_MIXED_SCHEMAS;
    if (s->cuts_left)
        notes |= between_histograms(w, s->first, r->from, is_counter, r->a, &left);
    if (s->cuts_right)
        notes |= between_histograms(w, s->last - 1, r->to, is_counter, r->a, &right);
    histogram_sum_init(&total, r->a, &right);
    notes |= promql_histogram_notes(histogram_sum_sub(&total, &left), NOTE_RECONCILED_SUB);
    for (size_t i = s->first + (s->cuts_left ? 1 : 0); is_counter && i < s->last; i++)
        if (histogram_is_reset(w->h[i + 1].h, w->h[i].h))
            notes |=
                promql_histogram_notes(histogram_sum_add(&total, w->h[i].h), NOTE_RECONCILED_ADD);
    *out = histogram_sum_result(&total);
    out->hint = HISTOGRAM_GAUGE;
    return notes;
}

/* -- what others call -- */

bool promql_extended_rate(const struct promql_window *w, const struct promql_range *r,
                          bool is_counter, bool is_rate, struct promql_value *out)
{
    struct histogram *h;
    struct span s;

    if (!find_span(w, r, &s))
        return false;
    if (w->n_h == 0) {
        out->v = extended_float(w, r, &s, is_counter) / (is_rate ? r->seconds : 1);
        return true;
    }
    h = arena_new(r->a, struct histogram);
    out->notes |= hint_notes(w, &s, is_counter) | extended_histogram(w, r, &s, is_counter, h);
    if (out->notes & NOTE_MIXED_SCHEMAS)
        return false;
    if (is_rate)
        *h = histogram_div(r->a, h, r->seconds);
    out->h = h;
    return true;
}

bool promql_interpolate(const struct promql_window *w, ts_ms at, struct arena *a,
                        struct promql_value *out)
{
    size_t n = w->n + w->n_h, i;
    struct histogram *h;
    bool is_counter;

    if (w->n != 0 && w->n_h != 0) {
        out->notes |= NOTE_MIXED_TYPES;
        return false;
    }
    i = search(w, n, at, true);
    if (i == 0 && (n == 0 || time_at(w, 0) > at))
        return false;
    if (i == n || time_at(w, i) == at) {
        i -= i == n ? 1 : 0;
        out->v = w->n_h == 0 ? promql_at(w, i) : 0;
        out->h = w->n_h != 0 ? w->h[i].h : NULL;
        return true;
    }
    if (w->n_h == 0) {
        out->v = kernel_extended_between(w, i - 1, at, false);
        return true;
    }
    is_counter = w->h[i - 1].h->hint != HISTOGRAM_GAUGE && w->h[i].h->hint != HISTOGRAM_GAUGE;
    h = arena_new(a, struct histogram);
    out->notes |= between_histograms(w, i - 1, at, is_counter, a, h);
    out->h = h;
    return !(out->notes & NOTE_MIXED_SCHEMAS);
}
