/* Groups without the documents that they were read from: text that repeats, as names and values of labels do, stands once. */
#include "ruler/rule_conf.h"

#include "base/map.h"

struct rule_keeper {
    struct arena *a;
    struct str_map known; /* text -> its first byte */
};

static str rule_keep_text(struct rule_keeper *k, str s)
{
    bool is_new;
    void **hit;

    if (s.p == NULL)
        return s;
    hit = str_map_get(&k->known, s);
    if (hit != NULL)
        return (str){*hit, s.n};
    s = arena_str(k->a, s);
    (void)str_map_add(&k->known, s, (void *)(uintptr_t)s.p, &is_new);
    return s;
}

static struct conf_map keep_map(struct rule_keeper *k, const struct conf_map *m)
{
    struct conf_map out = {arena_array(k->a, m->n, sizeof(*out.v)), m->n};

    for (size_t i = 0; i < m->n; i++)
        out.v[i] =
            (struct conf_pair){rule_keep_text(k, m->v[i].name), rule_keep_text(k, m->v[i].value)};
    return out;
}

struct labels rule_shown(struct arena *a, const struct conf_map *m)
{
    struct label *v = arena_array(a, m->n, sizeof(*v));
    str dup;
    size_t n;

    for (size_t i = 0; i < m->n; i++)
        v[i] = (struct label){m->v[i].name, m->v[i].value};
    n = labels_sort_keep(v, m->n, &dup);
    return (struct labels){v, n == SIZE_MAX ? 0 : n};
}

static bool is_same_map(const struct conf_map *a, const struct conf_map *b)
{
    for (size_t i = 0; a->n == b->n && i < a->n; i++)
        if (!str_eq(a->v[i].name, b->v[i].name) || !str_eq(a->v[i].value, b->v[i].value))
            return false;
    return a->n == b->n;
}

static void keep_place(struct rule_keeper *k, struct diag_place *p)
{
    p->file = rule_keep_text(k, p->file);
}

static void keep_rule(struct rule_keeper *k, struct rule_conf *r)
{
    struct conf_map own = keep_map(k, &r->labels);

    r->name = rule_keep_text(k, r->name);
    r->expr = rule_keep_text(k, r->expr);
    r->query = rule_keep_text(k, r->query);
    r->left = rule_keep_text(k, r->left);
    r->all_labels = is_same_map(&r->labels, &r->all_labels) ? own : keep_map(k, &r->all_labels);
    r->labels = own;
    r->annotations = keep_map(k, &r->annotations);
    r->shown_labels = rule_shown(k->a, &r->all_labels);
    r->shown_annotations = rule_shown(k->a, &r->annotations);
    r->doc = NULL;
    r->node = r->expr_node = NULL;
    keep_place(k, &r->place);
}

static void keep_group(struct rule_keeper *k, struct rule_group_conf *g)
{
    struct rule_conf *rules = arena_copy(k->a, g->rules, g->n_rules, g->n_rules, sizeof(*rules));

    g->file = rule_keep_text(k, g->file);
    g->object = rule_keep_text(k, g->object);
    g->path = rule_keep_text(k, g->path);
    g->absolute = rule_keep_text(k, g->absolute);
    g->name = rule_keep_text(k, g->name);
    g->labels = keep_map(k, &g->labels);
    g->source = rule_keep_text(k, g->source);
    g->rules = rules;
    keep_place(k, &g->place);
    for (size_t i = 0; i < g->n_rules; i++)
        keep_rule(k, &rules[i]);
}

void rule_groups_keep(struct rule_texts *to, struct rule_group_conf *v, size_t n)
{
    struct rule_keeper k = {.a = &to->arena};

    for (size_t i = 0; i < n; i++) {
        keep_group(&k, &v[i]);
        v[i].texts = to;
    }
    str_map_release(&k.known);
}
