/* funcs_priv.h - what the tables of functions share. */
#ifndef TEMPLATE_FUNCS_PRIV_H
#define TEMPLATE_FUNCS_PRIV_H

#include "template/value.h"

#define FUNC_DECLARE(name)                                                                         \
    bool name(struct tmpl_env *env, const struct tmpl_value *args, size_t n,                       \
              struct tmpl_value *out, struct err *e)
#define FUNC(name)                                                                                 \
    static bool name(is_unused struct tmpl_env *env, is_unused const struct tmpl_value *args,      \
                     is_unused size_t n, struct tmpl_value *out, is_unused struct err *e)
#define FUNC_SHARED(name)                                                                          \
    bool name(is_unused struct tmpl_env *env, is_unused const struct tmpl_value *args,             \
              is_unused size_t n, struct tmpl_value *out, is_unused struct err *e)

FUNC_DECLARE(func_to_upper);
FUNC_DECLARE(func_to_lower);
FUNC_DECLARE(func_match);
FUNC_DECLARE(func_re_replace_all);
FUNC_DECLARE(func_safe_html);
FUNC_DECLARE(func_humanize_duration);
FUNC_DECLARE(func_list);
FUNC_DECLARE(func_dict);
FUNC_DECLARE(func_to_json);
FUNC_DECLARE(func_trim_space);

/* Of functions that differ in how they fail in sprig: those that fail and those that panic fail alike here. */
#define FUNC_BOTH(name, must, params, fn, doc)                                                     \
    {name, params, fn, doc},                                                                       \
    {                                                                                              \
        must, params, fn, doc                                                                      \
    }

FUNC_DECLARE(func_indent);
FUNC_DECLARE(func_date_in_zone);
FUNC_DECLARE(func_join_any);
FUNC_DECLARE(func_date_any);

enum { NESTED_MAX = 500 }; /* maps and lists in one another */

bool func_text(struct tmpl_env *env, struct buf *b, struct tmpl_value *out); /* takes b */
/* What a pattern may do with the steps that are left, and what of it is left then. */
uint64_t func_pattern_work(const struct tmpl_env *env);
void func_pattern_worked(struct tmpl_env *env, uint64_t left);
bool func_too_long(const struct tmpl_env *env, size_t n); /* for the memory of an execution */
/* reflect.DeepEqual; depth 0 */
bool func_deep_equal(struct tmpl_env *env, const struct tmpl_value *a, const struct tmpl_value *b,
                     unsigned depth);

/* What sprig makes of any value: 0 of what is no number. */
double func_number(const struct tmpl_value *v);
int64_t func_integer(const struct tmpl_value *v);
str func_shown(struct tmpl_env *env, const struct tmpl_value *v);
struct tmpl_time func_time_of(const struct tmpl_env *env, const struct tmpl_value *v);

#endif
