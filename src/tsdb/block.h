/* block.h - samples of up to 32 series with the same reach: what a table of rows (stream.h) is made of.
 *
 * Samples of a block all take the same number of bytes (codes.h), so that rows of one length lie one behind the other.
 *
 * Owns     a block owns its rows; histograms in slots are the slab's, and whoever empties a row drops them first.
 * Cost     25 bytes a row beside its samples; a sample, and block_settle() of a row without one, touch a cache line.
 */
#ifndef TSDB_BLOCK_H
#define TSDB_BLOCK_H

#include "base/time.h"
#include "tsdb/codes.h"

enum { BLOCK_ROWS = 32 };

struct stream_block {
    uint32_t rows;
    uint32_t used;  /* a bit a row */
    uint32_t put;   /* those that have got the last sample */
    uint32_t bytes; /* a sample */
    uint32_t ids[BLOCK_ROWS];
    uint32_t
        rising[BLOCK_ROWS];   /* number of the sample from which on storage_series.rising counts */
    double bases[BLOCK_ROWS]; /* of codes */
    uint8_t exponents[BLOCK_ROWS];
    storage_slot last
        [BLOCK_ROWS]; /* slots of the last sample, side by side; until a row gets it, of the one before */
    ts_ms *starts; /* start times, as slots; NULL while there are none */
    _Alignas(8) char samples[];
};

size_t block_size(uint32_t length, uint32_t rows, uint32_t bytes);
size_t block_starts_size(uint32_t length, uint32_t rows);

/* A block with so many more rows; NULL: a new one of that many bytes a sample. */
struct stream_block *block_grow(struct stream_block *b, uint32_t length, uint32_t rows,
                                uint32_t bytes);
/* The block without its rows. */
struct stream_block *block_empty(struct stream_block *b);
void block_free(struct stream_block *b);
/* Moves the last keep of n samples of every used row to the front of rows of a new length. */
struct stream_block *block_slide(struct stream_block *old, uint32_t length, uint32_t to, size_t n,
                                 size_t keep);

static inline uint32_t block_free_rows(const struct stream_block *b) /* a bit a row */
{
    return b->rows == 0 ? 0 : ~b->used & (UINT32_MAX >> (BLOCK_ROWS - b->rows));
}

static inline void *block_row(const struct stream_block *b, uint32_t length, uint32_t r)
{
    return (char *)b->samples + (size_t)r * length * b->bytes;
}

static inline struct storage_codes block_codes(const struct stream_block *b, uint32_t r)
{
    return (struct storage_codes){b->bases[r], (uint8_t)b->bytes, b->exponents[r]};
}

static inline storage_slot block_slot(const struct stream_block *b, uint32_t length, uint32_t r,
                                      size_t at)
{
    struct storage_codes c = block_codes(b, r);

    return storage_row_at(block_row(b, length, r), &c, at);
}

/* Writes all samples of the row anew, in a form for which the block has the bytes. */
void block_write(struct stream_block *b, uint32_t length, uint32_t r, const struct storage_codes *c,
                 const storage_slot *v, size_t n);

/* A place for the next sample, which no series has yet: what rows have there means nothing until block_settle(). */
void block_open(struct stream_block *b, uint32_t length, size_t at);
/* The row's sample at this place, the last, which has this number. False: its form has no code for it, nothing is written. */
bool block_put(struct stream_block *b, uint32_t length, uint32_t r, size_t at, uint32_t number,
               storage_slot slot);
/* It has been written with the row: the rest of what block_put() does. */
void block_note_put(struct stream_block *b, uint32_t length, uint32_t r, size_t at, uint32_t number,
                    storage_slot slot);
/* Series that have got none have none; with marks_stale those that had one before have ended there. */
void block_settle(struct stream_block *b, uint32_t length, size_t at, bool marks_stale);

static inline bool block_has(const struct stream_block *b, uint32_t r) /* the last sample */
{
    return (b->put & 1u << r) != 0;
}

/* Start times of the row; made when there are none. */
ts_ms *block_starts(struct stream_block *b, uint32_t length, uint32_t r, size_t *bytes);

static inline bool block_is_value(storage_slot slot)
{
    return slot != STORAGE_ABSENT && slot != STORAGE_STALE;
}

#endif
