/* funcs_sprig.c - sprig's functions for text, choices, numbers and times, those that templates for DingTalk use most; the
 * others are in the files beside it, by what they work on. The text to work on comes last, so that it can be piped in. A
 * function that is nowhere is an error when the template is parsed. */
#include <math.h>
#include <stdlib.h>
#include "base/vec.h"
#include "codec/base64.h"
#include "codec/duration.h"
#include "codec/quote.h"
#include "template/constant.h"
#include "template/funcs_priv.h"
#include "template/humanize.h"
#include "template/markdown.h"
#include "template/printf.h"
#include "base/strcase.h"
#include "template/template.h"
#include "template/time.h"
#include "template/time_methods.h"

bool func_text(struct tmpl_env *env, struct buf *b, struct tmpl_value *out)
{
    *out = tv_copy_buf(env->a, b);
    return true;
}

bool func_too_long(const struct tmpl_env *env, size_t n)
{
    return env->a->limit != 0 && n > env->a->limit;
}

str func_shown(struct tmpl_env *env, const struct tmpl_value *v)
{
    struct buf b = BUF_INIT;

    if (v->kind == TV_STRING)
        return v->s;
    tmpl_print(env, &b, v);
    return tv_copy_buf(env->a, &b).s;
}

/* -- text -- */

FUNC(funcs_sprig_f_title)
{
    struct buf b = BUF_INIT;

    str_title(&b, args[0].s, false);
    return func_text(env, &b, out);
}

static str trim_set(str s, str set)
{
    bool in_set[256] = {false};

    for (size_t i = 0; i < set.n; i++)
        in_set[(unsigned char)set.p[i]] = true;
    while (s.n != 0 && in_set[(unsigned char)s.p[0]])
        s = str_sub(s, 1, s.n);
    while (s.n != 0 && in_set[(unsigned char)s.p[s.n - 1]])
        s.n--;
    return s;
}

FUNC(f_trim_all)
{
    *out = tv_str(trim_set(args[1].s, args[0].s));
    return true;
}

FUNC(f_trim_prefix)
{
    str s = args[1].s;

    *out = tv_str(str_starts_with(s, args[0].s) ? str_sub(s, args[0].s.n, s.n) : s);
    return true;
}

FUNC(f_trim_suffix)
{
    str s = args[1].s;

    *out = tv_str(str_ends_with(s, args[0].s) ? str_sub(s, 0, s.n - args[0].s.n) : s);
    return true;
}

FUNC(f_contains)
{
    *out = tv_bool(args[0].s.n == 0 || str_find_str(args[1].s, args[0].s) >= 0);
    return true;
}

FUNC(f_has_prefix)
{
    *out = tv_bool(str_starts_with(args[1].s, args[0].s));
    return true;
}

FUNC(f_has_suffix)
{
    *out = tv_bool(str_ends_with(args[1].s, args[0].s));
    return true;
}

FUNC(f_replace)
{
    str old = args[0].s, new = args[1].s, s = args[2].s;
    struct buf b = BUF_INIT;
    ptrdiff_t at;

    while (old.n != 0 && !func_too_long(env, b.n) && (at = str_find_str(s, old)) >= 0) {
        buf_add(&b, str_sub(s, 0, (size_t)at));
        buf_add(&b, new);
        s = str_sub(s, (size_t)at + old.n, s.n);
    }
    buf_add(&b, s);
    return func_text(env, &b, out);
}

FUNC(f_repeat)
{
    struct buf b = BUF_INIT;

    for (int64_t i = 0; i < args[0].i && args[1].s.n != 0 && !func_too_long(env, b.n); i++)
        buf_add(&b, args[1].s);
    return func_text(env, &b, out);
}

FUNC(f_trunc)
{
    str s = args[1].s;
    int64_t k = args[0].i;

    if (k < 0 && (size_t)(0 - (uint64_t)k) < s.n)
        s = str_sub(s, s.n - (size_t)(0 - (uint64_t)k), s.n);
    else if (k >= 0)
        s = str_sub(s, 0, (size_t)k);
    *out = tv_str(s);
    return true;
}

FUNC(f_quote)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < n; i++) {
        if (args[i].kind == TV_NIL)
            continue;
        if (b.n != 0)
            buf_addc(&b, ' ');
        quote_go(&b, func_shown(env, &args[i]));
    }
    return func_text(env, &b, out);
}

