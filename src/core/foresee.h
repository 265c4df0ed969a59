/* foresee.h - when a group tells an integration about one alert, if nothing but time passes.
 *
 * Flushes the group in thought: at each tick at which something can be different from the tick before (a silence begins
 * or ends, a repeat is due, an interval opens), those whom audience.c lets through are put to a copy of the notification
 * log. A row that waits is asked for the time at which it is sent: whom it will not tell, a later flush may.
 *
 * Owns     nothing; scratch memory is the arena's.
 * Source   flush.c is what this must agree with; tests/sim compares them at every step of every scenario.
 */
#ifndef CORE_FORESEE_H
#define CORE_FORESEE_H

#include "core/engine.h"

struct foreseen {
    ts_ns at; /* wall; TS_NONE = never, as far as can be seen */
    enum notify_reason reason;
    bool is_cut; /* the limits ended the search */
};

struct foreseen foresee(const struct engine *e, const struct group *g,
                        const struct core_integration *ic, uint64_t fingerprint, struct now now,
                        struct arena *a);

#endif
