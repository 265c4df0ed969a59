/* strcase.h - letters, digits and case of runes, as far as templates and relabeling ask.
 *
 * Shapes   simple one-to-one mapping for Latin (with Extended-A, -B and Additional), Greek, Cyrillic, Armenian and
 *          fullwidth letters; other runes are their own case. A rune from U+0080 up that is no known sign counts as a
 *          letter.
 * Source   Unicode's simple case mapping; Go unicode.ToUpper, ToLower. Own ranges: no library for four scripts.
 */
#ifndef BASE_STRCASE_H
#define BASE_STRCASE_H

#include "base/buf.h"

bool rune_is_letter(uint32_t r);
bool rune_is_digit(uint32_t r);
bool rune_is_space(uint32_t r);
bool rune_is_upper(uint32_t r);
uint32_t rune_upper(uint32_t r);
uint32_t rune_lower(uint32_t r);

void str_map_runes(struct buf *out, str s, uint32_t (*map)(uint32_t));
void str_upper(struct buf *out, str s);
void str_lower(struct buf *out, str s);
/* strings.Title: the first letter of each word. lower_rest: the others become small. */
void str_title(struct buf *out, str s, bool lower_rest);
str str_trim_space(str s); /* Unicode white space */

#endif
