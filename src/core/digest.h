/* digest.h - which rows go in one message: what waits while its destination is dry.
 *
 * Where a message may be of several groups, the one that takes the last of what the destination takes for now, or the first
 * after it was left alone, takes along what waits behind it: the urgent first, then in the order in which it came. So does
 * one that has waited for longer than notifications.max_age with all that has. How many of them fit into the message shows
 * when it is rendered; the rest waits on, before all others.
 *
 * All are of one integration: its texts, and whom they call, are its own. A row of which some have heard already goes alone.
 *
 * Shapes   DIGEST_ROWS rows of DIGEST_BYTES at most.
 * Cost     O(rows); of what is late O(outbox).
 * Source   design.md 2.7.
 */
#ifndef CORE_DIGEST_H
#define CORE_DIGEST_H

#include "core/engine.h"

enum { DIGEST_ROWS = 500, DIGEST_BYTES = 1 << 20 };

/* s has its place. What goes with it is under way from now on: s->rider. */
void digest_gather(struct engine *e, struct outbox_slot *s, struct now now);
/* Whether it has waited for so long that a message says so. */
bool digest_is_late(const struct engine *e, const struct outbox_row *r, ts_ns mono);
/* Whether both are of one integration. */
bool digest_is_of_one(const struct outbox_row *a, const struct outbox_row *b);

#endif
