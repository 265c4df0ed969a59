/* Go's built-in functions, with their rules and error texts. and, or have no function: the interpreter evaluates their
 * arguments one by one. */
#include <math.h>
#include <stdio.h>
#include "base/utf8.h"
#include "codec/escape.h"
#include "codec/quote.h"
#include "template/escape.h"
#include "template/printf.h"
#include "template/template.h"

#define FUNC(name)                                                                                 \
    static bool name(struct tmpl_env *env, const struct tmpl_value *args, size_t n,                \
                     struct tmpl_value *out, struct err *e)
#define UNUSED_ALL ((void)env, (void)args, (void)n, (void)e)

static bool is_nil(const struct tmpl_value *v)
{
    return v->kind == TV_NONE || v->kind == TV_NIL;
}

FUNC(f_not)
{
    UNUSED_ALL;
    *out = tv_bool(!tv_truth(&args[0]));
    return true;
}

FUNC(f_len)
{
    const struct tmpl_value *v = &args[0];

    UNUSED_ALL;
    if (is_nil(v))
        return err_set(e, ERR_INVALID, "len of nil pointer");
    if (v->kind != TV_STRING && v->kind != TV_LIST && v->kind != TV_MAP)
        return err_set(e, ERR_INVALID, "len of type %s", tv_type_name(v));
    *out = tv_int((int64_t)(v->kind == TV_STRING ? v->s.n
                            : v->kind == TV_LIST ? v->list.n
                                                 : tv_map_of(v).n));
    return true;
}

/* index and slice: an integer between 0 and cap (past it with past_end). */
static bool index_arg(const struct tmpl_value *i, size_t cap, bool past_end, size_t *out,
                      struct err *e)
{
    if (is_nil(i))
        return err_set(e, ERR_INVALID, "cannot index slice/array with nil");
    if (i->kind != TV_INT && i->kind != TV_UINT && i->kind != TV_DURATION)
        return err_set(e, ERR_INVALID, "cannot index slice/array with type %s", tv_type_name(i));
    if ((i->kind != TV_UINT && i->i < 0) || i->u > cap || (i->u == cap && !past_end))
        return err_set(e, ERR_INVALID, "index out of range: %lld", (long long)i->i);
    *out = (size_t)i->u;
    return true;
}

FUNC(f_index)
{
    struct tmpl_value v = args[0];

    UNUSED_ALL;
    if (is_nil(&v))
        return err_set(e, ERR_INVALID, "index of untyped nil");
    for (size_t i = 1; i < n; i++) {
        const struct tmpl_value *key = &args[i], *hit;
        size_t k;

        switch (v.kind) {
        case TV_LIST:
            if (!index_arg(key, v.list.n, false, &k, e))
                return false;
            v = v.list.v[k];
            break;
        case TV_STRING:
            if (!index_arg(key, v.s.n, false, &k, e))
                return false;
            v = (struct tmpl_value){.kind = TV_UINT, .u = (unsigned char)v.s.p[k]};
            break;
        case TV_MAP:
            if (is_nil(key))
                return err_set(e, ERR_INVALID, "value is nil; should be of type string");
            if (key->kind != TV_STRING)
                return err_set(e, ERR_INVALID, "value has type %s; should be string",
                               tv_type_name(key));
            hit = tv_map_get(&v, key->s);
            v = hit != NULL ? *hit : tv_map_zero(&v);
            break;
        case TV_NONE:
        case TV_NIL: return err_set(e, ERR_INVALID, "index of nil pointer");
        default: return err_set(e, ERR_INVALID, "can't index item of type %s", tv_type_name(&v));
        }
    }
    *out = v;
    return true;
}

FUNC(f_slice)
{
    const struct tmpl_value *v = &args[0];
    size_t at[3] = {0, 0, 0}, len;

    UNUSED_ALL;
    if (is_nil(v))
        return err_set(e, ERR_INVALID, "slice of untyped nil");
    if (n > 4)
        return err_set(e, ERR_INVALID, "too many slice indexes: %zu", n - 1);
    if (v->kind == TV_STRING && n == 4)
        return err_set(e, ERR_INVALID, "cannot 3-index slice a string");
    if (v->kind != TV_STRING && v->kind != TV_LIST)
        return err_set(e, ERR_INVALID, "can't slice item of type %s", tv_type_name(v));
    len = v->kind == TV_STRING ? v->s.n : v->list.n;
    at[1] = len;
    for (size_t i = 1; i < n; i++)
        if (!index_arg(&args[i], len, true, &at[i - 1], e))
            return false;
    if (at[0] > at[1])
        return err_set(e, ERR_INVALID, "invalid slice index: %zu > %zu", at[0], at[1]);
    *out = *v;
    if (v->kind == TV_STRING)
        out->s = str_sub(v->s, at[0], at[1]);
    else
        out->list = (struct tmpl_list){v->list.v + at[0], at[1] - at[0]};
    return true;
}

