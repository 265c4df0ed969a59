/* A case runs on a store of its own, from its start to its last eval_time; nothing else has a clock. */
#include "ruletest/ruletest_priv.h"

#include <math.h>
#include <stdlib.h>
#include "codec/duration.h"
#include "promql/series_histogram.h"
#include "ruletest/told.h"

enum { TICKS_MAX = 1000000 };

/* -- series -- */

struct ruletest_input {
    struct labels labels;
    struct series_value *values;
    size_t n;
    struct series_before before;
};

static double stale_marker(void)
{
    uint64_t bits = STORAGE_STALE;
    double v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

/* A series that stands twice is what it was last. */
static bool read_inputs(struct ruletest *t)
{
    struct label_sets seen = {0};
    bool ok = true;

    for (size_t i = 0; ok && i < t->test->series.n; i++) {
        struct ruletest_input x = {.n = 0};
        struct err e = ERR_INIT;
        bool is_new;
        uint32_t at;

        ok = series_parse_labels(t->test->series.v[i].series, t->a, &x.labels, &e) &&
             series_parse_values(t->test->series.v[i].values, t->a, &x.values, &x.n, &e);
        if (!ok) {
            buf_addf(&t->failure, "  %s\n", e.msg);
            break;
        }
        at = *label_sets_add(&seen, x.labels, (uint32_t)t->inputs.n, &is_new);
        if (is_new)
            vec_push(&t->inputs, x);
        else
            t->inputs.v[at] = x;
    }
    label_sets_release(&seen);
    return ok;
}

static bool ruletest_add_sample(struct ruletest *t, struct ruletest_input *x, size_t i,
                                struct err *e)
{
    const struct series_value *v = &x->values[i];
    struct histogram h;

    switch (v->kind) {
    case SERIES_OMITTED: return true;
    case SERIES_STALE:
        tsdb_batch_add(&t->batch, TSDB_REF_NEW, x->labels, stale_marker());
        return true;
    case SERIES_FLOAT: tsdb_batch_add(&t->batch, TSDB_REF_NEW, x->labels, v->v); return true;
    case SERIES_HISTOGRAM: break;
    }
    if (!series_to_histogram(v, &x->before, t->a, &h, e) || !histogram_check(&h, e))
        return false;
    if (h.schema > HISTOGRAM_SCHEMA_MAX)
        return err_set(e, ERR_INVALID, "a histogram's schema is above %d", HISTOGRAM_SCHEMA_MAX);
    tsdb_batch_add_histogram(&t->batch, TSDB_REF_NEW, x->labels, &h);
    return true;
}

/* The values that all series have at the same time. */
static bool load_row(struct ruletest *t, size_t i, ts_ms at)
{
    struct err e = ERR_INIT;
    bool ok = true;

    (void)tsdb_batch_begin(&t->batch, t->db, t->stream, at);
    VEC_EACH (struct ruletest_input *, x, &t->inputs)
        if (ok && i < x->n)
            ok = ruletest_add_sample(t, x, i, &e);
    if (!ok)
        tsdb_batch_cancel(&t->batch);
    else
        ok = tsdb_commit(&t->batch, &e);
    if (!ok)
        buf_addf(&t->failure, "  input_series: %s\n", e.msg);
    return ok;
}

static bool load_until(struct ruletest *t, ts_ms end)
{
    ts_ms start = t->test->start / NS_PER_MS, step = t->test->interval / NS_PER_MS;
    size_t longest = 0;

    VEC_EACH (struct ruletest_input *, x, &t->inputs)
        if (x->n > longest)
            longest = x->n;
    for (; t->loaded < longest && start + (ts_ms)t->loaded * step <= end; t->loaded++)
        if (!load_row(t, t->loaded, start + (ts_ms)t->loaded * step))
            return false;
    return true;
}

/* -- groups -- */

static size_t rank_of(const struct ruletest *t, const struct rule_group *g)
{
    for (size_t i = 0; i < t->file->group_order.n; i++)
        if (str_eq(t->file->group_order.v[i], g->conf->name))
            return i;
    return 0;
}

/* Those that are not named stand with the first that is; otherwise as in the files. */
static void ruletest_make_groups(struct ruletest *t)
{
    size_t most = t->file->group_order.n != 0 ? t->file->group_order.n : 1;
    struct labels external = ruletest_labels(t->a, &t->test->external_labels);

    for (size_t rank = 0; rank < most; rank++)
        for (size_t i = 0; i < t->n_confs; i++) {
            struct rule_group *g = rule_group_new(&t->confs[i], STR_NONE, t->db);

            if (rank_of(t, g) != rank) {
                rule_group_free(g);
                continue;
            }
            g->external_labels = external;
            rule_group_set_own_base(g, t->test->external_url);
            vec_push(&t->groups, g);
        }
}

static ts_ns ruletest_read_mono(void *arg)
{
    return ((const struct now *)arg)->mono;
}

static bool run_group(struct ruletest *t, struct rule_group *g, ts_ns at)
{
    struct now now = {.wall = at, .mono = NS_PER_D + at - t->test->start};
    struct rule_want want;
    bool ok = true;

    rule_group_begin(g, at, now);
    if (rule_group_advance(g, NULL, (struct rule_clock){ruletest_read_mono, &now}, &want) !=
        RULE_GROUP_DONE) {
        buf_addf(&t->failure, "  group \"%.*s\" asks a source\n", STR(g->conf->name));
        return false;
    }
    for (size_t i = 0; i < g->n_rules; i++) {
        const struct rule *r = &g->rules[i];

        if (r->last_error != NULL) {
            buf_addf(&t->failure, "  rule \"%.*s\", time ", STR(r->conf->name));
            duration_print(&t->failure, at - t->test->start);
            buf_addf(&t->failure, ": %s\n", r->last_error);
            ok = false;
        }
        if (!r->conf->is_alert && r->samples != 0)
            ruletest_reach(t, r->conf);
    }
    return ok;
}

/* -- the case -- */

static dur_ns last_time(const struct ruletest_case *c)
{
    dur_ns last = 0;

    for (size_t i = 0; i < c->alerts.n; i++)
        last = c->alerts.v[i].eval_time > last ? c->alerts.v[i].eval_time : last;
    for (size_t i = 0; i < c->exprs.n; i++)
        last = c->exprs.v[i].eval_time > last ? c->exprs.v[i].eval_time : last;
    return told_lasts(c) > last ? told_lasts(c) : last;
}

/* Within what a time can say, and a day: the monotonic clock begins with it. */
static bool has_an_end(const struct ruletest_case *c)
{
    ts_ns end;

    return !__builtin_add_overflow(last_time(c), NS_PER_D, &end) &&
           !__builtin_add_overflow(c->start, end, &end);
}

static bool run_tick(struct ruletest *t, dur_ns at)
{
    dur_ns step = t->file->evaluation_interval;
    bool ok = load_until(t, (t->test->start + at) / NS_PER_MS);

    if (t->told != NULL)
        told_until(t->told, at);
    VEC_EACH (struct rule_group **, g, &t->groups) {
        ok = ok && run_group(t, *g, t->test->start + at);
        if (t->told != NULL)
            told_alerts(t->told, (*g)->send.v, (*g)->send.n);
    }
    for (size_t i = 0; ok && i < t->test->alerts.n; i++) {
        const struct ruletest_alerts *x = &t->test->alerts.v[i];

        if (x->eval_time >= at && x->eval_time - at < step)
            ruletest_compare_alerts(t, x);
    }
    return ok;
}

static void run_ticks(struct ruletest *t)
{
    dur_ns last = last_time(t->test), step = t->file->evaluation_interval;
    bool ok = true;

    if (last / step >= TICKS_MAX) {
        buf_addf(&t->failure, "  more than %d evaluations up to the last eval_time\n", TICKS_MAX);
        return;
    }
    for (int64_t i = 0; ok && i <= last / step; i++)
        ok = run_tick(t, i * step);
    if (ok && t->told != NULL) {
        told_until(t->told, told_lasts(t->test));
        told_compare(t->told);
    }
    for (size_t i = 0; ok && i < t->test->exprs.n; i++)
        ruletest_compare_expr(t, &t->test->exprs.v[i]);
}

void ruletest_run_case(struct ruletest *t)
{
    struct tsdb_options o = {.keep_all = true,
                             .min_reach_ms = last_time(t->test) / NS_PER_MS + NS_PER_D / NS_PER_MS};
    struct tsdb_stream_conf input = {.name = S("input"),
                                     .interval_ms = t->test->interval / NS_PER_MS};

    if (!has_an_end(t->test)) {
        buf_adds(&t->failure, "  it goes on beyond the year 2262\n");
        return;
    }
    t->db = tsdb_new(&o);
    t->stream = tsdb_stream_open(t->db, &input, NULL);
    tsdb_batch_init(&t->batch);
    if (read_inputs(t)) {
        ruletest_make_groups(t);
        t->told = told_begin(t);
        run_ticks(t);
        told_end(t->told);
    }
    for (size_t i = 0; i < t->test->routes.n; i++)
        ruletest_compare_route(t, &t->test->routes.v[i]);
    VEC_EACH (struct rule_group **, g, &t->groups)
        rule_group_free(*g);
    vec_release(&t->groups);
    vec_release(&t->inputs);
    tsdb_batch_release(&t->batch);
    tsdb_free(t->db);
}
