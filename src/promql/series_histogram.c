#include "promql/series_histogram.h"

#include "model/histogram_math.h"

static struct histogram_side side_of(const struct series_numbers *v, int offset, struct arena *a)
{
    struct histogram_span *span;

    if (v->n == 0)
        return (struct histogram_side){NULL, NULL, 0, 0};
    span = arena_new(a, struct histogram_span);
    *span = (struct histogram_span){offset, (uint32_t)v->n};
    return (struct histogram_side){span, v->v, 1, (uint32_t)v->n};
}

static enum histogram_hint hint_of(enum series_hint hint)
{
    switch (hint) {
    case SERIES_HINT_RESET: return HISTOGRAM_RESET;
    case SERIES_HINT_NOT_RESET: return HISTOGRAM_NOT_RESET;
    case SERIES_HINT_GAUGE: return HISTOGRAM_GAUGE;
    case SERIES_HINT_NONE:
    case SERIES_HINT_UNKNOWN: break;
    }
    return HISTOGRAM_UNKNOWN;
}

static bool series_histogram_written(const struct series_histogram *s, struct arena *a,
                                     struct histogram *out, struct err *e)
{
    struct histogram h = {.hint = hint_of(s->hint),
                          .schema = s->schema,
                          .count = s->count,
                          .sum = s->sum,
                          .zero_threshold = s->zero_threshold,
                          .zero_count = s->zero_count,
                          .positive = side_of(&s->buckets, s->offset, a),
                          .negative = side_of(&s->n_buckets, s->n_offset, a),
                          .bounds = s->custom_values.v,
                          .n_bounds = (uint32_t)s->custom_values.n};

    *out = h;
    if (s->schema != HISTOGRAM_CUSTOM &&
        (s->schema < HISTOGRAM_SCHEMA_MIN || s->schema > HISTOGRAM_SCHEMA_MAX))
        return err_set(e, ERR_INVALID, "series values: schema %d", s->schema);
    return true;
}

static bool series_histogram_step(const struct histogram *h, const struct histogram *by, int sign,
                                  struct arena *a, struct histogram *out, struct err *e)
{
    bool is_gauge = h->hint == HISTOGRAM_GAUGE || by->hint == HISTOGRAM_GAUGE;
    unsigned notes;

    if (h->schema > by->schema)
        return err_set(e, ERR_INVALID,
                       "error combining histograms: cannot merge from schema %d to %d", by->schema,
                       h->schema);
    notes = sign < 0 ? histogram_sub(a, h, by, out) : histogram_add(a, h, by, out);
    if (notes & HISTOGRAM_INCOMPATIBLE)
        return err_set(e, ERR_INVALID, "error combining histograms: different kinds of buckets");
    out->hint = h->hint == by->hint ? h->hint : is_gauge ? HISTOGRAM_GAUGE : HISTOGRAM_UNKNOWN;
    return true;
}

bool series_to_histogram(const struct series_value *v, struct series_before *before,
                         struct arena *a, struct histogram *out, struct err *e)
{
    bool goes_on = before->v != NULL && before->v->kind == SERIES_HISTOGRAM &&
                   before->v->base == v->base && before->v->times + 1 == v->times;
    struct histogram h = before->h, by = {.schema = 0};
    unsigned from = goes_on ? before->v->times : 0;

    if (!goes_on && !series_histogram_written(v->base, a, &h, e))
        return false;
    if (v->step != NULL && !series_histogram_written(v->step, a, &by, e))
        return false;
    for (unsigned i = from; v->step != NULL && i < v->times; i++)
        if (!series_histogram_step(&h, &by, v->sign, a, &h, e))
            return false;
    *before = (struct series_before){v, h};
    *out = h;
    return true;
}
