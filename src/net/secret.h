/* secret.h - the value of a secret at the moment of its use.
 *
 * A file is opened without blocking, must be a regular file of at most 64 KiB, and is read whole on the caller's thread:
 * these are small local files (a mounted secret, a token) whose pages are in memory, and a change must count at once.
 * A FIFO, a device or a large file is an error, not a wait. Blanks and line ends around a file's text are dropped.
 *
 * Errors   ERR_IO, ERR_LIMIT; the message names the file, never its text.
 * Owns     *out lives in the arena, or is the secret's own slice.
 */
#ifndef NET_SECRET_H
#define NET_SECRET_H

#include "base/arena.h"
#include "base/err.h"
#include "tocsin/secret.h"

enum { SECRET_FILE_MAX = 64 << 10, CERTIFICATES_MAX = 1 << 20 };

bool secret_read(struct secret s, struct arena *a, str *out, struct err *e) must_check;
/* The same for what is larger: all the authorities of a system in one file. */
bool secret_read_certificates(struct secret s, struct arena *a, str *out, struct err *e) must_check;

#endif
