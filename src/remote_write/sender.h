/* sender.h - sends the requests of a spool to one remote, one at a time and in order.
 *
 * A request that is answered 5xx, or not at all, is sent again after min_backoff, which doubles up to max_backoff, or when
 * Retry-After says; so is one that is answered 429, if the configuration wants that. Any other answer that is no 2xx drops it:
 * asked again, it would be the same.
 *
 *     read, on a worker -> sent -> answered -> noted and the next one read, on a worker -> ...
 *
 * Errors   counted, and logged when a remote stops or starts taking samples, and for each request that is dropped.
 * Owns     a reference of the spool. conf is borrowed until the next sender_configure(); clock, pool and transport for good.
 * Source   Prometheus Remote-Write 1.0; storage/remote/client.go, queue_manager.go for what is sent again.
 */
#ifndef REMOTE_WRITE_SENDER_H
#define REMOTE_WRITE_SENDER_H

#include "net/transport.h"
#include "os/clock.h"
#include "os/pool.h"
#include "remote_write/remote_write_conf.h"
#include "remote_write/spool.h"

struct sender_stats {
    uint64_t samples, bytes;            /* that were taken; bytes as sent */
    uint64_t requests, failed;          /* failed: sent again, or dropped */
    uint64_t rejected, too_old;         /* samples: the remote refused them; sample_age_limit */
    uint64_t metadata, metadata_failed; /* metrics that were told of; requests */
    ts_ms newest;                       /* of samples that were taken */
    dur_ns took;                        /* of all requests */
    char why[256];                      /* it does not take them; empty: it does */
};

struct sender_parts {
    struct clock *clock;
    struct pool *pool;
    struct transport *transport;
};

struct sender;

struct sender *sender_new(const struct sender_parts *parts, struct spool *spool);
/* What is under way is given up. With a job on a worker it goes when that is home. */
void sender_free(struct sender *s);
/* On the way out: nothing begins any more. */
void sender_stop(struct sender *s);
/* title: for messages; copied. What is under way is sent again, in the new way. */
void sender_configure(struct sender *s, const struct remote_write_conf *c, str title);
/* There may be something to send. */
void sender_go_on(struct sender *s);
/* Metadata, beside the samples, when none is under way: a body and how many metrics it tells of. False: one is, or the remote
 * does not answer. */
bool sender_tell(struct sender *s, str body, size_t metrics);

str sender_title(const struct sender *s);
const struct remote_write_conf *sender_conf(const struct sender *s);
struct spool *sender_spool(struct sender *s);
const struct sender_stats *sender_stats(const struct sender *s);

#endif
