/* limits.h - how many alerts and groups there may be: what a runaway rule or sender cannot exceed.
 *
 * What is known keeps being refreshed; what is new beyond a limit is dropped and counted, and while that happens the
 * alert TocsinAlertLimit fires. Alertmanager's limit per alertname is its own: a bucket of at most N alerts by name,
 * in which the one that ends first gives way once it has ended.
 *
 * Shapes   0 = no limit.
 * Owns     the limits own their buckets, which know fingerprints only, and names, with its keys.
 * Cost     O(log N) an alert; nothing without a limit.
 * Source   alertmanager.md 3.3, 3.13.
 */
#ifndef CORE_LIMITS_H
#define CORE_LIMITS_H

#include "base/map.h"
#include "model/alert.h"

struct limit_bucket;
MAP_DECLARE(bucket_map, str, struct limit_bucket *);

struct alert_limits {
    size_t per_alertname, alerts, groups;
    struct bucket_map buckets;
    struct str_map *names; /* alertname -> how many were dropped; NULL: not asked for */
    uint64_t dropped_by_name, dropped_alerts, dropped_groups;
    /* mono: when the limits on alerts and groups last dropped something; 0 = never */
    ts_ns dropped_at;
    const char *what; /* static: which of them */
};

void limits_count_names(struct alert_limits *l); /* from now on */
void limits_release(struct alert_limits *l);
/* Whether a may be stored by its name's limit. */
bool limits_admit_name(struct alert_limits *l, const struct alert *a, struct now now);
/* Forgets names all of whose alerts have ended. */
void limits_gc(struct alert_limits *l, struct now now);

#endif
