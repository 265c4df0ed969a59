/* What a window amounts to: sums, means, extremes, moments, quantiles, regressions. */
#include "promql/kernel_range.h"

#include <math.h>
#include <stdlib.h>
#include "model/histogram_math.h"
#include "promql/kernel_sums.h"

/* -- extremes: a NaN gives way to any number -- */

double promql_min_over_time(const struct promql_window *w, const struct promql_range *r)
{
    double m = promql_at(w, 0);

    (void)r;
    for (size_t i = 1; i < w->n; i++)
        if (promql_at(w, i) < m || isnan(m))
            m = promql_at(w, i);
    return m;
}

double promql_max_over_time(const struct promql_window *w, const struct promql_range *r)
{
    double m = promql_at(w, 0);

    (void)r;
    for (size_t i = 1; i < w->n; i++)
        if (promql_at(w, i) > m || isnan(m))
            m = promql_at(w, i);
    return m;
}

double promql_ts_of_min_over_time(const struct promql_window *w, const struct promql_range *r)
{
    size_t k = 0;

    (void)r;
    for (size_t i = 1; i < w->n; i++)
        if (promql_at(w, i) <= promql_at(w, k) || isnan(promql_at(w, k)))
            k = i;
    return (double)w->times[k] / 1000;
}

double promql_ts_of_max_over_time(const struct promql_window *w, const struct promql_range *r)
{
    size_t k = 0;

    (void)r;
    for (size_t i = 1; i < w->n; i++)
        if (promql_at(w, i) >= promql_at(w, k) || isnan(promql_at(w, k)))
            k = i;
    return (double)w->times[k] / 1000;
}

/* -- moments: Welford's, both parts compensated -- */

double promql_stdvar_over_time(const struct promql_window *w, const struct promql_range *r)
{
    struct kahan mean = {0, 0}, m2 = {0, 0};

    (void)r;
    for (size_t i = 0; i < w->n; i++) {
        double v = promql_at(w, i), delta = v - kahan_sum(&mean);

        kahan_add(&mean, delta / (double)(i + 1));
        kahan_add(&m2, delta * (v - kahan_sum(&mean)));
    }
    return kahan_sum(&m2) / (double)w->n;
}

double promql_stddev_over_time(const struct promql_window *w, const struct promql_range *r)
{
    return sqrt(promql_stdvar_over_time(w, r));
}

/* -- quantiles -- */

static int nan_first(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    if (isnan(x) || isnan(y))
        return isnan(y) - isnan(x);
    return (x > y) - (x < y);
}

/* Windows are mostly short, and their values mostly in order: insertion beats qsort() there. */
static void sort_values(double *v, size_t n)
{
    if (n > 48) {
        qsort(v, n, sizeof(v[0]), nan_first);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        double x = v[i];
        size_t k = i;

        for (; k != 0 && (x < v[k - 1] || (isnan(x) && !isnan(v[k - 1]))); k--)
            v[k] = v[k - 1];
        v[k] = x;
    }
}

double promql_quantile(double q, double *v, size_t n)
{
    double rank, lower, upper, weight;

    if (n == 0 || isnan(q))
        return NAN;
    if (q < 0 || q > 1)
        return q < 0 ? -INFINITY : INFINITY;
    sort_values(v, n);
    rank = q * (double)(n - 1);
    lower = fmax(0, floor(rank));
    upper = fmin((double)(n - 1), lower + 1);
    weight = rank - floor(rank);
    return v[(size_t)lower] * (1 - weight) + v[(size_t)upper] * weight;
}

static double *kernel_over_time_floats_of(const struct promql_window *w, struct arena *a)
{
    double *v = arena_alloc(a, w->n * sizeof(*v));

    for (size_t i = 0; i < w->n; i++)
        v[i] = promql_at(w, i);
    return v;
}

double promql_quantile_over_time(const struct promql_window *w, const struct promql_range *r)
{
    return promql_quantile(r->p[0], kernel_over_time_floats_of(w, r->a), w->n);
}

double promql_mad_over_time(const struct promql_window *w, const struct promql_range *r)
{
    double *v = kernel_over_time_floats_of(w, r->a), median;

    for (size_t i = 0; i < w->n; i++)
        if (isnan(v[i]))
            return NAN;
    median = promql_quantile(0.5, v, w->n);
    for (size_t i = 0; i < w->n; i++)
        v[i] = fabs(v[i] - median);
    return promql_quantile(0.5, v, w->n);
}

/* -- regressions -- */

struct kernel_over_time_line {
    double slope, at_origin;
};

static struct kernel_over_time_line regression(const struct promql_window *w, ts_ms origin)
{
    struct kahan x = {0, 0}, y = {0, 0}, xy = {0, 0}, x2 = {0, 0};
    double first = promql_at(w, 0), n = (double)w->n, sx, sy, slope;
    bool is_constant = true;

    for (size_t i = 0; i < w->n; i++) {
        double v = promql_at(w, i), dt = (double)(w->times[i] - origin) / 1e3;

        is_constant &= i == 0 || v == first;
        kahan_add(&x, dt);
        kahan_add(&y, v);
        kahan_add(&xy, dt * v);
        kahan_add(&x2, dt * dt);
    }
    if (is_constant)
        return isinf(first) ? (struct kernel_over_time_line){NAN, NAN}
                            : (struct kernel_over_time_line){0, first};
    sx = kahan_sum(&x);
    sy = kahan_sum(&y);
    slope = (kahan_sum(&xy) - sx * sy / n) / (kahan_sum(&x2) - sx * sx / n);
    return (struct kernel_over_time_line){slope, sy / n - slope * sx / n};
}

