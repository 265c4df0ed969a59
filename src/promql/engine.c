/* A query: prepared once, evaluated step by step, its answer gathered by series. */
#include "promql/engine.h"

#include <stdlib.h>
#include "base/vec.h"
#include "promql/eval.h"

enum { LOOKBACK = 5 * 60 * 1000, SUBQUERY_STEP = 60 * 1000, MAX_SAMPLES = 50000000 };

void promql_set_defaults(struct promql_settings *s)
{
    s->lookback = s->lookback != 0 ? s->lookback : LOOKBACK;
    s->subquery_step = s->subquery_step != 0 ? s->subquery_step : SUBQUERY_STEP;
    s->max_samples = s->max_samples != 0 ? s->max_samples : MAX_SAMPLES;
}

/* -- the result -- */

struct growing {
    struct labels labels;
    VEC(struct promql_point) points;
};

/* Floats of some steps, one step after the other, that are not with their series yet: each has memory of its own, so what
 * it has of them is written in one go. */
enum { WAITING_STEPS = 16, ROOM_AT_FIRST = 256 };
struct engine_waiting {
    size_t room, n; /* series; steps, the last of which is under way */
    ts_ms t[WAITING_STEPS];
    double *v;
    bool *has;
    bool is_split; /* something of the step under way has been written */
};

struct engine_answer {
    struct promql_eval *ev;
    struct arena *a; /* the caller's */
    struct label_sets by_labels;
    VEC(struct growing) series;
    VEC(uint64_t) steps;    /* what each read */
    uint32_t *of_row;       /* the series of a planned row + 1; 0: it has had no value so far */
    VEC(uint32_t) of_index; /* the series of each sample of the last vector */
    struct engine_waiting waiting;
};

/* Which series has these labels. What was marked loses its name now. */
static uint32_t engine_series_of(struct engine_answer *r, struct labels ls, bool drops_name)
{
    uint32_t *at;

    if (drops_name)
        ls = promql_nameless(r->ev->a, ls);
    at = label_sets_get(&r->by_labels, ls);
    if (at != NULL)
        return *at;
    ls = labels_copy(r->a, ls);
    label_sets_put(&r->by_labels, ls, (uint32_t)r->series.n);
    vec_push(&r->series, (struct growing){.labels = ls});
    return (uint32_t)r->series.n - 1;
}

/* Room is for as many steps as there are to come, until that is a lot. */
static void engine_write_series(struct engine_answer *r, size_t i)
{
    const struct engine_waiting *w = &r->waiting;
    struct growing *g = &r->series.v[i];
    size_t left;

    if (g->points.cap == 0) {
        left = (size_t)((r->ev->end - w->t[0]) / r->ev->step) + 1;
        vec_reserve(&g->points, left < ROOM_AT_FIRST ? left : (size_t)ROOM_AT_FIRST);
    }
    for (size_t k = 0; k < w->n; k++)
        if (w->has[k * w->room + i])
            vec_push(&g->points, (struct promql_point){w->t[k], w->v[k * w->room + i], NULL});
}

static void engine_write(struct engine_answer *r)
{
    for (size_t i = 0; r->waiting.n != 0 && i < r->series.n && i < r->waiting.room; i++)
        engine_write_series(r, i);
    r->waiting.n = 0;
}

/* A step with so many samples begins. */
static void engine_begin_step(struct engine_answer *r, ts_ms t, size_t samples)
{
    struct engine_waiting *w = &r->waiting;
    size_t room = r->series.n > samples ? r->series.n : samples;

    w->is_split = !r->ev->is_stepped;
    if (w->is_split)
        return;
    if (w->n == WAITING_STEPS || room > w->room)
        engine_write(r);
    if (room > w->room) {
        w->room = room + room / 8;
        w->v = mem_resize(w->v, w->room * WAITING_STEPS, sizeof(w->v[0]));
        w->has = mem_resize(w->has, w->room * WAITING_STEPS, sizeof(w->has[0]));
    }
    if (w->room != 0)
        memset(w->has + w->n * w->room, 0, w->room * sizeof(w->has[0]));
    w->t[w->n++] = t;
}

