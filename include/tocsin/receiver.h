/* receiver.h - a kind of integration: what it is called, what it may say in the configuration, how
 * it delivers.
 *
 * One const row a kind. The row stands in receivers/NAME/NAME.c; receivers/CMakeLists.txt lists the
 * names.
 *
 * Owns     rows are static. Decoded entries live in the arena of the configuration.
 * Source   alertmanager.md 2.7 (keys and checks), 6 (delivery).
 */
#ifndef TOCSIN_RECEIVER_H
#define TOCSIN_RECEIVER_H

#include "tocsin/conf.h"
#include "tocsin/delivery.h"
#include "tocsin/global.h"

/* What surrounds an entry when it is checked. */
struct receiver_view {
    const struct global_conf *global;
    bool has_http_config;        /* the entry has one of its own */
    bool has_http_authorization; /* its own or the inherited one names credentials */
};

/* What the vendor publishes that it takes (ecosystem.md 1): what we keep to where nothing else is configured. */
enum { PACE_LIMITS = 3 };

struct receiver_pace {
    /* At most so many messages in any span of `per`; with a burst that many at once, and so many `per` on average. Every
     * row holds; the first without messages ends them. */
    struct pace_limit {
        unsigned messages;
        dur_ns per;
        unsigned burst;
    } limits[PACE_LIMITS];
    size_t bytes,
        runes; /* of a message, or of its text: more is refused, or cut by the step; 0: no such limit */
};

enum receiver_can {
    CAN_EDIT =
        1, /* a later notification of a group changes what is there: incident, issue, message */
    CAN_THREAD = 2,  /* or stands under it */
    CAN_ACK = 4,     /* the service knows acks, and ACT_ACKED is one; elsewhere that is a message */
    CAN_DIGEST = 8,  /* a message may be of several groups */
    CAN_SPLIT = 16,  /* what is too long for one message may go in several */
    CAN_PERSON = 32, /* it goes to delivery_address(), which may be a person's */
};

struct receiver_type {
    const char *name;       /* "webhook", also in metrics and the notification log */
    const char *config_key; /* "webhook_configs" */
    const char *doc;
    const struct conf_type *conf; /* without send_resolved and http_config, which every kind gets */
    bool send_resolved_default;
    /* Alertmanager has no such kind: not printed on the status page, which its clients read */
    bool is_ours;
    bool uses_http;      /* an entry may have an http_config */
    bool inherits_proxy; /* and that takes proxy_url from the global one when it has none */
    unsigned can;        /* of enum receiver_can */
    struct receiver_pace pace;
    /* Whether a message costs money, or calls somebody: a test asks before it sends one. NULL: it does not. */
    bool (*costs)(const void *conf);
    /* What tells one account, robot or number from another, where the same may be written in several ways. False, and NULL:
     * the addresses and secrets of its keys do. */
    bool (*destination)(const void *conf, struct buf *out);
    /* Checks, with everything inherited and every default in place; complains with conf_error(). NULL = nothing to do. */
    void (*check)(void *conf, const struct receiver_view *view, struct conf_check *c);
    /* One step of a delivery. */
    enum delivery_verdict (*step)(struct delivery *d);
    /* Of a service that tells later, by itself, how it went (struct receipt). Where it is to do that: what stands behind the last
     * slash nobody else can guess. False: nowhere, or d->err says why it cannot be said. What it posts there stands in
     * d->answer; d->n is NULL in both. */
    bool (*receipt_url)(struct delivery *d, str *out);
    enum receipts_verdict (*receipts)(struct delivery *d, struct receipts *out);
};

extern const struct receiver_type *const receiver_types[]; /* ends with NULL */

#endif
