/* Findings are sifted at the end: which configuration is about a file is known no sooner. */
#include "lint/lint_levels.h"

#include <fnmatch.h>
#include <stdlib.h>
#include "lint/render.h"

/* What lists say of an id: of nothing said, false. */
static bool level_said(const struct conf_strings *disable, const struct conf_map *severity,
                       const char *id, str *level)
{
    bool is_said = false;

    for (size_t i = 0; i < disable->n; i++)
        if (str_is(disable->v[i], id)) {
            *level = S("off");
            is_said = true;
        }
    for (size_t i = 0; i < severity->n; i++)
        if (str_is(severity->v[i].name, id)) {
            *level = severity->v[i].value;
            is_said = true;
        }
    return is_said;
}

static str levels_real_path(str path, struct arena *a)
{
    char *real = realpath(arena_str(a, path).p, NULL);
    str out = real != NULL ? arena_str(a, str_of(real)) : path;

    free(real);
    return out;
}

static str levels_folder(str path)
{
    while (path.n != 0 && path.p[path.n - 1] != '/')
        path.n--;
    return path;
}

/* A pattern names what is in a folder that is there; only its last part has wildcards, mostly. */
static bool levels_name_file(const struct conf_strings *patterns, str file, str real,
                             struct arena *a)
{
    for (size_t i = 0; i < patterns->n; i++) {
        str folder = levels_folder(patterns->v[i]),
            name = str_sub(patterns->v[i], folder.n, patterns->v[i].n);
        str there = folder.n != 0 ? levels_real_path(folder, a) : folder;
        const char *whole = arena_printf(a, "%.*s/%.*s", STR(there), STR(name)).p;

        if (fnmatch(arena_str(a, patterns->v[i]).p, arena_str(a, file).p, 0) == 0 ||
            fnmatch(whole, arena_str(a, real).p, 0) == 0)
            return true;
    }
    return false;
}

static bool levels_say(const struct lint_conf *l, const struct diag *g, str real, struct arena *a,
                       str *level)
{
    bool is_said = level_said(&l->disable, &l->severity, g->id, level);

    for (size_t i = 0; i < l->paths.n; i++) {
        const struct lint_path_conf *p = &l->paths.v[i];
        str own;

        if (level_said(&p->disable, &p->severity, g->id, &own) &&
            levels_name_file(&p->files, g->place.file, real, a)) {
            *level = own;
            is_said = true;
        }
    }
    return is_said;
}

static bool has_flag(const struct lint_options *o, const char *id)
{
    for (size_t i = 0; i < o->n_levels; i++)
        if (strcmp(o->levels[i].row->id, id) == 0)
            return true;
    return false;
}

static void count_diag(struct diags *d, enum diag_severity severity, int by)
{
    d->kept[severity] += (size_t)by;
    if (severity == DIAG_ERROR)
        d->errors += (size_t)by;
    if (severity == DIAG_WARNING)
        d->warnings += (size_t)by;
}

/* Whether it stays. */
static bool sift_diag(const struct config *c, const struct lint_options *o, str folder,
                      struct diag *g, struct diags *d, struct arena *a)
{
    str real = levels_real_path(g->place.file, a), level;

    if (g->place.file.n == 0 || !str_starts_with(real, folder) || has_flag(o, g->id) ||
        !levels_say(&c->lint, g, real, a, &level))
        return true;
    count_diag(d, g->severity, -1);
    if (str_is(level, "off"))
        return false;
    if (diag_severity_parse(level, &g->severity))
        count_diag(d, g->severity, 1);
    return true;
}

static void see_id(const struct config *c, str id, struct diags *d)
{
    if (check_of(id) == NULL)
        diag_help(d,
                  diags_add(d, DIAG_ERROR, "C006", c->lint.place,
                            "lint: no check is called \"%.*s\"", STR(id)),
                  "tocsin lint --list names them");
}

static void see_ids(const struct config *c, const struct conf_strings *disable,
                    const struct conf_map *severity, struct diags *d)
{
    for (size_t i = 0; i < disable->n; i++)
        see_id(c, disable->v[i], d);
    for (size_t i = 0; i < severity->n; i++)
        see_id(c, severity->v[i].name, d);
}

void lint_levels_apply(const struct config *c, const struct lint_options *o, struct diags *d)
{
    struct arena a;
    size_t k = 0;
    str folder;

    if (c->lint.disable.n + c->lint.severity.n + c->lint.paths.n == 0)
        return;
    arena_init(&a, 0);
    folder = levels_folder(levels_real_path(c->lint.place.file, &a));
    for (size_t i = 0; i < d->n; i++)
        if (sift_diag(c, o, folder, &d->v[i], d, &a))
            d->v[k++] = d->v[i];
    d->n = k;
    see_ids(c, &c->lint.disable, &c->lint.severity, d);
    for (size_t i = 0; i < c->lint.paths.n; i++)
        see_ids(c, &c->lint.paths.v[i].disable, &c->lint.paths.v[i].severity, d);
    arena_release(&a);
}
