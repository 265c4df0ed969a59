/* gather.h - a large query's own copy of what it selects, so that it keeps no writer of the store waiting.
 *
 * Ids of a selector can be had in slices, each in a span of its own (storage_begin() to storage_end()); between two of them
 * the store goes on. A series that goes meanwhile is left out, one that comes too, what comes to a series is in the copy or
 * not. The gathered storage copies the series of all its selectors that way at its storage_begin(), which no lock is held
 * after; and is read like any other.
 *
 *     struct gather *g = gather_new(store, max_bytes, ask, arg);
 *     gather_past(g, past);                    what is older, of another storage, if there is one
 *     promql_range(&(struct promql_query){.storage = gather_storage(g), ...}, ...)
 *     if (gather_is_whole(g)) ...
 *     gather_free(g);
 *
 * Series of the past are those of the store by their labels. Of one that both have, the past gives what is up to the
 * store's first sample.
 *
 * Shapes   a slice has at most 256 series, and ends after 64 Ki samples: under a millisecond.
 * Errors   a copy that was stopped, or that has become too large, is not whole, and lacks series.
 * Owns     the copy, until gather_free(), which comes after its selectors were released. The past is borrowed.
 * Cost     8 bytes or less a sample; what a slice takes stands beside the lock of tsdb/tsdb_priv.h.
 */
#ifndef PROMQL_GATHER_H
#define PROMQL_GATHER_H

#include "promql/storage.h"

struct storage_slices {
    struct storage storage;
    struct storage_selector *selector;
    uint32_t *ids; /* that are still to come begin at `at` */
    size_t n, at;
    uint64_t epoch;
    bool has_begun;
};

/* The next ids, none at the end; else a span is open until storage_slices_end(), which says how many of them are done with:
 * at least one. */
bool storage_slices_next(struct storage_slices *it, struct storage_ids *out);
void storage_slices_end(struct storage_slices *it, size_t done);
void storage_slices_release(struct storage_slices *it);

struct gather;

/* goes_on: asked between slices. max_bytes: 0 = any. */
struct gather *gather_new(struct storage of, size_t max_bytes, bool (*goes_on)(void *arg),
                          void *arg);
void gather_past(struct gather *g, struct storage past); /* before anything is selected */
void gather_free(struct gather *g);
struct storage gather_storage(struct gather *g);
bool gather_is_whole(const struct gather *g);

#endif
