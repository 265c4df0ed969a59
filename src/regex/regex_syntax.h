/* regex_syntax.h - the parts of the pattern grammar below an atom: escapes and character classes.
 *
 * Each reads from *rest and moves it on.
 */
#ifndef REGEX_REGEX_SYNTAX_H
#define REGEX_REGEX_SYNTAX_H

#include "base/err.h"
#include "regex/regex_class.h"

bool re_syntax_escape(str *rest, uint32_t *rune, struct err *e) must_check; /* at a backslash */
/* \d \D \s \S \w \W \pN \PN \p{Name} \p{^Name}; is_class = false when it is another escape. */
bool re_syntax_escaped_class(str *rest, bool fold, re_set *set, bool *is_class,
                             struct err *e) must_check;
/* At '['. negate: what stands in set is what the class does not have. */
bool re_syntax_class(str *rest, bool fold, re_set *set, bool *negate, struct err *e) must_check;

#endif
