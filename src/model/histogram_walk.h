/* histogram_walk.h - the buckets of a histogram one by one.
 *
 *     struct histogram_walk w;
 *     struct histogram_bucket b;
 *
 *     histogram_walk_up(&w, h);
 *     while (histogram_walk_next(&w, &b))
 *         seen += b.count;
 *
 * Shapes   explicit empty buckets come too, but an empty zero bucket does not.
 * Owns     a walk borrows the histogram.
 * Cost     O(1) a bucket, one ldexp() a bound.
 */
#ifndef MODEL_HISTOGRAM_WALK_H
#define MODEL_HISTOGRAM_WALK_H

#include "model/histogram.h"

/* One side, in either direction, without bounds. */
struct histogram_cursor {
    const struct histogram_side *side;
    uint32_t span; /* spans below the place between two buckets where the cursor stands */
    uint32_t left; /* buckets of the current span still ahead */
    uint32_t k;    /* buckets below that place */
    int64_t index; /* of the bucket above that place */
};

struct histogram_cursor histogram_cursor_low(const struct histogram_side *side);
struct histogram_cursor histogram_cursor_high(const struct histogram_side *side);
bool histogram_cursor_up(struct histogram_cursor *c, int64_t *index, double *count);
bool histogram_cursor_down(struct histogram_cursor *c, int64_t *index, double *count);

/* With bounds, by value. */
struct histogram_bucket {
    double lower, upper, count;
    bool lower_inclusive, upper_inclusive;
};

enum histogram_part { HISTOGRAM_NEGATIVE, HISTOGRAM_ZERO, HISTOGRAM_POSITIVE };

struct histogram_walk {
    const struct histogram *h;
    enum histogram_part part;
    bool is_up, is_over;
    struct histogram_cursor at; /* of the part, unless it is the zero bucket */
};

void histogram_walk_up(struct histogram_walk *w, const struct histogram *h);   /* lowest first */
void histogram_walk_down(struct histogram_walk *w, const struct histogram *h); /* highest first */
bool histogram_walk_next(struct histogram_walk *w, struct histogram_bucket *out);

/* The bucket of the given index and part. */
struct histogram_bucket histogram_bucket_at(const struct histogram *h, enum histogram_part part,
                                            int64_t index, double count);
struct histogram_bucket histogram_zero_bucket(const struct histogram *h);

#endif
