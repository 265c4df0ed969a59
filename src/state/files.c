#include "state/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "os/record_file.h"
#include "state/manifest.h"

enum { HEADER = 8, PUSHED_MAX = 64 << 20, TAIL_MAX = 64 << 20 };

static bool files_read_text(struct state_file *f, struct err *e)
{
    char *text;

    if (f->size > PUSHED_MAX)
        return err_set(e, ERR_LIMIT, "'%.*s' is too large for what was pushed", STR(f->name));
    text = mem_alloc((size_t)f->size + 1);
    if (!record_read(f->fd, 0, text, (size_t)f->size)) {
        mem_free(text);
        return err_errno(e, errno, "cannot read '%.*s'", STR(f->name));
    }
    f->text = (str){text, (size_t)f->size};
    close(f->fd);
    f->fd = -1;
    return true;
}

/* Whatever it is called in the folder; one that has gone meanwhile is none. */
static bool files_add(struct state_files *f, str dir, str name, struct err *e)
{
    struct err why = ERR_INIT;
    struct state_file made = {.name = STR_NONE};

    made.fd = state_open_plain(dir, name, &made.size, &why);
    if (made.fd < 0 && errno == ENOENT)
        return true;
    if (made.fd < 0) {
        *e = why;
        return false;
    }
    if (str_starts_with(name, S("pushed/")) && !files_read_text(&made, e)) {
        close(made.fd);
        return false;
    }
    made.name = mem_str_dup(name);
    vec_push(&f->v, made);
    return true;
}

static bool files_add_folder(struct state_files *f, str dir, const char *inner, struct err *e)
{
    char path[STATE_PATH], name[STATE_PATH];
    struct dirent *entry;
    bool ok = true;
    DIR *d;

    state_path(path, dir, inner);
    d = opendir(path);
    if (d == NULL)
        return errno == ENOENT || err_errno(e, errno, "cannot read folder '%s'", path);
    while (ok && (entry = readdir(d)) != NULL) {
        snprintf(name, sizeof(name), "%s/%s", inner, entry->d_name);
        if (manifest_is_name(str_of(name)))
            ok = files_add(f, dir, str_of(name), e);
    }
    closedir(d);
    return ok;
}

static int files_by_name(const void *a, const void *b)
{
    return str_cmp(((const struct state_file *)a)->name, ((const struct state_file *)b)->name);
}

static void sort(struct state_files *f)
{
    if (f->v.n != 0)
        qsort(f->v.v, f->v.n, sizeof(f->v.v[0]), files_by_name);
}

bool state_files_open(struct state_files *f, str dir, uint64_t alerts, struct err *e)
{
    bool ok = files_add(f, dir, S("alerts.log"), e);

    if (f->v.n != 0 && f->v.v[0].size > alerts)
        f->v.v[0].size = alerts;
    ok = ok && files_add_folder(f, dir, "samples", e) && files_add_folder(f, dir, "pushed", e);
    sort(f);
    return ok;
}

bool state_files_add(struct state_files *f, const char *path, str name, struct err *e)
{
    struct state_file made = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
    struct stat st;

    if (made.fd < 0 || fstat(made.fd, &st) != 0) {
        err_errno(e, errno, "cannot open '%s'", path);
        if (made.fd >= 0)
            close(made.fd);
        return false;
    }
    made.size = (uint64_t)st.st_size;
    made.name = mem_str_dup(name);
    vec_push(&f->v, made);
    sort(f);
    return true;
}

void state_files_release(struct state_files *f)
{
    VEC_EACH (struct state_file *, it, &f->v) {
        if (it->fd >= 0)
            close(it->fd);
        mem_str_free(it->name);
        mem_str_free(it->text);
    }
    vec_release(&f->v);
}

/* Behind its last sound record, when nothing sound stands there. */
static void files_trim(struct state_file *f)
{
    uint64_t end = record_walk(f->fd, HEADER, f->size, NULL, NULL), n = f->size - end;
    struct buf tail = BUF_INIT;

    if (n == 0 || n > TAIL_MAX)
        return;
    buf_reserve(&tail, (size_t)n);
    tail.n = (size_t)n;
    if (record_read(f->fd, end, tail.p, tail.n) && record_find(buf_str(&tail), 0) == tail.n)
        f->size = end;
    buf_release(&tail);
}

void state_files_trim(struct state_files *f)
{
    VEC_EACH (struct state_file *, it, &f->v)
        if (str_ends_with(it->name, S(".log")) && it->size >= HEADER)
            files_trim(it);
}

size_t state_file_read(const struct state_file *f, uint64_t at, char *out, size_t n)
{
    if (at >= f->size)
        return 0;
    n = f->size - at < n ? (size_t)(f->size - at) : n;
    if (f->fd < 0)
        memcpy(out, f->text.p + at, n);
    else if (!record_read(f->fd, at, out, n))
        return 0;
    return n;
}
