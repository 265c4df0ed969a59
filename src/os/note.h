/* note.h - some numbers in a small file, written over in one go and not synced: after a kill they are the last ones, after a power
 * cut some earlier ones.
 *
 * Errors   none: one that cannot be written, or is torn, is none.
 * Cost     a system call.
 */
#ifndef OS_NOTE_H
#define OS_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NOTE_NUMBERS = 5 };

/* fd: -1 before the first. */
void note_write(const char *path, int *fd, const uint64_t v[NOTE_NUMBERS]);
bool note_read(const char *path, uint64_t v[NOTE_NUMBERS]);
void note_remove(const char *path, int *fd);

#endif
