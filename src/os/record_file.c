#include "os/record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

bool record_write(int fd, str s)
{
    while (s.n != 0) {
        ssize_t k = write(fd, s.p, s.n);

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return false;
        s = str_sub(s, (size_t)k, s.n);
    }
    return true;
}

bool record_read(int fd, uint64_t at, char *out, size_t n)
{
    while (n != 0) {
        ssize_t k = pread(fd, out, n, (off_t)at);

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return false;
        out += k;
        at += (uint64_t)k;
        n -= (size_t)k;
    }
    return true;
}

uint64_t record_walk(int fd, uint64_t from, uint64_t end, bool (*record)(void *arg, str bytes),
                     void *arg)
{
    struct buf b = BUF_INIT;
    uint64_t at = from;
    char head[RECORD_HEAD];

    while (end - at >= RECORD_HEAD && record_read(fd, at, head, RECORD_HEAD)) {
        size_t n = record_length(head);
        str rest, bytes;

        if (n > end - at - RECORD_HEAD)
            break;
        buf_clear(&b);
        buf_add(&b, (str){head, RECORD_HEAD});
        buf_reserve(&b, n + 1);
        b.n += n;
        rest = buf_str(&b);
        if (!record_read(fd, at + RECORD_HEAD, b.p + RECORD_HEAD, n) || !record_next(&rest, &bytes))
            break;
        at += RECORD_HEAD + n;
        if (record != NULL && !record(arg, bytes))
            break;
    }
    buf_release(&b);
    return at;
}

bool sync_dir(str dir, struct err *e)
{
    char path[4096];
    int fd, rc;

    snprintf(path, sizeof(path), "%.*s/.", STR(dir));
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rc = fd >= 0 ? fsync(fd) : -1;
    if (rc != 0)
        err_errno(e, errno, "cannot sync folder '%.*s'", STR(dir));
    if (fd >= 0)
        close(fd);
    return rc == 0;
}
