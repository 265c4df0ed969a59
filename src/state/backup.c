/* Writing under another name with sums on the way, checking a folder against its manifest, and making one of a folder
 * that nobody uses, with the database's log merged in the copy. */
#include "state/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/crc32c.h"
#include "base/mem.h"
#include "os/record_file.h"
#include "state/db_read.h"
#include "state/lock.h"

enum { PIECE = 256 << 10 };

struct backup {
    char dir[STATE_PATH], tmp[STATE_PATH];
    struct buf manifest;
    int fd; /* of the file that is being written */
    struct manifest_file file;
    bool is_made, is_done;
    struct buf lines; /* of files */
};

/* -- folders -- */

/* That nothing of value has the name. */
static bool is_free(const char *dir, struct err *e)
{
    struct dirent *entry;
    bool is_empty = true;
    DIR *d = opendir(dir);

    if (d == NULL)
        return errno == ENOENT || err_errno(e, errno, "cannot use '%s'", dir);
    while (is_empty && (entry = readdir(d)) != NULL)
        is_empty = state_is_dot(entry->d_name);
    closedir(d);
    return is_empty || err_set(e, ERR_CONFLICT, "'%s' is there, and is not empty", dir);
}

static bool backup_make_folder(const char *path, struct err *e)
{
    return (mkdir(path, 0700) == 0 && chmod(path, 0700) == 0) ||
           err_errno(e, errno, "cannot create folder '%s'", path);
}

static bool sync_parent(const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return sync_dir(S("."), e);
    return sync_dir(slash == path ? S("/") : (str){path, (size_t)(slash - path)}, e);
}

/* -- writing -- */

struct backup *backup_begin(str dir, struct err *e)
{
    struct backup *w = mem_new(struct backup);

    w->fd = -1;
    while (dir.n > 1 && dir.p[dir.n - 1] == '/')
        dir.n--;
    if (dir.n == 0 || dir.n + 64 > sizeof(w->dir)) {
        err_set(e, ERR_INVALID, "'%.*s' is no folder name", STR(dir));
        backup_free(w);
        return NULL;
    }
    snprintf(w->dir, sizeof(w->dir), "%.*s", STR(dir));
    snprintf(w->tmp, sizeof(w->tmp), "%.*s.partial-%ld", STR(dir), (long)getpid());
    if (is_free(w->dir, e) && backup_make_folder(w->tmp, e)) {
        w->is_made = true;
        return w;
    }
    backup_free(w);
    return NULL;
}

static bool make_inner(const struct backup *w, str name, struct err *e)
{
    char path[STATE_PATH + 64];
    str inner = str_cut(&name, '/');

    if (name.p == NULL)
        return true;
    snprintf(path, sizeof(path), "%s/%.*s", w->tmp, STR(inner));
    return access(path, F_OK) == 0 || backup_make_folder(path, e);
}

bool backup_file(struct backup *w, str name, struct err *e)
{
    char path[STATE_PATH + 128];

    BUG_ON(w->fd >= 0);
    if (!manifest_is_name(name))
        return err_set(e, ERR_CORRUPT, "'%.*s' is not the name of a file of a backup", STR(name));
    if (!make_inner(w, name, e))
        return false;
    snprintf(path, sizeof(path), "%s/%.*s", w->tmp, STR(name));
    w->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (w->fd < 0)
        return err_errno(e, errno, "cannot create '%s'", path);
    (void)!fchmod(w->fd, 0600);
    w->file = (struct manifest_file){.name = mem_str_dup(name)};
    return true;
}

bool backup_bytes(struct backup *w, str bytes, struct err *e)
{
    w->file.crc = crc32c_more(w->file.crc, bytes);
    w->file.size += bytes.n;
    return record_write(w->fd, bytes) ||
           err_errno(e, errno, "cannot write '%s/%.*s'", w->tmp, STR(w->file.name));
}

static bool close_synced(int *fd)
{
    bool ok = fsync(*fd) == 0;

    ok = close(*fd) == 0 && ok;
    *fd = -1;
    return ok;
}

bool backup_file_end(struct backup *w, struct err *e)
{
    bool ok = close_synced(&w->fd);

    if (!ok)
        err_errno(e, errno, "cannot sync '%s/%.*s'", w->tmp, STR(w->file.name));
    manifest_add(&w->lines, &w->file);
    mem_str_free(w->file.name);
    w->file = (struct manifest_file){.name = STR_NONE};
    return ok;
}

