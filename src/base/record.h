/* record.h - records with a checksum, as they stand in files that only grow (os/record_file.h).
 *
 * Shapes   length (4 bytes, little endian), CRC32C of the bytes (4), the bytes: at most 1 GiB. Reading ends at the first
 *          record that is cut or damaged: a torn tail is what a power cut leaves.
 * Cost     record_find: n for what a disk damages; at most 32 n of checksums
 *          for what somebody wrote to look like heads, and then it gives up.
 */
#ifndef BASE_RECORD_H
#define BASE_RECORD_H

#include "base/buf.h"

enum { RECORD_HEAD = 8, RECORD_MAX = 1 << 30 };

size_t record_length(const char head[static RECORD_HEAD]); /* of the bytes */
void record_frame(struct buf *out, str bytes);             /* as it stands in the file */
/* The same in two steps, the bytes being added between them; begin returns what end is told. */
size_t record_begin(struct buf *out);
void record_end(struct buf *out, size_t at);

/* The same in memory. Takes the record that *in begins with; false: it is cut, damaged, or there is none. */
bool record_next(str *in, str *bytes);
/* Whether what in begins with, which is no sound record, is one that ends early, as a power cut leaves it: not one that is
 * there from its head to where that says it ends. */
bool record_is_torn(str in);
/* Where the first sound record that holds something begins, at or behind from; in.n: nowhere. Longer ones than 1 MiB are
 * not looked for. */
size_t record_find(str in, size_t from);

#endif
