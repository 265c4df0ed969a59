/* Change of counters and gauges over a window.
 *
 * rate, increase and delta know the samples, but are asked about the window: what lies between its edges and the
 * outermost samples is extrapolated, by at most half an interval where a sample seems to be missing, and for counters
 * not below zero. A start timestamp inside of the window is a sample of value 0 instead.
 *
 *     samples 10 @ 15 s, 12 @ 30 s, 3 @ 45 s, window (0 s, 60 s], counter
 *     change   (3 - 10) + 12 for the reset at 45 s = 5
 *     edges    15 s to each, less than 1.1 intervals of 15 s: all of it counts; zero lies 30 s * 10 / 5 before, further
 *     increase 5 * (30 + 15 + 15) / 30 = 10
 */
#include "promql/kernel_range.h"

#include <math.h>
#include "model/histogram_math.h"
#include "model/histogram_reset.h"

/* -- start timestamps -- */

bool promql_start_is_reset(ts_ms t, ts_ms start, ts_ms before, ts_ms before_start)
{
    if (start == 0 || start >= t)
        return false;
    return start > before || (start == before && before_start != 0 && before_start < before);
}

static unsigned overlap(ts_ms start, ts_ms before, ts_ms before_start)
{
    return start != 0 && start < before && start != before_start ? NOTE_OVERLAP : 0;
}

/* -- extrapolation -- */

struct edges {
    ts_ms begin;       /* of what is known: the first sample, or its start timestamp */
    ts_ms first, last; /* samples */
    size_t n;
    bool starts_inside;
    double zero_share; /* first value / change, when a counter limits the extrapolation; else NaN */
};

static double extrapolation(const struct edges *x, const struct promql_range *r)
{
    double span = (double)(x->last - x->begin) / 1000;
    double interval = x->n > 1 ? (double)(x->last - x->first) / 1000 / (double)(x->n - 1) : 0;
    double threshold = interval * 1.1;
    double to_start = (double)(x->begin - r->from) / 1000,
           to_end = (double)(r->to - x->last) / 1000;

    if (x->starts_inside)
        to_start = 0;
    else {
        if (to_start >= threshold)
            to_start = interval / 2;
        if (span * x->zero_share < to_start)
            to_start = span * x->zero_share;
    }
    if (to_end >= threshold)
        to_end = interval / 2;
    return (span + to_start + to_end) / span;
}

/* -- rate, increase, delta -- */

static bool change_floats(const struct promql_window *w, const struct promql_range *r,
                          bool is_counter, struct edges *x, struct promql_value *out)
{
    size_t last = w->n - 1;
    double first = promql_at(w, 0), change = promql_at(w, last) - first;
    bool uses_starts = is_counter && r->uses_starts && w->starts != NULL;

    x->starts_inside =
        uses_starts && w->starts[0] > r->from && w->starts[0] < w->times[0] && w->starts[0] != 0;
    if (w->n < 2 && !x->starts_inside)
        return false;
    for (size_t i = 1; is_counter && i < w->n && (!w->is_rising || uses_starts); i++) {
        double before = promql_at(w, i - 1);

        if (promql_at(w, i) < before ||
            (uses_starts &&
             promql_start_is_reset(w->times[i], w->starts[i], w->times[i - 1], w->starts[i - 1])))
            change += before;
        if (uses_starts)
            out->notes |= overlap(w->starts[i], w->times[i - 1], w->starts[i - 1]);
    }
    if (x->starts_inside)
        change += first;
    x->begin = x->starts_inside ? w->starts[0] : w->times[0];
    x->first = w->times[0];
    x->last = w->times[last];
    x->n = w->n;
    x->zero_share = is_counter && change > 0 && first >= 0 ? first / change : NAN;
    out->v = change;
    return true;
}

