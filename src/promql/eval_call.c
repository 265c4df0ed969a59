/* Functions: one row each, parallel to functions.c, with what computes it. */
#include "promql/kernel_rows.h"

#include <math.h>
#include <stdlib.h>

/* -- scalars -- */

static bool push_scalar(struct promql_eval *ev, double v, struct promql_vector *out)
{
    promql_push(ev, out, (struct promql_sample){.v = v});
    return true;
}

static bool call_time(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                      struct promql_vector *out)
{
    (void)x;
    return push_scalar(ev, (double)t / 1000, out);
}

static bool call_pi(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                    struct promql_vector *out)
{
    (void)x, (void)t;
    return push_scalar(ev, M_PI, out);
}

static bool call_start(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                       struct promql_vector *out)
{
    (void)x, (void)t;
    return push_scalar(ev, (double)ev->start / 1000, out);
}

static bool call_end(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                     struct promql_vector *out)
{
    (void)x, (void)t;
    return push_scalar(ev, (double)ev->end / 1000, out);
}

static bool call_step(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                      struct promql_vector *out)
{
    (void)x, (void)t;
    return push_scalar(ev, (double)ev->step / 1000, out);
}

static bool call_range(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                       struct promql_vector *out)
{
    (void)x, (void)t;
    return push_scalar(ev, (double)(ev->end - ev->start) / 1000, out);
}

static bool call_pair(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                      double (*f)(double, double), struct promql_vector *out)
{
    double a, b;

    return promql_eval_scalar(ev, x->call.args[0], t, &a) &&
           promql_eval_scalar(ev, x->call.args[1], t, &b) && push_scalar(ev, f(a, b), out);
}

static bool call_max_of(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                        struct promql_vector *out)
{
    return call_pair(ev, x, t, promql_max, out);
}

static bool call_min_of(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                        struct promql_vector *out)
{
    return call_pair(ev, x, t, promql_min, out);
}

static bool call_scalar(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                        struct promql_vector *out)
{
    struct promql_vector v;
    double only = NAN;
    size_t n = 0;

    if (!promql_eval_vector(ev, x->call.args[0], t, &v))
        return false;
    for (size_t i = 0; i < v.n; i++)
        if (v.v[i].h == NULL) {
            only = v.v[i].v;
            n++;
        }
    return push_scalar(ev, n == 1 ? only : NAN, out);
}

static bool call_vector(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                        struct promql_vector *out)
{
    return promql_eval_vector(ev, x->call.args[0], t, out);
}

/* -- vectors -- */

/* The floats of the argument, for changing in place; the names go. */
static bool eval_call_floats_of(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                                struct promql_vector *out)
{
    size_t n = 0;

    if (!promql_eval_vector(ev, x, t, out))
        return false;
    for (size_t i = 0; i < out->n; i++) {
        if (out->v[i].h != NULL)
            continue;
        out->v[n] = out->v[i];
        out->v[n++].drops_name = true;
    }
    out->n = n;
    return true;
}

static bool call_math(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                      const struct promql_kernel *k, struct promql_vector *out)
{
    if (k->is_date && x->call.n_args == 0)
        return push_scalar(ev, k->math((double)t / 1000), out);
    if (!eval_call_floats_of(ev, x->call.args[0], t, out))
        return false;
    for (size_t i = 0; i < out->n; i++)
        out->v[i].v = k->math(out->v[i].v);
    return true;
}

static bool call_tuned(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                       const struct promql_kernel *k, struct promql_vector *out)
{
    double p[2] = {k->p};
    size_t n = 0;

    if (!promql_params(ev, x, t, p) || !eval_call_floats_of(ev, x->call.args[0], t, out))
        return false;
    for (size_t i = 0; i < out->n; i++) {
        out->v[n] = out->v[i];
        n += k->tuned(out->v[i].v, p, &out->v[n].v);
    }
    out->n = n;
    return true;
}

