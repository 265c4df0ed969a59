/* lex.h - the tokens of a template, one at a time, with three of look-ahead.
 *
 * Text outside of {{ }} is one token; trim markers and comments are dealt with here. An error is a token too: it carries
 * Go's text, and every later token is the same error.
 *
 * Shapes   templates up to some 100 kB. Units: pos is a byte offset, line is 1-based.
 * Owns     token text is a slice of the input, or of the arena for errors.
 * Source   Go text/template/parse/lex.go, in behaviour.
 */
#ifndef TEMPLATE_LEX_H
#define TEMPLATE_LEX_H

#include "base/arena.h"

enum tmpl_token_type {
    TOK_ERROR,
    TOK_BOOL,
    TOK_CHAR, /* printable ASCII character; grab bag for comma etc. */
    TOK_CHAR_CONSTANT,
    TOK_ASSIGN,
    TOK_DECLARE,
    TOK_EOF,
    TOK_FIELD,
    TOK_IDENTIFIER,
    TOK_LEFT_DELIM,
    TOK_LEFT_PAREN,
    TOK_NUMBER,
    TOK_PIPE,
    TOK_RAW_STRING,
    TOK_RIGHT_DELIM,
    TOK_RIGHT_PAREN,
    TOK_SPACE,
    TOK_STRING,
    TOK_TEXT,
    TOK_VARIABLE,
    TOK_KEYWORD, /* the keywords follow */
    TOK_BLOCK,
    TOK_BREAK,
    TOK_CONTINUE,
    TOK_DOT,
    TOK_DEFINE,
    TOK_ELSE,
    TOK_END,
    TOK_IF,
    TOK_NIL,
    TOK_RANGE,
    TOK_TEMPLATE,
    TOK_WITH,
};

struct tmpl_token {
    enum tmpl_token_type type;
    size_t pos;
    str text;
    int line;
};

struct tmpl_lexer {
    struct arena *a;
    str in;
    size_t pos, start;
    int line, start_line;
    int parens;
    bool inside; /* of {{ }} */
    struct tmpl_token failed;
    bool has_failed, is_stopped;
    /* token[0] was read last. The first `ahead` were given back: token[ahead - 1] comes next. */
    struct tmpl_token token[3];
    int ahead;
};

/* from: what is before it has been read. */
void tmpl_lex_init(struct tmpl_lexer *l, struct arena *a, str in, size_t from);
struct tmpl_token tmpl_lex_next(struct tmpl_lexer *l);
struct tmpl_token tmpl_lex_peek(struct tmpl_lexer *l);
struct tmpl_token tmpl_lex_next_solid(struct tmpl_lexer *l); /* the next that is no TOK_SPACE */
struct tmpl_token tmpl_lex_peek_solid(struct tmpl_lexer *l); /* skips blanks for good */

/* Give back what next() gave last; before it also t1, and before that t2. */
void tmpl_lex_backup(struct tmpl_lexer *l);
void tmpl_lex_backup2(struct tmpl_lexer *l, struct tmpl_token t1);
void tmpl_lex_backup3(struct tmpl_lexer *l, struct tmpl_token t2, struct tmpl_token t1);

void tmpl_lex_stop(struct tmpl_lexer *l); /* from now on every token is TOK_EOF */

#endif
