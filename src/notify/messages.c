#include "notify/messages.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "notify/template_data.h"

enum { FILE_MAX = 4 << 20 };

extern const char notify_default_tmpl[], notify_default_tmpl_end[]; /* default_tmpl.S */

struct template_set *messages_new(void)
{
    static const struct tmpl_func *const tables[] = {tmpl_alertmanager_funcs, NULL};
    struct template_set *set = template_set_new(tables);
    struct err e = ERR_INIT;
    /* cppcheck-suppress comparePointers ; both ends of one embedded object */
    str text = {notify_default_tmpl, (size_t)(notify_default_tmpl_end - notify_default_tmpl)};

    BUG_ON(!template_set_parse(set, S("default.tmpl"), text, &e));
    return set;
}

static bool read_file(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "rbe");
    char piece[65536];
    size_t n;
    bool ok;

    if (f == NULL)
        return false;
    while ((n = fread(piece, 1, sizeof(piece), f)) != 0 && out->n <= FILE_MAX)
        buf_add(out, (str){piece, n});
    ok = !ferror(f);
    fclose(f);
    return ok;
}

/* The line of "template: NAME:LINE: ...". */
static int line_of(const char *msg, const char *name)
{
    const char *at = strstr(msg, name);
    long line = 0;

    if (at != NULL && at[strlen(name)] == ':')
        line = strtol(at + strlen(name) + 1, NULL, 10);
    return line > 0 && line <= INT_MAX ? (int)line : 1;
}

static void load_file(struct template_set *set, const char *path, struct diags *d)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    struct diag_place place = {.file = str_of(path), .line = 1, .col = 1};
    struct buf text = BUF_INIT;
    struct err e = ERR_INIT;

    if (!read_file(path, &text)) {
        diags_add(d, DIAG_ERROR, "C010", place, "cannot read template file '%s'", path);
    } else if (text.n > FILE_MAX) {
        diags_add(d, DIAG_ERROR, "C010", place, "template file '%s' is larger than 4 MiB", path);
    } else if (!template_set_parse(set, str_of(name), buf_str(&text), &e)) {
        place.line = line_of(e.msg, name);
        diags_add(d, DIAG_ERROR, "C010", place, "%s", e.msg);
    }
    buf_release(&text);
}

bool messages_load(struct template_set *set, const str *patterns, size_t n, struct diags *d)
{
    size_t errors = d->errors;

    for (size_t i = 0; i < n; i++) {
        char *pattern = mem_zdup(patterns[i]);
        glob_t found;

        if (glob(pattern, 0, NULL, &found) == 0) {
            for (size_t j = 0; j < found.gl_pathc; j++)
                load_file(set, found.gl_pathv[j], d);
            globfree(&found);
        }
        mem_free(pattern);
    }
    return d->errors == errors;
}

bool messages_render(const struct template_set *set, str text, bool html,
                     const struct notification *n, str external_url, ts_ns now, struct arena *a,
                     str *out, struct err *e)
{
    struct template_data data;
    struct template_run run = {.mode = html ? TEMPLATE_HTML : TEMPLATE_TEXT, .now = now};
    struct buf b = BUF_INIT;
    bool ok;

    if (str_find_str(text, S("{{")) < 0) {
        *out = arena_str(a, text);
        return true;
    }
    template_data_of(a, n, external_url, &data);
    run.data = template_data_value(&data);
    ok = template_exec_text(set, text, &run, &b, e);
    if (ok)
        *out = arena_str(a, buf_str(&b));
    buf_release(&b);
    return ok;
}
