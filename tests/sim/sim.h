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

struct shown_sample {
    struct labels labels;
    str query, escaped; /* empty: of all; as forms write it */
    double value;
};

struct named_silence {
    str name;
    struct uuid id;
};

struct truth;

void remove_folder(const char *folder); /* and what is in it; one that is not there is fine */

struct sim_options {
    uint64_t seed;       /* of what the stage draws */
    struct truth *truth; /* judges in place of the oracle; NULL: the oracle is asked */
    str folder;          /* of an own store's samples; empty: there is none */
};

struct sim {
    const char *path;
    const struct scenario *scn;
    struct oracle oracle;
    struct truth *truth;
    struct arena arena;
    struct stage stage;
    struct stage_instance it;
    str rules;              /* name of those in force */
    VEC(struct sink) sinks; /* the first has no path */
    bool source_down;
    dur_ns source_takes;
    size_t wrong; /* what the API should have said, and did not */
    VEC(struct shown_sample) samples;
    struct inbox inbox;
    VEC(struct poster) posters;
    VEC(struct named_silence) silences;
    struct buf reply;
};

void sim_open(struct sim *s, const char *path, const struct scenario *scn,
              const struct sim_options *o);
/* The process ends and begins again, in order or not. */
void sim_restart(struct sim *s, bool is_cut);
void sim_go_on(struct sim *s, dur_ns d);
void sim_close(struct sim *s);

#endif