FUNC_SHARED(func_indent)
{
    size_t pad = args[0].i > 0 && args[0].i < 1000 ? (size_t)args[0].i : 0;
    struct buf b = BUF_INIT;
    str s = args[1].s;

    buf_pad(&b, ' ', pad);
    for (size_t i = 0; i < s.n && !func_too_long(env, b.n); i++) {
        buf_addc(&b, s.p[i]);
        if (s.p[i] == '\n')
            buf_pad(&b, ' ', pad);
    }
    return func_text(env, &b, out);
}

FUNC(f_to_string)
{
    *out = tv_str(func_shown(env, &args[0]));
    return true;
}

bool func_join_any(struct tmpl_env *env, const struct tmpl_value *args, is_unused size_t n,
                   struct tmpl_value *out, is_unused struct err *e)
{
    struct buf b = BUF_INIT;

    if (args[1].kind != TV_LIST) {
        *out = tv_str(func_shown(env, &args[1]));
        return true;
    }
    for (size_t i = 0; i < args[1].list.n && !func_too_long(env, b.n); i++) {
        if (i != 0)
            buf_add(&b, args[0].s);
        buf_add(&b, func_shown(env, &args[1].list.v[i]));
    }
    return func_text(env, &b, out);
}

FUNC(f_split_list)
{
    str s = args[1].s, sep = args[0].s;
    VEC(struct tmpl_value) v = VEC_INIT;
    ptrdiff_t at;

    while (sep.n != 0 && !func_too_long(env, v.n * sizeof(v.v[0])) &&
           (at = str_find_str(s, sep)) >= 0) {
        vec_push(&v, tv_str(str_sub(s, 0, (size_t)at)));
        s = str_sub(s, (size_t)at + sep.n, s.n);
    }
    vec_push(&v, tv_str(s));
    *out = tv_list(&tmpl_strings, arena_copy(env->a, v.v, v.n, v.n, sizeof(v.v[0])), v.n);
    vec_release(&v);
    return true;
}

FUNC(f_b64enc)
{
    struct buf b = BUF_INIT;

    base64_encode(&b, args[0].s, BASE64_STD);
    return func_text(env, &b, out);
}

FUNC(f_b64dec)
{
    struct buf b = BUF_INIT;

    if (base64_decode(&b, args[0].s, BASE64_STD))
        return func_text(env, &b, out);
    buf_release(&b);
    return err_set(e, ERR_INVALID, "illegal base64 data");
}

FUNC(f_regex_replace_all)
{
    struct tmpl_value swapped[3] = {args[0], args[2], args[1]};

    return func_re_replace_all(env, swapped, 3, out, e);
}

/* -- choices -- */

FUNC(f_default)
{
    *out = n > 1 && tv_truth(&args[1]) ? args[1] : args[0];
    return true;
}

FUNC(f_empty)
{
    *out = tv_bool(!tv_truth(&args[0]));
    return true;
}

FUNC(f_coalesce)
{
    *out = tv_nil();
    for (size_t i = 0; i < n; i++) {
        if (!tv_truth(&args[i]))
            continue;
        *out = args[i];
        break;
    }
    return true;
}

FUNC(f_ternary)
{
    *out = args[2].b ? args[0] : args[1];
    return true;
}

FUNC(funcs_sprig_f_first)
{
    *out = tv_nil();
    if (args[0].kind != TV_LIST)
        return err_set(e, ERR_INVALID, "cannot find first on type %s", tv_type_name(&args[0]));
    if (args[0].list.n != 0)
        *out = args[0].list.v[0];
    return true;
}

FUNC(f_last)
{
    *out = tv_nil();
    if (args[0].kind != TV_LIST)
        return err_set(e, ERR_INVALID, "cannot find last on type %s", tv_type_name(&args[0]));
    if (args[0].list.n != 0)
        *out = args[0].list.v[args[0].list.n - 1];
    return true;
}

/* -- numbers: what is none counts as 0 -- */

double func_number(const struct tmpl_value *v)
{
    double d;

    if (v->kind == TV_BOOL)
        return v->b;
    return tmpl_number(v, &d, NULL) ? d : 0;
}

/* As cast.ToInt64: text by the rules of Go's source ("010" is 8), with ".0" behind it let be; floats are cut, and those that
 * do not fit are the least number. */
static int64_t integer_of_text(str s)
{
    str dot = s, whole = str_cut(&dot, '.');
    uint64_t v;
    bool negative;

    for (size_t i = 0; i < dot.n; i++)
        if (dot.p[i] != '0')
            return 0;
    if (!tmpl_constant_integer(whole, &negative, &v))
        return 0;
    if (v > (uint64_t)INT64_MAX + negative)
        return 0;
    return negative ? (int64_t)(0 - v) : (int64_t)v;
}

