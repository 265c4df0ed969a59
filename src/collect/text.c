/* The part `text`: files *.prom of a folder, and when each was written. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "collect/collect_conf.h"
#include "collect/part.h"
#include "collect/text_file.h"
#include "os/file.h"

enum { TEXT_FILE_MAX = 4 << 20, TEXT_FILES_MAX = 1000, TEXT_ALL_MAX = 32 << 20 };

struct text_part {
    struct part part;
    str folder;
};

typedef VEC(str) path_list;

static bool list_files(str folder, struct arena *a, path_list *out, struct err *e)
{
    DIR *d = opendir(arena_z(a, folder));
    struct dirent *entry;

    if (d == NULL)
        return err_errno(e, errno, "cannot open '%.*s'", STR(folder));
    while ((entry = readdir(d)) != NULL && out->n <= TEXT_FILES_MAX)
        if (str_ends_with(str_of(entry->d_name), S(".prom")))
            vec_push(out, arena_printf(a, "%.*s/%s", STR(folder), entry->d_name));
    closedir(d);
    if (out->n > TEXT_FILES_MAX)
        return err_set(e, ERR_LIMIT, "more than %d files in '%.*s'", TEXT_FILES_MAX, STR(folder));
    if (out->n != 0)
        qsort(out->v, out->n, sizeof(str), str_order);
    return true;
}

static bool put_text_file(str path, struct sheet *out, struct text_seen *seen, struct buf *b,
                          struct err *e)
{
    const struct expo_label l = SHEET_LABEL("file", path);
    struct stat st;

    buf_clear(b);
    if (stat(path.p, &st) != 0)
        return err_errno(e, errno, "cannot read '%.*s'", STR(path));
    if (!file_read(path, FILE_REGULAR, TEXT_FILE_MAX, b, e))
        return false;
    if (!text_file_put(buf_str(b), path, out, seen, e))
        return err_wrap(e, "%.*s:%d", STR(path), e->line);
    sheet_begin(out, S("node_textfile_mtime_seconds"), EXPO_GAUGE,
                S("Unixtime mtime of textfiles successfully read."));
    sheet_put(out, &l, 1, (double)st.st_mtim.tv_sec + (double)st.st_mtim.tv_nsec / 1e9);
    return true;
}

/* One that is broken costs itself; the part fails by it, with the first reason. */
static bool text_run(struct part *p, struct part_run *r, struct err *e)
{
    struct text_part *t = container_of(p, struct text_part, part);
    struct text_seen seen = {0};
    path_list files = VEC_INIT;
    struct buf b = BUF_INIT;
    size_t all = 0;
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    r->out->yields = true;
    ok = list_files(t->folder, &a, &files, e);
    for (size_t i = 0; i < files.n; i++) {
        struct err why = ERR_INIT;

        if (part_left_ms(r->deadline) == 0) {
            ok = err_set(e, ERR_TIMEOUT, "%zu of %zu files were read", i, files.n);
            break;
        }
        if (all > TEXT_ALL_MAX) {
            ok = err_set(e, ERR_LIMIT, "%zu of %zu files were read: they are too large together", i,
                         files.n);
            break;
        }
        if (put_text_file(files.v[i], r->out, &seen, &b, &why)) {
            all += b.n;
            continue;
        }
        if (ok)
            *e = why;
        ok = false;
    }
    sheet_one(r->out, S("node_textfile_scrape_error"), EXPO_GAUGE,
              S("1 if there was an error opening or reading a file, 0 otherwise"), !ok);
    str_map_release(&seen.series);
    vec_release(&files);
    buf_release(&b);
    arena_release(&a);
    return ok;
}

static void text_free(struct part *p)
{
    mem_free(container_of(p, struct text_part, part));
}

struct part *text_part_new(const struct collect_conf *c)
{
    struct text_part *t = mem_new(struct text_part);

    t->part = (struct part){S("text"), c->timeout, text_run, text_free};
    t->folder = c->text->folder;
    return &t->part;
}
