#include "state/migrate.h"

#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a row may be large: without its own rowid, looking for a key would read the values on its way. */
#define WITH_ROWID(table)                                                                          \
    "CREATE TABLE fresh (key BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL);"                     \
    "INSERT INTO fresh SELECT key, value FROM " table ";"                                          \
    "DROP TABLE " table ";"                                                                        \
    "ALTER TABLE fresh RENAME TO " table ";"

/* Never edit a line that was released: add one. */
const char *const state_migrations[] = {
    "CREATE TABLE silence (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE nflog (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE outbox (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE rule (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE decision (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE meta (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;",
    WITH_ROWID("outbox") WITH_ROWID("nflog") WITH_ROWID("decision"),
};
const size_t state_migration_count = ARRAY_LEN(state_migrations);

static bool run(sqlite3 *db, const char *sql, struct err *e)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    return err_set(e, ERR_IO, "database: %s", sqlite3_errmsg(db));
}

static bool read_version(sqlite3 *db, int *out, struct err *e)
{
    sqlite3_stmt *s;
    bool ok = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &s, NULL) == SQLITE_OK &&
              sqlite3_step(s) == SQLITE_ROW;

    if (ok)
        *out = sqlite3_column_int(s, 0);
    else
        err_set(e, ERR_IO, "database: %s", sqlite3_errmsg(db));
    sqlite3_finalize(s);
    return ok;
}

static bool is_newer(const char *path, int version, size_t known, struct err *e)
{
    char backup[4096];
    struct stat st;

    for (size_t v = known; v > 0; v--) {
        snprintf(backup, sizeof(backup), "%s.v%zu", path, v);
        if (stat(backup, &st) == 0)
            return err_set(e, ERR_UNSUPPORTED,
                           "'%s' has version %d, this program knows %zu: start the newer program, "
                           "or put back '%s'",
                           path, version, known, backup);
    }
    return err_set(e, ERR_UNSUPPORTED,
                   "'%s' has version %d, this program knows %zu and there is no '%s.v%zu'", path,
                   version, known, path, known);
}

static bool back_up(sqlite3 *db, const char *path, int version, struct err *e)
{
    char backup[4096];
    sqlite3_stmt *s;
    bool ok;

    snprintf(backup, sizeof(backup), "%s.v%d", path, version);
    (void)unlink(backup); /* of an attempt that failed */
    ok = sqlite3_prepare_v2(db, "VACUUM INTO ?1", -1, &s, NULL) == SQLITE_OK &&
         sqlite3_bind_text(s, 1, backup, -1, SQLITE_STATIC) == SQLITE_OK &&
         sqlite3_step(s) == SQLITE_DONE;
    if (!ok)
        err_set(e, ERR_IO, "cannot write the backup '%s': %s", backup, sqlite3_errmsg(db));
    else
        (void)!chmod(backup, 0600);
    sqlite3_finalize(s);
    return ok;
}

bool state_migrate(sqlite3 *db, const char *path, const char *const *migrations, size_t n,
                   struct err *e)
{
    char sql[64];
    int version;

    if (!read_version(db, &version, e))
        return false;
    if (version < 0 || (size_t)version > n)
        return is_newer(path, version, n, e);
    if ((size_t)version == n)
        return true;
    if (version > 0 && !back_up(db, path, version, e))
        return false;
    if (!run(db, "BEGIN IMMEDIATE", e))
        return false;
    for (size_t i = (size_t)version; i < n; i++) {
        if (run(db, migrations[i], e))
            continue;
        err_wrap(e, "migration %zu of '%s'", i + 1, path);
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        return false;
    }
    snprintf(sql, sizeof(sql), "PRAGMA user_version = %zu", n);
    return run(db, sql, e) && run(db, "COMMIT", e);
}
