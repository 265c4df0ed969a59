/* pseudo_file.h - files of /proc and /sys: small, read again and again, gone at any time.
 *
 * Errors   false, with errno; most callers go on without what a kernel does not have.
 * Owns     the buffer is the caller's, and used again.
 * Cost     no allocation once the buffer has grown.
 */
#ifndef COLLECT_PSEUDO_FILE_H
#define COLLECT_PSEUDO_FILE_H

#include "base/buf.h"

enum { PSEUDO_FILE_MAX = 4 << 20, PSEUDO_PATH_MAX = 4200 };

/* The file's first max bytes in place of what out had. root: "/proc", "/sys"; name: "stat". */
bool pseudo_read(struct buf *out, str root, const char *name, size_t max) must_check;
/* One line, without blanks at its ends; empty when there is none. */
str pseudo_line(struct buf *out, str root, const char *name);
/* A number at the beginning of *rest; moves behind it and blanks. */
bool pseudo_cut_u64(str *rest, uint64_t *v);
/* The next word of *rest; empty at the end. */
str pseudo_cut_word(str *rest);
bool pseudo_number(struct buf *out, str root, const char *name, double *v) must_check;

#endif
