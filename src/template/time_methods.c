/* Go refuses methods with several results inside of a template; their rows say so with its words. */
#include "template/time_methods.h"

#include "codec/duration.h"
#include "codec/quote.h"
#include "codec/timefmt.h"
#include "codec/tz.h"
#include "template/funcs_priv.h"
#include "template/time.h"

enum { BINARY_V1 = 1, BINARY_V2 = 2 };

/* A method that is one expression. */
#define GIVES(name, expr)                                                                          \
    FUNC(name)                                                                                     \
    {                                                                                              \
        *out = expr;                                                                               \
        return true;                                                                               \
    }

static bool time_methods_bytes(struct tmpl_env *env, struct buf *b, struct tmpl_value *out)
{
    *out = tv_bytes(env->a, b);
    return true;
}

/* -- zones -- */

const char tmpl_utc[1];

static const struct tz *zone_of(const struct tmpl_value *location)
{
    return location->object != tmpl_utc ? location->object : NULL;
}

static str time_methods_zone_name(const struct tz *zone)
{
    return zone != NULL ? tz_name(zone) : S("UTC");
}

static void location_text(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v)
{
    (void)env;
    buf_add(out, time_methods_zone_name(zone_of(v)));
}

GIVES(l_string, tv_str(time_methods_zone_name(zone_of(&args[0]))))

static const struct tmpl_func location_methods[] = {
    {"String", "", l_string, "its name"},
    {NULL, NULL, NULL, NULL},
};
const struct tmpl_type tmpl_location = {
    .name = "*time.Location", .methods = location_methods, .text = location_text};

static struct tmpl_value in_zone(const struct tmpl_value *v, const struct tz *zone)
{
    struct tmpl_value out = *v;

    out.time.zone = zone;
    return out;
}

GIVES(t_utc, in_zone(&args[0], NULL))
GIVES(t_in, in_zone(&args[0], zone_of(&args[1])))
GIVES(t_location,
      tv_object(&tmpl_location, args[0].time.zone != NULL ? args[0].time.zone : (void *)tmpl_utc))

FUNC(t_local)
{
    const struct tz *zone = env->local != NULL ? env->local : tmpl_zone(env, S("Local"), e);

    *out = in_zone(&args[0], zone);
    return zone != NULL;
}

static bool is_dst(struct tmpl_time t)
{
    return t.zone != NULL && tz_is_dst_at(t.zone, t.s);
}

GIVES(t_is_dst, tv_bool(is_dst(args[0].time)))

/* -- text and bytes of time.Time -- */

FUNC(t_format)
{
    struct buf b = BUF_INIT;

    tmpl_time_format(&b, args[0].time, args[1].s);
    return func_text(env, &b, out);
}

FUNC(t_string)
{
    struct buf b = BUF_INIT;

    tmpl_time_print(&b, args[0].time);
    return func_text(env, &b, out);
}

static struct civil civil_here(const struct tmpl_value *v)
{
    const char *zone;
    struct civil c = civil_of_seconds(v->time.s, tmpl_time_offset(v->time, &zone));

    c.nanosecond = v->time.ns;
    return c;
}

FUNC(t_go_string)
{
    struct civil c = civil_here(&args[0]);
    const struct tz *zone = args[0].time.zone;
    struct buf b = BUF_INIT;

    buf_addf(&b, "time.Date(%lld, time.%s, %d, %d, %d, %d, %d, ", (long long)c.year,
             tmpl_month_names[c.month - 1], c.day, c.hour, c.minute, c.second, c.nanosecond);
    if (zone != NULL && tz_is_local(zone)) {
        buf_adds(&b, "time.Local)");
    } else if (str_is(time_methods_zone_name(zone), "UTC")) {
        buf_adds(&b, "time.UTC)");
    } else {
        buf_adds(&b, "time.Location(");
        quote_go(&b, time_methods_zone_name(zone));
        buf_adds(&b, "))");
    }
    return func_text(env, &b, out);
}

FUNC(t_append_format)
{
    struct buf b = BUF_INIT;

    tv_bytes_text(&b, &args[1]);
    tmpl_time_format(&b, args[0].time, args[2].s);
    return time_methods_bytes(env, &b, out);
}

FUNC(t_append_text)
{
    struct buf b = BUF_INIT;

    int64_t year = civil_here(&args[0]).year;

    if (year < 0 || year > 9999)
        return err_set(e, ERR_INVALID, "Time.%s: year outside of range [0,9999]",
                       n > 1 ? "AppendText" : "MarshalText");
    if (n > 1)
        tv_bytes_text(&b, &args[1]);
    tmpl_time_format(&b, args[0].time, TMPL_RFC3339_NANO);
    return time_methods_bytes(env, &b, out);
}

