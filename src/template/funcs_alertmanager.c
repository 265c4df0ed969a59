/* funcs_alertmanager.c - the functions of notification templates, alertmanager.md 5.3. */
#include "base/mem.h"
#include "codec/base64.h"
#include "regex/regex.h"
#include "template/escape.h"
#include "template/funcs_priv.h"
#include "template/humanize.h"
#include "base/strcase.h"
#include "template/template.h"
#include "template/time.h"

FUNC_SHARED(func_to_upper)
{
    struct buf b = BUF_INIT;

    str_upper(&b, args[0].s);
    return func_text(env, &b, out);
}

FUNC_SHARED(func_to_lower)
{
    struct buf b = BUF_INIT;

    str_lower(&b, args[0].s);
    return func_text(env, &b, out);
}

FUNC(funcs_alertmanager_f_title)
{
    struct buf b = BUF_INIT;

    str_title(&b, args[0].s, true);
    return func_text(env, &b, out);
}

FUNC_SHARED(func_trim_space)
{
    *out = tv_str(str_trim_space(args[0].s));
    return true;
}

/* What the steps that are left allow a pattern to do, and back. */
uint64_t func_pattern_work(const struct tmpl_env *env)
{
    return env->steps < UINT64_MAX / TMPL_STEP_ITEMS ? env->steps * TMPL_STEP_ITEMS : UINT64_MAX;
}

void func_pattern_worked(struct tmpl_env *env, uint64_t left)
{
    if (left / TMPL_STEP_ITEMS < env->steps)
        env->steps = left / TMPL_STEP_ITEMS;
}

FUNC_SHARED(func_match)
{
    const struct regex *re = tmpl_regex(env, args[0].s, e);
    uint64_t work = func_pattern_work(env);

    if (re == NULL)
        return false;
    *out = tv_bool(regex_matches_within(re, args[1].s, &work));
    func_pattern_worked(env, work);
    return true;
}

FUNC_SHARED(func_re_replace_all)
{
    const struct regex *re = tmpl_regex(env, args[0].s, e);
    struct regex_budget budget = {.work = func_pattern_work(env),
                                  .output = env->a->limit != 0 ? env->a->limit : 1u << 30};
    struct buf b = BUF_INIT;
    bool fits;

    if (re == NULL)
        return err_wrap(e, "regexp: Compile(`%.*s`)", STR(args[0].s));
    fits = regex_replace_all(re, &b, args[2].s, args[1].s, &budget);
    func_pattern_worked(env, budget.work);
    if (fits || budget.work == 0)
        return func_text(env, &b, out);
    buf_release(&b);
    return err_set(e, ERR_LIMIT, "the text is too long");
}

FUNC(f_string_slice)
{
    *out = tv_list(&tmpl_strings, args, n);
    return true;
}

FUNC_SHARED(func_safe_html)
{
    *out = args[0];
    out->type = &tmpl_safe_html;
    return true;
}

FUNC(f_safe_url)
{
    *out = args[0];
    out->type = &tmpl_safe_url;
    return true;
}

static int funcs_alertmanager_hex(char c)
{
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}

FUNC(f_url_unescape)
{
    struct buf b = BUF_INIT;
    str s = args[0].s;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%') {
            if (i + 2 >= s.n || funcs_alertmanager_hex(s.p[i + 1]) < 0 ||
                funcs_alertmanager_hex(s.p[i + 2]) < 0) {
                buf_release(&b);
                return err_set(e, ERR_INVALID, "invalid URL escape \"%.*s\"",
                               STR(str_sub(s, i, i + 3)));
            }
            buf_addc(&b, (char)(funcs_alertmanager_hex(s.p[i + 1]) * 16 +
                                funcs_alertmanager_hex(s.p[i + 2])));
            i += 2;
        } else {
            buf_addc(&b, s.p[i] == '+' ? ' ' : s.p[i]);
        }
    }
    return func_text(env, &b, out);
}

FUNC(f_tz)
{
    const struct tz *zone = tmpl_zone(env, args[0].s, e);

    if (zone == NULL)
        return err_set(e, ERR_INVALID, "unknown time zone %.*s", STR(args[0].s));
    *out = args[1];
    out->time.zone = zone;
    return true;
}

FUNC(funcs_alertmanager_f_now)
{
    *out = tv_local_time(env, env->now);
    return true;
}

FUNC(f_since)
{
    *out = tv_duration(tmpl_time_sub(tmpl_time_at(env->now, NULL), args[0].time));
    return true;
}

FUNC_SHARED(func_humanize_duration)
{
    struct buf b = BUF_INIT;
    double v;

    if (!tmpl_number(&args[0], &v, e))
        return false;
    humanize_duration(&b, v);
    return func_text(env, &b, out);
}

