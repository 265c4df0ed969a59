/* Templates are read as text: inside of {{ }} for what they read, outside for what was meant to be one. */
#include "lint/lint_template.h"

#include "base/vec.h"
#include "lint/lint_labels.h"
#include "model/labels.h"
#include "ruler/rule_file.h"

enum { PASSES_MAX = 10 }; /* queries of queries */

struct template_linter {
    const struct rule_conf *rule;
    struct label_shape shape; /* of the result */
    const struct yaml_node *text;
    str name; /* of the label or the annotation */
    bool is_label;
    struct rule_templates *templates;
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

/* What stands behind "$labels" or ".Labels" at at: ".NAME". */
static void see_field(struct template_linter *l, str text, size_t at)
{
    size_t from = at + 1, to = from;

    if (at >= text.n || text.p[at] != '.')
        return;
    while (to < text.n && char_is_word(text.p[to]))
        to++;
    if (to != from)
        see_label(l, str_sub(text, from, to), from);
}

static bool word_stands_at(str text, size_t at, str word)
{
    return str_starts_with(str_sub(text, at, text.n), word) &&
           (at + word.n == text.n || !char_is_word(text.p[at + word.n]));
}

/* -- R050: a value among labels -- */

static void see_action(struct template_linter *l, str text, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (word_stands_at(text, i, S("$labels")) ||
            (!l->has_query && word_stands_at(text, i, S(".Labels")) &&
             (i == from || !char_is_word(text.p[i - 1]))))
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

/* -- R084: what becomes of it -- */

/* Labels that the text names; what they are is not known. */
static struct labels made_up_labels(struct arena *a, str text)
{
    static const char way[] = "abels."; /* $labels.x, .Labels.x */
    struct label *v = arena_array(a, text.n / strlen(way) + 1, sizeof(*v));
    size_t n = 0;
    ptrdiff_t at;

    while ((at = str_find_str(text, str_of(way))) >= 0) {
        size_t len = 0;

        text = str_sub(text, (size_t)at + strlen(way), text.n);
        while (len < text.n && char_is_word(text.p[len]))
            len++;
        v[n++] = (struct label){str_sub(text, 0, len), S("1")};
    }
    return (struct labels){v, labels_sort_last(v, n)};
}

/* Every query has an answer: one sample. */
static void answer_queries(struct rule_queries *q, struct labels ls)
{
    while (rule_queries_next(q) != NULL) {
        struct sample *s = arena_new(q->arena, struct sample);

        *s = (struct sample){.labels = ls, .value = 1.5};
        rule_queries_take(q, (struct samples){s, 1}, NULL, NULL);
    }
}

static str lint_template_fill(struct template_linter *l, str text)
{
    struct rule_template_vars vars = {.alert = l->rule->name,
                                      .labels = made_up_labels(l->a, text),
                                      .value = 1.5,
                                      .external_url = S("http://tocsin")};
    struct answer_notes notes = {0};
    struct rule_queries q = {0};
    str out;

    rule_queries_begin(&q, l->a, &notes);
    for (int pass = 0; pass < PASSES_MAX; pass++) {
        q.is_missing = false;
        out = rule_template_expand(l->templates, l->a, text, &vars, &q);
        if (!q.is_missing)
            break;
        answer_queries(&q, vars.labels);
    }
    rule_queries_release(&q);
    return out;
}

static void try_text(struct template_linter *l)
{
    static const char begin[] = "<error expanding template: ";
    str text = l->text->text, out, why;

    if (str_find_str(text, S("{{")) < 0)
        return;
    out = lint_template_fill(l, text);
    why = str_sub(out, strlen(begin), out.n - 1);
    if (str_starts_with(out, str_of(begin))) {
        if (!str_starts_with(why, S("error parsing"))) /* R010 says it */
            template_report(
                l, "R084", 0, text.n,
                arena_printf(l->a, "the template fails when it is filled in: %.*s", STR(why)).p);
    } else if (str_find_str(out, S("%!")) >= 0 && str_find_str(text, S("%!")) < 0) {
        diag_help(
            l->d,
            template_report(
                l, "R084", 0, text.n,
                arena_printf(l->a, "printf does not fit: the text becomes \"%.*s\"", STR(out)).p),
            "$value is a float: %%.2f, or humanize");
    }
}

static void see_texts(struct template_linter *l, const char *key)
{
    const struct yaml_node *map = yaml_get(l->rule->node, str_of(key));

    for (size_t i = 0; map != NULL && map->kind == YAML_MAP && i < map->n; i++) {
        l->text = map->pairs[i].value;
        l->name = map->pairs[i].key->text;
        if (l->text->kind != YAML_SCALAR)
            continue;
        see_text(l);
        try_text(l);
    }
}

void lint_template(const struct rule_conf *r, str group, const struct promql_expr *x,
                   struct rule_templates *t, struct arena *a, struct diags *d)
{
    struct template_linter l = {.rule = r, .templates = t, .a = a, .d = d};

    if (!r->is_alert)
        return;
    l.shape = x != NULL ? label_shape_of(x, a) : (struct label_shape){.is_open = true};
    rule_check_templates(r, group, t, d);
    l.is_label = true;
    see_texts(&l, "labels");
    l.is_label = false;
    see_texts(&l, "annotations");
}
