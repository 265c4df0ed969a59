/* plan_priv.h - the planner's inside: nodes with their tables and columns.
 *
 * A node has rows, fixed until the set of series below it changes: the series of a selector, the groups of an
 * aggregation, the many side of a join. A column says for each row what its value is at one instant, or that there is
 * none.
 *
 *     sum by (job) (rate(x[5m]))    rate: rows = series of x;  sum: rows = jobs, group_of[series] = job
 */
#ifndef PROMQL_PLAN_PRIV_H
#define PROMQL_PLAN_PRIV_H

#include "base/vec.h"
#include "promql/kernel_agg.h"
#include "promql/kernel_rows.h"
#include "promql/label_sets.h"
#include "promql/matching.h"
#include "promql/plan.h"

enum plan_kind {
    PLAN_INSTANT,
    PLAN_TIMES,   /* timestamp(selector) */
    PLAN_RANGE,   /* function(selector[5m]) */
    PLAN_MATH,    /* abs(a) and the like */
    PLAN_TUNED,   /* clamp(a, 1, 2) and the like */
    PLAN_RELABEL, /* label_replace(a, ...), label_join(a, ...) */
    PLAN_SIGN,    /* -a */
    PLAN_SCALAR,  /* a > 1, 1 + a */
    PLAN_JOIN,
    PLAN_SET,
    PLAN_FOLD,     /* sum by (l) (a) */
    PLAN_QUANTILE, /* histogram_quantile(0.9, a) of classic histograms */
};

struct plan_selector {
    const struct promql_selector *of; /* where it was first seen */
    struct storage_selector *handle;
    struct storage_ids ids; /* in this span */
    uint32_t version;       /* grows whenever the ids have changed */
};

enum { PLAN_NONE = 0, PLAN_FLOAT = 1, PLAN_HISTOGRAM = 2 };
#define PLAN_NO_ROW UINT32_MAX

/* The labels of a row are put together when they are asked for: they take several times the room of its value. */
struct plan_row {
    struct labels labels;
    bool drops_name;
};

/* What a span has made of a node: one block. */
struct plan_column {
    double *v;
    uint8_t *has;
    const struct histogram **h; /* of the step's arena; NULL: no row is one */
    size_t present;

    uint64_t run, step; /* run: 0, nothing is made yet */
    ts_ms at;
    /* samples that making it read, and that were alive at once: counted again for each who uses it */
    uint64_t read;
    size_t peak;
    bool is_given_up; /* somebody has to say something */

    double p[2]; /* what tunes it */

    struct plan_row *named;        /* labels that steps share; NULL: only one step so far */
    struct promql_extent levelled; /* of a quantile: what somebody has to hear of */
};

/* Metrics that rate() is not meant for, and whether a value of each came. */
struct plan_odd {
    struct labels labels;
    bool is_seen;
};

struct plan_odds {
    struct arena a; /* labels */
    VEC(struct plan_odd) odd;
    uint32_t *of; /* of each row, or PLAN_NO_ROW */
};

/* There are thousands, most of them of a few rows: a node has the room of its kind, and its tables are one block. */
struct plan_node {
    enum plan_kind kind;
    bool depends_on_query; /* step(), @ end(), scalar(): not shared between queries */
    bool is_fixed;         /* the same at each instant of a query: all of it is @ */
    bool shows_resets;     /* something below reads differently from what its text says */
    bool is_static;        /* rows and tables say it all; else the plain evaluator does it */
    bool drops_name;
    bool is_in_turn;                  /* a fold's: the groups' rows follow one another */
    bool keeps_column;                /* from span to span */
    uint32_t version, seen_a, seen_b; /* of the tables */

    const struct promql_expr *x; /* where it was first seen: for what it is, not for its ids */
    struct plan_selector *selector;
    struct plan_node *a, *b; /* of a join: the left and the right side */

    size_t n; /* rows */

    struct plan_column *col; /* NULL: there is none in this span */

    union {
        struct plan_odds *odds; /* PLAN_RANGE; NULL: all look like counters */
        struct {                /* PLAN_FOLD */
            struct promql_names names;
            uint32_t *fold_of; /* a row's group; the block of the tables */
            uint32_t *first;   /* of a group: its first row, which it has the labels of */
        };
        struct {                             /* PLAN_JOIN, PLAN_SET */
            size_t n_groups;                 /* signatures */
            uint32_t *group_of, *group_of_b; /* the first is the block of the tables */
            uint32_t *
                partner; /* of a signature: the row on the one side; a table if labels are copied */
            uint8_t *is_taken; /* of a signature */
        };
        struct {                    /* PLAN_RELABEL */
            const struct regex *re; /* of x's node */
            str *values;            /* of each row what the label becomes; p NULL: it stays */
            struct arena texts;     /* of the values */
        };
        struct { /* PLAN_QUANTILE */
            /* the buckets of row k are the rows of a at members[begin[k]..begin[k + 1]) */
            double *upper; /* of members; the block of the tables */
            uint32_t *members, *begin;
            size_t widest; /* how many buckets one has at most */
        };
    };
};

struct plan_expr {
    const struct promql_expr *x;
    str text;
    struct promql_node **nodes;
    size_t n_nodes;
    struct plan_node **by_id;
};

struct promql_plan {
    struct storage storage;
    struct promql_eval ev; /* of the expression that is compiled or evaluated: plan_turn_to() */
    struct promql_settings set;
    struct arena a; /* nodes */
    VEC(struct plan_expr *) exprs;
    VEC(struct plan_selector *) selectors;
    VEC(struct plan_node *) nodes;
    struct u64_map selectors_by_hash,
        nodes_by_hash; /* of what has been added: promql_plan_seal() */
    struct arena scratch, keep;
    uint64_t run; /* evaluations so far */
    bool is_once; /* for one query: the store need not keep what it reads */
};

/* What an evaluation knows of its plan: promql_eval.plan. */
struct promql_planned {
    struct promql_plan *plan;
    struct plan_expr *expr;
};

/* plan_tables.c: brings the tables of n and of all below up to date. False: n is not static. */
bool plan_tables(struct promql_plan *p, struct plan_node *n);
void plan_free_odds(struct plan_odds *o); /* NULL is fine */
/* ls in an array of its own size; the text stays the store's. */
struct labels plan_view(struct arena *a, struct labels ls);
/* The number of a row's key; the view of a new one must last as long as seen. */
uint32_t plan_number(struct label_sets *seen, struct labels key, struct arena *views);
struct plan_row plan_row(struct promql_plan *p, const struct plan_node *n, size_t row,
                         struct arena *a);

/* plan_column.c: computes the column of n at t. x: n's place in the expression of ev, without parentheses around it.
 * *given_up: the plain evaluator has to do it. False: an error. */
bool plan_column(struct promql_plan *p, struct promql_eval *ev, struct plan_node *n,
                 const struct promql_expr *x, ts_ms t, bool *given_up) must_check;
/* A span begins. */
void plan_column_forget(struct plan_node *n);

/* plan_buckets.c: tables, labels and column of quantiles. False: given up. */
void plan_make_buckets(struct promql_plan *p, struct plan_node *n);
struct plan_row plan_bucket_row(struct promql_plan *p, const struct plan_node *n, size_t row,
                                struct arena *a);
bool plan_quantile(struct promql_eval *ev, struct plan_node *n, double q, ts_ms t);

/* plan_join.c: the column from those of both sides. False: given up. */
bool plan_join(struct plan_node *n);
bool plan_set(struct plan_node *n);

#endif
