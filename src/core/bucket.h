/* bucket.h - what a destination still takes: at most so many messages in any span, by what its service publishes or the
 * configuration says.
 *
 * A bucket is made from "at most n in any span": n at once and then n a span would be 2n in one. So it holds half of them,
 * and gets the rest over the span and a little more (a sixth, 10 s at most), one by one: who is urgent never waits for a
 * whole span. The little is for messages that arrive later than they were sent; one that is under way for longer is taken
 * again when it is answered. A limit that says how many may come at once is taken as it is.
 *
 * A limit is one instant, until when it is spent: each message moves it by what one takes to come back. The instants are
 * written with the turn that decides to send, and that is on disk before anything goes: a crash gives no new bucket.
 * Whoever has the same address or token has the same destination, and so the same bucket.
 *
 *     20 in any minute: 10 at once, then one in 7 s; 18 in the minute that begins with the first
 *
 * Shapes   PACE_LIMITS limits a destination, each holds; a destination without any has no bucket.
 * Units    monotonic in memory, wall clock on disk.
 * Owns     the engine owns its buckets, by destination.
 * Cost     O(1).
 * Source   design.md 2.7; ecosystem.md 1.
 */
#ifndef CORE_BUCKET_H
#define CORE_BUCKET_H

#include "base/map.h"
#include "base/time.h"
#include "tocsin/receiver.h"

struct pace_bucket {
    uint64_t id; /* of the destination */
    struct pace_state {
        unsigned burst;    /* at once; 0: there is no such limit */
        dur_ns each, late; /* until one is back; what is longer under way is taken again */
        ts_ns spent;       /* mono: until when, if nothing is taken */
    } limits[PACE_LIMITS];
    bool is_named; /* by the configuration in force */
};

/* Takes the limits over; what is spent stays so. */
void bucket_set(struct pace_bucket *b, const struct receiver_pace *pace);
/* Mono: when one may be taken, in the past when it may now. */
ts_ns bucket_opens(const struct pace_bucket *b);
/* How many may be taken now, at most UINT_MAX. */
unsigned bucket_left(const struct pace_bucket *b, ts_ns now);
void bucket_take(struct pace_bucket *b, ts_ns now);
/* One is answered: it may have arrived late enough to be taken again. Returns whether it was. */
bool bucket_arrived(struct pace_bucket *b, dur_ns took, ts_ns now);

struct engine;
struct effects;
struct restoring;
struct state_commit;
/* NULL: it takes all that comes. */
struct pace_bucket *bucket_of(const struct engine *e, uint64_t destination);
void bucket_put_row(struct effects *fx, const struct pace_bucket *b, struct now now);
void buckets_release(struct engine *e);
void buckets_configure(struct engine *e, struct now now, struct effects *fx);
void buckets_gc(struct engine *e, struct now now, struct effects *fx);
void buckets_stepped(struct engine *e, dur_ns by, struct now now, struct effects *fx);
bool buckets_restore(struct restoring *r, str key, str value);
void buckets_snapshot(struct engine *e, struct now now, struct state_commit *c);

#endif
