/* Increase and delta of histograms: last minus first, plus what was there before each reset.
 *
 * The first one may not count: a reset right behind it makes it irrelevant, layout included, and a start timestamp
 * inside of the window puts zero before it. Both together make it an increase of its own.
 *
 *     counts 10, 2 (reset), 5        5 - nothing                     = 5
 *     counts 10 (from zero), 2, 5    5 + 10                          = 15
 *     counts 10, 12, 3 (reset)       3 - 10 + 12                     = 5
 */
#include "promql/kernel_range.h"

#include "model/histogram_math.h"
#include "model/histogram_reset.h"

static bool is_reset(const struct promql_hpoint *h, const struct promql_hpoint *before,
                     const struct promql_range *r)
{
    return histogram_is_reset(h->h, before->h) ||
           (r->uses_starts && promql_start_is_reset(h->t, h->start, before->t, before->start));
}

/* The lowest resolution that takes part, and whether exponential and custom buckets stay apart. */
static bool common_schema(const struct promql_window *w, size_t first, bool is_counter,
                          int32_t *schema, unsigned *notes)
{
    const struct histogram *last = w->h[w->n_h - 1].h;
    bool is_custom = histogram_is_custom(last);

    *schema = last->schema;
    for (size_t i = first; i < w->n_h; i++) {
        const struct histogram *h = w->h[i].h;

        if (!is_counter && i != first)
            continue;
        if (histogram_is_custom(h) != is_custom) {
            *notes |= NOTE_MIXED_SCHEMAS;
            return false;
        }
        if (h->schema < *schema)
            *schema = h->schema;
    }
    return true;
}

unsigned promql_histogram_notes(unsigned got, enum promql_note reconciled)
{
    return (got & HISTOGRAM_INCOMPATIBLE ? NOTE_MIXED_SCHEMAS : 0) |
           (got & HISTOGRAM_RECONCILED ? (unsigned)reconciled : 0);
}

/* Takes first from total, or adds it, as times says. */
static unsigned apply_first(struct histogram_sum *total, const struct histogram *first, int times)
{
    if (times < 0)
        return promql_histogram_notes(histogram_sum_sub(total, first), NOTE_RECONCILED_SUB);
    return times > 0 ? promql_histogram_notes(histogram_sum_add(total, first), NOTE_RECONCILED_ADD)
                     : 0;
}

static bool kernel_rate_histogram_sum_up(const struct promql_window *w,
                                         const struct promql_range *r, bool is_counter,
                                         int first_times, int32_t schema,
                                         struct promql_histogram_rate *out)
{
    const struct histogram *last = w->h[w->n_h - 1].h;
    struct histogram start = *last;
    struct histogram_sum total;

    if (schema < last->schema)
        start = histogram_reduce(r->a, last, schema);
    histogram_sum_init(&total, r->a, &start);
    out->notes |= apply_first(&total, w->h[0].h, first_times);
    for (size_t i = 2; is_counter && i < w->n_h; i++)
        if (is_reset(&w->h[i], &w->h[i - 1], r))
            out->notes |= promql_histogram_notes(histogram_sum_add(&total, w->h[i - 1].h),
                                                 NOTE_RECONCILED_ADD);
    if (out->notes & NOTE_MIXED_SCHEMAS)
        return false;
    out->result = histogram_sum_result(&total);
    out->result.hint = HISTOGRAM_GAUGE;
    return true;
}

bool promql_increase_histograms(const struct promql_window *w, const struct promql_range *r,
                                bool is_counter, bool counts_first,
                                struct promql_histogram_rate *out)
{
    bool is_gauge =
        w->h[0].h->hint == HISTOGRAM_GAUGE && w->h[w->n_h - 1].h->hint == HISTOGRAM_GAUGE;
    bool second_is_reset = is_counter && w->n_h > 1 && is_reset(&w->h[1], &w->h[0], r);
    int first_times = -1 + (counts_first ? 1 : 0) + (second_is_reset ? 1 : 0);
    int32_t schema;

    out->notes = 0;
    for (size_t i = 0; is_counter && i < w->n_h; i++)
        if (w->h[i].h->hint == HISTOGRAM_GAUGE)
            out->notes |= NOTE_NOT_COUNTER;
    if (!common_schema(w, first_times == 0 && w->n_h > 1 ? 1 : 0, is_counter, &schema, &out->notes))
        return false;
    if (!is_counter && !is_gauge)
        out->notes |= NOTE_NOT_GAUGE;
    return kernel_rate_histogram_sum_up(w, r, is_counter, first_times, schema, out);
}
