/* A new folder is written beside: rows by tables of the old version, files of pushed groups, links of the samples;
 * then it takes the place of the one that was. */
#include "state/downgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/mem.h"
#include "model/nflog.h"
#include "model/outbox.h"
#include "base/record.h"
#include "os/file.h"
#include "state/backup.h"
#include "state/db_read.h"
#include "state/lock.h"
#include "state/migrate.h"
#include "state/restore.h"
#include "state/row_sum.h"
#include "state/sqlite_db.h"
#include "state/tables.h"

/* Its tables, as its own migrations leave them. */
static const char ddl[] =
    "CREATE TABLE silence (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE rule (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE meta (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE outbox (key BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL);"
    "CREATE TABLE nflog (key BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL);"
    "CREATE TABLE decision (key BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL);"
    "PRAGMA user_version = 2;";

struct going_back {
    sqlite3 *from, *to;
    str folder;
    struct now now;
    char into[STATE_PATH];
    size_t unsure, templates, pushes;
};

static bool downgrade_run(sqlite3 *db, const char *sql, struct err *e)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ||
           state_sqlite_failed(db, e, "write");
}

/* -- rows -- */

static bool is_unsure(const struct going_back *g, str body)
{
    struct nflog_entry *entry = nflog_unpack(body, g->now);
    bool unsure = entry != NULL && entry->is_unsure;

    nflog_entry_free(entry);
    return unsure;
}

static bool has_templates(const struct going_back *g, str key, str body)
{
    struct outbox_row *row = outbox_unpack(key, body, g->now);
    struct notification n;
    struct arena a;
    bool has;

    arena_init(&a, 0);
    has = row != NULL && outbox_tells(row, &a, &n) && n.route_templates.n != 0;
    arena_release(&a);
    outbox_row_free(row);
    return has;
}

/* As one of its files: a record, named by the hash of its path. */
static bool write_pushed(struct going_back *g, str path, str body, struct err *e)
{
    char file[STATE_PATH + 64];
    struct buf b = BUF_INIT;
    bool ok;

    snprintf(file, sizeof(file), "%s/pushed/%016" PRIx64, g->into, hash_xxh64(path));
    record_frame(&b, body);
    ok = file_replace(str_of(file), buf_str(&b), e);
    buf_release(&b);
    g->pushes++;
    return ok;
}

/* False in *goes: there is no such row there. */
static bool convert(struct going_back *g, enum state_table t, str key, str body, bool *goes,
                    struct err *e)
{
    *goes = true;
    if (t == STATE_TOLD && is_unsure(g, body)) {
        g->unsure++;
        *goes = false;
    } else if (t == STATE_OUTBOX) {
        g->templates += has_templates(g, key, body);
    } else if (t == STATE_PUSH) {
        *goes = false;
        return write_pushed(g, key, body, e);
    }
    return true;
}

static bool downgrade_put(struct going_back *g, sqlite3_stmt *s, str key, str body, struct err *e)
{
    bool ok =
        sqlite3_bind_blob64(s, 1, key.p != NULL ? key.p : "", key.n, SQLITE_STATIC) == SQLITE_OK &&
        sqlite3_bind_blob64(s, 2, body.p != NULL ? body.p : "", body.n, SQLITE_STATIC) ==
            SQLITE_OK &&
        sqlite3_step(s) == SQLITE_DONE;

    (void)sqlite3_reset(s);
    return ok || state_sqlite_failed(g->to, e, "write");
}

static bool copy_rows(struct going_back *g, enum state_table t, sqlite3_stmt *from,
                      sqlite3_stmt *to, struct err *e)
{
    int rc;

    while ((rc = sqlite3_step(from)) == SQLITE_ROW) {
        str key = sqlite_column(from, 0), body = sqlite_column(from, 1);
        bool goes;

        if (!convert(g, t, key, body, &goes, e) || (goes && !downgrade_put(g, to, key, body, e)))
            return false;
    }
    return rc == SQLITE_DONE || state_sqlite_failed(g->from, e, "read");
}

static bool copy_table(struct going_back *g, enum state_table t, struct err *e)
{
    const struct state_table_def *def = &state_tables[t];
    const char *old = def->was != NULL ? def->was : def->name;
    sqlite3_stmt *from = NULL, *to = NULL;
    char sql[128];
    bool ok;

    snprintf(sql, sizeof(sql), "SELECT key, body FROM %s", def->name);
    ok = sqlite3_prepare_v2(g->from, sql, -1, &from, NULL) == SQLITE_OK ||
         state_sqlite_failed(g->from, e, "read");
    snprintf(sql, sizeof(sql), "INSERT INTO %s(key, value) VALUES(?1, ?2)", old);
    ok = ok && (t == STATE_PUSH || sqlite3_prepare_v2(g->to, sql, -1, &to, NULL) == SQLITE_OK ||
                state_sqlite_failed(g->to, e, "write"));
    ok = ok && copy_rows(g, t, from, to, e);
    sqlite3_finalize(from);
    sqlite3_finalize(to);
    return ok;
}

