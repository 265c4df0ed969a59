#include "net/peer_clock.h"

#include "codec/timefmt.h"

static bool read_digits(str s, size_t at, size_t n, int *out)
{
    int v = 0;

    for (size_t i = at; i < at + n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        v = v * 10 + (s.p[i] - '0');
    }
    *out = v;
    return true;
}

/* "Thu, 01 Jan 2026 05:00:00 GMT" */
static bool read_date(str s, ts_ns *out)
{
    static const char form[] = "aaa, dd aaa dddd dd:dd:dd GMT";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct civil c = {0};
    int year;

    if (s.n != sizeof(form) - 1)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (form[i] != 'a' && form[i] != 'd' && form[i] != s.p[i])
            return false;
    for (size_t m = 0; m < 12; m++)
        if (str_eq(str_sub(s, 8, 11), (str){&months[3 * m], 3}))
            c.month = (int)m + 1;
    if (c.month == 0 || !read_digits(s, 5, 2, &c.day) || !read_digits(s, 12, 4, &year) ||
        !read_digits(s, 17, 2, &c.hour) || !read_digits(s, 20, 2, &c.minute) ||
        !read_digits(s, 23, 2, &c.second))
        return false;
    if (c.day < 1 || c.day > 31 || c.hour > 23 || c.minute > 59 || c.second > 60)
        return false;
    c.year = year;
    *out = civil_to_ts(&c, 0);
    return true;
}

bool peer_clock_skew(const struct transport_answer *a, ts_ns at, dur_ns *skew)
{
    ts_ns date, first = at - a->took - NS_PER_S;

    if (http_header_get(&a->http.headers, S("Age")).n != 0 ||
        !read_date(http_header_get(&a->http.headers, S("Date")), &date))
        return false;
    *skew = date > at ? date - at : date < first ? date - first : 0;
    return true;
}
