/* A layout is cut into elements: the longest one that stands at a place wins, everything else is literal text.
 *
 *     "Jan _2 15:04"   is   month name, day padded with a blank, hour, ":", minute
 */
#include "template/time.h"

#include <stdio.h>
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
    EL_UNDER_YEAR_DAY,
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
    EL_OFFSET_SECONDS,
    EL_OFFSET_SECONDS_COLON,
    EL_ISO, /* Z0700; in the order of the offsets */
    EL_ISO_COLON,
    EL_ISO_SHORT,
    EL_ISO_SECONDS,
    EL_ISO_SECONDS_COLON,
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
    {"-07:00:00", EL_OFFSET_SECONDS_COLON},
    {"-070000", EL_OFFSET_SECONDS},
    {"-07:00", EL_OFFSET_COLON},
    {"-0700", EL_OFFSET},
    {"-07", EL_OFFSET_SHORT},
    {"Z07:00:00", EL_ISO_SECONDS_COLON},
    {"Z070000", EL_ISO_SECONDS},
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
    {"__2", EL_UNDER_YEAR_DAY},
    {"_2", EL_UNDER_DAY},
    {"2", EL_DAY},
    {"3", EL_HOUR12},
    {"4", EL_MINUTE},
    {"5", EL_SECOND},
    {"PM", EL_PM},
    {"pm", EL_pm},
};

const char *const tmpl_month_names[12] = {"January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December"};
const char *const tmpl_weekday_names[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                           "Thursday", "Friday", "Saturday"};

static bool time_is_digit(str s, size_t i)
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
    if (time_is_digit(s, k) || k > 10)
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
    int64_t seconds = offset < 0 ? -offset : offset;
    const char *colon;

    if (el >= EL_ISO && el <= EL_ISO_SECONDS_COLON && offset == 0) {
        buf_addc(out, 'Z');
        return;
    }
    if (el >= EL_ISO)
        el = (enum element)(el - EL_ISO + EL_OFFSET);
    colon = el == EL_OFFSET_COLON || el == EL_OFFSET_SECONDS_COLON ? ":" : "";
    /* By whole minutes, as there: an offset of -30 s is +00:00. */
    buf_addf(out, "%c%02d", offset / 60 < 0 ? '-' : '+', (int)(seconds / 3600));
    if (el != EL_OFFSET_SHORT)
        buf_addf(out, "%s%02d", colon, (int)(seconds / 60 % 60));
    if (el == EL_OFFSET_SECONDS || el == EL_OFFSET_SECONDS_COLON)
        buf_addf(out, "%s%02d", colon, (int)(seconds % 60));
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
    case EL_LONG_MONTH: buf_add(out, str_of(tmpl_month_names[c->month - 1])); break;
    case EL_MONTH: buf_add(out, str_sub(str_of(tmpl_month_names[c->month - 1]), 0, 3)); break;
    case EL_NUM_MONTH: buf_addf(out, "%d", c->month); break;
    case EL_ZERO_MONTH: buf_addf(out, "%02d", c->month); break;
    case EL_LONG_WEEKDAY: buf_add(out, str_of(tmpl_weekday_names[c->weekday])); break;
    case EL_WEEKDAY: buf_add(out, str_sub(str_of(tmpl_weekday_names[c->weekday]), 0, 3)); break;
    case EL_DAY: buf_addf(out, "%d", c->day); break;
    case EL_UNDER_DAY: buf_addf(out, "%2d", c->day); break;
    case EL_ZERO_DAY: buf_addf(out, "%02d", c->day); break;
    case EL_YEAR_DAY: buf_addf(out, "%03d", c->yearday); break;
    case EL_UNDER_YEAR_DAY: buf_addf(out, "%3d", c->yearday); break;
    case EL_HOUR: buf_addf(out, "%02d", c->hour); break;
    case EL_HOUR12: buf_addf(out, "%d", hour12); break;
    case EL_ZERO_HOUR12: buf_addf(out, "%02d", hour12); break;
    case EL_MINUTE: buf_addf(out, "%d", c->minute); break;
    case EL_ZERO_MINUTE: buf_addf(out, "%02d", c->minute); break;
    case EL_SECOND: buf_addf(out, "%d", c->second); break;
    case EL_ZERO_SECOND: buf_addf(out, "%02d", c->second); break;
    case EL_LONG_YEAR: buf_addf(out, c->year < 0 ? "%05lld" : "%04lld", (long long)c->year); break;
    case EL_YEAR: buf_addf(out, "%02d", c->year < 0 ? 0 : (int)(c->year % 100)); break;
    case EL_PM: buf_add(out, c->hour >= 12 ? S("PM") : S("AM")); break;
    case EL_pm: buf_add(out, c->hour >= 12 ? S("pm") : S("am")); break;
    case EL_ZONE: buf_add(out, str_of(zone)); break;
    default: put_offset(out, el, offset);
    }
}

