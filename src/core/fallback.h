/* fallback.h - who is told when a receiver cannot be: the receiver that its `fallback` names.
 *
 * A notification falls back when it is refused for good, or has waited for longer than the receiver's group_interval; a
 * critical one as soon as an attempt has failed, or its destination will take nothing for that long. The first receiver is
 * tried on: it hears of it late. Whom the fallback was told that it fires, of that it hears the end.
 *
 * A receiver with a budget sends so many messages a day (UTC); what is more goes to the receiver that `then` names, and not
 * to itself: its row stands by, and counts as told when the other has told all of it. What it was not told, because it may not
 * be any more or was refused, is decided again. What is spent is on disk with the commit that the message waits for.
 *
 * A fallback may have one itself; a ring of them is refused by the configuration.
 *
 * Cost     O(outbox) every 30 s where any receiver has a fallback.
 * Source   design.md 2.7.
 */
#ifndef CORE_FALLBACK_H
#define CORE_FALLBACK_H

#include "core/engine.h"
#include "core/part.h"

/* The slot's row was decided, or could not be delivered; refused: for good. */
void fallback_look(struct engine *e, struct outbox_slot *s, bool refused, struct now now,
                   struct effects *fx);
/* The group is looked at: rc is its receiver, or NULL; all are its alerts, told those of them that nothing keeps back, in the
 * same order. */
void fallback_follow(struct engine *e, const struct group *g, const struct core_receiver *rc,
                     const struct alert_list *all, const struct alert_list *told, struct now now,
                     struct effects *fx);
/* Whether the log says that the receiver, or anyone who is told in its place, was last told of a firing alert of the group, or is
 * about to be told something. */
bool fallback_any_told(const struct engine *e, str group_key, str receiver);
void fallback_gc(struct engine *e, struct now now, struct effects *fx);

/* A message of the receiver is about to go. False: it has had its day's, and the row went to who comes then. */
bool budget_spend(struct engine *e, struct outbox_slot *s, struct now now, struct effects *fx);
/* Of a row that stands by: whether the other has something of its group to tell, and if not, whether it has told what the row
 * says. */
enum budget_other { BUDGET_OTHER_WAITS, BUDGET_OTHER_TOLD, BUDGET_OTHER_NOT_TOLD };
enum budget_other budget_asks_other(const struct engine *e, const struct outbox_row *r);
/* Whether someone in whose place the row is told was told that it fires: its end is told, whatever keeps it back. */
bool budget_hears_end(const struct engine *e, const struct outbox_row *r, uint64_t hash);
/* How many it has sent today. */
uint64_t budget_spent(const struct engine *e, str receiver, ts_ns wall);
bool budget_restore(struct restoring *r, str key, str value);
void budget_snapshot(struct engine *e, struct now now, struct state_commit *c);
void budgets_release(struct engine *e);

#endif
