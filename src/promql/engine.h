/* engine.h - PromQL: an expression and a store to values.
 *
 *     struct promql_result r;
 *
 *     if (!promql_instant(&query, now, &arena, &r, &e)) ...   "query timed out in expression evaluation"
 *     for (i = 0; i < r.n; i++) use(r.series[i].labels, r.series[i].points[0].v);
 *
 * This is the plain evaluator: it walks the tree once a step and looks everything up anew, so that it can be compared
 * with the specification line by line. plan.h answers the same questions fast.
 *
 * Pure: the time is an argument, nothing is logged, no state outlives a call. One thread a query.
 *
 * Shapes   a range query has at most as many steps as its result has room for (max_samples).
 * Units    ts_ms.
 * Errors   ERR_INVALID with Prometheus' words (matching, parameters), ERR_LIMIT (samples, memory, PROMQL_TOO_MUCH), ERR_TIMEOUT,
 *          ERR_CONFLICT (canceled).
 * Owns     the result lives in the arena. Expression and store are borrowed for the call.
 * Cost     O(nodes * steps * (series + samples in range)).
 * Source   promql.md 7-15.
 */
#ifndef PROMQL_ENGINE_H
#define PROMQL_ENGINE_H

#include "promql/promql.h"
#include "promql/storage.h"

enum promql_go { PROMQL_GO_ON, PROMQL_TIMED_OUT, PROMQL_CANCELED, PROMQL_TOO_MUCH };

/* What is zero takes its default. */
struct promql_settings {
    ts_ms lookback;      /* 5 min */
    ts_ms subquery_step; /* 1 min: of [5m:] */
    size_t max_samples;  /* 50,000,000 alive at once */
    size_t max_bytes;    /* no limit: memory of one step and of the result, each */
    bool delayed_names;  /* names are dropped at the end, not by every function */
    bool start_times;    /* start timestamps count */
    bool type_and_unit;  /* __type__ tells counters, not the suffix of the name */
    bool counts_steps;   /* stats say what each step read */
    /* Asked once in a while, with the samples read so far; NULL: never stops. */
    enum promql_go (*ask)(void *arg, uint64_t read);
    void *ask_arg;
};

struct promql_query {
    const struct promql_expr *expr;
    str text; /* that expr was parsed from: annotations name places in it */
    struct storage storage;
    const struct promql_settings *settings;
};

struct promql_point {
    ts_ms t;
    double v;
    const struct histogram *h; /* NULL: a float */
};

struct promql_series {
    struct labels labels;
    struct promql_point *points;
    size_t n;
};

/* What the query cost. A histogram counts as the floats that its memory could hold. */
struct promql_stats {
    uint64_t read; /* samples that selectors found, again for every step and window that has them */
    size_t peak;   /* samples alive at once, the result's included */
    uint64_t *steps; /* read by each, when counts_steps */
    size_t n_steps;
};

struct promql_result {
    enum promql_type type; /* of a range query: always a matrix */
    struct promql_series *series;
    size_t n;              /* a scalar is one series without labels */
    str text;              /* of a string */
    str *warnings, *infos; /* with their places: "PromQL warning: ... (1:5)" */
    size_t n_warnings, n_infos;
    struct promql_stats stats;
};

bool promql_instant(const struct promql_query *q, ts_ms t, struct arena *a,
                    struct promql_result *out, struct err *e) must_check;

/* Steps start, start + step, ... up to end. Series come sorted by labels. */
bool promql_range(const struct promql_query *q, ts_ms start, ts_ms end, ts_ms step, struct arena *a,
                  struct promql_result *out, struct err *e) must_check;

#endif
