/* utf8.h - UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
 *
 * Cost     one pass, an ASCII fast path of eight bytes a step.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"

bool utf8_is_valid(str s);
size_t utf8_count(str s); /* runes; each bad byte counts as one */

/* Decodes the rune at s.p[0] (s.n > 0) and returns its bytes; a bad byte gives 0xFFFD and 1. */
size_t utf8_decode(str s, uint32_t *rune);
size_t utf8_encode(char out[4], uint32_t rune); /* an invalid rune is written as U+FFFD */
void utf8_add(struct buf *out, uint32_t rune);  /* the same, at the end of out */

/* The longest start of at most n bytes that ends with a whole rune. */
str utf8_cut(str s, size_t n);

/* Whether a terminal would do something with it: a control of C0, DEL or C1, or what turns the order of reading. */
bool utf8_is_control(uint32_t rune);

#endif