FUNC(f_must_to_date)
{
    *out = (struct tmpl_value){.kind = TV_TIME};
    return tmpl_time_parse(args[0].s, args[1].s, NULL, &out->time, e);
}

FUNC(f_to_date)
{
    *out = (struct tmpl_value){.kind = TV_TIME};
    if (!tmpl_time_parse(args[0].s, args[1].s, NULL, &out->time, NULL))
        *out = tv_time(TS_NONE);
    return true;
}

FUNC_SHARED(func_to_json)
{
    struct buf b = BUF_INIT;

    if (tmpl_json(env, &b, &args[0], e))
        return func_text(env, &b, out);
    buf_release(&b);
    return false;
}

FUNC(f_base64encode)
{
    struct buf b = BUF_INIT;

    base64_encode(&b, args[0].s, BASE64_URL);
    return func_text(env, &b, out);
}

FUNC(f_base64decode)
{
    struct buf b = BUF_INIT;

    if (args[0].s.n % 4 == 0 && base64_decode(&b, args[0].s, BASE64_URL))
        return func_text(env, &b, out);
    buf_release(&b);
    return err_set(e, ERR_INVALID, "illegal base64 data");
}

FUNC_SHARED(func_list)
{
    *out = tv_list(NULL, args, n);
    return true;
}

FUNC(f_append)
{
    struct tmpl_value *v;

    if (args[0].kind != TV_LIST && args[0].kind != TV_NIL)
        return err_set(e, ERR_INVALID, "cannot append to type %s", tv_type_name(&args[0]));
    v = arena_array(env->a, args[0].list.n + n, sizeof(*v));
    if (args[0].kind == TV_LIST && args[0].list.n != 0)
        memcpy(v, args[0].list.v, args[0].list.n * sizeof(*v));
    *out = tv_list(NULL, v, args[0].kind == TV_LIST ? args[0].list.n : 0);
    for (size_t i = 1; i < n; i++)
        v[out->list.n++] = args[i];
    return true;
}

FUNC_SHARED(func_dict)
{
    struct tmpl_pair *v = arena_array(env->a, n / 2 + 1, sizeof(*v));

    if (n % 2 != 0)
        return err_set(e, ERR_INVALID, "dict requires an even number of arguments");
    for (size_t i = 0; i < n; i += 2) {
        if (args[i].kind != TV_STRING)
            return err_set(e, ERR_INVALID, "dict keys must be strings, got %s",
                           tv_type_name(&args[i]));
        v[i / 2] = (struct tmpl_pair){args[i].s, args[i + 1]};
    }
    *out = tv_dict(env->a, v, n / 2);
    return true;
}

const struct tmpl_func tmpl_alertmanager_funcs[] = {
    {"toUpper", "s", func_to_upper, "text in capital letters"},
    {"toLower", "s", func_to_lower, "text in small letters"},
    {"title", "s", funcs_alertmanager_f_title, "each word with a capital letter, the rest small"},
    {"trimSpace", "s", func_trim_space, "text without white space at its ends"},
    {"join", "sL", func_join_any, "the elements of a list with a separator between them"},
    {"match", "ss", func_match, "whether a pattern is found in text"},
    {"reReplaceAll", "sss", func_re_replace_all, "text with all matches of a pattern replaced"},
    {"stringSlice", "s*", f_string_slice, "a list of texts"},
    {"safeHtml", "s", func_safe_html, "trusted as HTML"},
    {"safeUrl", "s", f_safe_url, "trusted as a URL"},
    {"urlUnescape", "s", f_url_unescape, "the text behind a query escape"},
    {"date", "sa", func_date_any, "a time by a Go layout"},
    {"tz", "st", f_tz, "a time in another zone"},
    {"now", "", funcs_alertmanager_f_now, "the current time"},
    {"since", "t", f_since, "the duration since a time"},
    {"humanizeDuration", "a", func_humanize_duration, "seconds as 1h 2m 3s"},
    {"toDate", "ss", f_to_date, "the time that text says by a layout, or the zero time"},
    {"mustToDate", "ss", f_must_to_date, "the time that text says by a layout"},
    {"toJson", "a", func_to_json, "compact JSON"},
    {"base64encode", "s", f_base64encode, "base64 with the alphabet for URLs"},
    {"base64decode", "s", f_base64decode, "the text behind base64"},
    {"list", "a*", func_list, "a list"},
    {"append", "aa*", f_append, "a list with more elements"},
    {"dict", "a*", func_dict, "a map of keys and values"},
    {NULL, NULL, NULL, NULL},
};
