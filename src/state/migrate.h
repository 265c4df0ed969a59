/* migrate.h - from the tables that a database has to those that this program knows (state/tables.h).
 *
 * Every table is made anew, and takes from the one before, whatever its version, the columns that both have, under the name
 * of now or of then. Rows are copied as they are: what is in a body, model/ reads in all its versions. What was a folder
 * `pushed` of files before version 3 becomes rows of `push`.
 *
 * Errors   ERR_UNSUPPORTED when the file is newer (names the backup to go back to); ERR_CORRUPT; ERR_IO.
 */
#ifndef STATE_MIGRATE_H
#define STATE_MIGRATE_H

#include "base/buf.h"
#include "base/err.h"

struct sqlite3;

/* Brings dir/state.db, open as db, to STATE_VERSION in one transaction, after VACUUM INTO '<path>.v<old>' when there is
 * anything to lose; `pushed` is kept as `pushed.v2`. Files in it that cannot be read are said in notice. */
bool state_migrate(struct sqlite3 *db, str dir, struct buf *notice, struct err *e) must_check;
/* The tables in a database that has none. */
bool state_create(struct sqlite3 *db, struct err *e) must_check;
/* What SQLite says of its last failure; ERR_CORRUPT only for damage: memory, room or a lock that is missing is none. */
bool state_sqlite_failed(struct sqlite3 *db, struct err *e, const char *doing);

#endif
