/* A counter only grows, so any count that shrank tells of a reset. Counts are comparable in a layout that both can
 * express; a layout that could not have come from the one before tells of a reset too. The sum may shrink at any time
 * (observations may be negative) and is not looked at.
 */
#include "model/histogram_reset.h"

#include <math.h>
#include "model/histogram_walk.h"

/* The populated buckets of a side at a lower resolution, from some bound on. */
struct coarse {
    struct histogram_cursor at;
    int32_t schema;
    unsigned shift;
    int64_t next; /* the bucket read ahead, when has_next */
    double next_count;
    bool has_next;
};

static void read_ahead(struct coarse *c)
{
    do {
        c->has_next = histogram_cursor_up(&c->at, &c->next, &c->next_count);
        c->next = ((c->next - 1) >> c->shift) + 1;
    } while (c->has_next && c->next_count == 0);
}

static bool read_bucket(struct coarse *c, int64_t *index, double *count)
{
    if (!c->has_next)
        return false;
    *index = c->next;
    *count = 0;
    while (c->has_next && c->next == *index) {
        *count += c->next_count;
        read_ahead(c);
    }
    return true;
}

static struct coarse coarse_from(const struct histogram_side *s, int32_t from, int32_t schema,
                                 double threshold)
{
    struct coarse c = {
        .at = histogram_cursor_low(s), .schema = schema, .shift = (unsigned)(from - schema)};

    read_ahead(&c);
    while (c.has_next && histogram_exponential_bound(schema, c.next) <= threshold)
        read_ahead(&c);
    return c;
}

static bool side_shrank(struct coarse now, struct coarse before)
{
    int64_t i, j = INT64_MIN;
    double old, count = 0;

    while (read_bucket(&before, &i, &old)) {
        while (j < i && read_bucket(&now, &j, &count))
            ;
        if (old > (j == i ? count : 0))
            return true;
    }
    return false;
}

/* Adds to *count what lies in the zero bucket once it reaches to threshold. False: a populated bucket is cut there. */
static bool zero_of_side(const struct histogram_side *s, int32_t schema, double threshold,
                         double *count)
{
    struct histogram_cursor c = histogram_cursor_low(s);
    int64_t index;
    double n;

    while (histogram_cursor_up(&c, &index, &n)) {
        if (histogram_exponential_bound(schema, index - 1) >= threshold)
            break;
        if (n != 0 && histogram_exponential_bound(schema, index) > threshold)
            return false;
        *count += n;
    }
    return true;
}

static bool zero_shrank(const struct histogram *h, const struct histogram *before)
{
    double old = before->zero_count;

    if (h->zero_threshold == before->zero_threshold)
        return h->zero_count < old;
    return h->zero_threshold < before->zero_threshold ||
           !zero_of_side(&before->positive, before->schema, h->zero_threshold, &old) ||
           !zero_of_side(&before->negative, before->schema, h->zero_threshold, &old) ||
           h->zero_count < old;
}

/* -- custom bounds -- */

/* The count of the buckets up to the given bound. *at is where it goes on. */
static double count_up_to(const struct histogram *h, struct histogram_cursor *at, double bound)
{
    double sum = 0, count;
    int64_t index;

    for (;;) {
        struct histogram_cursor peek = *at;

        if (!histogram_cursor_up(&peek, &index, &count) || histogram_bound(h, index) > bound)
            return sum;
        sum += count;
        *at = peek;
    }
}

static bool custom_shrank(const struct histogram *h, const struct histogram *before)
{
    struct histogram_cursor now = histogram_cursor_low(&h->positive);
    struct histogram_cursor then = histogram_cursor_low(&before->positive);

    for (uint32_t i = 0, j = 0; i < h->n_bounds; i++) {
        while (j < before->n_bounds && before->bounds[j] < h->bounds[i])
            j++;
        if (j == before->n_bounds)
            break;
        if (before->bounds[j] == h->bounds[i] &&
            count_up_to(h, &now, h->bounds[i]) < count_up_to(before, &then, h->bounds[i]))
            return true;
    }
    return count_up_to(h, &now, HUGE_VAL) < count_up_to(before, &then, HUGE_VAL);
}

bool histogram_is_reset(const struct histogram *h, const struct histogram *before)
{
    double threshold = h->zero_threshold;
    int32_t schema = h->schema;

    if (h->hint == HISTOGRAM_RESET || h->hint == HISTOGRAM_NOT_RESET)
        return h->hint == HISTOGRAM_RESET;
    if (h->count < before->count || histogram_is_custom(h) != histogram_is_custom(before))
        return true;
    if (histogram_is_custom(h))
        return custom_shrank(h, before);
    if (schema > before->schema || zero_shrank(h, before))
        return true;
    return side_shrank(coarse_from(&h->positive, schema, schema, threshold),
                       coarse_from(&before->positive, before->schema, schema, threshold)) ||
           side_shrank(coarse_from(&h->negative, schema, schema, threshold),
                       coarse_from(&before->negative, before->schema, schema, threshold));
}

enum histogram_hint histogram_hint_after(const struct histogram *h, const struct histogram *before)
{
    struct histogram plain = *h;

    if (h->hint == HISTOGRAM_GAUGE || h->hint == HISTOGRAM_RESET)
        return h->hint;
    if (before == NULL || before->hint == HISTOGRAM_GAUGE)
        return HISTOGRAM_UNKNOWN;
    if (h->count >= before->count &&
        (h->schema != before->schema || h->zero_threshold != before->zero_threshold))
        return HISTOGRAM_UNKNOWN;
    plain.hint = HISTOGRAM_UNKNOWN;
    return histogram_is_reset(&plain, before) ? HISTOGRAM_RESET : HISTOGRAM_NOT_RESET;
}
