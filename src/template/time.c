/* A layout is cut into elements: the longest one that stands at a place wins, everything else is literal text.
 *
 *     "Jan _2 15:04"   is   month name, day padded with a blank, hour, ":", minute
 */
#include "template/time.h"

#include <math.h>
#include <stdio.h>
#include "codec/duration.h"
#include "codec/quote.h"
#include "codec/timefmt.h"
#include "codec/tz.h"

enum element {
    EL_NONE,
    EL_LONG_MONTH,
    EL_MONTH,
    EL_NUM_MONTH,
    EL_ZERO_MONTH,
    EL_LONG_WEEKDAY,
    EL_WEEKDAY,
    EL_DAY,
    EL_UNDER_DAY,
    EL_ZERO_DAY,
    EL_YEAR_DAY,
    EL_HOUR,
    EL_HOUR12,
    EL_ZERO_HOUR12,
    EL_MINUTE,
    EL_ZERO_MINUTE,
    EL_SECOND,
    EL_ZERO_SECOND,
    EL_LONG_YEAR,
    EL_YEAR,
    EL_PM,
    EL_pm,
    EL_ZONE,
    EL_OFFSET,       /* -0700 */
    EL_OFFSET_COLON, /* -07:00 */
    EL_OFFSET_SHORT, /* -07 */
    EL_ISO,          /* Z0700 */
    EL_ISO_COLON,
    EL_ISO_SHORT,
    EL_FRACTION0,
    EL_FRACTION9,
};

static const struct {
    const char *text;
    enum element el;
} elements[] = {
    {"January", EL_LONG_MONTH},
    {"Jan", EL_MONTH},
    {"Monday", EL_LONG_WEEKDAY},
    {"Mon", EL_WEEKDAY},
    {"MST", EL_ZONE},
    {"2006", EL_LONG_YEAR},
    {"-07:00", EL_OFFSET_COLON},
    {"-0700", EL_OFFSET},
    {"-07", EL_OFFSET_SHORT},
    {"Z07:00", EL_ISO_COLON},
    {"Z0700", EL_ISO},
    {"Z07", EL_ISO_SHORT},
    {"002", EL_YEAR_DAY},
    {"01", EL_ZERO_MONTH},
    {"02", EL_ZERO_DAY},
    {"03", EL_ZERO_HOUR12},
    {"04", EL_ZERO_MINUTE},
    {"05", EL_ZERO_SECOND},
    {"06", EL_YEAR},
    {"15", EL_HOUR},
    {"1", EL_NUM_MONTH},
    {"_2", EL_UNDER_DAY},
    {"2", EL_DAY},
    {"3", EL_HOUR12},
    {"4", EL_MINUTE},
    {"5", EL_SECOND},
    {"PM", EL_PM},
    {"pm", EL_pm},
};

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};

static bool is_digit(str s, size_t i)
{
    return i < s.n && s.p[i] >= '0' && s.p[i] <= '9';
}

/* .000 and .999, also with a comma: digits of a second, when no other digit follows. */
static enum element fraction_at(str s, size_t *n)
{
    char c = s.n > 1 ? s.p[1] : 'x';
    size_t k = 1;

    if ((s.p[0] != '.' && s.p[0] != ',') || (c != '0' && c != '9'))
        return EL_NONE;
    while (k < s.n && s.p[k] == c)
        k++;
    if (is_digit(s, k) || k > 10)
        return EL_NONE;
    *n = k;
    return c == '0' ? EL_FRACTION0 : EL_FRACTION9;
}

static enum element element_at(str s, size_t *n)
{
    enum element el = fraction_at(s, n);

    if (el != EL_NONE)
        return el;
    if (str_starts_with(s, S("_2006"))) { /* a literal underscore */
        *n = 1;
        return EL_NONE;
    }
    for (size_t i = 0; i < ARRAY_LEN(elements); i++) {
        str text = str_of(elements[i].text);

        if (!str_starts_with(s, text))
            continue;
        /* "January" beats "Jan"; "Jan" inside of a longer word in small letters is no month. */
        if ((elements[i].el == EL_MONTH || elements[i].el == EL_WEEKDAY) && s.n > 3 &&
            s.p[3] >= 'a' && s.p[3] <= 'z')
            continue;
        *n = text.n;
        return elements[i].el;
    }
    *n = 1;
    return EL_NONE;
}

