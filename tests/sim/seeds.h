/* seeds.h - scenarios nobody wrote, played and judged by what must hold in all of them.
 *
 * By explain: what it foresees comes true (oracle.h); nothing is repeated before its time; and an alert that explain says
 * one thing alone holds back is sent when the same scenario is played without that thing. Wild ones (wild.h): what truth.h
 * says, twice, with two hash seeds, and both tell the same.
 *
 * All play the seeds [first, first + count) in the working directory and say what failed. 0: none did.
 */
#ifndef SIM_SEEDS_H
#define SIM_SEEDS_H

#include <stdbool.h>
#include <stdint.h>

int seeds_explain(uint64_t first, uint64_t count, uint64_t hours); /* of the scenario's clock */
int seeds_wild(uint64_t first, uint64_t count);
/* The same, and a table; a gap in it is a failure. */
int seeds_cover(uint64_t count);
/* Until one fails: that is told. */
int seeds_find(uint64_t first, uint64_t count);

#endif
