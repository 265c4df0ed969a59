/* rule_slot.h - what the core knows of a rule group, and what a reload or an answer makes of it.
 *
 *            names its      names a        names it                an answer under the ticket of
 *            generation     newer one      no more                 the job under way
 * IDLE       -              inherit: R     retire: REMOVED         (nobody's)
 * RUNNING    -              REPLACED       REMOVED                 IDLE
 * REPLACED   -              -              REMOVED                 inherit: RUNNING
 * REMOVED    (not there)    REPLACED       -                       gone if it was the retirement, else retire
 *
 * A slot has at most one job under way: a run, an inheritance or a retirement; "inherit" and "retire" order one. So state is
 * never in two places, generations in between never run, and a group that comes back while its run of then is under way goes
 * on with what that run leaves.
 *
 * Owns     one reference of the view; the timer is in the engine's heap while the slot is idle.
 * Source   design.md 2.3.
 */
#ifndef CORE_RULE_SLOT_H
#define CORE_RULE_SLOT_H

#include "base/heap.h"
#include "model/rules_ran.h"

enum rule_slot_state { SLOT_IDLE, SLOT_RUNNING, SLOT_RUNNING_REPLACED, SLOT_RUNNING_REMOVED };

struct rule_slot {
    uint64_t id;
    uint64_t generation; /* the newest */
    uint64_t running;    /* that of the job under way */
    enum rule_slot_state state;
    struct heap_node timer;
    uint64_t place; /* these three: of the newest generation */
    dur_ns interval;
    bool reads_own;
    bool is_named;                 /* by the configuration that is being put in force */
    struct rule_group_view *shown; /* what the API reads: of the generation that has the state */
    uint64_t revision;             /* of its last change */
    uint64_t missed;               /* slots that a slow run skipped */
    ts_ns since;                   /* mono: when the job under way began */
    str degraded;    /* source whose answers have been partial for too long; empty: none; owned */
    ts_ns next_slot; /* wall: the slot that is due next, or that runs */
};

/* What follows for the slot. */
enum rule_slot_next {
    SLOT_NOTHING,
    SLOT_WAITS,    /* for its next slot */
    SLOT_INHERITS, /* a job is to be ordered, and the same for: */
    SLOT_RETIRES,
    SLOT_GOES,  /* nothing is left of it */
    SLOT_STALE, /* the answer is nobody's */
};

/* Its slot has come. */
void rule_slot_run(struct rule_slot *s);
/* There are rows of an earlier life: SLOT_INHERITS, as if a generation before the first had left them. */
enum rule_slot_next rule_slot_begin(struct rule_slot *s, bool inherits);
/* A configuration in force names this generation of it; or does not name it. */
enum rule_slot_next rule_slot_name(struct rule_slot *s, uint64_t generation);
enum rule_slot_next rule_slot_drop(struct rule_slot *s);
/* Whether the ticket is that of the job under way. */
bool rule_slot_waits_for(const struct rule_slot *s, uint64_t epoch,
                         const struct rule_ticket *ticket);
/* A job has ended; epoch: the core's. */
enum rule_slot_next rule_slot_answer(struct rule_slot *s, uint64_t epoch,
                                     const struct rule_ticket *ticket, enum rules_job job);

#endif
