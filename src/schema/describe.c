/* The same tables as a JSON schema (for editors) and as documentation. A type that contains itself is named in $defs. */
#include "base/vec.h"
#include "codec/json.h"
#include "schema/schema.h"

const char *conf_kind_text(enum conf_kind kind)
{
    switch (kind) {
    case CONF_BOOL:
    case CONF_TRISTATE: return "bool";
    case CONF_INT: return "integer";
    case CONF_FLOAT: return "number";
    case CONF_STRING:
    case CONF_WORD: return "string";
    case CONF_TEMPLATE: return "template";
    case CONF_SECRET: return "secret";
    case CONF_SECRET_URL: return "secret URL";
    case CONF_URL: return "URL";
    case CONF_DURATION: return "duration";
    case CONF_GO_DURATION: return "Go duration";
    case CONF_SIZE: return "size";
    case CONF_PATH: return "path";
    case CONF_STRINGS: return "list of strings";
    case CONF_PATHS: return "list of paths";
    case CONF_LABEL_NAMES: return "list of label names";
    case CONF_MATCHERS: return "list of matchers";
    case CONF_STRING_MAP:
    case CONF_LABEL_MAP: return "map of strings";
    case CONF_LIST: return "list";
    case CONF_STRUCT:
    case CONF_STRUCT_PTR:
    case CONF_ANY_MAP: return "mapping";
    default: return "any";
    }
}

/* -- the types below a type, each once -- */

struct type_list {
    const struct conf_type **v;
    size_t n, cap;
};

static void describe_collect(struct type_list *list, const struct conf_type *type)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->v[i] == type)
            return;
    vec_push(list, type);
    for (const struct conf_key *key = type->keys; key->name != NULL; key++)
        if (key->sub != NULL)
            describe_collect(list, key->sub);
}

/* -- JSON schema -- */

static void describe_put(struct json_writer *w, const char *key, const char *value)
{
    json_key(w, str_of(key));
    json_put_str(w, str_of(value));
}

static void put_ref(struct json_writer *w, const struct conf_type *type)
{
    struct buf ref = BUF_INIT;

    buf_addf(&ref, "#/$defs/%s", type->name);
    json_key(w, S("$ref"));
    json_put_str(w, buf_str(&ref));
    buf_release(&ref);
}

static void put_items(struct json_writer *w, const struct conf_key *key)
{
    describe_put(w, "type", "array");
    json_key(w, S("items"));
    json_open(w, '{');
    if (key->sub != NULL)
        put_ref(w, key->sub);
    else
        describe_put(w, "type", "string");
    json_close(w, '}');
}

static void put_words(struct json_writer *w, const struct conf_key *key)
{
    json_key(w, S("enum"));
    json_open(w, '[');
    for (const char *const *word = key->words; *word != NULL; word++)
        json_put_str(w, str_of(*word));
    json_close(w, ']');
}

static void put_type(struct json_writer *w, const struct conf_key *key)
{
    switch (key->kind) {
    case CONF_BOOL:
    case CONF_TRISTATE: describe_put(w, "type", "boolean"); return;
    case CONF_INT: describe_put(w, "type", "integer"); return;
    case CONF_FLOAT: describe_put(w, "type", "number"); return;
    case CONF_STRINGS:
    case CONF_PATHS:
    case CONF_LABEL_NAMES:
    case CONF_MATCHERS:
    case CONF_LIST: put_items(w, key); return;
    case CONF_STRING_MAP:
    case CONF_LABEL_MAP:
    case CONF_ANY_MAP: describe_put(w, "type", "object"); return;
    case CONF_STRUCT:
    case CONF_STRUCT_PTR: put_ref(w, key->sub); return;
    case CONF_WORD: put_words(w, key); return;
    case CONF_ANY:
    case CONF_CUSTOM:
    case CONF_IGNORED:
    case CONF_END: return;
    default: break;
    }
    json_key(w, S("type")); /* numbers and booleans are taken as text */
    json_open(w, '[');
    json_put_str(w, S("string"));
    json_put_str(w, S("number"));
    json_put_str(w, S("boolean"));
    json_close(w, ']');
}

