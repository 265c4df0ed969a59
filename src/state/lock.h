/* lock.h - one program a state folder.
 *
 * Errors   ERR_CONFLICT "... is in use by pid N"; ERR_IO.
 * Owns     the descriptor holds the lock until it is closed; a crash gives it back.
 */
#ifndef STATE_LOCK_H
#define STATE_LOCK_H

#include "base/err.h"

bool state_dir_make(str dir, struct err *e) must_check; /* with its parents, 0700 */
bool state_lock(str dir, int *fd, struct err *e) must_check;

/* The same when the folder was removed or replaced meanwhile; nothing when the lock is still that of the folder. */
bool state_lock_again(str dir, int *fd, struct err *e) must_check;

#endif
