/* whole.h - whether a storage folder still has what it had: a file that has gone, or that ends early, is no damage that could be
 * seen in it.
 *
 * A stop in order leaves `stopped`, the list of all files with their sizes; the next start compares, and removes it. While it
 * runs, each commit notes how long the two files are that it has grown: not synced, after they were, so that a kill leaves what
 * is so and a power cut what was.
 *
 * Errors   none: what is missing is told in notice, a line each.
 */
#ifndef STATE_WHOLE_H
#define STATE_WHOLE_H

#include "base/buf.h"
#include "base/err.h"

void state_whole_note(str dir); /* nobody writes there any more */
/* Before anything is opened, under the lock. */
uint64_t state_whole_check(str dir, struct buf *notice);
/* The same, of a folder that stays as it is. Both return how much of the alert log, which is there, is no torn end; 0: it is not
 * known. */
uint64_t state_whole_look(str dir, struct buf *out);

/* fd: of the note, -1 before. log: the alert log. alerts, wal: bytes that count; 0: not known. */
void state_note_write(str dir, int *fd, int log, uint64_t alerts, uint64_t wal);
/* What it says will not be so any more. */
void state_note_forget(str dir, int *fd);

#endif
