/* record.h - records with a checksum in files that only grow.
 *
 * Shapes   length (4 bytes, little endian), CRC32C of the bytes (4), the bytes: at most 1 GiB. Reading ends at the first
 *          record that is cut or damaged: a torn tail is what a power cut leaves.
 * Errors   ERR_IO.
 * Cost     reading: one pread a head and one a body. record_find: n for what a disk damages; at most 16 n of checksums
 *          for what somebody wrote to look like heads, and then it gives up.
 */
#ifndef BASE_RECORD_H
#define BASE_RECORD_H

#include "base/buf.h"
#include "base/err.h"

enum { RECORD_HEAD = 8, RECORD_MAX = 1 << 30 };

void record_frame(struct buf *out, str bytes); /* as it stands in the file */
/* The same in two steps, the bytes being added between them; begin returns what end is told. */
size_t record_begin(struct buf *out);
void record_end(struct buf *out, size_t at);
/* Calls record for each sound record between the offsets, until it returns false; returns where the last one ends. */
uint64_t record_walk(int fd, uint64_t from, uint64_t end, bool (*record)(void *arg, str bytes),
                     void *arg);

/* The same in memory. Takes the record that *in begins with; false: it is cut, damaged, or there is none. */
bool record_next(str *in, str *bytes);
/* Where the first sound record that holds something begins, at or behind from; in.n: nowhere. Longer ones than 1 MiB are
 * not looked for. */
size_t record_find(str in, size_t from);

bool record_write(int fd, str s) must_check;      /* all of it, or errno says why not */
bool record_append(int fd, str bytes) must_check; /* framed; the bytes are not copied */
bool record_read(int fd, uint64_t at, char *out, size_t n) must_check;
bool sync_dir(str dir, struct err *e) must_check; /* so that what was created there is there */

#endif
