/* histogram_trim.h - the observations below or above a value (the operators </ and >/).
 *
 * Buckets beyond the value go, the one that it cuts is interpolated. Count and sum are estimated anew from what is left,
 * unless nothing was cut.
 *
 * Owns     the result lives in the arena, or is the argument itself when nothing was cut.
 * Source   promql.md 13 "trims".
 */
#ifndef MODEL_HISTOGRAM_TRIM_H
#define MODEL_HISTOGRAM_TRIM_H

#include "model/histogram.h"

struct histogram histogram_below(struct arena *a, const struct histogram *h, double value); /* </ */
struct histogram histogram_above(struct arena *a, const struct histogram *h, double value); /* >/ */

#endif
