#include "codec/yaml_priv.h"

struct diag_place yaml_place_at(const struct yaml_doc *doc, struct yaml_mark m, size_t len)
{
    return (
        struct diag_place){.file = doc->file, .line = m.line, .col = m.col, .at = m.at, .len = len};
}

size_t yaml_next_line(str s, size_t at)
{
    const char *hit = at < s.n ? memchr(s.p + at, '\n', s.n - at) : NULL;

    return hit != NULL ? (size_t)(hit - s.p) + 1 : s.n;
}

struct yaml_node *yaml_get(const struct yaml_node *map, str key)
{
    if (map == NULL || map->kind != YAML_MAP)
        return NULL;
    for (size_t i = 0; i < map->n; i++)
        if (str_eq(map->pairs[i].key->text, key))
            return map->pairs[i].value;
    return NULL;
}

bool yaml_is_null(const struct yaml_node *n)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};

    if (n == NULL)
        return true;
    if (n->kind != YAML_SCALAR || n->style != YAML_PLAIN)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_is(n->text, words[i]))
            return true;
    return false;
}

struct diag_place yaml_place(const struct yaml_doc *doc, const struct yaml_node *n)
{
    size_t len = n->kind == YAML_SCALAR && n->end.at > n->start.at ? n->end.at - n->start.at : 0;

    if (len != 0 && (n->style == YAML_LITERAL || n->style == YAML_FOLDED))
        len = 1;
    return yaml_place_at(doc, n->start, len);
}

/* Where the decoded text stands byte for byte in the file, or SIZE_MAX. */
static size_t verbatim_at(const struct yaml_doc *doc, const struct yaml_node *n)
{
    size_t at = n->start.at + (n->text_col - n->start.col == 1 ? 1 : 0);

    if (n->style == YAML_LITERAL || n->style == YAML_FOLDED)
        return SIZE_MAX;
    return str_eq(str_sub(doc->source, at, at + n->text.n), n->text) ? at : SIZE_MAX;
}

struct diag_place yaml_place_in(const struct yaml_doc *doc, const struct yaml_node *n,
                                size_t offset, size_t len)
{
    struct diag_place p = yaml_place(doc, n);
    size_t at = n->kind == YAML_SCALAR ? verbatim_at(doc, n) : SIZE_MAX, line_start = 0, file_at;

    if (n->kind != YAML_SCALAR || offset > n->text.n)
        return p;
    if (at != SIZE_MAX) {
        p.at = at + offset;
        p.col = n->text_col + (int)offset;
        p.len = len;
        return p;
    }
    if (n->style != YAML_LITERAL)
        return p;
    file_at = yaml_next_line(doc->source, n->start.at);
    p.line = n->text_line;
    for (size_t i = 0; i < offset; i++) {
        if (n->text.p[i] != '\n')
            continue;
        line_start = i + 1;
        p.line++;
        file_at = yaml_next_line(doc->source, file_at);
    }
    p.col = n->text_col + (int)(offset - line_start);
    p.at = file_at + (size_t)(p.col - 1);
    p.len = len;
    return p;
}
