#include "promql/functions.h"

#include <stdlib.h>

/* What the engine computes; V, M, S, T are the value types. */
#define S_ PROMQL_T_SCALAR
#define V_ PROMQL_T_VECTOR
#define M_ PROMQL_T_MATRIX
#define T_ PROMQL_T_STRING

#define STABLE(n, result, count, more, text, ...)                                                  \
    {                                                                                              \
        .name = (n), .args = {__VA_ARGS__}, .n_args = (count), .variadic = (more),                 \
        .type = (result), .doc = (text)                                                            \
    }
#define EXPERIMENTAL(n, result, count, more, text, ...)                                            \
    {                                                                                              \
        .name = (n), .args = {__VA_ARGS__}, .n_args = (count), .variadic = (more),                 \
        .is_experimental = true, .type = (result), .doc = (text)                                   \
    }

/* Sorted by name: promql_function_find() searches by halves. */
static const struct promql_function functions[] = {
    STABLE("abs", V_, 1, 0, "absolute value", V_),
    STABLE("absent", V_, 1, 0, "1 when nothing is there", V_),
    STABLE("absent_over_time", V_, 1, 0, "1 when nothing was there", M_),
    STABLE("acos", V_, 1, 0, "arc cosine", V_),
    STABLE("acosh", V_, 1, 0, "inverse hyperbolic cosine", V_),
    STABLE("asin", V_, 1, 0, "arc sine", V_),
    STABLE("asinh", V_, 1, 0, "inverse hyperbolic sine", V_),
    STABLE("atan", V_, 1, 0, "arc tangent", V_),
    STABLE("atanh", V_, 1, 0, "inverse hyperbolic tangent", V_),
    STABLE("avg_over_time", V_, 1, 0, "mean", M_),
    STABLE("ceil", V_, 1, 0, "rounded up", V_),
    STABLE("changes", V_, 1, 0, "how often the value changed", M_),
    STABLE("clamp", V_, 3, 0, "within two bounds", V_, S_, S_),
    STABLE("clamp_max", V_, 2, 0, "not above a bound", V_, S_),
    STABLE("clamp_min", V_, 2, 0, "not below a bound", V_, S_),
    STABLE("cos", V_, 1, 0, "cosine", V_),
    STABLE("cosh", V_, 1, 0, "hyperbolic cosine", V_),
    STABLE("count_over_time", V_, 1, 0, "number of samples", M_),
    STABLE("day_of_month", V_, 1, 1, "day of the month, UTC", V_),
    STABLE("day_of_week", V_, 1, 1, "0 is Sunday, UTC", V_),
    STABLE("day_of_year", V_, 1, 1, "day of the year, UTC", V_),
    STABLE("days_in_month", V_, 1, 1, "28 to 31, UTC", V_),
    STABLE("deg", V_, 1, 0, "radians to degrees", V_),
    STABLE("delta", V_, 1, 0, "change of a gauge", M_),
    STABLE("deriv", V_, 1, 0, "slope of a gauge by regression", M_),
    EXPERIMENTAL("double_exponential_smoothing", V_, 3, 0, "smoothed value of a gauge", M_, S_, S_),
    EXPERIMENTAL("end", S_, 0, 0, "end of the query in seconds", 0),
    STABLE("exp", V_, 1, 0, "e to the power", V_),
    STABLE("first_over_time", V_, 1, 0, "oldest sample", M_),
    STABLE("floor", V_, 1, 0, "rounded down", V_),
    STABLE("histogram_avg", V_, 1, 0, "mean of the observations", V_),
    STABLE("histogram_count", V_, 1, 0, "number of the observations", V_),
    STABLE("histogram_fraction", V_, 3, 0, "share of observations between two values", S_, S_, V_),
    STABLE("histogram_quantile", V_, 2, 0, "quantile of a histogram", S_, V_),
    EXPERIMENTAL("histogram_quantiles", V_, 4, 9, "several quantiles of a histogram", V_, T_, S_,
                 S_),
    STABLE("histogram_stddev", V_, 1, 0, "standard deviation of the observations", V_),
    STABLE("histogram_stdvar", V_, 1, 0, "variance of the observations", V_),
    STABLE("histogram_sum", V_, 1, 0, "sum of the observations", V_),
    STABLE("hour", V_, 1, 1, "hour of the day, UTC", V_),
    STABLE("idelta", V_, 1, 0, "change between the last two samples", M_),
    STABLE("increase", V_, 1, 0, "increase of a counter", M_),
    EXPERIMENTAL("info", V_, 2, 1, "labels of info series added", V_, V_),
    STABLE("irate", V_, 1, 0, "increase per second of the last two samples", M_),
    STABLE("label_join", V_, 4, -1, "a label from several others", V_, T_, T_, T_),
    STABLE("label_replace", V_, 5, 0, "a label from a regular expression over another", V_, T_, T_,
           T_, T_),
    STABLE("last_over_time", V_, 1, 0, "newest sample", M_),
    STABLE("ln", V_, 1, 0, "natural logarithm", V_),
    STABLE("log10", V_, 1, 0, "decimal logarithm", V_),
    STABLE("log2", V_, 1, 0, "binary logarithm", V_),
    EXPERIMENTAL("mad_over_time", V_, 1, 0, "median absolute deviation", M_),
    EXPERIMENTAL("max_of", S_, 2, 0, "the greater of two", S_, S_),
    STABLE("max_over_time", V_, 1, 0, "greatest value", M_),
    EXPERIMENTAL("min_of", S_, 2, 0, "the smaller of two", S_, S_),
    STABLE("min_over_time", V_, 1, 0, "least value", M_),
    STABLE("minute", V_, 1, 1, "minute of the hour, UTC", V_),
    STABLE("month", V_, 1, 1, "month of the year, UTC", V_),
    STABLE("pi", S_, 0, 0, "the number pi", 0),
    STABLE("predict_linear", V_, 2, 0, "value in so many seconds by regression", M_, S_),
    STABLE("present_over_time", V_, 1, 0, "1 for each series that was there", M_),
    STABLE("quantile_over_time", V_, 2, 0, "quantile of the values", S_, M_),
    STABLE("rad", V_, 1, 0, "degrees to radians", V_),
    EXPERIMENTAL("range", S_, 0, 0, "length of the query in seconds", 0),
    STABLE("rate", V_, 1, 0, "increase of a counter per second", M_),
    STABLE("resets", V_, 1, 0, "how often a counter began anew", M_),
    STABLE("round", V_, 2, 1, "to the nearest multiple", V_, S_),
    STABLE("scalar", S_, 1, 0, "value of the only series, else NaN", V_),
    STABLE("sgn", V_, 1, 0, "sign: -1, 0 or 1", V_),
    STABLE("sin", V_, 1, 0, "sine", V_),
    STABLE("sinh", V_, 1, 0, "hyperbolic sine", V_),
    STABLE("sort", V_, 1, 0, "by value, smallest first", V_),
    EXPERIMENTAL("sort_by_label", V_, 2, -1, "by labels, natural order", V_, T_),
    EXPERIMENTAL("sort_by_label_desc", V_, 2, -1, "by labels, last first", V_, T_),
    STABLE("sort_desc", V_, 1, 0, "by value, greatest first", V_),
    STABLE("sqrt", V_, 1, 0, "square root", V_),
    EXPERIMENTAL("start", S_, 0, 0, "start of the query in seconds", 0),
    EXPERIMENTAL("start_timestamp", V_, 1, 0, "when the counter began", V_),
    STABLE("stddev_over_time", V_, 1, 0, "standard deviation", M_),
    STABLE("stdvar_over_time", V_, 1, 0, "variance", M_),
    EXPERIMENTAL("step", S_, 0, 0, "step of the query in seconds", 0),
    STABLE("sum_over_time", V_, 1, 0, "sum", M_),
    STABLE("tan", V_, 1, 0, "tangent", V_),
    STABLE("tanh", V_, 1, 0, "hyperbolic tangent", V_),
    STABLE("time", S_, 0, 0, "evaluation time in seconds", 0),
    STABLE("timestamp", V_, 1, 0, "time of the sample in seconds", V_),
    EXPERIMENTAL("ts_of_first_over_time", V_, 1, 0, "time of the oldest sample in seconds", M_),
    EXPERIMENTAL("ts_of_last_over_time", V_, 1, 0, "time of the newest sample in seconds", M_),
    EXPERIMENTAL("ts_of_max_over_time", V_, 1, 0, "time of the greatest sample in seconds", M_),
    EXPERIMENTAL("ts_of_min_over_time", V_, 1, 0, "time of the least sample in seconds", M_),
    STABLE("vector", V_, 1, 0, "one series without labels", S_),
    STABLE("year", V_, 1, 1, "year, UTC", V_),
};