/* A selector knows when its samples were taken; whatever else is from now. */
bool promql_timestamp(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                      struct promql_vector *out)
{
    const struct promql_expr *arg = promql_unwrap(x->call.args[0]);

    if (arg->kind == PROMQL_SELECTOR && !arg->selector.shift.is_smoothed)
        return promql_eval_times(ev, arg, t, false, out);
    if (!promql_eval_vector(ev, arg, t, out))
        return false;
    for (size_t i = 0; i < out->n; i++) {
        out->v[i].v = (double)t / 1000;
        out->v[i].h = NULL;
        out->v[i].drops_name = true;
    }
    return true;
}

static bool call_start_timestamp(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                                 struct promql_vector *out)
{
    const struct promql_expr *arg = promql_unwrap(x->call.args[0]);

    if (!ev->set.start_times || arg->kind != PROMQL_SELECTOR)
        return true;
    return promql_eval_times(ev, arg, t, true, out);
}

/* -- ranges -- */

static bool check_share(struct promql_eval *ev, double v, const char *what)
{
    return (v > 0 && v < 1) ||
           promql_fail_eval(ev, "invalid %s factor. Expected: 0 < %cf < 1, got: %f", what, what[0],
                            v);
}

bool promql_params(struct promql_eval *ev, const struct promql_expr *x, ts_ms t, double *p)
{
    size_t k = 0;

    for (size_t i = 0; i < x->call.n_args; i++)
        if (x->call.args[i]->type == PROMQL_T_SCALAR &&
            !promql_eval_scalar(ev, x->call.args[i], t, &p[k++]))
            return false;
    return true;
}

static const struct promql_expr *matrix_of(const struct promql_expr *x)
{
    size_t i = 0;

    while (x->call.args[i]->type != PROMQL_T_MATRIX)
        i++;
    return x->call.args[i];
}

static bool is_counter_name(str metric)
{
    return str_ends_with(metric, S("_total")) || str_ends_with(metric, S("_sum")) ||
           str_ends_with(metric, S("_count")) || str_ends_with(metric, S("_bucket"));
}

bool promql_is_odd_counter(const struct promql_settings *set, struct labels ls)
{
    str metric = promql_metric(ls), type = labels_get(ls, S("__type__"));

    if (!set->type_and_unit)
        return metric.n != 0 && !is_counter_name(metric);
    return metric.n != 0 && !str_is(type, "counter") && !str_is(type, "histogram");
}

void promql_note_odd_counter(struct promql_eval *ev, struct labels ls, uint32_t at)
{
    if (!ev->set.type_and_unit)
        promql_notes_add(&ev->notes, NOTE_MAYBE_NO_COUNTER, promql_metric(ls), at);
    else
        promql_note(&ev->notes, false, at,
                    "metric might not be a counter, __type__ label is not set to \"counter\" or "
                    "\"histogram\", got \"%.*s\": \"%.*s\"",
                    STR(labels_get(ls, S("__type__"))), STR(promql_metric(ls)));
}

/* What a function says about its parameters once it is called at all. */
static bool check_params(struct promql_eval *ev, const struct promql_kernel *k,
                         const struct promql_window *w, const struct promql_range *r, uint32_t at)
{
    if (k->floats == promql_smoothing)
        return check_share(ev, r->p[0], "smoothing") && check_share(ev, r->p[1], "trend");
    if (k->floats == promql_quantile_over_time && w->n != 0 && !(r->p[0] >= 0 && r->p[0] <= 1))
        promql_note_quantile(&ev->notes, r->p[0], at);
    return true;
}

bool promql_run_kernel(const struct promql_kernel *k, const struct promql_window *w,
                       const struct promql_range *r, struct promql_value *v)
{
    if (k->window != NULL)
        return k->window(w, r, v);
    if (w->n != 0 && w->n_h != 0)
        v->notes |= NOTE_IGNORED;
    if (w->n < k->least)
        return false;
    v->v = k->floats(w, r);
    return true;
}

