/* when.h - times as people at a terminal write and read them.
 *
 * In: RFC 3339; the same without a zone, or a date (in the local zone); Unix seconds; "now"; "+2h", "in 2h", "-30m",
 * "30m ago"; "2h" alone goes the flag's way. Out: the local zone with its offset.
 */
#ifndef CLI_WHEN_H
#define CLI_WHEN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"

enum when_way { WHEN_AHEAD, WHEN_BACK };

bool when_parse(str text, ts_ns now, enum when_way way, ts_ns *out, struct err *e) must_check;
/* Of a flag; false: it has complained. */
bool when_flag(const char *flag, const char *text, ts_ns now, enum when_way way, ts_ns *out);
str when_text(struct arena *a, ts_ns t); /* 2026-11-29T16:00:00+08:00 */
/* The local zone for who writes times for us (tz_rule()); empty: it has no rule. */
str when_zone(void);

#endif
