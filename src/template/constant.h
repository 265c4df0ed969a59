/* constant.h - strings, characters and numbers as a template writes them, to their values.
 *
 * Errors   ERR_INVALID with Go's text, without name and line of the template: the parser knows them.
 * Owns     text lives in the arena given.
 * Source   Go text/template/parse/node.go, newNumber(), and strconv.Unquote, in behaviour.
 */
#ifndef TEMPLATE_CONSTANT_H
#define TEMPLATE_CONSTANT_H

#include "template/lex.h"
#include "template/parse.h"

/* t is TOK_STRING or TOK_RAW_STRING. */
bool tmpl_constant_text(struct arena *a, struct tmpl_token t, str *out, struct err *e) must_check;
/* Fills i, u, f of n and says by is_... which of them hold. t is TOK_NUMBER or TOK_CHAR_CONSTANT. */
bool tmpl_constant_number(struct arena *a, struct tmpl_token t, struct tmpl_node *n,
                          struct err *e) must_check;

/* strconv.ParseUint with base 0, and a sign. */
bool tmpl_constant_integer(str text, bool *negative, uint64_t *out) must_check;

#endif