static void put_offset(struct buf *out, enum element el, int64_t offset)
{
    int64_t minutes = offset / 60;

    if (el >= EL_ISO && el <= EL_ISO_SHORT && offset == 0) {
        buf_addc(out, 'Z');
        return;
    }
    buf_addc(out, offset < 0 ? '-' : '+');
    minutes = minutes < 0 ? -minutes : minutes;
    buf_addf(out, "%02d", (int)(minutes / 60));
    if (el == EL_OFFSET_COLON || el == EL_ISO_COLON)
        buf_addc(out, ':');
    if (el != EL_OFFSET_SHORT && el != EL_ISO_SHORT)
        buf_addf(out, "%02d", (int)(minutes % 60));
}

static void put_fraction(struct buf *out, str layout, int nanosecond, bool trims)
{
    char text[16];
    size_t n = layout.n - 1;

    snprintf(text, sizeof(text), "%09d", nanosecond);
    if (trims)
        while (n > 0 && text[n - 1] == '0')
            n--;
    if (n == 0)
        return;
    buf_addc(out, layout.p[0]);
    buf_add(out, (str){text, n});
}

static void put_element(struct buf *out, enum element el, const struct civil *c, int64_t offset,
                        const char *zone)
{
    int hour12 = c->hour % 12 != 0 ? c->hour % 12 : 12;

    switch (el) {
    case EL_LONG_MONTH: buf_add(out, str_of(months[c->month - 1])); break;
    case EL_MONTH: buf_add(out, str_sub(str_of(months[c->month - 1]), 0, 3)); break;
    case EL_NUM_MONTH: buf_addf(out, "%d", c->month); break;
    case EL_ZERO_MONTH: buf_addf(out, "%02d", c->month); break;
    case EL_LONG_WEEKDAY: buf_add(out, str_of(weekdays[c->weekday])); break;
    case EL_WEEKDAY: buf_add(out, str_sub(str_of(weekdays[c->weekday]), 0, 3)); break;
    case EL_DAY: buf_addf(out, "%d", c->day); break;
    case EL_UNDER_DAY: buf_addf(out, "%2d", c->day); break;
    case EL_ZERO_DAY: buf_addf(out, "%02d", c->day); break;
    case EL_YEAR_DAY: buf_addf(out, "%03d", c->yearday); break;
    case EL_HOUR: buf_addf(out, "%02d", c->hour); break;
    case EL_HOUR12: buf_addf(out, "%d", hour12); break;
    case EL_ZERO_HOUR12: buf_addf(out, "%02d", hour12); break;
    case EL_MINUTE: buf_addf(out, "%d", c->minute); break;
    case EL_ZERO_MINUTE: buf_addf(out, "%02d", c->minute); break;
    case EL_SECOND: buf_addf(out, "%d", c->second); break;
    case EL_ZERO_SECOND: buf_addf(out, "%02d", c->second); break;
    case EL_LONG_YEAR: buf_addf(out, "%04lld", (long long)c->year); break;
    case EL_YEAR: buf_addf(out, "%02d", (int)(c->year % 100)); break;
    case EL_PM: buf_add(out, c->hour >= 12 ? S("PM") : S("AM")); break;
    case EL_pm: buf_add(out, c->hour >= 12 ? S("pm") : S("am")); break;
    case EL_ZONE: buf_add(out, str_of(zone)); break;
    default: put_offset(out, el, offset);
    }
}

static int64_t zone_of(struct tmpl_time t, const char **name)
{
    *name = "UTC";
    return t.zone != NULL ? tz_offset(t.zone, t.t, name) : 0;
}

void tmpl_time_format(struct buf *out, struct tmpl_time t, str layout)
{
    const char *zone;
    int64_t offset = zone_of(t, &zone);
    struct civil c = civil_of(t.t, offset);

    while (layout.n != 0) {
        size_t n = 1;
        enum element el = element_at(layout, &n);

        if (el == EL_NONE)
            buf_add(out, str_sub(layout, 0, n));
        else if (el == EL_FRACTION0 || el == EL_FRACTION9)
            put_fraction(out, str_sub(layout, 0, n), c.nanosecond, el == EL_FRACTION9);
        else
            put_element(out, el, &c, offset, zone);
        layout = str_sub(layout, n, layout.n);
    }
}

void tmpl_time_print(struct buf *out, struct tmpl_time t)
{
    tmpl_time_format(out, t, S("2006-01-02 15:04:05.999999999 -0700 MST"));
}

/* -- parsing -- */

struct parsed {
    struct civil c;
    int64_t offset;
    bool has_offset, pm, has_pm;
};

