/* A mapping is decoded row by row: each row looks for its key in all parts, so the order of the file does not matter and
 * a key that stands in two files is seen; where it finds none, the member is inherited or has its default. Rows of values
 * come before rows of what stands below, which may inherit them. Keys that no row knows are reported afterwards with the
 * nearest name.
 *
 * A section's check runs only when nothing in it was wrong: it would complain about what is missing because it was
 * misspelt.
 */
#include "schema/schema.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include "base/vec.h"
#include "regex/regex.h"
#include "schema/redact.h"

/* -- places and complaints -- */

static void decode_add_path(struct buf *out, const struct conf_in *in)
{
    if (in->up != NULL)
        decode_add_path(out, in->up);
    if (in->index >= 0) {
        buf_addf(out, "[%td]", in->index);
    } else if (in->key.n != 0) {
        if (out->n != 0)
            buf_addc(out, '.');
        buf_add(out, in->key);
    }
}

str conf_path(const struct conf_in *in)
{
    struct buf b = BUF_INIT;
    str path;

    decode_add_path(&b, in);
    path = arena_str(in->run->a, buf_str(&b));
    buf_release(&b);
    return path;
}

static struct diag *vcomplain(const struct conf_in *in, struct diag_place place,
                              enum diag_severity severity, const char *id, const char *fmt,
                              va_list ap)
{
    struct buf shown = BUF_INIT;
    char msg[1024];
    str path = conf_path(in);
    struct diag *g;

    vsnprintf(msg, sizeof(msg), fmt, ap);
    redact_message(&shown, str_of(msg));
    g = diags_add(in->run->d, severity, id, place, "%.*s%s%.*s", STR(path), path.n != 0 ? ": " : "",
                  STR(buf_str(&shown)));
    buf_release(&shown);
    return g;
}

static struct diag_place decode_place_of(const struct conf_in *in, const struct yaml_node *node)
{
    if (node != NULL)
        return yaml_place(in->doc, node);
    return (
        struct diag_place){.file = in->doc != NULL ? in->doc->file : STR_NONE, .line = 1, .col = 1};
}

struct diag *conf_complain(const struct conf_in *in, const struct yaml_node *node,
                           enum diag_severity severity, const char *id, const char *fmt, ...)
{
    struct diag *g;
    va_list ap;

    va_start(ap, fmt);
    g = vcomplain(in, decode_place_of(in, node), severity, id, fmt, ap);
    va_end(ap);
    return g;
}

struct conf_in conf_enter(const struct conf_in *in, str key)
{
    return (struct conf_in){
        .run = in->run, .doc = in->doc, .up = in, .above = in->above, .key = key, .index = -1};
}

struct conf_in conf_enter_item(const struct conf_in *in, size_t index)
{
    return (struct conf_in){
        .run = in->run, .doc = in->doc, .up = in, .above = in->above, .index = (ptrdiff_t)index};
}

static const char *decode_kind_of(const struct yaml_node *node)
{
    return node->kind == YAML_LIST ? "a list" : node->kind == YAML_MAP ? "a mapping" : "a scalar";
}

static bool want_kind(const struct conf_in *in, const struct yaml_node *node, enum yaml_kind kind,
                      const char *text)
{
    if (node->kind == kind)
        return true;
    conf_complain(in, node, DIAG_ERROR, "C001", "%s expected, not %s", text, decode_kind_of(node));
    return false;
}

bool conf_want_list(const struct conf_in *in, const struct yaml_node *node)
{
    return want_kind(in, node, YAML_LIST, "a list");
}

bool conf_want_scalar(const struct conf_in *in, const struct yaml_node *node)
{
    return want_kind(in, node, YAML_SCALAR, "a scalar");
}

/* -- checks -- */

struct conf_check conf_check_of(const struct conf_in *in, const struct conf_part *parts, size_t n)
{
    return (struct conf_check){.in = *in, .parts = parts, .n_parts = n};
}

static const struct yaml_node *check_find(const struct conf_check *c, const char *key,
                                          const struct yaml_doc **doc)
{
    for (size_t i = 0; i < c->n_parts; i++) {
        const struct yaml_node *hit = yaml_get(c->parts[i].node, str_of(key));

        if (hit != NULL) {
            *doc = c->parts[i].doc;
            return hit;
        }
    }
    return NULL;
}

