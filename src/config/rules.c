#include <stdlib.h>
#include "config/config_priv.h"
#include "config/paths.h"
#include "ruler/own.h"
#include "ruler/rule_file.h"

struct loaded_file {
    str file, path, absolute; /* as in struct rule_group_conf */
};

struct loader {
    struct conf_run *run;
    struct config *c;
    VEC(struct rule_group_conf) groups;
    VEC(struct loaded_file) files;
    VEC(struct rule_skipped) skipped;
    const struct config_options *o;
    struct arena
        *docs; /* of the files: the configuration's, or one that goes when all have been read */
};

static bool is_loaded(const struct loader *l, str absolute)
{
    for (size_t i = 0; i < l->files.n; i++)
        if (str_eq(l->files.v[i].absolute, absolute))
            return true;
    return false;
}

/* A group's name is one only within its object. */
static str with_object(struct arena *a, str path, str object)
{
    return object.n != 0 ? arena_printf(a, "%.*s#%.*s", STR(path), STR(object)) : path;
}

static void rules_load_file(struct loader *l, const struct rule_files_conf *by, str path)
{
    str source = by->source, absolute = path_absolute(path, l->run->a);
    const struct source_conf *asked = config_source(l->c, source);
    const struct rule_file_options o = {
        .mode = l->run->mode,
        .dialect =
            asked != NULL && str_is(asked->dialect, "metricsql") ? RULE_METRICSQL : RULE_PROMQL,
        .space_label = by->space_label,
        .files = l->o->files,
        .global = &l->c->global,
        .tolerates = l->o->tolerates_rules,
    };
    struct loaded_file names;
    struct rule_file file;

    if (is_loaded(l, absolute)) /* two patterns name it */
        return;
    names = (struct loaded_file){
        .file = arena_str(l->run->a, path),
        .path = path_from(path_absolute(by->place.file, l->run->a), absolute, l->run->a),
        .absolute = absolute,
    };
    vec_push(&l->files, names);
    if (!rule_file_load(names.file, &o, l->docs, &file, l->run->d))
        file.n_groups = 0;
    VEC_EACH (const struct rule_skipped *, s, &file.skipped)
        vec_push(&l->skipped, ((struct rule_skipped){arena_str(l->run->a, s->file),
                                                     arena_str(l->run->a, s->group),
                                                     arena_str(l->run->a, s->rule)}));
    vec_release(&file.skipped);
    for (size_t i = 0; i < file.n_groups; i++) {
        struct rule_group_conf *g = &file.groups[i];

        g->path = with_object(l->run->a, names.path, g->object);
        g->absolute = with_object(l->run->a, names.absolute, g->object);
        g->source = source;
        g->value_at_resolve = l->c->core.notifications.value_at_resolve;
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
    str *names;
    size_t n;

    files_glob(l->o->files, pattern, l->run->a, &names, &n);
    if (n == 0)
        say_no_match(l, f, pattern);
    for (size_t i = 0; i < n; i++)
        rules_load_file(l, f, names[i]);
}

static void rules_keep(struct loader *l)
{
    struct config *c = l->c;
    struct arena *a = l->run->a;
    str *files = arena_copy(a, c->files, c->n_files, c->n_files + l->files.n, sizeof(str));

    if (l->docs != a) {
        c->rule_texts = rule_texts_new();
        rule_groups_keep(c->rule_texts, l->groups.v, l->groups.n);
    }
    c->groups = arena_copy(a, l->groups.v, l->groups.n, l->groups.n, sizeof(c->groups[0]));
    c->n_groups = l->groups.n;
    for (size_t i = 0; i < l->files.n; i++)
        files[c->n_files + i] = l->files.v[i].file;
    c->skipped = arena_copy(a, l->skipped.v, l->skipped.n, l->skipped.n, sizeof(c->skipped[0]));
    c->n_skipped = l->skipped.n;
    c->files = files;
    c->n_files += l->files.n;
}

/* -- where a rule is evaluated -- */

static str *recorded_names(const struct loader *l, size_t *n)
{
    VEC(str) v = VEC_INIT;
    str *names;

    VEC_EACH (const struct rule_group_conf *, g, &l->groups)
        for (size_t i = 0; i < g->n_rules; i++)
            if (!g->rules[i].is_alert)
                vec_push(&v, arena_str(l->run->a, g->rules[i].name));
    names = arena_copy(l->run->a, v.v, v.n, v.n, sizeof(*names));
    *n = v.n;
    if (v.n > 1)
        qsort(names, v.n, sizeof(*names), str_order);
    vec_release(&v);
    return names;
}

/* A rule is evaluated over our own store when all that it reads is recorded by our rules, or when its group names no source;
 * by the source when nothing is; and in parts when some is. */
static void place_rule(struct loader *l, const struct rule_group_conf *g, struct rule_conf *r,
                       const str *recorded, size_t n)
{
    struct err e = ERR_INIT;
    struct arena scratch;
    struct rule_split split;
    struct promql_expr *x;
    enum own_share share;

    r->is_own = str_is(g->source, "own");
    if (r->is_own)
        return;
    arena_init(&scratch, 0);
    x = promql_parse(r->expr, &promql_everything, &scratch, NULL, &e);
    share = x != NULL ? own_share(x, recorded, n) : OWN_NONE;
    r->is_own = share == OWN_ALL;
    if (share == OWN_SOME && rule_split_make(r->expr, recorded, n, l->run->a, &split))
        r->split = arena_copy(l->run->a, &split, 1, 1, sizeof(split));
    else if (share == OWN_SOME)
        diags_add(
            l->run->d, DIAG_WARNING, "C009", rule_place(r),
            "rule \"%.*s\" reads series that rules record here and others, which cannot be taken "
            "apart: source \"%.*s\" is asked for all of it, and may not know the recorded ones",
            STR(r->name), STR(g->source));
    promql_release(x);
    arena_release(&scratch);
}

static void place_rules(struct loader *l)
{
    struct config *c = l->c;

    c->recorded = recorded_names(l, &c->n_recorded);
    VEC_EACH (const struct rule_group_conf *, g, &l->groups)
        for (size_t i = 0; i < g->n_rules; i++)
            place_rule(l, g, &g->rules[i], c->recorded, c->n_recorded);
}

static bool is_among(const struct rule_skipped *s, const struct config *c)
{
    for (size_t i = 0; i < c->n_groups; i++) {
        const struct rule_group_conf *g = &c->groups[i];

        if (!str_eq(g->file, s->file) || (s->group.n != 0 && !str_eq(g->name, s->group)))
            continue;
        for (size_t j = 0; j < g->n_rules; j++)
            if (s->rule.n == 0 || str_eq(g->rules[j].name, s->rule))
                return true;
    }
    return false;
}

const struct rule_skipped *config_lost_rule(const struct config *fresh,
                                            const struct config *running)
{
    for (size_t i = 0; i < fresh->n_skipped; i++)
        if (is_among(&fresh->skipped[i], running))
            return &fresh->skipped[i];
    return NULL;
}

void config_load_rules(struct conf_run *run, struct config *c, const struct config_options *o)
{
    struct arena docs;
    struct loader l = {.run = run, .c = c, .o = o, .docs = o->keeps_documents ? run->a : &docs};

    arena_init(&docs, 0);
    for (size_t i = 0; i < c->n_rule_files; i++)
        for (size_t j = 0; j < c->rule_files[i].files.n; j++)
            load_pattern(&l, &c->rule_files[i], c->rule_files[i].files.v[j]);
    place_rules(&l); /* by what is written */
    rules_keep(&l);
    vec_release(&l.groups);
    vec_release(&l.files);
    vec_release(&l.skipped);
    arena_release(&docs);
}
