/* files.h - what of a storage folder makes a backup, held as it is at one instant.
 *
 * All of it but the database only grows, or is replaced as a whole: files that are open and their sizes are the instant. Groups that
 * were pushed are small and many, so they are read at once.
 *
 * Shapes   some hundred segments of samples.
 * Errors   ERR_IO, ERR_CORRUPT: a link, a folder or a device where a file should be.
 * Owns     descriptors and texts.
 * Cost     opening: a system call or three a file, and the bytes of what was pushed.
 */
#ifndef STATE_FILES_H
#define STATE_FILES_H

#include "base/vec.h"
#include "state/folder.h"

struct state_file {
    str name; /* in the folder: manifest_is_name(); owned */
    int fd;   /* -1: text has all of it */
    str text; /* owned */
    uint64_t size;
};

struct state_files {
    VEC(struct state_file) v; /* by name */
};

/* What lies in the folder now, but for the database. alerts: how much of the alert log counts; UINT64_MAX: all of it. */
bool state_files_open(struct state_files *f, str dir, uint64_t alerts, struct err *e) must_check;
/* One more, of that name; path: where it lies. */
bool state_files_add(struct state_files *f, const char *path, str name, struct err *e) must_check;
void state_files_release(struct state_files *f);
/* Without the torn ends of logs, as a running program or a power cut leaves them. Reads all. */
void state_files_trim(struct state_files *f);
/* Up to n bytes from at on; 0: the file is shorter than it was, or cannot be read. */
size_t state_file_read(const struct state_file *f, uint64_t at, char *out, size_t n);

#endif