double promql_deriv(const struct promql_window *w, const struct promql_range *r)
{
    (void)r;
    return regression(w, w->times[0]).slope;
}

double promql_predict_linear(const struct promql_window *w, const struct promql_range *r)
{
    struct kernel_over_time_line l = regression(w, r->now);

    return l.slope * r->p[0] + l.at_origin;
}

/* Holt's linear method; the factors have been checked. */
double promql_smoothing(const struct promql_window *w, const struct promql_range *r)
{
    double sf = r->p[0], tf = r->p[1];
    double before = 0, level = promql_at(w, 0), trend = promql_at(w, 1) - level;

    for (size_t i = 1; i < w->n; i++) {
        double x = sf * promql_at(w, i), y;

        if (i != 1)
            trend = tf * (level - before) + (1 - tf) * trend;
        y = (1 - sf) * (level + trend);
        before = level;
        level = x + y;
    }
    return level;
}

/* -- floats and histograms -- */

bool promql_count_over_time(const struct promql_window *w, const struct promql_range *r,
                            struct promql_value *out)
{
    (void)r;
    out->v = (double)(w->n + w->n_h);
    return true;
}

bool promql_present_over_time(const struct promql_window *w, const struct promql_range *r,
                              struct promql_value *out)
{
    (void)w, (void)r;
    out->v = 1;
    return true;
}

/* Whether the oldest (or newest) sample is a histogram. */
static bool histogram_leads(const struct promql_window *w, bool oldest)
{
    if (w->n == 0 || w->n_h == 0)
        return w->n == 0;
    return oldest ? w->h[0].t < w->times[0] : w->h[w->n_h - 1].t > w->times[w->n - 1];
}

static struct promql_walked edge(const struct promql_window *w, bool oldest)
{
    size_t i = oldest || w->n == 0 ? 0 : w->n - 1, j = oldest || w->n_h == 0 ? 0 : w->n_h - 1;

    if (histogram_leads(w, oldest))
        return (struct promql_walked){.t = w->h[j].t, .h = w->h[j].h};
    return (struct promql_walked){.t = w->times[i], .v = promql_at(w, i)};
}

bool promql_first_over_time(const struct promql_window *w, const struct promql_range *r,
                            struct promql_value *out)
{
    struct promql_walked s = edge(w, true);

    (void)r;
    out->v = s.v;
    out->h = s.h;
    return true;
}

bool promql_last_over_time(const struct promql_window *w, const struct promql_range *r,
                           struct promql_value *out)
{
    struct promql_walked s = edge(w, false);

    (void)r;
    out->v = s.v;
    out->h = s.h;
    return true;
}

bool promql_ts_of_first_over_time(const struct promql_window *w, const struct promql_range *r,
                                  struct promql_value *out)
{
    (void)r;
    out->v = (double)edge(w, true).t / 1000;
    return true;
}

bool promql_ts_of_last_over_time(const struct promql_window *w, const struct promql_range *r,
                                 struct promql_value *out)
{
    (void)r;
    out->v = (double)edge(w, false).t / 1000;
    return true;
}

static bool sum_histograms(const struct promql_window *w, struct arena *a, bool is_mean,
                           struct promql_value *out)
{
    struct histogram *result = arena_new(a, struct histogram);
    struct histogram_sum s;
    unsigned notes = 0;

    histogram_sum_init(&s, a, w->h[0].h);
    for (size_t i = 1; i < w->n_h; i++)
        notes |= is_mean ? histogram_mean_add(&s, w->h[i].h) : histogram_sum_add(&s, w->h[i].h);
    if (notes & HISTOGRAM_INCOMPATIBLE) {
        out->notes |= NOTE_MIXED_SCHEMAS;
        return false;
    }
    out->notes |= (notes & HISTOGRAM_COLLISION ? NOTE_COLLISION_AGG : 0) |
                  (notes & HISTOGRAM_RECONCILED ? NOTE_RECONCILED_AGG : 0);
    *result = is_mean ? histogram_mean_result(&s) : histogram_sum_result(&s);
    out->h = result;
    return true;
}

bool promql_sum_over_time(const struct promql_window *w, const struct promql_range *r,
                          struct promql_value *out)
{
    struct kahan k = {0, 0};

    if (w->n != 0 && w->n_h != 0) {
        out->notes |= NOTE_MIXED_TYPES;
        return false;
    }
    if (w->n_h != 0)
        return sum_histograms(w, r->a, false, out);
    for (size_t i = 0; i < w->n; i++)
        kahan_add(&k, promql_at(w, i));
    out->v = isinf(k.sum) ? k.sum : kahan_sum(&k);
    return true;
}

bool promql_avg_over_time(const struct promql_window *w, const struct promql_range *r,
                          struct promql_value *out)
{
    struct promql_mean m = {.n = 0};

    if (w->n != 0 && w->n_h != 0) {
        out->notes |= NOTE_MIXED_TYPES;
        return false;
    }
    if (w->n_h != 0)
        return sum_histograms(w, r->a, true, out);
    for (size_t i = 0; i < w->n; i++)
        promql_mean_add(&m, promql_at(w, i));
    out->v = promql_mean_result(&m);
    return true;
}
