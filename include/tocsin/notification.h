/* notification.h - what a flush decided to tell one integration: the data behind every message.
 *
 * Shapes   1-1,000 alerts, sorted: job, instance, then label set. A message that is too long for its service goes in parts, each
 *          with some of the alerts and its number.
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
    REASON_UNKNOWN, /* what a route's labels see */
};

/* What is told. Whether something fires says n_firing: of a test, too. Numbers are on disk. */
enum notify_act {
    ACT_FIRING,
    ACT_RESOLVED,
    ACT_ACKED,  /* somebody has taken it: actors */
    ACT_UPDATE, /* actors changed something else about it */
    ACT_DIGEST, /* of several groups at once */
    ACT_TEST,   /* tocsin receiver test */
    ACT_DRILL,  /* nothing is the matter: the way is tried */
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
    bool
        has_value; /* of a rule evaluated here; no JSON and no template has it but in the readable texts */
    double value;
};

/* What a digest tells of one of its groups. */
struct notified_group {
    str group_key;
    struct labels group_labels;
    size_t first, n_alerts; /* its part of the notification's alerts */
};

struct notification {
    str receiver;  /* as configured */
    str group_key; /* {}/{severity="critical"}:{alertname="InstanceDown"} */
    struct labels group_labels, route_labels;
    struct labels route_templates; /* what route_labels are made of; a receiver does not see any */
    enum notify_act act;
    enum notify_reason reason;
    const str *actors; /* who acked or changed it; maybe nobody */
    size_t n_actors;
    unsigned part, n_parts; /* of this request, from 1; a row is whole, 0 of 0 */
    ts_ns decided_at;
    uint64_t flush_id; /* stays the same when an attempt is repeated after a crash */
    const struct notified_alert *alerts;
    size_t n_alerts, n_firing;
    /* Of a digest, in the order of the alerts; group_labels are those that they have in common, group_key is the first one's. */
    const struct notified_group *groups;
    size_t n_groups;
    bool is_late; /* it has waited for longer than notifications.max_age */
    /* another Alertmanager has decided it, and its words are these (core/relay.c): what templates show as Receiver and
     * ExternalURL */
    bool is_relayed;
    str from_receiver, from_url;
    bool shows_changes; /* in notification_json(): the receiver's wish */
    /* with its labels as they are, where a receiver shows others (delivery_change_labels()); NULL: it does not */
    const struct notification *as_it_was;
};

const char *alert_change_text(enum alert_change c);   /* "unchanged", "added", "resolved" */
const char *notify_reason_text(enum notify_reason r); /* "first notification", ... */
const char *notify_act_text(enum notify_act a);       /* "firing", "acked", ... */
/* Whether it tells that something is wrong that may not be known yet: whom it is worth to wake. */
bool notification_is_alarm(const struct notification *n);
/* Why it is told: the reason's text, of a test or drill that it is one. */
const char *notification_why(const struct notification *n);
/* Alerts are in place, n_firing is counted: the act of those that only tell of alerts follows. */
void notification_set_act(struct notification *n);

#endif
