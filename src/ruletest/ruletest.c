/* A file of tests: its rules and configurations are read once, its cases run one by one, and what none of them reaches is counted. */
#include "ruletest/ruletest.h"

#include <stdlib.h>
#include <string.h>
#include "config/paths.h"
#include "os/file.h"
#include "os/file_set.h"
#include "ruler/rule_file.h"
#include "ruletest/ruletest_priv.h"

enum { TEST_FILE_MAX = 16 << 20 };

void ruletest_report_init(struct ruletest_report *r)
{
    *r = (struct ruletest_report){.failed = 0};
    arena_init(&r->a, 0);
}

void ruletest_report_release(struct ruletest_report *r)
{
    vec_release(&r->cases);
    vec_release(&r->rules);
    vec_release(&r->ways);
    vec_release(&r->texts);
    arena_release(&r->a);
}

/* -- coverage -- */

static struct ruletest_rule *ruletest_rule_of(struct ruletest_report *r, const struct rule_conf *c)
{
    VEC_EACH (struct ruletest_rule *, x, &r->rules)
        if (x->line == c->line && str_eq(x->file, c->doc->file))
            return x;
    return NULL;
}

void ruletest_reach(struct ruletest *t, const struct rule_conf *r)
{
    struct ruletest_rule *x = ruletest_rule_of(t->report, r);

    if (x != NULL)
        x->is_reached = true;
}

/* What a template makes may be anything. */
static bool can_have(const struct rule_conf *c, struct labels ls)
{
    if (!c->is_alert || !str_eq(c->name, labels_get(ls, S("alertname"))))
        return false;
    for (size_t i = 0; i < c->all_labels.n; i++) {
        const struct conf_pair *l = &c->all_labels.v[i];

        if (str_find_str(l->value, S("{{")) < 0 && !str_eq(labels_get(ls, l->name), l->value))
            return false;
    }
    return true;
}

void ruletest_reach_alert(struct ruletest *t, struct labels ls)
{
    for (size_t i = 0; i < t->n_confs; i++)
        for (size_t k = 0; k < t->confs[i].n_rules; k++)
            if (can_have(&t->confs[i].rules[k], ls))
                ruletest_reach(t, &t->confs[i].rules[k]);
}

static struct ruletest_way *ruletest_way_of(struct ruletest_report *r, const struct diag_place *at)
{
    VEC_EACH (struct ruletest_way *, x, &r->ways)
        if (x->line == at->line && str_eq(x->file, at->file))
            return x;
    return NULL;
}

void ruletest_reach_routes(struct ruletest *t, struct labels ls, str receiver)
{
    struct route_list takers = {0};

    route_tree_match(t->routes, ls, &takers);
    for (size_t i = 0; i < takers.n; i++) {
        const struct route *r = takers.v[i];

        if (receiver.n != 0 && !str_eq(r->receiver, receiver))
            continue;
        for (; r != NULL; r = r->parent)
            ruletest_way_of(t->report, &r->conf->place)->is_reached = true;
    }
    vec_release(&takers);
}

/* A parent before its children. */
static void take_ways(struct ruletest_report *r, const struct route *x)
{
    const struct diag_place *at = &x->conf->place;

    if (ruletest_way_of(r, at) == NULL)
        vec_push(&r->ways,
                 (struct ruletest_way){arena_str(&r->a, at->file), arena_str(&r->a, x->receiver),
                                       arena_str(&r->a, x->key), at->line, false});
    for (size_t i = 0; i < x->n_children; i++)
        take_ways(r, x->children[i]);
}

/* -- texts -- */

struct ruletest_texts {
    struct ruletest_report *r;
    str file;
};

/* What templates are called by: the file without its folder. */
static str text_file(str path)
{
    const char *slash = path.n != 0 ? memrchr(path.p, '/', path.n) : NULL;

    return slash != NULL ? str_sub(path, (size_t)(slash - path.p) + 1, path.n) : path;
}

