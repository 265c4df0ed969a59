/* migrate.h - from the schema that a database has to the one this program knows.
 *
 * Shapes   migrations[i] leads from user_version i to i + 1.
 * Errors   ERR_UNSUPPORTED when the file is newer (names the backup to go back to); ERR_IO.
 */
#ifndef STATE_MIGRATE_H
#define STATE_MIGRATE_H

#include "base/err.h"

struct sqlite3;

extern const char *const state_migrations[];
extern const size_t state_migration_count;

/* All steps in one transaction, after VACUUM INTO '<path>.v<old>' when there is anything to lose. */
bool state_migrate(struct sqlite3 *db, const char *path, const char *const *migrations, size_t n,
                   struct err *e) must_check;

#endif
