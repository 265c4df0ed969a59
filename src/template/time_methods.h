/* time_methods.h - what a template can call on a time and on a duration: the methods of Go's time.Time and time.Duration.
 *
 * Shapes   tables that end with a row whose name is NULL. Months and weekdays are numbers that print their English name.
 *          Local is in env->local; a zone is a value that only Location gives.
 * Units    times are ts_ns, durations dur_ns; a time out of their range saturates, the zero time is TS_NONE.
 * Errors   AddDate by more than a million: "date out of range".
 * Source   Go package time, in behaviour.
 */
#ifndef TEMPLATE_TIME_METHODS_H
#define TEMPLATE_TIME_METHODS_H

#include "template/value.h"

extern const struct tmpl_func tmpl_time_methods[], tmpl_duration_methods[];

#endif
