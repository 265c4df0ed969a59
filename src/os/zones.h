/* zones.h - time zones by name, from the system's database.
 *
 * Errors   ERR_NOT_FOUND for an unknown name (also one with "..", or absolute), ERR_CORRUPT for a damaged file.
 * Source   the folder is $ZONEINFO or /usr/share/zoneinfo.
 */
#ifndef OS_ZONES_H
#define OS_ZONES_H

#include "codec/tz.h"

/* "UTC" and "" need no database. "Local" is what $TZ names, as Go reads it: unset /etc/localtime, empty or unknown UTC.
 * NULL on failure. */
struct tz *zone_load(str name, struct err *e) must_check;

#endif
