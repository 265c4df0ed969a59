/* str.h - a slice of bytes passed by value.
 *
 * Most text in tocsin is a slice of something that lives elsewhere: a request body, an arena, a label set. A str never
 * owns its bytes and is never assumed to end in NUL.
 *
 * Shapes   n bytes at p; p may be NULL when n is 0. Text is UTF-8 only where the source has checked it.
 * Owns     nothing. The bytes are borrowed from whoever made the slice.
 * Cost     comparisons are one memcmp; nothing allocates.
 */
#ifndef TOCSIN_STR_H
#define TOCSIN_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "tocsin/attr.h"

typedef struct {
    const char *p;
    size_t n;
} str;

#define S(literal) ((str){"" literal, sizeof(literal) - 1})
#define S_INIT(literal)                                                                            \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }                                                       /* for static initialisers */
#define STR(s)   ((int)(s).n), ((s).p != NULL ? (s).p : "") /* for "%.*s" */
#define STR_NONE ((str){NULL, 0})

static inline str str_of(const char *z) /* z: NUL-terminated, or NULL for the empty slice */
{
    return (str){z, z != NULL ? strlen(z) : 0};
}

static inline bool str_eq(str a, str b)
{
    if (a.n != b.n)
        return false;
    if (a.n == 0)
        return true;
    assume(a.p != NULL && b.p != NULL);
    return memcmp(a.p, b.p, a.n) == 0;
}

static inline bool str_is(str a, const char *z)
{
    return str_eq(a, str_of(z));
}

static inline bool str_starts_with(str s, str prefix)
{
    if (s.n < prefix.n)
        return false;
    if (prefix.n == 0)
        return true;
    assume(s.p != NULL && prefix.p != NULL);
    return memcmp(s.p, prefix.p, prefix.n) == 0;
}

static inline bool str_ends_with(str s, str suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* The bytes [from, to), clamped to what there is. */
static inline str str_sub(str s, size_t from, size_t to)
{
    if (s.p == NULL)
        return STR_NONE;
    if (to > s.n)
        to = s.n;
    if (from > to)
        from = to;
    return (str){s.p + from, to - from};
}

/* Of ASCII, whatever the locale; anything else is none. */
static inline bool char_is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static inline bool char_is_blank(int c)
{
    return c == ' ' || c == '\t';
}

static inline bool char_is_space(int c)
{
    return char_is_blank(c) || c == '\n' || c == '\r';
}

static inline bool char_is_white(int c) /* as HTML and a regex's \\s have it */
{
    return char_is_space(c) || c == '\f';
}

static inline bool char_is_word(int c) /* a letter, a digit, an underscore */
{
    return char_is_digit(c) || c == '_' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static inline int char_hex(int c) /* -1: no hexadecimal digit */
{
    if (char_is_digit(c))
        return c - '0';
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

int str_order(const void *a, const void *b); /* of two str, for qsort() */
int str_cmp(str a, str b);                   /* bytewise, shorter first on a tie; <0, 0, >0 */
bool str_eq_nocase(str a, str b);            /* ASCII case only */
ptrdiff_t str_find(str s, char c);           /* index of the first c, or -1 */
ptrdiff_t str_find_str(str s, str needle);   /* index of the first needle, or -1 */
str str_trim(str s);                         /* without blanks, tabs, CR and LF at both ends */

/* Cuts *rest at the first c: returns what stands before it and leaves the rest behind it. Without c the whole is
 * returned and *rest becomes empty with p == NULL. */
str str_cut(str *rest, char c);

/* Decimal digits only, no sign, no blanks; false on overflow or anything else. */
bool str_to_u64(str s, uint64_t *out);

/* The candidate nearest to s by edit distance, or NULL when none is near enough to be what was meant. */
const str *str_nearest(str s, const str *candidates, size_t n);

#endif
