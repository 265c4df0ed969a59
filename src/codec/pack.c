#include "codec/pack.h"

enum { PACK_U64_MAX = 10 }; /* bytes */

static inline void pack_varint(struct buf *b, uint64_t v)
{
    char *p;

    if (b->cap - b->n < PACK_U64_MAX)
        buf_reserve(b, PACK_U64_MAX);
    assume(b->p != NULL);
    p = b->p + b->n;
    for (; v >= 0x80; v >>= 7)
        *p++ = (char)(v | 0x80);
    *p++ = (char)v;
    b->n = (size_t)(p - b->p);
}

void pack_u64(struct buf *b, uint64_t v)
{
    pack_varint(b, v);
}

void pack_i64(struct buf *b, int64_t v)
{
    pack_varint(b, pack_zigzag(v));
}

void pack_str(struct buf *b, str s)
{
    pack_varint(b, s.n);
    buf_add(b, s);
}

void pack_str_end(struct buf *b, size_t from)
{
    size_t n = b->n - from, head;

    pack_varint(b, n); /* shows how long it is */
    head = b->n - from - n;
    memmove(b->p + from + head, b->p + from, n);
    b->n = from;
    pack_varint(b, n);
    b->n += n;
}

void pack_fixed64(struct buf *b, uint64_t v)
{
    if (b->cap - b->n < sizeof(v))
        buf_reserve(b, sizeof(v));
    assume(b->p != NULL);
    memcpy(b->p + b->n, &v, sizeof(v)); /* little-endian, as all that we run on */
    b->n += sizeof(v);
}

static void pack_fail(struct unpack *u)
{
    u->failed = true;
    u->rest = STR_NONE;
}

uint64_t unpack_u64(struct unpack *u)
{
    uint64_t v = 0;

    for (unsigned shift = 0; u->rest.n != 0 && shift < 64; shift += 7) {
        unsigned char c = (unsigned char)u->rest.p[0];

        u->rest.p++;
        u->rest.n--;
        v |= (uint64_t)(c & 0x7f) << shift;
        if ((c & 0x80) == 0)
            return v;
    }
    pack_fail(u);
    return 0;
}

int64_t unpack_i64(struct unpack *u)
{
    uint64_t v = unpack_u64(u);

    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

str unpack_str(struct unpack *u)
{
    uint64_t n = unpack_u64(u);
    str s;

    if (u->failed || n > u->rest.n) {
        pack_fail(u);
        return STR_NONE;
    }
    s = str_sub(u->rest, 0, n);
    u->rest = str_sub(u->rest, n, u->rest.n);
    return s;
}

uint64_t unpack_fixed64(struct unpack *u)
{
    uint64_t v = 0;

    if (u->rest.n < 8) {
        pack_fail(u);
        return 0;
    }
    for (int i = 0; i < 8; i++)
        v |= (uint64_t)(unsigned char)u->rest.p[i] << (8 * i);
    u->rest = str_sub(u->rest, 8, u->rest.n);
    return v;
}

size_t unpack_count(struct unpack *u, size_t min)
{
    uint64_t n = unpack_u64(u);

    if (u->failed || (min != 0 && n > u->rest.n / min)) {
        pack_fail(u);
        return 0;
    }
    return (size_t)n;
}
