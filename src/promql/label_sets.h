/* label_sets.h - label sets as keys: a number for each, and the order in which answers list them.
 *
 * Owns     keys are borrowed: they must outlive the map.
 * Cost     O(bytes of the labels) a look-up.
 */
#ifndef PROMQL_LABEL_SETS_H
#define PROMQL_LABEL_SETS_H

#include "base/map.h"
#include "model/labels.h"

MAP_DECLARE(label_sets, struct labels, uint32_t);

/* By names and values in turn, the shorter first where one begins the other: Prometheus' order of results. */
int label_sets_order(struct labels a, struct labels b);

#endif
