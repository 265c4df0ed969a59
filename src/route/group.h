/* group.h - an aggregation group: the alerts of one route that share the group labels, and when they are looked at.
 *
 * Shapes   up to 20,000 groups of 1-10,000 alerts.
 * Units    due is monotonic.
 * Owns     a group holds a reference on its label set and on each of its alerts.
 * Source   alertmanager.md 3.5.
 */
#ifndef ROUTE_GROUP_H
#define ROUTE_GROUP_H

#include "base/heap.h"
#include "base/map.h"
#include "base/vec.h"
#include "model/alert_table.h"
#include "model/silence.h"
#include "route/tree.h"

/* A resolved alert that a flush told about: it leaves the group when every integration was told, unless it changed. */
struct told_resolved {
    uint64_t fingerprint;
    /* a turn has one time: one that fires again in it differs by its end */
    ts_ns updated_at, ends_at;
};

struct group {
    const struct route *route;
    struct label_set *labels;
    uint64_t fingerprint; /* of the labels */
    str key;              /* owned */
    struct uuid uuid;     /* of this group, for event recorders; empty when nobody records */
    struct alert_table alerts;
    struct heap_node timer; /* in the engine's heap, keyed by the next flush */
    uint64_t revision;      /* of its last change */
    uint64_t flush_id;      /* of the newest flush */
    size_t flush_waiting;   /* integrations that have not answered it */
    bool flush_failed;
    VEC(struct told_resolved) told;
    /* fingerprint, 0 = the group -> hash of what the last look held against it */
    struct u64_map said;
};

struct group *group_new(const struct route *r, struct interner *names, struct labels group_labels);
void group_free(struct group *g);
/* Takes a reference of its own; replaces an equal one. False: that one is there. */
bool group_insert(struct group *g, struct alert *a);

/* When a group created for this alert flushes first: group_wait from now, at once when the alert has waited already. */
ts_ns group_first_due(const struct route *r, const struct alert *a, struct now now);
/* The tick after one that was due at `due` and ran at now. */
ts_ns group_next_due(const struct route *r, ts_ns due, struct now now);

/* All alerts in the order of a notification. */
struct alert_list {
    struct alert **v;
    size_t n;
};
struct alert_list group_sorted(const struct group *g, struct arena *a);

/* The alert of told[i], if it has not changed since: what group_forget_told() would forget. NULL: it stays. */
struct alert *group_told(const struct group *g, size_t i);
/* The flush told everybody: forgets the resolved alerts that it told, unless they changed since. */
void group_forget_told(struct group *g);

#endif