int64_t func_integer(const struct tmpl_value *v)
{
    switch (v->kind) {
    case TV_INT:
    case TV_DURATION: return v->i;
    case TV_UINT: return (int64_t)v->u;
    case TV_BOOL: return v->b;
    case TV_STRING: return integer_of_text(v->s);
    case TV_FLOAT:
        return v->f >= -9223372036854775808.0 && v->f < 9223372036854775808.0 ? (int64_t)v->f
                                                                              : INT64_MIN;
    default: return 0;
    }
}

FUNC(f_add)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (uint64_t)func_integer(&args[i]);
    *out = tv_int((int64_t)sum);
    return true;
}

FUNC(f_sub)
{
    *out = tv_int((int64_t)((uint64_t)func_integer(&args[0]) - (uint64_t)func_integer(&args[1])));
    return true;
}

FUNC(f_mul)
{
    uint64_t product = (uint64_t)func_integer(&args[0]);

    for (size_t i = 1; i < n; i++)
        product *= (uint64_t)func_integer(&args[i]);
    *out = tv_int((int64_t)product);
    return true;
}

FUNC(f_div)
{
    int64_t a = func_integer(&args[0]), b = func_integer(&args[1]);

    if (b == 0)
        return err_set(e, ERR_INVALID, "runtime error: integer divide by zero");
    *out = tv_int(b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b);
    return true;
}

FUNC(f_mod)
{
    int64_t a = func_integer(&args[0]), b = func_integer(&args[1]);

    if (b == 0)
        return err_set(e, ERR_INVALID, "runtime error: integer divide by zero");
    *out = tv_int(b == -1 ? 0 : a % b);
    return true;
}

/* As sprig's: what is not a full half or more goes down, of negative numbers too. */
FUNC(f_round)
{
    double half = n > 2 ? func_number(&args[2]) : 0.5;
    double scale = pow(10, n > 1 ? (double)func_integer(&args[1]) : 0);
    double digits = func_number(&args[0]) * scale, whole;

    *out = tv_float((modf(digits, &whole) >= half ? ceil(digits) : floor(digits)) / scale);
    return true;
}

FUNC(f_int)
{
    *out = tv_int(func_integer(&args[0]));
    return true;
}

FUNC(f_float64)
{
    *out = tv_float(func_number(&args[0]));
    return true;
}

/* -- time -- */

struct tmpl_time func_time_of(const struct tmpl_env *env, const struct tmpl_value *v)
{
    if (v->kind == TV_TIME)
        return v->time;
    if (v->kind == TV_INT)
        return (struct tmpl_time){v->i, 0, NULL};
    return tmpl_time_at(env->now, NULL);
}

FUNC(funcs_sprig_f_now)
{
    *out = tv_time(env->now);
    return true;
}

bool func_date_any(struct tmpl_env *env, const struct tmpl_value *args, is_unused size_t n,
                   struct tmpl_value *out, is_unused struct err *e)
{
    struct buf b = BUF_INIT;

    tmpl_time_format(&b, func_time_of(env, &args[1]), args[0].s);
    return func_text(env, &b, out);
}

FUNC_SHARED(func_date_in_zone)
{
    struct tmpl_time t = func_time_of(env, &args[1]);
    struct buf b = BUF_INIT;

    t.zone = tmpl_zone(env, args[2].s, NULL); /* an unknown one is UTC, as in sprig */
    tmpl_time_format(&b, t, args[0].s);
    return func_text(env, &b, out);
}

FUNC(f_ago)
{
    dur_ns d = tmpl_time_sub(tmpl_time_at(env->now, NULL), func_time_of(env, &args[0]));
    struct buf b = BUF_INIT;

    go_duration_print(&b, tmpl_duration_round(d, NS_PER_S));
    return func_text(env, &b, out);
}

FUNC(f_duration)
{
    int64_t s = func_integer(&args[0]);
    struct buf b = BUF_INIT;

    go_duration_print(&b, s < INT64_MAX / NS_PER_S && s > INT64_MIN / NS_PER_S ? s * NS_PER_S : 0);
    return func_text(env, &b, out);
}

/* Not sprig's; the first one is the DingTalk bridge's. */
FUNC(f_markdown)
{
    struct buf b = BUF_INIT;

    markdown_escape(&b, args[0].s, MARKDOWN_USUAL);
    *out = tv_copy_buf(env->a, &b);
    return true;
}

FUNC(f_feishu_markdown)
{
    struct buf b = BUF_INIT;

    markdown_entities(&b, args[0].s);
    *out = tv_copy_buf(env->a, &b);
    return true;
}

FUNC(f_wecom_markdown)
{
    struct buf b = BUF_INIT;

    markdown_widen(&b, args[0].s, MARKDOWN_WECOM);
    *out = tv_copy_buf(env->a, &b);
    return true;
}

