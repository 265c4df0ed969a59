#include "net/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_fd(int fd, str file, struct arena *a, str *out, struct err *e)
{
    struct stat st;
    size_t n = 0;
    char *p;

    if (fstat(fd, &st) != 0)
        return err_errno(e, errno, "cannot read '%.*s'", STR(file));
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_IO, "cannot read '%.*s': not a regular file", STR(file));
    p = arena_alloc(a, SECRET_FILE_MAX + 1);
    for (;;) {
        ssize_t k = read(fd, p + n, SECRET_FILE_MAX + 1 - n);

        if (k < 0)
            return err_errno(e, errno, "cannot read '%.*s'", STR(file));
        if (k == 0)
            break;
        n += (size_t)k;
        if (n > SECRET_FILE_MAX)
            return err_set(e, ERR_LIMIT, "cannot read '%.*s': larger than %d bytes", STR(file),
                           SECRET_FILE_MAX);
    }
    *out = str_trim((str){p, n});
    return true;
}

bool secret_read(struct secret s, struct arena *a, str *out, struct err *e)
{
    char *path;
    bool ok;
    int fd;

    if (s.file.n == 0) {
        *out = s.hidden;
        return true;
    }
    path = (char *)(uintptr_t)arena_str(a, s.file).p; /* NUL-terminated there */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return err_errno(e, errno, "cannot open '%.*s'", STR(s.file));
    ok = read_fd(fd, s.file, a, out, e);
    close(fd);
    return ok;
}
