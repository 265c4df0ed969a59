/* kernel_rows.h - what computes each function: one row each, parallel to functions.c. */
#ifndef PROMQL_KERNEL_ROWS_H
#define PROMQL_KERNEL_ROWS_H

#include "promql/eval.h"

struct promql_kernel {
    const char *name;
    promql_math *math; /* of each float; histograms are left out */
    promql_tuned_math *tuned;
    double p; /* of tuned: the argument that need not be given */
    promql_float_kernel *floats;
    size_t least; /* floats that it needs */
    promql_window_kernel *window;
    promql_call *call;
    bool is_date; /* math, and without an argument of the time of the evaluation */
    bool keeps_name, wants_counter, takes_anchored, takes_smoothed;
};

/* Of a row with floats or window: the value of one window. */
bool promql_run_kernel(const struct promql_kernel *k, const struct promql_window *w,
                       const struct promql_range *r, struct promql_value *v);
/* The scalar arguments of a function, of which there are at most two. */
bool promql_params(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                   double *p) must_check;

/* rate() and increase() say so when a series does not look like a counter's. */
bool promql_is_odd_counter(const struct promql_settings *set, struct labels ls);
void promql_note_odd_counter(struct promql_eval *ev, struct labels ls, uint32_t at);

#endif