static bool call_over_range(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                            const struct promql_kernel *k, struct promql_vector *out)
{
    uint32_t at = promql_place_of(x->call.args[0]);
    struct promql_matrix m;

    if (!promql_eval_matrix(ev, matrix_of(x), t, &m) || !promql_params(ev, x, t, m.range.p))
        return false;
    for (size_t i = 0; i < m.n; i++) {
        struct promql_matrix_series *s = &m.v[i];
        struct promql_value v = {.v = 0};
        bool has;

        if (!check_params(ev, k, &s->window, &m.range, at))
            return false;
        has = promql_run_kernel(k, &s->window, &m.range, &v);
        promql_notes_add(&ev->notes, v.notes, promql_metric(s->labels), at);
        if (!has)
            continue;
        if (k->wants_counter && v.h == NULL && promql_is_odd_counter(&ev->set, s->labels))
            promql_note_odd_counter(ev, s->labels, at);
        promql_push(ev, out,
                    (struct promql_sample){.labels = s->labels,
                                           .v = v.v,
                                           .h = v.h,
                                           .drops_name = !k->keeps_name || s->drops_name});
    }
    return true;
}

/* -- the table, sorted by name -- */

#define MATH(n, f)                                                                                 \
    {                                                                                              \
        .name = (n), .math = (f)                                                                   \
    }
#define TUNED(n, f, ...)                                                                           \
    {                                                                                              \
        .name = (n), .tuned = (f), __VA_ARGS__                                                     \
    }
#define DATE(n, f)                                                                                 \
    {                                                                                              \
        .name = (n), .math = (f), .is_date = true                                                  \
    }
#define FLOATS(n, f, k)                                                                            \
    {                                                                                              \
        .name = (n), .floats = (f), .least = (k)                                                   \
    }
#define WINDOW(n, f, ...)                                                                          \
    {                                                                                              \
        .name = (n), .window = (f), __VA_ARGS__                                                    \
    }
#define CALL(n, f)                                                                                 \
    {                                                                                              \
        .name = (n), .call = (f)                                                                   \
    }

