/* mute.h - whether a route's time intervals let an instant through.
 *
 * Source   alertmanager.md 3.6 (stages 3 and 4), 3.11.
 */
#ifndef ROUTE_MUTE_H
#define ROUTE_MUTE_H

#include "base/buf.h"
#include "base/time.h"
#include "route/tree.h"

struct time_interval_conf;

/* True without active intervals or inside one of them; otherwise all their names are appended to by. */
bool mute_is_active_time(const struct time_interval_conf *all, size_t n, const struct route *r, ts_ns now, struct buf *by);
/* True inside any mute interval; the names that hold are appended to by, comma-separated. */
bool mute_is_mute_time(const struct time_interval_conf *all, size_t n, const struct route *r, ts_ns now, struct buf *by);

#endif
