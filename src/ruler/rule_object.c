#include "ruler/rule_object.h"

#include "base/map.h"
#include "base/vec.h"

enum { LISTS_MAX = 4 }; /* in one another */

enum kind { NO_OBJECT, OTHER_OBJECT, RULE_OBJECT, LIST_OBJECT };

static str rule_object_text_of(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *n =
        map != NULL && map->kind == YAML_MAP ? yaml_get(map, str_of(key)) : NULL;

    return n != NULL && n->kind == YAML_SCALAR && !yaml_is_null(n) ? n->text : STR_NONE;
}

static enum kind rule_object_kind_of(const struct yaml_node *n)
{
    str kind = rule_object_text_of(n, "kind");

    if (kind.n == 0)
        return NO_OBJECT;
    if (str_is(kind, "PrometheusRule"))
        return RULE_OBJECT;
    return str_is(kind, "List") || str_is(kind, "PrometheusRuleList") ? LIST_OBJECT : OTHER_OBJECT;
}

struct rule_object_finder {
    struct arena *a;
    struct diags *d;
    const struct yaml_doc *doc;
    VEC(struct rule_part) parts;
    struct str_map seen; /* an object's name -> its place in parts, and one */
};

static void note_name(struct rule_object_finder *f, const struct rule_part *p)
{
    bool is_new;
    void **slot = str_map_add(&f->seen, p->object, NULL, &is_new);

    if (is_new)
        *slot = (void *)(uintptr_t)(f->parts.n + 1);
    else
        diag_second(f->d,
                    diags_add(f->d, DIAG_ERROR, "R014", p->place,
                              "PrometheusRule \"%.*s\" stands twice in this file", STR(p->object)),
                    f->parts.v[(uintptr_t)*slot - 1].place);
}

static void rule_object_add_rule(struct rule_object_finder *f, const struct yaml_node *n)
{
    const struct yaml_node *meta = yaml_get(n, S("metadata")), *spec = yaml_get(n, S("spec"));
    str name = rule_object_text_of(meta, "name"), space = rule_object_text_of(meta, "namespace");
    struct rule_part p = {.place = yaml_place(f->doc, n), .space = space};

    if (name.n == 0)
        diags_add(f->d, DIAG_ERROR, "R014", yaml_place(f->doc, meta != NULL ? meta : n),
                  "a PrometheusRule without \"metadata.name\"");
    if (yaml_is_null(spec))
        diags_add(f->d, DIAG_ERROR, "R014", p.place, "PrometheusRule \"%.*s\" has no \"spec\"",
                  STR(name));
    p.object = space.n != 0 ? arena_printf(f->a, "%.*s/%.*s", STR(space), STR(name)) : name;
    p.node = spec;
    if (name.n != 0)
        note_name(f, &p);
    vec_push(&f->parts, p);
}

static void rule_object_add(struct rule_object_finder *f, const struct yaml_node *n, int depth)
{
    const struct yaml_node *items;

    switch (rule_object_kind_of(n)) {
    case RULE_OBJECT: rule_object_add_rule(f, n); return;
    case OTHER_OBJECT:
        diags_add(f->d, DIAG_WARNING, "R014", yaml_place(f->doc, n),
                  "an object of kind \"%.*s\" is no PrometheusRule: left out",
                  STR(rule_object_text_of(n, "kind")));
        return;
    case NO_OBJECT:
        diags_add(f->d, DIAG_ERROR, "R014", yaml_place(f->doc, n),
                  "no \"kind\" although it stands among objects");
        return;
    case LIST_OBJECT: break;
    }
    items = yaml_get(n, S("items"));
    if (yaml_is_null(items))
        return;
    if (items->kind != YAML_LIST || depth == 0) {
        diags_add(f->d, DIAG_ERROR, "R014", yaml_place(f->doc, items), "items: %s",
                  depth == 0 ? "lists in lists are nested too deep" : "a list is wanted here");
        return;
    }
    for (size_t i = 0; i < items->n; i++)
        rule_object_add(f, items->items[i], depth - 1);
}

