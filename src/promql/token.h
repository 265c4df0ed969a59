/* token.h - the tokens of PromQL, and their names in messages.
 *
 * Shapes   a token is [at, end) of the text, which is at most 2^31 bytes.
 * Owns     nothing: only an error's message is text of its own, in the arena of the lexer.
 * Source   promql.md 4.
 */
#ifndef PROMQL_TOKEN_H
#define PROMQL_TOKEN_H

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

/* As Prometheus names it in messages: identifier "x", <op:+>, end of input. */
void promql_token_describe(struct buf *out, const struct promql_token *t, str text);

#endif