static bool take_number(str *s, size_t least, size_t most, int *out)
{
    size_t n = 0;

    *out = 0;
    while (n < most && is_digit(*s, n))
        *out = *out * 10 + (s->p[n++] - '0');
    *s = str_sub(*s, n, s->n);
    return n >= least;
}

static bool take_name(str *s, const char *const *names, int n_names, size_t cut, int *out)
{
    for (int i = 0; i < n_names; i++) {
        str name = str_sub(str_of(names[i]), 0, cut);

        if (!str_eq_nocase(str_sub(*s, 0, name.n), name))
            continue;
        *out = i;
        *s = str_sub(*s, name.n, s->n);
        return true;
    }
    return false;
}

static bool take_offset(str *s, enum element el, struct parsed *p)
{
    int hours, minutes = 0;
    bool negative;

    p->has_offset = true;
    if (el >= EL_ISO && s->n != 0 && s->p[0] == 'Z') {
        *s = str_sub(*s, 1, s->n);
        return true;
    }
    if (s->n == 0 || (s->p[0] != '+' && s->p[0] != '-'))
        return false;
    negative = s->p[0] == '-';
    *s = str_sub(*s, 1, s->n);
    if (!take_number(s, 2, 2, &hours))
        return false;
    if (el == EL_OFFSET_COLON || el == EL_ISO_COLON) {
        if (s->n == 0 || s->p[0] != ':')
            return false;
        *s = str_sub(*s, 1, s->n);
    }
    if (el != EL_OFFSET_SHORT && el != EL_ISO_SHORT && !take_number(s, 2, 2, &minutes))
        return false;
    p->offset = (hours * 3600 + minutes * 60) * (negative ? -1 : 1);
    return true;
}

static bool take_fraction(str *s, struct parsed *p)
{
    int digits = 0;

    if (s->n < 2 || (s->p[0] != '.' && s->p[0] != ',') || !is_digit(*s, 1))
        return false;
    *s = str_sub(*s, 1, s->n);
    p->c.nanosecond = 0;
    for (; is_digit(*s, 0); *s = str_sub(*s, 1, s->n))
        if (digits++ < 9)
            p->c.nanosecond = p->c.nanosecond * 10 + (s->p[0] - '0');
    for (; digits < 9; digits++)
        p->c.nanosecond *= 10;
    return true;
}

static bool take_zone_name(str *s, struct parsed *p)
{
    size_t n = 0;

    while (n < s->n && n < 5 && s->p[n] >= 'A' && s->p[n] <= 'Z')
        n++;
    if (n < 3)
        return false;
    if (str_eq(str_sub(*s, 0, n), S("UTC")))
        p->has_offset = true;
    *s = str_sub(*s, n, s->n);
    return true;
}

static bool take_element(str *s, enum element el, struct parsed *p)
{
    int v = 0;

    switch (el) {
    case EL_LONG_MONTH:
    case EL_MONTH:
        if (!take_name(s, months, 12, el == EL_MONTH ? 3 : SIZE_MAX, &v))
            return false;
        p->c.month = v + 1;
        return true;
    case EL_LONG_WEEKDAY:
    case EL_WEEKDAY: return take_name(s, weekdays, 7, el == EL_WEEKDAY ? 3 : SIZE_MAX, &v);
    case EL_NUM_MONTH: return take_number(s, 1, 2, &p->c.month);
    case EL_ZERO_MONTH: return take_number(s, 2, 2, &p->c.month);
    case EL_UNDER_DAY:
        if (s->n != 0 && s->p[0] == ' ')
            *s = str_sub(*s, 1, s->n);
        return take_number(s, 1, 2, &p->c.day);
    case EL_DAY: return take_number(s, 1, 2, &p->c.day);
    case EL_ZERO_DAY: return take_number(s, 2, 2, &p->c.day);
    case EL_HOUR: return take_number(s, 2, 2, &p->c.hour);
    case EL_HOUR12: return take_number(s, 1, 2, &p->c.hour);
    case EL_ZERO_HOUR12: return take_number(s, 2, 2, &p->c.hour);
    case EL_MINUTE: return take_number(s, 1, 2, &p->c.minute);
    case EL_ZERO_MINUTE: return take_number(s, 2, 2, &p->c.minute);
    case EL_SECOND:
    case EL_ZERO_SECOND:
        if (!take_number(s, el == EL_SECOND ? 1 : 2, 2, &p->c.second))
            return false;
        (void)take_fraction(s, p); /* Go takes one here without a layout for it */
        return true;
    case EL_LONG_YEAR:
    case EL_YEAR:
        if (!take_number(s, el == EL_YEAR ? 2 : 4, el == EL_YEAR ? 2 : 4, &v))
            return false;
        p->c.year = el == EL_LONG_YEAR ? v : v >= 69 ? 1900 + v : 2000 + v;
        return true;
    case EL_PM:
    case EL_pm:
        p->has_pm = true;
        p->pm = str_eq_nocase(str_sub(*s, 0, 2), S("PM"));
        if (!p->pm && !str_eq_nocase(str_sub(*s, 0, 2), S("AM")))
            return false;
        *s = str_sub(*s, 2, s->n);
        return true;
    case EL_ZONE: return take_zone_name(s, p);
    case EL_FRACTION0: return take_fraction(s, p);
    case EL_FRACTION9: (void)take_fraction(s, p); return true;
    default: return take_offset(s, el, p);
    }
}

