/* heartbeat.h - a call to an outside dead man's switch while all is well.
 *
 * The switch pages when the calls stop. So one is made only while the loop turns (or this timer would not fire), commits
 * succeed and rule groups are on time, and, if asked, no receiver fails; whatever breaks, silence is the message.
 *
 * Source   design.md 1.6; configuration key `heartbeat`.
 */
#ifndef LIVE_HEARTBEAT_H
#define LIVE_HEARTBEAT_H

#include "live/shell.h"
#include "config/config.h"

struct heartbeat;

struct heartbeat *heartbeat_new(struct shell *s, struct transport *t, struct clock *clock);
void heartbeat_free(struct heartbeat *h);
void heartbeat_configure(struct heartbeat *h,
                         struct config *conf); /* takes a reference of its own */

#endif