static const struct promql_kernel kernels[] = {
    MATH("abs", fabs),
    CALL("absent", promql_absent),
    CALL("absent_over_time", promql_absent_over_time),
    MATH("acos", acos),
    MATH("acosh", acosh),
    MATH("asin", asin),
    MATH("asinh", asinh),
    MATH("atan", atan),
    MATH("atanh", atanh),
    WINDOW("avg_over_time", promql_avg_over_time, ),
    MATH("ceil", ceil),
    WINDOW("changes", promql_changes, .takes_anchored = true),
    TUNED("clamp", promql_clamp, ),
    TUNED("clamp_max", promql_clamp_max, ),
    TUNED("clamp_min", promql_clamp_min, ),
    MATH("cos", cos),
    MATH("cosh", cosh),
    WINDOW("count_over_time", promql_count_over_time, ),
    DATE("day_of_month", promql_day_of_month),
    DATE("day_of_week", promql_day_of_week),
    DATE("day_of_year", promql_day_of_year),
    DATE("days_in_month", promql_days_in_month),
    MATH("deg", promql_deg),
    WINDOW("delta", promql_delta, .takes_anchored = true, .takes_smoothed = true),
    FLOATS("deriv", promql_deriv, 2),
    FLOATS("double_exponential_smoothing", promql_smoothing, 2),
    CALL("end", call_end),
    MATH("exp", exp),
    WINDOW("first_over_time", promql_first_over_time, .keeps_name = true),
    MATH("floor", floor),
    CALL("histogram_avg", promql_histogram_avg),
    CALL("histogram_count", promql_histogram_count),
    CALL("histogram_fraction", promql_histogram_fraction),
    CALL("histogram_quantile", promql_histogram_quantile),
    CALL("histogram_quantiles", promql_histogram_quantiles),
    CALL("histogram_stddev", promql_histogram_stddev),
    CALL("histogram_stdvar", promql_histogram_stdvar),
    CALL("histogram_sum", promql_histogram_sum),
    DATE("hour", promql_hour),
    WINDOW("idelta", promql_idelta, ),
    WINDOW("increase", promql_increase, .wants_counter = true, .takes_anchored = true,
           .takes_smoothed = true),
    CALL("info", promql_info),
    WINDOW("irate", promql_irate, ),
    CALL("label_join", promql_call_relabel),
    CALL("label_replace", promql_call_relabel),
    WINDOW("last_over_time", promql_last_over_time, .keeps_name = true),
    MATH("ln", log),
    MATH("log10", log10),
    MATH("log2", log2),
    FLOATS("mad_over_time", promql_mad_over_time, 1),
    CALL("max_of", call_max_of),
    FLOATS("max_over_time", promql_max_over_time, 1),
    CALL("min_of", call_min_of),
    FLOATS("min_over_time", promql_min_over_time, 1),
    DATE("minute", promql_minute),
    DATE("month", promql_month),
    CALL("pi", call_pi),
    FLOATS("predict_linear", promql_predict_linear, 2),
    WINDOW("present_over_time", promql_present_over_time, ),
    FLOATS("quantile_over_time", promql_quantile_over_time, 1),
    MATH("rad", promql_rad),
    CALL("range", call_range),
    WINDOW("rate", promql_rate, .wants_counter = true, .takes_anchored = true,
           .takes_smoothed = true),
    WINDOW("resets", promql_resets, .takes_anchored = true),
    TUNED("round", promql_round, .p = 1),
    CALL("scalar", call_scalar),
    MATH("sgn", promql_sgn),
    MATH("sin", sin),
    MATH("sinh", sinh),
    CALL("sort", promql_sort),
    CALL("sort_by_label", promql_sort_by_label),
    CALL("sort_by_label_desc", promql_sort_by_label_desc),
    CALL("sort_desc", promql_sort_desc),
    MATH("sqrt", sqrt),
    CALL("start", call_start),
    CALL("start_timestamp", call_start_timestamp),
    FLOATS("stddev_over_time", promql_stddev_over_time, 1),
    FLOATS("stdvar_over_time", promql_stdvar_over_time, 1),
    CALL("step", call_step),
    WINDOW("sum_over_time", promql_sum_over_time, ),
    MATH("tan", tan),
    MATH("tanh", tanh),
    CALL("time", call_time),
    CALL("timestamp", promql_timestamp),
    WINDOW("ts_of_first_over_time", promql_ts_of_first_over_time, ),
    WINDOW("ts_of_last_over_time", promql_ts_of_last_over_time, ),
    FLOATS("ts_of_max_over_time", promql_ts_of_max_over_time, 1),
    FLOATS("ts_of_min_over_time", promql_ts_of_min_over_time, 1),
    CALL("vector", call_vector),
    DATE("year", promql_year),
};

static int eval_call_by_name(const void *key, const void *row)
{
    return strcmp(key, ((const struct promql_kernel *)row)->name);
}

const struct promql_kernel *promql_kernel_of(const struct promql_function *f)
{
    return bsearch(f->name, kernels, ARRAY_LEN(kernels), sizeof(kernels[0]), eval_call_by_name);
}

static bool eval_call_refuse(const char *modifier, const char *function, bool anchored,
                             struct err *e)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < ARRAY_LEN(kernels); i++)
        if (anchored ? kernels[i].takes_anchored : kernels[i].takes_smoothed)
            buf_addf(&b, "%s%s", b.n != 0 ? ", " : "", kernels[i].name);
    err_set(e, ERR_INVALID, "%s modifier can only be used with: %.*s - not with %s", modifier,
            STR(buf_str(&b)), function);
    buf_release(&b);
    return false;
}

bool promql_check_modifier(const struct promql_kernel *k, const struct promql_shift *s,
                           struct err *e)
{
    if (s->is_anchored && !k->takes_anchored)
        return eval_call_refuse("anchored", k->name, true, e);
    if (s->is_smoothed && !k->takes_smoothed)
        return eval_call_refuse("smoothed", k->name, false, e);
    return true;
}

bool promql_eval_call(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                      struct promql_vector *out)
{
    const struct promql_kernel *k = promql_node_of(ev, x)->kernel;

    if (k->call != NULL)
        return k->call(ev, x, t, out);
    if (k->tuned != NULL)
        return call_tuned(ev, x, t, k, out);
    return k->math != NULL ? call_math(ev, x, t, k, out) : call_over_range(ev, x, t, k, out);
}