static bool cannot_parse(struct err *e, str layout, str text, str rest, str element)
{
    return err_set(e, ERR_INVALID,
                   "parsing time \"%.*s\" as \"%.*s\": cannot parse \"%.*s\" as \"%.*s\"",
                   STR(text), STR(layout), STR(rest), STR(element));
}

static bool in_range(const struct civil *c, const char **what)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = c->year % 4 == 0 && (c->year % 100 != 0 || c->year % 400 == 0);

    *what = c->month < 1 || c->month > 12                                         ? "month"
            : c->day < 1 || c->day > days[c->month - 1] + (leap && c->month == 2) ? "day"
            : c->hour > 23                                                        ? "hour"
            : c->minute > 59                                                      ? "minute"
            : c->second > 59                                                      ? "second"
                                                                                  : NULL;
    return *what == NULL;
}

bool tmpl_time_parse(str layout, str text, const struct tz *zone, ts_ns *out, struct err *e)
{
    struct parsed p = {.c = {.year = 0, .month = 1, .day = 1}};
    str l = layout, s = text;
    const char *what, *name;

    while (l.n != 0) {
        size_t n = 1;
        enum element el = element_at(l, &n);
        str before = s;

        if (el == EL_NONE) {
            if (!str_starts_with(s, str_sub(l, 0, n)))
                return cannot_parse(e, layout, text, s, str_sub(l, 0, n));
            s = str_sub(s, n, s.n);
        } else if (!take_element(&s, el, &p)) {
            return cannot_parse(e, layout, text, before, str_sub(l, 0, n));
        }
        l = str_sub(l, n, l.n);
    }
    if (s.n != 0)
        return err_set(e, ERR_INVALID, "parsing time \"%.*s\": extra text: \"%.*s\"", STR(text),
                       STR(s));
    if (p.has_pm)
        p.c.hour =
            p.pm ? (p.c.hour < 12 ? p.c.hour + 12 : p.c.hour) : (p.c.hour == 12 ? 0 : p.c.hour);
    if (!in_range(&p.c, &what))
        return err_set(e, ERR_INVALID, "parsing time \"%.*s\": %s out of range", STR(text), what);
    *out = civil_to_ts(&p.c, p.offset);
    if (!p.has_offset && zone != NULL) {
        ts_ns guess = civil_to_ts(&p.c, tz_offset(zone, *out, &name));

        *out = civil_to_ts(&p.c, tz_offset(zone, guess, &name));
    }
    return true;
}

/* -- methods of time.Time -- */

#define METHOD(name)                                                                               \
    static bool name(struct tmpl_env *env, const struct tmpl_value *args, size_t n,                \
                     struct tmpl_value *out, struct err *e)
#define UNUSED_ALL ((void)env, (void)args, (void)n, (void)e)

METHOD(t_format)
{
    struct buf b = BUF_INIT;

    UNUSED_ALL;
    tmpl_time_format(&b, args[0].time, args[1].s);
    *out = tv_copy_buf(env->a, &b);
    return true;
}

METHOD(t_string)
{
    struct buf b = BUF_INIT;

    UNUSED_ALL;
    tmpl_time_print(&b, args[0].time);
    *out = tv_copy_buf(env->a, &b);
    return true;
}

METHOD(t_add)
{
    UNUSED_ALL;
    *out = args[0];
    out->time.t = ts_add(args[0].time.t, args[1].i);
    return true;
}

