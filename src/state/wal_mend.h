/* wal_mend.h - SQLite's log without the frames that a disk has changed, when nothing is missing without them.
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
 * Source   SQLite's file format, "The Write-Ahead Log".
 */
#ifndef STATE_WAL_MEND_H
#define STATE_WAL_MEND_H

#include <stdbool.h>
#include "base/attr.h"
#include "base/str.h"

struct wal_mended {
    size_t pages; /* frames that are left out: their pages were written again */
    size_t end;   /* frames behind the last commit that is whole */
};

/* Of dir/state.db, which is not open. False: it stays as it is. */
bool state_wal_mend(str dir, struct wal_mended *out) must_check;

#endif