static struct promql_point keep_point(struct engine_answer *r, ts_ms t, double v,
                                      const struct histogram *h)
{
    struct histogram *copy = NULL;

    if (h != NULL) {
        copy = arena_new(r->a, struct histogram);
        *copy = histogram_copy(r->a, h);
    }
    r->ev->results += promql_weight(h);
    return (struct promql_point){t, v, copy};
}

static bool engine_is_twice(struct engine_answer *r)
{
    return promql_fail_eval(r->ev, "vector cannot contain metrics with the same labelset");
}

/* What cannot wait: histograms, samples of series that there was no room for, and all that comes behind them. */
static bool engine_add_now(struct engine_answer *r, uint32_t series, ts_ms t, double v,
                           const struct histogram *h)
{
    struct growing *g = &r->series.v[series];

    engine_write(r);
    r->waiting.is_split = true;
    if (g->points.n != 0 && vec_last(&g->points)->t == t)
        return engine_is_twice(r);
    vec_push(&g->points, keep_point(r, t, v, h));
    return true;
}

/* No labels may stand twice. */
static inline bool engine_add_point(struct engine_answer *r, uint32_t series, ts_ms t, double v,
                                    const struct histogram *h)
{
    struct engine_waiting *w = &r->waiting;
    size_t at = (w->n - 1) * w->room + series;

    if (w->is_split || h != NULL || series >= w->room)
        return engine_add_now(r, series, t, v, h);
    if (w->has[at])
        return engine_is_twice(r);
    w->has[at] = true;
    w->v[at] = v;
    r->ev->results++;
    return true;
}

/* The series of sample i, which most often is the one of the sample that stood there before. */
static uint32_t engine_series_at(struct engine_answer *r, size_t i, const struct promql_sample *s)
{
    if (i == r->of_index.n)
        vec_push(&r->of_index, UINT32_MAX);
    if (s->drops_name || r->of_index.v[i] == UINT32_MAX ||
        !labels_eq(r->series.v[r->of_index.v[i]].labels, s->labels))
        r->of_index.v[i] = engine_series_of(r, s->labels, s->drops_name);
    return r->of_index.v[i];
}

static bool add_vector(struct engine_answer *r, ts_ms t, const struct promql_vector *v)
{
    engine_begin_step(r, t, v->n);
    for (size_t i = 0; i < v->n; i++)
        if (!engine_add_point(r, engine_series_at(r, i, &v->v[i]), t, v->v[i].v, v->v[i].h))
            return false;
    return true;
}

/* Rows are looked up by their labels once, when they first have a value. */
static bool add_rows(struct engine_answer *r, ts_ms t, const struct promql_rows *rows)
{
    if (r->of_row == NULL)
        r->of_row = mem_array(rows->n + 1, sizeof(r->of_row[0]));
    engine_begin_step(r, t, rows->n);
    for (size_t i = 0; i < rows->n; i++) {
        if (rows->has[i] == 0)
            continue;
        if (r->of_row[i] == 0) {
            bool drops_name;
            struct labels ls = promql_plan_labels(r->ev, rows, i, &drops_name);

            r->of_row[i] = engine_series_of(r, ls, drops_name) + 1;
        }
        if (!engine_add_point(r, r->of_row[i] - 1, t, rows->v[i], promql_plan_histogram(rows, i)))
            return false;
    }
    return true;
}

static void add_window(struct engine_answer *r, const struct promql_matrix_series *s)
{
    struct promql_walk k = {.w = &s->window};
    struct promql_walked p;
    struct growing *g;
    uint32_t at;

    if (s->window.n + s->window.n_h == 0)
        return;
    at = engine_series_of(r, s->labels, s->drops_name);
    g = &r->series.v[at];
    while (promql_walk_next(&k, &p))
        vec_push(&g->points, keep_point(r, p.t, p.v, p.h));
}

