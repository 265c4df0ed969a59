#include "ruler/rule_template.h"

#include "base/mem.h"
#include "model/labels.h"
#include "template/template.h"
#include "os/zones.h"

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

static bool rule_template_is_template(str text)
{
    return str_find_str(text, S("{{")) >= 0;
}

/* A text that was looked at before: parsed, or why not. */
struct rule_template_kept {
    const struct template_text *parsed;
    str name, fault;
    int line;                 /* of the fault, inside of the text */
    const char *alert, *text; /* whose it is: several alerts may share a text, which errors name */
};

struct rule_templates {
    struct template_set *set;           /* the functions */
    const struct template_text *before; /* prefix, parsed with the first text */
    struct arena arena;
    struct u64_map texts; /* by the addresses of alert and text -> struct rule_template_kept * */
};

struct rule_templates *rule_templates_new(void)
{
    struct rule_templates *t = mem_new(struct rule_templates);

    t->set = template_set_new(functions);
    arena_init_small(&t->arena, 0);
    return t;
}

void rule_templates_free(struct rule_templates *t)
{
    if (t == NULL)
        return;
    template_set_free(t->set);
    u64_map_release(&t->texts);
    arena_release(&t->arena);
    mem_free(t);
}

static str join_texts(struct arena *a, str before, str text)
{
    char *p = arena_alloc(a, before.n + text.n);

    memcpy(p, before.p, before.n);
    if (text.n != 0)
        memcpy(p + before.n, text.p, text.n);
    return (str){p, before.n + text.n};
}

/* The template's name in errors, for the alert Slow: __alert_Slow */
static bool rule_template_parse(struct rule_templates *t, str alert, str text,
                                struct rule_template_kept *k, struct err *e)
{
    struct arena *a = &t->arena;

    BUG_ON(t->before == NULL &&
           !template_text_parse(t->set, a, STR_NONE, str_of(prefix), NULL, &t->before, NULL));
    k->name = join_texts(a, S("__alert_"), alert);
    return template_text_parse(t->set, a, k->name, join_texts(a, str_of(prefix), text), t->before,
                               &k->parsed, e) ||
           err_wrap(e, "error parsing template %.*s", STR(k->name));
}

static const struct rule_template_kept *find_or_parse(struct rule_templates *t, str alert, str text)
{
    uint64_t key = hash_u64((uintptr_t)alert.p) ^ (uintptr_t)text.p;
    void **hit = u64_map_get(&t->texts, key);
    struct err e = ERR_INIT;
    struct rule_template_kept *k = hit != NULL ? *hit : NULL;

    if (k != NULL && k->alert == alert.p && k->text == text.p)
        return k;
    k = arena_new(&t->arena, struct rule_template_kept);
    k->alert = alert.p;
    k->text = text.p;
    if (!rule_template_parse(t, alert, text, k, &e)) {
        k->fault = arena_str(&t->arena, str_of(e.msg));
        k->line = e.line;
    }
    u64_map_put(&t->texts, key, k);
    return k;
}

/* The path of an external URL. */
static str rule_template_path_of(str url)
{
    ptrdiff_t scheme = str_find_str(url, S("://")), slash;

    if (scheme >= 0)
        url = str_sub(url, (size_t)scheme + 3, url.n);
    slash = str_find(url, '/');
    return slash >= 0 ? str_sub(url, (size_t)slash, url.n) : STR_NONE;
}

str rule_template_expand(struct rule_templates *t, struct arena *a, str text,
                         const struct rule_template_vars *vars, struct rule_queries *q)
{
    struct template_prometheus_host host = {.external_url = vars->external_url,
                                            .path_prefix =
                                                rule_template_path_of(vars->external_url),
                                            .query = q != NULL ? rule_queries_ask : NULL,
                                            .arg = q};
    struct template_run run = {.data = tv_object(&data_type, vars),
                               .host = &host,
                               .now = vars->slot,
                               .load_zone = zone_load,
                               .limits = {.steps = 1000000, .output = 1 << 20, .memory = 4 << 20}};
    const struct rule_template_kept *k;
    struct buf out = BUF_INIT;
    struct err e = ERR_INIT;
    str result;

    if (!rule_template_is_template(text))
        return text;
    k = find_or_parse(t, vars->alert, text);
    if (k->parsed == NULL)
        return arena_printf(a, "<error expanding template: %.*s>", STR(k->fault));
    if (template_text_exec(t->set, k->parsed, &run, &out, &e))
        result = arena_str(a, buf_str(&out));
    else
        result = arena_printf(a, "<error expanding template: error executing template %.*s: %s>",
                              STR(k->name), e.msg);
    buf_release(&out);
    return result;
}

struct labels rule_template_expand_all(struct rule_templates *t, struct arena *a,
                                       const struct conf_map *texts,
                                       const struct rule_template_vars *vars,
                                       struct rule_queries *q)
{
    struct label *v = arena_array(a, texts->n, sizeof(*v));
    struct labels ls = {v, 0};
    str dup;

    for (size_t i = 0; i < texts->n; i++)
        v[i] = (struct label){texts->v[i].name,
                              rule_template_expand(t, a, texts->v[i].value, vars, q)};
    ls.n = labels_sort_keep(v, texts->n, &dup);
    if (ls.n == SIZE_MAX)
        ls.n = 0;
    return ls;
}

bool rule_template_check(struct rule_templates *t, str alert, str text, struct err *e)
{
    const struct rule_template_kept *k;

    if (!rule_template_is_template(text))
        return true;
    k = find_or_parse(t, alert, text);
    if (k->parsed != NULL)
        return true;
    err_set(e, ERR_INVALID, "%.*s", STR(k->fault));
    e->line = k->line;
    return false;
}
