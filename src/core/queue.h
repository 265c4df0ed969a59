/* queue.h - who is sent when: the destination is the unit of order, of places and of rate.
 *
 * A row that is due joins its destination's queue. It is under way from when it gets a place until its answer, and what
 * waits is a row, not a handle. A free place goes to the destinations in turn, and in one of them to the urgent first, then
 * to whoever joined first. The share of a destination is 256 / (destinations at work + 1), at most 32 and at least 1: with
 * twenty silent receivers each holds twelve places, and the twenty-first finds room at once. A destination that asked to be
 * left alone for a while (Retry-After), or that has had all that it takes (bucket.h), gives no place before. Who comes first
 * then is told so: what waits behind may go along, in one message. It rides: it needs no place, and is under way as long.
 * One that asked gives one place only until a message has arrived.
 *
 * Shapes   entries are embedded in their owner. 256 under way, of one destination 32.
 * Units    now and until: monotonic.
 * Owns     the queue owns its destinations; entries are borrowed until they leave.
 * Cost     O(1) a call; a destination that is held costs a heap's O(log n).
 * Source   design.md 2.7.
 */
#ifndef CORE_QUEUE_H
#define CORE_QUEUE_H

#include "base/heap.h"
#include "base/map.h"
#include "base/time.h"

enum { QUEUE_PLACES = 256, QUEUE_SHARE = 32, QUEUE_URGENCIES = 2 };

struct queue_destination;

struct queue_entry {
    struct queue_entry *next, *prev;
    struct queue_destination *in; /* NULL: neither waiting nor under way */
    unsigned char urgency;        /* 0 is the most urgent */
    bool has_place;
    bool gathers; /* its destination was left alone until it got its place */
    bool rides;   /* along with another that has a place */
};

struct send_queue {
    struct u64_map destinations;    /* id -> struct queue_destination * */
    struct queue_destination *ring; /* with waiting entries and open; the one served last */
    struct heap held;               /* those that are left alone, by until when */
    size_t under_way, waiting, busy;
};

void queue_release(struct send_queue *q); /* no entry is in it */
void queue_join(struct send_queue *q, struct queue_entry *x, uint64_t destination,
                unsigned char urgency);
/* It waits no longer, or its place is free. Nothing when it is in no queue. */
void queue_leave(struct send_queue *q, struct queue_entry *x);
/* Who gets a place now; NULL: nobody may. */
struct queue_entry *queue_next(struct send_queue *q, ts_ns now);
/* No place before until. */
void queue_hold(struct send_queue *q, uint64_t destination, ts_ns until);
/* It asked for that: one place at a time from then on, until it has taken a message (queue_well). */
void queue_ask(struct send_queue *q, uint64_t destination, ts_ns until);
void queue_well(struct send_queue *q, uint64_t destination);
/* The one behind x that waits for the same destination, the urgent first; after NULL the first. */
struct queue_entry *queue_behind(const struct queue_entry *head, const struct queue_entry *x);
/* x, which waits, is under way with another of its destination. */
void queue_ride(struct send_queue *q, struct queue_entry *x);
/* What was under way waits again, before all others of its urgency. */
void queue_come_back(struct send_queue *q, struct queue_entry *x);
/* When the destination may give places; TS_NONE: it does. */
ts_ns queue_opens(const struct send_queue *q, uint64_t destination);
/* When queue_next() is to be asked anew; TS_MAX: when something joins or leaves. */
ts_ns queue_due(const struct send_queue *q);

#endif