static void check_complain(struct conf_check *c, enum diag_severity severity, const char *key,
                           const char *fmt, va_list ap)
{
    const struct yaml_doc *doc = c->n_parts != 0 ? c->parts[0].doc : c->in.doc;
    const struct yaml_node *node = c->n_parts != 0 ? c->parts[0].node : NULL;
    const struct yaml_node *hit = key != NULL ? check_find(c, key, &doc) : NULL;
    struct conf_in in = c->in, below;

    in.doc = doc;
    below = key != NULL ? conf_enter(&in, str_of(key)) : in;
    c->last =
        vcomplain(&below, decode_place_of(&in, hit != NULL && !yaml_is_null(hit) ? hit : node),
                  severity, "C009", fmt, ap);
}

void conf_error(struct conf_check *c, const char *key, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    check_complain(c, DIAG_ERROR, key, fmt, ap);
    va_end(ap);
}

void conf_warn(struct conf_check *c, const char *key, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    check_complain(c, DIAG_WARNING, key, fmt, ap);
    va_end(ap);
}

void conf_check_regex(struct conf_check *c, const char *key, str pattern)
{
    struct err e = ERR_INIT;
    struct regex *re = regex_compile(pattern, REGEX_COUNTED, &e);

    if (re == NULL)
        conf_error(c, key, "%s", e.msg);
    regex_unref(re);
}

