/* Printing a decoded mapping as YAML again: pieces of text first, then a row by its kind. A row is left out when it
 * says nothing; a secret is printed as <secret>, so that the whole loads again. */
#include <stdio.h>
#include "codec/duration.h"
#include "codec/float.h"
#include "codec/quote.h"
#include "schema/schema.h"

/* -- pieces -- */

static void print_start_line(struct conf_out *o)
{
    if (o->fresh)
        o->fresh = false;
    else
        buf_pad(o->out, ' ', (size_t)o->indent);
}

void conf_print_key(struct conf_out *o, str key)
{
    print_start_line(o);
    conf_print_text(o, key);
    buf_addc(o->out, ':');
}

void conf_print_item(struct conf_out *o)
{
    print_start_line(o);
    buf_adds(o->out, "- ");
    o->indent += 2;
    o->fresh = true;
}

void conf_print_item_end(struct conf_out *o)
{
    if (o->fresh) /* nothing was printed in it */
        buf_adds(o->out, "{}\n");
    o->fresh = false;
    o->indent -= 2;
}

/* Whether a YAML reader takes the text, unquoted, as this very string. */
static bool is_plain_safe(str s)
{
    static const char *const words[] = {"y",    "n",     "yes",  "no", "on",   "off",
                                        "true", "false", "null", "~",  ".inf", ".nan"};
    double f;

    if (s.n == 0 || s.n > 200)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '/' ||
                    ((c == '-' || c == '.' || c == '+' || c == '@' || c == '<') && i != 0) ||
                    (c == ' ' && i != 0 && i + 1 != s.n) ||
                    (c == ':' && i + 1 != s.n && s.p[i + 1] != ' ') || (c == '>' && i != 0);

        if (!safe)
            return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq_nocase(s, str_of(words[i])))
            return false;
    return !((s.p[0] >= '0' && s.p[0] <= '9') || s.p[0] == '+') || !float_parse(s, &f, NULL);
}

void conf_print_text(struct conf_out *o, str text)
{
    if (str_is(text, "<secret>") || is_plain_safe(text))
        buf_add(o->out, text);
    else
        quote_json(o->out, text, false);
}

static void print_line(struct conf_out *o, str text)
{
    buf_addc(o->out, ' ');
    conf_print_text(o, text);
    buf_addc(o->out, '\n');
}

void conf_print_strings(struct conf_out *o, const struct conf_strings *list)
{
    if (list->n == 0) {
        buf_adds(o->out, " []\n");
        return;
    }
    buf_addc(o->out, '\n');
    for (size_t i = 0; i < list->n; i++) {
        print_start_line(o);
        buf_adds(o->out, "- ");
        conf_print_text(o, list->v[i]);
        buf_addc(o->out, '\n');
    }
}

static void print_map(struct conf_out *o, const struct conf_map *map, bool hidden)
{
    if (map->n == 0) {
        buf_adds(o->out, " {}\n");
        return;
    }
    buf_addc(o->out, '\n');
    o->indent += 2;
    for (size_t i = 0; i < map->n; i++) {
        conf_print_key(o, map->v[i].name);
        print_line(o, hidden ? S("<secret>") : map->v[i].value);
    }
    o->indent -= 2;
}

static void print_any(struct conf_out *o, const struct conf_value *v)
{
    struct json_writer w;

    json_writer_init(&w, o->out, false);
    buf_addc(o->out, ' ');
    conf_value_add_json(&w, v); /* JSON is YAML */
    buf_addc(o->out, '\n');
}

static void print_matchers(struct conf_out *o, const struct matchers *ms)
{
    if (ms->n == 0) {
        buf_adds(o->out, " []\n");
        return;
    }
    buf_addc(o->out, '\n');
    for (size_t i = 0; i < ms->n; i++) {
        struct buf text = BUF_INIT;

        matcher_print(&text, &ms->v[i]);
        print_start_line(o);
        buf_adds(o->out, "- ");
        conf_print_text(o, buf_str(&text));
        buf_addc(o->out, '\n');
        buf_release(&text);
    }
}

/* -- rows -- */

struct schema_print_list {
    const void *v;
    size_t n;
};

bool conf_kind_is_list(enum conf_kind kind)
{
    switch (kind) {
    case CONF_STRINGS:
    case CONF_PATHS:
    case CONF_LABEL_NAMES:
    case CONF_MATCHERS:
    case CONF_STRING_MAP:
    case CONF_LABEL_MAP:
    case CONF_LIST: return true;
    default: return false;
    }
}

bool conf_is_empty(const struct conf_key *key, const void *m)
{
    static const char zeros[64];

    switch (key->kind) {
    case CONF_BOOL: return !*(const bool *)m;
    case CONF_TRISTATE: return *(const enum conf_tristate *)m == CONF_UNSET;
    case CONF_INT:
    case CONF_SIZE:
    case CONF_DURATION:
    case CONF_GO_DURATION: return *(const int64_t *)m == 0;
    case CONF_FLOAT: return *(const double *)m == 0;
    case CONF_SECRET:
    case CONF_SECRET_URL: return !secret_is_set(*(const struct secret *)m);
    case CONF_STRUCT: return false;
    case CONF_STRUCT_PTR:
    case CONF_ANY:
    case CONF_ANY_MAP: return memcmp(m, zeros, sizeof(void *)) == 0;
    case CONF_CUSTOM: return key->print == NULL;
    case CONF_IGNORED:
    case CONF_END: return true;
    default: break;
    }
    if (conf_kind_is_list(key->kind))
        return ((const struct schema_print_list *)m)->n == 0;
    return ((const str *)m)->n == 0;
}

