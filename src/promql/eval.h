/* eval.h - the plain evaluator's inside: what its files share.
 *
 * A node is evaluated for one instant at a time, into a vector; a scalar is a vector of one sample without labels.
 * Functions that can fail return false after filling ev->e.
 *
 * Owns     vectors live in ev->a, which is reset after every step of the query.
 */
#ifndef PROMQL_EVAL_H
#define PROMQL_EVAL_H

#include "promql/engine.h"
#include "promql/kernel_math.h"
#include "promql/kernel_range.h"
#include "promql/label_sets.h"

/* Times beyond are taken for this one: with windows and offsets, which are shorter than 300 years, nothing overflows. */
#define PROMQL_TIME_MAX (INT64_C(1) << 60)

static inline ts_ms promql_clamp_time(ts_ms t)
{
    return t > PROMQL_TIME_MAX ? PROMQL_TIME_MAX : t < -PROMQL_TIME_MAX ? -PROMQL_TIME_MAX : t;
}

struct promql_sample {
    struct labels labels;
    double v;
    const struct histogram *h; /* NULL: a float */
    bool drops_name;           /* __name__, __type__ and __unit__ go, now or at the end */
};

struct promql_vector {
    struct promql_sample *v;
    size_t n, cap;
};

struct promql_matrix_series {
    struct labels labels;
    bool drops_name;
    struct promql_window window;
};

struct promql_matrix {
    struct promql_matrix_series *v;
    size_t n;
    struct promql_range range;
};

struct promql_kernel;

/* The series that match a selector, for who looks at each. */
struct promql_found {
    struct storage_series *series;
    struct labels *labels; /* theirs */
    size_t n;
};

/* What a query knows about a node, by its id. It has the room of its kind, other kinds have none; a range has its selector's. */
struct promql_node {
    struct storage_selector *selector; /* of a selector, and of info() */
    const struct promql_found *found;  /* of the selector: promql_need_series() */
    union {
        struct { /* PROMQL_CALL */
            const struct promql_kernel *kernel;
            struct regex *re; /* of label_replace, once it is promql_relabel_ready() */
        };
        struct { /* PROMQL_SELECTOR, PROMQL_SUBQUERY */
            ts_ms offset, at;
            bool has_at;
            /* of a selector: a histogram that the store knows for the first after a reset reads as that */
            bool shows_resets;
            ts_ms length;                     /* of a range, or of a subquery */
            ts_ms step;                       /* of a subquery */
            struct promql_subquery *subquery; /* its window; NULL: it was not evaluated yet */
        };
    };
};

struct promql_eval {
    struct storage storage;
    struct promql_settings set; /* with the defaults filled in */
    struct promql_node **nodes; /* NULL: of a kind that nothing is known about */
    size_t n_nodes;
    ts_ms start, end, step; /* of the query */
    bool is_kept;           /* the expression stays: the store keeps what it reads */
    bool is_stepped;        /* more than one instant: what sorts has no effect */
    struct arena *a;        /* of the step */
    struct arena *keep;     /* of the query */
    struct promql_notes notes;
    struct promql_planned *plan;        /* NULL: everything is evaluated plainly */
    struct promql_subquery *subqueries; /* that were evaluated */
    uint64_t steps;                     /* evaluated so far: tells apart what lived in a */
    size_t samples, results;            /* alive in this step; in the result so far */
    size_t peak;                        /* of both together */
    uint64_t read;                      /* from the store */
    size_t patience; /* how much more is done before somebody is asked whether to go on */
    struct err *e;
};

/* -- eval.c -- */

bool promql_eval_vector(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                        struct promql_vector *out) must_check;
bool promql_eval_scalar(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                        double *out) must_check;
void promql_push(struct promql_eval *ev, struct promql_vector *out, struct promql_sample s);
bool promql_fail_eval(struct promql_eval *ev, const char *fmt, ...) printf_like(2, 3);
/* Counts samples that live until the node is done. False past the limits, or when told to stop. */
bool promql_charge(struct promql_eval *ev, size_t samples) must_check;
/* Counts what was read: `most` of it were alive at once, and are not any more. */
bool promql_spend(struct promql_eval *ev, size_t most, size_t total) must_check;
/* What a sample counts as: a histogram as much as the floats that its memory could hold. */
size_t promql_weight(const struct histogram *h);
size_t promql_vector_weight(const struct promql_vector *v);
size_t promql_window_weight(const struct promql_window *w);
/* False, with Prometheus' error, when two samples have the same labels. */
bool promql_check_distinct(struct promql_eval *ev, const struct promql_vector *v) must_check;
/* ls without __name__, __type__ and __unit__. */
struct labels promql_nameless(struct arena *a, struct labels ls);
str promql_metric(struct labels ls); /* __name__ */
/* The place that annotations about x name: parentheses around it do not count. */
uint32_t promql_place_of(const struct promql_expr *x);
struct promql_node *promql_node_of(const struct promql_eval *ev, const struct promql_expr *x);

/* -- eval_select.c -- */

/* The time that a selector or subquery looks back from. */
ts_ms promql_reference(const struct promql_node *n, ts_ms t);
bool promql_eval_selector(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                          struct promql_vector *out) must_check;
/* The times of the samples of a selector, or their start timestamps, in seconds. */
bool promql_eval_times(struct promql_eval *ev, const struct promql_expr *x, ts_ms t, bool starts,
                       struct promql_vector *out) must_check;
