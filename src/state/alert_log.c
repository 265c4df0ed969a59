#include "state/alert_log.h"
#include "os/record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER = 8, PATH = 4096 };
static const char magic[HEADER] = {'t', 'o', 'c', 's', 'i', 'n', 'A', '1'};

static void path_of(char out[PATH], str dir, const char *name)
{
    snprintf(out, PATH, "%.*s/%s", STR(dir), name);
}

/* A new file with these records under the temporary name; -1: errno says why not. */
static int create_next(str dir, str records)
{
    char tmp[PATH];
    int fd;

    path_of(tmp, dir, "alerts.log.tmp");
    fd = open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || (record_write(fd, (str){magic, HEADER}) && record_write(fd, records)))
        return fd;
    close(fd);
    unlink(tmp);
    return -1;
}

static void give_up(struct alert_log *l)
{
    char tmp[PATH];

    if (l->next_fd < 0)
        return;
    path_of(tmp, l->dir, "alerts.log.tmp");
    close(l->next_fd);
    unlink(tmp);
    l->next_fd = -1;
}

/* The new file takes the place of the log. False with the new one still there: it could not. */
static bool put_in_place(struct alert_log *l)
{
    char path[PATH], tmp[PATH];

    path_of(path, l->dir, "alerts.log");
    path_of(tmp, l->dir, "alerts.log.tmp");
    if (fsync(l->next_fd) != 0 || rename(tmp, path) != 0)
        return false;
    if (l->fd >= 0)
        close(l->fd);
    l->fd = l->next_fd;
    l->size = l->next_size;
    l->unsynced = 0;
    l->next_fd = -1;
    return true;
}

static bool create(struct alert_log *l, str records, struct err *e)
{
    give_up(l);
    l->next_fd = create_next(l->dir, records);
    l->next_size = HEADER + records.n;
    if (l->next_fd >= 0 && put_in_place(l))
        return sync_dir(l->dir, e);
    err_errno(e, errno, "cannot write '%.*s/alerts.log.tmp'", STR(l->dir));
    give_up(l);
    return false;
}

/* The log under a second name, before another takes its place. */
static bool keep_damaged(struct alert_log *l, const char *path, char aside[PATH], struct err *e)
{
    path_of(aside, l->dir, "alerts.log.damaged");
    unlink(aside);
    return link(path, aside) == 0 || err_errno(e, errno, "cannot keep '%s' as '%s'", path, aside);
}

/* Sound records stand behind a bad one: they go to a new file, the old one is kept. bytes: all of it; at: a sound one. */
static bool salvage(struct alert_log *l, const char *path, str bytes, size_t at, struct buf *notice,
                    struct err *e)
{
    struct buf sound = BUF_INIT;
    char aside[PATH];
    size_t read;
    bool ok;

    while (at < bytes.n) {
        str rest = str_sub(bytes, at, bytes.n), record;

        while (record_next(&rest, &record))
            continue;
        buf_add(&sound, str_sub(bytes, at, bytes.n - rest.n));
        at = record_find(bytes, bytes.n - rest.n);
    }
    read = HEADER + sound.n;
    ok = keep_damaged(l, path, aside, e) && create(l, buf_str(&sound), e);
    if (ok)
        buf_addf(
            notice,
            "alert log '%s' is damaged: %zu bytes of alerts are lost, the rest is read; kept as "
            "'%s'\n",
            path, bytes.n > read ? bytes.n - read : 0, aside);
    buf_release(&sound);
    return ok;
}

static bool set_aside(struct alert_log *l, const char *path, struct buf *notice, struct err *e)
{
    char aside[PATH];

    if (!keep_damaged(l, path, aside, e) || !create(l, STR_NONE, e))
        return false;
    buf_addf(notice, "alert log '%s' is damaged: kept as '%s', starting without stored alerts\n",
             path, aside);
    return true;
}

/* From `good` on the file cannot be read. */
static bool mend(struct alert_log *l, const char *path, size_t good, size_t size,
                 struct buf *notice, struct err *e)
{
    struct buf all = BUF_INIT;
    size_t found;
    bool ok;

