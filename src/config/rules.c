#include <glob.h>
#include "config/config_priv.h"
#include "ruler/rule_file.h"

struct loader {
    struct conf_run *run;
    struct config *c;
    VEC(struct rule_group_conf) groups;
    VEC(str) files;
};

static bool is_loaded(const struct loader *l, str path)
{
    for (size_t i = 0; i < l->files.n; i++)
        if (str_eq(l->files.v[i], path))
            return true;
    return false;
}

static void load_file(struct loader *l, str path, str source)
{
    const struct source_conf *asked = config_source(l->c, source);
    const struct rule_file_options o = {
        .mode = l->run->mode,
        .dialect =
            asked != NULL && str_is(asked->dialect, "metricsql") ? RULE_METRICSQL : RULE_PROMQL,
    };
    const struct global_conf *global = &l->c->global;
    struct rule_file file;

    if (is_loaded(l, path)) /* two patterns name it */
        return;
    path = arena_str(l->run->a, path);
    vec_push(&l->files, path);
    if (!rule_file_load(path, &o, l->run->a, &file, l->run->d))
        return;
    for (size_t i = 0; i < file.n_groups; i++) {
        struct rule_group_conf *g = &file.groups[i];

        g->source = source;
        if (g->interval == 0)
            g->interval = global->evaluation_interval;
        if (!g->has_query_offset)
            g->query_offset = global->rule_query_offset;
        vec_push(&l->groups, *g);
    }
}

static void say_no_match(const struct loader *l, const struct rule_files_conf *f, str pattern)
{
    const char *slash = memrchr(pattern.p, '/', pattern.n);
    str folder = slash != NULL ? str_sub(pattern, 0, (size_t)(slash - pattern.p)) : S(".");

    diags_add(l->run->d, DIAG_WARNING, "C006", f->place,
              "no rule file matches \"%.*s\"; looked in folder \"%.*s\"", STR(pattern),
              STR(folder));
}

static void load_pattern(struct loader *l, const struct rule_files_conf *f, str pattern)
{
    str z = arena_str(l->run->a, pattern);
    glob_t found;

    if (z.n == 0 || glob(z.p, 0, NULL, &found) != 0) {
        say_no_match(l, f, pattern);
        return;
    }
    for (size_t i = 0; i < found.gl_pathc; i++)
        load_file(l, str_of(found.gl_pathv[i]), f->source);
    globfree(&found);
}

static void keep(struct loader *l)
{
    struct config *c = l->c;
    str *files = arena_array(l->run->a, c->n_files + l->files.n, sizeof(str));

    c->groups = arena_array(l->run->a, l->groups.n, sizeof(c->groups[0]));
    c->n_groups = l->groups.n;
    if (l->groups.n != 0)
        memcpy(c->groups, l->groups.v, l->groups.n * sizeof(c->groups[0]));
    if (c->n_files != 0)
        memcpy(files, c->files, c->n_files * sizeof(str));
    if (l->files.n != 0)
        memcpy(files + c->n_files, l->files.v, l->files.n * sizeof(str));
    c->files = files;
    c->n_files += l->files.n;
}

void config_load_rules(struct conf_run *run, struct config *c)
{
    struct loader l = {.run = run, .c = c};

    for (size_t i = 0; i < c->n_rule_files; i++)
        for (size_t j = 0; j < c->rule_files[i].files.n; j++)
            load_pattern(&l, &c->rule_files[i], c->rule_files[i].files.v[j]);
    keep(&l);
    vec_release(&l.groups);
    vec_release(&l.files);
}
