/* parse.h - the parser's inside: what its files share.
 *
 * Every function that can fail returns NULL or false after promql_fail(); the first failure is the one that is
 * reported, and nothing is parsed after it.
 */
#ifndef PROMQL_PARSE_H
#define PROMQL_PARSE_H

#include "base/vec.h"
#include "promql/lex.h"
#include "promql/promql.h"

struct promql_parser {
    str text;
    struct promql_token *tok; /* the current one */
    const struct promql_options *o;
    struct arena *a, *scratch; /* scratch: until all is parsed */
    struct promql_place place;
    struct err *e;
    unsigned depth, max_depth;
    uint32_t n_nodes;
    unsigned aggregations;       /* that the current token stands in: messages say so */
    VEC(struct regex *) regexes; /* of this text, for giving back after a failure */
};

/* Reports an error about [at, end). Returns NULL, so that it can be returned. */
void *promql_fail(struct promql_parser *p, uint32_t at, uint32_t end, const char *fmt, ...)
    printf_like(4, 5);
void *promql_fail_deep(struct promql_parser *p);
/* "unexpected TOKEN in CONTEXT, expected WHAT" about the current token; empty strings leave their part away. */
void *promql_unexpected(struct promql_parser *p, const char *context, const char *expected);

str promql_token_text(const struct promql_parser *p, const struct promql_token *t);
bool promql_accept(struct promql_parser *p,
                   enum promql_token_kind kind); /* takes it when it is next */
struct promql_expr *promql_node(struct promql_parser *p, enum promql_kind kind, uint32_t at,
                                uint32_t end);
/* x gets its depth from what is below it; NULL past the limit. */
struct promql_expr *promql_close(struct promql_parser *p, struct promql_expr *x);

/* parse.c */
struct promql_expr *promql_parse_expr(struct promql_parser *p, int min_precedence);

/* parse_selector.c */
/* Text of labels and matchers is UTF-8; a string of its own may be any bytes. */
bool promql_unquote(struct promql_parser *p, const struct promql_token *t, str *out);
bool promql_unquote_bytes(struct promql_parser *p, const struct promql_token *t, str *out);
struct promql_expr *promql_parse_selector(struct promql_parser *p, bool has_name);
bool promql_parse_grouping(struct promql_parser *p, str **labels, size_t *n);
extern const struct promql_matching promql_matching_any;
/* What stands between a binary operator and its right side. */
bool promql_parse_matching(struct promql_parser *p, struct promql_expr *x);

/* parse_modifier.c: offset, @, [...], anchored, smoothed behind an expression; x is the expression or what becomes
 * of it. *done: no modifier follows. */
struct promql_expr *promql_parse_modifier(struct promql_parser *p, struct promql_expr *x,
                                          bool *done);

/* parse_duration.c */
bool promql_parse_number(struct promql_parser *p, const struct promql_token *t, double *out);
bool promql_parse_bracket(struct promql_parser *p, struct promql_span *out);
bool promql_parse_offset(struct promql_parser *p, struct promql_span *out);

/* type.c */
bool promql_check_types(struct promql_parser *p, struct promql_expr *x);

#endif