/* The sample that an instant selector takes at ref: its time and kind. False: none. */
bool promql_newest(const struct promql_eval *ev, const struct storage_series *s, ts_ms ref,
                   ts_ms *t, bool *is_histogram);
/* A stored histogram as the selector's node n reads it. */
const struct histogram *promql_read_histogram(struct promql_eval *ev, const struct promql_node *n,
                                              const struct storage_series *s, storage_slot slot);
/* The series' own arrays when (from, to] holds nothing but floats; else its floats and histograms apart. */
void promql_read_window(struct promql_eval *ev, const struct promql_node *n,
                        const struct storage_series *s, ts_ms from, ts_ms to,
                        struct promql_window *out);
bool promql_eval_matrix(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                        struct promql_matrix *out) must_check;

/* -- eval_subquery.c -- */

/* The arrays are its node's until it is evaluated again. */
bool promql_eval_subquery(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                          struct promql_matrix *out) must_check;
void promql_subqueries_end(struct promql_eval *ev);

/* -- eval_binary.c, eval_match.c, eval_aggregate.c -- */

bool promql_eval_binary(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                        struct promql_vector *out) must_check;
bool promql_eval_match(struct promql_eval *ev, const struct promql_expr *x,
                       const struct promql_vector *lhs, const struct promql_vector *rhs,
                       struct promql_vector *out) must_check;
bool promql_eval_set(struct promql_eval *ev, const struct promql_expr *x,
                     const struct promql_vector *lhs, const struct promql_vector *rhs,
                     struct promql_vector *out) must_check;
bool promql_eval_aggregate(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                           struct promql_vector *out) must_check;

/* -- eval_call.c and what it calls -- */

typedef bool promql_call(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                         struct promql_vector *out);

bool promql_eval_call(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                      struct promql_vector *out) must_check;
const struct promql_kernel *promql_kernel_of(const struct promql_function *f);
/* False: the modifier does not go with the function. */
bool promql_check_modifier(const struct promql_kernel *k, const struct promql_shift *s,
                           struct err *e) must_check;

promql_call promql_timestamp;

/* eval_labels.c */
promql_call promql_absent, promql_absent_over_time, promql_sort, promql_sort_desc,
    promql_sort_by_label, promql_sort_by_label_desc;
/* label_replace() and label_join() */
promql_call promql_call_relabel;
struct promql_relabel {
    const struct promql_expr *x;
    const struct regex *re; /* of x's node; NULL: label_join() */
    size_t *groups;
    struct buf value;
};
/* Whether the texts of the call are what they have to be; compiles n->re. */
bool promql_relabel_ready(const struct promql_expr *x, struct promql_node *n,
                          struct err *e) must_check;
void promql_relabel_begin(struct promql_relabel *r, const struct promql_expr *x,
                          const struct regex *re, struct arena *a);
void promql_relabel_end(struct promql_relabel *r);
/* The value that the label is set to, until the next one is asked for; false: it stays as it is. */
bool promql_relabel_value(struct promql_relabel *r, struct labels ls, str *value);
/* ls with it; the array is new, the texts stay whose they are. */
struct labels promql_relabelled(const struct promql_expr *x, str value, struct labels ls,
                                bool *drops_name, struct arena *a);
/* eval_histogram.c */
promql_call promql_histogram_count, promql_histogram_sum, promql_histogram_avg,
    promql_histogram_stddev, promql_histogram_stdvar, promql_histogram_quantile,
    promql_histogram_quantiles, promql_histogram_fraction;
/* eval_info.c */
promql_call promql_info;
bool promql_info_select(struct promql_eval *ev, const struct promql_expr *x) must_check;

/* -- prepare.c -- */

/* What holds for all evaluations of x: kernels and, but for a plan that has its own, selectors. */
bool promql_prepare(struct promql_eval *ev, const struct promql_expr *x,
                    struct arena *a) must_check;
/* What depends on start, end and step: durations and times. */
bool promql_resolve(struct promql_eval *ev, const struct promql_expr *x) must_check;
void promql_unprepare(struct promql_eval *ev, const struct promql_expr *x);
/* The series of n's selector, read at the first call between storage_begin() and storage_end(). */
const struct promql_found *promql_need_series(struct promql_eval *ev, struct promql_node *n);

/* -- engine.c -- */

void promql_set_defaults(struct promql_settings *s);
/* Evaluates a prepared and resolved expression step by step. */
bool promql_run(struct promql_eval *ev, const struct promql_expr *x, str text, ts_ms step,
                bool sorted, struct arena *a, struct promql_result *out) must_check;
bool promql_check_range(const struct promql_expr *x, ts_ms step, struct err *e) must_check;

/* -- plan.c -- */

enum promql_answered { PROMQL_NOT_PLANNED, PROMQL_ANSWERED, PROMQL_FAILED };

/* Values by number: which labels a row has is the same at every step of a query. */
struct promql_rows {
    const struct plan_node *node;
    size_t n;
    const double *v;
    const uint8_t *has; /* 0: the row has no value; else what plan_priv.h says */
    const struct histogram *const *h;
};

/* x by its column, when there is one that says it all. */
enum promql_answered promql_plan_rows(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                                      struct promql_rows *out);
struct labels promql_plan_labels(struct promql_eval *ev, const struct promql_rows *rows, size_t row,
                                 bool *drops_name);
const struct histogram *promql_plan_histogram(const struct promql_rows *rows,
                                              size_t row); /* or NULL */
/* The same as a vector. */
enum promql_answered promql_plan_vector(struct promql_eval *ev, const struct promql_expr *x,
                                        ts_ms t, struct promql_vector *out);

#endif