int64_t tmpl_time_offset(struct tmpl_time t, const char **zone)
{
    *zone = "UTC";
    return t.zone != NULL ? tz_offset_at(t.zone, t.s, zone) : 0;
}

void tmpl_time_format(struct buf *out, struct tmpl_time t, str layout)
{
    const char *zone;
    int64_t offset = tmpl_time_offset(t, &zone);
    struct civil c = civil_of_seconds(t.s, offset);

    c.nanosecond = t.ns;

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

bool tmpl_time_json(struct buf *out, struct tmpl_time t, struct err *e)
{
    const char *zone;
    int64_t year = civil_of_seconds(t.s, tmpl_time_offset(t, &zone)).year;

    if (year < 0 || year > 9999)
        return err_set(e, ERR_INVALID, "Time.MarshalJSON: year outside of range [0,9999]");
    buf_addc(out, '"');
    tmpl_time_format(out, t, TMPL_RFC3339_NANO);
    buf_addc(out, '"');
    return true;
}

/* -- parsing -- */

struct time_parsed {
    struct civil c;
    int64_t offset;
    bool has_offset, pm, has_pm, has_month, has_day, has_yearday;
};

static bool take_number(str *s, size_t least, size_t most, int *out)
{
    size_t n = 0;

    *out = 0;
    while (n < most && time_is_digit(*s, n))
        *out = *out * 10 + (s->p[n++] - '0');
    *s = str_sub(*s, n, s->n);
    return n >= least;
}

static bool time_take_name(str *s, const char *const *names, int n_names, size_t cut, int *out)
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

/* Two digits of an offset. */
static bool take_part(str *s, bool colon, int *out)
{
    if (colon && (s->n == 0 || s->p[0] != ':'))
        return false;
    *s = str_sub(*s, colon, s->n);
    return take_number(s, 2, 2, out);
}

static bool take_offset(str *s, enum element el, struct time_parsed *p)
{
    int hours, minutes = 0, seconds = 0;
    bool negative, colon;

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
    if (el >= EL_ISO)
        el = (enum element)(el - EL_ISO + EL_OFFSET);
    colon = el == EL_OFFSET_COLON || el == EL_OFFSET_SECONDS_COLON;
    if (el != EL_OFFSET_SHORT && !take_part(s, colon, &minutes))
        return false;
    if ((el == EL_OFFSET_SECONDS || el == EL_OFFSET_SECONDS_COLON) &&
        !take_part(s, colon, &seconds))
        return false;
    p->offset = (hours * 3600 + minutes * 60 + seconds) * (negative ? -1 : 1);
    return true;
}

static bool take_fraction(str *s, struct time_parsed *p)
{
    int digits = 0;

    if (s->n < 2 || (s->p[0] != '.' && s->p[0] != ',') || !time_is_digit(*s, 1))
        return false;
    *s = str_sub(*s, 1, s->n);
    p->c.nanosecond = 0;
    for (; time_is_digit(*s, 0); *s = str_sub(*s, 1, s->n))
        if (digits++ < 9)
            p->c.nanosecond = p->c.nanosecond * 10 + (s->p[0] - '0');
    for (; digits < 9; digits++)
        p->c.nanosecond *= 10;
    return true;
}

static bool take_zone_name(str *s, struct time_parsed *p)
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

static void time_skip_blanks(str *s, size_t most)
{
    for (; most != 0 && s->n != 0 && s->p[0] == ' '; most--)
        *s = str_sub(*s, 1, s->n);
}

static bool take_element(str *s, enum element el, struct time_parsed *p)
{
    int v = 0;

    switch (el) {
    case EL_LONG_MONTH:
    case EL_MONTH:
        if (!time_take_name(s, tmpl_month_names, 12, el == EL_MONTH ? 3 : SIZE_MAX, &v))
            return false;
        p->c.month = v + 1;
        p->has_month = true;
        return true;
    case EL_LONG_WEEKDAY:
    case EL_WEEKDAY:
        return time_take_name(s, tmpl_weekday_names, 7, el == EL_WEEKDAY ? 3 : SIZE_MAX, &v);
    case EL_NUM_MONTH:
    case EL_ZERO_MONTH:
        p->has_month = true;
        return take_number(s, el == EL_ZERO_MONTH ? 2 : 1, 2, &p->c.month);
    case EL_UNDER_DAY:
    case EL_DAY:
    case EL_ZERO_DAY:
        if (el == EL_UNDER_DAY)
            time_skip_blanks(s, 1);
        p->has_day = true;
        return take_number(s, el == EL_ZERO_DAY ? 2 : 1, 2, &p->c.day);
    case EL_UNDER_YEAR_DAY:
    case EL_YEAR_DAY:
        if (el == EL_UNDER_YEAR_DAY)
            time_skip_blanks(s, 3);
        p->has_yearday = true;
        return take_number(s, el == EL_YEAR_DAY ? 3 : 1, 3, &p->c.yearday);
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

static int days_of(const struct civil *c, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = c->year % 4 == 0 && (c->year % 100 != 0 || c->year % 400 == 0);

    return days[month - 1] + (leap && month == 2);
}

/* Month and day of a day of the year, which must agree with those that the text says itself. */
static bool place_yearday(struct time_parsed *p, str text, struct err *e)
{
    int month = 1, day = p->c.yearday;
    const char *wrong;

    while (month < 12 && day > days_of(&p->c, month))
        day -= days_of(&p->c, month++);
    wrong = day < 1 || day > days_of(&p->c, month) ? "out of range"
            : p->has_month && p->c.month != month  ? "does not match month"
            : p->has_day && p->c.day != day        ? "does not match day"
                                                   : NULL;
    if (wrong != NULL)
        return err_set(e, ERR_INVALID, "parsing time \"%.*s\": day-of-year %s", STR(text), wrong);
    p->c.month = month;
    p->c.day = day;
    return true;
}

static bool time_in_range(const struct civil *c, const char **what)
{
    *what = c->month < 1 || c->month > 12                 ? "month"
            : c->day < 1 || c->day > days_of(c, c->month) ? "day"
            : c->hour > 23                                ? "hour"
            : c->minute > 59                              ? "minute"
            : c->second > 59                              ? "second"
                                                          : NULL;
    return *what == NULL;
}

/* Near a change of the offset the later guess holds, as there. */
struct tmpl_time tmpl_time_of(const struct civil *c, const struct tz *zone)
{
    int64_t s = civil_to_seconds(c, 0);

    if (zone != NULL) {
        s = civil_to_seconds(c, tz_offset_at(zone, s, NULL));
        s = civil_to_seconds(c, tz_offset_at(zone, s, NULL));
    }
    return (struct tmpl_time){s, c->nanosecond, zone};
}

dur_ns tmpl_time_sub(struct tmpl_time a, struct tmpl_time b)
{
    __int128 d = ((__int128)a.s - b.s) * NS_PER_S + (a.ns - b.ns);

    return d > INT64_MAX ? INT64_MAX : d < INT64_MIN ? INT64_MIN : (dur_ns)d;
}

bool tmpl_time_parse(str layout, str text, const struct tz *zone, struct tmpl_time *out,
                     struct err *e)
{
    struct time_parsed p = {.c = {.year = 0, .month = 1, .day = 1}};
    str l = layout, s = text;
    const char *what;

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
    if (p.has_yearday && !place_yearday(&p, text, e))
        return false;
    if (!time_in_range(&p.c, &what))
        return err_set(e, ERR_INVALID, "parsing time \"%.*s\": %s out of range", STR(text), what);
    *out = tmpl_time_of(&p.c, p.has_offset ? NULL : zone);
    out->s -= p.offset;
    out->zone = NULL;
    return true;
}
