/* sqlite_db.c - one database file and the ways it can be found broken.
 *
 * Writing it anew after trouble happens in a second file, in an order that survives a crash at any point:
 *     1. state.db.tmp is written with a rollback journal and synced
 *     2. it is renamed to state.db.new: from here on it is complete and the truth
 *     3. the old file's WAL is removed, state.db.new is renamed to state.db
 * Opening looks for state.db.new first and finishes step 3.
 */
#include "state/sqlite_db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "state/alert_log.h"
#include "state/vfs.h"
#include "model/row.h"
#include "state/migrate.h"
#include "state/row_sum.h"
#include "state/tables.h"
#include "state/wal.h"
#include "os/file.h"

/* 4 MiB in the write-ahead log: a larger one would for longer grow with each commit, whose sync then writes its new end, too. */
enum { PATH = 4096, CHECKPOINT_FRAMES = 1000, CHECKPOINT_BUSY = 4 * CHECKPOINT_FRAMES };

static void sqlite_db_path_of(char out[PATH], str dir, const char *suffix)
{
    snprintf(out, PATH, "%.*s/state.db%s", STR(dir), suffix);
}

static bool sqlite_db_run(sqlite3 *db, const char *sql, struct err *e, const char *doing)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ||
           state_sqlite_failed(db, e, doing);
}

/* Made before SQLite sees it, so that it and its WAL are 0600 whatever the umask says. */
static bool touch(const char *path, struct err *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_errno(e, errno, "cannot open '%s'", path);
    (void)!fchmod(fd, 0600);
    close(fd);
    return true;
}

static bool connect_to(sqlite3 **out, const char *path, bool wal, struct err *e)
{
    sqlite3 *db = NULL;
    const char *pragmas =
        wal ? "PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 5000;"
              "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
              "PRAGMA journal_size_limit = 16777216; PRAGMA wal_autocheckpoint = 0;"
              "PRAGMA secure_delete = OFF;" /* freed pages need not be written */
              "PRAGMA cache_size = -1024; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
            : "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE;"
              "PRAGMA synchronous = FULL; PRAGMA cache_size = -512; PRAGMA temp_store = MEMORY;";

    if (!touch(path, e))
        return false;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        wal ? vfs_name() : NULL) != SQLITE_OK ||
        sqlite3_exec(db, pragmas, NULL, NULL, NULL) != SQLITE_OK || !state_row_sum_add(db, NULL)) {
        state_sqlite_failed(db, e, "open");
        sqlite3_close(db);
        return false;
    }
    *out = db;
    return true;
}

/* A check that went on says in its words what kept it from reading a page: "... error code=7". */
static bool could_not_look(const char *text)
{
    static const char words[] = "error code";
    const char *at = strstr(text, words);
    long code = at != NULL ? strtol(at + sizeof(words), NULL, 10) & 0xff : 0;

    return code == SQLITE_NOMEM || code == SQLITE_IOERR || code == SQLITE_BUSY ||
           code == SQLITE_LOCKED;
}

/* A check that could not be made, for want of memory for one, says nothing about the file: only what is known to be
 * damaged is ERR_CORRUPT. */
static bool check_is_sound(sqlite3 *db, const char *path, struct err *e)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &s, NULL);
    const char *text;
    bool ok = false;

    rc = rc == SQLITE_OK ? sqlite3_step(s) : rc;
    text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : NULL;
    if (text != NULL && strcmp(text, "ok") == 0)
        ok = true;
    else if (text != NULL && could_not_look(text))
        err_set(e, ERR_IO, "'%s' cannot be checked: %s", path, text);
    else if (text != NULL)
        err_set(e, ERR_CORRUPT, "'%s' does not pass its check", path);
    else
        state_sqlite_failed(db, e, "check");
    sqlite3_finalize(s);
    return ok;
}

/* puts: the rows of one; 0: a delete. */
static bool sqlite_db_prepare(struct sqlite_db *d, enum state_table t, int puts, sqlite3_stmt **out,
                              struct err *e)
{
    struct buf sql = BUF_INIT;
    bool ok;

