/* histogram_reset.h - has a counter begun anew between two of its histograms?
 *
 * Cost     O(buckets), no allocation.
 * Source   promql.md 13 "reset detection".
 */
#ifndef MODEL_HISTOGRAM_RESET_H
#define MODEL_HISTOGRAM_RESET_H

#include "model/histogram.h"

bool histogram_is_reset(const struct histogram *h, const struct histogram *before);

#endif
