/* mute.h - the named time intervals: whether an instant lies inside them, and whether a route may speak.
 *
 * Everything is decided on local wall-clock fields of the interval's location, as Alertmanager does.
 *
 * Shapes   some ten intervals; zones are loaded once, when a configuration comes into force.
 * Owns     the set owns its zones; the configuration it was built from is borrowed and must outlive it.
 * Source   alertmanager.md 3.6 (stages 3 and 4), 3.11.
 */
#ifndef ROUTE_MUTE_H
#define ROUTE_MUTE_H

#include "base/buf.h"
#include "base/time.h"
#include "route/route_conf.h"
#include "route/tree.h"

struct interval_set;

struct interval_set *interval_set_new(const struct time_interval_conf *v, size_t n);
void interval_set_free(struct interval_set *s);
bool interval_set_holds(const struct interval_set *s, str name,
                        ts_ns now); /* false for an unknown name */

/* True without active intervals or inside one of them; otherwise all their names are appended to by (NULL: nowhere). */
bool mute_is_active_time(const struct interval_set *s, const struct route *r, ts_ns now,
                         struct buf *by);
/* True inside any mute interval; the names that hold are appended to by, comma-separated. */
bool mute_is_mute_time(const struct interval_set *s, const struct route *r, ts_ns now,
                       struct buf *by);

/* The first instant in (now, before) at which both let the route speak; TS_MAX: none. */
ts_ns mute_ends(const struct interval_set *s, const struct route *r, ts_ns now, ts_ns before);

#endif
