/* wal.h - SQLite's log of a database, looked through before SQLite reads it.
 *
 * SQLite reads its log up to the first frame that is not right, and takes what is behind for the rest of an earlier round: a
 * changed byte in the middle forgets every commit behind it, and nobody hears of it. A frame that is not right and yet of this
 * round, by its salt or by what follows, is damage.
 *
 * A frame is the whole of a page as of a commit, and most pages are written again by a later one. If each page of a bad frame is,
 * the log without the bad frames leads to the same database. Each frame's checksum starts from the one before it, as it stands
 * there: so one that is bad does not hide what is behind it.
 *
 *     frame      1    2    3    4    5          page 7 of frame 2 is written again by frame 4:
 *     page       3    7    3    7    9          the log becomes 1, 3, 4, 5 with checksums of their own
 *     changed         x
 *
 * It takes the place of the log only if the database with it passes its check, which is tried beside it. Otherwise all stays as it
 * is, and SQLite reads what is before the first bad frame.
 *
 * Errors   none: a log that cannot be read is SQLite's to complain about.
 * Cost     reads the log once, 4 MiB mostly, and holds it.
 * Source   SQLite's file format, "The Write-Ahead Log".
 */
#ifndef STATE_WAL_H
#define STATE_WAL_H

#include "base/buf.h"

/* Bytes of frames that SQLite will not read, though they are of this round; 0: it reads all. *at: the first of them. */
uint64_t state_wal_lost(str path, uint64_t *at);
/* Of dir/state.db, which is not open: mends a log that is damaged, if that can be, keeps it as it was, and tells in notice. */
void state_wal_check(str dir, struct buf *notice);

#endif
