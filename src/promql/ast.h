/* ast.h - a parsed PromQL expression: typed nodes that remember where they stood.
 *
 * Shapes   a tree at most promql_options.max_depth deep; every node has its type after the type check.
 * Units    at and end are byte offsets into the text, [at, end). Durations in dur_ns, @ times in ts_ms.
 * Owns     nodes and text live in the arena given to promql_parse(); each regular expression of a matcher holds one
 *          reference that promql_release() gives back.
 * Source   promql.md 4-6.
 */
#ifndef PROMQL_AST_H
#define PROMQL_AST_H

#include "base/time.h"
#include "model/matcher.h"
#include "promql/functions.h"

enum promql_kind {
    PROMQL_NUMBER,
    PROMQL_TEXT,
    PROMQL_SELECTOR,
    PROMQL_RANGE, /* selector[5m] */
    PROMQL_SUBQUERY,
    PROMQL_CALL,
    PROMQL_AGGREGATE,
    PROMQL_UNARY,
    PROMQL_BINARY,
    PROMQL_PAREN,
};

/* -- durations that are computed -- */

enum promql_dur_kind {
    PROMQL_DUR_LITERAL,
    PROMQL_DUR_STEP,
    PROMQL_DUR_RANGE,
    PROMQL_DUR_MIN,
    PROMQL_DUR_MAX,
    PROMQL_DUR_PLUS,  /* unary */
    PROMQL_DUR_MINUS, /* unary */
    PROMQL_DUR_BINARY,
};

struct promql_dur {
    enum promql_dur_kind kind;
    enum promql_op op; /* of PROMQL_DUR_BINARY */
    uint32_t at, end;
    unsigned depth;
    double seconds;  /* of a literal */
    bool has_unit;   /* the literal was written as 5m, not as 300 */
    bool is_wrapped; /* stood in parentheses */
    struct promql_dur *a, *b;
};

/* A duration as a node keeps it: expr is NULL when it is the constant ns. */
struct promql_span {
    dur_ns ns;
    struct promql_dur *expr;
};

/* -- modifiers of selectors and subqueries -- */

enum promql_at { PROMQL_AT_NONE, PROMQL_AT_TIME, PROMQL_AT_START, PROMQL_AT_END };

struct promql_shift {
    bool has_offset, is_anchored, is_smoothed;
    enum promql_at at;
    ts_ms at_time;
    struct promql_span offset;
};

/* -- nodes --
 *
 * A node has the room that its kind needs (promql_room()): it is never copied as a whole. */

struct promql_selector {
    str name; /* written before the braces; its matcher on __name__ is the last one */
    struct matchers matchers;
    bool may_match_all; /* the second argument of info() */
    struct promql_shift shift;
};

enum promql_card { PROMQL_ONE_TO_ONE, PROMQL_MANY_TO_ONE, PROMQL_ONE_TO_MANY, PROMQL_MANY_TO_MANY };

struct promql_matching {
    str *labels, *include;
    size_t n_labels, n_include;
    double fill_left, fill_right;
    enum promql_card card;
    bool is_on; /* else ignoring */
    bool fills_left, fills_right;
};

struct promql_expr {
    enum promql_kind kind;
    enum promql_type type;
    uint32_t at, end;
    uint32_t
        id; /* below the number of nodes parsed: evaluators keep what they know of a node by it */
    unsigned depth;
    union {
        struct {
            double v;
            bool is_duration; /* written as 5m */
        } number;
        str text;
        struct promql_selector selector;
        struct {
            struct promql_expr *selector; /* PROMQL_SELECTOR; holds the modifiers */
            struct promql_span length;
        } range;
        struct {
            struct promql_expr *expr;
            struct promql_span length, step;
            bool has_step;
            struct promql_shift shift;
        } subquery;
        struct {
            const struct promql_function *fn;
            struct promql_expr **args;
            size_t n_args;
        } call;
        struct {
            enum promql_agg op;
            bool is_without;
            str *labels;
            size_t n_labels;
            struct promql_expr *param; /* NULL when the operator has none */
            struct promql_expr *expr;
        } aggregate;
        struct {
            bool is_minus;
            struct promql_expr *expr;
        } unary;
        struct {
            enum promql_op op;
            bool is_bool;
            uint32_t op_at, op_end;                 /* the operator with its modifiers */
            const struct promql_matching *matching; /* most say nothing, and have one in common */
            struct promql_expr *lhs, *rhs;
        } binary;
        struct promql_expr *inner; /* of PROMQL_PAREN */
    };
};

#endif
