/* queue.h - what one Alertmanager is still to be told, and its telling.
 *
 * The newest word about an alert replaces an older one that still waits, at its place in the line: a target that was away
 * hears each alert once, as it is now. What it refuses for what it is (400, 413, 422) is dropped; whatever else fails is tried again
 * after 1 s, 2 s, 4 s ... 30 s, for as long as it takes.
 *
 * An empty list goes out first: an instance that would send to itself learns so before the first alert.
 *
 * Shapes   10,000 alerts; a new one beyond that costs the oldest. At most 256 a request, one request at a time.
 * Errors   counted, and logged when a target stops or starts taking alerts.
 * Owns     the queue owns its texts; conf is borrowed until the next forward_queue_configure().
 * Cost     a put: one hash look-up and a copy.
 * Source   rules.md 4.1.
 */
#ifndef FORWARD_QUEUE_H
#define FORWARD_QUEUE_H

#include "forward/forward_conf.h"
#include "os/clock.h"
#include "net/transport.h"

enum { FORWARD_CAPACITY = 10000, FORWARD_BATCH = 256 };

/* Sent along with every request: who gets its own back has sent to itself, and answers 421. */
#define FORWARD_INSTANCE_HEADER "Tocsin-Instance"

struct forward_stats {
    uint64_t sent, errors, dropped; /* alerts */
    uint64_t requests, failed;
    dur_ns took; /* of all requests */
};

struct forward_queue;

/* instance: of this process; borrowed for good, as url is not. */
struct forward_queue *forward_queue_new(str url, const struct alertmanagers_conf *conf,
                                        str instance, struct transport *t, struct clock *clock);
void forward_queue_free(struct forward_queue *q);
/* A reload changed how the target is reached. What is under way is sent again. */
void forward_queue_configure(struct forward_queue *q, const struct alertmanagers_conf *conf);

/* key: of the alert, equal for the same alert; json: the alert as the API takes it. */
void forward_queue_put(struct forward_queue *q, uint64_t key, str json);

str forward_queue_url(const struct forward_queue *q);
size_t forward_queue_length(const struct forward_queue *q);
/* the target turned out to be this instance */
bool forward_queue_is_own(const struct forward_queue *q);
const struct alertmanagers_conf *forward_queue_conf(const struct forward_queue *q);
const struct forward_stats *forward_queue_stats(const struct forward_queue *q);

#endif
