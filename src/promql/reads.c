#include "promql/reads.h"

#include "promql/eval.h"

enum { LOOKBACK_MS = 5 * 60 * 1000 };

static const struct promql_times reads_all = {-PROMQL_TIME_MAX, PROMQL_TIME_MAX};

struct reads_of {
    struct promql_times query, found;
    ts_ms lookback;
};

static ts_ms reads_ms(struct promql_span s)
{
    return s.ns / NS_PER_MS;
}

static struct promql_times reads_shift(const struct reads_of *r, const struct promql_shift *s,
                                       struct promql_times t)
{
    if (s->offset.expr != NULL)
        return reads_all;
    switch (s->at) {
    case PROMQL_AT_NONE: break;
    case PROMQL_AT_TIME: t.from = t.to = promql_clamp_time(s->at_time); break;
    case PROMQL_AT_START: t.from = t.to = r->query.from; break;
    case PROMQL_AT_END: t.from = t.to = r->query.to; break;
    }
    t.from -= reads_ms(s->offset);
    t.to -= reads_ms(s->offset);
    if (s->is_anchored || s->is_smoothed) {
        t.from -= r->lookback;
        t.to += r->lookback;
    }
    return t;
}

static struct promql_times reads_back(struct promql_times t, struct promql_span length)
{
    if (length.expr != NULL)
        return reads_all;
    t.from -= reads_ms(length);
    return t;
}

static void reads_note(struct reads_of *r, struct promql_times t)
{
    r->found.from = t.from < r->found.from ? t.from : r->found.from;
    r->found.to = t.to > r->found.to ? t.to : r->found.to;
}

/* t: when x is evaluated. */
static void reads_below(struct reads_of *r, const struct promql_expr *x, struct promql_times t)
{
    const struct promql_expr *child;

    if (x->kind == PROMQL_RANGE) {
        reads_note(r, reads_back(reads_shift(r, &x->range.selector->selector.shift, t),
                                 x->range.length));
        return;
    }
    if (x->kind == PROMQL_SELECTOR) {
        t = reads_shift(r, &x->selector.shift, t);
        reads_note(r, (struct promql_times){t.from - r->lookback, t.to});
        return;
    }
    if (x->kind == PROMQL_SUBQUERY)
        t = reads_back(reads_shift(r, &x->subquery.shift, t), x->subquery.length);
    for (size_t i = 0; (child = promql_child(x, i)) != NULL; i++)
        reads_below(r, child, t);
}

struct promql_times promql_reads(const struct promql_expr *x, ts_ms start, ts_ms end,
                                 ts_ms lookback)
{
    struct promql_times t = {promql_clamp_time(start), promql_clamp_time(end)};
    struct reads_of r = {.query = t,
                         .found = {PROMQL_TIME_MAX, -PROMQL_TIME_MAX},
                         .lookback = lookback != 0 ? lookback : LOOKBACK_MS};

    reads_below(&r, x, t);
    return r.found;
}
