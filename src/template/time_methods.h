/* time_methods.h - what a template can call on a time and on a duration: the methods of Go's time.Time and time.Duration.
 *
 * Shapes   tables that end with a row whose name is NULL. Months and weekdays are numbers that print their English name.
 *          Local is in env->local; a zone is a value that only Location gives.
 * Units    durations dur_ns.
 * Errors   AddDate by more than 2,000,000,000: "date out of range"; RFC 3339 of years that it has no room for.
 * Source   Go package time, in behaviour.
 */
#ifndef TEMPLATE_TIME_METHODS_H
#define TEMPLATE_TIME_METHODS_H

#include "template/value.h"

extern const struct tmpl_func tmpl_time_methods[], tmpl_duration_methods[];

dur_ns tmpl_duration_round(dur_ns d, dur_ns unit); /* unit: above 0 */

#endif
