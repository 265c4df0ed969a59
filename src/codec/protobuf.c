#include "codec/protobuf.h"
#include "codec/pack.h"

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

uint64_t pb_varint(struct pb_reader *r)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 70 && r->at < r->in.n; shift += 7) {
        unsigned char c = (unsigned char)r->in.p[r->at++];

        if (shift == 63 && c > 1)
            break;
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80)
            return v;
    }
    r->failed = true;
    return 0;
}

static uint64_t fixed(struct pb_reader *r, size_t n)
{
    uint64_t v = 0;

    if (r->in.n - r->at < n) {
        r->failed = true;
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)(unsigned char)r->in.p[r->at + i] << (8 * i);
    r->at += n;
    return v;
}

bool pb_next(struct pb_reader *r)
{
    uint64_t tag, n;

    if (r->failed || r->at >= r->in.n)
        return false;
    tag = pb_varint(r);
    r->field = (unsigned)(tag >> 3);
    r->is_bytes = false;
    r->bytes = STR_NONE;
    r->value = 0;
    switch (tag & 7) {
    case WIRE_VARINT: r->value = pb_varint(r); break;
    case WIRE_64: r->value = fixed(r, 8); break;
    case WIRE_32: r->value = fixed(r, 4); break;
    case WIRE_BYTES:
        n = pb_varint(r);
        if (r->failed || n > r->in.n - r->at) {
            r->failed = true;
            return false;
        }
        r->bytes = str_sub(r->in, r->at, r->at + (size_t)n);
        r->at += (size_t)n;
        r->is_bytes = true;
        break;
    default: r->failed = true;
    }
    if (r->field == 0)
        r->failed = true;
    return !r->failed;
}

ts_ns pb_time(str message, bool *failed)
{
    struct pb_reader r = pb_reader_of(message);
    int64_t seconds = 0, nanos = 0;
    ts_ns t;

    while (pb_next(&r)) {
        if (r.field == 1)
            seconds = (int64_t)r.value;
        else if (r.field == 2)
            nanos = (int64_t)r.value;
    }
    *failed |= r.failed;
    if (__builtin_mul_overflow(seconds, NS_PER_S, &t))
        return seconds < 0 ? TS_NONE : TS_MAX;
    return ts_add(t, nanos);
}

void pb_put_u64(struct buf *out, unsigned field, uint64_t v)
{
    if (v == 0)
        return;
    pack_u64(out, field << 3 | WIRE_VARINT);
    pack_u64(out, v);
}

static void put_bytes(struct buf *out, unsigned field, str bytes)
{
    pack_u64(out, field << 3 | WIRE_BYTES);
    pack_u64(out, bytes.n);
    buf_add(out, bytes);
}

void pb_put_bytes(struct buf *out, unsigned field, str bytes)
{
    if (bytes.n != 0)
        put_bytes(out, field, bytes);
}

void pb_put_double(struct buf *out, unsigned field, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    if (bits == 0)
        return;
    pack_u64(out, field << 3 | WIRE_64);
    pack_fixed64(out, bits);
}

void pb_put_message(struct buf *out, unsigned field, struct buf *message)
{
    put_bytes(out, field, buf_str(message));
    buf_clear(message);
}

void pb_put_time(struct buf *out, unsigned field, ts_ns t)
{
    int64_t nanos = t % NS_PER_S, seconds = t / NS_PER_S;
    struct buf b = BUF_INIT;

    if (nanos < 0) {
        nanos += NS_PER_S;
        seconds--;
    }
    pb_put_u64(&b, 1, (uint64_t)seconds);
    pb_put_u64(&b, 2, (uint64_t)nanos);
    pb_put_message(out, field, &b);
    buf_release(&b);
}
