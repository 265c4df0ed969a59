/* Numbers in Go's forms around the shortest digits (float_shortest.c); reading, which leaves to strtod() what is not exact. */
#include "codec/float.h"

#include <math.h>
#include <stdlib.h>
#include "base/mem.h"
#include "codec/bytes.h"
#include "codec/float_shortest.h"

enum { EIGHTS = 3, EIGHT = 100000000 };

/* value = 0.d1d2d3... * 10^point, where d1 is text[first] */
struct decimal {
    char text[8 * EIGHTS];
    size_t first, n;
    int point;
};

/* Eight digits in the order of memory, each 0 to 9: pairs of four, then of two, are taken apart side by side. */
static uint64_t eight_digits(uint32_t v)
{
    uint64_t fours = v / 10000 | (uint64_t)(v % 10000) << 32;
    uint64_t hundreds = fours * 10486 >> 20 & 0x0000007f0000007f; /* fours / 100 */
    uint64_t pairs = hundreds | (fours - 100 * hundreds) << 16;
    uint64_t tens = pairs * 103 >> 10 & 0x000f000f000f000f; /* pairs / 10 */

    return tens | (pairs - 10 * tens) << 8;
}

/* v > 0 and finite. */
static struct decimal decimal_shortest(double v)
{
    struct float_decimal f = float_shortest(v);
    uint64_t left = f.digits;
    struct decimal d;
    size_t at = sizeof(d.text);

    do {
        uint64_t eight = eight_digits((uint32_t)(left % EIGHT)),
                 shown = eight | UINT64_C(0x3030303030303030);

        at -= sizeof(shown);
        memcpy(d.text + at, &shown, sizeof(shown));
        left /= EIGHT;
        d.first = at + (left == 0 ? bytes_first(eight) : 0);
    } while (left != 0);
    d.n = sizeof(d.text) - d.first;
    d.point = (int)d.n + f.exponent;
    return d;
}

static str digits_of(const struct decimal *d)
{
    return (str){d->text + d->first, d->n};
}

static void print_plain(struct buf *out, const struct decimal *d)
{
    size_t whole = d->point > 0 ? (size_t)d->point : 0;
    str digits = digits_of(d);

    if (d->point <= 0) {
        buf_adds(out, "0.");
        buf_pad(out, '0', (size_t)-d->point);
        buf_add(out, digits);
        return;
    }
    if (whole >= digits.n) {
        buf_add(out, digits);
        buf_pad(out, '0', whole - digits.n);
        return;
    }
    buf_add(out, str_sub(digits, 0, whole));
    buf_addc(out, '.');
    buf_add(out, str_sub(digits, whole, digits.n));
}

/* exp_digits: Go pads the exponent to two digits, but its JSON encoder cuts e-09 to e-9. */
static void print_exponent(struct buf *out, const struct decimal *d, int exp_digits)
{
    int exp = d->point - 1;
    str digits = digits_of(d);

    buf_addc(out, digits.p[0]);
    if (d->n > 1) {
        buf_addc(out, '.');
        buf_add(out, str_sub(digits, 1, digits.n));
    }
    buf_adds(out, "e");
    buf_addc(out, exp < 0 ? '-' : '+');
    if (exp_digits == 2 && abs(exp) < 10)
        buf_addc(out, '0');
    buf_add_i64(out, abs(exp));
}

/* Prints what needs no search for digits. Otherwise prints the sign, d gets the shortest digits, and true. */
static bool needs_digits(struct buf *out, double v, double plain_below, struct decimal *d)
{
    if (isnan(v)) {
        buf_adds(out, "NaN");
        return false;
    }
    if (isinf(v)) {
        buf_add(out, v > 0 ? S("+Inf") : S("-Inf"));
        return false;
    }
    if (v == 0) {
        buf_add(out, signbit(v) ? S("-0") : S("0"));
        return false;
    }
    if (fabs(v) < plain_below && v == (double)(int64_t)v) {
        buf_add_i64(out, (int64_t)v);
        return false;
    }
    if (v < 0)
        buf_addc(out, '-');
    *d = decimal_shortest(fabs(v));
    return true;
}

enum { INTEGERS_EXACT = 53 };

void float_print_shortest(struct buf *out, double v)
{
    struct decimal d;

    if (needs_digits(out, v, (double)(1ll << INTEGERS_EXACT), &d))
        print_plain(out, &d);
}

void float_print_g(struct buf *out, double v)
{
    struct decimal d;

    if (!needs_digits(out, v, 1e6, &d))
        return;
    if (d.point - 1 < -4 || d.point - 1 >= 6)
        print_exponent(out, &d, 2);
    else
        print_plain(out, &d);
}

void float_print_go_json(struct buf *out, double v)
{
    struct decimal d;

    if (!needs_digits(out, v, (double)(1ll << INTEGERS_EXACT), &d))
        return;
    if (fabs(v) < 1e-6)
        print_exponent(out, &d, 1);
    else if (fabs(v) >= 1e21)
        print_exponent(out, &d, 2);
    else
        print_plain(out, &d);
}

void float_print_exponent(struct buf *out, double v)
{
    struct decimal d;

    if (v == 0) {
        buf_add(out, signbit(v) ? S("-0e+00") : S("0e+00"));
        return;
    }
    if (needs_digits(out, v, 0, &d))
        print_exponent(out, &d, 2);
}

