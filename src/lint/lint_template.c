/* Templates are read as text: inside of {{ }} for what they read, outside for what was meant to be one. */
#include "lint/lint_template.h"

#include "base/vec.h"
#include "lint/lint_labels.h"

struct template_linter {
    const struct rule_conf *rule;
    struct label_shape shape; /* of the result */
    const struct yaml_node *text;
    str name; /* of the label or the annotation */
    bool is_label;
    bool has_query; /* .Labels may be those of what the text asks for */
    struct arena *a;
    struct diags *d;
};

static struct diag *template_report(struct template_linter *l, const char *id, size_t at,
                                    size_t len, const char *what)
{
    struct diag_place place = yaml_place_in(l->rule->doc, l->text, at, len);

    return diags_add(l->d, DIAG_WARNING, id, place, "alert \"%.*s\", %s \"%.*s\": %s",
                     STR(l->rule->name), l->is_label ? "label" : "annotation", STR(l->name), what);
}

/* -- R051: labels that are not there -- */

static void see_label(struct template_linter *l, str name, size_t at)
{
    VEC(str) names = VEC_INIT;
    const str *near;
    struct diag *g;

    if (label_shape_get(&l->shape, name).is != LABEL_GONE)
        return;
    g = template_report(l, "R051", at, name.n,
                        arena_printf(l->a, "the expression gives no label \"%.*s\"", STR(name)).p);
    for (size_t i = 0; i < l->shape.n; i++)
        if (l->shape.v[i].is != LABEL_GONE)
            vec_push(&names, l->shape.v[i].name);
    near = str_nearest(name, names.v, names.n);
    if (near != NULL)
        diag_help(l->d, g, "did you mean \"%.*s\"?", STR(*near));
    else if (!l->shape.is_open)
        diag_help(l->d, g, "keep it in the aggregation: by (..., %.*s)", STR(name));
    vec_release(&names);
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* What stands behind "$labels" or ".Labels" at at: ".NAME". */
static void see_field(struct template_linter *l, str text, size_t at)
{
    size_t from = at + 1, to = from;

    if (at >= text.n || text.p[at] != '.')
        return;
    while (to < text.n && is_word(text.p[to]))
        to++;
    if (to != from)
        see_label(l, str_sub(text, from, to), from);
}

static bool word_stands_at(str text, size_t at, str word)
{
    return str_starts_with(str_sub(text, at, text.n), word) &&
           (at + word.n == text.n || !is_word(text.p[at + word.n]));
}

/* -- R050: a value among labels -- */

static void see_action(struct template_linter *l, str text, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (word_stands_at(text, i, S("$labels")) ||
            (!l->has_query && word_stands_at(text, i, S(".Labels")) &&
             (i == from || !is_word(text.p[i - 1]))))
            see_field(l, text, i + 7);
        else if (l->is_label &&
                 (word_stands_at(text, i, S("$value")) || word_stands_at(text, i, S(".Value"))))
            diag_help(
                l->d,
                template_report(l, "R050", i, 6,
                                "a label with the value makes another alert of each evaluation"),
                "put it into an annotation");
    }
}

/* -- R059: what was to be a template -- */

static void see_torn_braces(struct template_linter *l, str text)
{
    for (size_t i = 0; i + 3 < text.n; i++) {
        size_t k = i + 1;

        if (text.p[i] != '{' || text.p[k] != ' ')
            continue;
        while (k < text.n && text.p[k] == ' ')
            k++;
        if (k + 1 >= text.n || text.p[k] != '{' || text.p[k + 1] == '{')
            continue;
        diag_help(l->d,
                  template_report(l, "R059", i, k + 1 - i,
                                  "braces with a blank between them are no template: the text is "
                                  "sent as it stands"),
                  "write {{ without a blank");
        return;
    }
}

static void see_text(struct template_linter *l)
{
    str text = l->text->text;
    size_t at = 0;

    see_torn_braces(l, text);
    l->has_query = str_find_str(text, S("query")) >= 0;
    for (;;) {
        ptrdiff_t open = str_find_str(str_sub(text, at, text.n), S("{{")), close;

        if (open < 0)
            return;
        at += (size_t)open + 2;
        close = str_find_str(str_sub(text, at, text.n), S("}}"));
        see_action(l, text, at, close < 0 ? text.n : at + (size_t)close);
        if (close < 0)
            return;
        at += (size_t)close + 2;
    }
}

static void see_texts(struct template_linter *l, const char *key)
{
    const struct yaml_node *map = yaml_get(l->rule->node, str_of(key));

    for (size_t i = 0; map != NULL && map->kind == YAML_MAP && i < map->n; i++) {
        l->text = map->pairs[i].value;
        l->name = map->pairs[i].key->text;
        if (l->text->kind == YAML_SCALAR)
            see_text(l);
    }
}

void lint_template(const struct rule_conf *r, struct diags *d)
{
    struct template_linter l = {.rule = r, .d = d};
    struct promql_expr *x;
    struct arena a;

    if (!r->is_alert || r->expr_node == NULL || r->expr_node->kind != YAML_SCALAR)
        return;
    arena_init(&a, 0);
    x = promql_parse(r->expr_node->text, &promql_everything, &a, NULL, NULL);
    l.a = &a;
    l.shape = x != NULL ? label_shape_of(x, &a) : (struct label_shape){.is_open = true};
    l.is_label = true;
    see_texts(&l, "labels");
    l.is_label = false;
    see_texts(&l, "annotations");
    promql_release(x);
    arena_release(&a);
}