static bool downgrade_write_rows(struct going_back *g, struct err *e)
{
    char path[STATE_PATH];
    bool ok;
    int fd;

    state_path(path, str_of(g->into), "state.db");
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, errno, "cannot create '%s'", path);
    close(fd);
    ok = sqlite3_open_v2(path, &g->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
             SQLITE_OK ||
         state_sqlite_failed(g->to, e, "write");
    ok = ok && downgrade_run(g->to, "BEGIN", e) && downgrade_run(g->to, ddl, e);
    for (int t = 0; ok && t < STATE_TABLES; t++)
        if (state_tables[t].kind != STATE_LOG)
            ok = copy_table(g, (enum state_table)t, e);
    ok = ok && downgrade_run(g->to, "COMMIT", e);
    sqlite3_close(g->to);
    return ok && state_sync_file(path, e);
}

/* -- files -- */

/* Under a second name: the same bytes in the folder that is kept and in the one that is used. */
static bool link_samples(const struct going_back *g, struct err *e)
{
    struct state_files files = {.v = VEC_INIT};
    char from[STATE_PATH + 300], to[STATE_PATH + 300];
    bool ok = state_files_open(&files, g->folder, UINT64_MAX, e);

    for (size_t i = 0; ok && i < files.v.n; i++) {
        str name = files.v.v[i].name;

        if (!str_starts_with(name, S("samples/")))
            continue;
        snprintf(from, sizeof(from), "%.*s/%.*s", STR(g->folder), STR(name));
        snprintf(to, sizeof(to), "%s/%.*s", g->into, STR(name));
        ok = link(from, to) == 0 || err_errno(e, errno, "cannot link '%s'", from);
    }
    state_files_release(&files);
    return ok;
}

/* Appended to from now on, so it is a copy. */
static bool copy_alerts(const struct going_back *g, struct err *e)
{
    char to[STATE_PATH];

    state_path(to, str_of(g->into), "alerts.log");
    return state_copy_plain(g->folder, S("alerts.log"), to, NULL, e);
}

static void downgrade_tell(const struct going_back *g, const char *aside, struct buf *said)
{
    if (g->unsure != 0)
        buf_addf(
            said,
            "%zu entries of the notification log say that only requests without an answer went "
            "out: left out, the older program tells those again\n",
            g->unsure);
    if (g->templates != 0)
        buf_addf(
            said,
            "%zu notifications that wait have templates in the labels of their routes: the older "
            "program sends them without these\n",
            g->templates);
    if (g->pushes != 0)
        buf_addf(said, "%zu pushed groups are files again\n", g->pushes);
    buf_addf(said, "%.*s is what 0.1.1 opens; what was there is in %s\n", STR(g->folder), aside);
}

static bool downgrade_write_folder(struct going_back *g, struct buf *said, struct err *e)
{
    char name[64], aside[STATE_PATH + 128];

    if (!state_restoring_begin(g->folder, g->into, e))
        return false;
    if (!downgrade_write_rows(g, e) || !copy_alerts(g, e) || !link_samples(g, e)) {
        (void)state_remove_folder(g->into);
        return false;
    }
    snprintf(name, sizeof(name), "before-downgrade-%lld", (long long)(g->now.wall / NS_PER_S));
    snprintf(aside, sizeof(aside), "%.*s/%s", STR(g->folder), name);
    if (!state_move_aside(g->folder, name, e) || !state_restoring_end(g->folder, g->into, e))
        return err_wrap(e, "what was there is in '%s'", aside);
    downgrade_tell(g, aside, said);
    return true;
}

/* -- all of it -- */

static bool downgrade_is_sound(struct going_back *g, str path, struct err *e)
{
    struct buf why = BUF_INIT;
    size_t bad;

    if (!state_db_is_sound(g->from, path, e))
        return false;
    bad = state_rows_damaged(g->from, &why);
    if (bad != 0)
        err_set(e, ERR_CORRUPT,
                "'%.*s' is damaged%.*s: start the program once, which tells and mends", STR(path),
                STR(buf_str(&why)));
    buf_release(&why);
    return bad == 0;
}

static bool go_back(struct going_back *g, struct buf *said, struct err *e)
{
    char path[STATE_PATH];
    int64_t version;
    bool ok;

    state_path(path, g->folder, "state.db");
    if (access(path, F_OK) != 0)
        return err_errno(e, errno, "cannot read '%s'", path);
    if (!state_db_read(str_of(path), DB_AS_LEFT, &g->from, e))
        return false;
    version = state_db_number(g->from, "PRAGMA user_version");
    ok = version >= 0 || state_sqlite_failed(g->from, e, "read");
    if (ok && version <= STATE_VERSION_OLD)
        buf_addf(said, "%.*s has version %lld: 0.1.1 opens it\n", STR(g->folder),
                 (long long)version);
    else if (ok && version > STATE_VERSION)
        ok = err_set(e, ERR_UNSUPPORTED, "'%s' has version %lld, this program knows %d", path,
                     (long long)version, STATE_VERSION);
    else
        ok = ok && downgrade_is_sound(g, str_of(path), e) && downgrade_write_folder(g, said, e);
    sqlite3_close(g->from);
    return ok;
}

bool state_downgrade(str folder, ts_ns now, struct buf *said, struct err *e)
{
    struct going_back g = {.folder = folder, .now = {.wall = now, .mono = now}};
    int lock = -1;
    bool ok;

    if (folder.n == 0 || folder.n + 300 > STATE_PATH)
        return err_set(e, ERR_INVALID, "'%.*s' is no folder name", STR(folder));
    ok = state_is_restored(folder, e) && state_lock(folder, &lock, e) && go_back(&g, said, e);
    if (lock >= 0)
        close(lock);
    return ok;
}