    if (puts != 0)
        state_put_sql(&sql, t, puts);
    else
        state_delete_sql(&sql, t);
    ok = sqlite3_prepare_v3(d->db, buf_z(&sql), -1, SQLITE_PREPARE_PERSISTENT, out, NULL) ==
             SQLITE_OK ||
         state_sqlite_failed(d->db, e, "read");
    buf_release(&sql);
    return ok;
}

/* Called at the end of each transaction: how much stands in the write-ahead log. */
static int note_wal(void *arg, sqlite3 *db, const char *name, int frames)
{
    (void)db;
    (void)name;
    ((struct sqlite_db *)arg)->wal_frames = frames;
    return SQLITE_OK;
}

static bool prepare_all(struct sqlite_db *d, struct err *e)
{
    for (int t = 0; t < STATE_TABLES; t++)
        if (state_tables[t].kind != STATE_LOG &&
            (!sqlite_db_prepare(d, (enum state_table)t, 1, &d->put[t], e) ||
             !sqlite_db_prepare(d, (enum state_table)t, SQLITE_DB_HELD, &d->put_held[t], e) ||
             !sqlite_db_prepare(d, (enum state_table)t, 0, &d->del[t], e)))
            return false;
    sqlite3_wal_hook(d->db, note_wal, d);
    return true;
}

static bool finish_rebuild(str dir, struct err *e)
{
    char fresh[PATH], path[PATH], wal[PATH];

    sqlite_db_path_of(fresh, dir, ".new");
    sqlite_db_path_of(path, dir, "");
    sqlite_db_path_of(wal, dir, "-wal");
    if (access(fresh, F_OK) != 0)
        return true;
    if (unlink(wal) != 0 && errno != ENOENT)
        return err_errno(e, errno, "cannot put '%s' in place", fresh);
    return file_rename(fresh, path, e);
}

static bool sqlite_db_set_aside(str dir, struct buf *notice, struct err *e)
{
    char path[PATH], aside[PATH + 32], wal[PATH], aside_wal[PATH + 64];

    sqlite_db_path_of(path, dir, "");
    sqlite_db_path_of(wal, dir, "-wal");
    snprintf(aside, sizeof(aside), "%s.damaged-%lld", path, (long long)time(NULL));
    snprintf(aside_wal, sizeof(aside_wal), "%s-wal", aside);
    if (!file_rename(path, aside, e))
        return err_wrap(e, "cannot set it aside");
    (void)!rename(wal, aside_wal);
    buf_addf(notice, "state database '%s' is damaged: kept as '%s', starting with an empty one\n",
             path, aside);
    return true;
}

/* Opens what is there; ERR_CORRUPT when it should be set aside. */
static bool open_found(struct sqlite_db *d, const char *path, struct buf *notice, struct err *e)
{
    return connect_to(&d->db, path, true, e) && check_is_sound(d->db, path, e) &&
           state_migrate(d->db, d->dir, notice, e) && prepare_all(d, e) &&
           state_rows_mend(d->db, d->dir, notice, e);
}

static void note_file(struct sqlite_db *d, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return;
    d->device = st.st_dev;
    d->inode = st.st_ino;
}

bool sqlite_db_open(struct sqlite_db *d, str dir, struct buf *notice, struct err *e)
{
    char path[PATH];
    struct err why = ERR_INIT;

    *d = (struct sqlite_db){.dir = dir};
    sqlite_db_path_of(path, dir, "");
    if (!finish_rebuild(dir, e))
        return false;
    state_wal_check(dir, notice);
    if (open_found(d, path, notice, &why)) {
        note_file(d, path);
        return true;
    }
    sqlite_db_close(d, true);
    if (why.code != ERR_CORRUPT) {
        if (e != NULL)
            *e = why;
        return false;
    }
    if (sqlite_db_set_aside(dir, notice, e) && open_found(d, path, notice, e)) {
        note_file(d, path);
        return true;
    }
    sqlite_db_close(d, true);
    return false;
}