/* -- text -- */

FUNC(f_print)
{
    struct buf b = BUF_INIT;

    (void)e;
    tmpl_sprint(env, &b, args, n, false);
    *out = tv_copy_buf(env->a, &b);
    return true;
}

FUNC(f_println)
{
    struct buf b = BUF_INIT;

    (void)e;
    tmpl_sprint(env, &b, args, n, true);
    *out = tv_copy_buf(env->a, &b);
    return true;
}

FUNC(f_printf)
{
    struct buf b = BUF_INIT;

    (void)e;
    tmpl_printf(env, &b, args[0].s, args + 1, n - 1);
    *out = tv_copy_buf(env->a, &b);
    return true;
}

/* The arguments as one text. */
static str builtin_joined(struct tmpl_env *env, const struct tmpl_value *args, size_t n)
{
    struct buf b = BUF_INIT;

    if (n == 1 && args[0].kind == TV_STRING)
        return args[0].s;
    if (n == 1 && is_nil(&args[0]))
        return S("<no value>");
    tmpl_sprint(env, &b, args, n, false);
    return tv_copy_buf(env->a, &b).s;
}

#define ESCAPER(name, escape)                                                                      \
    FUNC(name)                                                                                     \
    {                                                                                              \
        struct buf b = BUF_INIT;                                                                   \
                                                                                                   \
        (void)e;                                                                                   \
        escape(&b, builtin_joined(env, args, n));                                                  \
        *out = tv_copy_buf(env->a, &b);                                                            \
        return true;                                                                               \
    }
ESCAPER(f_html, text_escape_html)
ESCAPER(f_js, text_escape_js)
ESCAPER(f_urlquery, escape_query)

FUNC(f_call)
{
    UNUSED_ALL;
    *out = TV_ZERO;
    if (n == 0 || is_nil(&args[0]))
        return err_set(e, ERR_INVALID, "call of nil");
    return err_set(e, ERR_INVALID, "non-function of type %s", tv_type_name(&args[0]));
}

/* -- comparison -- */

enum basic { BASIC_INVALID, BASIC_BOOL, BASIC_INT, BASIC_UINT, BASIC_FLOAT, BASIC_STRING };

static enum basic basic_kind(const struct tmpl_value *v)
{
    switch (v->kind) {
    case TV_BOOL: return BASIC_BOOL;
    case TV_INT:
    case TV_DURATION: return BASIC_INT;
    case TV_UINT: return BASIC_UINT;
    case TV_FLOAT: return BASIC_FLOAT;
    case TV_STRING: return BASIC_STRING;
    default: return BASIC_INVALID;
    }
}

static bool incompatible(struct err *e)
{
    return err_set(e, ERR_INVALID, "incompatible types for comparison");
}

static bool equal(const struct tmpl_value *a, const struct tmpl_value *b, bool *out, struct err *e)
{
    enum basic ka = basic_kind(a), kb = basic_kind(b);

    *out = false;
    if (ka != kb) {
        if (ka == BASIC_INT && kb == BASIC_UINT)
            *out = a->i >= 0 && (uint64_t)a->i == b->u;
        else if (ka == BASIC_UINT && kb == BASIC_INT)
            *out = b->i >= 0 && (uint64_t)b->i == a->u;
        else if (!is_nil(a) && !is_nil(b))
            return incompatible(e);
        return true;
    }
    switch (ka) {
    case BASIC_BOOL: *out = a->b == b->b; return true;
    case BASIC_INT:
    case BASIC_UINT: *out = a->u == b->u; return true;
    case BASIC_FLOAT: *out = a->f == b->f; return true;
    case BASIC_STRING: *out = str_eq(a->s, b->s); return true;
    case BASIC_INVALID: break;
    }
    if (is_nil(a) || is_nil(b)) {
        *out = is_nil(a) && is_nil(b);
        return true;
    }
    if (a->kind == TV_LIST || a->kind == TV_MAP || b->kind == TV_LIST || b->kind == TV_MAP)
        return err_set(e, ERR_INVALID, "non-comparable type %s", tv_type_name(b));
    *out = a->kind == b->kind &&
           (a->kind == TV_TIME ? a->time.s == b->time.s && a->time.ns == b->time.ns
                               : a->object == b->object);
    return true;
}

