/* histogram_reset.h - has a counter begun anew between two of its histograms?
 *
 * Cost     O(buckets), no allocation.
 * Source   promql.md 13 "reset detection".
 */
#ifndef MODEL_HISTOGRAM_RESET_H
#define MODEL_HISTOGRAM_RESET_H

#include "model/histogram.h"

bool histogram_is_reset(const struct histogram *h, const struct histogram *before);

/* The hint that a stored sample gets. Only "reset" and "gauge" are taken from the sender; a counter's other samples are
 * told from the one before (NULL: none): found to go on, found to have begun anew, or unknown when the layout changed. */
enum histogram_hint histogram_hint_after(const struct histogram *h, const struct histogram *before);

#endif
