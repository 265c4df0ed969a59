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

/* A mapping: of one type, or of two at once. */
struct described {
    const struct conf_type *type, *beside;
};

struct type_list {
    struct described *v;
    size_t n, cap;
};

static void describe_collect(struct type_list *list, const struct conf_type *type,
                             const struct conf_type *beside)
{
    const struct conf_type *both[] = {type, beside};

    for (size_t i = 0; i < list->n; i++)
        if (list->v[i].type == type && list->v[i].beside == beside)
            return;
    vec_push(list, (struct described){type, beside});
    for (size_t i = 0; i < ARRAY_LEN(both) && both[i] != NULL; i++)
        for (const struct conf_key *key = both[i]->keys; key->name != NULL; key++)
            if (key->sub != NULL)
                describe_collect(list, key->sub, key->beside);
}

static void add_type_name(struct buf *out, const struct conf_type *type,
                          const struct conf_type *beside)
{
    buf_addf(out, "%s%s%s", type->name, beside != NULL ? "_with_" : "",
             beside != NULL ? beside->name : "");
}

/* -- JSON schema: what is absent may be null, and a text may look like a number -- */

static void describe_put(struct json_writer *w, const char *key, const char *value)
{
    json_key(w, str_of(key));
    json_put_str(w, str_of(value));
}

static void add_ref(struct buf *out, const struct conf_key *key)
{
    buf_adds(out, "{\"anyOf\":[{\"type\":\"null\"},{\"$ref\":\"#/$defs/");
    add_type_name(out, key->sub, key->beside);
    buf_adds(out, "\"}]}");
}

/* The schema of the value, as text. */
static void describe_add_type(struct buf *out, const struct conf_key *key)
{
    static const char text[] = "{\"type\":[\"string\",\"number\",\"boolean\",\"null\"]}";
    const char *json = key->json;

    switch (key->kind) {
    case CONF_BOOL:
    case CONF_TRISTATE: json = "{\"type\":[\"boolean\",\"string\",\"null\"]}"; break;
    case CONF_INT: json = "{\"type\":[\"integer\",\"string\",\"null\"]}"; break;
    case CONF_FLOAT: json = "{\"type\":[\"number\",\"string\",\"null\"]}"; break;
    case CONF_STRINGS:
    case CONF_PATHS:
    case CONF_LABEL_NAMES:
        json = (key->flags & CONF_ONE_OR_LIST) != 0 ? "{\"type\":[\"array\",\"string\",\"number\","
                                                      "\"null\"],\"items\":{\"type\":[\"string\","
                                                      "\"number\",\"boolean\",\"null\"]}}"
                                                    : "{\"type\":[\"array\",\"null\"],\"items\":{"
                                                      "\"type\":[\"string\",\"number\",\"boolean\","
                                                      "\"null\"]}}";
        break;
    case CONF_MATCHERS:
        json =
            "{\"type\":[\"array\",\"string\",\"null\"],\"items\":{\"type\":[\"string\",\"null\"]}}";
        break;
    case CONF_LIST: json = CONF_JSON_LIST; break;
    case CONF_STRING_MAP:
    case CONF_LABEL_MAP:
        json = "{\"type\":[\"object\",\"null\"],\"additionalProperties\":{\"type\":[\"string\","
               "\"number\","
               "\"boolean\",\"null\"]}}";
        break;
    case CONF_ANY_MAP: json = "{\"type\":[\"object\",\"null\"]}"; break;
    case CONF_STRUCT:
    case CONF_STRUCT_PTR: json = "@"; break;
    case CONF_ANY:
    case CONF_IGNORED: json = "{}"; break;
    case CONF_CUSTOM: json = json != NULL ? json : key->sub != NULL ? "@" : "{}"; break;
    default: json = text; break;
    }
    for (; *json != '\0'; json++)
        if (*json == '@')
            add_ref(out, key);
        else
            buf_addc(out, *json);
}

static void put_words(struct json_writer *w, const struct conf_key *key)
{
    json_key(w, S("enum"));
    json_open(w, '[');
    for (const char *const *word = key->words; *word != NULL; word++)
        json_put_str(w, str_of(*word));
    json_put_str(w, S(""));
    json_put_null(w);
    json_close(w, ']');
}