FUNC(f_google_chat_markdown)
{
    struct buf b = BUF_INIT;

    markdown_widen(&b, args[0].s, MARKDOWN_GOOGLECHAT);
    *out = tv_copy_buf(env->a, &b);
    return true;
}

const struct tmpl_func tmpl_sprig_funcs[] = {
    {"upper", "s", func_to_upper, "text in capital letters"},
    {"lower", "s", func_to_lower, "text in small letters"},
    {"title", "s", funcs_sprig_f_title, "each word with a capital letter"},
    {"trim", "s", func_trim_space, "text without white space at its ends"},
    {"trimall", "ss", f_trim_all, "text without the given characters at its ends"},
    {"trimAll", "ss", f_trim_all, "text without the given characters at its ends"},
    {"trimPrefix", "ss", f_trim_prefix, "text without a beginning"},
    {"trimSuffix", "ss", f_trim_suffix, "text without an ending"},
    {"replace", "sss", f_replace, "text with all of one text replaced by another"},
    {"repeat", "is", f_repeat, "text several times"},
    {"trunc", "is", f_trunc, "the first bytes of text, or the last ones when negative"},
    {"contains", "ss", f_contains, "whether text has another in it"},
    {"hasPrefix", "ss", f_has_prefix, "whether text begins with another"},
    {"hasSuffix", "ss", f_has_suffix, "whether text ends with another"},
    {"quote", "a*", f_quote, "in double quotes"},
    {"indent", "is", func_indent, "each line moved to the right"},
    {"toString", "a", f_to_string, "as text"},
    {"join", "sa", func_join_any, "the elements of a list with a separator between them"},
    {"splitList", "ss", f_split_list, "the pieces of text between separators"},
    {"b64enc", "s", f_b64enc, "base64"},
    {"b64dec", "s", f_b64dec, "the text behind base64"},
    {"regexMatch", "ss", func_match, "whether a pattern is found in text"},
    {"mustRegexMatch", "ss", func_match, "whether a pattern is found in text"},
    {"mustRegexReplaceAll", "sss", f_regex_replace_all, "pattern, text, replacement"},
    {"regexReplaceAll", "sss", f_regex_replace_all, "pattern, text, replacement"},
    {"default", "aa*", f_default, "the second argument, or the first when it is empty"},
    {"empty", "a", f_empty, "whether the argument is empty"},
    {"coalesce", "a*", f_coalesce, "the first argument that is not empty"},
    {"ternary", "aab", f_ternary, "the first argument when the third is true, else the second"},
    {"first", "a", funcs_sprig_f_first, "the first element of a list"},
    {"mustFirst", "a", funcs_sprig_f_first, "the first element of a list"},
    {"last", "a", f_last, "the last element of a list"},
    {"mustLast", "a", f_last, "the last element of a list"},
    {"list", "a*", func_list, "a list"},
    {"tuple", "a*", func_list, "a list"},
    {"dict", "a*", func_dict, "a map of keys and values"},
    {"mustToJson", "a", func_to_json, "compact JSON"},
    {"toJson", "a", func_to_json, "compact JSON"},
    {"add", "a*", f_add, "the sum of integers"},
    {"sub", "aa", f_sub, "the difference of integers"},
    {"mul", "aa*", f_mul, "the product of integers"},
    {"div", "aa", f_div, "the quotient of integers"},
    {"mod", "aa", f_mod, "the rest of a division"},
    {"round", "aa*", f_round, "a number rounded to places"},
    {"int64", "a", f_int, "as an integer"},
    {"int", "a", f_int, "as an integer"},
    {"float64", "a", f_float64, "as a float"},
    {"now", "", funcs_sprig_f_now, "the current time"},
    {"date", "sa", func_date_any, "a time by a Go layout"},
    {"date_in_zone", "sas", func_date_in_zone, "a time by a Go layout in a zone"},
    {"dateInZone", "sas", func_date_in_zone, "a time by a Go layout in a zone"},
    {"markdown", "s", f_markdown, "text that means nothing in Markdown"},
    {"feishuMarkdown", "s", f_feishu_markdown, "text that means nothing in a card of Feishu's"},
    {"googleChatMarkdown", "s", f_google_chat_markdown,
     "text that means nothing in a message of Google Chat"},
    {"wecomMarkdown", "s", f_wecom_markdown, "text that means nothing in WeCom's Markdown"},
    {"ago", "a", f_ago, "the duration since a time, in whole seconds"},
    {"duration", "a", f_duration, "seconds as 1h2m3s"},
    {NULL, NULL, NULL, NULL},
};
