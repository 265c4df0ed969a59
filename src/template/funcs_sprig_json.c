/* funcs_sprig_json.c - sprig's functions for JSON and for types. */
#include <math.h>
#include <stdlib.h>
#include "base/vec.h"
#include "codec/json.h"
#include "template/escape.h"
#include "template/funcs_priv.h"
#include "template/template.h"

static struct tmpl_value read_json(struct json_reader *r);

static struct tmpl_value funcs_sprig_json_read_list(struct json_reader *r)
{
    VEC(struct tmpl_value) v = VEC_INIT;
    struct tmpl_value out;

    for (json_array_begin(r); json_array_next(r);)
        vec_push(&v, read_json(r));
    out = tv_list(NULL, arena_copy(r->a, v.v, v.n, v.n, sizeof(v.v[0])), v.n);
    vec_release(&v);
    return out;
}

static int funcs_sprig_json_by_key(const void *a, const void *b)
{
    const struct tmpl_pair *x = a, *y = b;
    int c = str_cmp(x->key, y->key);

    return c != 0 ? c : (x->key.p > y->key.p) - (x->key.p < y->key.p);
}

static struct tmpl_value funcs_sprig_json_read_map(struct json_reader *r)
{
    VEC(struct tmpl_pair) v = VEC_INIT;
    struct tmpl_value out;
    str key;

    for (json_object_begin(r); json_object_next(r, &key);)
        vec_push(&v, (struct tmpl_pair){key, read_json(r)});
    if (v.n > 1)
        qsort(v.v, v.n, sizeof(v.v[0]), funcs_sprig_json_by_key);
    out = tv_dict(r->a, arena_copy(r->a, v.v, v.n, v.n, sizeof(v.v[0])), v.n);
    vec_release(&v);
    return out;
}

/* Numbers are floats, as there. */
static struct tmpl_value read_json(struct json_reader *r)
{
    struct tmpl_value out = tv_nil();

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
    case JSON_ARRAY: return funcs_sprig_json_read_list(r);
    case JSON_OBJECT: return funcs_sprig_json_read_map(r);
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
        *out = tv_nil();
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

static const char *funcs_sprig_json_kind_of(const struct tmpl_value *v)
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

static str funcs_sprig_json_type_of(const struct tmpl_value *v)
{
    return v->kind == TV_NIL ? S("<nil>") : str_of(tv_type_name(v));
}

FUNC(f_type_of)
{
    *out = tv_str(funcs_sprig_json_type_of(&args[0]));
    return true;
}

FUNC(f_type_is)
{
    *out = tv_bool(str_eq(args[0].s, funcs_sprig_json_type_of(&args[1])));
    return true;
}

FUNC(f_type_is_like)
{
    str type = funcs_sprig_json_type_of(&args[1]);

    *out = tv_bool(str_eq(args[0].s, type) || (type.n != 0 && type.p[0] == '*' &&
                                               str_eq(args[0].s, str_sub(type, 1, type.n))));
    return true;
}

FUNC(f_kind_of)
{
    *out = tv_str(str_of(funcs_sprig_json_kind_of(&args[0])));
    return true;
}

FUNC(f_kind_is)
{
    *out = tv_bool(str_is(args[0].s, funcs_sprig_json_kind_of(&args[1])));
    return true;
}

FUNC(f_deep_equal)
{
    *out = tv_bool(func_deep_equal(env, &args[0], &args[1], 0));
    return true;
}

const struct tmpl_func tmpl_sprig_json_funcs[] = {
    {"fromJson", "s", f_from_json, "what JSON says, or nothing"},
    {"mustFromJson", "s", f_must_from_json, "what JSON says"},
    FUNC_BOTH("toPrettyJson", "mustToPrettyJson", "a", f_to_pretty_json, "JSON in lines"),
    FUNC_BOTH("toRawJson", "mustToRawJson", "a", f_to_raw_json, "JSON with <, > and & as they are"),
    {"typeOf", "a", f_type_of, "the Go type"},
    {"typeIs", "sa", f_type_is, "whether it is of a Go type"},
    {"typeIsLike", "sa", f_type_is_like, "whether it is of a Go type, or a pointer to one"},
    {"kindOf", "a", f_kind_of, "the Go kind"},
    {"kindIs", "sa", f_kind_is, "whether it is of a Go kind"},
    {"deepEqual", "aa", f_deep_equal, "whether two values are the same throughout"},
    {NULL, NULL, NULL, NULL},
};