static void put_type(struct json_writer *w, const struct conf_key *key)
{
    struct buf type = BUF_INIT;

    if (key->kind == CONF_WORD && key->words != NULL) {
        put_words(w, key);
        return;
    }
    describe_add_type(&type, key);
    json_key(w, S("allOf"));
    json_open(w, '[');
    json_put_raw(w, buf_str(&type));
    json_close(w, ']');
    buf_release(&type);
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

static void put_properties(struct json_writer *w, const struct conf_type *type)
{
    for (const struct conf_key *key = type->keys; key->name != NULL; key++) {
        put_property(w, key, "");
        if ((key->kind == CONF_SECRET || key->kind == CONF_SECRET_URL) &&
            (key->flags & CONF_NO_FILE) == 0)
            put_property(w, key, "_file");
    }
}

static void describe_put_object(struct json_writer *w, struct described d)
{
    describe_put(w, "type", "object");
    if (d.type->doc != NULL)
        describe_put(w, "description", d.type->doc);
    json_key(w, S("additionalProperties"));
    json_put_bool(w, false);
    json_key(w, S("properties"));
    json_open(w, '{');
    put_properties(w, d.type);
    if (d.beside != NULL)
        put_properties(w, d.beside);
    json_close(w, '}');
}

void conf_print_json_schema(struct buf *out, const struct conf_type *type)
{
    struct type_list types = {0};
    struct json_writer w;

    describe_collect(&types, type, NULL);
    json_writer_init(&w, out, false);
    json_open(&w, '{');
    describe_put(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
    describe_put(&w, "title", type->name);
    describe_put_object(&w, types.v[0]);
    json_key(&w, S("$defs"));
    json_open(&w, '{');
    for (size_t i = 1; i < types.n; i++) {
        struct buf name = BUF_INIT;

        add_type_name(&name, types.v[i].type, types.v[i].beside);
        json_key(&w, buf_str(&name));
        buf_release(&name);
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

static void add_row(struct buf *out, const struct conf_key *key)
{
    bool is_list =
        key->kind == CONF_CUSTOM && key->json != NULL && strcmp(key->json, CONF_JSON_LIST) == 0;

    buf_addf(out, "| `%s` | %s", key->name, is_list ? "list" : conf_kind_text(key->kind));
    if (key->sub != NULL)
        buf_addf(out, " `%s`", key->sub->name);
    if (key->beside != NULL)
        buf_addf(out, " with `%s`", key->beside->name);
    buf_adds(out, " | ");
    add_default(out, key);
    buf_adds(out, " | ");
    add_cell(out, key->doc != NULL ? key->doc : "");
    buf_addf(out, "%s |\n", (key->flags & CONF_DEPRECATED) != 0 ? " (deprecated)" : "");
}

static void add_section(struct buf *out, const struct conf_type *t, bool is_first)
{
    buf_addf(out, "%s## `%s`\n\n", is_first ? "" : "\n", t->name);
    if (t->doc != NULL)
        buf_addf(out, "%s\n\n", t->doc);
    buf_adds(out, "| key | type | default | meaning |\n|---|---|---|---|\n");
    for (const struct conf_key *key = t->keys; key->name != NULL; key++)
        add_row(out, key);
}

void conf_print_markdown(struct buf *out, const struct conf_type *type)
{
    struct type_list types = {0};

    describe_collect(&types, type, NULL);
    for (size_t i = 0; i < types.n; i++) {
        bool seen = false;

        for (size_t k = 0; k < i; k++)
            seen |= types.v[k].type == types.v[i].type;
        if (!seen)
            add_section(out, types.v[i].type, i == 0);
    }
    vec_release(&types);
}

/* -- one key -- */

static bool is_key(const struct conf_type *t, const struct conf_key *key, str name)
{
    ptrdiff_t dot = str_find(name, '.');

    if (dot < 0)
        return str_is(name, key->name);
    return str_is(str_sub(name, 0, (size_t)dot), t->name) &&
           str_is(str_sub(name, (size_t)dot + 1, name.n), key->name);
}

static void describe_key(struct buf *out, const struct conf_type *t, const struct conf_key *key)
{
    buf_addf(out, "%s.%s: %s", t->name, key->name, conf_kind_text(key->kind));
    if (key->sub != NULL)
        buf_addf(out, " of %s", key->sub->name);
    if ((key->flags & CONF_REQUIRED) != 0)
        buf_adds(out, ", required");
    if (key->above != 0)
        buf_adds(out, ", inherited");
    if (key->text != NULL && key->sub == NULL)
        buf_addf(out, ", default %s", key->text[0] != '\0' ? key->text : "empty");
    buf_addf(out, "%s\n    %s\n", (key->flags & CONF_DEPRECATED) != 0 ? ", deprecated" : "",
             key->doc != NULL ? key->doc : "");
}

bool conf_describe_key(struct buf *out, const struct conf_type *type, str key, str *near)
{
    VEC(str) names = VEC_INIT;
    struct type_list types = {0};
    size_t before = out->n;
    const str *found;

    describe_collect(&types, type, NULL);
    for (size_t i = 0; i < types.n; i++)
        for (const struct conf_key *k = types.v[i].type->keys; k->name != NULL; k++) {
            vec_push(&names, str_of(k->name));
            if (is_key(types.v[i].type, k, key))
                describe_key(out, types.v[i].type, k);
        }
    found = str_nearest(key, names.v, names.n);
    *near = found != NULL ? *found : STR_NONE;
    vec_release(&names);
    vec_release(&types);
    return out->n != before;
}
