#include "cli/when.h"

#include <stdio.h>
#include "cli/say.h"
#include "codec/duration.h"
#include "codec/float.h"
#include "codec/timefmt.h"
#include "os/zones.h"

/* Borrowed, loaded once; without a database UTC. */
static const struct tz *local(void)
{
    static struct tz *zone;

    if (zone == NULL)
        zone = zone_load(S("Local"), NULL);
    if (zone == NULL)
        zone = tz_utc();
    return zone;
}

/* An offset is asked of an instant, and the instant depends on it: the second look settles it but for the hour that a
 * change of the clocks leaves out or repeats. */
static ts_ns from_local(ts_ns as_utc)
{
    ts_ns t = ts_sub(as_utc, tz_offset(local(), as_utc, NULL) * NS_PER_S);

    return ts_sub(as_utc, tz_offset(local(), t, NULL) * NS_PER_S);
}

static bool parse_duration(str text, ts_ns now, bool is_back, ts_ns *out)
{
    dur_ns d;

    if (!duration_parse(text, &d, NULL) && !go_duration_parse(text, &d, NULL))
        return false;
    *out = is_back ? ts_sub(now, d) : ts_add(now, d);
    return true;
}

static bool parse_relative(str text, ts_ns now, enum when_way way, ts_ns *out)
{
    if (str_is(text, "now")) {
        *out = now;
        return true;
    }
    if (str_starts_with(text, S("in ")))
        return parse_duration(str_trim(str_sub(text, 3, text.n)), now, false, out);
    if (str_ends_with(text, S(" ago")))
        return parse_duration(str_trim(str_sub(text, 0, text.n - 4)), now, true, out);
    if (text.n != 0 && (text.p[0] == '+' || text.p[0] == '-'))
        return parse_duration(str_sub(text, 1, text.n), now, text.p[0] == '-', out);
    return parse_duration(text, now, way == WHEN_BACK, out);
}

static bool parse_seconds(str text, ts_ns *out)
{
    double seconds;

    if (!float_parse(text, &seconds, NULL) || !(seconds > 1e8 && seconds < 9e9))
        return false;
    *out = (ts_ns)(seconds * 1e9);
    return true;
}

bool when_parse(str text, ts_ns now, enum when_way way, ts_ns *out, struct err *e)
{
    text = str_trim(text);
    if (rfc3339_parse(text, out, NULL) || parse_relative(text, now, way, out) ||
        parse_seconds(text, out))
        return true;
    if (text.n != 0 && api_time_parse(text, out, NULL)) {
        if (!str_ends_with(text, S("Z")))
            *out = from_local(*out);
        return true;
    }
    return err_set(e, ERR_INVALID,
                   "'%.*s' is no time: RFC 3339, \"2026-01-31 08:00\" (local), Unix seconds, now, "
                   "\"+2h\" or \"30m ago\"",
                   STR(text));
}

bool when_flag(const char *flag, const char *text, ts_ns now, enum when_way way, ts_ns *out)
{
    struct err e = ERR_INIT;

    if (when_parse(str_of(text), now, way, out, &e))
        return true;
    say(stderr, "tocsin: --%s: %s\n", flag, e.msg);
    return false;
}

str when_text(struct arena *a, ts_ns t)
{
    struct buf b = BUF_INIT;
    str text;

    tz_print(&b, local(), t);
    text = arena_str(a, buf_str(&b));
    buf_release(&b);
    return text;
}

str when_zone(void)
{
    return tz_rule(local());
}