/* -- reading -- */

static bool float_is_digit(char c, bool hex)
{
    return (c >= '0' && c <= '9') || (hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')));
}

static size_t eat_digits(str *s, bool hex)
{
    size_t n = 0;

    while (n < s->n && float_is_digit(s->p[n], hex))
        n++;
    *s = str_sub(*s, n, s->n);
    return n;
}

static bool float_eat(str *s, char lower)
{
    if (s->n == 0 || (s->p[0] | 0x20) != (lower | 0x20))
        return false;
    *s = str_sub(*s, 1, s->n);
    return true;
}

static bool float_is_number(str s)
{
    bool hex = false;
    size_t digits;

    if (s.n != 0 && (s.p[0] == '+' || s.p[0] == '-'))
        s = str_sub(s, 1, s.n);
    if (s.n > 2 && s.p[0] == '0' && (s.p[1] | 0x20) == 'x') {
        hex = true;
        s = str_sub(s, 2, s.n);
    }
    digits = eat_digits(&s, hex);
    if (s.n != 0 && s.p[0] == '.') {
        s = str_sub(s, 1, s.n);
        digits += eat_digits(&s, hex);
    }
    if (digits == 0)
        return false;
    if (float_eat(&s, hex ? 'p' : 'e')) {
        if (s.n != 0 && (s.p[0] == '+' || s.p[0] == '-'))
            s = str_sub(s, 1, s.n);
        return eat_digits(&s, false) != 0 && s.n == 0;
    }
    return s.n == 0 && !hex; /* Go wants the exponent of a hexadecimal number */
}

static bool parse_word(str s, double *out)
{
    double sign = 1;

    if (str_eq_nocase(s, S("nan"))) {
        *out = NAN;
        return true;
    }
    if (s.n != 0 && (s.p[0] == '+' || s.p[0] == '-')) {
        sign = s.p[0] == '-' ? -1 : 1;
        s = str_sub(s, 1, s.n);
    }
    if (!str_eq_nocase(s, S("inf")) && !str_eq_nocase(s, S("infinity")))
        return false;
    *out = sign * INFINITY;
    return true;
}

enum { EXACT_DIGITS = 19, EXACT_POWER = 22 };

/* Digits with or without a point; false: more than fit. */
static bool float_read_digits(const char **p, const char *end, uint64_t *v, int *exponent)
{
    const char *begin = *p, *point = NULL;
    size_t digits;

    for (; *p != end; ++*p) {
        unsigned digit = (unsigned)(unsigned char)**p - '0';

        if (digit <= 9)
            *v = 10 * *v + digit;
        else if (**p == '.' && point == NULL)
            point = *p;
        else
            break;
    }
    digits = (size_t)(*p - begin) - (point != NULL);
    *exponent = point != NULL ? (int)(point + 1 - *p) : 0;
    return digits != 0 && digits <= EXACT_DIGITS;
}

static bool float_read_exponent(const char **p, const char *end, int *exponent)
{
    bool is_minus;
    int v = 0, digits = 0;

    if (*p == end || (**p | 0x20) != 'e')
        return true;
    ++*p;
    is_minus = *p != end && **p == '-';
    *p += *p != end && (**p == '-' || **p == '+');
    for (; *p != end && **p >= '0' && **p <= '9' && digits < 4; ++*p, digits++)
        v = 10 * v + (**p - '0');
    *exponent += is_minus ? -v : v;
    return digits != 0;
}

/* A whole number of 53 bits and a power of ten that is a double are one multiplication or division apart from the nearest
 * double, and no search. */
bool float_read_exact(const char **at, const char *end, double *out)
{
    static const double powers[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *p = *at;
    bool is_minus = p != end && *p == '-';
    uint64_t v = 0;
    int exponent;
    double d;

    p += p != end && (*p == '-' || *p == '+');
    if (!float_read_digits(&p, end, &v, &exponent) || !float_read_exponent(&p, end, &exponent))
        return false;
    if (v > UINT64_C(1) << INTEGERS_EXACT || exponent < -EXACT_POWER || exponent > EXACT_POWER)
        return false;
    d = exponent < 0 ? (double)v / powers[-exponent] : (double)v * powers[exponent];
    *out = is_minus ? -d : d;
    *at = p;
    return true;
}

static bool parse_exact(str s, double *out)
{
    const char *p = s.p;

    return s.n != 0 && float_read_exact(&p, s.p + s.n, out) && p == s.p + s.n;
}

bool float_parse(str s, double *out, struct err *e)
{
    char small[64], *z = small;
    double v;

    if (parse_exact(s, out) || parse_word(s, out))
        return true;
    if (!float_is_number(s))
        return err_set(e, ERR_INVALID, "\"%.*s\" is not a number", STR(s));
    if (s.n >= sizeof(small)) {
        z = mem_zdup(s);
    } else {
        memcpy(small, s.p, s.n);
        small[s.n] = '\0';
    }
    v = strtod(z, NULL);
    if (z != small)
        mem_free(z);
    if (isinf(v))
        return err_set(e, ERR_LIMIT, "number \"%.*s\" is out of range", STR(s));
    *out = v;
    return true;
}
