/* row_sum.h - each row's checksum, so that a byte that a disk has changed is not taken for what somebody wrote.
 *
 * SQLite's own check sees the trees, not what is in a row.
 *
 * Errors   ERR_CORRUPT when the table cannot be read at all; ERR_IO.
 * Cost     reads all rows once.
 */
#ifndef STATE_ROW_SUM_H
#define STATE_ROW_SUM_H

#include "base/buf.h"
#include "base/err.h"

struct sqlite3;

int64_t state_row_sum(str key, str body);
/* row_sum(key, body) in SQL, for this connection. */
bool state_row_sum_add(struct sqlite3 *db, struct err *e) must_check;

/* Rows that are not what was written are deleted, after all of it was copied to dir/state.db.damaged-SECONDS, and told in
 * notice, a line a table. */
bool state_rows_mend(struct sqlite3 *db, str dir, struct buf *notice, struct err *e) must_check;
/* Only how many there are, with a line a table. Tables without sums (of an older version) have none. */
size_t state_rows_damaged(struct sqlite3 *db, struct buf *out);

#endif