FUNC(f_eq)
{
    (void)env;
    if (n < 2)
        return err_set(e, ERR_INVALID, "missing argument for comparison");
    *out = tv_bool(false);
    for (size_t i = 1; i < n && !out->b; i++)
        if (!equal(&args[0], &args[i], &out->b, e))
            return false;
    return true;
}

FUNC(f_ne)
{
    bool same;

    UNUSED_ALL;
    if (!equal(&args[0], &args[1], &same, e))
        return false;
    *out = tv_bool(!same);
    return true;
}

static bool less(const struct tmpl_value *a, const struct tmpl_value *b, bool *out, struct err *e)
{
    enum basic ka = basic_kind(a), kb = basic_kind(b);

    if (ka == BASIC_INVALID || kb == BASIC_INVALID)
        return err_set(e, ERR_INVALID, "invalid type for comparison");
    if (ka != kb) {
        if (ka == BASIC_INT && kb == BASIC_UINT)
            *out = a->i < 0 || (uint64_t)a->i < b->u;
        else if (ka == BASIC_UINT && kb == BASIC_INT)
            *out = b->i >= 0 && a->u < (uint64_t)b->i;
        else
            return incompatible(e);
        return true;
    }
    switch (ka) {
    case BASIC_INT: *out = a->i < b->i; return true;
    case BASIC_UINT: *out = a->u < b->u; return true;
    case BASIC_FLOAT: *out = a->f < b->f; return true;
    case BASIC_STRING: *out = str_cmp(a->s, b->s) < 0; return true;
    default: return err_set(e, ERR_INVALID, "invalid type for comparison");
    }
}

FUNC(f_lt)
{
    UNUSED_ALL;
    *out = tv_bool(false);
    return less(&args[0], &args[1], &out->b, e);
}

FUNC(f_le)
{
    bool below = false, same = false;

    UNUSED_ALL;
    if (!less(&args[0], &args[1], &below, e) || (!below && !equal(&args[0], &args[1], &same, e)))
        return false;
    *out = tv_bool(below || same);
    return true;
}

FUNC(f_gt)
{
    UNUSED_ALL;
    if (!f_le(env, args, n, out, e))
        return false;
    out->b = !out->b;
    return true;
}

FUNC(f_ge)
{
    UNUSED_ALL;
    if (!f_lt(env, args, n, out, e))
        return false;
    out->b = !out->b;
    return true;
}

const struct tmpl_func tmpl_builtin_funcs[] = {
    {"and", "aa*", NULL, "the first empty argument, or the last one"},
    {"or", "aa*", NULL, "the first argument that is not empty, or the last one"},
    {"not", "a", f_not, "whether the argument is empty"},
    {"len", "a", f_len, "bytes of text, elements of a list or map"},
    {"index", "aa*", f_index, "an element of a list or map"},
    {"slice", "aa*", f_slice, "a part of text or of a list"},
    {"print", "a*", f_print, "the arguments as text"},
    {"printf", "sa*", f_printf, "the arguments by a format"},
    {"println", "a*", f_println, "the arguments as a line of text"},
    {"html", "a*", f_html, "escaped for HTML"},
    {"js", "a*", f_js, "escaped for JavaScript"},
    {"urlquery", "a*", f_urlquery, "escaped for a URL query"},
    {"call", "aa*", f_call, "calls a function value; no data here has any"},
    {"eq", "aa*", f_eq, "whether the first equals one of the others"},
    {"ne", "aa", f_ne, "whether both differ"},
    {"lt", "aa", f_lt, "less"},
    {"le", "aa", f_le, "less or equal"},
    {"gt", "aa", f_gt, "greater"},
    {"ge", "aa", f_ge, "greater or equal"},
    {NULL, NULL, NULL, NULL},
};
