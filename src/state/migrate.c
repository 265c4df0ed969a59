/* Versions are told apart, a copy is made, and in one transaction every table is made anew and filled from the old
 * one; pushed groups of files become rows. */
#include "state/migrate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "os/file.h"
#include "os/record_file.h"
#include "state/row_sum.h"
#include "state/tables.h"

enum { PATH = 4096, PUSHED_MAX = 1 << 30 };

bool state_sqlite_failed(sqlite3 *db, struct err *e, const char *doing)
{
    int code = sqlite3_errcode(db);

    return err_set(e, code == SQLITE_NOTADB || code == SQLITE_CORRUPT ? ERR_CORRUPT : ERR_IO,
                   "cannot %s the state database: %s", doing, sqlite3_errmsg(db));
}

static bool migrate_run(sqlite3 *db, struct buf *sql, struct err *e)
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
    const struct state_column *last = &def->columns[def->n_columns - 1];
    struct buf from = BUF_INIT;
    const char *key = def->columns[0].name, *body;
    bool ok = find_name(db, "before", last->name, last->was, &body, e);

    ok = ok && (body != NULL || err_set(e, ERR_CORRUPT, "table '%s' has no rows", def->name));
    buf_addf(sql, "INSERT INTO %s(", def->name);
    for (size_t i = 0; i < def->n_columns && ok; i++) {
        const struct state_column *c = &def->columns[i];
        const char *found, *comma = from.n != 0 ? ", " : "";

        if (c->is_sum) { /* whatever it was: what is read here is what counts */
            buf_addf(sql, "%s%s", comma, c->name);
            buf_addf(&from, "%srow_sum(%s, %s)", comma, key, body);
            continue;
        }
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
    ok = ok && migrate_run(db, &sql, e) &&
         (found == NULL || (add_copy(db, &sql, def, e) && migrate_run(db, &sql, e)));
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
    ok = ok && migrate_run(db, &sql, e);
    buf_release(&sql);
    return ok;
}

/* -- pushes, that were files -- */

bool state_is_hash(const char *name)
{
    return strspn(name, "0123456789abcdef") == 16 && name[16] == '\0';
}

/* A file is one record, that begins with its version and the path of the group, which is the key of its row. */
static bool read_pushed(const char *file, struct buf *bytes, str *path, str *body, struct err *e)
{
    struct unpack u;
    str rest;

    buf_clear(bytes);
    if (!file_read(str_of(file), FILE_REGULAR, PUSHED_MAX, bytes, e))
        return false;
    rest = buf_str(bytes);
    if (!record_next(&rest, body))
        return err_set(e, ERR_CORRUPT, "'%s' is damaged", file);
    u = unpack_of(*body);
    (void)unpack_u64(&u);
    *path = unpack_str(&u);
    return !u.failed || err_set(e, ERR_CORRUPT, "'%s' is not a pushed group", file);
}

static bool put_pushed(sqlite3 *db, sqlite3_stmt *put, str path, str body, struct err *e)
{
    bool ok = sqlite3_bind_blob64(put, 1, path.n != 0 ? path.p : "", path.n, SQLITE_STATIC) ==
                  SQLITE_OK &&
              sqlite3_bind_blob64(put, 2, body.p, body.n, SQLITE_STATIC) == SQLITE_OK &&
              sqlite3_bind_int64(put, 3, state_row_sum(path, body)) == SQLITE_OK &&
              sqlite3_step(put) == SQLITE_DONE;

    if (!ok)
        state_sqlite_failed(db, e, "write");
    (void)sqlite3_reset(put);
    return ok;
}

static bool take_file(sqlite3 *db, sqlite3_stmt *put, const char *file, struct buf *bytes,
                      struct buf *notice, struct err *e)
{
    struct err why = ERR_INIT;
    str path = STR_NONE, body = STR_NONE;

    if (read_pushed(file, bytes, &path, &body, &why))
        return put_pushed(db, put, path, body, e);
    buf_addf(notice, "a pushed group cannot be read, and stays in the copy of its folder: %s\n",
             why.msg);
    return true;
}

static bool take_folder(sqlite3 *db, const char *folder, struct buf *notice, struct err *e)
{
    struct buf sql = BUF_INIT, bytes = BUF_INIT;
    sqlite3_stmt *put = NULL;
    struct dirent *entry;
    DIR *d = opendir(folder);
    bool ok;

    if (d == NULL)
        return errno == ENOENT || err_errno(e, errno, "cannot read '%s'", folder);
    state_put_sql(&sql, STATE_PUSH, 1);
    ok = sqlite3_prepare_v2(db, buf_z(&sql), -1, &put, NULL) == SQLITE_OK ||
         state_sqlite_failed(db, e, "write");
    while (ok && (entry = readdir(d)) != NULL) {
        char file[PATH + 300];

        snprintf(file, sizeof(file), "%s/%s", folder, entry->d_name);
        if (state_is_hash(entry->d_name))
            ok = take_file(db, put, file, &bytes, notice, e);
    }
    sqlite3_finalize(put);
    closedir(d);
    buf_release(&bytes);
    buf_release(&sql);
    return ok;
}

/* Only files of ours are in it. */
static void remove_folder(const char *folder)
{
    DIR *d = opendir(folder);
    struct dirent *entry;

    while (d != NULL && (entry = readdir(d)) != NULL)
        if (entry->d_name[0] != '.')
            (void)unlinkat(dirfd(d), entry->d_name, 0);
    if (d != NULL)
        closedir(d);
    (void)rmdir(folder);
}

/* Under the name of the version that is left, like the backup. A folder that stays is not looked at again. */
static void keep_folder(const char *folder)
{
    char kept[PATH + 16];

    snprintf(kept, sizeof(kept), "%s.v2", folder);
    if (access(folder, F_OK) != 0)
        return;
    remove_folder(kept);
    (void)!file_rename(folder, kept, NULL);
}

/* -- all of it -- */

bool state_create(sqlite3 *db, struct err *e)
{
    return renew_all(db, e);
}

static bool migrate(sqlite3 *db, int version, const char *pushed, struct buf *notice, struct err *e)
{
    struct buf sql = BUF_INIT;
    bool ok;

    buf_adds(&sql, "BEGIN IMMEDIATE");
    ok = migrate_run(db, &sql, e);
    ok = ok && renew_all(db, e) && (version >= 3 || take_folder(db, pushed, notice, e));
    buf_adds(&sql, "COMMIT");
    ok = ok && migrate_run(db, &sql, e);
    buf_release(&sql);
    if (!ok)
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    else if (version < 3)
        keep_folder(pushed);
    return ok;
}

bool state_migrate(sqlite3 *db, str dir, struct buf *notice, struct err *e)
{
    char path[PATH], pushed[PATH];
    int version;

    snprintf(path, sizeof(path), "%.*s/state.db", STR(dir));
    snprintf(pushed, sizeof(pushed), "%.*s/pushed", STR(dir));
    if (!read_version(db, &version, e))
        return false;
    if (version < 0 || version > STATE_VERSION)
        return is_newer(path, version, e);
    if (version == STATE_VERSION)
        return true;
    if (version > 0 && !back_up(db, path, version, e))
        return false;
    return migrate(db, version, pushed, notice, e) ||
           err_wrap(e, "from version %d to %d", version, STATE_VERSION);
}
