/* promql.h - PromQL expressions: text to a typed tree, and back to text.
 *
 *     struct promql_expr *x = promql_parse(text, &promql_everything, &arena, &place, &e);
 *     if (x == NULL) ... promql_error_text(&b, &e) ...   "1:7: parse error: unexpected end of input"
 *     promql_print(&b, x);
 *     promql_release(x);
 *
 * Shapes   text up to 256 KiB, trees up to 400 deep by default; both end in ERR_LIMIT.
 * Units    line and col are 1-based, col counts bytes; places are byte offsets into the text.
 * Errors   ERR_INVALID with Prometheus' words in e->msg and the place in e->line, e->col; only the first error.
 * Owns     the tree lives in the arena, with a copy of all text it needs; promql_release() gives back the regular
 *          expressions and must be called before the arena goes.
 * Cost     about a microsecond for ten tokens; regular expressions are compiled.
 * Source   Prometheus 3.14, promql.md 4-6.
 */
#ifndef PROMQL_PROMQL_H
#define PROMQL_PROMQL_H

#include "base/buf.h"
#include "base/err.h"
#include "promql/ast.h"

/* Which of Prometheus' feature flags are on. Zero limits are the defaults. */
struct promql_options {
    bool experimental_functions; /* also the aggregations limitk and limit_ratio */
    bool extended_ranges;        /* anchored, smoothed */
    bool fill_modifiers;
    bool borrows_text; /* the text outlives the tree, which then holds no copy of it */
    size_t max_length;
    unsigned max_depth;
};

extern const struct promql_options promql_defaults;   /* as Prometheus without flags */
extern const struct promql_options promql_everything; /* all of Prometheus' flags on */

struct promql_place {
    size_t at, len; /* bytes of the text */
};

/* Parses and type-checks. place: what the error is about; NULL is fine. NULL on failure. */
struct promql_expr *promql_parse(str text, const struct promql_options *o, struct arena *a,
                                 struct promql_place *place, struct err *e) must_check;
void promql_release(struct promql_expr *x); /* NULL is fine */

void promql_error_text(struct buf *out, const struct err *e); /* LINE:COL: parse error: MESSAGE */

/* The canonical form on one line: what Prometheus shows for a rule and puts in links. Parses to the same tree. */
void promql_print(struct buf *out, const struct promql_expr *x);
str promql_printed(struct arena *a, const struct promql_expr *x); /* the same, in the arena */
/* A series selector as written in annotations and errors, without modifiers. */
void promql_print_selector(struct buf *out, const struct promql_selector *s);

/* The children of a node in the order of evaluation: 0, 1, ... until NULL. */
struct promql_expr *promql_child(const struct promql_expr *x, size_t i);

/* Visits x and what is below it, parents first. visit returns false to stay out of the node's children. */
typedef bool promql_visit(struct promql_expr *x, void *arg);
void promql_walk(struct promql_expr *x, promql_visit *visit, void *arg);

/* The name that a selector asks for; empty: none, or several by a pattern. */
str promql_selector_metric(const struct promql_selector *s);

/* Bytes of a node of this kind. */
size_t promql_room(enum promql_kind kind);
/* The node alone: what is below it, and its text, are shared. */
struct promql_expr *promql_copy_node(struct arena *a, const struct promql_expr *x);

/* x without the parentheses around it; as const as the caller's x. */
struct promql_expr *promql_unwrap(const struct promql_expr *x);

#endif
