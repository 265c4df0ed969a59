/* funcs_sprig_lists.c - sprig's functions for lists. None is ever changed: what is made is another one. */
#include <stdlib.h>
#include "base/vec.h"
#include "template/funcs_priv.h"
#include "template/template.h"

static bool funcs_sprig_lists_is_list(const struct tmpl_value *v, const char *name, struct err *e)
{
    return v->kind == TV_LIST ||
           err_set(e, ERR_INVALID, "cannot find %s on type %s", name, tv_type_name(v));
}

/* reflect.DeepEqual */
bool func_deep_equal(struct tmpl_env *env, const struct tmpl_value *a, const struct tmpl_value *b,
                     unsigned depth)
{
    struct tmpl_map x, y;

    if (a->kind != b->kind || !tmpl_work(env, 1) || depth > NESTED_MAX)
        return false;
    switch (a->kind) {
    case TV_NONE:
    case TV_NIL: return true;
    case TV_BOOL: return a->b == b->b;
    case TV_INT:
    case TV_DURATION: return a->i == b->i;
    case TV_UINT: return a->u == b->u;
    case TV_FLOAT: return a->f == b->f;
    case TV_STRING: return str_eq(a->s, b->s);
    case TV_TIME: return a->time.s == b->time.s && a->time.ns == b->time.ns;
    case TV_OBJECT: return a->object == b->object;
    case TV_LIST:
        if (a->list.n != b->list.n)
            return false;
        for (size_t i = 0; i < a->list.n; i++)
            if (!func_deep_equal(env, &a->list.v[i], &b->list.v[i], depth + 1))
                return false;
        return true;
    case TV_MAP:
        x = tv_map_of(a);
        y = tv_map_of(b);
        if (x.n != y.n)
            return false;
        for (size_t i = 0; i < x.n; i++)
            if (!str_eq(x.v[i].key, y.v[i].key) ||
                !func_deep_equal(env, &x.v[i].value, &y.v[i].value, depth + 1))
                return false;
        return true;
    }
    return false;
}

static bool funcs_sprig_lists_has(struct tmpl_env *env, const struct tmpl_value *v, size_t n,
                                  const struct tmpl_value *x)
{
    for (size_t i = 0; i < n; i++)
        if (func_deep_equal(env, &v[i], x, 0))
            return true;
    return false;
}

FUNC(f_rest)
{
    if (!funcs_sprig_lists_is_list(&args[0], "rest", e))
        return false;
    *out = args[0].list.n == 0 ? tv_nil()
                               : tv_list(args[0].type, args[0].list.v + 1, args[0].list.n - 1);
    return true;
}

FUNC(f_initial)
{
    if (!funcs_sprig_lists_is_list(&args[0], "initial", e))
        return false;
    *out =
        args[0].list.n == 0 ? tv_nil() : tv_list(args[0].type, args[0].list.v, args[0].list.n - 1);
    return true;
}

static struct tmpl_value funcs_sprig_lists_joined(struct tmpl_env *env, struct tmpl_list a,
                                                  struct tmpl_list b)
{
    struct tmpl_value *v = arena_array(env->a, a.n + b.n, sizeof(*v));

    if (a.n != 0)
        memcpy(v, a.v, a.n * sizeof(*v));
    if (b.n != 0)
        memcpy(v + a.n, b.v, b.n * sizeof(*v));
    return tv_list(NULL, v, a.n + b.n);
}

FUNC(f_push)
{
    if (!funcs_sprig_lists_is_list(&args[0], "push", e))
        return false;
    *out = funcs_sprig_lists_joined(env, args[0].list, (struct tmpl_list){args + 1, 1});
    return true;
}

FUNC(f_prepend)
{
    if (!funcs_sprig_lists_is_list(&args[0], "prepend", e))
        return false;
    *out = funcs_sprig_lists_joined(env, (struct tmpl_list){args + 1, 1}, args[0].list);
    return true;
}

FUNC(f_concat)
{
    *out = tv_list(NULL, NULL, 0);
    for (size_t i = 0; i < n; i++) {
        if (args[i].kind != TV_LIST)
            return err_set(e, ERR_INVALID, "cannot concat type %s as list", tv_type_name(&args[i]));
        (void)tmpl_work(env, out->list.n / TMPL_STEP_ITEMS);
        *out = funcs_sprig_lists_joined(env, out->list, args[i].list);
    }
    return true;
}

FUNC(f_reverse)
{
    struct tmpl_value *v;

    if (!funcs_sprig_lists_is_list(&args[0], "reverse", e))
        return false;
    v = arena_array(env->a, args[0].list.n, sizeof(*v));
    for (size_t i = 0; i < args[0].list.n; i++)
        v[i] = args[0].list.v[args[0].list.n - 1 - i];
    *out = tv_list(NULL, v, args[0].list.n);
    return true;
}

FUNC(f_uniq)
{
    struct tmpl_value *v;
    size_t k = 0;

    if (!funcs_sprig_lists_is_list(&args[0], "uniq", e))
        return false;
    v = arena_array(env->a, args[0].list.n, sizeof(*v));
    for (size_t i = 0; i < args[0].list.n; i++)
        if (!funcs_sprig_lists_has(env, v, k, &args[0].list.v[i]))
            v[k++] = args[0].list.v[i];
    *out = tv_list(NULL, v, k);
    return true;
}

