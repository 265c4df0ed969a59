/* storage.h - the port through which PromQL reads samples, whoever keeps them.
 *
 * A selector is registered once and then answers, at any time between storage_begin() and storage_end(), with the ids
 * of the series that match now; its epoch changes whenever that list does, so that whoever derived tables from the
 * list (groups, joins) knows when to derive them anew. A series reads as three parallel arrays, oldest first, without
 * a gap or a wrap: series of one scrape target share one array of times, so a window found once holds for all of them.
 * Samples are slots, or codes of 2 or 4 bytes that stand for slots.
 *
 * Shapes   up to millions of series; ids are small, dense and may be used again after a series has gone (the epochs of
 *          the selectors that knew it have changed by then).
 * Units    ts_ms.
 * Owns     ids, arrays and the text of labels are borrowed until storage_end(); a selector is released by who registered
 *          it.
 * Cost     storage_read() is O(n) with no lookups; storage_ids() O(1) when nothing changed.
 * Source   design.md 4 "tsdb", promql.md 8, 17.
 */
#ifndef PROMQL_STORAGE_H
#define PROMQL_STORAGE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "model/histogram.h"
#include "model/matcher.h"
#include "tocsin/labels.h"

/* One slot: a float's bits, or one of three kinds of NaN that no sample has. A store turns every other NaN that it is
 * given into STORAGE_NAN. */
typedef uint64_t storage_slot;

#define STORAGE_NAN   UINT64_C(0x7ff8000000000001)
#define STORAGE_STALE UINT64_C(0x7ff0000000000002) /* the series ended here */
#define STORAGE_ABSENT                                                                             \
    UINT64_C(0x7ff0000000000003) /* the stream has a time here, the series no sample */
#define STORAGE_HISTOGRAM                                                                          \
    UINT64_C(0xfffc000000000000) /* in the upper 16 bits; the lower 48 are the store's */

static inline bool storage_is_histogram(storage_slot s)
{
    return s >> 48 == STORAGE_HISTOGRAM >> 48;
}

static inline storage_slot storage_float(double v)
{
    storage_slot slot;

    memcpy(&slot, &v, sizeof(slot));
    return v == v || slot == STORAGE_STALE ? slot : STORAGE_NAN;
}

/* How a row of samples is written: as slots (8 bytes), or as signed whole numbers of 2 or 4 bytes, code for
 * (base + code) / 10^exponent; the three lowest are no numbers. */
struct storage_codes {
    double base; /* whole */
    uint8_t bytes, exponent;
};

#define STORAGE_PLAIN ((struct storage_codes){.bytes = sizeof(storage_slot)})

enum { STORAGE_CODE_ABSENT, STORAGE_CODE_STALE, STORAGE_CODE_NAN }; /* from the lowest number on */
enum { STORAGE_POWERS = 10 };
extern const double storage_powers[STORAGE_POWERS]; /* of ten */

struct storage_series {
    const ts_ms *times;
    const void *row; /* n samples, written as codes says */
    struct storage_codes codes;
    const ts_ms *starts; /* start timestamps, 0 where unknown; NULL when the series has none */
    size_t n;
    /* So many of the last slots are floats, none less than the one before, but for NaNs of any kind at the end; and last
     * is the last slot, at hand without a look at the row. 0: not known. */
    size_t rising;
    storage_slot last;
    const void *store; /* the store's own, for storage_histogram() */
};

static inline storage_slot storage_slot_of(int32_t code, int32_t min, const struct storage_codes *c)
{
    static const storage_slot special[] = {STORAGE_ABSENT, STORAGE_STALE, STORAGE_NAN};
    double v = c->base + code;
    storage_slot slot;

    if (code <= min + STORAGE_CODE_NAN)
        return special[code - min];
    if (c->exponent != 0)
        v /= storage_powers[c->exponent];
    memcpy(&slot, &v, sizeof(slot));
    return slot;
}

static inline storage_slot storage_row_at(const void *row, const struct storage_codes *c, size_t i)
{
    switch (c->bytes) {
    case 2: return storage_slot_of(((const int16_t *)row)[i], INT16_MIN, c);
    case 4: return storage_slot_of(((const int32_t *)row)[i], INT32_MIN, c);
    default: return ((const storage_slot *)row)[i];
    }
}

static inline storage_slot storage_at(const struct storage_series *s, size_t i)
{
    return storage_row_at(s->row, &s->codes, i);
}

static inline const void *storage_address(const struct storage_series *s, size_t i)
{
    return (const char *)s->row + i * s->codes.bytes;
}

/* Samples [begin, end) as slots. */
void storage_row_slots(const void *row, const struct storage_codes *c, size_t begin, size_t end,
                       storage_slot *out);

struct storage_ids {
    const uint32_t *v;
    size_t n;
    uint64_t epoch;
};

struct storage_selector; /* each store has its own */

struct storage_ops {
    void (*begin)(void *impl);
    void (*end)(void *impl);
    struct storage_selector *(*select)(void *impl, const struct matchers *m, int64_t reach_ms,
                                       struct err *e);
    void (*release)(void *impl, struct storage_selector *s);
    struct storage_ids (*ids)(void *impl, struct storage_selector *s);
    void (*read)(void *impl, const uint32_t *ids, size_t n, struct storage_series *out);
    struct labels (*labels)(void *impl, uint32_t id, struct arena *a);
    void (*histogram)(void *impl, const struct storage_series *s, storage_slot slot,
                      struct histogram *out);
};

struct storage {
    const struct storage_ops *ops;
    void *impl;
};

/* A span of time in which nothing changes. Does not nest. */
static inline void storage_begin(struct storage s)
{
    s.ops->begin(s.impl);
}
static inline void storage_end(struct storage s)
{
    s.ops->end(s.impl);
}

/* Registers the matchers, which are copied. Outside of begin and end. NULL on failure. reach_ms is how far before the
 * present samples are read (range and offsets, or the lookback): the store keeps at least that much of what matches. 0
 * asks for nothing to be kept: an ad-hoc query reads what is there. */
static inline struct storage_selector *storage_select(struct storage s, const struct matchers *m,
                                                      int64_t reach_ms, struct err *e)
{
    return s.ops->select(s.impl, m, reach_ms, e);
}
static inline void storage_release(struct storage s, struct storage_selector *sel)
{
    s.ops->release(s.impl, sel);
}

/* In between begin and end. */
static inline struct storage_ids storage_ids(struct storage s, struct storage_selector *sel)
{
    return s.ops->ids(s.impl, sel);
}
static inline void storage_read(struct storage s, const uint32_t *ids, size_t n,
                                struct storage_series *out)
{
    s.ops->read(s.impl, ids, n, out);
}
/* With __name__. The view is built in the arena, its text is the store's. For what an answer or a table names: a series
 * that is only computed with needs none. */
static inline struct labels storage_labels(struct storage s, uint32_t id, struct arena *a)
{
    return s.ops->labels(s.impl, id, a);
}
static inline void storage_histogram(struct storage s, const struct storage_series *series,
                                     storage_slot slot, struct histogram *out)
{
    s.ops->histogram(s.impl, series, slot, out);
}

#endif
