/* wild.h - scenarios nobody wrote, in which everything happens that can: routing, rules that reloads change, remove, rename
 * and bring back, senders, silences, and every fault of what is around, at any moment and one upon the other. In the end all
 * works again, and time goes on for long enough that everybody can have heard of everything.
 *
 * Shapes   half an hour of faults, half an hour of rest.
 */
#ifndef SIM_WILD_H
#define SIM_WILD_H

#include "scenario.h"

enum { WILD_GROUPS = 3, WILD_RULES = 4 };

/* Which groups a set of rules names, and under which name. */
struct wild_rules {
    bool is_named[WILD_GROUPS], is_renamed[WILD_GROUPS];
};

struct wild {
    struct scenario scn;
    bool has_store;                      /* of its own, in place of a source */
    struct wild_rules rules[WILD_RULES]; /* by the name, "0" to "3" */
    dur_ns repeat_interval;
    size_t
        pace; /* messages in a minute that the receivers' address takes, in digests if need be; 0: all */
    bool
        has_fallback; /* receiver "back" is told what the others cannot be, at an address that always works */
    size_t
        budget; /* messages a day of each receiver; what is more "back" is told in its place; 0: all */
    bool
        gathers; /* what a window kept back is told when it ends, as a digest, moved by some seconds */
};

void wild_make(struct wild *w, uint64_t seed);
void wild_release(struct wild *w);

#endif
