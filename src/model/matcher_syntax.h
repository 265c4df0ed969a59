/* matcher_syntax.h - the two grammars of matchers: Alertmanager's old one and the one for UTF-8
 * names.
 *
 * Errors   ERR_INVALID; the UTF-8 parser's begin with start:end rune columns.
 * Owns     text and arrays live in a; on success the regexes are the caller's (matchers_release()).
 * Source   alertmanager.md 2.11.
 */
#ifndef MODEL_MATCHER_SYNTAX_H
#define MODEL_MATCHER_SYNTAX_H

#include "model/matcher.h"

bool matcher_parse_classic(str s, struct arena *a, struct matchers *out,
                           struct err *e) must_check; /* exactly one */
bool matchers_parse_classic(str s, struct arena *a, struct matchers *out, struct err *e) must_check;
/* list false: exactly one matcher is expected. */
bool matchers_parse_utf8(str s, bool list, struct arena *a, struct matchers *out,
                         struct err *e) must_check;

bool matcher_rune_is_reserved(uint32_t rune); /* white space { } ! = ~ , \ " ' ` */

#endif