static int functions_by_name(const void *key, const void *row)
{
    return str_cmp(*(const str *)key, str_of(((const struct promql_function *)row)->name));
}

const struct promql_function *promql_function_find(str name)
{
    return bsearch(&name, functions, ARRAY_LEN(functions), sizeof(functions[0]), functions_by_name);
}

const struct promql_function *promql_functions(size_t *n)
{
    *n = ARRAY_LEN(functions);
    return functions;
}

static const struct promql_op_info ops[PROMQL_OPS] = {
    [PROMQL_OR] = {"or", 1, .is_set = true, .doc = "union"},
    [PROMQL_AND] = {"and", 2, .is_set = true, .doc = "intersection"},
    [PROMQL_UNLESS] = {"unless", 2, .is_set = true, .doc = "complement"},
    [PROMQL_EQ] = {"==", 3, .is_comparison = true, .doc = "equal"},
    [PROMQL_NE] = {"!=", 3, .is_comparison = true, .doc = "not equal"},
    [PROMQL_LT] = {"<", 3, .is_comparison = true, .doc = "less"},
    [PROMQL_LE] = {"<=", 3, .is_comparison = true, .doc = "less or equal"},
    [PROMQL_GT] = {">", 3, .is_comparison = true, .doc = "greater"},
    [PROMQL_GE] = {">=", 3, .is_comparison = true, .doc = "greater or equal"},
    [PROMQL_TRIM_UPPER] = {"</", 3, .doc = "observations below a value"},
    [PROMQL_TRIM_LOWER] = {">/", 3, .doc = "observations above a value"},
    [PROMQL_ADD] = {"+", PROMQL_PREC_SUM, .doc = "sum"},
    [PROMQL_SUB] = {"-", PROMQL_PREC_SUM, .doc = "difference"},
    [PROMQL_MUL] = {"*", PROMQL_PREC_PRODUCT, .doc = "product"},
    [PROMQL_DIV] = {"/", PROMQL_PREC_PRODUCT, .doc = "quotient"},
    [PROMQL_MOD] = {"%", PROMQL_PREC_PRODUCT, .doc = "remainder"},
    [PROMQL_ATAN2] = {"atan2", PROMQL_PREC_PRODUCT, .doc = "angle of a point"},
    [PROMQL_POW] = {"^", PROMQL_PREC_POWER, .is_right = true, .doc = "power"},
};

