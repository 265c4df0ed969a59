/* row.h - the samples of one series in one span, and the times that the series of a stream share, as bytes.
 *
 * Samples are whole numbers at one exponent, where the store's codes (tsdb/codes.h) find one, and else slots. A row is a run of
 * tokens, each a varint:
 *
 *     ....0    a sample: the distance from the number before it, zigzag; of slots 0 and 8 bytes, or 1 and a histogram
 *     ...01    so many samples more, and one, that are what the last one was
 *     ..011    a sample that is none: absent, stale or NaN
 *
 *     5 7 7 7 absent        10 << 1, 4 << 1, 1 << 2 | 1, 0 << 2 | 3
 *
 * Shapes   a row: number of the span's times, exponent and flags, tokens, [start times]. Times: how many, the first, the
 *          first distance, then by how much each distance differs from the one before. What lies in a file ends in a check of
 *          two bytes over its key and itself: history_seal().
 * Errors   ERR_CORRUPT.
 * Owns     what is read is in the arena.
 * Cost     a series that does not move takes some 6 bytes a span, a counter a byte or two a sample.
 */
#ifndef HISTORY_ROW_H
#define HISTORY_ROW_H

#include "base/vec.h"
#include "codec/pack.h"
#include "promql/storage.h"

enum { HISTORY_SEAL = 2 }; /* bytes of the check */

/* Slots of histograms that were read hold their place in here; their buckets are in a. */
struct history_histograms {
    VEC(struct histogram) v;
    struct arena *a;
};

struct history_samples {
    const ts_ms *times;
    const storage_slot *slots;
    const ts_ms *starts; /* 0 where unknown; NULL: everywhere */
    size_t n;
};

/* Of one series twice: between the first and the last of the new ones nothing of the old ones counts. */
struct history_samples history_samples_join(struct arena *a, const struct history_samples *old,
                                            const struct history_samples *new);

/* What stands behind a slot that is a histogram. */
struct history_lookup {
    void (*histogram)(void *arg, storage_slot slot, struct histogram *out);
    void *arg;
};
struct history_lookup history_lookup_in(struct history_histograms *h);

void history_row_write(struct buf *b, uint64_t times, const struct history_samples *s,
                       const struct history_lookup *lookup);
/* Which times a row has, and then, as many as these are, its samples; times is left to the caller. */
bool history_row_read_times(struct unpack *u, uint64_t *times, struct err *e) must_check;
bool history_row_read(struct unpack *u, size_t n, struct arena *a, struct history_histograms *h,
                      struct history_samples *out, struct err *e) must_check;

void history_times_write(struct buf *b, const ts_ms *times, size_t n);
bool history_times_read(str body, struct arena *a, const ts_ms **times, size_t *n,
                        struct err *e) must_check;

/* Behind what stands in b from `from` on. */
void history_seal(struct buf *b, size_t from, uint64_t key);
/* Takes the check off. */
bool history_unseal(str *body, uint64_t key, struct err *e) must_check;

#endif
