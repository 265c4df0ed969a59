/* mem_storage.h - a plain store: every series keeps all its samples in growing arrays.
 *
 * For .test files, rule unit tests and `tocsin query --file`: samples come in any order, nothing is ever dropped, and a
 * sample at a time that is there already takes its place. Selectors answer with the series in the order of their labels.
 *
 * Shapes   thousands of series, millions of samples.
 * Units    ts_ms; start timestamps are absolute, 0 is unknown.
 * Errors   ERR_INVALID for a histogram that histogram_check() refuses.
 * Owns     copies of all labels and buckets, until mem_storage_free().
 * Cost     appending in order O(1); a selector looks at every series once after the set of series has changed.
 * Source   promql.md 2, 8, 13.
 */
#ifndef PROMQL_MEM_STORAGE_H
#define PROMQL_MEM_STORAGE_H

#include "promql/storage.h"

struct mem_storage;

struct mem_storage *mem_storage_new(void);
void mem_storage_free(struct mem_storage *m); /* every selector must have been released */
struct storage mem_storage_port(struct mem_storage *m);

/* v: any float; the stale marker is told from other NaNs by its bits. */
void mem_storage_append(struct mem_storage *m, struct labels ls, ts_ms t, double v, ts_ms start);
void mem_storage_append_stale(struct mem_storage *m, struct labels ls, ts_ms t);
bool mem_storage_append_histogram(struct mem_storage *m, struct labels ls, ts_ms t,
                                  const struct histogram *h, ts_ms start, struct err *e) must_check;

#endif
