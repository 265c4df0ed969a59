/* kernel_range.h - functions over the samples of one series in a window of time, as pure functions.
 *
 * A window holds floats and histograms apart, each oldest first. Floats are dense: no stale or absent slots. Whoever
 * selects (a reference walk, a planner with columns) builds windows, calls, and turns the notes into annotations.
 *
 * Shapes   windows of 1 to a few thousand samples.
 * Units    ts_ms; (from, to] is the window; seconds its length as written. Anchored and smoothed windows hold samples
 *          from outside of it, up to the lookback away.
 * Owns     a value's histogram lives in the arena of the call or is borrowed from the window.
 * Cost     O(samples), no allocation but for histograms and medians.
 * Source   promql.md 8, 11, 13, 15.
 */
#ifndef PROMQL_KERNEL_RANGE_H
#define PROMQL_KERNEL_RANGE_H

#include "promql/notes.h"
#include "codec/float.h"
#include "promql/storage.h"

struct promql_hpoint {
    ts_ms t, start;
    const struct histogram *h;
};

struct promql_window {
    const ts_ms *times;
    const storage_slot *slots;
    const ts_ms *starts; /* NULL: none known */
    size_t n;
    const struct promql_hpoint *h;
    size_t n_h;
    bool is_rising; /* no float is less than the one before it */
};

struct promql_range {
    ts_ms from, to, now; /* now: the time of the evaluation */
    double seconds;
    double p[2]; /* the scalar arguments, in order */
    bool is_anchored, is_smoothed, uses_starts;
    struct arena *a;
};

struct promql_value {
    double v;
    const struct histogram *h; /* NULL: a float */
    unsigned notes;            /* enum promql_note */
};

static inline double promql_float(storage_slot s)
{
    return float_of_bits(s);
}

static inline double promql_at(const struct promql_window *w, size_t i)
{
    return promql_float(w->slots[i]);
}

static inline ts_ms promql_start(const struct promql_window *w, size_t i)
{
    return w->starts != NULL ? w->starts[i] : 0;
}

/* Floats only; the caller has made sure that there are enough. */
typedef double promql_float_kernel(const struct promql_window *w, const struct promql_range *r);

promql_float_kernel promql_min_over_time, promql_max_over_time, promql_stddev_over_time,
    promql_stdvar_over_time, promql_quantile_over_time, promql_mad_over_time,
    promql_ts_of_min_over_time, promql_ts_of_max_over_time, promql_deriv, promql_predict_linear,
    promql_smoothing;

/* Floats and histograms; at least one sample. False: no value, but maybe notes. */
typedef bool promql_window_kernel(const struct promql_window *w, const struct promql_range *r,
                                  struct promql_value *out);

promql_window_kernel promql_rate, promql_increase, promql_delta, promql_irate, promql_idelta,
    promql_changes, promql_resets, promql_sum_over_time, promql_avg_over_time,
    promql_count_over_time, promql_present_over_time, promql_first_over_time, promql_last_over_time,
    promql_ts_of_first_over_time, promql_ts_of_last_over_time;

/* -- what the kernels share -- */

/* Whether the start timestamps say that a counter began anew between two samples. */
bool promql_start_is_reset(ts_ms t, ts_ms start, ts_ms before, ts_ms before_start);

struct promql_histogram_rate {
    struct histogram result;
    unsigned notes;
};

/* Increase or delta of at least one histogram, before extrapolation. counts_first: the first one grew inside of the
 * window, from zero. */
bool promql_increase_histograms(const struct promql_window *w, const struct promql_range *r,
                                bool is_counter, bool counts_first,
                                struct promql_histogram_rate *out);

/* The anchored and smoothed forms of rate, increase and delta. */
bool promql_extended_rate(const struct promql_window *w, const struct promql_range *r,
                          bool is_counter, bool is_rate, struct promql_value *out);

/* All samples in the order of time. */
struct promql_walk {
    const struct promql_window *w;
    size_t i, j;
};

struct promql_walked {
    ts_ms t, start;
    double v;
    const struct histogram *h;
};

bool promql_walk_next(struct promql_walk *w, struct promql_walked *out);

/* The value of smoothed selector: at the time itself, between its neighbours, or the one before. False: no value. */
bool promql_interpolate(const struct promql_window *w, ts_ms at, struct arena *a,
                        struct promql_value *out);

/* Writes the floats of an anchored or smoothed window as a plain selector shows them: the values at both edges and what
 * lies between. times and slots have room for n + 2; returns how many. */
size_t promql_extend_floats(const struct promql_window *w, const struct promql_range *r,
                            ts_ms *times, storage_slot *slots);

/* q-quantile by linear interpolation; v gets sorted, NaNs first. */
double promql_quantile(double q, double *v, size_t n);

/* What is said about what histogram_add() and its like returned. */
unsigned promql_histogram_notes(unsigned got, enum promql_note reconciled);

#endif
