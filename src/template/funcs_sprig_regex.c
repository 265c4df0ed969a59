/* funcs_sprig_regex.c - sprig's other functions for patterns. */
#include "base/utf8.h"
#include "base/vec.h"
#include "regex/regex.h"
#include "template/funcs_priv.h"
#include "template/template.h"

/* The next match from *at on, by what steps are left. False: none, or a bad pattern. */
static bool funcs_sprig_regex_find(struct tmpl_env *env, const struct regex *re, str s, size_t from,
                                   size_t bounds[2])
{
    uint64_t work = func_pattern_work(env);
    bool found = from <= s.n && regex_find_within(re, s, from, bounds, &work);

    func_pattern_worked(env, work);
    return found;
}

/* As Go's FindAll: an empty match right behind another one is none. */
static bool find_next(struct tmpl_env *env, const struct regex *re, str s, size_t *at,
                      size_t *after, size_t bounds[2])
{
    uint32_t r;

    while (funcs_sprig_regex_find(env, re, s, *at, bounds)) {
        bool is_empty = bounds[0] == bounds[1];
        bool counts = !is_empty || bounds[0] != *after;

        *at = !is_empty         ? bounds[1]
              : bounds[1] < s.n ? bounds[1] + utf8_decode(str_sub(s, bounds[1], s.n), &r)
                                : s.n + 1;
        if (counts)
            *after = bounds[1];
        if (counts || *at > s.n)
            return counts;
    }
    return false;
}

FUNC(f_regex_find)
{
    const struct regex *re = tmpl_regex(env, args[0].s, e);
    size_t at[2];

    if (re == NULL)
        return false;
    *out =
        tv_str(funcs_sprig_regex_find(env, re, args[1].s, 0, at) ? str_sub(args[1].s, at[0], at[1])
                                                                 : S(""));
    return true;
}

typedef VEC(struct tmpl_value) values;

static bool list_of(struct tmpl_env *env, values *v, struct tmpl_value *out)
{
    *out = tv_list(&tmpl_strings, arena_copy(env->a, v->v, v->n, v->n, sizeof(v->v[0])), v->n);
    vec_release(v);
    return true;
}

FUNC(f_regex_find_all)
{
    const struct regex *re = tmpl_regex(env, args[0].s, e);
    size_t most = args[2].i < 0 ? SIZE_MAX : (size_t)args[2].i, at = 0, after = SIZE_MAX, m[2];
    values v = VEC_INIT;
    str s = args[1].s;

    if (re == NULL)
        return false;
    while (v.n < most && !func_too_long(env, v.n * sizeof(v.v[0])) &&
           find_next(env, re, s, &at, &after, m))
        vec_push(&v, tv_str(str_sub(s, m[0], m[1])));
    return list_of(env, &v, out);
}

FUNC(f_regex_split)
{
    const struct regex *re = tmpl_regex(env, args[0].s, e);
    size_t most = args[2].i < 0 ? SIZE_MAX : (size_t)args[2].i, at = 0, after = SIZE_MAX, m[2];
    size_t begin = 0, end = 0;
    values v = VEC_INIT;
    str s = args[1].s;

    if (re == NULL)
        return false;
    if (most != 0 && s.n == 0 && args[0].s.n != 0) {
        vec_push(&v, tv_str(S("")));
        return list_of(env, &v, out);
    }
    while (most != 0 && v.n + 1 < most && !func_too_long(env, v.n * sizeof(v.v[0])) &&
           find_next(env, re, s, &at, &after, m)) {
        end = m[0];
        if (m[1] != 0)
            vec_push(&v, tv_str(str_sub(s, begin, end)));
        begin = m[1];
    }
    if (most != 0 && end != s.n)
        vec_push(&v, tv_str(str_sub(s, begin, s.n)));
    return list_of(env, &v, out);
}

FUNC(f_regex_replace_literal)
{
    struct tmpl_value call[3] = {args[0], args[2], args[1]};
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < args[2].s.n; i++)
        buf_addf(&b, args[2].s.p[i] == '$' ? "$%c" : "%c", args[2].s.p[i]);
    call[1] = tv_copy_buf(env->a, &b);
    return func_re_replace_all(env, call, 3, out, e);
}

FUNC(f_regex_quote_meta)
{
    struct buf b = BUF_INIT;
    str s = args[0].s;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '\0' && strchr("\\.+*?()|[]{}^$", s.p[i]) != NULL)
            buf_addc(&b, '\\');
        buf_addc(&b, s.p[i]);
    }
    return func_text(env, &b, out);
}

const struct tmpl_func tmpl_sprig_regex_funcs[] = {
    FUNC_BOTH("regexFind", "mustRegexFind", "ss", f_regex_find, "the first match"),
    FUNC_BOTH("regexFindAll", "mustRegexFindAll", "ssi", f_regex_find_all,
              "so many matches; -1: all"),
    FUNC_BOTH("regexSplit", "mustRegexSplit", "ssi", f_regex_split, "the pieces between matches"),
    FUNC_BOTH("regexReplaceAllLiteral", "mustRegexReplaceAllLiteral", "sss",
              f_regex_replace_literal, "pattern, text, replacement as it is"),
    {"regexQuoteMeta", "s", f_regex_quote_meta, "a pattern that matches the text itself"},
    {NULL, NULL, NULL, NULL},
};
