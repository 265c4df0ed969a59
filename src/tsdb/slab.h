/* slab.h - native histograms at rest: counts by themselves, layouts shared.
 *
 * The histograms of a series, and of the same metric's other series, mostly have the same buckets: schema, spans and
 * bounds are interned, and a histogram is its totals and counts.
 *
 * Shapes   a slot holds the address of the histogram in its lower 48 bits: no table to look it up in.
 * Owns     a histogram belongs to the one slot that slab_put() returned, until slab_drop().
 */
#ifndef TSDB_SLAB_H
#define TSDB_SLAB_H

#include "base/map.h"
#include "promql/storage.h"

struct slab_layout;

MAP_DECLARE(layout_map, str, struct slab_layout *);

struct slab {
    struct layout_map layouts; /* by their bytes */
    size_t bytes;
};

void slab_release(struct slab *s); /* every histogram has been dropped */
storage_slot slab_put(struct slab *s, const struct histogram *h);
void slab_drop(struct slab *s, storage_slot slot);
void slab_get(storage_slot slot, struct histogram *out); /* borrowed until the drop */

#endif
