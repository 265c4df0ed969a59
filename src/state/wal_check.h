/* wal_check.h - whether all that was written to SQLite's log of a database can be read.
 *
 * SQLite reads its log up to the first frame that is not right, and takes what is behind for the rest of an earlier round: a
 * changed byte in the middle forgets every commit behind it, and nobody hears of it. A frame that is not right and yet of this
 * round, by its salt or by what follows, is damage.
 *
 * Cost     reads the log once.
 * Source   SQLite's file format, "The Write-Ahead Log".
 */
#ifndef STATE_WAL_CHECK_H
#define STATE_WAL_CHECK_H

#include <stdint.h>
#include "base/buf.h"

/* Bytes of frames that SQLite will not read, though they are of this round; 0: it reads all. *at: the first of them. */
uint64_t state_wal_lost(str path, uint64_t *at);
/* Before dir/state.db is opened: keeps a copy of a log that is damaged, and tells in notice. */
void state_wal_check(str dir, struct buf *notice);

#endif
