#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
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

bool file_probe(str dir, str bytes, struct err *e)
{
    struct buf path = BUF_INIT;
    int fd, why;
    bool ok;

    buf_addf(&path, "%.*s/probe.tmp", STR(dir));
    fd = open(buf_z(&path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ok = fd >= 0 && record_write(fd, bytes) && fsync(fd) == 0;
    why = errno;
    if (fd >= 0) {
        close(fd);
        (void)unlink(buf_z(&path));
    }
    buf_release(&path);
    return ok || err_errno(e, why, "cannot write %zu bytes in '%.*s'", bytes.n, STR(dir));
}
