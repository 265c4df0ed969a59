/* The length, and then what is literally so and copies of what stood before. A block of 64 KiB is compressed by itself: each
 * place is filed under a hash of the four bytes that begin there, and where such four bytes come again, as much as is equal
 * becomes a copy. Where nothing is found for long, ever more places are passed over.
 *
 *     abcdeabcdeabcde     15, literal "abcde", copy of 10 bytes from 5 before
 */
#include "codec/snappy.h"

#include "codec/pack.h"

enum {
    BLOCK = 1 << 16,
    HASH_BITS = 14,
    MARGIN = 8, /* four bytes can be read at each place that is looked at */
    LITERAL = 0,
    COPY_NEAR = 1,
    COPY_FAR = 2,
    NEAR = 1 << 11,
    COPY_MAX = 64
};

static uint32_t snappy_four(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static uint32_t snappy_hash(uint32_t four)
{
    return (four * UINT32_C(0x1e35a7bd)) >> (32 - HASH_BITS);
}

static void put_literal(struct buf *out, str s)
{
    size_t n = s.n - 1;

    if (s.n == 0)
        return;
    if (n < 60) {
        buf_addc(out, (char)(n << 2 | LITERAL));
    } else if (n < 256) {
        buf_addc(out, (char)(60 << 2 | LITERAL));
        buf_addc(out, (char)n);
    } else {
        buf_addc(out, (char)(61 << 2 | LITERAL));
        buf_addc(out, (char)n);
        buf_addc(out, (char)(n >> 8));
    }
    buf_add(out, s);
}

static void put_copy_of(struct buf *out, size_t back, size_t n)
{
    if (n >= 4 && n < 12 && back < NEAR) {
        buf_addc(out, (char)(back >> 8 << 5 | (n - 4) << 2 | COPY_NEAR));
        buf_addc(out, (char)back);
    } else {
        buf_addc(out, (char)((n - 1) << 2 | COPY_FAR));
        buf_addc(out, (char)back);
        buf_addc(out, (char)(back >> 8));
    }
}

/* The last part keeps at least four bytes, so that it may be a short one. */
static void put_copy(struct buf *out, size_t back, size_t n)
{
    for (; n >= COPY_MAX + 4; n -= COPY_MAX)
        put_copy_of(out, back, COPY_MAX);
    if (n > COPY_MAX) {
        put_copy_of(out, back, COPY_MAX - 4);
        n -= COPY_MAX - 4;
    }
    put_copy_of(out, back, n);
}

static size_t same_bytes(str in, size_t a, size_t b)
{
    size_t n = 0;

    while (b + n < in.n && in.p[a + n] == in.p[b + n])
        n++;
    return n;
}

static void compress_block(struct buf *out, str in)
{
    uint16_t places[1 << HASH_BITS] = {0};
    size_t done = 0, at = 1, passed = 32;

    while (at + MARGIN <= in.n) {
        uint32_t four = snappy_four(in.p + at);
        uint16_t *place = &places[snappy_hash(four)];
        size_t from = *place, n;

        *place = (uint16_t)at;
        if (snappy_four(in.p + from) != four) {
            at += passed++ >> 5;
            continue;
        }
        n = same_bytes(in, from, at);
        put_literal(out, str_sub(in, done, at));
        put_copy(out, at - from, n);
        done = at += n;
        passed = 32;
    }
    put_literal(out, str_sub(in, done, in.n));
}

void snappy_compress(struct buf *out, str in)
{
    pack_u64(out, in.n);
    for (size_t at = 0; at < in.n; at += BLOCK)
        compress_block(out, str_sub(in, at, at + BLOCK));
}