FUNC(t_marshal_json)
{
    struct buf b = BUF_INIT;

    if (tmpl_time_json(&b, args[0].time, e))
        return time_methods_bytes(env, &b, out);
    buf_release(&b);
    return false;
}

static void add_big_endian(struct buf *b, uint64_t v, unsigned n)
{
    while (n-- != 0)
        buf_addc(b, (char)(v >> 8 * n & 0xff));
}

/* Version, seconds since year 1, nanoseconds, minutes east of UTC (-1: UTC itself) and, in version 2, the seconds of that. */
FUNC(t_append_binary)
{
    const char *zone;
    int64_t offset = tmpl_time_offset(args[0].time, &zone);
    bool is_utc = args[0].time.zone == NULL || str_is(tz_name(args[0].time.zone), "UTC");
    struct buf b = BUF_INIT;

    if (n > 1)
        tv_bytes_text(&b, &args[1]);
    buf_addc(&b, offset % 60 != 0 ? BINARY_V2 : BINARY_V1);
    add_big_endian(&b, (uint64_t)args[0].time.s - (uint64_t)TMPL_YEAR_ONE, 8);
    add_big_endian(&b, (uint64_t)args[0].time.ns, 4);
    add_big_endian(&b, (uint64_t)(is_utc ? -1 : offset / 60), 2);
    if (offset % 60 != 0)
        add_big_endian(&b, (uint64_t)(offset % 60), 1);
    return time_methods_bytes(env, &b, out);
}

/* -- arithmetic of time.Time -- */

/* Wraps around at the end of time, as there. */
static struct tmpl_value time_methods_later(const struct tmpl_value *v, dur_ns d)
{
    struct tmpl_value out = *v;
    int64_t ns = v->time.ns + d % NS_PER_S, carry = ns < 0 ? -1 : ns >= NS_PER_S;

    out.time.ns = (int32_t)(ns - carry * NS_PER_S);
    out.time.s = (int64_t)((uint64_t)v->time.s + (uint64_t)(d / NS_PER_S + carry));
    return out;
}

GIVES(t_add, time_methods_later(&args[0], args[1].i))

enum { DATE_MAX = 2000000000 };

FUNC(t_add_date)
{
    struct civil c = civil_here(&args[0]);
    int64_t month;

    for (int i = 1; i <= 3; i++)
        if (args[i].i > DATE_MAX || args[i].i < -DATE_MAX)
            return err_set(e, ERR_INVALID, "date out of range");
    month = c.month - 1 + args[2].i;
    c.year += args[1].i + (month >= 0 ? month / 12 : -((11 - month) / 12));
    c.month = (int)((month % 12 + 12) % 12) + 1;
    c.day += (int)args[3].i;
    *out = args[0];
    out->time = tmpl_time_of(&c, args[0].time.zone);
    return true;
}

GIVES(t_sub, tv_duration(tmpl_time_sub(args[0].time, args[1].time)))

/* What is past the last multiple of d since the zero time. */
static dur_ns past_multiple(struct tmpl_time t, dur_ns d)
{
    __int128 past = (((__int128)t.s - TMPL_YEAR_ONE) * NS_PER_S + t.ns) % d;

    return (dur_ns)(past < 0 ? past + d : past);
}

GIVES(t_truncate, args[1].i > 0
                      ? time_methods_later(&args[0], -past_multiple(args[0].time, args[1].i))
                      : args[0])

FUNC(t_round)
{
    dur_ns past;

    *out = args[0];
    if (args[1].i <= 0)
        return true;
    past = past_multiple(args[0].time, args[1].i);
    *out = time_methods_later(&args[0], past < args[1].i - past ? -past : args[1].i - past);
    return true;
}

static struct tmpl_value int64(int64_t i)
{
    static const struct tmpl_type type = {.name = "int64"};

    return (struct tmpl_value){.kind = TV_INT, .type = &type, .i = i};
}

/* In so many units a second. What is left of it in 64 bits, as there. */
static int64_t unix_in(struct tmpl_time t, int64_t units)
{
    return (int64_t)((uint64_t)t.s * (uint64_t)units + (uint64_t)(t.ns / (NS_PER_S / units)));
}

