/* timefmt.h - RFC 3339 and civil time.
 *
 * Units    ts_ns, or seconds since 1970 for any year; TS_NONE is 0001-01-01T00:00:00Z; earlier than 1677 (but year 1) and later than 2262 saturate.
 * Source   alertmanager.md 4.3: in with 0-9 fractional digits, zone with or without colon, also
 *          YYYY-MM-DDTHH:MM:SS, YYYY-MM-DDTHH:MM[Z], YYYY-MM-DD HH:MM:SS, YYYY-MM-DD (UTC); the empty string is the
 *          Unix epoch. Out: rfc3339_ms has exactly three digits, rfc3339_nano up to nine without trailing zeros; UTC.
 */
#ifndef CODEC_TIMEFMT_H
#define CODEC_TIMEFMT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

struct civil {
    int64_t year;
    int month, day; /* 1-based */
    int hour, minute, second, nanosecond;
    int weekday; /* 0 = Sunday */
    int yearday; /* 1-based */
};

bool rfc3339_parse(str s, ts_ns *out, struct err *e) must_check; /* strict RFC 3339 */
bool api_time_parse(str s, ts_ns *out,
                    struct err *e) must_check; /* the wider forms of the v2 API */
void rfc3339_ms(struct buf *out, ts_ns t);
void rfc3339_nano(struct buf *out, ts_ns t);

struct civil civil_of(ts_ns t, int64_t utc_offset_s);
struct civil civil_of_seconds(int64_t s, int64_t utc_offset_s); /* nanosecond: 0 */
int64_t civil_to_seconds(const struct civil *c, int64_t utc_offset_s);
ts_ns civil_to_ts(const struct civil *c,
                  int64_t utc_offset_s); /* saturates; weekday and yearday are not read */
int64_t days_from_civil(int64_t year, int month, int day); /* days since 1970-01-01 */

static inline bool year_is_leap(int64_t y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

#endif
