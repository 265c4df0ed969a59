/* Civil time by the era method: 400 Gregorian years are 146097 days, and a year that begins in
 * March has its year_is_leap(year) day at the end. 1970-01-01 is day 719468 of that count.
 *
 * Worked example: 2024-02-29 is in the March year 2023, era 5, year of era 23, day of year 365 (the
 * last); day of era 23*365 + 23/4 - 23/100 + 365 = 8765, so 5*146097 + 8765 - 719468 = 19782 days
 * after the epoch.
 */
#include "codec/timefmt.h"

enum { YEAR_ONE_DAYS = -719162, SECONDS_PER_DAY = 86400 };

int64_t days_from_civil(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void civil_from_days(int64_t days, struct civil *c)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;

    c->day = (int)(doy - (153 * mp + 2) / 5 + 1);
    c->month = (int)(mp < 10 ? mp + 3 : mp - 9);
    c->year = yoe + era * 400 + (c->month <= 2);
    c->weekday = (int)((days % 7 + 11) % 7); /* day 0 was a Thursday */
    c->yearday = (int)doy + (c->month > 2 ? 60 + year_is_leap(c->year) : -305); /* doy: of March */
}

static int64_t timefmt_floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

struct civil civil_of_seconds(int64_t s, int64_t utc_offset_s)
{
    int64_t seconds = (int64_t)((uint64_t)s + (uint64_t)utc_offset_s);
    int64_t day = timefmt_floor_div(seconds, SECONDS_PER_DAY),
            second = seconds - day * SECONDS_PER_DAY;
    struct civil c = {0};

    civil_from_days(day, &c);
    c.hour = (int)(second / 3600);
    c.minute = (int)(second / 60 % 60);
    c.second = (int)(second % 60);
    return c;
}

struct civil civil_of(ts_ns t, int64_t utc_offset_s)
{
    struct civil c;

    if (t == TS_NONE)
        return civil_of_seconds((int64_t)YEAR_ONE_DAYS * SECONDS_PER_DAY, utc_offset_s);
    c = civil_of_seconds(timefmt_floor_div(t, NS_PER_S), utc_offset_s);
    c.nanosecond = (int)(t % NS_PER_S + (t % NS_PER_S < 0 ? NS_PER_S : 0));
    return c;
}

int64_t civil_to_seconds(const struct civil *c, int64_t utc_offset_s)
{
    return days_from_civil(c->year, c->month, c->day) * SECONDS_PER_DAY + c->hour * 3600 +
           c->minute * 60 + c->second - utc_offset_s;
}

ts_ns civil_to_ts(const struct civil *c, int64_t utc_offset_s)
{
    int64_t seconds;
    ts_ns t;

    if (c->year < 1 || c->year > 9999)
        return c->year < 1 ? TS_NONE : TS_MAX;
    seconds = civil_to_seconds(c, utc_offset_s);
    if (seconds == (int64_t)YEAR_ONE_DAYS * SECONDS_PER_DAY && c->nanosecond == 0)
        return TS_NONE;
    if (__builtin_mul_overflow(seconds, NS_PER_S, &t) ||
        __builtin_add_overflow(t, c->nanosecond, &t))
        return seconds > 0 ? TS_MAX : TS_NONE + 1;
    return t == TS_NONE ? TS_NONE + 1 : t;
}

/* -- reading -- */

static bool eat_number(str *s, size_t digits, int *out)
{
    int v = 0;

    if (s->n < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        v = v * 10 + (s->p[i] - '0');
    }
    *out = v;
    *s = str_sub(*s, digits, s->n);
    return true;
}

static bool eat_char(str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = str_sub(*s, 1, s->n);
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && year_is_leap(year));
}

static bool eat_date(str *s, struct civil *c)
{
    int year;

    if (!eat_number(s, 4, &year) || !eat_char(s, '-') || !eat_number(s, 2, &c->month) ||
        !eat_char(s, '-') || !eat_number(s, 2, &c->day))
        return false;
    c->year = year;
    return c->month >= 1 && c->month <= 12 && c->day >= 1 &&
           c->day <= days_in_month(year, c->month);
}

static bool eat_minutes(str *s, struct civil *c)
{
    return eat_number(s, 2, &c->hour) && eat_char(s, ':') && eat_number(s, 2, &c->minute) &&
           c->hour <= 23 && c->minute <= 59;
}

/* Seconds and up to nine digits of a fraction; further digits are cut, as the type holds no more.
 */
static bool eat_seconds(str *s, struct civil *c)
{
    int scale = 100000000;
    bool any = false;

    if (!eat_char(s, ':') || !eat_number(s, 2, &c->second) || c->second > 59)
        return false;
    if (!eat_char(s, '.') && !eat_char(s, ','))
        return true;
    while (s->n != 0 && s->p[0] >= '0' && s->p[0] <= '9') {
        c->nanosecond += (s->p[0] - '0') * scale;
        scale /= 10;
        any = true;
        *s = str_sub(*s, 1, s->n);
    }
    return any;
}

