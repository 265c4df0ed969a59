#include "state/migrate.h"

#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "state/tables.h"

enum { PATH = 4096 };

bool state_sqlite_failed(sqlite3 *db, struct err *e, const char *doing)
{
    int code = sqlite3_errcode(db);

    return err_set(e, code == SQLITE_NOTADB || code == SQLITE_CORRUPT ? ERR_CORRUPT : ERR_IO,
                   "cannot %s the state database: %s", doing, sqlite3_errmsg(db));
}

static bool run(sqlite3 *db, struct buf *sql, struct err *e)
{
    bool ok = sqlite3_exec(db, buf_z(sql), NULL, NULL, NULL) == SQLITE_OK ||
              state_sqlite_failed(db, e, "migrate");

    buf_clear(sql);
    return ok;
}

/* -- versions -- */

static bool read_version(sqlite3 *db, int *out, struct err *e)
{
    sqlite3_stmt *s;
    bool ok = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &s, NULL) == SQLITE_OK &&
              sqlite3_step(s) == SQLITE_ROW;

    if (ok)
        *out = sqlite3_column_int(s, 0);
    else
        state_sqlite_failed(db, e, "read");
    sqlite3_finalize(s);
    return ok;
}

static bool is_newer(const char *path, int version, struct err *e)
{
    char backup[PATH + 32];
    struct stat st;

    for (int v = STATE_VERSION; v > 0; v--) {
        snprintf(backup, sizeof(backup), "%s.v%d", path, v);
        if (stat(backup, &st) == 0)
            return err_set(e, ERR_UNSUPPORTED,
                           "'%s' has version %d, this program knows %d: start the newer program, "
                           "or put back '%s'",
                           path, version, STATE_VERSION, backup);
    }
    return err_set(e, ERR_UNSUPPORTED,
                   "'%s' has version %d, this program knows %d and there is no '%s.v%d'", path,
                   version, STATE_VERSION, path, STATE_VERSION);
}

static bool back_up(sqlite3 *db, const char *path, int version, struct err *e)
{
    char backup[PATH + 32];
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

/* -- tables -- */

/* Whether it has such a column cannot be told by an error: memory may be short. */
static bool find_column(sqlite3 *db, const char *table, const char *column, bool *has,
                        struct err *e)
{
    sqlite3_stmt *s = NULL;
    int rc;

    *has = false;
    if (table == NULL || column == NULL)
        return true;
    rc =
        sqlite3_prepare_v2(db, "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2", -1, &s, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(s, 1, table, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(s, 2, column, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    *has = rc == SQLITE_ROW;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        state_sqlite_failed(db, e, "read");
    sqlite3_finalize(s);
    return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

/* The one of two names that is there, now's first; NULL: neither. In a table, or of a table (by its key). */
static bool find_name(sqlite3 *db, const char *table, const char *now, const char *was,
                      const char **out, struct err *e)
{
    const char *names[] = {now, was};

    *out = NULL;
    for (size_t i = 0; i < ARRAY_LEN(names) && *out == NULL; i++) {
        bool has;

        if (!find_column(db, table != NULL ? table : names[i], table != NULL ? names[i] : "key",
                         &has, e))
            return false;
        if (has)
            *out = names[i];
    }
    return true;
}

static bool add_copy(sqlite3 *db, struct buf *sql, const struct state_table_def *def, struct err *e)
{
    struct buf from = BUF_INIT;
    bool ok = true;

    buf_addf(sql, "INSERT INTO %s(", def->name);
    for (size_t i = 0; i < def->n_columns && ok; i++) {
        const struct state_column *c = &def->columns[i];
        const char *found, *comma = from.n != 0 ? ", " : "";

        ok = find_name(db, "before", c->name, c->was, &found, e);
        if (!ok || found == NULL)
            continue;
        buf_addf(sql, "%s%s", comma, c->name);
        buf_addf(&from, "%s%s", comma, found);
    }
    buf_addf(sql, ") SELECT %s FROM before; DROP TABLE before;", buf_z(&from));
    buf_release(&from);
    return ok;
}

static bool renew(sqlite3 *db, enum state_table t, struct err *e)
{
    const struct state_table_def *def = &state_tables[t];
    struct buf sql = BUF_INIT;
    const char *found;
    bool ok = find_name(db, NULL, def->name, def->was, &found, e);

    if (ok && found != NULL)
        buf_addf(&sql, "ALTER TABLE %s RENAME TO before;", found);
    state_create_sql(&sql, t, &state_sqlite);
    ok = ok && run(db, &sql, e) &&
         (found == NULL || (add_copy(db, &sql, def, e) && run(db, &sql, e)));
    buf_release(&sql);
    return ok || err_wrap(e, "table '%s'", def->name);
}

/* Within a transaction. */
static bool renew_all(sqlite3 *db, struct err *e)
{
    struct buf sql = BUF_INIT;
    bool ok = true;

    for (int t = 0; t < STATE_TABLES && ok; t++)
        if (state_tables[t].kind != STATE_LOG)
            ok = renew(db, (enum state_table)t, e);
    buf_addf(&sql, "PRAGMA user_version = %d", STATE_VERSION);
    ok = ok && run(db, &sql, e);
    buf_release(&sql);
    return ok;
}

/* -- all of it -- */

bool state_create(sqlite3 *db, struct err *e)
{
    return renew_all(db, e);
}

static bool migrate(sqlite3 *db, struct err *e)
{
    struct buf sql = BUF_INIT;
    bool ok;

    buf_adds(&sql, "BEGIN IMMEDIATE");
    ok = run(db, &sql, e);
    ok = ok && renew_all(db, e);
    buf_adds(&sql, "COMMIT");
    ok = ok && run(db, &sql, e);
    buf_release(&sql);
    if (!ok)
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return ok;
}

bool state_migrate(sqlite3 *db, str dir, struct err *e)
{
    char path[PATH];
    int version;

    snprintf(path, sizeof(path), "%.*s/state.db", STR(dir));
    if (!read_version(db, &version, e))
        return false;
    if (version < 0 || version > STATE_VERSION)
        return is_newer(path, version, e);
    if (version == STATE_VERSION)
        return true;
    if (version > 0 && !back_up(db, path, version, e))
        return false;
    return migrate(db, e) || err_wrap(e, "from version %d to %d", version, STATE_VERSION);
}
