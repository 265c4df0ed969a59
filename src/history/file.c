/* Each table has the same three statements, made from its name. A file that has one of them wrong, or none, is not ours or not
 * whole. */
#include "history/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/buf.h"
#include "history/row.h"

enum { FILE_VERSION = 1, KEY_BITS = 60, SQL = 512, FILE_PATIENCE_MS = 2000 };

static const char *const names[HISTORY_TABLES] = {"symbol", "series", "times", "sample"};

static bool file_failed(struct history_file *f, struct err *e, const char *doing)
{
    int rc = sqlite3_errcode(f->db);
    enum err_code code = rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB ? ERR_CORRUPT
                         : rc == SQLITE_FULL                         ? ERR_LIMIT
                                                                     : ERR_IO;

    if (rc == SQLITE_ERROR && sqlite3_system_errno(f->db) == 0) /* tables that are not ours */
        code = ERR_CORRUPT;
    return err_set(e, code, "cannot %s a file of history: %s", doing, sqlite3_errmsg(f->db));
}

static bool file_run(struct history_file *f, const char *sql, const char *doing, struct err *e)
{
    return sqlite3_exec(f->db, sql, NULL, NULL, NULL) == SQLITE_OK || file_failed(f, e, doing);
}

static bool file_number(struct history_file *f, const char *sql, int64_t *out, bool *is_there,
                        struct err *e)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(f->db, sql, -1, &s, NULL);

    rc = rc == SQLITE_OK ? sqlite3_step(s) : rc;
    *is_there = rc == SQLITE_ROW && sqlite3_column_type(s, 0) == SQLITE_INTEGER;
    *out = *is_there ? sqlite3_column_int64(s, 0) : 0;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        file_failed(f, e, "read");
    sqlite3_finalize(s);
    return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

static bool file_prepare(struct history_file *f, const char *sql, sqlite3_stmt **out, struct err *e)
{
    return sqlite3_prepare_v3(f->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) == SQLITE_OK ||
           file_failed(f, e, "read");
}

static bool file_prepare_all(struct history_file *f, bool writes, struct err *e)
{
    char sql[SQL];

    for (int t = 0; t < HISTORY_TABLES; t++) {
        bool has_metric = t == HISTORY_SERIES;

        snprintf(sql, sizeof(sql), "INSERT OR IGNORE INTO %s(id, body%s) VALUES(?, ?%s)", names[t],
                 has_metric ? ", metric" : "", has_metric ? ", ?" : "");
        if (writes && !file_prepare(f, sql, &f->of[t][HISTORY_PUT], e))
            return false;
        snprintf(sql, sizeof(sql), "UPDATE %s SET body = ?2 WHERE id = ?1", names[t]);
        if (writes && !file_prepare(f, sql, &f->of[t][HISTORY_REPLACE], e))
            return false;
        snprintf(sql, sizeof(sql), "SELECT id, body FROM %s WHERE id BETWEEN ? AND ? ORDER BY id",
                 names[t]);
        if (!file_prepare(f, sql, &f->of[t][HISTORY_READ], e))
            return false;
    }
    return file_prepare(f, "SELECT id, body FROM series WHERE metric = ? ORDER BY id",
                        &f->by_metric, e) &&
           file_prepare(f, "SELECT id, NULL FROM sample WHERE id BETWEEN ? AND ? ORDER BY id",
                        &f->keys, e);
}

static bool file_create(struct history_file *f, int64_t base, struct err *e)
{
    char sql[SQL];

    snprintf(sql, sizeof(sql),
             "BEGIN; CREATE TABLE base(span INTEGER); INSERT INTO base VALUES(%lld);"
             "CREATE TABLE symbol(id INTEGER PRIMARY KEY, body BLOB);"
             "CREATE TABLE series(id INTEGER PRIMARY KEY, body BLOB, metric INTEGER);"
             "CREATE INDEX series_metric ON series(metric);"
             "CREATE TABLE times(id INTEGER PRIMARY KEY, body BLOB);"
             "CREATE TABLE sample(id INTEGER PRIMARY KEY, body BLOB);"
             "PRAGMA user_version = %d; COMMIT",
             (long long)base, FILE_VERSION);
    return file_run(f, sql, "make", e);
}

/* Made before SQLite sees it, so that it and what lies beside it are 0600 whatever the umask says. */
static bool file_touch(const char *path, struct err *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return err_errno(e, errno, "cannot open '%s'", path);
    close(fd);
    return true;
}