/* Z, +hh:mm, and with wide +hhmm. */
static bool eat_zone(str *s, bool wide, int64_t *offset_s)
{
    int hours, minutes;
    bool negative;

    *offset_s = 0;
    if (eat_char(s, 'Z') || (wide && eat_char(s, 'z')))
        return true;
    if (s->n == 0 || (s->p[0] != '+' && s->p[0] != '-'))
        return false;
    negative = s->p[0] == '-';
    *s = str_sub(*s, 1, s->n);
    if (!eat_number(s, 2, &hours) || (!eat_char(s, ':') && !wide) || !eat_number(s, 2, &minutes) ||
        hours > 24 || minutes > 60)
        return false;
    *offset_s = (hours * 3600 + minutes * 60) * (negative ? -1 : 1);
    return true;
}

static bool not_a_time(str s, struct err *e)
{
    return err_set(e, ERR_INVALID, "\"%.*s\" is not a time in RFC 3339 format",
                   (int)(s.n < 64 ? s.n : 64), s.p != NULL ? s.p : "");
}

bool rfc3339_parse(str s, ts_ns *out, struct err *e)
{
    struct civil c = {0};
    int64_t offset;
    str rest = s;

    if (!eat_date(&rest, &c) || !eat_char(&rest, 'T') || !eat_minutes(&rest, &c) ||
        !eat_seconds(&rest, &c) || !eat_zone(&rest, false, &offset) || rest.n != 0)
        return not_a_time(s, e);
    *out = civil_to_ts(&c, offset);
    return true;
}

bool api_time_parse(str s, ts_ns *out, struct err *e)
{
    struct civil c = {0};
    int64_t offset = 0;
    str rest = s;

    if (s.n == 0) {
        *out = 0;
        return true;
    }
    if (!eat_date(&rest, &c))
        return not_a_time(s, e);
    if (eat_char(&rest, ' ')) {
        if (!eat_minutes(&rest, &c) || !eat_seconds(&rest, &c) || rest.n != 0)
            return not_a_time(s, e);
    } else if (eat_char(&rest, 'T') || eat_char(&rest, 't')) {
        if (!eat_minutes(&rest, &c) || (rest.n != 0 && rest.p[0] == ':' && !eat_seconds(&rest, &c)))
            return not_a_time(s, e);
        if (rest.n != 0 && (!eat_zone(&rest, true, &offset) || rest.n != 0))
            return not_a_time(s, e);
    } else if (rest.n != 0) {
        return not_a_time(s, e);
    }
    *out = civil_to_ts(&c, offset);
    return true;
}

/* -- printing -- */

/* v in n digits and the byte that ends them. Without printf: a list of alerts has three times for each. */
static char *add_digits(char *p, unsigned v, size_t n, char end)
{
    for (size_t i = n; i-- != 0; v /= 10)
        p[i] = (char)('0' + v % 10);
    p[n] = end;
    return p + n + 1;
}

/* A second as text: lists say the same few over and over. */
struct printed_second {
    int64_t second;
    char text[sizeof("2006-01-02T15:04:05.") - 1]; /* begins with a NUL: none yet */
};

static void print_second(struct printed_second *m, int64_t second)
{
    struct civil c = civil_of_seconds(second, 0); /* years 1 to 2262 */
    char *p = m->text;

    p = add_digits(p, (unsigned)c.year, 4, '-');
    p = add_digits(p, (unsigned)c.month, 2, '-');
    p = add_digits(p, (unsigned)c.day, 2, 'T');
    p = add_digits(p, (unsigned)c.hour, 2, ':');
    p = add_digits(p, (unsigned)c.minute, 2, ':');
    add_digits(p, (unsigned)c.second, 2, '.');
    m->second = second;
}

/* Room for what follows is there. Returns the nanoseconds within the second. */
static unsigned print_to_seconds(struct buf *out, ts_ns t)
{
    static _Thread_local struct printed_second last[8];
    int64_t second =
        t == TS_NONE ? (int64_t)YEAR_ONE_DAYS * SECONDS_PER_DAY : timefmt_floor_div(t, NS_PER_S);
    struct printed_second *m = &last[(uint64_t)second % ARRAY_LEN(last)];

    if (m->second != second || m->text[0] == '\0')
        print_second(m, second);
    buf_reserve(out, sizeof("2006-01-02T15:04:05.999999999Z"));
    memcpy(out->p + out->n, m->text, sizeof(m->text));
    out->n += sizeof(m->text);
    return t == TS_NONE ? 0 : (unsigned)(t - second * NS_PER_S);
}

void rfc3339_ms(struct buf *out, ts_ns t)
{
    unsigned nanosecond = print_to_seconds(out, t);

    add_digits(out->p + out->n, nanosecond / 1000000, 3, 'Z');
    out->n += 4;
}

void rfc3339_nano(struct buf *out, ts_ns t)
{
    unsigned nanosecond = print_to_seconds(out, t);

    add_digits(out->p + out->n, nanosecond, 9, 'Z');
    out->n += 9;
    while (out->p[out->n - 1] == '0')
        out->n--;
    if (out->p[out->n - 1] == '.')
        out->n--;
    buf_addc(out, 'Z');
}
