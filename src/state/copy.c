#include "state/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

enum { PAGES = 128 }; /* a step: half a MiB */

#define COPY "state.db.copy"

void state_copy_forget(str dir)
{
    char path[STATE_PATH];

    state_path(path, dir, COPY);
    (void)unlink(path);
}

static void copy_end(struct state_copy *c)
{
    if (c->backup != NULL)
        (void)sqlite3_backup_finish(c->backup);
    if (c->to != NULL)
        (void)sqlite3_close(c->to);
    c->backup = NULL;
    c->to = NULL;
}

void state_copy_fail(struct state_copy *c, const struct err *why)
{
    copy_end(c);
    c->ok = false;
    c->why = *why;
}

static bool copy_give_up(struct state_copy *c, sqlite3 *db)
{
    struct err e = ERR_INIT;

    err_set(&e, ERR_IO, "cannot copy the state database: %s",
            db != NULL ? sqlite3_errmsg(db) : "no memory");
    state_copy_fail(c, &e);
    return true;
}

static bool copy_begin(struct state_copy *c, sqlite3 *from, str dir)
{
    int fd;

    state_copy_forget(dir);
    state_path(c->path, dir, COPY);
    fd = open(c->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    if (sqlite3_open_v2(c->path, &c->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
            SQLITE_OK ||
        sqlite3_exec(c->to,
                     "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = "
                     "-512;",
                     NULL, NULL, NULL) != SQLITE_OK)
        return false;
    c->backup = sqlite3_backup_init(c->to, "main", from, "main");
    return c->backup != NULL;
}

/* The instant. */
static void copy_hold(struct state_copy *c, str dir, uint64_t alerts)
{
    struct err e = ERR_INIT;

    c->ok = state_files_open(&c->files, dir, alerts, &e) &&
            state_files_add(&c->files, c->path, S("state.db"), &e);
    if (!c->ok)
        c->why = e;
}

bool state_copy_step(struct state_copy *c, sqlite3 *from, str dir, uint64_t alerts)
{
    int rc;

    if (c->gone != NULL && atomic_load(c->gone)) {
        state_copy_fail(c, &(struct err){.code = ERR_TIMEOUT, .msg = "nobody waits for it"});
        return true;
    }
    if (c->backup == NULL && !copy_begin(c, from, dir))
        return copy_give_up(c, c->to);
    rc = sqlite3_backup_step(c->backup, PAGES);
    if (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
        return false;
    if (rc != SQLITE_DONE || sqlite3_backup_finish(c->backup) != SQLITE_OK) {
        if (rc == SQLITE_DONE)
            c->backup = NULL;
        return copy_give_up(c, c->to);
    }
    c->backup = NULL;
    copy_end(c);
    copy_hold(c, dir, alerts);
    return true;
}

void state_copy_release(struct state_copy *c)
{
    state_files_release(&c->files);
    if (c->path[0] != '\0')
        (void)unlink(c->path);
    c->path[0] = '\0';
}
