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

/* -- places inside of a scalar -- */

struct yaml_aligned {
    str raw; /* the file */
    size_t at;
    char quote; /* of the scalar; 0: none */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* What an escape stands for; 0: one that is not followed here. */
static char yaml_escape(char c)
{
    static const char from[] = "ntr \n\"\\/", to[] = "\n\t\r \n\"\\/";
    const char *hit = c != '\0' ? strchr(from, c) : NULL;

    return hit != NULL ? to[hit - from] : '\0';
}

/* Past blanks, and escapes that stand for such: how many there are says the file, not the decoded text. */
static void skip_blanks(struct yaml_aligned *y)
{
    while (y->at < y->raw.n) {
        size_t n = is_blank(y->raw.p[y->at]) ? 1 : 0;

        if (y->quote == '"' && y->raw.p[y->at] == '\\' && y->at + 1 < y->raw.n &&
            is_blank(yaml_escape(y->raw.p[y->at + 1])))
            n = 2;
        if (n == 0)
            return;
        y->at += n;
    }
}

/* Past one character of the decoded text that is no blank. */
static bool align_byte(struct yaml_aligned *y, char c)
{
    if (y->at >= y->raw.n)
        return false;
    if (y->quote == '"' && y->raw.p[y->at] == '\\') {
        y->at += 2;
        return y->at <= y->raw.n && yaml_escape(y->raw.p[y->at - 1]) == c;
    }
    y->at += y->quote == '\'' && c == '\'' ? 2 : 1;
    return y->at <= y->raw.n && y->raw.p[y->at - 1] == c;
}

static bool align_begin(struct yaml_aligned *y, const struct yaml_doc *doc,
                        const struct yaml_node *n)
{
    *y = (struct yaml_aligned){.raw = doc->source, .at = n->start.at};
    if (n->kind != YAML_SCALAR || y->at >= y->raw.n)
        return false;
    if (n->style == YAML_LITERAL || n->style == YAML_FOLDED) {
        y->at = yaml_next_line(doc->source, y->at);
    } else if (n->style == YAML_QUOTED) {
        y->quote = y->raw.p[y->at++];
        return y->quote == '"' || y->quote == '\'';
    }
    return true;
}

/* Where text[from, to) of the scalar stands in the file. */
static bool align_text(struct yaml_aligned *y, str text, size_t from, size_t to, size_t *begin,
                       size_t *end)
{
    *begin = SIZE_MAX;
    for (size_t i = 0; i < to && i < text.n; i++) {
        if (is_blank(text.p[i]))
            continue;
        skip_blanks(y);
        if (i >= from && *begin == SIZE_MAX)
            *begin = y->at;
        if (!align_byte(y, text.p[i]))
            return false;
    }
    if (*begin == SIZE_MAX) /* nothing, or blanks, as where more is expected */
        *begin = y->at;
    *end = y->at;
    return true;
}

static size_t line_start_of(str s, size_t at)
{
    while (at != 0 && s.p[at - 1] != '\n')
        at--;
    return at;
}

struct diag_place yaml_place_in(const struct yaml_doc *doc, const struct yaml_node *n,
                                size_t offset, size_t len)
{
    struct diag_place p = yaml_place(doc, n);
    struct yaml_aligned y;
    size_t end, at;

    if (!align_begin(&y, doc, n) || offset > n->text.n ||
        !align_text(&y, n->text, offset, offset + len, &at, &end))
        return p;
    p.line = n->start.line;
    for (size_t i = n->start.at; i < at; i++)
        p.line += doc->source.p[i] == '\n';
    p.col = (int)(at - line_start_of(doc->source, at)) + 1;
    p.at = at;
    p.len = end > at ? end - at : len;
    return p;
}
