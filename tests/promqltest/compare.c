#include "compare.h"

#include <math.h>
#include "codec/float.h"
#include "model/histogram_math.h"
#include "model/labels.h"
#include "promql/kernel_buckets.h"
#include "promql/label_sets.h"
#include "promql/series_histogram.h"

#define TOLERANCE 1e-6

static bool same(double a, double b)
{
    return promql_almost_equal(a, b, TOLERANCE);
}

/* -- histograms -- */

static bool same_side(const struct histogram_side *a, const struct histogram_side *b)
{
    if (a->n_spans != b->n_spans || a->n != b->n)
        return false;
    for (uint32_t i = 0; i < a->n_spans; i++)
        if (a->spans[i].offset != b->spans[i].offset || a->spans[i].length != b->spans[i].length)
            return false;
    for (uint32_t i = 0; i < a->n; i++)
        if (!same(a->counts[i], b->counts[i]))
            return false;
    return true;
}

static bool same_histogram(const struct histogram *wanted, const struct histogram *got,
                           bool with_hint, struct arena *a)
{
    struct histogram x = histogram_compact(a, wanted, 0), y = histogram_compact(a, got, 0);

    return x.schema == y.schema && same(x.count, y.count) && same(x.sum, y.sum) &&
           x.zero_threshold == y.zero_threshold && same(x.zero_count, y.zero_count) &&
           same_side(&x.positive, &y.positive) && same_side(&x.negative, &y.negative) &&
           (!histogram_is_custom(&x) || histogram_same_bounds(&x, &y)) &&
           (!with_hint || x.hint == y.hint);
}

/* -- points -- */

static void print_point(struct buf *out, const struct promql_point *p)
{
    static const char *const hints[] = {"unknown", "reset", "not_reset", "gauge"};

    if (p->h == NULL) {
        float_print_g(out, p->v);
        return;
    }
    histogram_print(out, p->h);
    buf_addf(out, " schema %d zero %g hint %s", p->h->schema, p->h->zero_threshold,
             hints[p->h->hint]);
}

static void print_points(struct buf *out, const struct promql_point *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_addc(out, ' ');
        print_point(out, &p[i]);
        buf_addf(out, "@%lld", (long long)p[i].t);
    }
}

struct wanted {
    struct promql_point *v;
    bool *with_hint;
    size_t n;
};

static bool stale(double *out)
{
    uint64_t bits = STORAGE_STALE;

    memcpy(out, &bits, sizeof(bits));
    return true;
}

/* The values of a line as points from start on; false: a histogram that cannot be. */
static bool wanted_points(const struct series_line *l, ts_ms start, ts_ms step, struct arena *a,
                          struct wanted *out, struct err *e)
{
    struct series_before before = {.v = NULL};

    *out = (struct wanted){arena_array(a, l->n + 1, sizeof(*out->v)),
                           arena_array(a, l->n + 1, sizeof(*out->with_hint)), 0};
    for (size_t i = 0; i < l->n; i++) {
        const struct series_value *v = &l->values[i];
        struct promql_point *p = &out->v[out->n];
        struct histogram *h = arena_new(a, struct histogram);

        if (v->kind == SERIES_OMITTED)
            continue;
        *p = (struct promql_point){.t = start + (ts_ms)i * step, .v = v->v};
        if (v->kind == SERIES_STALE)
            stale(&p->v);
        if (v->kind == SERIES_HISTOGRAM) {
            if (!series_to_histogram(v, &before, a, h, e))
                return false;
            p->h = h;
            out->with_hint[out->n] = v->base->hint != SERIES_HINT_NONE;
        }
        out->n++;
    }
    return true;
}

static bool same_points(const struct wanted *w, const struct promql_point *p, size_t n,
                        struct arena *a)
{
    if (w->n != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (w->v[i].t != p[i].t || (w->v[i].h != NULL) != (p[i].h != NULL))
            return false;
        if (p[i].h != NULL ? !same_histogram(w->v[i].h, p[i].h, w->with_hint[i], a)
                           : !same(w->v[i].v, p[i].v))
            return false;
    }
    return true;
}

static bool compare_points(const struct expected_series *x, const struct promql_series *s,
                           ts_ms start, ts_ms step, struct arena *a, struct buf *why)
{
    struct err e = ERR_INIT;
    struct wanted w;

    if (!wanted_points(&x->line, start, step, a, &w, &e)) {
        buf_addf(why, "%s", e.msg);
        return false;
    }
    if (same_points(&w, s->points, s->n, a))
        return true;
    labels_print(why, s->labels);
    buf_adds(why, ": expected");
    print_points(why, w.v, w.n);
    buf_adds(why, ", got");
    print_points(why, s->points, s->n);
    return false;
}

/* -- series -- */

static const struct expected_series *find(const struct expected *x, struct labels ls)
{
    for (size_t i = x->series.n; i != 0; i--)
        if (labels_eq(x->series.v[i - 1].line.labels, ls))
            return &x->series.v[i - 1];
    return NULL;
}

static bool compare_count(const struct expected *x, const struct promql_result *r, struct buf *why)
{
    for (size_t i = 0; i < x->series.n; i++) {
        bool found = false;

        for (size_t k = 0; k < r->n && !found; k++)
            found = labels_eq(x->series.v[i].line.labels, r->series[k].labels);
        if (!found) {
            buf_adds(why, "expected ");
            labels_print(why, x->series.v[i].line.labels);
            buf_adds(why, ", which did not come");
            return false;
        }
    }
    return true;
}

