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
#include "base/buf.h"
#include "promql/functions.h"

enum promql_token_kind {
    TOK_EOF,
    TOK_ERROR, /* message says what */
    TOK_IDENT,
    TOK_METRIC, /* an identifier with a colon */
    TOK_NUMBER,
    TOK_DURATION,
    TOK_STRING, /* with its quotes */
    TOK_LPAREN,
    TOK_RPAREN,
    TOK_LBRACE,
    TOK_RBRACE,
    TOK_LBRACKET,
    TOK_RBRACKET,
    TOK_COMMA,
    TOK_COLON,
    TOK_AT,
    TOK_ASSIGN,     /* = */
    TOK_MATCHES,    /* =~ */
    TOK_MATCHES_NO, /* !~ */
    TOK_OP,         /* sub: enum promql_op */
    TOK_AGG,        /* sub: enum promql_agg */
    TOK_OFFSET,     /* the keywords, TOK_OFFSET to TOK_MIN_OF */
    TOK_BY,
    TOK_WITHOUT,
    TOK_ON,
    TOK_IGNORING,
    TOK_GROUP_LEFT,
    TOK_GROUP_RIGHT,
    TOK_FILL,
    TOK_FILL_LEFT,
    TOK_FILL_RIGHT,
    TOK_BOOL,
    TOK_START,
    TOK_END,
    TOK_STEP,
    TOK_RANGE,
    TOK_ANCHORED,
    TOK_SMOOTHED,
    TOK_MAX_OF,
    TOK_MIN_OF,
};

struct promql_token {
    enum promql_token_kind kind;
    int sub;
    uint32_t at, end;
    str message;
};

/* The last token is TOK_EOF or TOK_ERROR. text: at most 2^31 bytes. */
struct promql_token *promql_lex(str text, struct arena *a);

/* As Prometheus names it in messages: identifier "x", <op:+>, end of input. */
void promql_token_describe(struct buf *out, const struct promql_token *t, str text);

#endif
