#include "promql/kernel_math.h"
#include "codec/timefmt.h"

#include <math.h>

double promql_sgn(double v)
{
    return v < 0 ? -1 : v > 0 ? 1 : v;
}

double promql_deg(double v)
{
    return v * 180 / M_PI;
}

double promql_rad(double v)
{
    return v * M_PI / 180;
}

double promql_max(double a, double b)
{
    if (isinf(a) && a > 0)
        return a;
    if (isinf(b) && b > 0)
        return b;
    if (isnan(a) || isnan(b))
        return NAN;
    if (a == 0 && b == 0)
        return signbit(a) ? b : a;
    return a > b ? a : b;
}

double promql_min(double a, double b)
{
    return -promql_max(-a, -b);
}

static bool clamp_between(double v, double low, double high, double *out)
{
    *out = promql_max(low, promql_min(high, v));
    return !(low > high);
}

bool promql_clamp(double v, const double *p, double *out)
{
    return clamp_between(v, p[0], p[1], out);
}

bool promql_clamp_min(double v, const double *p, double *out)
{
    return clamp_between(v, p[0], INFINITY, out);
}

bool promql_clamp_max(double v, const double *p, double *out)
{
    return clamp_between(v, -INFINITY, p[0], out);
}

bool promql_round(double v, const double *p, double *out)
{
    double inverse = 1 / p[0]; /* Go does it so: fewer rounding errors for 0.1 and the like */

    *out = floor(v * inverse + 0.5) / inverse;
    return true;
}

double promql_binary(enum promql_op op, double a, double b, bool *keep)
{
    *keep = true;
    switch (op) {
    case PROMQL_ADD: return a + b;
    case PROMQL_SUB: return a - b;
    case PROMQL_MUL: return a * b;
    case PROMQL_DIV: return a / b;
    case PROMQL_MOD: return fmod(a, b);
    case PROMQL_POW: return pow(a, b);
    case PROMQL_ATAN2: return atan2(a, b);
    case PROMQL_EQ: *keep = a == b; return a;
    case PROMQL_NE: *keep = a != b; return a;
    case PROMQL_LT: *keep = a < b; return a;
    case PROMQL_LE: *keep = a <= b; return a;
    case PROMQL_GT: *keep = a > b; return a;
    case PROMQL_GE: *keep = a >= b; return a;
    default: *keep = false; return a;
    }
}

/* -- dates: days since 1970 to a civil date, by eras of 400 years that begin in March -- */

struct date {
    int64_t year, month, day; /* from 1 */
    int64_t day_of_year;      /* from 1 */
};

static int64_t kernel_math_floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

static struct date date_of(int64_t days)
{
    static const int16_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t shifted = days + 719468, era = kernel_math_floor_div(shifted, 146097);
    int64_t in_era = shifted - era * 146097;
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
    int64_t shifted_month = (5 * in_year + 2) / 153;
    struct date d;

    d.day = in_year - (153 * shifted_month + 2) / 5 + 1;
    d.month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    d.year = year + era * 400 + (d.month <= 2 ? 1 : 0);
    d.day_of_year = before[d.month - 1] + d.day + (d.month > 2 && year_is_leap(d.year) ? 1 : 0);
    return d;
}

static bool to_seconds(double v, int64_t *out)
{
    if (!(fabs(v) < 9e15))
        return false;
    *out = (int64_t)v;
    return true;
}

static bool to_date(double v, struct date *out)
{
    int64_t s;

    if (!to_seconds(v, &s))
        return false;
    *out = date_of(kernel_math_floor_div(s, 86400));
    return true;
}

/* Seconds since midnight. */
static bool to_clock(double v, int64_t *out)
{
    int64_t s;

    if (!to_seconds(v, &s))
        return false;
    *out = s - kernel_math_floor_div(s, 86400) * 86400;
    return true;
}

double promql_minute(double v)
{
    int64_t s;

    return to_clock(v, &s) ? (double)(s / 60 % 60) : NAN;
}

double promql_hour(double v)
{
    int64_t s, hours;

    if (!to_clock(v, &s))
        return NAN;
    hours = s / 3600;
    return (double)hours;
}

double promql_day_of_week(double v)
{
    int64_t s;

    if (!to_seconds(v, &s))
        return NAN;
    s = kernel_math_floor_div(s, 86400) + 4; /* 1970-01-01 was a Thursday */
    return (double)(s - kernel_math_floor_div(s, 7) * 7);
}

double promql_day_of_month(double v)
{
    struct date d;

    return to_date(v, &d) ? (double)d.day : NAN;
}

double promql_day_of_year(double v)
{
    struct date d;

    return to_date(v, &d) ? (double)d.day_of_year : NAN;
}

double promql_days_in_month(double v)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct date d;

    if (!to_date(v, &d))
        return NAN;
    return days[d.month - 1] + (d.month == 2 && year_is_leap(d.year) ? 1 : 0);
}

double promql_month(double v)
{
    struct date d;

    return to_date(v, &d) ? (double)d.month : NAN;
}

double promql_year(double v)
{
    struct date d;

    return to_date(v, &d) ? (double)d.year : NAN;
}