static bool change_histograms(const struct promql_window *w, const struct promql_range *r,
                              bool is_counter, struct edges *x, struct promql_value *out)
{
    const struct promql_hpoint *h = w->h;
    struct promql_histogram_rate change;
    struct histogram *result;
    bool uses_starts = is_counter && r->uses_starts, ok;

    x->starts_inside =
        uses_starts && h[0].start > r->from && h[0].start < h[0].t && h[0].start != 0;
    if (w->n_h < 2 && !x->starts_inside)
        return false;
    for (size_t i = 1; uses_starts && i < w->n_h; i++)
        out->notes |= overlap(h[i].start, h[i - 1].t, h[i - 1].start);
    ok = promql_increase_histograms(w, r, is_counter, x->starts_inside, &change);
    out->notes |= change.notes;
    if (!ok)
        return false;
    x->begin = x->starts_inside ? h[0].start : h[0].t;
    x->first = h[0].t;
    x->last = h[w->n_h - 1].t;
    x->n = w->n_h;
    x->zero_share = is_counter && change.result.count > 0 && h[0].h->count >= 0
                        ? h[0].h->count / change.result.count
                        : NAN;
    result = arena_new(r->a, struct histogram);
    *result = change.result;
    out->h = result;
    return true;
}

static bool extrapolated(const struct promql_window *w, const struct promql_range *r,
                         bool is_counter, bool is_rate, struct promql_value *out)
{
    struct edges x = {.begin = 0};
    double factor;

    if (w->n != 0 && w->n_h != 0) {
        out->notes |= NOTE_MIXED_TYPES;
        return false;
    }
    if (r->is_anchored || r->is_smoothed)
        return promql_extended_rate(w, r, is_counter, is_rate, out);
    if (w->n_h != 0 ? !change_histograms(w, r, is_counter, &x, out)
                    : !change_floats(w, r, is_counter, &x, out))
        return false;
    factor = extrapolation(&x, r);
    if (is_rate)
        factor /= r->seconds;
    if (out->h != NULL) {
        struct histogram *scaled = arena_new(r->a, struct histogram);

        *scaled = histogram_mul(r->a, out->h, factor);
        out->h = scaled;
    } else
        out->v *= factor;
    return true;
}

bool promql_rate(const struct promql_window *w, const struct promql_range *r,
                 struct promql_value *out)
{
    return extrapolated(w, r, true, true, out);
}

bool promql_increase(const struct promql_window *w, const struct promql_range *r,
                     struct promql_value *out)
{
    return extrapolated(w, r, true, false, out);
}

bool promql_delta(const struct promql_window *w, const struct promql_range *r,
                  struct promql_value *out)
{
    return extrapolated(w, r, false, false, out);
}

/* -- all samples in order -- */

bool promql_walk_next(struct promql_walk *k, struct promql_walked *out)
{
    const struct promql_window *w = k->w;

    if (k->i < w->n && (k->j == w->n_h || w->times[k->i] < w->h[k->j].t)) {
        *out = (struct promql_walked){
            .t = w->times[k->i], .start = promql_start(w, k->i), .v = promql_at(w, k->i)};
        k->i++;
        return true;
    }
    if (k->j == w->n_h)
        return false;
    *out = (struct promql_walked){.t = w->h[k->j].t, .start = w->h[k->j].start, .h = w->h[k->j].h};
    k->j++;
    return true;
}

/* -- irate, idelta -- */

static bool instant_histogram(const struct promql_walked *a, const struct promql_walked *b,
                              bool is_rate, bool is_reset, struct arena *arena,
                              struct promql_value *out)
{
    bool is_gauge = a->h->hint == HISTOGRAM_GAUGE && b->h->hint == HISTOGRAM_GAUGE;
    bool has_gauge = a->h->hint == HISTOGRAM_GAUGE || b->h->hint == HISTOGRAM_GAUGE;
    struct histogram *result = arena_new(arena, struct histogram);
    unsigned notes = 0;

    if (is_rate ? has_gauge : !is_gauge)
        out->notes |= is_rate ? NOTE_NOT_COUNTER : NOTE_NOT_GAUGE;
    *result = *b->h;
    if (!is_rate || !(is_reset || histogram_is_reset(b->h, a->h)))
        notes = histogram_sub(arena, b->h, a->h, result);
    if (notes & HISTOGRAM_INCOMPATIBLE) {
        out->notes |= NOTE_MIXED_SCHEMAS;
        return false;
    }
    if (notes & HISTOGRAM_RECONCILED)
        out->notes |= NOTE_RECONCILED_SUB;
    *result = histogram_compact(arena, result, 0);
    if (is_rate)
        *result = histogram_div(arena, result, (double)(b->t - a->t) / 1000);
    result->hint = HISTOGRAM_GAUGE;
    out->h = result;
    return true;
}

