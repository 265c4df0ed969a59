/* coverage.h - which states the faults of random scenarios have hit.
 *
 * Before each fault the live instance is looked at: a fault counts for every state that some group, row or commit is in.
 */
#ifndef SIM_COVERAGE_H
#define SIM_COVERAGE_H

#include "sim.h"

enum fault {
    FAULT_CUT,
    FAULT_RESTART,
    FAULT_RELOAD,
    FAULT_RELOAD_RULES, /* with other rules: groups changed, removed, renamed, back */
    FAULT_RELOAD_ASIDE,
    FAULT_PAUSE,
    FAULT_WALL_AHEAD,
    FAULT_WALL_BACK,
    FAULT_SOURCE_SLOW,
    FAULT_SOURCE_DOWN,
    FAULT_SINK_DOWN,
    FAULT_SINK_SILENT,
    FAULT_SINK_SLOW,
    FAULT_SINK_CUTS,
    FAULT_DISK_FULL,
    FAULT_DISK_LATE, /* written, and said not to be */
    FAULTS
};

enum hit_state {
    HIT_RUNNING, /* some group */
    HIT_REPLACED,
    HIT_REMOVED,
    HIT_WAITING, /* some row: for its commit, or for the one before it */
    HIT_IN_FLIGHT,
    HIT_RETRYING,
    HIT_COMMIT, /* handed over, not reported */
    HIT_REPLAY,
    HIT_STATES
};

struct coverage {
    size_t hits[FAULTS][HIT_STATES];
};

void coverage_note(struct coverage *c, struct sim *s, const struct action *a);
void coverage_print(const struct coverage *c);
/* A fault that has not met some state that it can meet; all cells can occur. */
bool coverage_has_gap(const struct coverage *c);

#endif
