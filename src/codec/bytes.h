/* bytes.h - eight or sixteen bytes of text at a time: which of them are something.
 *
 *     found = (bytes_below(v, ' ') | bytes_are(v, '"')) & BYTES_HIGHS;
 *     if (found != 0) first = bytes_first(found);
 *
 * A byte that is meant has its high bit set in the result. Behind the first such byte others may be marked that are not
 * meant, because a borrow reached them; the first is always right.
 *
 * Shapes   the machine is little-endian: the first byte of the text is the lowest of the word.
 */
#ifndef CODEC_BYTES_H
#define CODEC_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BYTES_ONES  (UINT64_MAX / 0xff)
#define BYTES_HIGHS (BYTES_ONES * 0x80)

static inline uint64_t bytes_load(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* The n bytes at p, 1 to 7 of them, and zeroes behind. */
static inline uint64_t bytes_load_few(const char *p, size_t n)
{
    const unsigned char *byte = (const unsigned char *)p;
    uint32_t head, tail;

    if (n < 4) /* some may be the same one */
        return byte[0] | (uint64_t)byte[n / 2] << 8 * (n / 2) |
               (uint64_t)byte[n - 1] << 8 * (n - 1);
    memcpy(&head, p, sizeof(head));
    memcpy(&tail, p + n - 4, sizeof(tail)); /* what both have is the same */
    return head | (uint64_t)tail << 8 * (n - 4);
}

static inline uint64_t bytes_below(uint64_t v, unsigned char n) /* n at most 128 */
{
    return (v - BYTES_ONES * n) & ~v;
}

static inline uint64_t bytes_are(uint64_t v, unsigned char c)
{
    return bytes_below(v ^ BYTES_ONES * c, 1);
}

static inline size_t bytes_first(uint64_t found) /* not 0 */
{
    return (size_t)__builtin_ctzll(found) / 8;
}

/* Sixteen, as vectors that every machine has (or the compiler makes up): bytes_vector compares, a byte that is meant is 0xff;
 * bytes_halves are asked which. */
typedef signed char bytes_vector __attribute__((vector_size(16)));
typedef uint64_t bytes_halves __attribute__((vector_size(16)));

enum { BYTES_WIDTH = sizeof(bytes_vector) };

static inline bool bytes_has_any(bytes_halves found)
{
    return (found[0] | found[1]) != 0;
}

static inline size_t bytes_first_of(bytes_halves found) /* has any */
{
    return found[0] != 0 ? bytes_first(found[0]) : 8 + bytes_first(found[1]);
}

#endif
