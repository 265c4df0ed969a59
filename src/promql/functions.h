/* functions.h - the words of PromQL: value types, operators, aggregations and functions, one const row each.
 *
 * The lexer, the parser, the type check, the printer, documentation and completion read these rows.
 *
 * Source   promql.md 4, 5, 10, 11.
 */
#ifndef PROMQL_FUNCTIONS_H
#define PROMQL_FUNCTIONS_H

#include "base/attr.h"
#include "base/str.h"

enum promql_type { PROMQL_T_SCALAR, PROMQL_T_VECTOR, PROMQL_T_MATRIX, PROMQL_T_STRING };

const char *promql_type_text(enum promql_type t);  /* "instant vector" */
const char *promql_type_short(enum promql_type t); /* "vector": the API's resultType */

enum promql_op {
    PROMQL_ADD,
    PROMQL_SUB,
    PROMQL_MUL,
    PROMQL_DIV,
    PROMQL_MOD,
    PROMQL_POW,
    PROMQL_ATAN2,
    PROMQL_EQ,
    PROMQL_NE,
    PROMQL_LT,
    PROMQL_LE,
    PROMQL_GT,
    PROMQL_GE,
    PROMQL_TRIM_UPPER, /* keeps what lies below */
    PROMQL_TRIM_LOWER,
    PROMQL_AND,
    PROMQL_OR,
    PROMQL_UNLESS,
    PROMQL_OPS,
};

enum { PROMQL_PREC_SUM = 4, PROMQL_PREC_PRODUCT = 5, PROMQL_PREC_POWER = 6 };

struct promql_op_info {
    const char *text;
    int precedence; /* 1 binds loosest */
    bool is_right, is_comparison, is_set;
    const char *doc;
};
const struct promql_op_info *promql_op_info(enum promql_op op);

enum promql_agg {
    PROMQL_SUM,
    PROMQL_AVG,
    PROMQL_COUNT,
    PROMQL_MIN,
    PROMQL_MAX,
    PROMQL_GROUP,
    PROMQL_STDDEV,
    PROMQL_STDVAR,
    PROMQL_TOPK,
    PROMQL_BOTTOMK,
    PROMQL_COUNT_VALUES,
    PROMQL_QUANTILE,
    PROMQL_LIMITK,
    PROMQL_LIMIT_RATIO,
    PROMQL_AGGS,
};

struct promql_agg_info {
    const char *name;
    bool has_param, is_experimental;
    enum promql_type param;
    const char *doc;
};
const struct promql_agg_info *promql_agg_info(enum promql_agg op);

enum { PROMQL_ARGS_MAX = 5 };

/* variadic: 0 = exactly n_args; k > 0 = the last one may be absent, or repeated up to k times; -1 = any number. */
struct promql_function {
    const char *name;
    enum promql_type args[PROMQL_ARGS_MAX];
    int n_args, variadic;
    bool is_experimental;
    enum promql_type type;
    const char *doc;
};

const struct promql_function *promql_function_find(str name); /* NULL when there is none */
const struct promql_function *promql_functions(size_t *n);    /* all, sorted by name */

#endif
