#include "state/alert_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/crc32c.h"
#include "base/mem.h"

enum { HEADER = 8, RECORD_HEAD = 8, RECORD_MAX = 1 << 30, PATH = 4096 };
static const char magic[HEADER] = {'t', 'o', 'c', 's', 'i', 'n', 'A', '1'};

static void path_of(char out[PATH], str dir, const char *name)
{
    snprintf(out, PATH, "%.*s/%s", STR(dir), name);
}

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

bool sync_dir(str dir, struct err *e)
{
    char path[PATH];
    int fd, rc;

    path_of(path, dir, ".");
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rc = fd >= 0 ? fsync(fd) : -1;
    if (rc != 0)
        err_errno(e, errno, "cannot sync folder '%.*s'", STR(dir));
    if (fd >= 0)
        close(fd);
    return rc == 0;
}

static bool write_all(int fd, str s)
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

void alert_log_frame(struct buf *out, str bytes)
{
    char head[RECORD_HEAD];

    put32(head, (uint32_t)bytes.n);
    put32(head + 4, crc32c(bytes));
    buf_add(out, (str){head, sizeof(head)});
    buf_add(out, bytes);
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
        alert_log_frame(&b, bytes);
    if (!write_all(fd, buf_str(&b)) || fsync(fd) != 0 || rename(tmp, path) != 0) {
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

static bool read_at(int fd, uint64_t at, char *out, size_t n)
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

/* Calls record for each sound record from the first on; returns where the last one ends. */
static uint64_t walk(const struct alert_log *l, uint64_t end, bool (*record)(void *arg, str bytes),
                     void *arg)
{
    struct buf b = BUF_INIT;
    uint64_t at = HEADER;
    char head[RECORD_HEAD];

    while (end - at >= RECORD_HEAD && read_at(l->fd, at, head, RECORD_HEAD)) {
        uint32_t n = get32(head);

        if (n > RECORD_MAX || n > end - at - RECORD_HEAD)
            break;
        buf_clear(&b);
        buf_reserve(&b, (size_t)n + 1);
        b.n = n;
        if (!read_at(l->fd, at + RECORD_HEAD, b.p, n) || crc32c(buf_str(&b)) != get32(head + 4))
            break;
        at += RECORD_HEAD + n;
        if (record != NULL && !record(arg, buf_str(&b)))
            break;
    }
    buf_release(&b);
    return at;
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
    if (st.st_size < HEADER || !read_at(l->fd, 0, head, HEADER) ||
        memcmp(head, magic, HEADER) != 0) {
        if (st.st_size == 0)
            return create(l, STR_NONE, e);
        return set_aside(l, path, notice, e);
    }
    l->size = walk(l, (uint64_t)st.st_size, NULL, NULL);
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
    (void)walk(l, l->size, record, arg);
    return true;
}

bool alert_log_append(struct alert_log *l, str framed, struct err *e)
{
    if (write_all(l->fd, framed) && fdatasync(l->fd) == 0) {
        l->size += framed.n;
        return true;
    }
    err_errno(e, errno, "cannot append to the alert log");
    if (ftruncate(l->fd, (off_t)l->size) != 0)
        err_wrap(e, "a torn end stays");
    return false;
}

bool alert_log_rewrite(struct alert_log *l, str bytes, struct err *e)
{
    if (bytes.n > RECORD_MAX)
        return err_set(e, ERR_LIMIT, "alert record of %zu bytes is too large", bytes.n);
    return create(l, bytes, e);
}
