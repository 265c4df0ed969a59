/* room.h - whether a program that finds nothing to read may go on without a disk to write to.
 *
 * A first start where the disk is full or read-only loses nothing by going on in memory: there is nothing it could forget.
 */
#ifndef STATE_ROOM_H
#define STATE_ROOM_H

#include "base/str.h"

bool state_is_first(str dir); /* no state lies there, not even a part of one */
/* Nothing can be written for a reason that may pass: no space, over quota, read-only, an I/O error. */
bool state_has_no_room(str dir);
void state_clear_attempt(str dir); /* what an attempt to begin has left; only of a first start */

#endif