static bool kernel_rate_instant(const struct promql_window *w, const struct promql_range *r,
                                bool is_rate, struct promql_value *out)
{
    struct promql_walk k = {.w = w};
    struct promql_walked a = {.t = 0}, b = {.t = 0}, s;
    bool is_reset;

    if (w->n + w->n_h < 2)
        return false;
    k.i = w->n > 2 ? w->n - 2 : 0;
    k.j = w->n_h > 2 ? w->n_h - 2 : 0;
    while (promql_walk_next(&k, &s)) {
        a = b;
        b = s;
    }
    if (a.t == b.t)
        return false;
    is_reset = is_rate && r->uses_starts && promql_start_is_reset(b.t, b.start, a.t, a.start);
    if ((a.h == NULL) != (b.h == NULL)) {
        out->notes |= NOTE_MIXED_TYPES;
        return false;
    }
    if (a.h != NULL)
        return instant_histogram(&a, &b, is_rate, is_reset, r->a, out);
    out->v = is_rate && (b.v < a.v || is_reset) ? b.v : b.v - a.v;
    if (is_rate)
        out->v /= (double)(b.t - a.t) / 1000;
    return true;
}

bool promql_irate(const struct promql_window *w, const struct promql_range *r,
                  struct promql_value *out)
{
    return kernel_rate_instant(w, r, true, out);
}

bool promql_idelta(const struct promql_window *w, const struct promql_range *r,
                   struct promql_value *out)
{
    return kernel_rate_instant(w, r, false, out);
}

/* -- changes, resets -- */

static bool kernel_rate_has_changed(const struct promql_walked *a, const struct promql_walked *b)
{
    if (a->h != NULL || b->h != NULL)
        return a->h == NULL || b->h == NULL || !histogram_eq(b->h, a->h);
    return b->v != a->v && !(isnan(b->v) && isnan(a->v));
}

static bool has_reset(const struct promql_walked *a, const struct promql_walked *b)
{
    if (a->h != NULL || b->h != NULL)
        return a->h == NULL || b->h == NULL || histogram_is_reset(b->h, a->h);
    return b->v < a->v;
}

/* The same of floats alone, without start timestamps. */
static size_t count_float_pairs(const struct promql_window *w, bool is_resets)
{
    size_t count = 0;

    if (is_resets && w->is_rising)
        return 0;
    for (size_t i = 1; i < w->n; i++) {
        double a = promql_at(w, i - 1), b = promql_at(w, i);

        count += is_resets ? b < a : b != a && !(isnan(b) && isnan(a));
    }
    return count;
}

/* Counts pairs of neighbours. Anchored, the newest sample that is not after the start of the window is the first
 * neighbour, and something must lie behind the start. */
static bool count_pairs(const struct promql_window *w, const struct promql_range *r, bool is_resets,
                        struct promql_value *out)
{
    struct promql_walk k = {.w = w};
    struct promql_walked before, s;
    bool any = promql_walk_next(&k, &before), any_inside = any && before.t > r->from;
    size_t count = 0;

    if (any_inside && w->n_h == 0 && !r->is_anchored &&
        (!is_resets || !r->uses_starts || w->starts == NULL)) {
        out->v = (double)count_float_pairs(w, is_resets);
        return true;
    }
    while (any && promql_walk_next(&k, &s)) {
        bool is_pair = !r->is_anchored || s.t > r->from;

        any_inside |= s.t > r->from;
        if (is_pair &&
            (is_resets ? has_reset(&before, &s) ||
                             (r->uses_starts &&
                              promql_start_is_reset(s.t, s.start, before.t, before.start))
                       : kernel_rate_has_changed(&before, &s)))
            count++;
        before = s;
    }
    out->v = (double)count;
    return any && any_inside;
}

bool promql_changes(const struct promql_window *w, const struct promql_range *r,
                    struct promql_value *out)
{
    return count_pairs(w, r, false, out);
}

bool promql_resets(const struct promql_window *w, const struct promql_range *r,
                   struct promql_value *out)
{
    return count_pairs(w, r, true, out);
}