const struct promql_op_info *promql_op_info(enum promql_op op)
{
    return &ops[op];
}

static const struct promql_agg_info aggs[PROMQL_AGGS] = {
    [PROMQL_SUM] = {"sum", .doc = "sum"},
    [PROMQL_AVG] = {"avg", .doc = "mean"},
    [PROMQL_COUNT] = {"count", .doc = "number of series"},
    [PROMQL_MIN] = {"min", .doc = "least value"},
    [PROMQL_MAX] = {"max", .doc = "greatest value"},
    [PROMQL_GROUP] = {"group", .doc = "1 for each group"},
    [PROMQL_STDDEV] = {"stddev", .doc = "standard deviation"},
    [PROMQL_STDVAR] = {"stdvar", .doc = "variance"},
    [PROMQL_TOPK] = {"topk", true, false, PROMQL_T_SCALAR, "the k greatest series"},
    [PROMQL_BOTTOMK] = {"bottomk", true, false, PROMQL_T_SCALAR, "the k least series"},
    [PROMQL_COUNT_VALUES] = {"count_values", true, false, PROMQL_T_STRING,
                             "number of series for each value"},
    [PROMQL_QUANTILE] = {"quantile", true, false, PROMQL_T_SCALAR, "quantile of the values"},
    [PROMQL_LIMITK] = {"limitk", true, true, PROMQL_T_SCALAR, "k series"},
    [PROMQL_LIMIT_RATIO] = {"limit_ratio", true, true, PROMQL_T_SCALAR, "a share of the series"},
};

const struct promql_agg_info *promql_agg_info(enum promql_agg op)
{
    return &aggs[op];
}

const char *promql_type_text(enum promql_type t)
{
    static const char *const texts[] = {[PROMQL_T_SCALAR] = "scalar",
                                        [PROMQL_T_VECTOR] = "instant vector",
                                        [PROMQL_T_MATRIX] = "range vector",
                                        [PROMQL_T_STRING] = "string"};

    return texts[t];
}

const char *promql_type_short(enum promql_type t)
{
    static const char *const texts[] = {[PROMQL_T_SCALAR] = "scalar",
                                        [PROMQL_T_VECTOR] = "vector",
                                        [PROMQL_T_MATRIX] = "matrix",
                                        [PROMQL_T_STRING] = "string"};

    return texts[t];
}
