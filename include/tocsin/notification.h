/* notification.h - what a flush decided to tell one integration: the data behind every message.
 *
 * Shapes   1-1,000 alerts, sorted: job, instance, then label set.
 * Units    wall clock; ends_at is TS_NONE while an alert fires.
 * Owns     everything is borrowed from the arena of the attempt.
 * Source   alertmanager.md 5.2 (fields and JSON keys), 3.7 (reasons).
 */
#ifndef TOCSIN_NOTIFICATION_H
#define TOCSIN_NOTIFICATION_H

#include "tocsin/labels.h"
#include "tocsin/time.h"

enum notify_reason {
    REASON_NONE,
    REASON_FIRST,
    REASON_NEW_ALERTS,
    REASON_ALL_RESOLVED,
    REASON_SOME_RESOLVED,
    REASON_REPEAT,
    REASON_TEST,    /* tocsin receiver test */
    REASON_UNKNOWN, /* what a route's labels see */
};

/* Against the last message of the group to the same integration. */
enum alert_change { CHANGE_NONE, CHANGE_ADDED, CHANGE_RESOLVED };

struct notified_alert {
    struct labels labels, annotations;
    ts_ns starts_at, ends_at;
    str generator_url;
    uint64_t fingerprint;
    bool is_resolved;
    enum alert_change change;
};

struct notification {
    str receiver;  /* as configured */
    str group_key; /* {}/{severity="critical"}:{alertname="InstanceDown"} */
    struct labels group_labels, route_labels;
    struct labels route_templates; /* what route_labels are made of; a receiver does not see any */
    enum notify_reason reason;
    ts_ns decided_at;
    uint64_t flush_id; /* stays the same when an attempt is repeated after a crash */
    const struct notified_alert *alerts;
    size_t n_alerts, n_firing;
    /* another Alertmanager has decided it, and its words are these (core/relay.c): what templates show as Receiver and
     * ExternalURL */
    bool is_relayed;
    str from_receiver, from_url;
    bool shows_changes; /* in notification_json(): the receiver's wish */
};

const char *alert_change_text(enum alert_change c);   /* "unchanged", "added", "resolved" */
const char *notify_reason_text(enum notify_reason r); /* "first notification", ... */

#endif
