/* duration.h - the two duration grammars of the field, and byte sizes.
 *
 * Prometheus: "0", or digits and unit, largest first, each at most once: y w d h m s ms ("1h30m", "5m", "1d12h").
 * Go: a signed sequence of decimals with units h m s ms us ns, in any order ("1m30s", "1.5h", "-2s"), or "0".
 *
 * Units    dur_ns.
 * Errors   empty, malformed, unknown unit (named), out of range.
 * Source   rules.md 1.3; Go time.ParseDuration and Duration.String.
 */
#ifndef CODEC_DURATION_H
#define CODEC_DURATION_H

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

bool duration_parse(str s, dur_ns *out, struct err *e) must_check;
void duration_print(struct buf *out, dur_ns d); /* 90d, 2w, 1h30m, 0s */
bool go_duration_parse(str s, dur_ns *out, struct err *e) must_check;
void go_duration_print(struct buf *out, dur_ns d); /* 1h2m3s, 1.5s, 0s */

#endif
