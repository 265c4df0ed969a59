#include "base/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "base/crc32c.h"

enum { FIND_MAX = 1 << 20 };

static void put32(char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (char)(v >> (8 * i));
}

static uint32_t get32(const char *p)
{
    uint32_t v = 0;

    for (int i = 0; i < 4; i++)
        v |= (uint32_t)(unsigned char)p[i] << (8 * i);
    return v;
}

static str head_of(char head[RECORD_HEAD], str bytes)
{
    put32(head, (uint32_t)bytes.n);
    put32(head + 4, crc32c(bytes));
    return (str){head, RECORD_HEAD};
}

size_t record_begin(struct buf *out)
{
    buf_pad(out, '\0', RECORD_HEAD);
    return out->n;
}

void record_end(struct buf *out, size_t at)
{
    char head[RECORD_HEAD];

    (void)head_of(head, (str){out->p + at, out->n - at});
    memcpy(out->p + at - RECORD_HEAD, head, RECORD_HEAD);
}

void record_frame(struct buf *out, str bytes)
{
    size_t at = record_begin(out);

    buf_add(out, bytes);
    record_end(out, at);
}

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

bool record_append(int fd, str bytes)
{
    char head[RECORD_HEAD];

    return record_write(fd, head_of(head, bytes)) && record_write(fd, bytes);
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
        uint32_t n = get32(head);

        if (n > RECORD_MAX || n > end - at - RECORD_HEAD)
            break;
        buf_clear(&b);
        buf_reserve(&b, (size_t)n + 1);
        b.n = n;
        if (!record_read(fd, at + RECORD_HEAD, b.p, n) || crc32c(buf_str(&b)) != get32(head + 4))
            break;
        at += RECORD_HEAD + n;
        if (record != NULL && !record(arg, buf_str(&b)))
            break;
    }
    buf_release(&b);
    return at;
}

bool record_next(str *in, str *bytes)
{
    str body = STR_NONE;
    uint32_t n;

    if (in->n < RECORD_HEAD)
        return false;
    n = get32(in->p);
    if (n > RECORD_MAX || n > in->n - RECORD_HEAD)
        return false;
    body = str_sub(*in, RECORD_HEAD, RECORD_HEAD + (size_t)n);
    if (crc32c(body) != get32(in->p + 4))
        return false;
    *in = str_sub(*in, RECORD_HEAD + (size_t)n, in->n);
    *bytes = body;
    return true;
}

size_t record_find(str in, size_t from)
{
    uint64_t work = 16 * (uint64_t)(in.n - from);

    for (size_t at = from; in.n - at > RECORD_HEAD; at++) {
        str rest = str_sub(in, at, in.n), bytes;
        uint32_t n = get32(rest.p);

        if (n == 0 || n > FIND_MAX || n > rest.n - RECORD_HEAD)
            continue;
        if (record_next(&rest, &bytes))
            return at;
        if (n > work)
            break;
        work -= n;
    }
    return in.n;
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