void conf_help(struct conf_check *c, const char *fmt, ...)
{
    char msg[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(msg, sizeof(msg), fmt, ap);
    va_end(ap);
    diag_help(c->in.run->d, c->last, "%s", msg);
}

bool conf_has(const struct conf_check *c, const char *key)
{
    const struct yaml_doc *doc;

    return !yaml_is_null(check_find(c, key, &doc));
}

struct arena *conf_check_arena(struct conf_check *c)
{
    return c->in.run->a;
}

/* -- rows -- */

static void *member_of(const struct conf_layer *l, const struct conf_key *key)
{
    return (char *)l->obj + key->offset;
}

static bool is_secret(enum conf_kind kind)
{
    return kind == CONF_SECRET || kind == CONF_SECRET_URL;
}

static bool has_file_form(const struct conf_key *key)
{
    return is_secret(key->kind) && (key->flags & CONF_NO_FILE) == 0;
}

/* Whether name is the row's own, or that of its _file form. */
static bool row_has_name(const struct conf_key *key, str name)
{
    str own = str_of(key->name);

    if (str_eq(own, name))
        return true;
    return has_file_form(key) && name.n == own.n + 5 && str_starts_with(name, own) &&
           str_ends_with(name, S("_file"));
}

static void decode_set_default(struct conf_run *run, const struct conf_key *key, void *member)
{
    struct conf_in in = {.run = run, .index = -1};
    struct yaml_node node = {.kind = YAML_SCALAR, .style = YAML_PLAIN};
    void *sub;

    if (key->kind == CONF_STRUCT) {
        conf_defaults(run, key->sub, member);
    } else if (key->text != NULL && key->kind == CONF_STRUCT_PTR) {
        sub = arena_zalloc(run->a, key->sub->size);
        conf_defaults(run, key->sub, sub);
        memcpy(member, &sub, sizeof(sub));
    } else if (key->text != NULL) {
        node.text = str_of(key->text);
        BUG_ON(!conf_decode_scalar(&in, key, &node, member));
    }
}

/* As nothing was said of it, and told from all others. */
static void decode_blank(const struct conf_type *type, void *obj)
{
    static atomic_uint_fast64_t numbers;
    uint64_t number = atomic_fetch_add(&numbers, 1) + 1;

    memset(obj, 0, type->size);
    if (type->number != 0)
        memcpy((char *)obj + type->number - 1, &number, sizeof(number));
}

void conf_defaults(struct conf_run *run, const struct conf_type *type, void *obj)
{
    decode_blank(type, obj);
    for (const struct conf_key *key = type->keys; key->name != NULL; key++)
        decode_set_default(run, key, (char *)obj + key->offset);
}

/* -- what is inherited -- */

static bool decode_is_map(enum conf_kind kind)
{
    return kind == CONF_STRING_MAP || kind == CONF_LABEL_MAP;
}

static bool decode_is_text(enum conf_kind kind)
{
    switch (kind) {
    case CONF_STRING:
    case CONF_TEMPLATE:
    case CONF_WORD:
    case CONF_URL:
    case CONF_PATH:
    case CONF_SECRET:
    case CONF_SECRET_URL: return true;
    default: return false;
    }
}

/* Whether a key that stood there with a value is as good as none. */
static bool is_none(const struct conf_key *key, const void *member)
{
    return ((key->flags & CONF_EMPTY_IS_NONE) != 0 ||
            (key->above != 0 && decode_is_text(key->kind))) &&
           conf_is_empty(key, member);
}

static void inherit_row(struct arena *a, const struct conf_layer *l, const struct conf_key *key)
{
    const void *above = (const char *)l->above + key->above - 1;
    void *member = member_of(l, key);
    struct conf_map map;

    BUG_ON(key->size != key->above_size);
    if (!decode_is_map(key->kind)) {
        memcpy(member, above, key->size);
        return;
    }
    map = conf_map_merge(a, above, member);
    memcpy(member, &map, sizeof(map));
}

/* What the file does not say. Returns whether it does. */
static bool complete_row(struct conf_run *run, const struct conf_layer *l,
                         const struct conf_key *key, bool is_set)
{
    bool is_given = is_set && !is_none(key, member_of(l, key));
    bool has = is_given;

    if (key->above != 0 && l->above != NULL && (!is_given || decode_is_map(key->kind))) {
        inherit_row(run->a, l, key);
        has = !is_none(key, member_of(l, key));
    }
    if (!has)
        decode_set_default(run, key, member_of(l, key));
    return is_given;
}

static struct conf_given *given_of(const struct conf_layer *l)
{
    return (struct conf_given *)((char *)l->obj + l->type->given - 1);
}

bool conf_row_is_given(const struct conf_layer *l, size_t row)
{
    BUG_ON(l->type->given == 0);
    return (given_of(l)->rows[row / 64] >> row % 64 & 1) != 0;
}

static void note_given(const struct conf_layer *l, size_t row)
{
    if (l->type->given == 0)
        return;
    BUG_ON(row / 64 >= ARRAY_LEN(given_of(l)->rows));
    given_of(l)->rows[row / 64] |= (uint64_t)1 << row % 64;
}

bool conf_is_given(const struct conf_type *type, const void *obj, size_t offset)
{
    const struct conf_layer l = {.type = type, .obj = (void *)(uintptr_t)obj};
    size_t row = 0;

    while (type->keys[row].kind == CONF_IGNORED || type->keys[row].offset != offset) {
        BUG_ON(type->keys[row].name == NULL);
        row++;
    }
    return conf_row_is_given(&l, row);
}

struct schema_decode_list {
    void *v;
    size_t n;
};

/* Appends the elements of node to the list at member of l. Those of l's own type inherit from it. */
static bool decode_list(const struct conf_in *in, const struct conf_layer *l,
                        const struct conf_key *key, const struct yaml_node *node, void *member)
{
    const struct conf_type *type = key->sub;
    struct schema_decode_list list;
    char *v;
    bool ok = true;

    if (!conf_want_list(in, node))
        return false;
    memcpy(&list, member, sizeof(list));
    v = arena_copy(in->run->a, list.v, list.n, list.n + node->n, type->size);
    for (size_t i = 0; i < node->n; i++) {
        struct conf_in item = conf_enter_item(in, i);
        struct conf_layer layer = {type, v + (list.n + i) * type->size,
                                   (key->flags & CONF_HEIRS) != 0 ? l->above
                                   : type == l->type              ? l->obj
                                                                  : NULL};

        if (yaml_is_null(node->items[i]) && (key->flags & CONF_NO_NULLS) != 0) {
            conf_complain(&item, node->items[i], DIAG_ERROR, "C001", "empty list element");
            conf_defaults(in->run, type, layer.obj);
            ok = false;
            continue;
        }
        ok &= conf_decode_node(&item, node->items[i], &layer, 1);
    }
    list = (struct schema_decode_list){v, list.n + node->n};
    memcpy(member, &list, sizeof(list));
    return ok;
}

static bool decode_struct_ptr(const struct conf_in *in, const struct conf_key *key,
                              const struct yaml_node *node, void *member)
{
    struct conf_layer layer = {key->sub, arena_zalloc(in->run->a, key->sub->size), NULL};

    memcpy(member, &layer.obj, sizeof(layer.obj));
    return conf_decode_node(in, node, &layer, 1);
}

static bool decode_decode_value(const struct conf_in *in, const struct conf_layer *l,
                                const struct conf_key *key, const struct yaml_node *node)
{
    void *member = member_of(l, key);
    struct conf_value *value;

    switch (key->kind) {
    case CONF_IGNORED: return true;
    case CONF_CUSTOM: {
        struct conf_in at = *in;

        return key->decode(&at, node, member);
    }
    case CONF_LIST: return decode_list(in, l, key, node, member);
    case CONF_STRUCT_PTR: return decode_struct_ptr(in, key, node, member);
    case CONF_STRUCT: {
        struct conf_layer layer = {key->sub, member, NULL};

        return conf_decode_node(in, node, &layer, 1);
    }
    case CONF_MATCHERS: return conf_decode_matchers(in, node, member);
    case CONF_ANY_MAP:
        if (!want_kind(in, node, YAML_MAP, "a mapping"))
            return false;
        falls_through;
    case CONF_ANY:
        value = conf_decode_any(in, node);
        memcpy(member, &value, sizeof(value));
        return true;
    default: return conf_decode_scalar(in, key, node, member);
    }
}

/* -- mappings -- */

struct decoder {
    const struct conf_in *in;
    const struct conf_part *parts;
    size_t n_parts;
    const struct conf_layer *layers;
    size_t n_layers;
};

static bool decode_parts(const struct decoder *m);

struct occurrence {
    const struct yaml_doc *doc;
    const struct yaml_node *key, *value;
};

/* Where the key stands in the parts; at most max are written, all are counted. */
static size_t find_all(const struct decoder *m, str name, struct occurrence *out, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n_parts; i++) {
        const struct yaml_node *map = m->parts[i].node;

        if (map == NULL || map->kind != YAML_MAP)
            continue;
        for (size_t j = 0; j < map->n; j++) {
            if (!str_eq(map->pairs[j].key->text, name))
                continue;
            if (n < max)
                out[n] =
                    (struct occurrence){m->parts[i].doc, map->pairs[j].key, map->pairs[j].value};
            n++;
        }
    }
    return n;
}

