/* funcs_sprig_maps.c - sprig's functions for maps. One is changed by set, unset and the two merges alone: all copies of it see
 * that, as in Go. Keys come in byte order, where Go gives them in any. */
#include "base/vec.h"
#include "template/funcs_priv.h"
#include "template/template.h"

/* Only what dict made can be changed; labels cannot. */
static bool is_dict(const struct tmpl_value *v, struct err *e)
{
    return (v->kind == TV_MAP && v->map.shared != NULL) ||
           err_set(e, ERR_INVALID, "wrong type for value; expected map[string]interface {}; got %s",
                   tv_type_name(v));
}

static bool funcs_sprig_maps_is_map(const struct tmpl_value *v, struct err *e)
{
    return v->kind == TV_MAP ||
           err_set(e, ERR_INVALID, "wrong type for value; expected map[string]interface {}; got %s",
                   tv_type_name(v));
}

static bool funcs_sprig_maps_is_text(const struct tmpl_value *v, struct err *e)
{
    return v->kind == TV_STRING ||
           err_set(e, ERR_INVALID, "wrong type for value; expected string; got %s",
                   tv_type_name(v));
}

/* Whether x holds the map, so that putting it there would close a circle. */
static bool funcs_sprig_maps_holds(struct tmpl_env *env, const struct tmpl_value *x,
                                   const struct tmpl_map *map, unsigned depth)
{
    struct tmpl_map m;

    if (x->kind != TV_LIST && x->kind != TV_MAP)
        return false;
    if (!tmpl_work(env, 1) || depth > NESTED_MAX)
        return true;
    for (size_t i = 0; x->kind == TV_LIST && i < x->list.n; i++)
        if (funcs_sprig_maps_holds(env, &x->list.v[i], map, depth + 1))
            return true;
    if (x->kind != TV_MAP)
        return false;
    if (x->map.shared == map)
        return true;
    m = tv_map_of(x);
    for (size_t i = 0; i < m.n; i++)
        if (funcs_sprig_maps_holds(env, &m.v[i].value, map, depth + 1))
            return true;
    return false;
}

/* The array is another one afterwards: whoever walks the old one goes on with that. */
static bool funcs_sprig_maps_put(struct tmpl_env *env, const struct tmpl_value *dict, str key,
                                 const struct tmpl_value *x, struct err *e)
{
    struct tmpl_map *m = dict->map.shared;
    struct tmpl_pair *v;
    size_t at = 0, from;

    if (funcs_sprig_maps_holds(env, x, m, 0))
        return err_set(e, ERR_INVALID, "a map cannot hold itself, nor more than %d levels",
                       NESTED_MAX);
    (void)tmpl_work(env, m->n / TMPL_STEP_ITEMS);
    v = arena_array(env->a, m->n + 1, sizeof(*v));
    while (at < m->n && str_cmp(m->v[at].key, key) < 0)
        at++;
    from = at < m->n && str_eq(m->v[at].key, key) ? at + 1 : at;
    if (at != 0)
        memcpy(v, m->v, at * sizeof(*v));
    v[at] = (struct tmpl_pair){key, *x};
    if (from < m->n)
        memcpy(v + at + 1, m->v + from, (m->n - from) * sizeof(*v));
    *m = (struct tmpl_map){v, at + 1 + m->n - from, NULL};
    return true;
}

FUNC(f_set)
{
    *out = args[0];
    return is_dict(&args[0], e) && funcs_sprig_maps_put(env, &args[0], args[1].s, &args[2], e);
}

static struct tmpl_value some_pairs(struct tmpl_env *env, const struct tmpl_value *map,
                                    const struct tmpl_value *keys, size_t n, bool takes)
{
    struct tmpl_map m = tv_map_of(map);
    struct tmpl_pair *v = arena_array(env->a, m.n, sizeof(*v));
    size_t k = 0;

    for (size_t i = 0; i < m.n; i++) {
        size_t j = 0;

        while (j < n && !str_eq(keys[j].s, m.v[i].key))
            j++;
        if ((j < n) == takes)
            v[k++] = m.v[i];
    }
    (void)tmpl_work(env, m.n * n / TMPL_STEP_ITEMS);
    return tv_dict(env->a, v, k);
}

