/* relay.h - messages that another Alertmanager has decided, and that are passed on as they are: those of the DingTalk
 * bridge. They have a row in the outbox and share the destination with the receivers of our own, so that order, places,
 * rates, retries and a restart are the same for both; no route, silence, inhibition or log keeps one back.
 *
 * The sender is told that his message is kept, and from then on thinks of it as told: he never says again what it said. So
 * what a newer message of the same group does not name any more goes along with it when it takes the place of one that
 * waits. What ended before it could be told is told as ended.
 *
 * A sender who went without his answer says it again. While the message waits, it is there already; when the process died
 * between the two, the log has what was told meanwhile, for ten minutes.
 *
 * Shapes   50,000 rows and 256 MiB wait together, a row has 16 MiB.
 * Errors   ERR_NOT_FOUND: no such receiver; ERR_LIMIT: it cannot be kept.
 * Cost     O(n log n) of the alerts that it and the waiting one name; O(outbox) once a turn.
 */
#ifndef CORE_RELAY_H
#define CORE_RELAY_H

#include "core/engine.h"

/* n->receiver: one of ours; n->group_key: what tells one sender's groups apart. The flush id is the core's. result->accepted:
 * 0 when it was kept before. */
void relay_take(struct engine *e, const struct notification *n, struct now now, struct effects *fx,
                struct event_result *result);
/* What takes the place of `old`, which was not told: next, with what only old names. Owned; next is freed. */
struct outbox_row *relay_join(const struct outbox_row *old, struct outbox_row *next,
                              struct now now);
/* Whether the sender may not have heard that the row, which is told now, was kept. */
bool relay_may_come_again(const struct outbox_row *r);

struct relay_load {
    size_t rows, bytes;
};
struct relay_load relay_load(const struct engine *e); /* what waits */

/* Of a receiver that no route names: for how long it may fail before it is said. */
#define RELAY_PATIENCE (5 * NS_PER_M)

#endif