static void say_flags(const struct conf_in *in, const struct conf_key *key,
                      const struct occurrence *o)
{
    if ((key->flags & CONF_LATER) != 0)
        conf_complain(in, o->key, DIAG_WARNING, "C007",
                      "accepted, but what it configures comes with a later version of tocsin");
    else if (key->kind == CONF_IGNORED)
        conf_complain(in, o->key, DIAG_WARNING, "C007", "has no meaning in tocsin and is ignored");
    if ((key->flags & CONF_DEPRECATED) != 0)
        conf_complain(in, o->key, DIAG_INFO, "C008", "deprecated: %s", key->doc);
}

static bool twice(const struct conf_in *in, const struct occurrence *a, const struct occurrence *b)
{
    struct conf_in at = *in;
    struct diag *g;

    at.doc = b->doc;
    g = conf_complain(&at, b->key, DIAG_ERROR, "C005", "stands in two files");
    diag_second(in->run->d, g, yaml_place(a->doc, a->key));
    return false;
}

enum { PARTS_MAX = 16 };

/* A mapping that several files may write: its parts are decoded together. */
static bool merge_struct(const struct conf_in *in, const struct conf_key *key,
                         const struct occurrence *o, size_t n, void *member)
{
    struct conf_part parts[PARTS_MAX];
    struct conf_layer layer = {key->sub, member, NULL};
    struct decoder sub = {in, parts, n, &layer, 1};

    for (size_t i = 0; i < n; i++)
        parts[i] = (struct conf_part){o[i].doc, o[i].value};
    return decode_parts(&sub);
}

