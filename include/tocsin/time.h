/* time.h - the two time types.
 *
 * Units    ts_ns: nanoseconds since 1970-01-01T00:00:00Z on the wall clock, or since boot where a name says mono.
 *          dur_ns: nanoseconds. ts_ms: milliseconds since 1970, the unit of samples.
 *          TS_NONE is Go's zero time: it prints as 0001-01-01T00:00:00Z. Times after 2262 saturate.
 */
#ifndef TOCSIN_TIME_H
#define TOCSIN_TIME_H

#include <stdint.h>

typedef int64_t ts_ns;
typedef int64_t dur_ns;
typedef int64_t ts_ms;

#define TS_NONE INT64_MIN
#define TS_MAX  INT64_MAX

#define NS_PER_MS 1000000ll
#define NS_PER_S  1000000000ll
#define NS_PER_M  (60 * NS_PER_S)
#define NS_PER_H  (60 * NS_PER_M)
#define NS_PER_D  (24 * NS_PER_H)

/* t + d without overflow; TS_NONE stays TS_NONE. */
static inline ts_ns ts_add(ts_ns t, dur_ns d)
{
    ts_ns r;

    if (t == TS_NONE)
        return TS_NONE;
    if (__builtin_add_overflow(t, d, &r))
        return d > 0 ? TS_MAX : TS_NONE + 1;
    return r;
}

/* a - b, of any two times: what does not fit is as far apart as can be said, either way. */
static inline dur_ns ts_sub(ts_ns a, ts_ns b)
{
    dur_ns d;

    if (a == b)
        return 0;
    if (a == TS_NONE || b == TS_NONE || __builtin_sub_overflow(a, b, &d) || d == INT64_MIN)
        return a > b ? INT64_MAX : -INT64_MAX;
    return d;
}

/* Both clocks at one instant. */
struct now {
    ts_ns wall;
    ts_ns mono; /* CLOCK_BOOTTIME: goes on while the machine sleeps, never jumps */
    /* by how much the wall clock has been set since the start, all steps added up */
    dur_ns stepped;
};

#endif
