/* funcs_sprig_data.c - sprig's functions for lists, maps, JSON and types. A list is never changed, a map only by set, unset and
 * the two merges: all copies of it see that, as in Go. Keys come in byte order, where Go gives them in any. */
#include <math.h>
#include <stdlib.h>
#include "base/vec.h"
#include "codec/json.h"
#include "template/escape.h"
#include "template/funcs_priv.h"
#include "template/template.h"

enum { NESTED_MAX = 500 };

static struct tmpl_value nil(void)
{
    return (struct tmpl_value){.kind = TV_NIL};
}

static bool is_list(const struct tmpl_value *v, const char *name, struct err *e)
{
    return v->kind == TV_LIST ||
           err_set(e, ERR_INVALID, "cannot find %s on type %s", name, tv_type_name(v));
}

/* Only what dict made can be changed; labels cannot. */
static bool is_dict(const struct tmpl_value *v, struct err *e)
{
    return (v->kind == TV_MAP && v->map.shared != NULL) ||
           err_set(e, ERR_INVALID, "wrong type for value; expected map[string]interface {}; got %s",
                   tv_type_name(v));
}

static bool is_map(const struct tmpl_value *v, struct err *e)
{
    return v->kind == TV_MAP ||
           err_set(e, ERR_INVALID, "wrong type for value; expected map[string]interface {}; got %s",
                   tv_type_name(v));
}

static bool is_text(const struct tmpl_value *v, struct err *e)
{
    return v->kind == TV_STRING ||
           err_set(e, ERR_INVALID, "wrong type for value; expected string; got %s",
                   tv_type_name(v));
}

/* reflect.DeepEqual */
static bool deep_equal(struct tmpl_env *env, const struct tmpl_value *a, const struct tmpl_value *b,
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
            if (!deep_equal(env, &a->list.v[i], &b->list.v[i], depth + 1))
                return false;
        return true;
    case TV_MAP:
        x = tv_map_of(a);
        y = tv_map_of(b);
        if (x.n != y.n)
            return false;
        for (size_t i = 0; i < x.n; i++)
            if (!str_eq(x.v[i].key, y.v[i].key) ||
                !deep_equal(env, &x.v[i].value, &y.v[i].value, depth + 1))
                return false;
        return true;
    }
    return false;
}

static bool has(struct tmpl_env *env, const struct tmpl_value *v, size_t n,
                const struct tmpl_value *x)
{
    for (size_t i = 0; i < n; i++)
        if (deep_equal(env, &v[i], x, 0))
            return true;
    return false;
}

/* -- lists -- */

FUNC(f_rest)
{
    if (!is_list(&args[0], "rest", e))
        return false;
    *out =
        args[0].list.n == 0 ? nil() : tv_list(args[0].type, args[0].list.v + 1, args[0].list.n - 1);
    return true;
}

FUNC(f_initial)
{
    if (!is_list(&args[0], "initial", e))
        return false;
    *out = args[0].list.n == 0 ? nil() : tv_list(args[0].type, args[0].list.v, args[0].list.n - 1);
    return true;
}

static struct tmpl_value joined(struct tmpl_env *env, struct tmpl_list a, struct tmpl_list b)
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
    if (!is_list(&args[0], "push", e))
        return false;
    *out = joined(env, args[0].list, (struct tmpl_list){args + 1, 1});
    return true;
}

FUNC(f_prepend)
{
    if (!is_list(&args[0], "prepend", e))
        return false;
    *out = joined(env, (struct tmpl_list){args + 1, 1}, args[0].list);
    return true;
}

FUNC(f_concat)
{
    *out = tv_list(NULL, NULL, 0);
    for (size_t i = 0; i < n; i++) {
        if (args[i].kind != TV_LIST)
            return err_set(e, ERR_INVALID, "cannot concat type %s as list", tv_type_name(&args[i]));
        (void)tmpl_work(env, out->list.n / TMPL_STEP_ITEMS);
        *out = joined(env, out->list, args[i].list);
    }
    return true;
}

