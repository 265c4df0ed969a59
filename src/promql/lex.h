/* lex.h - PromQL text to tokens, all at once.
 *
 * The rules differ outside braces, inside braces (keywords have no meaning) and inside brackets (only durations), and
 * a token's kind never depends on the parser, so the whole text becomes one array. A fault is a token of its own, the
 * last one: the parser reports it when it gets there, as Prometheus does.
 *
 * Owns     tokens and messages live in the arena.
 * Cost     one pass.
 * Source   promql.md 4.
 */
#ifndef PROMQL_LEX_H
#define PROMQL_LEX_H

#include "base/arena.h"
#include "promql/token.h"

/* The last token is TOK_EOF or TOK_ERROR. text: at most 2^31 bytes. */
struct promql_token *promql_lex(str text, struct arena *a);

#endif
