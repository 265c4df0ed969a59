#include "template/time_methods.h"

#include "codec/duration.h"
#include "codec/timefmt.h"
#include "template/funcs_priv.h"
#include "template/time.h"

/* A method that is one expression. */
#define GIVES(name, expr)                                                                          \
    FUNC(name)                                                                                     \
    {                                                                                              \
        *out = expr;                                                                               \
        return true;                                                                               \
    }

/* -- time.Time -- */

FUNC(t_format)
{
    struct buf b = BUF_INIT;

    tmpl_time_format(&b, args[0].time, args[1].s);
    *out = tv_copy_buf(env->a, &b);
    return true;
}

FUNC(t_string)
{
    struct buf b = BUF_INIT;

    tmpl_time_print(&b, args[0].time);
    *out = tv_copy_buf(env->a, &b);
    return true;
}

FUNC(t_add)
{
    *out = args[0];
    out->time.t = ts_add(args[0].time.t, args[1].i);
    return true;
}

FUNC(t_add_date)
{
    const char *zone;
    int64_t offset = tmpl_time_offset(args[0].time, &zone), month;
    struct civil c = civil_of(args[0].time.t, offset);

    for (int i = 1; i <= 3; i++)
        if (args[i].i > 1000000 || args[i].i < -1000000)
            return err_set(e, ERR_INVALID, "date out of range");
    month = c.month - 1 + args[2].i;
    c.year += args[1].i + (month >= 0 ? month / 12 : -((11 - month) / 12));
    c.month = (int)((month % 12 + 12) % 12) + 1;
    *out = args[0];
    out->time.t = ts_add(civil_to_ts(&c, offset), args[3].i * NS_PER_D);
    return true;
}

FUNC(t_sub)
{
    dur_ns d;
    bool over = __builtin_sub_overflow(args[0].time.t, args[1].time.t, &d);

    *out = tv_duration(!over ? d : args[0].time.t > args[1].time.t ? INT64_MAX : INT64_MIN);
    return true;
}

static int64_t unix_ns(struct tmpl_time t, int64_t unit)
{
    if (t.t == TS_NONE)
        return unit == NS_PER_S    ? -62135596800ll
               : unit == NS_PER_MS ? -62135596800000ll
                                   : -6795364578871345152ll;
    return t.t / unit - (t.t % unit < 0);
}

GIVES(t_unix, tv_int(unix_ns(args[0].time, NS_PER_S)))
GIVES(t_unix_milli, tv_int(unix_ns(args[0].time, NS_PER_MS)))
GIVES(t_unix_nano, tv_int(unix_ns(args[0].time, 1)))
GIVES(t_utc, tv_time(args[0].time.t))
GIVES(t_is_zero, tv_bool(args[0].time.t == TS_NONE))
GIVES(t_after, tv_bool(args[0].time.t > args[1].time.t))
GIVES(t_before, tv_bool(args[0].time.t < args[1].time.t))
GIVES(t_equal, tv_bool(args[0].time.t == args[1].time.t))

static struct civil civil_here(const struct tmpl_value *v)
{
    const char *zone;

    return civil_of(v->time.t, tmpl_time_offset(v->time, &zone));
}

GIVES(t_year, tv_int(civil_here(&args[0]).year))
GIVES(t_day, tv_int(civil_here(&args[0]).day))
GIVES(t_hour, tv_int(civil_here(&args[0]).hour))
GIVES(t_minute, tv_int(civil_here(&args[0]).minute))
GIVES(t_second, tv_int(civil_here(&args[0]).second))
GIVES(t_nanosecond, tv_int(civil_here(&args[0]).nanosecond))
GIVES(t_yearday, tv_int(civil_here(&args[0]).yearday))

static void month_text(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v)
{
    (void)env;
    buf_add(out, str_of(tmpl_month_names[v->i - 1]));
}

static void weekday_text(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v)
{
    (void)env;
    buf_add(out, str_of(tmpl_weekday_names[v->i]));
}

