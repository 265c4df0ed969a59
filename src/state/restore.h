/* restore.h - a backup becomes a storage folder.
 *
 * All of it is checked before anything is written. Files are written and synced in FOLDER/restoring, then what lies in the folder
 * goes to FOLDER/replaced-SECONDS (if that was asked for), then the files take their places, and restoring goes. While it is
 * there nobody starts in the folder: a restore that was interrupted is to be done again.
 *
 * Errors   ERR_CONFLICT: in use, or not empty; ERR_CORRUPT of the backup, before anything is written; ERR_IO.
 */
#ifndef STATE_RESTORE_H
#define STATE_RESTORE_H

#include "state/manifest.h"

/* aside: where what was there lies now, empty if there was nothing. */
bool state_restore(str backup, str folder, bool force, ts_ns now, struct buf *aside,
                   struct err *e) must_check;
/* False: a restore was interrupted. */
bool state_is_restored(str folder, struct err *e) must_check;
/* What is to take the folder's place is made in folder/restoring, with its two folders in it; then its files take their places.
 * Until the end nobody starts there. */
bool state_restoring_begin(str folder, char into[4096], struct err *e) must_check;
bool state_restoring_end(str folder, const char *from, struct err *e) must_check;
/* Everything in the folder but the lock goes to `name` in it. */
bool state_move_aside(str folder, const char *name, struct err *e) must_check;

#endif