void sqlite_db_close(struct sqlite_db *d, bool may_write)
{
    if (d->db != NULL && !may_write)
        (void)sqlite3_db_config(d->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    for (size_t t = 0; t < STATE_TABLES; t++) {
        sqlite3_finalize(d->put[t]);
        sqlite3_finalize(d->put_held[t]);
        sqlite3_finalize(d->del[t]);
        d->put[t] = d->put_held[t] = d->del[t] = NULL;
    }
    sqlite3_close(d->db);
    d->db = NULL;
}

str sqlite_column(sqlite3_stmt *s, int i)
{
    const char *p = sqlite3_column_blob(s, i);

    return (str){p, (size_t)sqlite3_column_bytes(s, i)};
}

bool sqlite_db_scan(struct sqlite_db *d, enum state_table t, str from,
                    bool (*row)(void *arg, str key, str body), void *arg, struct err *e)
{
    struct buf sql = BUF_INIT;
    sqlite3_stmt *s = NULL;
    int rc;

    state_read_sql(&sql, t);
    rc = sqlite3_prepare_v2(d->db, buf_z(&sql), -1, &s, NULL);
    buf_release(&sql);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_blob64(s, 1, from.n != 0 ? from.p : "", from.n, SQLITE_STATIC);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(s);
        if (rc == SQLITE_ROW && !row(arg, sqlite_column(s, 0), sqlite_column(s, 1)))
            rc = SQLITE_DONE;
    }
    if (rc != SQLITE_DONE)
        state_sqlite_failed(d->db, e, "read");
    sqlite3_finalize(s);
    return rc == SQLITE_DONE;
}

bool sqlite_db_begin(struct sqlite_db *d, struct err *e)
{
    return sqlite_db_run(d->db, "BEGIN IMMEDIATE", e, "write");
}

/* A NULL pointer would bind NULL, not the empty blob. */
static bool sqlite_db_bind(sqlite3_stmt *s, int at, str bytes)
{
    return sqlite3_bind_blob64(s, at, bytes.p != NULL ? bytes.p : "", bytes.n, SQLITE_STATIC) ==
           SQLITE_OK;
}

/* n puts, or one delete. */
static bool sqlite_db_step(struct sqlite_db *d, sqlite3_stmt *s, const struct state_op *op,
                           size_t n, struct err *e)
{
    int at = 1;
    bool ok = true;

    for (size_t i = 0; i < n && ok; i++, at += 3)
        ok = sqlite_db_bind(s, at, op[i].key) &&
             (!op[i].put ||
              (sqlite_db_bind(s, at + 1, op[i].value) &&
               sqlite3_bind_int64(s, at + 2, state_row_sum(op[i].key, op[i].value)) == SQLITE_OK));
    ok = ok && sqlite3_step(s) == SQLITE_DONE;
    if (!ok)
        state_sqlite_failed(d->db, e, "write");
    (void)sqlite3_reset(s);
    return ok;
}

/* In the order in which they came. */
static bool sqlite_db_put_held(struct sqlite_db *d, int t, struct err *e)
{
    struct sqlite_db_held *h = &d->held[t];
    size_t n = h->n;
    bool ok = true;

    h->n = 0;
    if (n == SQLITE_DB_HELD)
        return sqlite_db_step(d, d->put_held[t], h->v, n, e);
    for (size_t i = 0; i < n && ok; i++)
        ok = sqlite_db_step(d, d->put[t], &h->v[i], 1, e);
    return ok;
}

/* What is deleted may have been put before. */
static bool sqlite_db_take(struct sqlite_db *d, const struct state_op *op, struct err *e)
{
    struct sqlite_db_held *h = &d->held[op->table];

    if (!op->put)
        return sqlite_db_put_held(d, (int)op->table, e) &&
               sqlite_db_step(d, d->del[op->table], op, 1, e);
    h->v[h->n++] = *op;
    return h->n < SQLITE_DB_HELD || sqlite_db_put_held(d, (int)op->table, e);
}

bool sqlite_db_apply(struct sqlite_db *d, str ops, struct err *e)
{
    struct unpack u = unpack_of(ops);
    struct state_op op;

    while (state_op_next(&u, &op))
        if (!sqlite_db_take(d, &op, e))
            return false;
    return true;
}