FUNC(f_unset)
{
    *out = args[0];
    if (!is_dict(&args[0], e))
        return false;
    *args[0].map.shared = *some_pairs(env, &args[0], &args[1], 1, false).map.shared;
    return true;
}

static bool are_texts(const struct tmpl_value *v, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++)
        if (!funcs_sprig_maps_is_text(&v[i], e))
            return false;
    return true;
}

FUNC(f_pick)
{
    if (!funcs_sprig_maps_is_map(&args[0], e) || !are_texts(args + 1, n - 1, e))
        return false;
    *out = some_pairs(env, &args[0], args + 1, n - 1, true);
    return true;
}

FUNC(f_omit)
{
    if (!funcs_sprig_maps_is_map(&args[0], e) || !are_texts(args + 1, n - 1, e))
        return false;
    *out = some_pairs(env, &args[0], args + 1, n - 1, false);
    return true;
}

FUNC(f_get)
{
    const struct tmpl_value *hit;

    if (!funcs_sprig_maps_is_map(&args[0], e))
        return false;
    hit = tv_map_get(&args[0], args[1].s);
    *out = hit != NULL ? *hit : tv_str(S(""));
    return true;
}

FUNC(f_has_key)
{
    if (!funcs_sprig_maps_is_map(&args[0], e))
        return false;
    *out = tv_bool(tv_map_get(&args[0], args[1].s) != NULL);
    return true;
}

FUNC(f_pluck)
{
    struct tmpl_value *v = arena_array(env->a, n, sizeof(*v));
    size_t k = 0;

    for (size_t i = 1; i < n; i++) {
        const struct tmpl_value *hit;

        if (!funcs_sprig_maps_is_map(&args[i], e))
            return false;
        hit = tv_map_get(&args[i], args[0].s);
        if (hit != NULL)
            v[k++] = *hit;
    }
    *out = tv_list(NULL, v, k);
    return true;
}

FUNC(f_keys)
{
    VEC(str) v = VEC_INIT;
    bool ok = true;

    for (size_t i = 0; i < n && ok; i++) {
        struct tmpl_map m;

        ok = funcs_sprig_maps_is_map(&args[i], e);
        m = ok ? tv_map_of(&args[i]) : (struct tmpl_map){NULL, 0, NULL};
        for (size_t k = 0; k < m.n; k++)
            vec_push(&v, m.v[k].key);
    }
    if (ok)
        *out = tv_strings(env->a, v.v, v.n);
    vec_release(&v);
    return ok;
}

FUNC(f_values)
{
    struct tmpl_value *v;
    struct tmpl_map m;

    if (!funcs_sprig_maps_is_map(&args[0], e))
        return false;
    m = tv_map_of(&args[0]);
    v = arena_array(env->a, m.n, sizeof(*v));
    for (size_t i = 0; i < m.n; i++)
        v[i] = m.v[i].value;
    *out = tv_list(NULL, v, m.n);
    return true;
}

/* As mergo: maps within maps are merged too; what is empty counts as missing. */
static bool funcs_sprig_maps_merge(struct tmpl_env *env, const struct tmpl_value *into,
                                   const struct tmpl_value *from, bool overwrites, unsigned depth,
                                   struct err *e)
{
    struct tmpl_map m = tv_map_of(from);

    if (depth > NESTED_MAX || !tmpl_work(env, 1))
        return err_set(e, ERR_INVALID, "more than %d levels of maps", NESTED_MAX);
    for (size_t i = 0; i < m.n; i++) {
        const struct tmpl_value *x = &m.v[i].value, *old = tv_map_get(into, m.v[i].key);

        if (old != NULL && old->kind == TV_MAP && x->kind == TV_MAP && old->map.shared != NULL) {
            if (old->map.shared != x->map.shared &&
                !funcs_sprig_maps_merge(env, old, x, overwrites, depth + 1, e))
                return false;
        } else if (old == NULL || (overwrites ? tv_truth(x) : !tv_truth(old))) {
            if (!funcs_sprig_maps_put(env, into, m.v[i].key, x, e))
                return false;
        }
    }
    return true;
}