static void put_property(struct json_writer *w, const struct conf_key *key, const char *suffix)
{
    struct buf name = BUF_INIT;

    buf_addf(&name, "%s%s", key->name, suffix);
    json_key(w, buf_str(&name));
    buf_release(&name);
    json_open(w, '{');
    if (suffix[0] != '\0')
        describe_put(w, "type", "string");
    else
        put_type(w, key);
    if (key->doc != NULL)
        describe_put(w, "description", key->doc);
    if (key->text != NULL && key->sub == NULL && suffix[0] == '\0')
        describe_put(w, "default", key->text);
    if ((key->flags & CONF_DEPRECATED) != 0) {
        json_key(w, S("deprecated"));
        json_put_bool(w, true);
    }
    json_close(w, '}');
}

static void describe_put_object(struct json_writer *w, const struct conf_type *type)
{
    describe_put(w, "type", "object");
    json_key(w, S("additionalProperties"));
    json_put_bool(w, false);
    json_key(w, S("properties"));
    json_open(w, '{');
    for (const struct conf_key *key = type->keys; key->name != NULL; key++) {
        put_property(w, key, "");
        if ((key->kind == CONF_SECRET || key->kind == CONF_SECRET_URL) &&
            (key->flags & CONF_NO_FILE) == 0)
            put_property(w, key, "_file");
    }
    json_close(w, '}');
}

void conf_print_json_schema(struct buf *out, const struct conf_type *type)
{
    struct type_list types = {0};
    struct json_writer w;

    describe_collect(&types, type);
    json_writer_init(&w, out, false);
    json_open(&w, '{');
    describe_put(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
    describe_put(&w, "title", type->name);
    describe_put_object(&w, type);
    json_key(&w, S("$defs"));
    json_open(&w, '{');
    for (size_t i = 1; i < types.n; i++) {
        json_key(&w, str_of(types.v[i]->name));
        json_open(&w, '{');
        describe_put_object(&w, types.v[i]);
        json_close(&w, '}');
    }
    json_close(&w, '}');
    json_close(&w, '}');
    vec_release(&types);
}

/* -- Markdown -- */

static void add_cell(struct buf *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '|')
            buf_addc(out, '\\');
        buf_addc(out, *p);
    }
}

static void add_default(struct buf *out, const struct conf_key *key)
{
    if ((key->flags & CONF_REQUIRED) != 0) {
        buf_adds(out, "required");
        return;
    }
    if (key->above != 0)
        buf_adds(out, "inherited");
    if (key->text != NULL && key->sub == NULL) {
        buf_addf(out, "%s`", key->above != 0 ? ", " : "");
        add_cell(out, key->text);
        buf_addc(out, '`');
    }
}

void conf_print_markdown(struct buf *out, const struct conf_type *type)
{
    struct type_list types = {0};

    describe_collect(&types, type);
    for (size_t i = 0; i < types.n; i++) {
        const struct conf_type *t = types.v[i];

        buf_addf(out, "%s## `%s`\n\n", i != 0 ? "\n" : "", t->name);
        if (t->doc != NULL)
            buf_addf(out, "%s\n\n", t->doc);
        buf_adds(out, "| key | type | default | meaning |\n|---|---|---|---|\n");
        for (const struct conf_key *key = t->keys; key->name != NULL; key++) {
            buf_addf(out, "| `%s` | %s", key->name, conf_kind_text(key->kind));
            if (key->sub != NULL)
                buf_addf(out, " `%s`", key->sub->name);
            buf_adds(out, " | ");
            add_default(out, key);
            buf_adds(out, " | ");
            add_cell(out, key->doc != NULL ? key->doc : "");
            buf_addf(out, "%s |\n", (key->flags & CONF_DEPRECATED) != 0 ? " (deprecated)" : "");
        }
    }
    vec_release(&types);
}