/* *is_set: the key has a value that counts, which the member now holds. */
static bool decode_row(const struct decoder *m, const struct conf_layer *l,
                       const struct conf_key *key, bool *is_set)
{
    struct occurrence o[PARTS_MAX];
    struct conf_in in = conf_enter(m->in, str_of(key->name));
    size_t n = find_all(m, str_of(key->name), o, PARTS_MAX);
    bool ok = true;

    if (n > 1 && (key->flags & CONF_MERGE) == 0)
        return twice(&in, &o[0], &o[1]);
    if (n == 0)
        return true;
    in.doc = o[0].doc;
    in.above = l->above;
    say_flags(&in, key, &o[0]);
    if (key->kind == CONF_STRUCT && n > 1) {
        *is_set = true;
        return merge_struct(&in, key, o, n < PARTS_MAX ? n : PARTS_MAX, member_of(l, key));
    }
    for (size_t i = 0; i < n && i < PARTS_MAX; i++) {
        bool is_null = yaml_is_null(o[i].value);

        in.doc = o[i].doc;
        if (!is_null || key->kind == CONF_CUSTOM)
            ok &= decode_decode_value(&in, l, key, o[i].value);
        *is_set |= is_null ? conf_decode_empty(&in, key, o[i].key, member_of(l, key))
                           : ok || key->kind == CONF_STRUCT; /* half of it may have been read */
    }
    return ok;
}

/* The _file form of a secret. */
static bool decode_file_form(const struct decoder *m, const struct conf_layer *l,
                             const struct conf_key *key)
{
    struct secret *secret = member_of(l, key);
    struct occurrence o[2];
    struct conf_in in;
    char name[128];
    size_t n;

    snprintf(name, sizeof(name), "%s_file", key->name);
    n = find_all(m, str_of(name), o, 2);
    in = conf_enter(m->in, str_of(name));
    if (n > 1)
        return twice(&in, &o[0], &o[1]);
    if (n == 0 || yaml_is_null(o[0].value))
        return true;
    in.doc = o[0].doc;
    if (!conf_want_scalar(&in, o[0].value))
        return false;
    secret->file = o[0].value->text;
    if (secret->hidden.n != 0 && secret->file.n != 0 && (key->flags & CONF_BOTH_OK) == 0) {
        conf_complain(&in, o[0].value, DIAG_ERROR, "C004",
                      "at most one of \"%s\" and \"%s\" may be set", key->name, name);
        return false;
    }
    if ((key->flags & CONF_PATH_FIXED) == 0)
        secret->file = conf_resolve(&in, secret->file);
    else
        conf_note_named(&in, secret->file);
    conf_note_file(&in, o[0].value, secret->file);
    return true;
}

static bool row_is_given(const struct decoder *m, const struct conf_key *key)
{
    for (size_t i = 0; i < m->n_parts; i++) {
        const struct yaml_node *map = m->parts[i].node;

        for (size_t j = 0; map != NULL && map->kind == YAML_MAP && j < map->n; j++)
            if (row_has_name(key, map->pairs[j].key->text) && !yaml_is_null(map->pairs[j].value))
                return true;
    }
    return false;
}

static const struct yaml_node *first_node(const struct decoder *m)
{
    return m->n_parts != 0 ? m->parts[0].node : NULL;
}

/* An empty string is as good as none where a value is required. */
static bool is_missing(const struct decoder *m, const struct conf_key *key)
{
    for (size_t i = 0; i < m->n_parts; i++) {
        const struct yaml_node *v = yaml_get(m->parts[i].node, str_of(key->name));

        if (!yaml_is_null(v) && (v->kind != YAML_SCALAR || v->text.n != 0))
            return false;
    }
    return !has_file_form(key) || !row_is_given(m, key);
}

/* What may inherit from the mapping, or read it. */
static bool decode_is_below(enum conf_kind kind)
{
    return kind == CONF_LIST || kind == CONF_STRUCT_PTR || kind == CONF_CUSTOM;
}

static bool decode_rows(const struct decoder *m, const struct conf_layer *l, bool below)
{
    bool ok = true;

    for (const struct conf_key *key = l->type->keys; key->name != NULL; key++) {
        bool is_set = false;

        if (decode_is_below(key->kind) != below || key->kind == CONF_END)
            continue;
        ok &= decode_row(m, l, key, &is_set);
        if (has_file_form(key)) {
            ok &= decode_file_form(m, l, key);
            is_set |= secret_is_set(*(const struct secret *)member_of(l, key));
        }
        if (key->kind != CONF_IGNORED && complete_row(m->in->run, l, key, is_set))
            note_given(l, (size_t)(key - l->type->keys));
        if ((key->flags & CONF_REQUIRED) != 0 && is_missing(m, key)) {
            conf_complain(m->in, first_node(m), DIAG_ERROR, "C003", "\"%s\" is missing", key->name);
            ok = false;
        }
    }
    return ok;
}