METHOD(t_add_date)
{
    const char *zone;
    int64_t offset = zone_of(args[0].time, &zone), month;
    struct civil c = civil_of(args[0].time.t, offset);

    UNUSED_ALL;
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

METHOD(t_sub)
{
    dur_ns d;
    bool over = __builtin_sub_overflow(args[0].time.t, args[1].time.t, &d);

    UNUSED_ALL;
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

METHOD(t_unix)
{
    UNUSED_ALL;
    *out = tv_int(unix_ns(args[0].time, NS_PER_S));
    return true;
}

METHOD(t_unix_milli)
{
    UNUSED_ALL;
    *out = tv_int(unix_ns(args[0].time, NS_PER_MS));
    return true;
}

METHOD(t_unix_nano)
{
    UNUSED_ALL;
    *out = tv_int(unix_ns(args[0].time, 1));
    return true;
}

METHOD(t_utc)
{
    UNUSED_ALL;
    *out = tv_time(args[0].time.t);
    return true;
}

METHOD(t_is_zero)
{
    UNUSED_ALL;
    *out = tv_bool(args[0].time.t == TS_NONE);
    return true;
}

METHOD(t_after)
{
    UNUSED_ALL;
    *out = tv_bool(args[0].time.t > args[1].time.t);
    return true;
}

METHOD(t_before)
{
    UNUSED_ALL;
    *out = tv_bool(args[0].time.t < args[1].time.t);
    return true;
}

METHOD(t_equal)
{
    UNUSED_ALL;
    *out = tv_bool(args[0].time.t == args[1].time.t);
    return true;
}

static struct civil civil_here(const struct tmpl_value *v)
{
    const char *zone;

    return civil_of(v->time.t, zone_of(v->time, &zone));
}

#define CIVIL_METHOD(name, expr)                                                                   \
    METHOD(name)                                                                                   \
    {                                                                                              \
        struct civil c = civil_here(&args[0]);                                                     \
                                                                                                   \
        UNUSED_ALL;                                                                                \
        *out = tv_int(expr);                                                                       \
        return true;                                                                               \
    }
CIVIL_METHOD(t_year, c.year)
CIVIL_METHOD(t_day, c.day)
CIVIL_METHOD(t_hour, c.hour)
CIVIL_METHOD(t_minute, c.minute)
CIVIL_METHOD(t_second, c.second)
CIVIL_METHOD(t_nanosecond, c.nanosecond)
CIVIL_METHOD(t_yearday, c.yearday)

static void month_text(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v)
{
    (void)env;
    buf_add(out, str_of(months[v->i - 1]));
}

static void weekday_text(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v)
{
    (void)env;
    buf_add(out, str_of(weekdays[v->i]));
}

static const struct tmpl_type month_type = {.name = "time.Month", .text = month_text};
static const struct tmpl_type weekday_type = {.name = "time.Weekday", .text = weekday_text};

METHOD(t_month)
{
    UNUSED_ALL;
    *out = tv_int(civil_here(&args[0]).month);
    out->type = &month_type;
    return true;
}

METHOD(t_weekday)
{
    UNUSED_ALL;
    *out = tv_int(civil_here(&args[0]).weekday);
    out->type = &weekday_type;
    return true;
}

METHOD(t_truncate)
{
    dur_ns d = args[1].i;

    UNUSED_ALL;
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

/* -- methods of time.Duration -- */

METHOD(d_string)
{
    struct buf b = BUF_INIT;

    UNUSED_ALL;
    go_duration_print(&b, args[0].i);
    *out = tv_copy_buf(env->a, &b);
    return true;
}

#define DURATION_METHOD(name, expr)                                                                \
    METHOD(name)                                                                                   \
    {                                                                                              \
        UNUSED_ALL;                                                                                \
        *out = expr;                                                                               \
        return true;                                                                               \
    }
DURATION_METHOD(d_seconds, tv_float((double)args[0].i / 1e9))
DURATION_METHOD(d_minutes, tv_float((double)args[0].i / 6e10))
DURATION_METHOD(d_hours, tv_float((double)args[0].i / 3.6e12))
DURATION_METHOD(d_milliseconds, tv_int(args[0].i / NS_PER_MS))
DURATION_METHOD(d_nanoseconds, tv_int(args[0].i))

METHOD(d_round)
{
    dur_ns unit = args[1].i, d = args[0].i, rest = unit > 0 ? d % unit : 0;

    UNUSED_ALL;
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

METHOD(d_truncate)
{
    UNUSED_ALL;
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