/* Anchored and smoothed ranges show their values at both edges. */
static void engine_extend(struct promql_eval *ev, const struct promql_range *r,
                          struct promql_window *w)
{
    ts_ms *times;
    storage_slot *slots;

    if (!r->is_anchored && !r->is_smoothed)
        return;
    times = arena_array(ev->a, w->n + 2, sizeof(*times));
    slots = arena_array(ev->a, w->n + 2, sizeof(*slots));
    w->n = promql_extend_floats(w, r, times, slots);
    w->times = times;
    w->slots = slots;
    w->starts = NULL;
}

static bool add_matrix(struct engine_answer *r, const struct promql_expr *x, ts_ms t)
{
    struct promql_matrix m;

    if (!promql_eval_matrix(r->ev, x, t, &m))
        return false;
    for (size_t i = 0; i < m.n; i++) {
        engine_extend(r->ev, &m.range, &m.v[i].window);
        add_window(r, &m.v[i]);
        if (!promql_charge(r->ev, 0))
            return false;
    }
    return true;
}

static int engine_by_labels(const void *a, const void *b)
{
    return label_sets_order(((const struct promql_series *)a)->labels,
                            ((const struct promql_series *)b)->labels);
}

static void hand_over_series(struct engine_answer *r, bool sorted, struct promql_result *out)
{
    out->n = r->series.n;
    out->series = arena_array(r->a, out->n, sizeof(out->series[0]));
    for (size_t i = 0; i < out->n; i++) {
        struct growing *g = &r->series.v[i];
        struct promql_point *points =
            arena_copy(r->a, g->points.v, g->points.n, g->points.n, sizeof(*points));

        out->series[i] = (struct promql_series){g->labels, points, g->points.n};
        vec_release(&g->points);
    }
    if (sorted && out->n > 1)
        qsort(out->series, out->n, sizeof(out->series[0]), engine_by_labels);
}

static void hand_over_notes(struct engine_answer *r, str text, struct promql_result *out)
{
    const struct str_map *all = &r->ev->notes.by_text;
    struct buf b = BUF_INIT;

    out->warnings = arena_array(r->a, all->n, sizeof(str));
    out->infos = arena_array(r->a, all->n, sizeof(str));
    MAP_EACH (struct str_map_entry, e, all) {
        const struct promql_annotation *x = e->value;

        buf_clear(&b);
        promql_annotation_print(&b, x, text);
        *(x->is_warning ? &out->warnings[out->n_warnings++] : &out->infos[out->n_infos++]) =
            arena_str(r->a, buf_str(&b));
    }
    buf_release(&b);
}

static void engine_answer_release(struct engine_answer *r)
{
    for (size_t i = 0; i < r->series.n; i++)
        vec_release(&r->series.v[i].points);
    vec_release(&r->series);
    label_sets_release(&r->by_labels);
    vec_release(&r->steps);
    mem_free(r->of_row);
    vec_release(&r->of_index);
    mem_free(r->waiting.v);
    mem_free(r->waiting.has);
}

static void hand_over_stats(const struct engine_answer *r, struct promql_result *out)
{
    uint64_t *steps = arena_copy(r->a, r->steps.v, r->steps.n, r->steps.n, sizeof(*steps));

    out->stats = (struct promql_stats){r->ev->read, r->ev->peak, steps, r->steps.n};
}

/* -- running -- */

static bool engine_run_step(struct engine_answer *r, const struct promql_expr *x, ts_ms t)
{
    enum promql_answered planned = PROMQL_NOT_PLANNED;
    struct promql_rows rows;
    struct promql_vector v;

    if (x->type == PROMQL_T_STRING)
        return true;
    if (x->type == PROMQL_T_MATRIX)
        return add_matrix(r, x, t);
    r->ev->samples = 0;
    if (r->ev->plan != NULL)
        planned = promql_plan_rows(r->ev, x, t, &rows);
    if (planned != PROMQL_NOT_PLANNED)
        return planned == PROMQL_ANSWERED && add_rows(r, t, &rows);
    return promql_eval_vector(r->ev, x, t, &v) && add_vector(r, t, &v);
}

