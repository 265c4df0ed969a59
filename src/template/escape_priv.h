/* escape_priv.h - what the scanner's parts share: escape_scan.c reads HTML, escape_code.c what stands in scripts, styles
 * and URLs. A part takes text up to the next change of state: it returns how many bytes, or SIZE_MAX for a fault. */
#ifndef TEMPLATE_ESCAPE_PRIV_H
#define TEMPLATE_ESCAPE_PRIV_H

#include "template/escape.h"

static inline bool escape_priv_is_alpha(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Index of the first byte of s from i on that set has; s.n without any. */
static inline size_t find_any(str s, size_t i, const char *set)
{
    while (i < s.n && (s.p[i] == '\0' || strchr(set, s.p[i]) == NULL))
        i++;
    return i;
}

static inline size_t escape_priv_skip_blanks(str s, size_t i)
{
    while (i < s.n && char_is_white(s.p[i]))
        i++;
    return i;
}

static inline str escape_priv_rest(str s, size_t i)
{
    return str_sub(s, i, s.n);
}

/* Fill e with "what QUOTED", and "QUOTED what QUOTED" for the first byte of at. */
size_t escape_fault(struct err *e, const char *what, str text);
size_t escape_fault_char(struct err *e, str at, const char *what, str text);
str escape_shortened(str s); /* the first 32 runes */

size_t escape_in_url(struct tmpl_escape *x, str s, struct err *e);
size_t escape_in_js_quoted(struct tmpl_escape *x, str s, struct err *e);
size_t escape_in_js(struct tmpl_escape *x, str s, struct err *e);
size_t escape_in_block_comment(struct tmpl_escape *x, str s, struct err *e);
size_t escape_in_line_comment(struct tmpl_escape *x, str s, struct err *e);
size_t escape_in_css_quoted(struct tmpl_escape *x, str s, struct err *e);
size_t escape_in_css(struct tmpl_escape *x, str s, struct err *e);

#endif