static int time_methods_compare(struct tmpl_time a, struct tmpl_time b)
{
    return a.s != b.s ? (a.s > b.s) - (a.s < b.s) : (a.ns > b.ns) - (a.ns < b.ns);
}

GIVES(t_unix, int64(args[0].time.s))
GIVES(t_unix_milli, int64(unix_in(args[0].time, 1000)))
GIVES(t_unix_micro, int64(unix_in(args[0].time, 1000000)))
GIVES(t_unix_nano, int64(unix_in(args[0].time, NS_PER_S)))
GIVES(t_is_zero, tv_bool(args[0].time.s == TMPL_YEAR_ONE && args[0].time.ns == 0))
GIVES(t_after, tv_bool(time_methods_compare(args[0].time, args[1].time) > 0))
GIVES(t_before, tv_bool(time_methods_compare(args[0].time, args[1].time) < 0))
GIVES(t_equal, tv_bool(time_methods_compare(args[0].time, args[1].time) == 0))
GIVES(t_compare, tv_int(time_methods_compare(args[0].time, args[1].time)))

/* -- parts of time.Time -- */

GIVES(t_year, tv_int(civil_here(&args[0]).year))
GIVES(t_day, tv_int(civil_here(&args[0]).day))
GIVES(t_hour, tv_int(civil_here(&args[0]).hour))
GIVES(t_minute, tv_int(civil_here(&args[0]).minute))
GIVES(t_second, tv_int(civil_here(&args[0]).second))
GIVES(t_nanosecond, tv_int(civil_here(&args[0]).nanosecond))
GIVES(t_yearday, tv_int(civil_here(&args[0]).yearday))

static str name_of(const char *const *names, int64_t n, int64_t first, int64_t i)
{
    return i >= first && i < first + n ? str_of(names[i - first]) : STR_NONE;
}

static void month_text(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v)
{
    (void)env;
    buf_add(out, name_of(tmpl_month_names, 12, 1, v->i));
}

static void weekday_text(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v)
{
    (void)env;
    buf_add(out, name_of(tmpl_weekday_names, 7, 0, v->i));
}

GIVES(m_string, tv_str(name_of(tmpl_month_names, 12, 1, args[0].i)))
GIVES(w_string, tv_str(name_of(tmpl_weekday_names, 7, 0, args[0].i)))

static const struct tmpl_func month_methods[] = {
    {"String", "", m_string, "its English name"},
    {NULL, NULL, NULL, NULL},
};
static const struct tmpl_func weekday_methods[] = {
    {"String", "", w_string, "its English name"},
    {NULL, NULL, NULL, NULL},
};
static const struct tmpl_type month_type = {
    .name = "time.Month", .methods = month_methods, .text = month_text};
static const struct tmpl_type weekday_type = {
    .name = "time.Weekday", .methods = weekday_methods, .text = weekday_text};

FUNC(t_month)
{
    *out = tv_int(civil_here(&args[0]).month);
    out->type = &month_type;
    return true;
}

FUNC(t_weekday)
{
    *out = tv_int(civil_here(&args[0]).weekday);
    out->type = &weekday_type;
    return true;
}

#define THREE_RESULTS(name) "function " name " has 3 return values; should be 1 or 2"
#define TWO_RESULTS(name, type)                                                                    \
    "invalid function signature for " name ": second return value should be error; is " type

