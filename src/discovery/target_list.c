#include "discovery/target_list.h"

#include "codec/json.h"
#include "codec/yaml.h"
#include "model/labels.h"

enum { TEXT_MAX = 10 << 20, DEPTH_MAX = 8 };

void target_list_init(struct target_list *l)
{
    *l = (struct target_list){0};
    arena_init(&l->a, 0);
}

void target_list_release(struct target_list *l)
{
    vec_release(&l->v);
    arena_release(&l->a);
}

void target_list_add(struct target_list *l, str address, const struct label *more, size_t n)
{
    struct label *v = arena_array(&l->a, n + 1, sizeof(*v));
    struct labels ls = {v, 1};
    str dup;

    v[0] = (struct label){S("__address__"), arena_str(&l->a, address)};
    for (size_t i = 0; i < n; i++)
        if (!str_is(more[i].name, "__address__"))
            v[ls.n++] =
                (struct label){arena_str(&l->a, more[i].name), arena_str(&l->a, more[i].value)};
    ls.n = labels_sort(v, ls.n, &dup);
    vec_push(&l->v, ls);
}

/* -- a group while it is read -- */

struct group {
    VEC(str) targets;
    VEC(struct label) labels;
};

static void group_begin(struct group *g)
{
    vec_clear(&g->targets);
    vec_clear(&g->labels);
}

/* The last of two labels of one name wins, as in Go's maps. False: the name is none. */
static bool group_label(struct group *g, str name, str value)
{
    if (!label_name_is_utf8(name))
        return false;
    VEC_EACH (struct label *, l, &g->labels)
        if (str_eq(l->name, name)) {
            l->value = value;
            return true;
        }
    vec_push(&g->labels, (struct label){name, value});
    return true;
}

static void group_end(struct group *g, struct target_list *l, struct label meta)
{
    (void)group_label(g, meta.name, meta.value);
    VEC_EACH (str *, t, &g->targets)
        target_list_add(l, *t, g->labels.v, g->labels.n);
}

static void group_release(struct group *g)
{
    vec_release(&g->targets);
    vec_release(&g->labels);
}

/* -- JSON -- */

static void json_group(struct json_reader *r, struct group *g)
{
    str key, text;

    for (json_object_begin(r); json_object_next(r, &key);) {
        if (str_is(key, "targets")) {
            vec_clear(&g->targets); /* of two the last counts */
            for (json_array_begin(r); json_array_next(r);)
                if (json_string(r, &text))
                    vec_push(&g->targets, text);
        } else if (str_is(key, "labels") && json_peek(r) != JSON_NULL) {
            str name;

            vec_clear(&g->labels);
            for (json_object_begin(r); json_object_next(r, &name);)
                if (json_string(r, &text) && !group_label(g, name, text))
                    json_fail(r, "\"%.*s\" is not a label name", STR(name));
        } else {
            json_skip(r);
        }
    }
}

bool target_list_read_json(struct target_list *l, str text, struct label meta, struct err *e)
{
    struct json_reader r;
    struct group g = {0};

    if (text.n > TEXT_MAX)
        return err_set(e, ERR_LIMIT, "the list of targets is larger than %d bytes", TEXT_MAX);
    json_reader_init(&r, text, &l->a, DEPTH_MAX);
    for (json_array_begin(&r); json_array_next(&r);) {
        group_begin(&g);
        json_group(&r, &g);
        group_end(&g, l, meta);
    }
    group_release(&g);
    if (json_end(&r))
        return true;
    return err_at(e, r.err.line, r.err.col, "line %d: %s", r.err.line, r.err.msg);
}

/* -- YAML -- */

static bool expected(const struct yaml_node *node, const char *what, struct err *e)
{
    return err_at(e, node->start.line, node->start.col, "line %d: %s expected", node->start.line,
                  what);
}

static bool yaml_group(const struct yaml_node *node, struct group *g, struct err *e)
{
    static const char group[] = "a group with \"targets\" and \"labels\"";
    const struct yaml_node *targets = yaml_get(node, S("targets")),
                           *labels = yaml_get(node, S("labels"));

    if (node->kind != YAML_MAP || (!yaml_is_null(targets) && targets->kind != YAML_LIST) ||
        (!yaml_is_null(labels) && labels->kind != YAML_MAP))
        return expected(node, group, e);
    for (size_t i = 0; !yaml_is_null(targets) && i < targets->n; i++) {
        if (targets->items[i]->kind != YAML_SCALAR)
            return expected(node, group, e);
        vec_push(&g->targets, targets->items[i]->text);
    }
    for (size_t i = 0; !yaml_is_null(labels) && i < labels->n; i++) {
        if (labels->pairs[i].value->kind != YAML_SCALAR)
            return expected(node, group, e);
        if (!group_label(g, labels->pairs[i].key->text, labels->pairs[i].value->text))
            return err_at(e, labels->pairs[i].key->start.line, labels->pairs[i].key->start.col,
                          "line %d: \"%.*s\" is not a label name", labels->pairs[i].key->start.line,
                          STR(labels->pairs[i].key->text));
    }
    return true;
}

static bool yaml_groups(const struct yaml_node *root, struct target_list *l, struct label meta,
                        struct err *e)
{
    struct group g = {0};
    bool ok = true;

    if (root->kind != YAML_LIST)
        return expected(root, "a list of groups", e);
    for (size_t i = 0; ok && i < root->n; i++) {
        group_begin(&g);
        ok = yaml_group(root->items[i], &g, e);
        group_end(&g, l, meta);
    }
    group_release(&g);
    return ok;
}

bool target_list_read_yaml(struct target_list *l, str text, struct label meta, struct err *e)
{
    struct yaml_doc doc;
    struct diags d;
    bool ok;

    if (text.n > TEXT_MAX)
        return err_set(e, ERR_LIMIT, "the list of targets is larger than %d bytes", TEXT_MAX);
    diags_init(&d);
    ok = yaml_parse(text, STR_NONE, &l->a, &doc, &d);
    if (!ok)
        err_at(e, d.v[0].place.line, d.v[0].place.col, "line %d: %.*s", d.v[0].place.line,
               STR(d.v[0].message));
    diags_release(&d);
    return ok && (yaml_is_null(doc.root) || yaml_groups(doc.root, l, meta, e));
}
