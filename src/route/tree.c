#include "route/tree.h"

#include <stdlib.h>
#include "model/matcher.h"
#include "route/route_conf.h"

static const str *copy_names(struct arena *a, const str *names, size_t n, bool sorted)
{
    str *v = arena_array(a, n, sizeof(*v));

    for (size_t i = 0; i < n; i++)
        v[i] = arena_str(a, names[i]);
    if (sorted && n > 1)
        qsort(v, n, sizeof(*v), str_order);
    return v;
}

static struct route *tree_build(struct route_tree *t, const struct route_conf *conf,
                                const struct route *parent)
{
    struct arena *a = &t->arena;
    struct route *r = arena_new(a, struct route);
    struct buf key = BUF_INIT;

    r->parent = parent;
    r->conf = conf;
    r->matchers = matchers_copy(a, &conf->matchers);
    r->goes_on = conf->goes_on;
    r->receiver = arena_str(a, conf->receiver);
    r->group_by_all = conf->group_by_all;
    r->n_group_by = conf->group_by_all ? 0 : conf->group_by.n;
    r->group_by = copy_names(a, conf->group_by.v, r->n_group_by, true);
    r->mute_intervals = copy_names(a, conf->mute_intervals, conf->n_mute_intervals, false);
    r->n_mute_intervals = conf->n_mute_intervals;
    r->active_intervals = copy_names(a, conf->active_intervals, conf->n_active_intervals, false);
    r->n_active_intervals = conf->n_active_intervals;
    if (parent != NULL) {
        buf_add(&key, parent->key);
        buf_addc(&key, '/');
    }
    matchers_print(&key, &r->matchers);
    r->key = arena_str(a, buf_str(&key));
    buf_release(&key);

    r->children = arena_array(a, conf->n_routes, sizeof(*r->children));
    r->n_children = conf->n_routes;
    for (size_t i = 0; i < conf->n_routes; i++)
        r->children[i] = tree_build(t, &conf->routes[i], r);
    r->index = t->n++;
    return r;
}

static void tree_number(struct route_tree *t, struct route *r)
{
    t->by_index[r->index] = r;
    for (size_t i = 0; i < r->n_children; i++)
        tree_number(t, r->children[i]);
}

void route_tree_init(struct route_tree *t, const struct route_conf *root)
{
    *t = (struct route_tree){0};
    arena_init(&t->arena, 0);
    if (root == NULL)
        return;
    t->root = tree_build(t, root, NULL);
    t->by_index = arena_array(&t->arena, t->n, sizeof(*t->by_index));
    tree_number(t, t->root);
}

void route_tree_release(struct route_tree *t)
{
    for (size_t i = 0; i < t->n; i++)
        matchers_release(&t->by_index[i]->matchers);
    arena_release(&t->arena);
    *t = (struct route_tree){0};
}

/* Of a set if there is one, otherwise of ls. */
static bool match(const struct route *r, const struct label_set *set, struct labels ls,
                  struct route_list *out)
{
    bool any = false;

    if (set != NULL ? !matchers_match_set(&r->matchers, set) : !matchers_match(&r->matchers, ls))
        return false;
    for (size_t i = 0; i < r->n_children; i++) {
        if (!match(r->children[i], set, ls, out))
            continue;
        any = true;
        if (!r->children[i]->goes_on)
            break;
    }
    if (!any)
        vec_push(out, r);
    return true;
}

void route_tree_match(const struct route_tree *t, struct labels ls, struct route_list *out)
{
    if (t->root != NULL)
        match(t->root, NULL, ls, out);
}

void route_tree_match_set(const struct route_tree *t, const struct label_set *set,
                          struct route_list *out)
{
    if (t->root != NULL)
        match(t->root, set, LABELS_NONE, out);
}

static bool trace(const struct route *r, struct labels ls, unsigned depth,
                  struct route_trace_list *out)
{
    size_t at = out->n;
    bool any = false, taken = false;

    vec_push(out, (struct route_trace){r, depth, ROUTE_TAKES, NULL});
    for (size_t i = 0; i < r->matchers.n; i++)
        if (!matcher_matches(&r->matchers.v[i], labels_get(ls, r->matchers.v[i].name))) {
            out->v[at].kind = ROUTE_FAILS;
            out->v[at].failed = &r->matchers.v[i];
            return false;
        }
    for (size_t i = 0; i < r->n_children; i++) {
        if (taken) {
            vec_push(out, (struct route_trace){r->children[i], depth + 1, ROUTE_NOT_TRIED, NULL});
            continue;
        }
        if (!trace(r->children[i], ls, depth + 1, out))
            continue;
        any = true;
        taken = !r->children[i]->goes_on;
    }
    if (any)
        out->v[at].kind = ROUTE_PASSES;
    return true;
}

void route_tree_trace(const struct route_tree *t, struct labels ls, struct route_trace_list *out)
{
    if (t->root != NULL)
        trace(t->root, ls, 0, out);
}

struct labels route_group_labels(const struct route *r, struct arena *a, struct labels ls)
{
    return r->group_by_all ? ls : labels_only(a, ls, r->group_by, r->n_group_by);
}

void route_group_key(struct buf *out, const struct route *r, struct labels group_labels)
{
    buf_add(out, r->key);
    buf_addc(out, ':');
    labels_print(out, group_labels);
}