static void print_scalar(struct conf_out *o, const struct conf_key *key, const void *m)
{
    struct buf text = BUF_INIT;

    switch (key->kind) {
    case CONF_BOOL: buf_add(&text, *(const bool *)m ? S("true") : S("false")); break;
    case CONF_TRISTATE:
        buf_add(&text, *(const enum conf_tristate *)m == CONF_YES ? S("true") : S("false"));
        break;
    case CONF_INT:
    case CONF_SIZE: buf_add_i64(&text, *(const int64_t *)m); break;
    case CONF_FLOAT: float_print_g(&text, *(const double *)m); break;
    case CONF_DURATION: duration_print(&text, *(const dur_ns *)m); break;
    case CONF_GO_DURATION: go_duration_print(&text, *(const dur_ns *)m); break;
    default:
        print_line(o, (key->flags & CONF_HIDDEN) != 0 ? S("<secret>") : *(const str *)m);
        return;
    }
    buf_addf(o->out, " %.*s\n", STR(buf_str(&text)));
    buf_release(&text);
}

static void print_secret(struct conf_out *o, const struct conf_key *key, const struct secret *s)
{
    struct buf name = BUF_INIT;

    if (s->hidden.n != 0) {
        conf_print_key(o, str_of(key->name));
        print_line(o, S("<secret>"));
    }
    if (s->file.n != 0) {
        buf_addf(&name, "%s_file", key->name);
        conf_print_key(o, buf_str(&name));
        print_line(o, s->file);
    }
    buf_release(&name);
}

/* False when there was nothing to print: then the value is {}. */
static bool print_struct(struct conf_out *o, const struct conf_type *type, const void *obj)
{
    struct conf_layer layer = {type, (void *)(uintptr_t)obj, NULL};
    size_t mark;

    buf_addc(o->out, '\n');
    o->indent += 2;
    mark = o->out->n;
    conf_print_layers(o, &layer, 1);
    o->indent -= 2;
    if (o->out->n != mark)
        return true;
    o->out->n--;
    buf_adds(o->out, " {}\n");
    return false;
}

static void print_print_list(struct conf_out *o, const struct conf_type *type,
                             const struct schema_print_list *list)
{
    buf_addc(o->out, '\n');
    for (size_t i = 0; i < list->n; i++) {
        struct conf_layer layer = {type, (char *)(uintptr_t)list->v + i * type->size, NULL};

        conf_print_item(o);
        conf_print_layers(o, &layer, 1);
        conf_print_item_end(o);
    }
}

static void print_row(struct conf_out *o, const struct conf_key *key, const void *m)
{
    bool fresh = o->fresh;
    size_t mark = o->out->n;
    const void *ptr;

    if ((key->flags & CONF_UNPRINTED) != 0)
        return;
    if (conf_is_empty(key, m) && (key->flags & CONF_PRINT_EMPTY) == 0 && key->text == NULL)
        return; /* an empty value where the default is another is printed */
    if (key->kind == CONF_SECRET || key->kind == CONF_SECRET_URL) {
        print_secret(o, key, m);
        return;
    }
    if (key->kind == CONF_CUSTOM) {
        key->print(o, m); /* prints its key itself, it knows whether there is anything */
        return;
    }
    conf_print_key(o, str_of(key->name));
    switch (key->kind) {
    case CONF_STRUCT:
        if (!print_struct(o, key->sub, m)) { /* all of it is empty: take the key back */
            o->out->n = mark;
            o->fresh = fresh;
        }
        return;
    case CONF_STRUCT_PTR:
        memcpy(&ptr, m, sizeof(ptr));
        print_struct(o, key->sub, ptr);
        return;
    case CONF_LIST: print_print_list(o, key->sub, m); return;
    case CONF_STRINGS:
    case CONF_PATHS:
    case CONF_LABEL_NAMES: conf_print_strings(o, m); return;
    case CONF_STRING_MAP:
    case CONF_LABEL_MAP: print_map(o, m, (key->flags & CONF_HIDDEN) != 0); return;
    case CONF_MATCHERS: print_matchers(o, m); return;
    case CONF_ANY:
    case CONF_ANY_MAP:
        memcpy(&ptr, m, sizeof(ptr));
        print_any(o, ptr);
        return;
    default: print_scalar(o, key, m);
    }
}

void conf_print_layers(struct conf_out *o, const struct conf_layer *layers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; layers[i].type->keys[k].name != NULL; k++)
            if ((layers[i].type->keys[k].flags & CONF_PRINT_GIVEN) == 0 ||
                conf_row_is_given(&layers[i], k))
                print_row(o, &layers[i].type->keys[k],
                          (const char *)layers[i].obj + layers[i].type->keys[k].offset);
}

void conf_print_yaml(struct buf *out, const struct conf_type *type, const void *obj)
{
    struct conf_layer layer = {type, (void *)(uintptr_t)obj, NULL};
    struct conf_out o = {.out = out};

    conf_print_layers(&o, &layer, 1);
}