static bool compare_series(const struct expected *x, const struct promql_result *r, ts_ms start,
                           ts_ms step, struct arena *a, struct buf *why)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct expected_series *s = find(x, r->series[i].labels);

        if (s == NULL) {
            buf_adds(why, "came, but was not expected: ");
            labels_print(why, r->series[i].labels);
            print_points(why, r->series[i].points, r->series[i].n);
            return false;
        }
        if (!compare_points(s, &r->series[i], start, step, a, why))
            return false;
    }
    return compare_count(x, r, why);
}

static bool compare_order(const struct expected *x, const struct promql_result *r, struct buf *why)
{
    for (size_t i = 0; x->ordered && i < r->n && i < x->series.n; i++)
        if (!labels_eq(x->series.v[i].line.labels, r->series[i].labels)) {
            buf_addf(why, "at place %zu expected ", i + 1);
            labels_print(why, x->series.v[i].line.labels);
            buf_adds(why, ", got ");
            labels_print(why, r->series[i].labels);
            return false;
        }
    return true;
}

static bool is_sorted(const struct promql_result *r, struct buf *why)
{
    for (size_t i = 1; i < r->n; i++)
        if (label_sets_order(r->series[i - 1].labels, r->series[i].labels) > 0) {
            buf_adds(why, "the result is not sorted by labels");
            return false;
        }
    return true;
}

static bool compare_scalar(const struct expected *x, double v, struct buf *why)
{
    if (same(x->scalar, v))
        return true;
    buf_adds(why, "expected scalar ");
    float_print_g(why, x->scalar);
    buf_adds(why, ", got ");
    float_print_g(why, v);
    return false;
}

static bool compare_type(enum promql_type wanted, const struct promql_result *r, struct buf *why)
{
    if (wanted == r->type)
        return true;
    buf_addf(why, "expected a result of type %s, got %s", promql_type_text(wanted),
             promql_type_text(r->type));
    return false;
}

bool compare_result(const struct expected *x, const struct promql_result *r, struct arena *a,
                    struct buf *why)
{
    bool is_matrix = x->is_range || x->has_grid;
    enum promql_type type = x->is_string   ? PROMQL_T_STRING
                            : x->is_scalar ? PROMQL_T_SCALAR
                            : is_matrix    ? PROMQL_T_MATRIX
                                           : PROMQL_T_VECTOR;

    if (!compare_type(type, r, why))
        return false;
    if (x->is_string) {
        if (str_eq(x->text, r->text))
            return true;
        buf_addf(why, "expected string \"%.*s\", got \"%.*s\"", STR(x->text), STR(r->text));
        return false;
    }
    if (x->is_scalar)
        return compare_scalar(x, r->series[0].points[0].v, why);
    if (!is_matrix)
        return compare_order(x, r, why) && compare_series(x, r, x->start, 0, a, why);
    return is_sorted(r, why) &&
           (x->has_grid ? compare_series(x, r, x->grid_start, x->grid_step, a, why)
                        : compare_series(x, r, x->start, x->step, a, why));
}

bool compare_step(const struct expected *x, const struct promql_result *r, ts_ms t, struct arena *a,
                  struct buf *why)
{
    struct promql_result at = {.type = PROMQL_T_VECTOR};

    at.series = arena_array(a, r->n + 1, sizeof(at.series[0]));
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; k < r->series[i].n; k++)
            if (r->series[i].points[k].t == t)
                at.series[at.n++] =
                    (struct promql_series){r->series[i].labels, &r->series[i].points[k], 1};
    if (x->is_scalar)
        return compare_scalar(x, at.n != 0 ? at.series[0].points[0].v : NAN, why);
    return compare_series(x, &at, t, 0, a, why);
}

/* -- annotations -- */

static bool compare_level(const char *level, const struct said *wanted, size_t n_wanted, bool none,
                          const str *got, size_t n, struct buf *why)
{
    for (size_t i = 0; none && i < n; i++) {
        buf_addf(why, "expected no %s, got: %.*s", level, STR(got[i]));
        return false;
    }
    for (size_t i = 0; i < n_wanted; i++) {
        bool found = false;

        for (size_t k = 0; k < n && !found; k++)
            found = said_matches(&wanted[i], got[k]);
        if (!found) {
            buf_addf(why, "expected %s did not come: %.*s%.*s", level, STR(wanted[i].text),
                     STR(wanted[i].re != NULL ? regex_pattern(wanted[i].re) : STR_NONE));
            for (size_t k = 0; k < n; k++)
                buf_addf(why, "; got: %.*s", STR(got[k]));
            return false;
        }
    }
    for (size_t k = 0; n_wanted != 0 && k < n; k++) {
        bool found = false;

        for (size_t i = 0; i < n_wanted && !found; i++)
            found = said_matches(&wanted[i], got[k]);
        if (!found) {
            buf_addf(why, "%s came, but was not expected: %.*s", level, STR(got[k]));
            return false;
        }
    }
    return true;
}

bool compare_notes(const struct expected *x, const struct promql_result *r, struct buf *why)
{
    return compare_level("warning", x->warns.v, x->warns.n, x->no_warn, r->warnings, r->n_warnings,
                         why) &&
           compare_level("info", x->infos.v, x->infos.n, x->no_info, r->infos, r->n_infos, why);
}
