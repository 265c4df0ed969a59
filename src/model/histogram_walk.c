/* A cursor stands between two buckets. Going up it enters a span when none of the current one is left:
 *
 *     spans {2,1} {3,2}    bucket 2, then 2 + 1 + 3 = 6, 7
 *
 * and going down it takes the same path back, so that neither direction needs a table of indexes.
 */
#include "model/histogram_walk.h"

#include <math.h>

struct histogram_cursor histogram_cursor_low(const struct histogram_side *side)
{
    return (struct histogram_cursor){.side = side};
}

struct histogram_cursor histogram_cursor_high(const struct histogram_side *side)
{
    struct histogram_cursor c = {.side = side, .span = side->n_spans, .k = side->n};

    for (uint32_t i = 0; i < side->n_spans; i++)
        c.index += side->spans[i].offset + (int64_t)side->spans[i].length;
    c.left = side->n_spans != 0 ? side->spans[side->n_spans - 1].length : 0;
    return c;
}

bool histogram_cursor_up(struct histogram_cursor *c, int64_t *index, double *count)
{
    while (c->left == 0) {
        if (c->span == c->side->n_spans)
            return false;
        c->index += c->side->spans[c->span].offset;
        c->left = c->side->spans[c->span++].length;
    }
    c->left--;
    *index = c->index++;
    *count = c->side->counts[c->k++];
    return true;
}

bool histogram_cursor_down(struct histogram_cursor *c, int64_t *index, double *count)
{
    while (c->left == 0) {
        if (c->span <= 1)
            return false;
        c->index -= c->side->spans[--c->span].offset;
        c->left = c->side->spans[c->span - 1].length;
    }
    c->left--;
    *index = --c->index;
    *count = c->side->counts[--c->k];
    return true;
}

/* -- with bounds -- */

struct histogram_bucket histogram_bucket_at(const struct histogram *h, enum histogram_part part,
                                            int64_t index, double count)
{
    double far = histogram_bound(h, index), near = histogram_bound(h, index - 1);
    struct histogram_bucket b = {.lower = near, .upper = far, .count = count};

    if (part == HISTOGRAM_NEGATIVE) {
        b.lower = -far;
        b.upper = -near;
    }
    b.lower_inclusive = histogram_is_custom(h) ? index == 0 : b.lower < 0;
    b.upper_inclusive = histogram_is_custom(h) || b.upper > 0;
    return b;
}

struct histogram_bucket histogram_zero_bucket(const struct histogram *h)
{
    return (struct histogram_bucket){-h->zero_threshold, h->zero_threshold, h->zero_count, true,
                                     true};
}

static void histogram_walk_enter(struct histogram_walk *w, enum histogram_part part)
{
    w->part = part;
    if (part == HISTOGRAM_NEGATIVE) /* farther from zero is lower */
        w->at = w->is_up ? histogram_cursor_high(&w->h->negative)
                         : histogram_cursor_low(&w->h->negative);
    else if (part == HISTOGRAM_POSITIVE)
        w->at = w->is_up ? histogram_cursor_low(&w->h->positive)
                         : histogram_cursor_high(&w->h->positive);
}

void histogram_walk_up(struct histogram_walk *w, const struct histogram *h)
{
    *w = (struct histogram_walk){.h = h, .is_up = true};
    histogram_walk_enter(w, HISTOGRAM_NEGATIVE);
}

void histogram_walk_down(struct histogram_walk *w, const struct histogram *h)
{
    *w = (struct histogram_walk){.h = h, .is_up = false};
    histogram_walk_enter(w, HISTOGRAM_POSITIVE);
}

static bool next_of_side(struct histogram_walk *w, struct histogram_bucket *out)
{
    bool is_outward = w->is_up == (w->part == HISTOGRAM_POSITIVE);
    int64_t index = 0;
    double count = 0;

    if (!(is_outward ? histogram_cursor_up : histogram_cursor_down)(&w->at, &index, &count))
        return false;
    *out = histogram_bucket_at(w->h, w->part, index, count);
    return true;
}

bool histogram_walk_next(struct histogram_walk *w, struct histogram_bucket *out)
{
    while (!w->is_over) {
        if (w->part != HISTOGRAM_ZERO) {
            if (next_of_side(w, out))
                return true;
            w->is_over = w->part == (w->is_up ? HISTOGRAM_POSITIVE : HISTOGRAM_NEGATIVE);
            w->part = HISTOGRAM_ZERO;
            continue;
        }
        histogram_walk_enter(w, w->is_up ? HISTOGRAM_POSITIVE : HISTOGRAM_NEGATIVE);
        *out = histogram_zero_bucket(w->h);
        if (out->count != 0)
            return true;
    }
    return false;
}
