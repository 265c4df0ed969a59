/* rand.h - randomness: the system's for ids and seeds, a seeded generator for everything that a test repeats.
 *
 * Shapes   struct rand is splitmix64: 8 bytes of state, good enough for jitter and property tests, not for secrets.
 */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include "base/str.h"

struct rand {
    uint64_t state;
};

void rand_bytes(void *p, size_t n); /* getrandom(2); aborts when the kernel has none */
uint64_t rand_next(struct rand *r);
uint64_t rand_below(struct rand *r, uint64_t bound); /* [0, bound), bound > 0 */
double rand_unit(struct rand *r);                    /* [0, 1) */

#endif
