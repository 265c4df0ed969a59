/* oracle.h - holds what explain foresees against what happens.
 *
 * Whenever the clock is about to move, every alert is asked when each receiver is told of it next. As long as nothing
 * but time passes, a message must come exactly then and at no other time, and later answers must repeat earlier ones.
 *
 * Owns     its predictions (oracle_release).
 */
#ifndef SIM_ORACLE_H
#define SIM_ORACLE_H

#include "core/engine.h"

struct prediction {
    uint64_t fingerprint;
    str receiver, group_key; /* owned */
    ts_ns at;                /* wall */
    bool came;
};

struct oracle {
    VEC(struct prediction) v;
    bool holds; /* false: something happened since the predictions were made */
    uint64_t world;
    ts_ns asked_at, until; /* wall: at `until` the first alert ends if nobody refreshes it */
    size_t checked, wrong;
};

void oracle_release(struct oracle *o);
/* Something happened that nobody could foresee. */
void oracle_disturb(struct oracle *o);
/* A message arrived that tells of this alert. */
void oracle_arrived(struct oracle *o, const char *scenario, uint64_t fingerprint, str receiver,
                    struct labels group, ts_ns at);
/* The clock is about to move. */
void oracle_ask(struct oracle *o, const char *scenario, const struct engine *e, struct now now);

#endif
