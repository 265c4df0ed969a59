/* file.h - a whole file in memory, read without ever waiting for somebody at its other end.
 *
 * What a configuration names is opened again and again, while pages are due: it must be a regular file, so that a FIFO, a
 * device or a folder is an error and not a wait. What a user gives to one command may be a pipe: `lint <(helm template .)`.
 *
 * Errors   ERR_IO, ERR_LIMIT above max; the message names the file, never its text.
 * Owns     what is read is appended to out; on failure out may have some of it.
 */
#ifndef OS_FILE_H
#define OS_FILE_H

#include "base/buf.h"
#include "base/err.h"

enum file_kind {
    FILE_REGULAR,
    FILE_OR_PIPE, /* waits for as long as it takes */
};

bool file_read(str path, enum file_kind kind, size_t max, struct buf *out,
               struct err *e) must_check;

/* Whether a folder takes these bytes: they are written, synced and removed. */
bool file_probe(str dir, str bytes, struct err *e) must_check;

#endif
