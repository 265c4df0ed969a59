/* db_read.h - a database opened to be looked at: not a byte of its folder changes.
 *
 * Errors   ERR_CORRUPT with what SQLite says.
 */
#ifndef STATE_DB_READ_H
#define STATE_DB_READ_H

#include "base/err.h"

struct sqlite3;

enum db_rest {
    DB_LIES_STILL, /* a copy or a backup, without a log beside it */
    DB_AS_LEFT, /* by who used it: what its log has counts. Nobody may start to use it meanwhile */
};

/* Closed by sqlite3_close(). */
bool state_db_read(str path, enum db_rest rest, struct sqlite3 **out, struct err *e) must_check;
/* The first column of the first row; -1: there is none. */
int64_t state_db_number(struct sqlite3 *db, const char *sql);
/* Each table that is not SQLite's, in the order in which they were made. False: they cannot be listed. */
bool state_db_each_table(struct sqlite3 *db, void (*seen)(void *arg, const char *name), void *arg);
/* SQLite's own check of everything. */
bool state_db_is_sound(struct sqlite3 *db, str path, struct err *e) must_check;

#endif
