#include "state/restore.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "os/record_file.h"
#include "state/backup.h"
#include "state/lock.h"

#define RESTORING "restoring"

/* What a folder may have and be as good as empty. */
static bool counts(const char *name)
{
    static const char *const none[] = {".", "..", "lock", RESTORING, "lost+found"};

    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        if (strcmp(name, none[i]) == 0)
            return false;
    return true;
}

/* What was kept of an earlier time stays where it is. */
static bool restore_is_kept(const char *name)
{
    return strncmp(name, "replaced-", 9) == 0 || strncmp(name, "before-downgrade-", 17) == 0;
}

static bool has_something(str folder, bool *out, struct err *e)
{
    char path[STATE_PATH];
    struct dirent *entry;
    DIR *d;

    snprintf(path, sizeof(path), "%.*s", STR(folder));
    d = opendir(path);
    if (d == NULL)
        return err_errno(e, errno, "cannot read folder '%s'", path);
    *out = false;
    while ((entry = readdir(d)) != NULL)
        *out |= counts(entry->d_name);
    closedir(d);
    return true;
}

bool state_move_aside(str folder, const char *name, struct err *e)
{
    char path[STATE_PATH], from[STATE_PATH + 300], to[STATE_PATH + 600];
    struct dirent *entry;
    bool ok = true;
    DIR *d;

    snprintf(path, sizeof(path), "%.*s", STR(folder));
    snprintf(to, sizeof(to), "%s/%s", path, name);
    if (mkdir(to, 0700) != 0)
        return err_errno(e, errno, "cannot create folder '%s'", to);
    d = opendir(path);
    while (d != NULL && ok && (entry = readdir(d)) != NULL) {
        if (!counts(entry->d_name) || restore_is_kept(entry->d_name))
            continue;
        snprintf(from, sizeof(from), "%s/%s", path, entry->d_name);
        snprintf(to, sizeof(to), "%s/%s/%s", path, name, entry->d_name);
        ok = rename(from, to) == 0 || err_errno(e, errno, "cannot move '%s'", from);
    }
    if (d != NULL)
        closedir(d);
    return ok && sync_dir(folder, e);
}

static bool restore_make_folder(const char *path, struct err *e)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST ||
           err_errno(e, errno, "cannot create folder '%s'", path);
}

static const char *const inner[] = {"", "/samples", "/pushed"};

bool state_restoring_begin(str folder, char into[4096], struct err *e)
{
    char path[STATE_PATH + 16];
    bool ok = true;

    state_path(into, folder, RESTORING);
    (void)state_remove_folder(into); /* of an attempt that was interrupted */
    for (size_t i = 0; ok && i < ARRAY_LEN(inner); i++) {
        snprintf(path, sizeof(path), "%s%s", into, inner[i]);
        ok = restore_make_folder(path, e);
    }
    return ok;
}

static bool copy_all(str backup, const struct manifest *m, const char *into, struct err *e)
{
    char to[STATE_PATH + 300];
    bool ok = true;

    for (size_t i = 0; ok && i < m->n; i++) {
        snprintf(to, sizeof(to), "%s/%.*s", into, STR(m->files[i].name));
        ok = backup_copy_file(backup, &m->files[i], to, e);
    }
    return ok;
}

bool state_restoring_end(str folder, const char *from, struct err *e)
{
    static const char *const names[] = {"samples", "pushed", "alerts.log", "state.db"};
    char path[STATE_PATH + 64], to[STATE_PATH + 64];

    if (!state_sync_folders(str_of(from), e))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", from, names[i]);
        snprintf(to, sizeof(to), "%.*s/%s", STR(folder), names[i]);
        if (rename(path, to) != 0 && errno != ENOENT)
            return err_errno(e, errno, "cannot rename '%s'", path);
    }
    if (!sync_dir(folder, e))
        return false;
    if (rmdir(from) != 0)
        return err_errno(e, errno, "cannot remove '%s'", from);
    return sync_dir(folder, e);
}

static bool restore_write_folder(str backup, const struct manifest *m, str folder, bool force,
                                 ts_ns now, struct buf *aside, struct err *e)
{
    char restoring[STATE_PATH], name[64];
    bool is_full = false;

    if (!has_something(folder, &is_full, e))
        return false;
    if (is_full && !force)
        return err_set(e, ERR_CONFLICT,
                       "'%.*s' is not empty: with --force what is there is moved aside",
                       STR(folder));
    if (!state_restoring_begin(folder, restoring, e) || !copy_all(backup, m, restoring, e)) {
        (void)state_remove_folder(restoring);
        return false;
    }
    snprintf(name, sizeof(name), "replaced-%lld", (long long)(now / NS_PER_S));
    if (is_full && !state_move_aside(folder, name, e))
        return false;
    if (is_full)
        buf_addf(aside, "%.*s/%s", STR(folder), name);
    return state_restoring_end(folder, restoring, e);
}

bool state_restore(str backup, str folder, bool force, ts_ns now, struct buf *aside, struct err *e)
{
    struct manifest m;
    struct arena a;
    int lock = -1;
    bool ok;

    if (backup.n == 0 || backup.n + 300 > STATE_PATH || folder.n == 0 ||
        folder.n + 300 > STATE_PATH)
        return err_set(e, ERR_INVALID, "'%.*s' is no folder name",
                       STR(backup.n + 300 > STATE_PATH ? backup : folder));
    arena_init(&a, 0);
    ok = backup_check(backup, &a, &m, e) && state_dir_make(folder, e) &&
         state_lock(folder, &lock, e) &&
         restore_write_folder(backup, &m, folder, force, now, aside, e);
    if (lock >= 0)
        close(lock);
    arena_release(&a);
    return ok;
}

bool state_is_restored(str folder, struct err *e)
{
    char path[STATE_PATH];

    state_path(path, folder, RESTORING);
    return access(path, F_OK) != 0 ||
           err_set(e, ERR_CONFLICT,
                   "'%s' is there: a restore was interrupted, do it again with --force", path);
}