static void decode_suggest(const struct decoder *m, struct diag *g, str name)
{
    VEC(str) names = VEC_INIT;
    const str *hit;

    for (size_t i = 0; i < m->n_layers; i++)
        for (const struct conf_key *key = m->layers[i].type->keys; key->name != NULL; key++) {
            vec_push(&names, str_of(key->name));
            if (has_file_form(key))
                vec_push(&names, arena_printf(m->in->run->a, "%s_file", key->name));
        }
    hit = str_nearest(name, names.v, names.n);
    if (hit != NULL) {
        diag_help(m->in->run->d, g, "did you mean \"%.*s\"?", STR(*hit));
        diag_fix(m->in->run->d, g, *hit);
    }
    vec_release(&names);
}

static bool knows(const struct decoder *m, str name)
{
    for (size_t i = 0; i < m->n_layers; i++)
        for (const struct conf_key *key = m->layers[i].type->keys; key->name != NULL; key++)
            if (row_has_name(key, name))
                return true;
    return false;
}

static bool find_unknown(const struct decoder *m)
{
    bool ok = true;

    for (size_t i = 0; i < m->n_parts; i++) {
        const struct yaml_node *map = m->parts[i].node;
        struct conf_in in = *m->in;

        in.doc = m->parts[i].doc;
        for (size_t j = 0; map != NULL && map->kind == YAML_MAP && j < map->n; j++) {
            const struct yaml_node *key = map->pairs[j].key;

            if (knows(m, key->text))
                continue;
            decode_suggest(m,
                           conf_complain(&in, key, DIAG_ERROR, "C002", "unknown key \"%.*s\"",
                                         STR(key->text)),
                           key->text);
            ok = false;
        }
    }
    return ok;
}

static bool decode_parts(const struct decoder *m)
{
    size_t errors = m->in->run->d->errors;
    bool ok = true;

    for (size_t i = 0; i < m->n_parts; i++) {
        struct conf_in in = *m->in;

        in.doc = m->parts[i].doc;
        if (!yaml_is_null(m->parts[i].node))
            ok &= want_kind(&in, m->parts[i].node, YAML_MAP, "a mapping");
    }
    for (size_t i = 0; i < m->n_layers; i++) {
        if (ok)
            decode_blank(m->layers[i].type, m->layers[i].obj);
        else
            conf_defaults(m->in->run, m->layers[i].type, m->layers[i].obj);
    }
    if (!ok)
        return false;
    for (size_t i = 0; i < m->n_layers; i++) {
        const struct conf_layer *l = &m->layers[i];

        if (l->type->place != 0 && m->n_parts != 0) {
            struct conf_in in = *m->in;
            struct diag_place place;

            in.doc = m->parts[0].doc;
            place = decode_place_of(&in, m->parts[0].node);
            memcpy((char *)l->obj + l->type->place - 1, &place, sizeof(place));
        }
        ok &= decode_rows(m, l, false);
        ok &= decode_rows(m, l, true);
    }
    ok &= find_unknown(m);
    for (size_t i = 0; i < m->n_layers && m->in->run->d->errors == errors; i++) {
        struct conf_check c = conf_check_of(m->in, m->parts, m->n_parts);

        if (m->layers[i].type->check != NULL)
            m->layers[i].type->check(&c, m->layers[i].obj);
    }
    return ok && m->in->run->d->errors == errors;
}

bool conf_decode_node(const struct conf_in *in, const struct yaml_node *node,
                      const struct conf_layer *layers, size_t n)
{
    struct conf_part part = {in->doc, node};
    struct decoder m = {in, &part, 1, layers, n};

    return decode_parts(&m);
}

bool conf_decode(struct conf_run *run, const struct conf_part *parts, size_t n,
                 struct conf_layer layer)
{
    struct conf_in in = {.run = run, .doc = n != 0 ? parts[0].doc : NULL, .index = -1};
    struct decoder m = {&in, parts, n, &layer, 1};

    return decode_parts(&m);
}
