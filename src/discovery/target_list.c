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

struct target_list_group {
    VEC(str) targets;
    VEC(struct label) labels;
};

static void group_begin(struct target_list_group *g)
{
    vec_clear(&g->targets);
    vec_clear(&g->labels);
}

/* False: the name is none. */
static bool group_label(struct target_list_group *g, str name, str value)
{
    if (!label_name_is_utf8(name))
        return false;
    vec_push(&g->labels, (struct label){name, value});
    return true;
}

/* The last of two labels of one name wins, as in Go's maps. */
static void group_end(struct target_list_group *g, struct target_list *l, struct label meta)
{
    (void)group_label(g, meta.name, meta.value);
    g->labels.n = labels_sort_last(g->labels.v, g->labels.n);
    VEC_EACH (str *, t, &g->targets)
        target_list_add(l, *t, g->labels.v, g->labels.n);
}

static void group_release(struct target_list_group *g)
{
    vec_release(&g->targets);
    vec_release(&g->labels);
}

/* -- keys of a group -- */

/* What belongs to a job, and the label that says it for the targets of a group. */
static const struct job_key {
    const char *key, *label;
} job_keys[] = {
    {"metrics_path", "__metrics_path__"},
    {"scheme", "__scheme__"},
    {"scrape_interval", "__scrape_interval__"},
    {"scrape_timeout", "__scrape_timeout__"},
    {"params", "__param_<name>"},
    {"job_name", "job"},
    {"job", "job"},
};

static str unknown_key(struct arena *a, str key)
{
    for (size_t i = 0; i < ARRAY_LEN(job_keys); i++)
        if (str_is(key, job_keys[i].key))
            return arena_printf(a,
                                "\"%.*s\" belongs in the job of the configuration, or here in "
                                "\"labels\" as \"%s\"",
                                STR(key), job_keys[i].label);
    return arena_printf(a, "unknown key \"%.*s\", a group has \"targets\" and \"labels\"",
                        STR(key));
}

/* -- JSON -- */

/* Of two members of one name the last counts. */
static void json_targets(struct json_reader *r, struct target_list_group *g)
{
    str text;

    vec_clear(&g->targets);
    if (json_peek(r) == JSON_NULL) {
        json_skip(r);
        return;
    }
    for (json_array_begin(r); json_array_next(r);)
        if (json_string(r, &text))
            vec_push(&g->targets, text);
}

static void json_labels(struct json_reader *r, struct target_list_group *g)
{
    str name, text;

    vec_clear(&g->labels);
    if (json_peek(r) == JSON_NULL) {
        json_skip(r);
        return;
    }
    for (json_object_begin(r); json_object_next(r, &name);)
        if (json_string(r, &text) && !group_label(g, name, text))
            json_fail(r, "\"%.*s\" is not a label name", STR(name));
}

static void json_group(struct json_reader *r, struct target_list_group *g)
{
    str key;

    for (json_object_begin(r); json_object_next(r, &key);) {
        if (json_key_is(key, "targets"))
            json_targets(r, g);
        else if (json_key_is(key, "labels"))
            json_labels(r, g);
        else
            json_fail(r, "%.*s", STR(unknown_key(r->a, key)));
    }
}

bool target_list_read_json(struct target_list *l, str text, struct label meta, struct err *e)
{
    struct json_reader r;
    struct target_list_group g = {0};

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

static bool wrong(const struct yaml_node *node, str what, struct err *e)
{
    return err_at(e, node->start.line, node->start.col, "line %d: %.*s", node->start.line,
                  STR(what));
}

static bool yaml_targets(const struct yaml_node *list, struct target_list_group *g, struct err *e)
{
    if (yaml_is_null(list))
        return true;
    if (list->kind != YAML_LIST)
        return wrong(list, S("\"targets\" is a list of addresses"), e);
    for (size_t i = 0; i < list->n; i++) {
        if (list->items[i]->kind != YAML_SCALAR || yaml_is_null(list->items[i]))
            return wrong(list->items[i], S("a target is an address, host:port"), e);
        vec_push(&g->targets, list->items[i]->text);
    }
    return true;
}

static bool yaml_labels(const struct yaml_node *map, struct target_list_group *g, struct arena *a,
                        struct err *e)
{
    if (yaml_is_null(map))
        return true;
    if (map->kind != YAML_MAP)
        return wrong(map, S("\"labels\" is a map from names to values"), e);
    for (size_t i = 0; i < map->n; i++) {
        const struct yaml_node *name = map->pairs[i].key, *value = map->pairs[i].value;

        if (value->kind != YAML_SCALAR)
            return wrong(
                value,
                arena_printf(a, "the value of label \"%.*s\" is not a text", STR(name->text)), e);
        if (!group_label(g, name->text, yaml_is_null(value) ? S("") : value->text))
            return wrong(name, arena_printf(a, "\"%.*s\" is not a label name", STR(name->text)), e);
    }
    return true;
}

static bool yaml_group(const struct yaml_node *node, struct target_list_group *g, struct arena *a,
                       struct err *e)
{
    if (node->kind != YAML_MAP)
        return wrong(node, S("a group with \"targets\" and \"labels\" expected"), e);
    for (size_t i = 0; i < node->n; i++) {
        const struct yaml_pair *p = &node->pairs[i];

        if (str_is(p->key->text, "targets")  ? !yaml_targets(p->value, g, e)
            : str_is(p->key->text, "labels") ? !yaml_labels(p->value, g, a, e)
                                             : !wrong(p->key, unknown_key(a, p->key->text), e))
            return false;
    }
    return true;
}

static bool yaml_groups(const struct yaml_node *root, struct target_list *l, struct label meta,
                        struct err *e)
{
    struct target_list_group g = {0};
    bool ok = true;

    if (root->kind != YAML_LIST)
        return wrong(root, S("a list of groups expected"), e);
    for (size_t i = 0; ok && i < root->n; i++) {
        group_begin(&g);
        ok = yaml_group(root->items[i], &g, &l->a, e);
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
    if (ok && yaml_is_null(doc.root))
        return err_set(e, ERR_INVALID, "nothing is written there: [] lists no targets");
    return ok && yaml_groups(doc.root, l, meta, e);
}