static bool merge_all(struct tmpl_env *env, const struct tmpl_value *args, size_t n,
                      bool overwrites, struct tmpl_value *out, struct err *e)
{
    *out = args[0];
    if (!is_dict(&args[0], e))
        return false;
    for (size_t i = 1; i < n; i++)
        if (!funcs_sprig_maps_is_map(&args[i], e) ||
            !funcs_sprig_maps_merge(env, &args[0], &args[i], overwrites, 0, e))
            return false;
    return true;
}

FUNC(f_merge)
{
    return merge_all(env, args, n, false, out, e);
}

FUNC(f_merge_overwrite)
{
    return merge_all(env, args, n, true, out, e);
}

/* dig "a" "b" default map */
FUNC(f_dig)
{
    const struct tmpl_value *at = &args[n - 1];

    if (n < 3)
        return err_set(e, ERR_INVALID, "dig needs at least three arguments");
    if (!are_texts(args, n - 2, e))
        return false;
    for (size_t i = 0; i < n - 2; i++) {
        if (!funcs_sprig_maps_is_map(at, e))
            return false;
        at = tv_map_get(at, args[i].s);
        if (at == NULL) {
            *out = args[n - 2];
            return true;
        }
    }
    *out = *at;
    return true;
}

static bool funcs_sprig_maps_copy(struct tmpl_env *env, const struct tmpl_value *x, unsigned depth,
                                  struct tmpl_value *out, struct err *e)
{
    *out = *x;
    if (x->kind != TV_LIST && x->kind != TV_MAP)
        return true;
    if (depth > NESTED_MAX || !tmpl_work(env, 1))
        return err_set(e, ERR_INVALID, "more than %d levels", NESTED_MAX);
    if (x->kind == TV_LIST) {
        struct tmpl_value *v = arena_array(env->a, x->list.n, sizeof(*v));

        for (size_t i = 0; i < x->list.n; i++)
            if (!funcs_sprig_maps_copy(env, &x->list.v[i], depth + 1, &v[i], e))
                return false;
        *out = tv_list(x->type, v, x->list.n);
    } else if (x->map.shared != NULL) {
        struct tmpl_map m = tv_map_of(x);
        struct tmpl_pair *v = arena_array(env->a, m.n, sizeof(*v));

        for (size_t i = 0; i < m.n; i++) {
            v[i].key = m.v[i].key;
            if (!funcs_sprig_maps_copy(env, &m.v[i].value, depth + 1, &v[i].value, e))
                return false;
        }
        *out = tv_dict(env->a, v, m.n);
    }
    return true;
}

FUNC(f_deep_copy)
{
    return funcs_sprig_maps_copy(env, &args[0], 0, out, e);
}

const struct tmpl_func tmpl_sprig_map_funcs[] = {
    {"get", "as", f_get, "what a map has under a key, or nothing"},
    {"set", "asa", f_set, "puts a value into a map, and gives the map"},
    {"unset", "as", f_unset, "takes a key out of a map, and gives the map"},
    {"hasKey", "as", f_has_key, "whether a map has a key"},
    {"pluck", "sa*", f_pluck, "what maps have under a key"},
    {"keys", "a*", f_keys, "the keys of maps, sorted"},
    {"values", "a", f_values, "the values of a map, by their keys"},
    {"pick", "aa*", f_pick, "a map of some keys"},
    {"omit", "aa*", f_omit, "a map without some keys"},
    FUNC_BOTH("merge", "mustMerge", "aa*", f_merge,
              "puts in from other maps what the first has not"),
    FUNC_BOTH("mergeOverwrite", "mustMergeOverwrite", "aa*", f_merge_overwrite,
              "puts in what other maps have"),
    {"dig", "aa*", f_dig, "what is under keys in maps within maps, or a default"},
    FUNC_BOTH("deepCopy", "mustDeepCopy", "a", f_deep_copy, "a copy that nothing else changes"),
    {NULL, NULL, NULL, NULL},
};
