#include "state/whole.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/crc32c.h"
#include "os/file.h"
#include "os/note.h"
#include "os/record_file.h"
#include "state/folder.h"
#include "state/manifest.h"

#define STOPPED "stopped"
#define NOTED   "noted"

static int64_t whole_size_of(str dir, const char *name)
{
    char path[STATE_PATH];
    struct stat st;

    state_path(path, dir, name);
    return stat(path, &st) == 0 ? st.st_size : -1;
}

/* -- a stop in order -- */

static void whole_add_folder(struct buf *out, str dir, const char *inner)
{
    char path[STATE_PATH];
    struct dirent *entry;
    DIR *d;

    state_path(path, dir, inner);
    d = opendir(path);
    while (d != NULL && (entry = readdir(d)) != NULL) {
        char name[300];
        struct stat st;

        snprintf(name, sizeof(name), "%s%s", inner, entry->d_name);
        state_path(path, dir, name);
        if (manifest_is_name(str_of(name)) && stat(path, &st) == 0)
            buf_addf(out, "%lld %s\n", (long long)st.st_size, name);
    }
    if (d != NULL)
        closedir(d);
}

void state_whole_note(str dir)
{
    char path[STATE_PATH];
    struct buf b = BUF_INIT;
    int fd;

    whole_add_folder(&b, dir, "");
    whole_add_folder(&b, dir, "samples/");
    whole_add_folder(&b, dir, "pushed/");
    buf_adds(&b, "end\n");
    state_path(path, dir, STOPPED);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0 && !(record_write(fd, buf_str(&b)) && fsync(fd) == 0))
        (void)unlink(path); /* then as after a crash */
    if (fd >= 0)
        close(fd);
    buf_release(&b);
}

static void whole_look_at(str dir, str line, uint64_t *alerts, struct buf *out)
{
    str size = str_cut(&line, ' ');
    char name[300], path[STATE_PATH];
    uint64_t was;
    struct stat st;

    if (!str_to_u64(size, &was) || !manifest_is_name(line) || line.n >= sizeof(name))
        return;
    snprintf(name, sizeof(name), "%.*s", STR(line));
    state_path(path, dir, name);
    if (str_is(line, "state.db") && whole_size_of(dir, "state.db.new") >= 0)
        return; /* which takes its place */
    if (stat(path, &st) != 0)
        buf_addf(out, "'%s' is gone: it had %" PRIu64 " bytes at the last stop\n", path, was);
    else if ((uint64_t)st.st_size < was)
        buf_addf(out, "'%s' has %lld bytes, and had %" PRIu64 " at the last stop\n", path,
                 (long long)st.st_size, was);
    else if (str_is(line, "alerts.log"))
        *alerts = was;
}

/* -- after a crash -- */

/* The database is made before the alert log, and never is empty again. */
static void look_at_both(str dir, struct buf *out)
{
    int64_t rows = whole_size_of(dir, "state.db"), fresh = whole_size_of(dir, "state.db.new");

    if (whole_size_of(dir, "alerts.log") > 0 && rows <= 0 && fresh <= 0)
        buf_addf(out,
                 "'%.*s/state.db' is %s, and an alert log lies beside it: all its rows are lost\n",
                 STR(dir), rows == 0 ? "empty" : "gone");
}

/* -- of each commit -- */

enum { HEAD_MAX = 64, WAL_HEADER = 32 };

static bool whole_read_head(str dir, const char *name, uint64_t from, size_t n, char *out)
{
    char path[STATE_PATH];
    int fd;
    bool ok;

    state_path(path, dir, name);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ok = fd >= 0 && record_read(fd, from, out, n);
    if (fd >= 0)
        close(fd);
    return ok;
}

/* Bytes of the alert log's beginning and their checksum, which tell it from the next in its place; its length; the salt of the
 * database's log, and its length. */
