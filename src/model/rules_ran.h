/* rules_ran.h - what the rule driver and the core tell each other about rule groups, all of it values.
 *
 * A rule group is the driver's for its whole life; the core knows a group's shape, orders a job of it under a ticket, and
 * gets what came of it. A group has a number that lasts over reloads, restarts and moves of its files (rule_group_id()); each
 * change of it by a reload is a generation, and numbers of generations only grow.
 *
 * Shapes   1-1,000 rules a group; an alert that is due, a row or a change for few of them a run.
 * Owns     everything in a rules_ran is borrowed for the step that takes it; the view is counted, whoever keeps it takes a
 *          reference.
 * Source   design.md 2.3.
 */
#ifndef MODEL_RULES_RAN_H
#define MODEL_RULES_RAN_H

#include "model/alert.h"
#include "model/rule_view.h"

#define RULE_ALIVE_INTERVAL (5 * NS_PER_S) /* how often the core notes that it lives */

enum rules_job {
    RULES_EVALUATE, /* the rules, at a slot */
    RULES_INHERIT, /* the newest generation takes the state of the one before it, or of an earlier life */
    RULES_RETIRE, /* the group is gone: what it keeps is to be forgotten */
};

/* Whose job it is. An answer under any other ticket than that of the job under way is nobody's. */
struct rule_ticket {
    uint64_t group, generation;
    uint64_t epoch; /* of who owns the groups; constant where nobody else may */
};

/* A group of the configuration in force. */
struct rule_shape {
    uint64_t id, generation;
    uint64_t place; /* of its slots: ts_slot_after() */
    dur_ns interval;
    bool reads_own;               /* some rule is evaluated over our own store */
    bool inherits;                /* there are rows of an earlier life */
    struct rule_group_view *view; /* of a group that is new: before anything ran; borrowed */
};

struct rule_row {
    str key, value; /* value empty: delete */
};

/* A step of an alert's life. */
struct rule_news {
    uint64_t rule; /* its identity */
    struct labels labels;
    uint64_t fingerprint;
    enum rule_alert_state state;
    double value;
};

struct rules_counts { /* of a run, but for unreadable */
    size_t evaluated, failed, outages;
    dur_ns took, rules_took;
    unsigned worst_failures; /* the most in a row that one of its rules has now, and of which */
    str worst_rule, worst_error;
    size_t unreadable; /* rows of an earlier life */
};

struct rules_ran {
    struct rule_ticket ticket;
    enum rules_job job;
    ts_ns slot; /* wall; of a run */
    const struct alert_input *alerts;
    size_t n_alerts;
    const struct rule_row *rows;
    size_t n_rows;
    const struct rule_news *changes;
    size_t n_changes;
    struct rule_group_view *view; /* NULL: there is nothing to show any more */
    /* source whose answers have been partial for too long; empty: it is well */
    str degraded, degraded_why;
    struct rules_counts counts;
};

#endif
