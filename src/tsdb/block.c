#include "tsdb/block.h"

#include "base/mem.h"
#include "codec/float.h"

size_t block_size(uint32_t length, uint32_t rows, uint32_t bytes)
{
    return sizeof(struct stream_block) + (size_t)rows * length * bytes;
}

size_t block_starts_size(uint32_t length, uint32_t rows)
{
    return (size_t)rows * length * sizeof(ts_ms);
}

struct stream_block *block_grow(struct stream_block *b, uint32_t length, uint32_t rows,
                                uint32_t bytes)
{
    bool is_new = b == NULL;

    rows += is_new ? 0 : b->rows;
    b = mem_resize(b, block_size(length, rows, bytes), 1);
    if (is_new)
        *b = (struct stream_block){0};
    b->bytes = bytes;
    b->rows = rows;
    if (b->starts != NULL)
        b->starts = mem_resize(b->starts, block_starts_size(length, rows), 1);
    return b;
}

struct stream_block *block_empty(struct stream_block *b)
{
    mem_free(b->starts);
    *b = (struct stream_block){0};
    return mem_resize(b, block_size(0, 0, 0), 1);
}

void block_free(struct stream_block *b)
{
    mem_free(b->starts);
    mem_free(b);
}

struct stream_block *block_slide(struct stream_block *old, uint32_t length, uint32_t to, size_t n,
                                 size_t keep)
{
    struct stream_block *b = old;

    if (to != length) {
        b = mem_alloc(block_size(to, old->rows, old->bytes));
        *b = *old;
        b->starts = old->starts != NULL ? mem_alloc(block_starts_size(to, b->rows)) : NULL;
    }
    for (uint32_t r = 0; r < old->rows; r++) {
        if ((old->used & 1u << r) == 0)
            continue;
        memmove(block_row(b, to, r), (char *)block_row(old, length, r) + (n - keep) * b->bytes,
                keep * b->bytes);
        if (b->starts != NULL)
            memmove(b->starts + (size_t)r * to, old->starts + (size_t)r * length + (n - keep),
                    keep * sizeof(*b->starts));
    }
    if (b != old)
        block_free(old);
    return b;
}

void block_write(struct stream_block *b, uint32_t length, uint32_t r, const struct storage_codes *c,
                 const storage_slot *v, size_t n)
{
    assume(c->bytes == b->bytes);
    b->bases[r] = c->base;
    b->exponents[r] = c->exponent;
    for (size_t i = 0; i < n; i++) {
        bool is_put = codes_put(c, block_row(b, length, r), i, v[i]);

        assume(is_put);
    }
    b->last[r] = n != 0 ? v[n - 1] : STORAGE_ABSENT;
}

void block_open(struct stream_block *b, uint32_t length, size_t at)
{
    b->put = 0;
    for (size_t r = 0; b->starts != NULL && r < b->rows; r++)
        b->starts[r * length + at] = 0;
}

/* What the row has at the place before: at hand, but of a row that was made, or settled, in between. */
static storage_slot slot_before(const struct stream_block *b, uint32_t length, uint32_t r,
                                size_t at)
{
    if (b->last[r] != STORAGE_ABSENT)
        return b->last[r];
    return at != 0 ? block_slot(b, length, r, at - 1) : STORAGE_ABSENT;
}

static void block_take(struct stream_block *b, uint32_t r, uint32_t number, storage_slot before,
                       storage_slot slot)
{
    if (!(float_of_bits(slot) >= float_of_bits(before))) /* so are all NaNs */
        b->rising[r] = number;
    b->last[r] = slot;
    b->put |= 1u << r;
}

bool block_put(struct stream_block *b, uint32_t length, uint32_t r, size_t at, uint32_t number,
               storage_slot slot)
{
    struct storage_codes c = block_codes(b, r);

    if (!codes_put(&c, block_row(b, length, r), at, slot))
        return false;
    block_take(b, r, number, slot_before(b, length, r, at), slot);
    return true;
}

void block_note_put(struct stream_block *b, uint32_t length, uint32_t r, size_t at, uint32_t number,
                    storage_slot slot)
{
    block_take(b, r, number, at != 0 ? block_slot(b, length, r, at - 1) : STORAGE_ABSENT, slot);
}

void block_settle(struct stream_block *b, uint32_t length, size_t at, bool marks_stale)
{
    uint32_t without = b->used & ~b->put;

    for (; without != 0; without &= without - 1) {
        uint32_t r = (uint32_t)__builtin_ctz(without);
        bool ends = marks_stale && block_is_value(slot_before(b, length, r, at));

        codes_mark(b->bytes, block_row(b, length, r), at,
                   ends ? STORAGE_CODE_STALE : STORAGE_CODE_ABSENT);
        b->last[r] = ends ? STORAGE_STALE : STORAGE_ABSENT;
    }
}

ts_ms *block_starts(struct stream_block *b, uint32_t length, uint32_t r, size_t *bytes)
{
    if (b->starts == NULL) {
        b->starts = mem_array((size_t)b->rows * length, sizeof(ts_ms));
        *bytes += block_starts_size(length, b->rows);
    }
    return b->starts + (size_t)r * length;
}