FUNC(f_without)
{
    struct tmpl_value *v;
    size_t k = 0;

    if (!funcs_sprig_lists_is_list(&args[0], "without", e))
        return false;
    v = arena_array(env->a, args[0].list.n, sizeof(*v));
    for (size_t i = 0; i < args[0].list.n; i++)
        if (!funcs_sprig_lists_has(env, args + 1, n - 1, &args[0].list.v[i]))
            v[k++] = args[0].list.v[i];
    *out = tv_list(NULL, v, k);
    return true;
}

FUNC(f_has)
{
    *out = tv_bool(false);
    if (args[1].kind == TV_NIL)
        return true;
    if (!funcs_sprig_lists_is_list(&args[1], "has", e))
        return false;
    *out = tv_bool(funcs_sprig_lists_has(env, args[1].list.v, args[1].list.n, &args[0]));
    return true;
}

FUNC(f_compact)
{
    struct tmpl_value *v;
    size_t k = 0;

    if (!funcs_sprig_lists_is_list(&args[0], "compact", e))
        return false;
    v = arena_array(env->a, args[0].list.n, sizeof(*v));
    for (size_t i = 0; i < args[0].list.n; i++)
        if (tv_truth(&args[0].list.v[i]))
            v[k++] = args[0].list.v[i];
    *out = tv_list(NULL, v, k);
    return true;
}

FUNC(f_chunk)
{
    int64_t size = args[0].i;
    struct tmpl_value *v;
    size_t step, k = 0;

    if (!funcs_sprig_lists_is_list(&args[1], "chunk", e))
        return false;
    if (size <= 0)
        return err_set(e, ERR_INVALID, "chunk size must be above 0");
    step = (uint64_t)size < args[1].list.n ? (size_t)size : args[1].list.n;
    v = arena_array(env->a, args[1].list.n, sizeof(*v));
    for (size_t at = 0; at < args[1].list.n; at += step)
        v[k++] = tv_list(args[1].type, args[1].list.v + at,
                         args[1].list.n - at < step ? args[1].list.n - at : step);
    *out = tv_list(NULL, v, k);
    return true;
}

FUNC(f_all)
{
    *out = tv_bool(true);
    for (size_t i = 0; i < n; i++)
        out->b &= tv_truth(&args[i]);
    return true;
}

FUNC(f_any)
{
    *out = tv_bool(false);
    for (size_t i = 0; i < n; i++)
        out->b |= tv_truth(&args[i]);
    return true;
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(((const struct tmpl_value *)a)->s, ((const struct tmpl_value *)b)->s);
}

static struct tmpl_value texts(struct tmpl_env *env, const struct tmpl_value *v)
{
    size_t n = v->kind == TV_LIST ? v->list.n : v->kind != TV_NIL, k = 0;
    struct tmpl_value *all = arena_array(env->a, n, sizeof(*all));

    for (size_t i = 0; i < n; i++) {
        const struct tmpl_value *x = v->kind == TV_LIST ? &v->list.v[i] : v;

        if (x->kind != TV_NIL)
            all[k++] = tv_str(func_shown(env, x));
    }
    return tv_list(&tmpl_strings, all, k);
}

FUNC(f_to_strings)
{
    *out = texts(env, &args[0]);
    return true;
}

FUNC(f_sort_alpha)
{
    struct tmpl_value v = texts(env, &args[0]);

    (void)tmpl_work(env, v.list.n);
    if (v.list.n > 1) /* its own copy */
        qsort((void *)(uintptr_t)v.list.v, v.list.n, sizeof(*v.list.v), by_text);
    *out = v;
    return true;
}

const struct tmpl_func tmpl_sprig_list_funcs[] = {
    FUNC_BOTH("rest", "mustRest", "a", f_rest, "a list without its first element"),
    FUNC_BOTH("initial", "mustInitial", "a", f_initial, "a list without its last element"),
    FUNC_BOTH("push", "mustPush", "aa", f_push, "a list with one more element"),
    FUNC_BOTH("append", "mustAppend", "aa", f_push, "a list with one more element"),
    FUNC_BOTH("prepend", "mustPrepend", "aa", f_prepend, "a list with one more element in front"),
    {"concat", "a*", f_concat, "lists behind one another"},
    FUNC_BOTH("reverse", "mustReverse", "a", f_reverse, "a list from its end"),
    FUNC_BOTH("uniq", "mustUniq", "a", f_uniq, "a list without what it had before"),
    FUNC_BOTH("without", "mustWithout", "aa*", f_without, "a list without some elements"),
    FUNC_BOTH("has", "mustHas", "aa", f_has, "whether a value is in a list"),
    FUNC_BOTH("compact", "mustCompact", "a", f_compact, "a list without what is empty"),
    FUNC_BOTH("chunk", "mustChunk", "ia", f_chunk, "a list in pieces of so many"),
    {"all", "a*", f_all, "whether no argument is empty"},
    {"any", "a*", f_any, "whether an argument is not empty"},
    {"toStrings", "a", f_to_strings, "the elements as text"},
    {"sortAlpha", "a", f_sort_alpha, "the elements as text, sorted"},
    {NULL, NULL, NULL, NULL},
};