void state_note_write(str dir, int *fd, int log, uint64_t alerts, uint64_t wal)
{
    char path[STATE_PATH], head[HEAD_MAX], salt[8] = {0};
    uint64_t v[NOTE_NUMBERS] = {alerts < HEAD_MAX ? alerts : HEAD_MAX, 0, alerts, 0, wal};

    if (!record_read(log, 0, head, (size_t)v[0]) ||
        (wal != 0 && !whole_read_head(dir, "state.db-wal", 16, sizeof(salt), salt)))
        return;
    v[1] = crc32c((str){head, (size_t)v[0]});
    memcpy(&v[3], salt, sizeof(salt));
    state_path(path, dir, NOTED);
    note_write(path, fd, v);
}

void state_note_forget(str dir, int *fd)
{
    char path[STATE_PATH];

    state_path(path, dir, NOTED);
    note_remove(path, fd);
}

static void whole_look_at_alerts(str dir, const uint64_t *v, uint64_t *alerts, struct buf *out)
{
    uint64_t n = v[0], crc = v[1], was = v[2];
    int64_t size = whole_size_of(dir, "alerts.log");
    char head[HEAD_MAX];

    if (n > HEAD_MAX)
        return;
    if (size >= (int64_t)n && !(whole_read_head(dir, "alerts.log", 0, (size_t)n, head) &&
                                crc32c((str){head, (size_t)n}) == crc))
        return; /* another one is in its place */
    if (size >= (int64_t)was) {
        *alerts = was;
        return;
    }
    buf_addf(out,
             "'%.*s/alerts.log' has %" PRId64 " bytes, and had %" PRIu64
             ": what is behind is lost\n",
             STR(dir), size > 0 ? size : 0, was);
}

static void look_at_wal(str dir, uint64_t salt, uint64_t was, struct buf *out)
{
    int64_t size = whole_size_of(dir, "state.db-wal");
    char head[8];

    if (size >= (int64_t)was)
        return;
    if (size >= WAL_HEADER && !(whole_read_head(dir, "state.db-wal", 16, sizeof(head), head) &&
                                memcmp(head, &salt, 8) == 0))
        return;
    buf_addf(out,
             "'%.*s/state.db-wal' has %" PRId64 " bytes, and had %" PRIu64
             ": the commits behind are lost\n",
             STR(dir), size > 0 ? size : 0, was);
}

static void look_at_note(str dir, uint64_t *alerts, struct buf *out)
{
    uint64_t v[NOTE_NUMBERS];
    char path[STATE_PATH];

    state_path(path, dir, NOTED);
    if (!note_read(path, v))
        return;
    whole_look_at_alerts(dir, v, alerts, out);
    if (whole_size_of(dir, "state.db.new") < 0)
        look_at_wal(dir, v[3], v[4], out);
}

/* -- both -- */

uint64_t state_whole_look(str dir, struct buf *out)
{
    char path[STATE_PATH];
    struct buf text = BUF_INIT;
    size_t before = out->n;
    uint64_t alerts = 0;
    str rest;

    state_path(path, dir, STOPPED);
    if (file_read(str_of(path), FILE_REGULAR, MANIFEST_MAX, &text, NULL) &&
        str_ends_with(buf_str(&text), S("end\n")))
        for (rest = buf_str(&text); rest.n != 0;)
            whole_look_at(dir, str_cut(&rest, '\n'), &alerts, out);
    look_at_note(dir, &alerts, out);
    if (out->n == before)
        look_at_both(dir, out);
    buf_release(&text);
    return alerts;
}

uint64_t state_whole_check(str dir, struct buf *notice)
{
    char path[STATE_PATH];
    uint64_t alerts = state_whole_look(dir, notice);

    state_note_forget(dir, &(int){-1});
    state_path(path, dir, STOPPED);
    if (unlink(path) == 0)
        (void)!sync_dir(dir, NULL); /* what is there from now on is another state */
    return alerts;
}