bool sqlite_db_end(struct sqlite_db *d, struct err *e)
{
    for (int t = 0; t < STATE_TABLES; t++)
        if (!sqlite_db_put_held(d, t, e))
            return false;
    return sqlite_db_run(d->db, "COMMIT", e, "write");
}

void sqlite_db_undo(struct sqlite_db *d)
{
    for (size_t t = 0; t < STATE_TABLES; t++)
        d->held[t].n = 0;
    (void)sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
}

static bool sqlite_db_fill(struct sqlite_db *d, const char *path, str ops, struct err *e)
{
    return connect_to(&d->db, path, false, e) && sqlite_db_begin(d, e) && state_create(d->db, e) &&
           prepare_all(d, e) && sqlite_db_apply(d, ops, e) && sqlite_db_end(d, e);
}

/* A database that somebody put there while we ran is not ours to write over. */
static bool keep_foreign(const struct sqlite_db *d, const char *path, struct err *e)
{
    char aside[PATH + 32];
    struct stat st;

    if (stat(path, &st) != 0 || (st.st_dev == d->device && st.st_ino == d->inode))
        return true;
    snprintf(aside, sizeof(aside), "%s.replaced-%lld", path, (long long)time(NULL));
    return file_rename(path, aside, e);
}

bool sqlite_db_rebuild(struct sqlite_db *d, str ops, struct err *e)
{
    char tmp[PATH], journal[PATH], fresh[PATH], path[PATH];
    struct sqlite_db made = {.dir = d->dir};
    bool ok;

    sqlite_db_path_of(tmp, d->dir, ".tmp");
    sqlite_db_path_of(journal, d->dir, ".tmp-journal");
    sqlite_db_path_of(fresh, d->dir, ".new");
    sqlite_db_path_of(path, d->dir, "");
    (void)unlink(tmp);
    (void)unlink(journal);
    ok = sqlite_db_fill(&made, tmp, ops, e);
    sqlite_db_close(&made, true);
    if (!ok) {
        (void)unlink(tmp);
        (void)unlink(journal);
        return false;
    }
    if (!keep_foreign(d, path, e))
        return false;
    if (!file_rename(tmp, fresh, e))
        return false;
    sqlite_db_close(d, false);
    if (!finish_rebuild(d->dir, e))
        return false;
    if (connect_to(&d->db, path, true, e) && prepare_all(d, e)) {
        note_file(d, path);
        return true;
    }
    sqlite_db_close(d, true);
    return false;
}

/* What keeps it from being made now, as a lack of room or memory, does so later, too, or not: the rows stand in the log. */
bool sqlite_db_checkpoint(struct sqlite_db *d, bool is_busy, struct err *e)
{
    int rc = SQLITE_OK;

    if (d->db == NULL || d->wal_frames < (is_busy ? CHECKPOINT_BUSY : CHECKPOINT_FRAMES))
        return true;
    rc = sqlite3_wal_checkpoint_v2(d->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    d->wal_frames = 0;
    return (rc & 0xff) != SQLITE_IOERR || state_sqlite_failed(d->db, e, "write");
}

bool sqlite_db_is_there(const struct sqlite_db *d, struct err *e)
{
    char path[PATH];
    struct stat st;

    sqlite_db_path_of(path, d->dir, "");
    return (stat(path, &st) == 0 && st.st_dev == d->device && st.st_ino == d->inode) ||
           err_set(e, ERR_IO, "'%s' was removed or replaced", path);
}

uint64_t sqlite_db_log_size(const struct sqlite_db *d)
{
    enum { HEADER = 32, FRAME = 24 + 4096 };

    return d->wal_frames > 0 ? HEADER + (uint64_t)d->wal_frames * FRAME : 0;
}

uint64_t sqlite_db_size(const struct sqlite_db *d)
{
    static const char *const names[] = {"", "-wal"};
    uint64_t sum = 0;
    char path[PATH];
    struct stat st;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        sqlite_db_path_of(path, d->dir, names[i]);
        if (stat(path, &st) == 0)
            sum += (uint64_t)st.st_size;
    }
    return sum;
}