static struct ruletest_text *ruletest_text_of(struct ruletest_report *r, str file, str name)
{
    VEC_EACH (struct ruletest_text *, x, &r->texts)
        if (str_eq(x->name, name) && str_eq(text_file(x->file), text_file(file)))
            return x;
    return NULL;
}

static void ruletest_take_text(void *arg, const struct template_definition *d)
{
    struct ruletest_texts *t = arg;

    if (ruletest_text_of(t->r, t->file, d->name) == NULL)
        vec_push(&t->r->texts,
                 (struct ruletest_text){arena_str(&t->r->a, t->file), arena_str(&t->r->a, d->name),
                                        (int)d->line, false});
}

static int ruletest_text_order(const void *a, const void *b)
{
    const struct ruletest_text *x = a, *y = b;
    int c = str_cmp(x->file, y->file);

    return c != 0 ? c : (x->line > y->line) - (x->line < y->line);
}

/* What the configuration's template files define; they could be read, or there were no configuration. */
static void take_texts(struct ruletest_report *r, const struct config *c, struct arena *a)
{
    for (size_t i = 0; i < c->templates.n; i++) {
        str *names;
        size_t n;

        files_glob(NULL, c->templates.v[i], a, &names, &n);
        for (size_t k = 0; k < n; k++) {
            struct template_set *own = template_set_clone(c->messages->set);
            struct ruletest_texts t = {r, names[k]};
            struct buf text = BUF_INIT;
            struct err e = ERR_INIT;

            if (file_read(names[k], FILE_REGULAR, TEST_FILE_MAX, &text, &e) &&
                template_set_parse(own, text_file(names[k]), buf_str(&text), &e))
                template_set_each(own, ruletest_take_text, &t);
            buf_release(&text);
            template_set_free(own);
        }
    }
    if (r->texts.n != 0)
        qsort(r->texts.v, r->texts.n, sizeof(*r->texts.v), ruletest_text_order);
}

void ruletest_reach_text(struct ruletest *t, str file, str name)
{
    struct ruletest_text *x = ruletest_text_of(t->report, file, name);

    if (x != NULL)
        x->is_reached = true;
}

/* -- the files -- */

struct ruletest_files {
    VEC(struct rule_group_conf) groups;
    struct config *config; /* NULL: none */
};

/* From the folder of the test file, by one name whichever asks for it; as promtool, by the text alone. */
static str beside(struct arena *a, str file, str path)
{
    const char *slash = memrchr(file.p, '/', file.n);
    str folder = slash != NULL ? str_sub(file, 0, (size_t)(slash - file.p) + 1) : STR_NONE;

    if (!str_starts_with(path, S("/")))
        path = arena_printf(a, "%.*s%.*s", STR(folder), STR(path));
    return path_clean(path, a);
}

static void ruletest_take_groups(struct ruletest_files *f, const struct rule_file *file,
                                 const struct ruletest_file *t, struct ruletest_report *r)
{
    for (size_t i = 0; i < file->n_groups; i++) {
        struct rule_group_conf g = file->groups[i];

        g.interval = t->evaluation_interval;
        for (size_t k = 0; k < g.n_rules; k++) {
            struct rule_conf *c = &g.rules[k];

            c->is_own = true;
            if (ruletest_rule_of(r, c) == NULL)
                vec_push(&r->rules, (struct ruletest_rule){arena_str(&r->a, c->doc->file),
                                                           arena_str(&r->a, c->name), c->line,
                                                           c->is_alert, false});
        }
        vec_push(&f->groups, g);
    }
}

static bool load_rules(struct ruletest_files *f, const struct ruletest_file *t, str path,
                       struct arena *a, struct ruletest_report *r, struct diags *d)
{
    struct rule_file_options o = {.mode = MATCHER_FALLBACK};
    bool ok = true;

    for (size_t i = 0; i < t->rule_files.n; i++) {
        str pattern = beside(a, path, t->rule_files.v[i]), *names;
        size_t n;

        files_glob(NULL, pattern, a, &names, &n);
        if (n == 0)
            diags_add(d, DIAG_WARNING, "C006", yaml_place(t->doc, t->doc->root),
                      "no rule file matches \"%.*s\"", STR(pattern));
        for (size_t k = 0; k < n; k++) {
            struct rule_file file;

            if (rule_file_load(names[k], &o, a, &file, d))
                ruletest_take_groups(f, &file, t, r);
            else
                ok = false;
        }
    }
    return ok;
}

