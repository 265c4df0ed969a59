/* protobuf.h - as much of the wire format as Alertmanager's files, pushed metrics and remote write need.
 *
 * Errors   reading is sticky: after the first malformed field r->failed is set and pb_next() returns false.
 * Owns     bytes read are slices of the input.
 * Source   protobuf.dev, "Encoding".
 */
#ifndef CODEC_PROTOBUF_H
#define CODEC_PROTOBUF_H

#include "base/buf.h"
#include "base/time.h"

struct pb_reader {
    str in;
    size_t at;
    bool failed;
    unsigned field; /* the current one */
    uint64_t value; /* of a varint, fixed32 or fixed64 */
    str bytes;      /* of a length-delimited field */
    bool is_bytes;
};

static inline struct pb_reader pb_reader_of(str in)
{
    return (struct pb_reader){.in = in};
}
uint64_t pb_varint(struct pb_reader *r); /* a bare one, such as a message's length */
bool pb_next(struct pb_reader *r);       /* false at the end, or when failed */
ts_ns pb_time(str message, bool *failed);

void pb_put_u64(struct buf *out, unsigned field, uint64_t v);  /* zero is left out */
void pb_put_bytes(struct buf *out, unsigned field, str bytes); /* empty is left out */
void pb_put_double(struct buf *out, unsigned field, double v); /* 0, which is not -0, is left out */
void pb_put_message(struct buf *out, unsigned field, struct buf *message); /* and clears it */
void pb_put_time(struct buf *out, unsigned field, ts_ns t);

#endif
