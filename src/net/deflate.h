/* deflate.h - gzip for answers, piece by piece.
 *
 * Owns     the deflater owns zlib's state (about 260 KiB).
 * Cost     level 1: some 100 MB/s of JSON, which shrinks to a tenth; higher levels take thrice the time for a fifth less.
 */
#ifndef NET_DEFLATE_H
#define NET_DEFLATE_H

#include "base/buf.h"

struct deflater;

struct deflater *deflater_new(void);
void deflater_free(struct deflater *z); /* NULL is fine */
/* Appends what in becomes; zlib holds some of it back until last. */
void deflater_feed(struct deflater *z, str in, bool last, struct buf *out);

/* Text that is compressed once and sent to many: a stream is this head and any blocks behind it, in any order, none of
 * which knows what came before. It has no end. */
#define DEFLATE_HEAD S("\x1f\x8b\x08\0\0\0\0\0\0\x03")
void deflate_block(str in, struct buf *out);

#endif