static bool write_manifest(struct backup *w, struct err *e)
{
    char path[STATE_PATH + 16];
    int fd;
    bool ok;

    snprintf(path, sizeof(path), "%s/" MANIFEST, w->tmp);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ok = fd >= 0 && record_write(fd, buf_str(&w->manifest));
    if (fd >= 0)
        ok = close_synced(&fd) && ok;
    return ok || err_errno(e, errno, "cannot write '%s'", path);
}

static bool backup_put_in_place(struct backup *w, struct err *e)
{
    if (rename(w->tmp, w->dir) != 0)
        return err_errno(e, errno, "cannot put the backup in place of '%s'", w->dir);
    w->is_done = true;
    return sync_parent(w->dir, e);
}

bool backup_end(struct backup *w, str version, ts_ns taken, str manifest, struct err *e)
{
    struct manifest m;
    struct arena a;
    bool ok;

    manifest_begin(&w->manifest, version, taken);
    buf_add(&w->manifest, buf_str(&w->lines));
    manifest_end(&w->manifest);
    if (manifest.n != 0 && !str_eq(manifest, buf_str(&w->manifest)))
        return err_set(e, ERR_CORRUPT, "what came is not what was sent: the manifests differ");
    arena_init(&a, 0);
    ok = write_manifest(w, e) && state_sync_folders(str_of(w->tmp), e) &&
         backup_check(str_of(w->tmp), &a, &m, e) && backup_put_in_place(w, e);
    arena_release(&a);
    return ok;
}

void backup_free(struct backup *w)
{
    if (w == NULL)
        return;
    if (w->fd >= 0)
        close(w->fd);
    if (w->is_made && !w->is_done)
        (void)state_remove_folder(w->tmp);
    mem_str_free(w->file.name);
    buf_release(&w->manifest);
    buf_release(&w->lines);
    mem_free(w);
}

/* -- checking -- */

static bool backup_sum_up(void *arg, str bytes, struct err *e)
{
    uint32_t *crc = arg;

    (void)e;
    *crc = crc32c_more(*crc, bytes);
    return true;
}

static bool backup_check_file(str dir, const struct manifest_file *f, struct err *e)
{
    uint64_t size;
    uint32_t crc = 0;
    int fd = state_open_plain(dir, f->name, &size, e);
    bool ok = fd >= 0;

    if (ok && size != f->size)
        ok = err_set(e, ERR_CORRUPT, "'%.*s/%.*s' has %llu bytes, the manifest says %llu", STR(dir),
                     STR(f->name), (unsigned long long)size, (unsigned long long)f->size);
    ok = ok && state_read_pieces(fd, size, backup_sum_up, &crc, e);
    if (ok && crc != f->crc)
        ok =
            err_set(e, ERR_CORRUPT, "'%.*s/%.*s' is damaged: checksum %08x, the manifest says %08x",
                    STR(dir), STR(f->name), crc, f->crc);
    if (fd >= 0)
        close(fd);
    return ok;
}

bool state_db_check(str path, struct err *e)
{
    sqlite3 *db;
    bool ok;

    if (!state_db_read(path, DB_LIES_STILL, &db, e))
        return false;
    ok = state_db_is_sound(db, path, e);
    sqlite3_close(db);
    return ok;
}

static bool backup_check_files(str dir, const struct manifest *m, struct err *e)
{
    bool has_rows = false;
    char path[STATE_PATH];

    for (size_t i = 0; i < m->n; i++) {
        has_rows |= str_is(m->files[i].name, "state.db");
        if (!backup_check_file(dir, &m->files[i], e))
            return false;
    }
    if (!has_rows)
        return err_set(e, ERR_CORRUPT, "'%.*s/" MANIFEST "' names no state.db", STR(dir));
    state_path(path, dir, "state.db");
    return state_db_check(str_of(path), e);
}

bool backup_check(str dir, struct arena *a, struct manifest *out, struct err *e)
{
    struct buf text = BUF_INIT;
    uint64_t size;
    int fd = state_open_plain(dir, S(MANIFEST), &size, e);
    bool ok = fd >= 0;

    if (ok && size > MANIFEST_MAX)
        ok = err_set(e, ERR_CORRUPT, "'%.*s/" MANIFEST "' is too large", STR(dir));
    if (ok) {
        buf_reserve(&text, (size_t)size + 1);
        text.n = (size_t)size;
        ok = record_read(fd, 0, text.p, text.n) ||
             err_set(e, ERR_IO, "cannot read '%.*s/" MANIFEST "'", STR(dir));
    }
    if (ok && !manifest_read(buf_str(&text), a, out, e)) {
        err_wrap(e, "'%.*s/" MANIFEST "'", STR(dir));
        ok = false;
    }
    if (fd >= 0)
        close(fd);
    buf_release(&text);
    return ok && backup_check_files(dir, out, e);
}

