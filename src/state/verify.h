/* verify.h - what is in a storage folder, and whether it can be read: docs/formats.md by a program. Nothing is changed.
 *
 * Errors   a finding is a line; ERR_IO when the folder itself cannot be read. The database of a folder that is in use is
 *          locked and left out, and that is said, unless there is a copy.
 */
#ifndef STATE_VERIFY_H
#define STATE_VERIFY_H

#include "base/buf.h"
#include "base/err.h"

/* Appends a line a file. *damaged: how many of them are not sound; a torn end is. db: a copy of the database to look at
 * instead of one that is in use; empty: the folder's own. A folder with a manifest is a backup, and checked against
 * it. */
bool state_verify(str dir, str db, struct buf *out, size_t *damaged, struct err *e) must_check;

/* Its finding as JSON. */
void state_verify_json(struct buf *out, str text, size_t damaged);

#endif
