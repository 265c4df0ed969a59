/* rule_groups.h - the rule driver's groups: which there are, in which generations, and what their state is made of.
 *
 * Owns     see rule_driver.h. A generation is freed on a worker: thousands of rules take long, and the store's lock is asked
 *          for.
 */
#ifndef LIVE_RULE_GROUPS_H
#define LIVE_RULE_GROUPS_H

#include "live/rule_driver.h"
#include "ruler/rule_persist.h"
#include "config/config.h"

struct rule_generation {
    struct job job; /* that frees it */
    uint64_t number;
    struct rule_group *group;
    struct config *conf; /* that the group reads: one reference */
};

/* What there was when the job under way began, which a worker has now: a snapshot goes by it. */
struct rule_before {
    struct rule_group_view *view; /* one reference; NULL: nothing that is to be kept */
    const struct rule_group *of;  /* that it shows */
    const struct rule_past *past; /* that the job takes over; NULL: nothing */
};

struct driven_group {
    uint64_t id;
    uint64_t named;               /* number of the last configuration that names it */
    struct rule_generation *has;  /* that has the state; NULL: it was retired, and has come back */
    struct rule_generation *next; /* the newest, which is to inherit it; NULL: that is `has` */
    struct rule_past *past;       /* to be inherited, too; NULL: nothing */
    bool is_busy;                 /* a job is under way */
    struct rule_before before;
    bool rewrite; /* a snapshot was taken meanwhile: the end of its job writes all rows */
};

struct rule_groups {
    struct pool *pool;
    struct tsdb *db;
    struct u64_map by_id; /* -> struct driven_group * */
    uint64_t generation;  /* the last number given */
    uint64_t configured;  /* configurations that have been in force */
};

void rule_groups_release(struct rule_groups *gs);
/* Shapes of the configuration's groups, in its order; the caller's. */
struct rule_shape *rule_groups_configure(struct rule_groups *gs, struct config *conf,
                                         struct rules_ahead *ahead);
/* Rows for the groups of the first configuration. */
bool rule_groups_read(struct rule_groups *gs, const struct state_reader *from, ts_ns down_at,
                      struct state_commit *c, struct err *e) must_check;
void rule_groups_snapshot(struct rule_groups *gs, struct state_commit *c);
struct driven_group *rule_groups_find(const struct rule_groups *gs, uint64_t id);
/* Nobody's any more. NULL is fine. */
void rule_groups_discard(struct rule_groups *gs, struct rule_generation *g);
/* Its state is gone. So is the group, unless it has come back. */
void rule_groups_retired(struct rule_groups *gs, struct driven_group *g);

#endif
