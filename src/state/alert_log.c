#include "state/alert_log.h"
#include "os/log.h"
#include "os/record_file.h"
#include "state/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER = 8 };
static const char magic[HEADER] = {'t', 'o', 'c', 's', 'i', 'n', 'A', '1'};

/* A new file with these records under the temporary name. */
static bool create_next(struct alert_log *l, str records, struct err *e)
{
    char tmp[STATE_PATH];

    state_path(tmp, l->dir, "alerts.log.tmp");
    l->next.fd = open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (l->next.fd < 0)
        return err_errno(e, errno, "cannot create '%s'", tmp);
    return (file_append(&l->next, (str){magic, HEADER}, e) && file_append(&l->next, records, e)) ||
           err_wrap(e, "'%s'", tmp);
}

static void alert_log_give_up(struct alert_log *l)
{
    char tmp[STATE_PATH];

    if (l->next.fd < 0)
        return;
    state_path(tmp, l->dir, "alerts.log.tmp");
    file_close(&l->next);
    unlink(tmp);
}

/* The new file takes the place of the log. False with the new one still there: it could not; without: nobody knows which of
 * the two the folder will have. */
static bool alert_log_put_in_place(struct alert_log *l, struct err *e)
{
    char path[STATE_PATH], tmp[STATE_PATH];

    state_path(path, l->dir, "alerts.log");
    state_path(tmp, l->dir, "alerts.log.tmp");
    if (!file_sync(&l->next, e))
        return false;
    if (rename(tmp, path) != 0)
        return err_errno(e, errno, "cannot rename '%s'", tmp);
    file_close(&l->file);
    l->file = l->next;
    l->next = (struct file_tail){.fd = -1};
    return sync_dir(l->dir, e);
}

static bool alert_log_create(struct alert_log *l, str records, struct err *e)
{
    alert_log_give_up(l);
    if (create_next(l, records, e) && alert_log_put_in_place(l, e))
        return true;
    alert_log_give_up(l);
    return false;
}

/* The log under a second name, before another takes its place. */
static bool alert_log_keep_damaged(struct alert_log *l, const char *path, char aside[STATE_PATH],
                                   struct err *e)
{
    state_path(aside, l->dir, "alerts.log.damaged");
    unlink(aside);
    return link(path, aside) == 0 || err_errno(e, errno, "cannot keep '%s' as '%s'", path, aside);
}

/* Sound records stand behind a bad one: they go to a new file, the old one is kept. bytes: all of it; at: a sound one. */
static bool salvage(struct alert_log *l, const char *path, str bytes, size_t at, struct buf *notice,
                    struct err *e)
{
    struct buf sound = BUF_INIT;
    char aside[STATE_PATH];
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
    ok = alert_log_keep_damaged(l, path, aside, e) && alert_log_create(l, buf_str(&sound), e);
    if (ok)
        buf_addf(
            notice,
            "alert log '%s' is damaged: %zu bytes of alerts are lost, the rest is read; kept as "
            "'%s'\n",
            path, bytes.n > read ? bytes.n - read : 0, aside);
    buf_release(&sound);
    return ok;
}

static bool alert_log_set_aside(struct alert_log *l, const char *path, struct buf *notice,
                                struct err *e)
{
    char aside[STATE_PATH];

    if (!alert_log_keep_damaged(l, path, aside, e) || !alert_log_create(l, STR_NONE, e))
        return false;
    buf_addf(notice, "alert log '%s' is damaged: kept as '%s', starting without stored alerts\n",
             path, aside);
    return true;
}

/* The last record. It ends where it should, and is no torn end: then it is damaged. */
static bool cut(struct alert_log *l, const char *path, str bytes, size_t good, struct buf *notice,
                struct err *e)
{
    size_t left = bytes.n - good;
    char aside[STATE_PATH];

    if (record_is_torn(str_sub(bytes, good, bytes.n))) {
        log_warn("the torn end of a file is cut off, as a power cut leaves it",
                 LOG_STR("file", str_of(path)), LOG_I64("bytes", left));
    } else {
        if (!alert_log_keep_damaged(l, path, aside, e))
            return false;
        buf_addf(notice, "alert log '%s' is damaged: its last %zu bytes are lost; kept as '%s'\n",
                 path, left, aside);
    }
    return (ftruncate(l->file.fd, (off_t)good) == 0 && fsync(l->file.fd) == 0) ||
           err_errno(e, errno, "cannot cut the end of '%s'", path);
}

/* From `good` on the file cannot be read. */
static bool alert_log_mend(struct alert_log *l, const char *path, size_t good, size_t size,
                           struct buf *notice, struct err *e)
{
    struct buf all = BUF_INIT;
    size_t found;
    bool ok;

