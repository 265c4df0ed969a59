/* seeds.h - scenarios nobody wrote, played and judged by what must hold in all of them.
 *
 * What explain foresees comes true (oracle.h); nothing is repeated before its time; and an alert that explain says one
 * thing alone holds back is sent when the same scenario is played without that thing.
 *
 * Units    length of a scenario in hours, of its own clock.
 */
#ifndef SIM_SEEDS_H
#define SIM_SEEDS_H

#include <stdint.h>

/* Plays the seeds [first, first + count), says what failed. 0: none did. */
int seeds_run(uint64_t first, uint64_t count, uint64_t hours);

#endif
