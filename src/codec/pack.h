/* pack.h - the one binary encoding of what goes to disk: varints and length-prefixed bytes.
 *
 * A record starts with a version number; fields are only ever appended, and a reader that meets the end takes the
 * defaults, so that an older and a newer program read each other's rows.
 *
 * Shapes   unsigned: LEB128; signed: zigzag; bytes: length, bytes; fixed64: 8 bytes little endian (hashes).
 * Errors   reading is sticky: after the first malformed field u->failed is set and every value is zero or empty.
 * Owns     a str read is a slice of the input.
 */
#ifndef CODEC_PACK_H
#define CODEC_PACK_H

#include "base/buf.h"

void pack_u64(struct buf *b, uint64_t v);
void pack_i64(struct buf *b, int64_t v);
void pack_str(struct buf *b, str s);
/* What stands in b from there on, as pack_str() would have put it. */
void pack_str_end(struct buf *b, size_t from);
void pack_fixed64(struct buf *b, uint64_t v);

/* A signed number as one that is small when that is near to 0, for what shares a varint with flags. */
static inline uint64_t pack_zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static inline int64_t unpack_zigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

struct unpack {
    str rest;
    bool failed;
};

static inline struct unpack unpack_of(str s)
{
    return (struct unpack){s, false};
}

static inline bool unpack_at_end(const struct unpack *u)
{
    return u->rest.n == 0;
}

uint64_t unpack_u64(struct unpack *u);
int64_t unpack_i64(struct unpack *u);
str unpack_str(struct unpack *u);
uint64_t unpack_fixed64(struct unpack *u);
/* A count of things of which each takes at least min bytes: fails when they cannot all be there. */
size_t unpack_count(struct unpack *u, size_t min);

#endif