static bool file_connect(struct history_file *f, const char *path, bool writes, struct err *e)
{
    int flags = (writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX;

    *f = (struct history_file){0};
    if (sqlite3_open_v2(path, &f->db, flags, NULL) != SQLITE_OK)
        return file_failed(f, e, "open");
    sqlite3_busy_timeout(f->db, FILE_PATIENCE_MS);
    return file_run(f,
                    writes ? "PRAGMA journal_mode = WAL;"
                             "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
                             "PRAGMA cache_size = -1024; PRAGMA temp_store = MEMORY"
                           : "PRAGMA cache_size = -1024;"
                             "PRAGMA temp_store = MEMORY; BEGIN",
                    "open", e);
}

static bool file_check(struct history_file *f, int64_t version, struct err *e)
{
    bool is_there;

    if (version == 0)
        return err_set(e, ERR_NOT_FOUND, "a file of history is empty");
    if (version > FILE_VERSION)
        return err_set(e, ERR_UNSUPPORTED, "a newer version wrote this file of history");
    if (!file_number(f, "SELECT span FROM base", &f->base, &is_there, e))
        return false;
    return is_there || err_set(e, ERR_CORRUPT, "a file of history has no base");
}

bool history_file_open(struct history_file *f, const char *path, int64_t base, struct err *e)
{
    int64_t version;
    bool is_there;

    *f = (struct history_file){0};
    if (file_touch(path, e) && file_connect(f, path, true, e) &&
        file_number(f, "PRAGMA user_version", &version, &is_there, e) &&
        (version != 0 || file_create(f, base, e)) &&
        file_check(f, version != 0 ? version : FILE_VERSION, e) && file_prepare_all(f, true, e))
        return true;
    history_file_close(f);
    return false;
}

bool history_file_look(struct history_file *f, const char *path, struct err *e)
{
    int64_t version;
    bool is_there;

    if (file_connect(f, path, false, e) &&
        file_number(f, "PRAGMA user_version", &version, &is_there, e) &&
        file_check(f, version, e) && file_prepare_all(f, false, e))
        return true;
    history_file_close(f);
    return false;
}

void history_file_close(struct history_file *f)
{
    for (int t = 0; t < HISTORY_TABLES; t++)
        for (int i = 0; i < HISTORY_STATEMENTS; i++)
            sqlite3_finalize(f->of[t][i]);
    sqlite3_finalize(f->by_metric);
    sqlite3_finalize(f->keys);
    sqlite3_close(f->db);
    *f = (struct history_file){0};
}

bool history_file_begin(struct history_file *f, struct err *e)
{
    return file_run(f, "BEGIN IMMEDIATE", "write", e);
}

/* The log is emptied at once, unless somebody reads it: then the next time. */
bool history_file_commit(struct history_file *f, struct err *e)
{
    int rc;

    if (!file_run(f, "COMMIT", "write", e))
        return false;
    sqlite3_busy_timeout(f->db, 0);
    rc = sqlite3_wal_checkpoint_v2(f->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(f->db, FILE_PATIENCE_MS);
    return (rc & 0xff) != SQLITE_IOERR || file_failed(f, e, "write");
}

/* -- rows -- */

uint64_t history_seal_key(enum history_table t, int64_t key)
{
    return (uint64_t)t << KEY_BITS ^ (uint64_t)key;
}

static bool file_step(struct history_file *f, sqlite3_stmt *s, int64_t key, int64_t metric,
                      str body, struct err *e)
{
    bool ok =
        sqlite3_bind_int64(s, 1, key) == SQLITE_OK &&
        sqlite3_bind_blob64(s, 2, body.p, body.n, SQLITE_STATIC) == SQLITE_OK &&
        (sqlite3_bind_parameter_count(s) < 3 || sqlite3_bind_int64(s, 3, metric) == SQLITE_OK) &&
        sqlite3_step(s) == SQLITE_DONE;

    if (!ok)
        file_failed(f, e, "write");
    (void)sqlite3_reset(s);
    return ok;
}

bool history_file_put(struct history_file *f, enum history_table t, int64_t key, int64_t metric,
                      str body, bool *is_new, struct err *e)
{
    bool ok = file_step(f, f->of[t][HISTORY_PUT], key, metric, body, e);

    *is_new = ok && sqlite3_changes(f->db) != 0;
    return ok;
}

bool history_file_replace(struct history_file *f, enum history_table t, int64_t key, str body,
                          struct err *e)
{
    return file_step(f, f->of[t][HISTORY_REPLACE], key, 0, body, e);
}

static bool file_has_all(str body, const struct history_needles *needles)
{
    for (size_t i = 0; needles != NULL && i < needles->n; i++)
        if (memmem(body.p, body.n, needles->v[i].p, needles->v[i].n) == NULL)
            return false;
    return true;
}

static bool file_take_row(sqlite3_stmt *s, enum history_table t, bool has_body,
                          const struct history_needles *needles, history_row_fn *row, void *arg,
                          struct err *e)
{
    const char *p = sqlite3_column_blob(s, 1);
    str body = {p, (size_t)sqlite3_column_bytes(s, 1)};
    int64_t key;

    if (!file_has_all(body, needles))
        return true;
    key = sqlite3_column_int64(s, 0);
    return (!has_body || history_unseal(&body, history_seal_key(t, key), e)) &&
           row(arg, key, body, e);
}

static bool file_read_rows(struct history_file *f, sqlite3_stmt *s, enum history_table t,
                           const struct history_needles *needles, history_row_fn *row, void *arg,
                           struct err *e)
{
    struct err why = ERR_INIT;
    int rc;

    while ((rc = sqlite3_step(s)) == SQLITE_ROW)
        if (!file_take_row(s, t, s != f->keys, needles, row, arg, &why))
            break;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        file_failed(f, &why, "read");
    (void)sqlite3_reset(s);
    if (why.code != ERR_NONE && e != NULL)
        *e = why;
    return why.code == ERR_NONE;
}

static bool file_bind_range(struct history_file *f, sqlite3_stmt *s, int64_t from, int64_t to,
                            struct err *e)
{
    return (sqlite3_bind_int64(s, 1, from) == SQLITE_OK &&
            sqlite3_bind_int64(s, 2, to) == SQLITE_OK) ||
           file_failed(f, e, "read");
}

bool history_file_read(struct history_file *f, enum history_table t, int64_t from, int64_t to,
                       history_row_fn *row, void *arg, struct err *e)
{
    return file_bind_range(f, f->of[t][HISTORY_READ], from, to, e) &&
           file_read_rows(f, f->of[t][HISTORY_READ], t, NULL, row, arg, e);
}

bool history_file_read_series(struct history_file *f, int64_t metric,
                              const struct history_needles *needles, history_row_fn *row, void *arg,
                              struct err *e)
{
    sqlite3_stmt *s = metric >= 0 ? f->by_metric : f->of[HISTORY_SERIES][HISTORY_READ];
    bool ok = metric >= 0
                  ? sqlite3_bind_int64(s, 1, metric) == SQLITE_OK || file_failed(f, e, "read")
                  : file_bind_range(f, s, 0, INT64_MAX, e);

    return ok && file_read_rows(f, s, HISTORY_SERIES, needles, row, arg, e);
}

bool history_file_read_keys(struct history_file *f, int64_t from, int64_t to, history_row_fn *row,
                            void *arg, struct err *e)
{
    return file_bind_range(f, f->keys, from, to, e) &&
           file_read_rows(f, f->keys, HISTORY_SAMPLE, NULL, row, arg, e);
}

bool history_file_spans(struct history_file *f, int64_t *first, int64_t *last, struct err *e)
{
    int64_t from, to;
    bool has_any, is_there;

    if (!file_number(f, "SELECT min(id) FROM times", &from, &has_any, e) ||
        !file_number(f, "SELECT max(id) FROM times", &to, &is_there, e))
        return false;
    *first = has_any ? from >> 20 : 1;
    *last = has_any ? to >> 20 : 0;
    return true;
}

bool history_file_next_times(struct history_file *f, int64_t span, uint64_t most, uint64_t *out,
                             struct err *e)
{
    int64_t from = history_times_key(span, 0), last;
    bool is_there;
    char sql[SQL];

    snprintf(sql, sizeof(sql), "SELECT max(id) FROM times WHERE id BETWEEN %lld AND %lld",
             (long long)from, (long long)(from + (int64_t)most - 1));
    if (!file_number(f, sql, &last, &is_there, e))
        return false;
    *out = is_there ? (uint64_t)(last - from) + 1 : 0;
    return true;
}

bool history_file_count_times(struct history_file *f, uint64_t *out, struct err *e)
{
    int64_t n;
    bool is_there;

    if (!file_number(f, "SELECT count(*) FROM times", &n, &is_there, e))
        return false;
    *out = (uint64_t)n;
    return true;
}
