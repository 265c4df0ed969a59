/* file.h - files: a whole one in memory, one that is replaced as a whole, one that only grows.
 *
 * What a configuration names is opened again and again, while pages are due: it must be a regular file, so that a FIFO, a
 * device or a folder is an error and not a wait. What a user gives to one command may be a pipe: `lint <(helm template .)`.
 *
 * What is written is on the disk when it is said to be: the file is synced, and where a name is new or another one the folder
 * is, too. After a sync that failed nobody knows what of a file the disk has, and the next sync may say that all is well: such
 * a file is not written again, a new one takes its place.
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

/* The file, or a new one, holds these bytes; a crash leaves what was there or this. Mode 0600. A device or a pipe is written to. */
bool file_replace(str path, str bytes, struct err *e) must_check;
/* Another name in the same folder, in the place of what has it; durable. */
bool file_rename(const char *from, const char *to, struct err *e) must_check;

/* A folder for us alone, in one that is there; it is durable. One that is there already is left as it is. */
bool folder_make(const char *path, struct err *e) must_check;

/* A file that only grows, open for appending. */
struct file_tail {
    int fd;                  /* -1: none */
    uint64_t size, unsynced; /* bytes that are safe, and behind them bytes that are not yet */
    bool is_lost;            /* not to be written again */
};

/* What does not go in whole is cut off again. */
bool file_append(struct file_tail *t, str bytes, struct err *e) must_check;
bool file_sync(struct file_tail *t, struct err *e) must_check;
void file_close(struct file_tail *t);

/* Whether a folder takes these bytes: they are written, synced and removed. errno says why it does not. */
bool file_probe(str dir, str bytes, struct err *e) must_check;

#endif
