#include "codec/duration.h"

struct unit {
    str name;
    int64_t ns;
};

/* Largest first: a Prometheus duration uses each at most once, in this order. */
static const struct unit prometheus_units[] = {
    {S_INIT("y"), 365 * NS_PER_D}, {S_INIT("w"), 7 * NS_PER_D}, {S_INIT("d"), NS_PER_D},
    {S_INIT("h"), NS_PER_H},       {S_INIT("m"), NS_PER_M},     {S_INIT("s"), NS_PER_S},
    {S_INIT("ms"), NS_PER_MS},
};

static const struct unit go_units[] = {
    {S_INIT("h"), NS_PER_H},     {S_INIT("m"), NS_PER_M}, {S_INIT("s"), NS_PER_S},
    {S_INIT("ms"), NS_PER_MS},   {S_INIT("us"), 1000},    {S_INIT("\xc2\xb5s"), 1000},
    {S_INIT("\xce\xbcs"), 1000}, {S_INIT("ns"), 1},
};

static size_t duration_count_digits(str s)
{
    size_t n = 0;

    while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
        n++;
    return n;
}

/* Cuts what stands before the next digit (or dot) off *rest. */
static str cut_unit(str *rest)
{
    size_t n = 0;
    str u;

    while (n < rest->n && (rest->p[n] < '0' || rest->p[n] > '9') && rest->p[n] != '.')
        n++;
    u = str_sub(*rest, 0, n);
    *rest = str_sub(*rest, n, rest->n);
    return u;
}

bool duration_parse(str s, dur_ns *out, struct err *e)
{
    str rest = s;
    size_t next = 0;
    int64_t total = 0;

    if (s.n == 0)
        return err_set(e, ERR_INVALID, "empty duration");
    if (str_is(s, "0")) {
        *out = 0;
        return true;
    }
    while (rest.n != 0) {
        size_t digits = duration_count_digits(rest), i;
        uint64_t v;
        int64_t part;
        str unit, number = str_sub(rest, 0, digits);

        if (digits == 0)
            return err_set(e, ERR_INVALID, "not a valid duration: \"%.*s\"", STR(s));
        rest = str_sub(rest, digits, rest.n);
        unit = cut_unit(&rest);
        for (i = 0; i < ARRAY_LEN(prometheus_units) && !str_eq(prometheus_units[i].name, unit); i++)
            ;
        if (i == ARRAY_LEN(prometheus_units))
            return unit.n == 0
                       ? err_set(e, ERR_INVALID, "missing unit in duration \"%.*s\"", STR(s))
                       : err_set(e, ERR_INVALID, "unknown unit \"%.*s\" in duration \"%.*s\"",
                                 STR(unit), STR(s));
        if (i < next)
            return err_set(e, ERR_INVALID, "units of duration \"%.*s\" are not in descending order",
                           STR(s));
        next = i + 1;
        if (!str_to_u64(number, &v) || v > INT64_MAX ||
            __builtin_mul_overflow((int64_t)v, prometheus_units[i].ns, &part) ||
            __builtin_add_overflow(total, part, &total))
            return err_set(e, ERR_INVALID, "duration \"%.*s\" is out of range", STR(s));
    }
    *out = total;
    return true;
}

void duration_print(struct buf *out, dur_ns d)
{
    uint64_t ms = (d < 0 ? 0 - (uint64_t)d : (uint64_t)d) / (uint64_t)NS_PER_MS;

    if (ms == 0) {
        buf_adds(out, "0s");
        return;
    }
    if (d < 0)
        buf_addc(out, '-');
    for (size_t i = 0; i < ARRAY_LEN(prometheus_units); i++) {
        uint64_t unit = (uint64_t)(prometheus_units[i].ns / NS_PER_MS);
        bool exact = i < 2; /* years and weeks only when nothing is left behind them */

        assume(unit != 0);
        if (ms < unit || (exact && ms % unit != 0))
            continue;
        buf_add_u64(out, ms / unit);
        buf_add(out, prometheus_units[i].name);
        ms %= unit;
    }
}

/* -- Go -- */

