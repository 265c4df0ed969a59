/* kernel_math.h - functions of one number, and arithmetic and comparison of two.
 *
 * Source   promql.md 9, 11, 15. Dates are UTC; times beyond the year 292 million give NaN.
 */
#ifndef PROMQL_KERNEL_MATH_H
#define PROMQL_KERNEL_MATH_H

#include "promql/functions.h"

typedef double promql_math(double v);

promql_math promql_sgn, promql_deg, promql_rad;
promql_math promql_minute, promql_hour, promql_day_of_week, promql_day_of_month, promql_day_of_year,
    promql_days_in_month, promql_month, promql_year;

/* Go's Max and Min: a NaN wins, +0 is greater than -0. */
double promql_max(double a, double b);
double promql_min(double a, double b);

/* With the scalar arguments of the function, in order. False: no value comes of it. */
typedef bool promql_tuned_math(double v, const double *p, double *out);

promql_tuned_math promql_clamp, promql_clamp_min, promql_clamp_max, promql_round;

/* The result of an arithmetic operator; for a comparison a, with *keep telling whether it holds. */
double promql_binary(enum promql_op op, double a, double b, bool *keep);

#endif
