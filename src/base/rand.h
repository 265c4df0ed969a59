/* rand.h - a seeded generator: whatever is drawn can be drawn again. The seed comes from os/random.h, or from a test.
 *
 * Shapes   struct rand is splitmix64: 8 bytes of state, good enough for jitter and ids, not for secrets.
 */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include "base/str.h"

struct rand {
    uint64_t state;
};

uint64_t rand_next(struct rand *r);
uint64_t rand_below(struct rand *r, uint64_t bound); /* [0, bound), bound > 0 */
/* Of a number that others follow: their sequences have nothing in common. */
struct rand rand_of(uint64_t seed);
double rand_unit(struct rand *r); /* [0, 1) */

#endif
