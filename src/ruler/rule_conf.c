/* Groups without the documents that they were read from: text that repeats, as names and values of labels do, stands once. */
#include "ruler/rule_conf.h"

#include "base/map.h"
#include "base/vec.h"

struct rule_keeper {
    struct arena *a;
    struct str_map known; /* text -> its first byte */
    struct str_map maps;  /* bytes of the pairs, whose text is kept -> struct rule_kept_map * */
    struct arena found;   /* those */
    VEC(struct conf_pair) pairs;
};

struct rule_kept_map {
    struct conf_map map;
    struct labels shown;
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

static str rule_pair_bytes(const struct conf_pair *v, size_t n)
{
    return (str){(const char *)v, n * sizeof(*v)};
}

/* Rules say much the same: a map that stands many times is one array. */
static struct rule_kept_map keep_map(struct rule_keeper *k, const struct conf_map *m)
{
    struct rule_kept_map *kept;
    void **hit;

    vec_clear(&k->pairs);
    for (size_t i = 0; i < m->n; i++)
        vec_push(&k->pairs, (struct conf_pair){rule_keep_text(k, m->v[i].name),
                                               rule_keep_text(k, m->v[i].value)});
    hit = str_map_get(&k->maps, rule_pair_bytes(k->pairs.v, m->n));
    if (hit != NULL)
        return *(struct rule_kept_map *)*hit;
    kept = arena_new(&k->found, struct rule_kept_map);
    kept->map.v = arena_copy(k->a, k->pairs.v, m->n, m->n, sizeof(k->pairs.v[0]));
    kept->map.n = m->n;
    kept->shown = rule_shown(k->a, &kept->map);
    (void)str_map_put(&k->maps, rule_pair_bytes(kept->map.v, m->n), kept);
    return *kept;
}

static void keep_place(struct rule_keeper *k, struct diag_place *p)
{
    p->file = rule_keep_text(k, p->file);
}

static void keep_rule(struct rule_keeper *k, struct rule_conf *r)
{
    struct rule_kept_map all_labels = keep_map(k, &r->all_labels);
    struct rule_kept_map annotations = keep_map(k, &r->annotations);

    r->name = rule_keep_text(k, r->name);
    r->expr = rule_keep_text(k, r->expr);
    r->query = rule_keep_text(k, r->query);
    r->left = rule_keep_text(k, r->left);
    r->labels = keep_map(k, &r->labels).map;
    r->all_labels = all_labels.map;
    r->shown_labels = all_labels.shown;
    r->annotations = annotations.map;
    r->shown_annotations = annotations.shown;
    r->doc = NULL;
    r->node = r->expr_node = NULL;
}

static void keep_group(struct rule_keeper *k, struct rule_group_conf *g)
{
    struct rule_conf *rules = arena_copy(k->a, g->rules, g->n_rules, g->n_rules, sizeof(*rules));

    g->file = rule_keep_text(k, g->file);
    g->object = rule_keep_text(k, g->object);
    g->path = rule_keep_text(k, g->path);
    g->absolute = rule_keep_text(k, g->absolute);
    g->name = rule_keep_text(k, g->name);
    g->labels = keep_map(k, &g->labels).map;
    g->source = rule_keep_text(k, g->source);
    g->rules = rules;
    keep_place(k, &g->place);
    for (size_t i = 0; i < g->n_rules; i++)
        keep_rule(k, &rules[i]);
}

void rule_groups_keep(struct rule_texts *to, struct rule_group_conf *v, size_t n)
{
    struct rule_keeper k = {.a = &to->arena};

    arena_init(&k.found, 0);
    for (size_t i = 0; i < n; i++) {
        keep_group(&k, &v[i]);
        v[i].texts = to;
    }
    str_map_release(&k.known);
    str_map_release(&k.maps);
    vec_release(&k.pairs);
    arena_release(&k.found);
}
