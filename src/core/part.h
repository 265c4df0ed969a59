/* part.h - what the core is made of, one row a part: what it keeps of a configuration, when it is due, what the clocks'
 * jumps mean to it, and how it comes back.
 *
 * What waits is keyed by the monotonic clock. A wall step moves what waits for an instant of the wall clock (CORE_WALL); a
 * pause gives back the time in which nobody could refresh anything. Whatever a pause moves is an end that a refresh moves,
 * too, and that is not written for its own sake: restore gives a restored alert the same time.
 *
 * Rows are asked in their order. A hook that is NULL has nothing to do.
 */
#ifndef CORE_PART_H
#define CORE_PART_H

#include "core/engine.h"
#include "route/old_keys.h"

enum core_basis { CORE_MONO, CORE_WALL };

/* What is being read back. */
struct restoring {
    struct engine *e;
    struct now now;
    struct effects *fx;
    size_t unreadable, alerts; /* the latter of all records, those that another replaced too */
    struct arena scratch;
    struct old_keys old_keys;
    struct buf key;
};

struct core_part {
    const char *name;
    enum state_table table;               /* of its rows; STATE_TABLES: none */
    enum core_basis basis;                /* of what due() says */
    ts_ns (*due)(const struct engine *e); /* mono, TS_MAX: nothing waits */
    void (*run)(struct engine *e, struct now now, struct effects *fx);
    void (*gc)(struct engine *e, struct now now, struct effects *fx);        /* every 30 s */
    void (*configure)(struct engine *e, struct now now, struct effects *fx); /* e->conf is new */
    void (*stepped)(struct engine *e, dur_ns by, struct now now, struct effects *fx);
    void (*paused)(struct engine *e, dur_ns lost, struct now now, struct effects *fx);
    bool (*restore)(struct restoring *r, str key, str value); /* a row; false ends reading */
    void (*snapshot)(struct engine *e, struct now now, struct state_commit *c);
};

extern const struct core_part core_parts[]; /* until name is NULL */

#define CORE_PARTS_EACH(p) for (const struct core_part *p = core_parts; p->name != NULL; p++)

#endif
