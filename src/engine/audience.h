/* audience.h - what keeps an alert of a group from being told at an instant: inhibition, time intervals, silences.
 *
 * A flush asks for each alert of its group. Much may change before the message goes out: the receiver may be down for an
 * hour. So an attempt asks again (audience_ask()), and who is kept back by now is taken out of the row. A row with nobody
 * left is withdrawn: the log has no entry of it, so the end of the silence tells. What may have arrived stays as it is:
 * whoever may have read that an alert fires is to read that it has ended.
 *
 * Errors   none; each verdict against an alert leaves a decision.
 * Owns     nothing.
 * Cost     an alert: O(inhibition rules + silences that can match). A first attempt within a second of its decision asks
 *          nobody unless silences, the configuration or what fires have changed.
 * Source   alertmanager.md 3.6, DESIGN.md 2 "Delivery".
 */
#ifndef ENGINE_AUDIENCE_H
#define ENGINE_AUDIENCE_H

#include "engine/engine.h"

/* Of whom decisions speak. group: what the last verdict was is noted there; NULL: the group is no more. */
struct audience {
    struct group *group;
    str group_key, receiver;
};

struct audience audience_of(struct group *g);

bool audience_inhibits(struct engine *e, struct audience of, uint64_t fingerprint, struct labels ls,
                       struct now now, struct effects *fx);
/* Until when; TS_NONE: no silence holds. */
ts_ns audience_silences(struct engine *e, struct audience of, uint64_t fingerprint,
                        struct labels ls, struct now now, struct effects *fx);
/* Whether the route's time intervals let this instant through; n: how many alerts are kept back when not. Fills
 * g->muted_by with the names of those that do not. */
bool audience_in_time(struct engine *e, struct group *g, size_t n, struct now now,
                      struct effects *fx);

/* Grows with everything but time that can take an alert out of an audience. */
uint64_t audience_revision(const struct engine *e);

/* The row of the key is about to be sent: returns what to send, the row or another in its place; NULL: it was withdrawn. */
const struct outbox_row *audience_ask(struct engine *e, str key, struct now now,
                                      struct effects *fx);

#endif
