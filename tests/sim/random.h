/* random.h - scenarios nobody wrote: a routing tree, silences, inhibition, mute times, senders and a failing receiver from a seed.
 *
 * A part can be left out, everything else staying the same: what explain names as the reason must make the difference.
 */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include "scenario.h"

enum random_part {
    RANDOM_SILENCES = 1,
    RANDOM_INHIBITION = 2,
    RANDOM_MUTING = 4,
    RANDOM_CRASHES = 8,
    RANDOM_SINKS = 16, /* the receiver is away for a while */
    RANDOM_ALL = 31,
    RANDOM_FAULTS = 32, /* clocks, restarts, reloads, the disk */
};

void random_scenario(struct scenario *out, uint64_t seed, unsigned parts, dur_ns length);

#endif