const struct tmpl_func tmpl_time_methods[] = {
    {"Add", "d", t_add, "later by a duration"},
    {"AddDate", "iii", t_add_date, "later by years, months, days"},
    {"After", "t", t_after, "whether it is later"},
    {"AppendBinary", "y", t_append_binary, "bytes with Go's binary form behind them"},
    {"AppendFormat", "ys", t_append_format, "bytes with text by a Go layout behind them"},
    {"AppendText", "y", t_append_text, "bytes with RFC 3339 behind them"},
    {"Before", "t", t_before, "whether it is earlier"},
    {"Clock", "", NULL, THREE_RESULTS("Clock")},
    {"Compare", "t", t_compare, "-1 earlier, 0 the same instant, 1 later"},
    {"Date", "", NULL, THREE_RESULTS("Date")},
    {"Day", "", t_day, "day of the month"},
    {"Equal", "t", t_equal, "whether it is the same instant"},
    {"Format", "s", t_format, "text by a Go layout"},
    {"GoString", "", t_go_string, "as Go source"},
    {"GobEncode", "", t_append_binary, "Go's binary form"},
    {"Hour", "", t_hour, "hour"},
    {"ISOWeek", "", NULL, TWO_RESULTS("ISOWeek", "int")},
    {"In", "o", t_in, "the same instant in a zone"},
    {"IsDST", "", t_is_dst, "whether it is summer time"},
    {"IsZero", "", t_is_zero, "whether it is the zero time"},
    {"Local", "", t_local, "the same instant in the local zone"},
    {"Location", "", t_location, "its zone"},
    {"MarshalBinary", "", t_append_binary, "Go's binary form"},
    {"MarshalJSON", "", t_marshal_json, "RFC 3339 in quotes, as bytes"},
    {"MarshalText", "", t_append_text, "RFC 3339, as bytes"},
    {"Minute", "", t_minute, "minute"},
    {"Month", "", t_month, "month; prints its English name"},
    {"Nanosecond", "", t_nanosecond, "nanosecond"},
    {"Round", "d", t_round, "rounded to a multiple"},
    {"Second", "", t_second, "second"},
    {"String", "", t_string, "2006-01-02 15:04:05.999999999 -0700 MST"},
    {"Sub", "t", t_sub, "the duration since another time"},
    {"Truncate", "d", t_truncate, "rounded down to a multiple"},
    {"UTC", "", t_utc, "the same instant in UTC"},
    {"Unix", "", t_unix, "seconds since 1970"},
    {"UnixMicro", "", t_unix_micro, "microseconds since 1970"},
    {"UnixMilli", "", t_unix_milli, "milliseconds since 1970"},
    {"UnixNano", "", t_unix_nano, "nanoseconds since 1970"},
    {"Weekday", "", t_weekday, "day of the week; prints its English name"},
    {"Year", "", t_year, "year"},
    {"YearDay", "", t_yearday, "day of the year"},
    {"Zone", "", NULL, TWO_RESULTS("Zone", "int")},
    {"ZoneBounds", "", NULL, TWO_RESULTS("ZoneBounds", "time.Time")},
    {NULL, NULL, NULL, NULL},
};

/* -- time.Duration -- */

FUNC(d_string)
{
    struct buf b = BUF_INIT;

    go_duration_print(&b, args[0].i);
    return func_text(env, &b, out);
}

/* The whole units and the rest apart, as there: more digits are right. */
static double in_units(dur_ns d, int64_t unit)
{
    int64_t whole = d / unit;

    return (double)whole + (double)(d % unit) / (double)unit;
}

GIVES(d_seconds, tv_float(in_units(args[0].i, NS_PER_S)))
GIVES(d_minutes, tv_float(in_units(args[0].i, NS_PER_M)))
GIVES(d_hours, tv_float(in_units(args[0].i, NS_PER_H)))
GIVES(d_milliseconds, int64(args[0].i / NS_PER_MS))
GIVES(d_microseconds, int64(args[0].i / (NS_PER_MS / 1000)))
GIVES(d_nanoseconds, int64(args[0].i))
GIVES(d_abs, tv_duration(args[0].i == INT64_MIN ? INT64_MAX
                         : args[0].i < 0        ? -args[0].i
                                                : args[0].i))

/* Halves away from zero; what does not fit saturates. */
dur_ns tmpl_duration_round(dur_ns d, dur_ns unit)
{
    dur_ns rest = d % unit, up;

    if (rest < 0 ? -rest < unit + rest : rest < unit - rest)
        return d - rest;
    if (__builtin_add_overflow(d - rest, d < 0 ? -unit : unit, &up))
        return d < 0 ? INT64_MIN : INT64_MAX;
    return up;
}

GIVES(d_round, tv_duration(args[1].i > 0 ? tmpl_duration_round(args[0].i, args[1].i) : args[0].i))
GIVES(d_truncate, tv_duration(args[1].i > 0 ? args[0].i - args[0].i % args[1].i : args[0].i))

const struct tmpl_func tmpl_duration_methods[] = {
    {"Abs", "", d_abs, "without its sign"},
    {"Hours", "", d_hours, "as hours"},
    {"Microseconds", "", d_microseconds, "as whole microseconds"},
    {"Milliseconds", "", d_milliseconds, "as whole milliseconds"},
    {"Minutes", "", d_minutes, "as minutes"},
    {"Nanoseconds", "", d_nanoseconds, "as nanoseconds"},
    {"Round", "d", d_round, "rounded to a multiple"},
    {"Seconds", "", d_seconds, "as seconds"},
    {"String", "", d_string, "as 1h2m3s"},
    {"Truncate", "d", d_truncate, "rounded towards zero"},
    {NULL, NULL, NULL, NULL},
};