static bool run_steps(struct engine_answer *r, const struct promql_expr *x, ts_ms step)
{
    struct promql_eval *ev = r->ev;
    bool ok = true;

    for (ts_ms t = ev->start; ok && t <= ev->end; t += promql_clamp_time(step)) {
        uint64_t before = ev->read;

        arena_rewind(ev->a);
        ev->steps++;
        ok = engine_run_step(r, x, t);
        if (ev->set.counts_steps)
            vec_push(&r->steps, ev->read - before);
        if (ok && ev->set.max_bytes != 0 && r->a->used > ev->set.max_bytes)
            ok = err_set(ev->e, ERR_LIMIT, "result needs more than %zu bytes of memory",
                         ev->set.max_bytes);
    }
    return ok;
}

bool promql_run(struct promql_eval *ev, const struct promql_expr *x, str text, ts_ms step,
                bool sorted, struct arena *a, struct promql_result *out)
{
    struct engine_answer r = {.ev = ev, .a = a};
    bool ok = run_steps(&r, x, step);

    if (ok) {
        engine_write(&r);
        *out = (struct promql_result){.type = x->type};
        if (x->type == PROMQL_T_STRING)
            out->text = arena_str(a, promql_unwrap(x)->text);
        hand_over_series(&r, sorted, out);
        hand_over_notes(&r, text, out);
        hand_over_stats(&r, out);
    }
    promql_subqueries_end(ev);
    engine_answer_release(&r);
    return ok;
}

/* -- one query -- */

static bool engine_run(const struct promql_query *q, ts_ms start, ts_ms end, ts_ms step,
                       bool sorted, struct arena *a, struct promql_result *out, struct err *e)
{
    struct arena keep, scratch;
    struct promql_eval ev = {.storage = q->storage,
                             .set = *q->settings,
                             .start = promql_clamp_time(start),
                             .end = promql_clamp_time(end),
                             .step = start == end ? 0 : step,
                             .is_stepped = start != end,
                             .a = &scratch,
                             .keep = &keep,
                             .e = e};
    bool ok;

    promql_set_defaults(&ev.set);
    arena_init(&keep, 0);
    arena_init(&scratch, ev.set.max_bytes);
    promql_notes_init(&ev.notes, &keep);
    ok = promql_prepare(&ev, q->expr, &keep) && promql_resolve(&ev, q->expr);
    if (ok) {
        storage_begin(q->storage);
        ok = promql_run(&ev, q->expr, q->text, step, sorted, a, out);
        storage_end(q->storage);
    }
    promql_unprepare(&ev, q->expr);
    promql_notes_release(&ev.notes);
    arena_release(&scratch);
    arena_release(&keep);
    return ok;
}

bool promql_instant(const struct promql_query *q, ts_ms t, struct arena *a,
                    struct promql_result *out, struct err *e)
{
    return engine_run(q, t, t, 1, q->expr->type == PROMQL_T_MATRIX, a, out, e);
}

bool promql_check_range(const struct promql_expr *x, ts_ms step, struct err *e)
{
    if (x->type != PROMQL_T_VECTOR && x->type != PROMQL_T_SCALAR)
        return err_set(e, ERR_INVALID,
                       "invalid expression type \"%s\" for range query, must be Scalar or instant "
                       "Vector",
                       promql_type_text(x->type));
    return step > 0 || err_set(e, ERR_INVALID,
                               "zero or negative query resolution step widths are not accepted. "
                               "Try a positive integer");
}

bool promql_range(const struct promql_query *q, ts_ms start, ts_ms end, ts_ms step, struct arena *a,
                  struct promql_result *out, struct err *e)
{
    if (!promql_check_range(q->expr, step, e) || !engine_run(q, start, end, step, true, a, out, e))
        return false;
    out->type = PROMQL_T_MATRIX;
    return true;
}
