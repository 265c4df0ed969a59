/* sim.h - one scenario, played by one instance on the stage (stage/stage.h). Nothing sleeps; thirty days take a second.
 *
 * sim_open() plays the scenario from its first action to its last; what arrived and what the oracle found then stands in
 * the sim, next to the engine as it ended. Rule files are written to the working directory.
 *
 * Units    a scenario's times are since its start, SIM_WALL and SIM_MONO.
 * Owns     the sim owns all but path and scenario, which are borrowed.
 * Errors   a configuration or an action that is refused ends the process: the scenario is wrong.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "stage/stage.h"
#include "inbox.h"
#include "oracle.h"
#include "scenario.h"

#define SIM_WALL (1767225600ll * NS_PER_S) /* 2026-01-01T00:00:00Z */
#define SIM_MONO (1000ll * NS_PER_S)

struct poster {
    struct labels labels, annotations;
    ts_ns starts_at, next; /* wall, since the start */
};

/* What one URL of the sink answers. */
struct sink {
    str path;   /* empty: every other */
    int status; /* 0 = nothing */
    dur_ns retry, takes;
    bool cuts; /* what it answers is lost */
};

struct named_silence {
    str name;
    struct uuid id;
};

struct sim {
    const char *path;
    const struct scenario *scn;
    struct oracle oracle;
    struct arena arena;
    struct stage stage;
    struct stage_instance it;
    str rules;              /* name of those in force */
    VEC(struct sink) sinks; /* the first has no path */
    bool source_down;
    dur_ns source_takes;
    size_t wrong; /* what the API should have said, and did not */
    VEC(struct action *) samples;
    struct inbox inbox;
    VEC(struct poster) posters;
    VEC(struct named_silence) silences;
    struct buf reply;
};

/* seed: of what the stage draws. */
void sim_open(struct sim *s, const char *path, const struct scenario *scn, uint64_t seed);
void sim_close(struct sim *s);

#endif
