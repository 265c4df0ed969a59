#include "template/markdown.h"

#include "base/strcase.h"
#include "base/utf8.h"

static bool markdown_is(char c, const char *markup)
{
    return c != '\0' && strchr(markup, c) != NULL;
}

static bool markdown_ends_line(char c)
{
    return c == '\r' || c == '\n';
}

void markdown_escape(struct buf *b, str s, const char *markup)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (markdown_is(c, markup))
            buf_addc(b, '\\');
        buf_addc(b, markdown_ends_line(c) ? ' ' : c);
    }
}

void markdown_entities(struct buf *b, str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (markdown_is(c, "&<>*_~`[]()#!\\"))
            buf_addf(b, "&#%d;", c);
        else
            buf_addc(b, markdown_ends_line(c) ? ' ' : c);
    }
}

static bool markdown_is_word(char c)
{
    return char_is_digit(c) || ((unsigned char)c < 0x80 && rune_is_letter((unsigned char)c));
}

static bool markdown_is_in_word(str s, size_t at)
{
    return at != 0 && at + 1 < s.n && markdown_is_word(s.p[at - 1]) &&
           markdown_is_word(s.p[at + 1]);
}

void markdown_widen(struct buf *b, str s, const char *markup)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (markdown_is(c, markup) && !(c == '_' && markdown_is_in_word(s, i)))
            utf8_add(b, 0xff01 + (uint32_t)(c - '!'));
        else
            buf_addc(b, markdown_ends_line(c) ? ' ' : c);
    }
}