static bool load_config(struct ruletest_files *f, const struct ruletest_file *t, str path,
                        struct arena *a, struct diags *d)
{
    struct config_options o = {
        .mode = MATCHER_FALLBACK, .without_rules = true, .without_secrets = true};
    str *paths = arena_array(a, t->config_files.n + 1, sizeof(*paths));

    if (t->config_files.n == 0)
        return true;
    for (size_t i = 0; i < t->config_files.n; i++)
        paths[i] = beside(a, path, t->config_files.v[i]);
    o.paths = paths;
    o.n_paths = t->config_files.n;
    f->config = config_load(&o, d);
    return f->config != NULL;
}

/* -- running -- */

static bool is_chosen(const struct ruletest_options *o, str name)
{
    size_t bounds[2];
    uint64_t work = UINT64_MAX;

    for (size_t i = 0; i < o->n_run; i++)
        if (regex_find_within(o->run[i], name, 0, bounds, &work))
            return true;
    return o->n_run == 0;
}

static void ruletest_run_cases(const struct ruletest_file *file, const struct ruletest_files *f,
                               const struct route_tree *routes, str path,
                               const struct ruletest_options *o, struct ruletest_report *r)
{
    for (size_t i = 0; i < file->tests.n; i++) {
        struct arena a;
        struct ruletest t = {.file = file,
                             .test = &file->tests.v[i],
                             .confs = f->groups.v,
                             .n_confs = f->groups.n,
                             .config = f->config,
                             .routes = routes,
                             .report = r,
                             .a = &a};
        ts_ns began = o->mono();
        struct ruletest_verdict v = {.file = path};

        if (!is_chosen(o, t.test->name))
            continue;
        arena_init(&a, 0);
        ruletest_run_case(&t);
        v.name = t.test->name.n != 0 ? arena_str(&r->a, t.test->name)
                                     : arena_printf(&r->a, "unnamed#%zu", i);
        v.failure = arena_str(&r->a, buf_str(&t.failure));
        v.took = o->mono() - began;
        r->failed += v.failure.n != 0;
        vec_push(&r->cases, v);
        buf_release(&t.failure);
        arena_release(&a);
    }
}

static bool ruletest_run_text(str text, str path, const struct ruletest_options *o, struct arena *a,
                              struct ruletest_report *r, struct diags *d)
{
    struct ruletest_files f = {.config = NULL};
    struct ruletest_file file;
    struct route_tree routes;
    bool ok = ruletest_file_parse(text, path, a, &file, d);

    /* what is wrong with the rules is said, too */
    ok = load_rules(&f, &file, path, a, r, d) && ok;
    ok = load_config(&f, &file, path, a, d) && ok;
    route_tree_init(&routes, f.config != NULL ? f.config->route : NULL);
    if (routes.root != NULL)
        take_ways(r, routes.root);
    if (f.config != NULL)
        take_texts(r, f.config, a);
    if (ok)
        ruletest_run_cases(&file, &f, routes.root != NULL ? &routes : NULL, arena_str(&r->a, path),
                           o, r);
    route_tree_release(&routes);
    config_unref(f.config);
    vec_release(&f.groups);
    return ok;
}

bool ruletest_run(str path, const struct ruletest_options *o, struct ruletest_report *r,
                  struct diags *d)
{
    struct buf text = BUF_INIT;
    struct err e = ERR_INIT;
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    ok = file_read(path, FILE_OR_PIPE, TEST_FILE_MAX, &text, &e);
    if (ok)
        ok = ruletest_run_text(buf_str(&text), path, o, &a, r, d);
    else
        diags_add(d, DIAG_ERROR, "C000", (struct diag_place){.file = path}, "%s", e.msg);
    r->failed += !ok;
    buf_release(&text);
    arena_release(&a);
    return ok;
}
