#include "state/db_read.h"

#include <sqlite3.h>
#include "base/buf.h"

static void add_uri(struct buf *out, str path, const char *options)
{
    buf_adds(out, "file:");
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] == '%' || path.p[i] == '?' || path.p[i] == '#')
            buf_addf(out, "%%%02x", (unsigned char)path.p[i]);
        else
            buf_addc(out, path.p[i]);
    }
    buf_add(out, str_of(options));
}

/* Exclusive, so that no file of shared memory is made; and the log stays what it is. */
static bool keep_log(sqlite3 *db)
{
    return sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) == SQLITE_OK &&
           sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA user_version;", NULL, NULL,
                        NULL) == SQLITE_OK;
}

static bool db_read_try(str path, const char *options, int flags, sqlite3 **out)
{
    struct buf uri = BUF_INIT;
    bool ok;

    add_uri(&uri, path, options);
    ok = sqlite3_open_v2(buf_z(&uri), out, flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL) ==
         SQLITE_OK;
    buf_release(&uri);
    return ok;
}

bool state_db_read(str path, enum db_rest rest, sqlite3 **out, struct err *e)
{
    sqlite3 *db = NULL;
    bool ok;

    if (rest == DB_LIES_STILL) {
        ok = db_read_try(path, "?immutable=1", SQLITE_OPEN_READONLY, &db);
    } else {
        ok = db_read_try(path, "", SQLITE_OPEN_READWRITE, &db) && keep_log(db);
        if (!ok && sqlite3_errcode(db) != SQLITE_NOTADB && sqlite3_errcode(db) != SQLITE_CORRUPT) {
            sqlite3_close(db); /* whoever may not write here reads as well as he can */
            ok = db_read_try(path, "?mode=ro", SQLITE_OPEN_READONLY, &db);
        }
    }
    if (ok) {
        *out = db;
        return true;
    }
    err_set(e, ERR_CORRUPT, "cannot read '%.*s': %s", STR(path), sqlite3_errmsg(db));
    sqlite3_close(db);
    return false;
}

int64_t state_db_number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s = NULL;
    int64_t n = -1;

    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return n;
}

bool state_db_each_table(sqlite3 *db, void (*seen)(void *arg, const char *name), void *arg)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db,
                                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT "
                                "LIKE 'sqlite_%' ORDER BY rowid",
                                -1, &s, NULL);

    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(s);
        if (rc == SQLITE_ROW)
            seen(arg, (const char *)sqlite3_column_text(s, 0));
    }
    sqlite3_finalize(s);
    return rc == SQLITE_DONE;
}

bool state_db_is_sound(sqlite3 *db, str path, struct err *e)
{
    sqlite3_stmt *s = NULL;
    bool ok = sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &s, NULL) == SQLITE_OK &&
              sqlite3_step(s) == SQLITE_ROW;
    const char *said = ok ? (const char *)sqlite3_column_text(s, 0) : sqlite3_errmsg(db);

    if (!ok || said == NULL || strcmp(said, "ok") != 0)
        ok = err_set(e, ERR_CORRUPT, "'%.*s' is damaged: %s", STR(path), said != NULL ? said : "");
    sqlite3_finalize(s);
    return ok;
}