static bool go_part(uint64_t whole, str fraction, int64_t unit, uint64_t *ns)
{
    uint64_t v;
    double f = 0, scale = 1;

    if (__builtin_mul_overflow(whole, (uint64_t)unit, &v))
        return false;
    for (size_t i = 0; i < fraction.n && i < 18; i++) {
        f = f * 10 + (fraction.p[i] - '0');
        scale *= 10;
    }
    v += (uint64_t)(f * ((double)unit / scale));
    *ns = v;
    return v <= (uint64_t)1 << 63;
}

bool go_duration_parse(str s, dur_ns *out, struct err *e)
{
    str rest = s;
    bool negative = false;
    uint64_t total = 0;

    if (rest.n != 0 && (rest.p[0] == '-' || rest.p[0] == '+')) {
        negative = rest.p[0] == '-';
        rest = str_sub(rest, 1, rest.n);
    }
    if (str_is(rest, "0")) {
        *out = 0;
        return true;
    }
    if (rest.n == 0)
        return err_set(e, ERR_INVALID, "invalid duration \"%.*s\"", STR(s));
    while (rest.n != 0) {
        size_t digits = duration_count_digits(rest), i;
        str number = str_sub(rest, 0, digits), fraction = STR_NONE, unit;
        uint64_t v = 0, ns;

        rest = str_sub(rest, digits, rest.n);
        if (rest.n != 0 && rest.p[0] == '.') {
            rest = str_sub(rest, 1, rest.n);
            fraction = str_sub(rest, 0, duration_count_digits(rest));
            rest = str_sub(rest, fraction.n, rest.n);
        }
        if (number.n + fraction.n == 0)
            return err_set(e, ERR_INVALID, "invalid duration \"%.*s\"", STR(s));
        unit = cut_unit(&rest);
        if (unit.n == 0)
            return err_set(e, ERR_INVALID, "missing unit in duration \"%.*s\"", STR(s));
        for (i = 0; i < ARRAY_LEN(go_units) && !str_eq(go_units[i].name, unit); i++)
            ;
        if (i == ARRAY_LEN(go_units))
            return err_set(e, ERR_INVALID, "unknown unit \"%.*s\" in duration \"%.*s\"", STR(unit),
                           STR(s));
        if ((number.n != 0 && !str_to_u64(number, &v)) ||
            !go_part(v, fraction, go_units[i].ns, &ns) ||
            __builtin_add_overflow(total, ns, &total) || total > (uint64_t)INT64_MAX + negative)
            return err_set(e, ERR_INVALID, "duration \"%.*s\" is out of range", STR(s));
    }
    *out = negative ? (int64_t)(0 - total) : (int64_t)total;
    return true;
}

/* v / unit with its fraction, trailing zeros cut. */
static void print_fraction(struct buf *out, uint64_t v, uint64_t unit, str name)
{
    uint64_t rest = v % unit;

    buf_add_u64(out, v / unit);
    if (rest != 0) {
        buf_addc(out, '.');
        for (; rest != 0; rest %= unit) { /* a power of ten: at 1 nothing is left */
            unit /= 10;
            buf_addc(out, (char)('0' + rest / unit));
        }
    }
    buf_add(out, name);
}

void go_duration_print(struct buf *out, dur_ns d)
{
    uint64_t u = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;
    uint64_t minutes = u / (uint64_t)NS_PER_M;

    if (u == 0) {
        buf_adds(out, "0s");
        return;
    }
    if (d < 0)
        buf_addc(out, '-');
    if (u < 1000) {
        print_fraction(out, u, 1, S("ns"));
    } else if (u < 1000000) {
        print_fraction(out, u, 1000, S("\xc2\xb5s"));
    } else if (u < 1000000000) {
        print_fraction(out, u, 1000000, S("ms"));
    } else {
        if (minutes >= 60) {
            buf_add_u64(out, minutes / 60);
            buf_addc(out, 'h');
        }
        if (minutes != 0) {
            buf_add_u64(out, minutes % 60);
            buf_addc(out, 'm');
        }
        print_fraction(out, u % (uint64_t)NS_PER_M, (uint64_t)NS_PER_S, S("s"));
    }
}
