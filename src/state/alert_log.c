#include "state/alert_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"

enum { HEADER = 8, PATH = 4096 };
static const char magic[HEADER] = {'t', 'o', 'c', 's', 'i', 'n', 'A', '1'};

static void path_of(char out[PATH], str dir, const char *name)
{
    snprintf(out, PATH, "%.*s/%s", STR(dir), name);
}

static bool create(struct alert_log *l, str bytes, struct err *e)
{
    char path[PATH], tmp[PATH];
    struct buf b = BUF_INIT;
    int fd;

    path_of(path, l->dir, "alerts.log");
    path_of(tmp, l->dir, "alerts.log.tmp");
    fd = open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, errno, "cannot create '%s'", tmp);
    buf_add(&b, (str){magic, HEADER});
    if (bytes.n != 0)
        record_frame(&b, bytes);
    if (!record_write(fd, buf_str(&b)) || fsync(fd) != 0 || rename(tmp, path) != 0) {
        err_errno(e, errno, "cannot write '%s'", tmp);
        buf_release(&b);
        close(fd);
        unlink(tmp);
        return false;
    }
    if (l->fd >= 0)
        close(l->fd);
    l->fd = fd;
    l->size = b.n;
    buf_release(&b);
    return sync_dir(l->dir, e);
}

static bool set_aside(struct alert_log *l, const char *path, struct buf *notice, struct err *e)
{
    char aside[PATH + 16];

    snprintf(aside, sizeof(aside), "%s.damaged", path);
    if (rename(path, aside) != 0)
        return err_errno(e, errno, "cannot rename '%s'", path);
    buf_addf(notice, "alert log '%s' is damaged: kept as '%s', starting without stored alerts\n",
             path, aside);
    close(l->fd);
    l->fd = -1;
    return create(l, STR_NONE, e);
}

static bool check(struct alert_log *l, const char *path, struct buf *notice, struct err *e)
{
    char head[HEADER];
    struct stat st;

    if (fstat(l->fd, &st) != 0)
        return err_errno(e, errno, "cannot read '%s'", path);
    if (st.st_size < HEADER || !record_read(l->fd, 0, head, HEADER) ||
        memcmp(head, magic, HEADER) != 0) {
        if (st.st_size == 0)
            return create(l, STR_NONE, e);
        return set_aside(l, path, notice, e);
    }
    l->size = record_walk(l->fd, HEADER, (uint64_t)st.st_size, NULL, NULL);
    if (l->size != (uint64_t)st.st_size &&
        (ftruncate(l->fd, (off_t)l->size) != 0 || fsync(l->fd) != 0))
        return err_errno(e, errno, "cannot cut the torn end of '%s'", path);
    return true;
}

bool alert_log_open(struct alert_log *l, str dir, struct buf *notice, struct err *e)
{
    char path[PATH];

    *l = (struct alert_log){.dir = dir, .fd = -1};
    path_of(path, dir, "alerts.log");
    l->fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
    if (l->fd < 0 && errno == ENOENT)
        return create(l, STR_NONE, e);
    if (l->fd < 0)
        return err_errno(e, errno, "cannot open '%s'", path);
    if (check(l, path, notice, e))
        return true;
    alert_log_close(l);
    return false;
}

void alert_log_close(struct alert_log *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

bool alert_log_scan(struct alert_log *l, bool (*record)(void *arg, str bytes), void *arg,
                    struct err *e)
{
    (void)e;
    (void)record_walk(l->fd, HEADER, l->size, record, arg);
    return true;
}

static bool cut_back(struct alert_log *l, struct err *e)
{
    err_errno(e, errno, "cannot append to the alert log");
    l->unsynced = 0;
    if (ftruncate(l->fd, (off_t)l->size) != 0)
        err_wrap(e, "a torn end stays");
    return false;
}

bool alert_log_append(struct alert_log *l, str bytes, struct err *e)
{
    if (!record_append(l->fd, bytes))
        return cut_back(l, e);
    l->unsynced += RECORD_HEAD + bytes.n;
    return true;
}

bool alert_log_sync(struct alert_log *l, struct err *e)
{
    if (l->unsynced == 0)
        return true;
    if (fdatasync(l->fd) != 0)
        return cut_back(l, e);
    l->size += l->unsynced;
    l->unsynced = 0;
    return true;
}

bool alert_log_rewrite(struct alert_log *l, str bytes, struct err *e)
{
    if (bytes.n > RECORD_MAX)
        return err_set(e, ERR_LIMIT, "alert record of %zu bytes is too large", bytes.n);
    return create(l, bytes, e);
}
