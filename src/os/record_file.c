#include "os/record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { RECORD_AHEAD = 128 << 10 };

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

/* What is read ahead of a file: bytes up to `end`, of which those before `at` have been taken. */
struct record_window {
    int fd;
    uint64_t end, read; /* of the file: where the walk ends, and up to where it is in b */
    struct buf b;
    size_t at;
};

/* As much as the file has, up to so many bytes. */
static void record_read_ahead(struct record_window *w, size_t most)
{
    buf_reserve(&w->b, most);
    while (most != 0) {
        ssize_t k = pread(w->fd, w->b.p + w->b.n, most, (off_t)w->read);

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return;
        w->b.n += (size_t)k;
        w->read += (uint64_t)k;
        most -= (size_t)k;
    }
}

/* Whether n bytes are there, from `at` on. */
static bool record_have(struct record_window *w, size_t n)
{
    size_t have = w->b.n - w->at, ahead = n > RECORD_AHEAD ? n : RECORD_AHEAD;
    uint64_t left = w->end - w->read;

    if (have >= n)
        return true;
    if (n - have > left)
        return false;
    memmove(w->b.p, w->b.p + w->at, have);
    w->b.n = have;
    w->at = 0;
    ahead -= have;
    record_read_ahead(w, ahead < left ? ahead : (size_t)left);
    return w->b.n >= n;
}

uint64_t record_walk(int fd, uint64_t from, uint64_t end, bool (*record)(void *arg, str bytes),
                     void *arg)
{
    struct record_window w = {.fd = fd, .end = end, .read = from};
    uint64_t at = from;
    str rest, bytes;

    buf_reserve(&w.b, RECORD_AHEAD);
    while (record_have(&w, RECORD_HEAD) &&
           record_have(&w, RECORD_HEAD + record_length(w.b.p + w.at))) {
        rest = str_sub(buf_str(&w.b), w.at, w.b.n);
        if (!record_next(&rest, &bytes))
            break;
        w.at += RECORD_HEAD + bytes.n;
        at += RECORD_HEAD + bytes.n;
        if (record != NULL && !record(arg, bytes))
            break;
    }
    buf_release(&w.b);
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
