#include "route/old_keys.h"

#include "route/route_conf.h"

/* The pattern of match_re that the matcher was made from; its own text if it was not. */
static str as_written(const struct matcher *m, const struct conf_map *match_re, struct arena *a)
{
    for (size_t i = 0; m->op == MATCH_RE && i < match_re->n; i++)
        if (str_eq(match_re->v[i].name, m->name) &&
            str_eq(m->value, arena_printf(a, MATCH_RE_ANCHORED, STR(match_re->v[i].value))))
            return match_re->v[i].value;
    return m->value;
}

static str old_key(const struct route *r, str parent, struct arena *a)
{
    struct matchers ms = {arena_array(a, r->matchers.n, sizeof(*ms.v)), r->matchers.n};
    struct buf b = BUF_INIT;
    str key;

    for (size_t i = 0; i < ms.n; i++) {
        ms.v[i] = r->matchers.v[i];
        ms.v[i].value = as_written(&ms.v[i], &r->conf->match_re, a);
    }
    matchers_sort(&ms); /* anchors sort elsewhere */
    if (r->parent != NULL) {
        buf_add(&b, parent);
        buf_addc(&b, '/');
    }
    matchers_print(&b, &ms);
    key = arena_str(a, buf_str(&b));
    buf_release(&b);
    return key;
}

static void old_keys_add(struct old_keys *k, const struct route *r, str parent)
{
    str *pair = arena_array(&k->arena, 2, sizeof(*pair));

    pair[0] = old_key(r, parent, &k->arena);
    pair[1] = arena_str(&k->arena, r->key);
    if (!str_eq(pair[0], pair[1]) && str_map_get(&k->now, pair[0]) == NULL)
        str_map_put(&k->now, pair[0], &pair[1]);
    for (size_t i = 0; i < r->n_children; i++)
        old_keys_add(k, r->children[i], pair[0]);
}

void old_keys_init(struct old_keys *k, const struct route_tree *t)
{
    *k = (struct old_keys){0};
    arena_init(&k->arena, 0);
    if (t->root != NULL)
        old_keys_add(k, t->root, STR_NONE);
    for (size_t i = 0; k->now.n != 0 && i < t->n; i++) /* what another route is called is its own */
        str_map_del(&k->now, t->by_index[i]->key);
}

void old_keys_release(struct old_keys *k)
{
    str_map_release(&k->now);
    arena_release(&k->arena);
}

bool old_keys_rename(const struct old_keys *k, str key, struct buf *out)
{
    for (size_t i = 0; k->now.n != 0 && i + 3 <= key.n; i++) {
        void **now;

        if (!str_eq(str_sub(key, i, i + 3), S("}:{")))
            continue;
        now = str_map_get(&k->now, str_sub(key, 0, i + 1));
        if (now == NULL)
            continue;
        buf_add(out, *(const str *)*now);
        buf_add(out, str_sub(key, i + 1, key.n));
        return true;
    }
    return false;
}
