#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "os/record_file.h"

enum { PIECE = 64 << 10 };

static bool read_fd(int fd, str path, enum file_kind kind, size_t max, struct buf *out,
                    struct err *e)
{
    struct stat st;
    size_t from = out->n, piece = PIECE;

    if (fstat(fd, &st) != 0)
        return err_errno(e, errno, "cannot read '%.*s'", STR(path));
    if (S_ISDIR(st.st_mode) || (kind == FILE_REGULAR && !S_ISREG(st.st_mode)))
        return err_set(e, ERR_IO, "cannot read '%.*s': not a regular file", STR(path));
    if (S_ISREG(st.st_mode) && st.st_size > 0) /* in one piece, with the end behind it */
        piece = (size_t)st.st_size < max ? (size_t)st.st_size + 1 : max + 1;
    for (;;) {
        ssize_t k;

        if (out->cap - out->n == 0 || out->n == from)
            buf_reserve(out, piece);
        k = read(fd, out->p + out->n, out->cap - out->n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return err_errno(e, errno, "cannot read '%.*s'", STR(path));
        if (k == 0)
            return true;
        out->n += (size_t)k;
        if (out->n - from > max)
            return err_set(e, ERR_LIMIT, "cannot read '%.*s': larger than %zu bytes", STR(path),
                           max);
    }
}

bool file_read(str path, enum file_kind kind, size_t max, struct buf *out, struct err *e)
{
    char *z = mem_zdup(path);
    int fd = open(z, O_RDONLY | O_CLOEXEC | O_NOCTTY | (kind == FILE_REGULAR ? O_NONBLOCK : 0));
    bool ok = fd >= 0;

    if (ok)
        ok = read_fd(fd, path, kind, max, out, e);
    else
        err_errno(e, errno, "cannot read '%.*s'", STR(path));
    if (fd >= 0)
        close(fd);
    mem_free(z);
    return ok;
}

/* -- writing -- */

/* The folder that a path lies in. */
static bool sync_folder_of(str path, struct err *e)
{
    while (path.n != 0 && path.p[path.n - 1] != '/')
        path.n--;
    return sync_dir(path.n != 0 ? path : S("."), e);
}

bool file_rename(const char *from, const char *to, struct err *e)
{
    if (rename(from, to) != 0)
        return err_errno(e, errno, "cannot rename '%s' to '%s'", from, to);
    return sync_folder_of(str_of(to), e);
}

static bool write_new(const char *path, str bytes, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && record_write(fd, bytes) && fsync(fd) == 0;
    int why = errno;

    if (fd >= 0)
        close(fd);
    return ok || err_errno(e, why, "cannot write '%s'", path);
}

/* A device, a pipe, or a link to one (/dev/stdout): it must stay what it is. */
static bool is_no_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static bool write_through(const char *path, str bytes, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    bool ok = fd >= 0 && record_write(fd, bytes);
    int why = errno;

    if (fd >= 0)
        close(fd);
    return ok || err_errno(e, why, "cannot write '%s'", path);
}

bool file_replace(str path, str bytes, struct err *e)
{
    struct buf fresh = BUF_INIT;
    char *to = mem_zdup(path);
    bool ok;

    if (is_no_file(to)) {
        ok = write_through(to, bytes, e);
        mem_free(to);
        return ok;
    }
    buf_addf(&fresh, "%s.new", to);
    ok = write_new(buf_z(&fresh), bytes, e) && file_rename(buf_z(&fresh), to, e);
    if (!ok)
        (void)unlink(buf_z(&fresh));
    mem_free(to);
    buf_release(&fresh);
    return ok;
}

bool folder_make(const char *path, struct err *e)
{
    struct buf above = BUF_INIT;
    int fd;

    if (mkdir(path, 0700) != 0)
        return errno == EEXIST || err_errno(e, errno, "cannot create '%s'", path);
    buf_addf(&above, "%s/..", path);
    fd = open(buf_z(&above), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    buf_release(&above);
    if (fd >= 0) {
        (void)fsync(fd); /* what cannot be synced will be made again */
        close(fd);
    }
    return true;
}

bool file_append(struct file_tail *t, str bytes, struct err *e)
{
    if (t->is_lost)
        return err_set(e, ERR_IO, "a sync of the file has failed");
    if (record_write(t->fd, bytes)) {
        t->unsynced += bytes.n;
        return true;
    }
    err_errno(e, errno, "cannot append");
    if (ftruncate(t->fd, (off_t)(t->size + t->unsynced)) != 0) {
        t->is_lost = true;
        err_wrap(e, "a torn end stays");
    }
    return false;
}

bool file_sync(struct file_tail *t, struct err *e)
{
    if (t->is_lost)
        return err_set(e, ERR_IO, "a sync of the file has failed");
    if (t->unsynced == 0)
        return true;
    if (fdatasync(t->fd) != 0) {
        t->is_lost = true;
        return err_errno(e, errno, "cannot sync");
    }
    t->size += t->unsynced;
    t->unsynced = 0;
    return true;
}

void file_close(struct file_tail *t)
{
    if (t->fd >= 0)
        close(t->fd);
    *t = (struct file_tail){.fd = -1};
}

bool file_probe(str dir, str bytes, struct err *e)
{
    struct buf path = BUF_INIT;
    bool ok;
    int why;

    buf_addf(&path, "%.*s/probe.tmp", STR(dir));
    ok = write_new(buf_z(&path), bytes, e);
    why = errno;
    (void)unlink(buf_z(&path));
    buf_release(&path);
    errno = why;
    return ok;
}
