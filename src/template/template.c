#include "template/template.h"

#include "base/map.h"
#include "base/mem.h"
#include "template/exec.h"

struct template_set {
    struct arena arena;
    const struct tmpl_func **functions; /* of the origin */
    struct str_map trees;               /* name to struct tmpl_tree * */
    const struct template_set *origin;
    void (*entered)(void *arg, const struct template_definition *d); /* NULL: nobody watches */
    void *entered_arg;
};

struct template_set *template_set_new(const struct tmpl_func *const *functions)
{
    struct template_set *set = mem_new(struct template_set);
    size_t n = 0;

    arena_init_small(&set->arena, 0);
    while (functions != NULL && functions[n] != NULL)
        n++;
    set->functions = arena_array(&set->arena, n + 2, sizeof(*functions));
    for (size_t i = 0; i < n; i++)
        set->functions[i] = functions[i];
    set->functions[n] = tmpl_builtin_funcs;
    return set;
}

struct template_set *template_set_clone(const struct template_set *set)
{
    struct template_set *clone = mem_new(struct template_set);

    arena_init_small(&clone->arena, 0);
    clone->functions = set->functions;
    clone->origin = set;
    clone->entered = set->entered;
    clone->entered_arg = set->entered_arg;
    return clone;
}

void template_set_free(struct template_set *set)
{
    if (set == NULL)
        return;
    str_map_release(&set->trees);
    arena_release(&set->arena);
    mem_free(set);
}

static const struct tmpl_tree *template_find(const struct template_set *set, str name)
{
    void **t;

    for (; set != NULL; set = set->origin)
        if ((t = str_map_get(&set->trees, name)) != NULL)
            return *t;
    return NULL;
}

bool template_set_parse(struct template_set *set, str name, str text, struct err *e)
{
    struct tmpl_tree *trees = NULL;

    name = arena_str(&set->arena, name);
    text = arena_str(&set->arena, text);
    if (!tmpl_parse(&set->arena, name, text, NULL, set->functions, &trees, e))
        return false;
    while (trees != NULL) {
        struct tmpl_tree *t = trees;

        trees = t->next;
        if (tmpl_node_is_empty(t->root) && template_find(set, t->name) != NULL)
            continue;
        str_map_put(&set->trees, t->name, t);
    }
    return true;
}

const void *template_set_definition(const struct template_set *set, str name)
{
    return template_find(set, name);
}

/* -- for tests -- */

static struct template_definition definition_of(const struct tmpl_tree *t)
{
    struct template_definition d = {t->name, t->parse_name, 1};
    size_t col;

    tmpl_node_place(t, t->root, &d.line, &col);
    return d;
}

void template_set_each(const struct template_set *set,
                       void (*fn)(void *arg, const struct template_definition *d), void *arg)
{
    MAP_EACH (struct str_map_entry, e, &set->trees) {
        const struct tmpl_tree *t = e->value;
        struct template_definition d = definition_of(t);

        if (!str_eq(t->name, t->parse_name))
            fn(arg, &d);
    }
}

void template_set_watch(struct template_set *set,
                        void (*entered)(void *arg, const struct template_definition *d), void *arg)
{
    set->entered = entered;
    set->entered_arg = arg;
}

void tmpl_entered(const struct tmpl_exec_input *in, const struct tmpl_tree *tree)
{
    if (in->set->entered != NULL) {
        struct template_definition d = definition_of(tree);

        in->set->entered(in->set->entered_arg, &d);
    }
}

/* -- running -- */

const struct tmpl_tree *tmpl_lookup(const struct tmpl_exec_input *in, str name, uint64_t *steps)
{
    const struct tmpl_tree *t = in->local;
    uint64_t seen = 0;

    while (t != NULL && !str_eq(t->name, name)) {
        t = t->next;
        seen++;
    }
    seen /= TMPL_STEP_ITEMS;
    *steps -= seen < *steps ? seen : *steps;
    return t != NULL ? t : template_find(in->set, name);
}

static struct template_limits limits_of(const struct template_run *run)
{
    struct template_limits l = run->limits, standard = TEMPLATE_LIMITS;

    l.steps = l.steps != 0 ? l.steps : standard.steps;
    l.output = l.output != 0 ? l.output : standard.output;
    l.memory = l.memory != 0 ? l.memory : standard.memory;
    l.depth = l.depth != 0 ? l.depth : standard.depth;
    return l;
}

static bool run_tree(const struct template_set *set, const struct tmpl_tree *local,
                     const struct tmpl_tree *tree, const struct template_run *run, struct buf *out,
                     struct err *e)
{
    struct tmpl_exec_input in = {.set = set,
                                 .local = local,
                                 .functions = set->functions,
                                 .run = run,
                                 .limits = limits_of(run)};

    return tmpl_exec(&in, tree, out, e);
}

bool template_exec(const struct template_set *set, str name, const struct template_run *run,
                   struct buf *out, struct err *e)
{
    const struct tmpl_tree *tree = template_find(set, name);

    if (tree == NULL)
        return err_set(e, ERR_NOT_FOUND, "template: no template \"%.*s\"", STR(name));
    return run_tree(set, NULL, tree, run, out, e);
}

/* The text's own definitions, and the one among them that is the text itself. */
struct template_text {
    const struct tmpl_tree *trees, *main_tree;
};

bool template_text_parse(const struct template_set *set, struct arena *a, str name, str text,
                         const struct template_text *before, const struct template_text **out,
                         struct err *e)
{
    struct template_text *t = arena_new(a, struct template_text);
    struct tmpl_tree *trees = NULL;

    if (!tmpl_parse(a, name, text, before != NULL ? before->main_tree : NULL, set->functions,
                    &trees, e))
        return false;
    t->trees = t->main_tree = trees;
    while (t->main_tree != NULL && !str_eq(t->main_tree->name, name))
        t->main_tree = t->main_tree->next;
    *out = t;
    return true;
}

bool template_text_exec(const struct template_set *set, const struct template_text *t,
                        const struct template_run *run, struct buf *out, struct err *e)
{
    return t->main_tree == NULL || run_tree(set, t->trees, t->main_tree, run, out, e);
}

bool template_exec_text(const struct template_set *set, str text, const struct template_run *run,
                        struct buf *out, struct err *e)
{
    const struct template_text *t;
    struct arena a;
    bool ok;

    if (text.n == 0)
        return true;
    arena_init(&a, 0);
    ok = template_text_parse(set, &a, S(""), text, NULL, &t, e) &&
         template_text_exec(set, t, run, out, e);
    arena_release(&a);
    return ok;
}