static bool has_object(const struct yaml_docs *docs)
{
    for (size_t i = 0; i < docs->n; i++)
        if (rule_object_kind_of(docs->v[i].root) != NO_OBJECT)
            return true;
    return false;
}

/* A file that begins as a plain one may go on with what is no YAML: Prometheus does not look. */
static bool read_documents(const struct yaml_doc *first, struct arena *a, struct yaml_docs *docs,
                           struct diags *d)
{
    struct diags quiet;
    bool ok;

    if (rule_object_kind_of(first->root) != NO_OBJECT)
        return yaml_parse_all(first->source, first->file, a, docs, d);
    diags_init(&quiet);
    ok = yaml_parse_all(first->source, first->file, a, docs, &quiet);
    diags_release(&quiet);
    if (!ok)
        *docs = (struct yaml_docs){NULL, 0};
    return true;
}

static bool find_objects(const struct yaml_docs *docs, struct arena *a, struct rule_parts *out,
                         struct diags *d)
{
    struct rule_object_finder f = {.a = a, .d = d};
    size_t errors = d->errors;
    bool has_list = false;

    assume(docs->n != 0); /* one of them is an object */
    for (size_t i = 0; i < docs->n; i++) {
        f.doc = &docs->v[i];
        has_list |= rule_object_kind_of(f.doc->root) == LIST_OBJECT;
        rule_object_add(&f, f.doc->root, LISTS_MAX);
    }
    if (f.parts.n == 0 && !has_list && d->errors == errors)
        diags_add(d, DIAG_ERROR, "R014", yaml_place(f.doc, f.doc->root),
                  "no PrometheusRule is among the objects of this file");
    *out = (struct rule_parts){.v = arena_copy(a, f.parts.v, f.parts.n, f.parts.n, sizeof(*out->v)),
                               .n = f.parts.n,
                               .are_objects = true};
    vec_release(&f.parts);
    str_map_release(&f.seen);
    return d->errors == errors;
}

/* An empty first document says nothing of the others: files made of templates begin with one. */
static bool may_have_objects(const struct yaml_doc *first)
{
    return first->more || first->root == NULL || rule_object_kind_of(first->root) != NO_OBJECT;
}

bool rule_parts_find(const struct yaml_doc *first, struct arena *a, struct rule_parts *out,
                     struct diags *d)
{
    struct yaml_docs docs = {NULL, 0};

    if (may_have_objects(first)) {
        if (!read_documents(first, a, &docs, d))
            return false;
        if (has_object(&docs))
            return find_objects(&docs, a, out, d);
    }
    *out = (struct rule_parts){.v = arena_array(a, 1, sizeof(*out->v)), .n = 1};
    out->v[0] =
        (struct rule_part){.node = first->root,
                           .place = (struct diag_place){.file = first->file, .line = 1, .col = 1}};
    return true;
}

static bool holds_rules(const struct yaml_node *n, int depth)
{
    const struct yaml_node *items;

    if (rule_object_kind_of(n) == RULE_OBJECT ||
        str_is(rule_object_text_of(n, "kind"), "PrometheusRuleList"))
        return true;
    items = rule_object_kind_of(n) == LIST_OBJECT ? yaml_get(n, S("items")) : NULL;
    for (size_t i = 0; items != NULL && items->kind == YAML_LIST && depth != 0 && i < items->n; i++)
        if (holds_rules(items->items[i], depth - 1))
            return true;
    return false;
}

bool rule_object_is_in(const struct yaml_doc *first)
{
    struct yaml_docs docs;
    struct arena a;
    struct diags d;
    bool found = false;

    if (!may_have_objects(first))
        return false;
    arena_init(&a, 0);
    diags_init(&d);
    if (yaml_parse_all(first->source, first->file, &a, &docs, &d))
        for (size_t i = 0; i < docs.n; i++)
            found |= holds_rules(docs.v[i].root, LISTS_MAX);
    else
        found = holds_rules(first->root, LISTS_MAX);
    diags_release(&d);
    arena_release(&a);
    return found;
}