FUNC(f_reverse)
{
    struct tmpl_value *v;

    if (!is_list(&args[0], "reverse", e))
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

    if (!is_list(&args[0], "uniq", e))
        return false;
    v = arena_array(env->a, args[0].list.n, sizeof(*v));
    for (size_t i = 0; i < args[0].list.n; i++)
        if (!has(env, v, k, &args[0].list.v[i]))
            v[k++] = args[0].list.v[i];
    *out = tv_list(NULL, v, k);
    return true;
}

FUNC(f_without)
{
    struct tmpl_value *v;
    size_t k = 0;

    if (!is_list(&args[0], "without", e))
        return false;
    v = arena_array(env->a, args[0].list.n, sizeof(*v));
    for (size_t i = 0; i < args[0].list.n; i++)
        if (!has(env, args + 1, n - 1, &args[0].list.v[i]))
            v[k++] = args[0].list.v[i];
    *out = tv_list(NULL, v, k);
    return true;
}

FUNC(f_has)
{
    *out = tv_bool(false);
    if (args[1].kind == TV_NIL)
        return true;
    if (!is_list(&args[1], "has", e))
        return false;
    *out = tv_bool(has(env, args[1].list.v, args[1].list.n, &args[0]));
    return true;
}

FUNC(f_compact)
{
    struct tmpl_value *v;
    size_t k = 0;

    if (!is_list(&args[0], "compact", e))
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

    if (!is_list(&args[1], "chunk", e))
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

/* -- maps -- */

/* Whether x holds the map, so that putting it there would close a circle. */
static bool holds(struct tmpl_env *env, const struct tmpl_value *x, const struct tmpl_map *map,
                  unsigned depth)
{
    struct tmpl_map m;

    if (x->kind != TV_LIST && x->kind != TV_MAP)
        return false;
    if (!tmpl_work(env, 1) || depth > NESTED_MAX)
        return true;
    for (size_t i = 0; x->kind == TV_LIST && i < x->list.n; i++)
        if (holds(env, &x->list.v[i], map, depth + 1))
            return true;
    if (x->kind != TV_MAP)
        return false;
    if (x->map.shared == map)
        return true;
    m = tv_map_of(x);
    for (size_t i = 0; i < m.n; i++)
        if (holds(env, &m.v[i].value, map, depth + 1))
            return true;
    return false;
}

/* The array is another one afterwards: whoever walks the old one goes on with that. */
static bool put(struct tmpl_env *env, const struct tmpl_value *dict, str key,
                const struct tmpl_value *x, struct err *e)
{
    struct tmpl_map *m = dict->map.shared;
    struct tmpl_pair *v;
    size_t at = 0, from;

    if (holds(env, x, m, 0))
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
    return is_dict(&args[0], e) && put(env, &args[0], args[1].s, &args[2], e);
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
        if (!is_text(&v[i], e))
            return false;
    return true;
}

FUNC(f_pick)
{
    if (!is_map(&args[0], e) || !are_texts(args + 1, n - 1, e))
        return false;
    *out = some_pairs(env, &args[0], args + 1, n - 1, true);
    return true;
}

FUNC(f_omit)
{
    if (!is_map(&args[0], e) || !are_texts(args + 1, n - 1, e))
        return false;
    *out = some_pairs(env, &args[0], args + 1, n - 1, false);
    return true;
}

FUNC(f_get)
{
    const struct tmpl_value *hit;

    if (!is_map(&args[0], e))
        return false;
    hit = tv_map_get(&args[0], args[1].s);
    *out = hit != NULL ? *hit : tv_str(S(""));
    return true;
}

FUNC(f_has_key)
{
    if (!is_map(&args[0], e))
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

        if (!is_map(&args[i], e))
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

        ok = is_map(&args[i], e);
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

    if (!is_map(&args[0], e))
        return false;
    m = tv_map_of(&args[0]);
    v = arena_array(env->a, m.n, sizeof(*v));
    for (size_t i = 0; i < m.n; i++)
        v[i] = m.v[i].value;
    *out = tv_list(NULL, v, m.n);
    return true;
}

/* As mergo: maps within maps are merged too; what is empty counts as missing. */
static bool merge(struct tmpl_env *env, const struct tmpl_value *into,
                  const struct tmpl_value *from, bool overwrites, unsigned depth, struct err *e)
{
    struct tmpl_map m = tv_map_of(from);

    if (depth > NESTED_MAX || !tmpl_work(env, 1))
        return err_set(e, ERR_INVALID, "more than %d levels of maps", NESTED_MAX);
    for (size_t i = 0; i < m.n; i++) {
        const struct tmpl_value *x = &m.v[i].value, *old = tv_map_get(into, m.v[i].key);

        if (old != NULL && old->kind == TV_MAP && x->kind == TV_MAP && old->map.shared != NULL) {
            if (old->map.shared != x->map.shared && !merge(env, old, x, overwrites, depth + 1, e))
                return false;
        } else if (old == NULL || (overwrites ? tv_truth(x) : !tv_truth(old))) {
            if (!put(env, into, m.v[i].key, x, e))
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
        if (!is_map(&args[i], e) || !merge(env, &args[0], &args[i], overwrites, 0, e))
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
    for (size_t i = 0; i < n - 2 && at != NULL; i++) {
        if (!is_map(at, e))
            return false;
        at = tv_map_get(at, args[i].s);
    }
    *out = at != NULL ? *at : args[n - 2];
    return true;
}

static bool copy(struct tmpl_env *env, const struct tmpl_value *x, unsigned depth,
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
            if (!copy(env, &x->list.v[i], depth + 1, &v[i], e))
                return false;
        *out = tv_list(x->type, v, x->list.n);
    } else if (x->map.shared != NULL) {
        struct tmpl_map m = tv_map_of(x);
        struct tmpl_pair *v = arena_array(env->a, m.n, sizeof(*v));

        for (size_t i = 0; i < m.n; i++) {
            v[i].key = m.v[i].key;
            if (!copy(env, &m.v[i].value, depth + 1, &v[i].value, e))
                return false;
        }
        *out = tv_dict(env->a, v, m.n);
    }
    return true;
}

FUNC(f_deep_copy)
{
    return copy(env, &args[0], 0, out, e);
}

/* -- JSON -- */

static struct tmpl_value read_json(struct json_reader *r);

static struct tmpl_value read_list(struct json_reader *r)
{
    VEC(struct tmpl_value) v = VEC_INIT;
    struct tmpl_value out;

    for (json_array_begin(r); json_array_next(r);)
        vec_push(&v, read_json(r));
    out = tv_list(NULL, arena_copy(r->a, v.v, v.n, v.n, sizeof(v.v[0])), v.n);
    vec_release(&v);
    return out;
}

static int by_key(const void *a, const void *b)
{
    const struct tmpl_pair *x = a, *y = b;
    int c = str_cmp(x->key, y->key);

    return c != 0 ? c : (x->key.p > y->key.p) - (x->key.p < y->key.p);
}

static struct tmpl_value read_map(struct json_reader *r)
{
    VEC(struct tmpl_pair) v = VEC_INIT;
    struct tmpl_value out;
    str key;

    for (json_object_begin(r); json_object_next(r, &key);)
        vec_push(&v, (struct tmpl_pair){key, read_json(r)});
    if (v.n > 1)
        qsort(v.v, v.n, sizeof(v.v[0]), by_key);
    out = tv_dict(r->a, arena_copy(r->a, v.v, v.n, v.n, sizeof(v.v[0])), v.n);
    vec_release(&v);
    return out;
}

/* Numbers are floats, as there. */
static struct tmpl_value read_json(struct json_reader *r)
{
    struct tmpl_value out = nil();

    switch (json_peek(r)) {
    case JSON_BOOL:
        out.kind = TV_BOOL;
        json_bool(r, &out.b);
        break;
    case JSON_NUMBER:
        out.kind = TV_FLOAT;
        json_double(r, &out.f);
        break;
    case JSON_STRING:
        out.kind = TV_STRING;
        json_string(r, &out.s);
        break;
    case JSON_ARRAY: return read_list(r);
    case JSON_OBJECT: return read_map(r);
    default: json_null(r);
    }
    return out;
}

FUNC(f_must_from_json)
{
    struct json_reader r;

    json_reader_init(&r, args[0].s, env->a, NESTED_MAX);
    *out = read_json(&r);
    return json_end(&r) || err_set(e, ERR_INVALID, "%s", r.err.msg);
}

FUNC(f_from_json)
{
    if (!f_must_from_json(env, args, n, out, NULL))
        *out = nil();
    return true;
}

/* s.p[i] opens a string of JSON: its end, behind the quote. */
static size_t string_end(str s, size_t i)
{
    for (i++; s.p[i] != '"'; i++)
        i += s.p[i] == '\\';
    return i + 1;
}

static void new_line(struct buf *b, unsigned depth)
{
    buf_addc(b, '\n');
    buf_pad(b, ' ', 2 * (size_t)depth);
}

FUNC(f_to_pretty_json)
{
    struct buf b = BUF_INIT, compact = BUF_INIT;
    unsigned depth = 0;
    str s;

    if (!tmpl_json(env, &compact, &args[0], e)) {
        buf_release(&compact);
        return false;
    }
    s = buf_str(&compact);
    for (size_t i = 0; i < s.n && b.n <= env->a->limit; i++) {
        char c = s.p[i];
        bool opens = c == '{' || c == '[';

        if (c == '"') {
            size_t end = string_end(s, i);

            buf_add(&b, str_sub(s, i, end));
            i = end - 1;
        } else if (opens && (s.p[i + 1] == '}' || s.p[i + 1] == ']')) {
            buf_add(&b, str_sub(s, i, i + 2));
            i++;
        } else if (opens || c == ',') {
            buf_addc(&b, c);
            new_line(&b, depth += opens);
        } else if (c == '}' || c == ']') {
            new_line(&b, --depth);
            buf_addc(&b, c);
        } else {
            buf_addc(&b, c);
            if (c == ':')
                buf_addc(&b, ' ');
        }
    }
    buf_release(&compact);
    *out = tv_copy_buf(env->a, &b);
    return true;
}

/* <, > and & as they are. */
FUNC(f_to_raw_json)
{
    static const struct {
        const char *escaped;
        char raw;
    } marks[] = {{"\\u003c", '<'}, {"\\u003e", '>'}, {"\\u0026", '&'}};
    struct buf b = BUF_INIT, compact = BUF_INIT;
    str s;

    if (!tmpl_json(env, &compact, &args[0], e)) {
        buf_release(&compact);
        return false;
    }
    s = buf_str(&compact);
    while (s.n != 0) {
        size_t k = s.p[0] == '\\' ? 2 : 1;
        str part = str_sub(s, 0, k);

        for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
            if (!str_starts_with(s, str_of(marks[i].escaped)))
                continue;
            part = (str){&marks[i].raw, 1};
            k = strlen(marks[i].escaped);
        }
        buf_add(&b, part);
        s = str_sub(s, k, s.n);
    }
    buf_release(&compact);
    *out = tv_copy_buf(env->a, &b);
    return true;
}

/* -- types -- */

static const char *kind_of(const struct tmpl_value *v)
{
    static const char *const names[] = {
        [TV_NONE] = "invalid",  [TV_NIL] = "invalid",    [TV_BOOL] = "bool",
        [TV_INT] = "int",       [TV_UINT] = "uint64",    [TV_FLOAT] = "float64",
        [TV_STRING] = "string", [TV_LIST] = "slice",     [TV_MAP] = "map",
        [TV_TIME] = "struct",   [TV_DURATION] = "int64", [TV_OBJECT] = "struct",
    };

    if (v->kind == TV_OBJECT && v->type->name[0] == '*')
        return "ptr";
    return v->kind == TV_INT && v->type != NULL && strcmp(v->type->name, "int64") == 0
               ? "int64"
               : names[v->kind];
}

static str type_of(const struct tmpl_value *v)
{
    return v->kind == TV_NIL ? S("<nil>") : str_of(tv_type_name(v));
}

FUNC(f_type_of)
{
    *out = tv_str(type_of(&args[0]));
    return true;
}

FUNC(f_type_is)
{
    *out = tv_bool(str_eq(args[0].s, type_of(&args[1])));
    return true;
}

FUNC(f_type_is_like)
{
    str type = type_of(&args[1]);

    *out = tv_bool(str_eq(args[0].s, type) || (type.n != 0 && type.p[0] == '*' &&
                                               str_eq(args[0].s, str_sub(type, 1, type.n))));
    return true;
}

FUNC(f_kind_of)
{
    *out = tv_str(str_of(kind_of(&args[0])));
    return true;
}

FUNC(f_kind_is)
{
    *out = tv_bool(str_is(args[0].s, kind_of(&args[1])));
    return true;
}

FUNC(f_deep_equal)
{
    *out = tv_bool(deep_equal(env, &args[0], &args[1], 0));
    return true;
}

/* Those that fail and those that sprig has panic fail alike. */
#define BOTH(name, must, params, fn, doc)                                                          \
    {name, params, fn, doc},                                                                       \
    {                                                                                              \
        must, params, fn, doc                                                                      \
    }

const struct tmpl_func tmpl_sprig_data_funcs[] = {
    BOTH("rest", "mustRest", "a", f_rest, "a list without its first element"),
    BOTH("initial", "mustInitial", "a", f_initial, "a list without its last element"),
    BOTH("push", "mustPush", "aa", f_push, "a list with one more element"),
    BOTH("append", "mustAppend", "aa", f_push, "a list with one more element"),
    BOTH("prepend", "mustPrepend", "aa", f_prepend, "a list with one more element in front"),
    {"concat", "a*", f_concat, "lists behind one another"},
    BOTH("reverse", "mustReverse", "a", f_reverse, "a list from its end"),
    BOTH("uniq", "mustUniq", "a", f_uniq, "a list without what it had before"),
    BOTH("without", "mustWithout", "aa*", f_without, "a list without some elements"),
    BOTH("has", "mustHas", "aa", f_has, "whether a value is in a list"),
    BOTH("compact", "mustCompact", "a", f_compact, "a list without what is empty"),
    BOTH("chunk", "mustChunk", "ia", f_chunk, "a list in pieces of so many"),
    {"all", "a*", f_all, "whether no argument is empty"},
    {"any", "a*", f_any, "whether an argument is not empty"},
    {"toStrings", "a", f_to_strings, "the elements as text"},
    {"sortAlpha", "a", f_sort_alpha, "the elements as text, sorted"},
    {"get", "as", f_get, "what a map has under a key, or nothing"},
    {"set", "asa", f_set, "puts a value into a map, and gives the map"},
    {"unset", "as", f_unset, "takes a key out of a map, and gives the map"},
    {"hasKey", "as", f_has_key, "whether a map has a key"},
    {"pluck", "sa*", f_pluck, "what maps have under a key"},
    {"keys", "a*", f_keys, "the keys of maps, sorted"},
    {"values", "a", f_values, "the values of a map, by their keys"},
    {"pick", "aa*", f_pick, "a map of some keys"},
    {"omit", "aa*", f_omit, "a map without some keys"},
    BOTH("merge", "mustMerge", "aa*", f_merge, "puts in from other maps what the first has not"),
    BOTH("mergeOverwrite", "mustMergeOverwrite", "aa*", f_merge_overwrite,
         "puts in what other maps have"),
    {"dig", "aa*", f_dig, "what is under keys in maps within maps, or a default"},
    BOTH("deepCopy", "mustDeepCopy", "a", f_deep_copy, "a copy that nothing else changes"),
    {"fromJson", "s", f_from_json, "what JSON says, or nothing"},
    {"mustFromJson", "s", f_must_from_json, "what JSON says"},
    BOTH("toPrettyJson", "mustToPrettyJson", "a", f_to_pretty_json, "JSON in lines"),
    BOTH("toRawJson", "mustToRawJson", "a", f_to_raw_json, "JSON with <, > and & as they are"),
    {"typeOf", "a", f_type_of, "the Go type"},
    {"typeIs", "sa", f_type_is, "whether it is of a Go type"},
    {"typeIsLike", "sa", f_type_is_like, "whether it is of a Go type, or a pointer to one"},
    {"kindOf", "a", f_kind_of, "the Go kind"},
    {"kindIs", "sa", f_kind_is, "whether it is of a Go kind"},
    {"deepEqual", "aa", f_deep_equal, "whether two values are the same throughout"},
    {NULL, NULL, NULL, NULL},
};