bool backup_is_one(str dir)
{
    char path[STATE_PATH];

    state_path(path, dir, MANIFEST);
    return access(path, F_OK) == 0;
}

/* -- copying -- */

bool backup_copy_file(str dir, const struct manifest_file *f, const char *to, struct err *e)
{
    uint32_t crc;

    if (!state_copy_plain(dir, f->name, to, &crc, e))
        return false;
    return crc == f->crc ||
           err_set(e, ERR_CORRUPT, "'%.*s/%.*s' changed while it was read", STR(dir), STR(f->name));
}

/* -- of a folder that nobody uses -- */

static bool backup_merge(const char *path, struct err *e)
{
    sqlite3 *db = NULL;
    bool ok = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
                  SQLITE_OK &&
              sqlite3_exec(db,
                           "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = OFF;"
                           "PRAGMA wal_checkpoint(TRUNCATE);",
                           NULL, NULL, NULL) == SQLITE_OK;

    if (!ok)
        err_set(e, ERR_CORRUPT, "the state database cannot be read: %s", sqlite3_errmsg(db));
    sqlite3_close(db);
    return ok;
}

/* The database with its log, merged in the copy: not a byte of the original is touched. One that a crash has left as
 * state.db.new is whole, and the truth. */
static bool copy_database(struct backup *w, str folder, struct err *e)
{
    char path[STATE_PATH], to[STATE_PATH], wal[STATE_PATH];
    bool is_new;

    state_path(to, str_of(w->tmp), "state.db");
    state_path(wal, str_of(w->tmp), "state.db-wal");
    state_path(path, folder, "state.db.new");
    is_new = access(path, F_OK) == 0;
    state_path(path, folder, "state.db-wal");
    return state_copy_plain(folder, is_new ? S("state.db.new") : S("state.db"), to, NULL, e) &&
           (is_new || access(path, F_OK) != 0 ||
            state_copy_plain(folder, S("state.db-wal"), wal, NULL, e)) &&
           backup_merge(to, e);
}

/* It lies there already: only what stands in the manifest is missing. */
static bool add_database(struct backup *w, struct err *e)
{
    char path[STATE_PATH];
    struct manifest_file f = {.name = S("state.db")};
    int fd = state_open_plain(str_of(w->tmp), f.name, &f.size, e);
    bool ok = fd >= 0 && state_read_pieces(fd, f.size, backup_sum_up, &f.crc, e);

    if (fd >= 0)
        close(fd);
    state_path(path, str_of(w->tmp), "state.db");
    if (!ok || !state_sync_file(path, e))
        return false;
    manifest_add(&w->lines, &f);
    return true;
}

static bool backup_add_file(struct backup *w, const struct state_file *f, struct err *e)
{
    char *bytes = mem_alloc(PIECE);
    uint64_t at = 0;
    size_t n = 0;
    bool ok = backup_file(w, f->name, e);

    while (ok && at < f->size) {
        n = state_file_read(f, at, bytes, PIECE);
        ok = n != 0 || err_set(e, ERR_IO, "cannot read '%.*s' to its end", STR(f->name));
        ok = ok && backup_bytes(w, (str){bytes, n}, e);
        at += n;
    }
    mem_free(bytes);
    return ok && backup_file_end(w, e);
}

static bool backup_add_others(struct backup *w, str folder, struct err *e)
{
    struct state_files files = {.v = VEC_INIT};
    bool ok = state_files_open(&files, folder, UINT64_MAX, e);

    if (ok)
        state_files_trim(&files);
    for (size_t i = 0; ok && i < files.v.n; i++)
        ok = backup_add_file(w, &files.v.v[i], e);
    state_files_release(&files);
    return ok;
}

bool backup_folder(str folder, str dir, str version, ts_ns now, struct err *e)
{
    struct backup *w = NULL;
    char path[STATE_PATH];
    int lock = -1;
    bool ok;

    if (folder.n == 0 || folder.n >= sizeof(path))
        return err_set(e, ERR_INVALID, "'%.*s' is no folder name", STR(folder));
    state_path(path, folder, "state.db");
    if (access(path, F_OK) != 0)
        return err_errno(e, errno, "cannot read '%s'", path);
    ok = state_lock(folder, &lock, e);
    if (ok)
        w = backup_begin(dir, e);
    ok = ok && w != NULL && copy_database(w, folder, e) && backup_add_others(w, folder, e) &&
         add_database(w, e) && backup_end(w, version, now, STR_NONE, e);
    backup_free(w);
    if (lock >= 0)
        close(lock);
    return ok;
}
