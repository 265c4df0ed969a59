#include "state/info.h"

#include <dirent.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>
#include "codec/json.h"
#include "state/backup.h"
#include "state/db_read.h"

bool state_is_in_use(str dir)
{
    char path[STATE_PATH];
    int fd;
    bool held;

    state_path(path, dir, "lock");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (fd >= 0)
        close(fd);
    return held;
}

/* -- the database -- */

/* "length(CAST(a AS BLOB)) + ...", with nothing for NULL. */
static void sum_of_columns(sqlite3 *db, const char *table, struct buf *out)
{
    char *sql = sqlite3_mprintf("SELECT name FROM pragma_table_info(%Q)", table);
    sqlite3_stmt *s = NULL;

    buf_addc(out, '0');
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK)
        while (sqlite3_step(s) == SQLITE_ROW) {
            char *term = sqlite3_mprintf(" + coalesce(length(CAST(\"%w\" AS BLOB)), 0)",
                                         sqlite3_column_text(s, 0));

            buf_add(out, str_of(term));
            sqlite3_free(term);
        }
    sqlite3_finalize(s);
    sqlite3_free(sql);
}

struct info_counting {
    sqlite3 *db;
    struct json_writer *w;
};

static void put_table(void *arg, const char *name)
{
    const struct info_counting *c = arg;
    sqlite3 *db = c->db;
    struct json_writer *w = c->w;
    struct buf columns = BUF_INIT;
    char *rows = sqlite3_mprintf("SELECT count(*) FROM \"%w\"", name), *bytes;

    sum_of_columns(db, name, &columns);
    bytes = sqlite3_mprintf("SELECT coalesce(sum(%s), 0) FROM \"%w\"", buf_z(&columns), name);
    json_open(w, '{');
    json_key(w, S("name"));
    json_put_str(w, str_of(name));
    json_key(w, S("rows"));
    json_put_i64(w, state_db_number(db, rows));
    json_key(w, S("bytes"));
    json_put_i64(w, state_db_number(db, bytes));
    json_close(w, '}');
    sqlite3_free(rows);
    sqlite3_free(bytes);
    buf_release(&columns);
}

static bool put_tables(sqlite3 *db, struct json_writer *w)
{
    struct info_counting c = {db, w};
    bool ok;

    json_key(w, S("tables"));
    json_open(w, '[');
    ok = state_db_each_table(db, put_table, &c);
    json_close(w, ']');
    return ok;
}

static bool put_database(str path, enum db_rest rest, struct json_writer *w, struct err *e)
{
    sqlite3 *db;
    bool ok;

    if (!state_db_read(path, rest, &db, e))
        return false;
    json_key(w, S("version"));
    json_put_i64(w, state_db_number(db, "PRAGMA user_version"));
    ok = put_tables(db, w) ||
         err_set(e, ERR_CORRUPT, "cannot read '%.*s': %s", STR(path), sqlite3_errmsg(db));
    sqlite3_close(db);
    return ok;
}

/* -- files -- */

static const char *info_kind_of(str name)
{
    static const struct {
        const char *name, *kind;
    } kinds[] = {
        {"state.db", "rows"},          {"state.db-wal", "rows"},   {"state.db-shm", "rows"},
        {"state.db.copy", "passing"},  {"lock", "lock"},           {"alerts.log", "alerts"},
        {"alerts.log.tmp", "passing"}, {"state.db.tmp", "passing"}};

    if (str_find_str(name, S("damaged")) >= 0 || str_find_str(name, S("replaced")) >= 0)
        return "kept";
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_is(name, kinds[i].name))
            return kinds[i].kind;
    if (str_starts_with(name, S("state.db.v")) || str_starts_with(name, S("before-downgrade-")))
        return "older";
    if (str_starts_with(name, S("history/")))
        return "history";
    if (!manifest_is_name(name))
        return "other";
    return str_starts_with(name, S("samples/")) ? "samples" : "pushes";
}