    buf_reserve(&all, size);
    all.n = size;
    if (!record_read(l->file.fd, 0, all.p, size)) {
        buf_release(&all);
        return err_errno(e, errno, "cannot read '%s'", path);
    }
    found = record_find(buf_str(&all), good);
    if (found < size)
        ok = salvage(l, path, buf_str(&all), good != 0 ? HEADER : found, notice, e);
    else if (good == 0)
        ok = alert_log_set_aside(l, path, notice, e);
    else
        ok = cut(l, path, buf_str(&all), good, notice, e);
    buf_release(&all);
    return ok;
}

static bool alert_log_check(struct alert_log *l, const char *path, struct buf *notice,
                            struct err *e)
{
    char head[HEADER];
    struct stat st;

    if (fstat(l->file.fd, &st) != 0)
        return err_errno(e, errno, "cannot read '%s'", path);
    if (st.st_size == 0)
        return alert_log_create(l, STR_NONE, e);
    if (st.st_size >= HEADER && record_read(l->file.fd, 0, head, HEADER) &&
        memcmp(head, magic, HEADER) == 0)
        l->file.size = record_walk(l->file.fd, HEADER, (uint64_t)st.st_size, NULL, NULL);
    return l->file.size == (uint64_t)st.st_size ||
           alert_log_mend(l, path, (size_t)l->file.size, (size_t)st.st_size, notice, e);
}

bool alert_log_open(struct alert_log *l, str dir, struct buf *notice, struct err *e)
{
    char path[STATE_PATH];

    *l = (struct alert_log){.dir = dir, .file = {.fd = -1}, .next = {.fd = -1}};
    state_path(path, dir, "alerts.log.tmp");
    unlink(path); /* a crash left it */
    state_path(path, dir, "alerts.log");
    l->file.fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
    if (l->file.fd < 0 && errno == ENOENT)
        return alert_log_create(l, STR_NONE, e);
    if (l->file.fd < 0)
        return err_errno(e, errno, "cannot open '%s'", path);
    if (alert_log_check(l, path, notice, e))
        return true;
    alert_log_close(l);
    return false;
}

bool alert_log_is_there(const struct alert_log *l, struct err *e)
{
    struct stat ours, st;
    char path[STATE_PATH];

    state_path(path, l->dir, "alerts.log");
    return (fstat(l->file.fd, &ours) == 0 && stat(path, &st) == 0 && st.st_dev == ours.st_dev &&
            st.st_ino == ours.st_ino) ||
           err_set(e, ERR_IO, "'%s' was removed or replaced", path);
}

void alert_log_close(struct alert_log *l)
{
    alert_log_give_up(l);
    file_close(&l->file);
}

struct state_alert_log_scan {
    bool (*row)(void *arg, str key, str body);
    void *arg;
};

static bool scan_record(void *arg, str bytes)
{
    const struct state_alert_log_scan *s = arg;

    return s->row(s->arg, STR_NONE, bytes);
}

bool alert_log_scan(struct alert_log *l, bool (*row)(void *arg, str key, str body), void *arg,
                    struct err *e)
{
    struct state_alert_log_scan s = {row, arg};

    (void)e;
    (void)record_walk(l->file.fd, HEADER, l->file.size, scan_record, &s);
    return true;
}

static void add_to_next(struct alert_log *l, str records)
{
    if (l->next.fd >= 0 && !file_append(&l->next, records, NULL))
        alert_log_give_up(l);
}

bool alert_log_append(struct alert_log *l, str records, struct err *e)
{
    if (!file_append(&l->file, records, e))
        return err_wrap(e, "alert log");
    add_to_next(l, records);
    return true;
}

bool alert_log_sync(struct alert_log *l, struct err *e)
{
    return file_sync(&l->file, e) || err_wrap(e, "alert log");
}

/* Each slice is synced by itself, so that the last has no more to wait for than any other. */
bool alert_log_slice(struct alert_log *l, str records, enum state_slice which, struct err *e)
{
    if (which & STATE_SLICE_FIRST) {
        alert_log_give_up(l);
        if (!create_next(l, STR_NONE, NULL))
            alert_log_give_up(l);
    }
    add_to_next(l, records);
    if (l->next.fd < 0)
        return true;
    if (!(which & STATE_SLICE_LAST)) {
        if (!file_sync(&l->next, NULL))
            alert_log_give_up(l);
        return true;
    }
    if (alert_log_put_in_place(l, e))
        return true;
    if (l->next.fd < 0)
        return false;
    alert_log_give_up(l);
    return true;
}

bool alert_log_rewrite(struct alert_log *l, str records, struct err *e)
{
    return alert_log_create(l, records, e);
}
