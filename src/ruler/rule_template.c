#include "ruler/rule_template.h"

#include "template/template.h"

static const char prefix[] = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}"
                             "{{$externalURL := .ExternalURL}}{{$value := .Value}}";

static const struct tmpl_func *const functions[] = {tmpl_prometheus_funcs, NULL};

#define FIELD(name, expr)                                                                          \
    static void name(struct tmpl_env *env, const void *object, struct tmpl_value *out)             \
    {                                                                                              \
        const struct rule_template_vars *v = object;                                               \
                                                                                                   \
        (void)env;                                                                                 \
        *out = expr;                                                                               \
    }
FIELD(get_labels, tv_labels(env->a, NULL, v->labels))
FIELD(get_external_labels, tv_labels(env->a, NULL, v->external_labels))
FIELD(get_external_url, tv_str(v->external_url))
FIELD(get_value, tv_float(v->value))

static const struct tmpl_field fields[] = {
    {"Labels", NULL, get_labels},
    {"ExternalLabels", NULL, get_external_labels},
    {"ExternalURL", NULL, get_external_url},
    {"Value", NULL, get_value},
    {NULL, NULL, NULL},
};
static const struct tmpl_type data_type = {
    .name = "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL "
            "string; Value interface {} }",
    .fields = fields};

static bool is_template(str text)
{
    return str_find_str(text, S("{{")) >= 0;
}

/* The template's name in errors, for the alert Slow: __alert_Slow */
static bool parse(struct template_set *set, str name, str text, struct err *e)
{
    struct buf all = BUF_INIT;
    bool ok;

    buf_add(&all, str_of(prefix));
    buf_add(&all, text);
    ok = template_set_parse(set, name, buf_str(&all), e) ||
         err_wrap(e, "error parsing template %.*s", STR(name));
    buf_release(&all);
    return ok;
}

/* The path of an external URL. */
static str path_of(str url)
{
    ptrdiff_t scheme = str_find_str(url, S("://")), slash;

    if (scheme >= 0)
        url = str_sub(url, (size_t)scheme + 3, url.n);
    slash = str_find(url, '/');
    return slash >= 0 ? str_sub(url, (size_t)slash, url.n) : STR_NONE;
}

str rule_template_expand(struct arena *a, str text, const struct rule_template_vars *vars)
{
    struct template_prometheus_host host = {.external_url = vars->external_url,
                                            .path_prefix = path_of(vars->external_url)};
    struct template_run run = {.data = tv_object(&data_type, vars),
                               .host = &host,
                               .now = vars->slot,
                               .limits = {.steps = 1000000, .output = 1 << 20, .memory = 4 << 20}};
    str name = arena_printf(a, "__alert_%.*s", STR(vars->alert));
    struct template_set *set;
    struct buf out = BUF_INIT;
    struct err e = ERR_INIT;
    str result;

    if (!is_template(text))
        return text;
    set = template_set_new(functions);
    if (!parse(set, name, text, &e)) {
        result = arena_printf(a, "<error expanding template: %s>", e.msg);
    } else if (!template_exec(set, name, &run, &out, &e)) {
        result = arena_printf(a, "<error expanding template: error executing template %.*s: %s>",
                              STR(name), e.msg);
    } else {
        result = arena_str(a, buf_str(&out));
    }
    buf_release(&out);
    template_set_free(set);
    return result;
}

bool rule_template_check(str alert, str text, struct err *e)
{
    struct template_set *set;
    struct buf name = BUF_INIT;
    bool ok;

    if (!is_template(text))
        return true;
    set = template_set_new(functions);
    buf_addf(&name, "__alert_%.*s", STR(alert));
    ok = parse(set, buf_str(&name), text, e);
    buf_release(&name);
    template_set_free(set);
    return ok;
}