struct listing {
    struct json_writer *w;
    uint64_t bytes;
    int64_t written; /* the latest of them, Unix seconds */
};

static void put_file(struct listing *l, const char *name, const struct stat *st)
{
    const char *kind = info_kind_of(str_of(name));

    json_open(l->w, '{');
    json_key(l->w, S("name"));
    json_put_str(l->w, str_of(name));
    json_key(l->w, S("kind"));
    json_put_str(l->w, str_of(kind));
    json_key(l->w, S("bytes"));
    json_put_u64(l->w, (uint64_t)st->st_size);
    json_close(l->w, '}');
    l->bytes += (uint64_t)st->st_size;
    if ((strcmp(kind, "rows") == 0 || strcmp(kind, "alerts") == 0) && st->st_mtime > l->written)
        l->written = st->st_mtime;
}

static bool put_folder(struct listing *l, const char *dir, const char *inner, struct err *e)
{
    char path[STATE_PATH + 600], name[300];
    struct dirent **entries = NULL;
    int n;

    snprintf(path, sizeof(path), "%s/%s", dir, inner);
    n = scandir(path, &entries, NULL, alphasort);
    if (n < 0)
        return inner[0] != '\0' || err_errno(e, errno, "cannot read folder '%s'", dir);
    for (int i = 0; i < n; i++) {
        struct stat st;

        snprintf(name, sizeof(name), "%s%s%s", inner, inner[0] != '\0' ? "/" : "",
                 entries[i]->d_name);
        snprintf(path, sizeof(path), "%s/%s", dir, name);
        if (entries[i]->d_name[0] != '.' && lstat(path, &st) == 0 && !S_ISDIR(st.st_mode))
            put_file(l, name, &st);
        free(entries[i]); /* scandir's */
    }
    free(entries);
    return true;
}

static bool put_files(const char *dir, struct json_writer *w, struct err *e)
{
    struct listing l = {.w = w};
    bool ok;

    json_key(w, S("files"));
    json_open(w, '[');
    ok = put_folder(&l, dir, "", e) && put_folder(&l, dir, "samples", e) &&
         put_folder(&l, dir, "pushed", e) && put_folder(&l, dir, "history", e);
    json_close(w, ']');
    json_key(w, S("bytes"));
    json_put_u64(w, l.bytes);
    if (l.written != 0) {
        json_key(w, S("lastWrite"));
        json_put_rfc3339_ms(w, l.written * NS_PER_S);
    }
    return ok;
}

static void put_samples(struct state_span span, struct json_writer *w)
{
    if (span.oldest > span.newest)
        return;
    json_key(w, S("samples"));
    json_open(w, '{');
    json_key(w, S("oldest"));
    json_put_rfc3339_ms(w, span.oldest * NS_PER_MS);
    json_key(w, S("newest"));
    json_put_rfc3339_ms(w, span.newest * NS_PER_MS);
    json_close(w, '}');
}

bool state_info(str dir, str db, struct state_span samples, struct json_writer *w, struct err *e)
{
    char path[STATE_PATH], own[STATE_PATH];
    bool in_use;

    if (dir.n == 0 || dir.n >= sizeof(path) || db.n >= sizeof(path))
        return err_set(e, ERR_INVALID, "'%.*s' is no folder name", STR(dir));
    in_use = state_is_in_use(dir);
    snprintf(path, sizeof(path), "%.*s", STR(dir));
    json_key(w, S("folder"));
    json_put_str(w, dir);
    json_key(w, S("inUse"));
    json_put_bool(w, in_use);
    if (!put_files(path, w, e))
        return false;
    put_samples(samples, w);
    state_path(own, dir, "state.db");
    if (db.n != 0)
        return put_database(db, DB_LIES_STILL, w, e);
    if (in_use || access(own, F_OK) != 0)
        return true;
    return put_database(str_of(own), backup_is_one(dir) ? DB_LIES_STILL : DB_AS_LEFT, w, e);
}