static const struct tmpl_type month_type = {.name = "time.Month", .text = month_text};
static const struct tmpl_type weekday_type = {.name = "time.Weekday", .text = weekday_text};

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

FUNC(t_truncate)
{
    dur_ns d = args[1].i;

    *out = args[0];
    if (d > 0 &&
        args[0].time.t != TS_NONE) /* Go counts from year 1; for days and less it is the same */
        out->time.t -= (args[0].time.t % d + d) % d;
    return true;
}

const struct tmpl_func tmpl_time_methods[] = {
    {"Format", "s", t_format, "text by a Go layout"},
    {"String", "", t_string, "2006-01-02 15:04:05.999999999 -0700 MST"},
    {"Add", "d", t_add, "later by a duration"},
    {"AddDate", "iii", t_add_date, "later by years, months, days"},
    {"Sub", "t", t_sub, "the duration since another time"},
    {"Unix", "", t_unix, "seconds since 1970"},
    {"UnixMilli", "", t_unix_milli, "milliseconds since 1970"},
    {"UnixNano", "", t_unix_nano, "nanoseconds since 1970"},
    {"UTC", "", t_utc, "the same instant in UTC"},
    {"IsZero", "", t_is_zero, "whether it is the zero time"},
    {"After", "t", t_after, "whether it is later"},
    {"Before", "t", t_before, "whether it is earlier"},
    {"Equal", "t", t_equal, "whether it is the same instant"},
    {"Truncate", "d", t_truncate, "rounded down"},
    {"Year", "", t_year, "year"},
    {"Month", "", t_month, "month; prints its English name"},
    {"Day", "", t_day, "day of the month"},
    {"Hour", "", t_hour, "hour"},
    {"Minute", "", t_minute, "minute"},
    {"Second", "", t_second, "second"},
    {"Nanosecond", "", t_nanosecond, "nanosecond"},
    {"YearDay", "", t_yearday, "day of the year"},
    {"Weekday", "", t_weekday, "day of the week; prints its English name"},
    {NULL, NULL, NULL, NULL},
};

/* -- time.Duration -- */

FUNC(d_string)
{
    struct buf b = BUF_INIT;

    go_duration_print(&b, args[0].i);
    *out = tv_copy_buf(env->a, &b);
    return true;
}

GIVES(d_seconds, tv_float((double)args[0].i / 1e9))
GIVES(d_minutes, tv_float((double)args[0].i / 6e10))
GIVES(d_hours, tv_float((double)args[0].i / 3.6e12))
GIVES(d_milliseconds, tv_int(args[0].i / NS_PER_MS))
GIVES(d_nanoseconds, tv_int(args[0].i))

FUNC(d_round)
{
    dur_ns unit = args[1].i, d = args[0].i, rest = unit > 0 ? d % unit : 0;

    if (unit > 0) {
        d -= rest;
        if (rest >= unit - rest && d <= INT64_MAX - unit)
            d += unit;
        else if (-rest >= unit + rest && d >= INT64_MIN + unit)
            d -= unit;
    }
    *out = tv_duration(d);
    return true;
}

FUNC(d_truncate)
{
    *out = tv_duration(args[1].i > 0 ? args[0].i - args[0].i % args[1].i : args[0].i);
    return true;
}

const struct tmpl_func tmpl_duration_methods[] = {
    {"String", "", d_string, "as 1h2m3s"},
    {"Seconds", "", d_seconds, "as seconds"},
    {"Minutes", "", d_minutes, "as minutes"},
    {"Hours", "", d_hours, "as hours"},
    {"Milliseconds", "", d_milliseconds, "as whole milliseconds"},
    {"Nanoseconds", "", d_nanoseconds, "as nanoseconds"},
    {"Round", "d", d_round, "rounded to a multiple"},
    {"Truncate", "d", d_truncate, "rounded towards zero"},
    {NULL, NULL, NULL, NULL},
};
