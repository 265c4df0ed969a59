/* snappy.h - the block format of snappy, written: what remote write compresses by.
 *
 * Shapes   any bytes, up to 4 GiB; out grows by n + n / 6 + 32 bytes at most.
 * Owns     out is the caller's, and is appended to.
 * Cost     some hundred MB/s; a table of 32 KiB on the stack.
 * Source   google/snappy, format_description.txt.
 */
#ifndef CODEC_SNAPPY_H
#define CODEC_SNAPPY_H

#include "base/buf.h"

void snappy_compress(struct buf *out, str in);

#endif