    buf_reserve(&all, size);
    all.n = size;
    if (!record_read(l->fd, 0, all.p, size)) {
        buf_release(&all);
        return err_errno(e, errno, "cannot read '%s'", path);
    }
    found = record_find(buf_str(&all), good);
    if (found < size)
        ok = salvage(l, path, buf_str(&all), good != 0 ? HEADER : found, notice, e);
    else if (good == 0)
        ok = set_aside(l, path, notice, e);
    else
        ok = (ftruncate(l->fd, (off_t)good) == 0 && fsync(l->fd) == 0) ||
             err_errno(e, errno, "cannot cut the torn end of '%s'", path);
    buf_release(&all);
    return ok;
}

static bool check(struct alert_log *l, const char *path, struct buf *notice, struct err *e)
{
    char head[HEADER];
    struct stat st;

    if (fstat(l->fd, &st) != 0)
        return err_errno(e, errno, "cannot read '%s'", path);
    if (st.st_size == 0)
        return create(l, STR_NONE, e);
    if (st.st_size >= HEADER && record_read(l->fd, 0, head, HEADER) &&
        memcmp(head, magic, HEADER) == 0)
        l->size = record_walk(l->fd, HEADER, (uint64_t)st.st_size, NULL, NULL);
    return l->size == (uint64_t)st.st_size ||
           mend(l, path, (size_t)l->size, (size_t)st.st_size, notice, e);
}

bool alert_log_open(struct alert_log *l, str dir, struct buf *notice, struct err *e)
{
    char path[PATH];

    *l = (struct alert_log){.dir = dir, .fd = -1, .next_fd = -1};
    path_of(path, dir, "alerts.log.tmp");
    unlink(path); /* a crash left it */
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

bool alert_log_is_there(const struct alert_log *l, struct err *e)
{
    struct stat ours, st;
    char path[PATH];

    path_of(path, l->dir, "alerts.log");
    return (fstat(l->fd, &ours) == 0 && stat(path, &st) == 0 && st.st_dev == ours.st_dev &&
            st.st_ino == ours.st_ino) ||
           err_set(e, ERR_IO, "'%s' was removed or replaced", path);
}

void alert_log_close(struct alert_log *l)
{
    give_up(l);
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

struct scan {
    bool (*row)(void *arg, str key, str body);
    void *arg;
};

static bool scan_record(void *arg, str bytes)
{
    const struct scan *s = arg;

    return s->row(s->arg, STR_NONE, bytes);
}

bool alert_log_scan(struct alert_log *l, bool (*row)(void *arg, str key, str body), void *arg,
                    struct err *e)
{
    struct scan s = {row, arg};

    (void)e;
    (void)record_walk(l->fd, HEADER, l->size, scan_record, &s);
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

static void add_to_next(struct alert_log *l, str records)
{
    if (l->next_fd < 0)
        return;
    if (!record_write(l->next_fd, records))
        give_up(l);
    l->next_size += records.n;
}

bool alert_log_append(struct alert_log *l, str records, struct err *e)
{
    if (!record_write(l->fd, records))
        return cut_back(l, e);
    l->unsynced += records.n;
    add_to_next(l, records);
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

/* Each slice is synced by itself, so that the last has no more to wait for than any other. */
bool alert_log_slice(struct alert_log *l, str records, enum state_slice which, struct err *e)
{
    if (which & STATE_SLICE_FIRST) {
        give_up(l);
        l->next_fd = create_next(l->dir, STR_NONE);
        l->next_size = HEADER;
    }
    add_to_next(l, records);
    if (l->next_fd < 0)
        return true;
    if (!(which & STATE_SLICE_LAST)) {
        if (fdatasync(l->next_fd) != 0)
            give_up(l);
        return true;
    }
    if (put_in_place(l))
        return sync_dir(l->dir, e);
    give_up(l);
    return true;
}

bool alert_log_rewrite(struct alert_log *l, str records, struct err *e)
{
    return create(l, records, e);
}
