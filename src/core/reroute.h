/* reroute.h - which live alerts would go to other receivers under another configuration: what to read before a reload.
 *
 * Owns     text is appended to the caller's buffer.
 * Cost     two walks of a tree an alert.
 */
#ifndef CORE_REROUTE_H
#define CORE_REROUTE_H

#include "core/engine.h"

/* One line an alert, "{alertname="A"}: a, b -> c", at most REROUTE_LINES and a word on the rest; returns how many. */
enum { REROUTE_LINES = 20 };
size_t engine_reroutes(const struct engine *e, const struct core_conf *next, struct now now,
                       struct buf *out);

#endif
