/* The shortest digits are found by trial: 15 digits are always enough for a decimal that somebody
 * typed, 17 for every double. For normal numbers 15, 16, 17 are tried in turn; denormal numbers
 * carry fewer digits, so they start at 1.
 *
 * At a power of two the gap below is half the gap above. There the nearest decimal of n digits may
 * lie below, outside the interval that reads back, while its upper neighbour lies inside (2^-44:
 * ...801e-14 fails, ...802e-14 holds), so the neighbour is tried as well.
 */
#include "codec/float.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"

/* value = 0.d1d2d3... * 10^point */
struct decimal {
    char digits[20];
    int n, point;
};

static double decimal_value(const struct decimal *d)
{
    char text[40];

    snprintf(text, sizeof(text), "0.%.*se%d", d->n, d->digits, d->point);
    return strtod(text, NULL);
}

static struct decimal decimal_round(double v, int n)
{
    struct decimal d = {.n = n};
    char text[40];

    snprintf(text, sizeof(text), "%.*e", n - 1, v);
    d.digits[0] = text[0];
    if (n > 1)
        memcpy(d.digits + 1, text + 2, (size_t)n - 1);
    d.point = (int)strtol(strchr(text, 'e') + 1, NULL, 10) + 1;
    return d;
}

static struct decimal decimal_next(struct decimal d)
{
    int i = d.n - 1;

    while (i >= 0 && d.digits[i] == '9')
        d.digits[i--] = '0';
    if (i >= 0) {
        d.digits[i]++;
        return d;
    }
    d.digits[0] = '1'; /* 999 became 000: it is 1000 */
    d.point++;
    return d;
}

/* v > 0 and finite. */
static struct decimal decimal_shortest(double v)
{
    int binary_exp;
    bool is_power = frexp(v, &binary_exp) == 0.5;
    int n = fpclassify(v) == FP_SUBNORMAL ? 1 : 15;
    struct decimal d;

    for (;; n++) {
        d = decimal_round(v, n);
        if (n == 17 || decimal_value(&d) == v)
            break;
        if (is_power) {
            d = decimal_next(d);
            if (decimal_value(&d) == v)
                break;
        }
    }
    while (d.n > 1 && d.digits[d.n - 1] == '0')
        d.n--;
    return d;
}

static void print_plain(struct buf *out, const struct decimal *d)
{
    if (d->point <= 0) {
        buf_adds(out, "0.");
        buf_pad(out, '0', (size_t)-d->point);
        buf_add(out, (str){d->digits, (size_t)d->n});
        return;
    }
    for (int i = 0; i < d->n || i < d->point; i++) {
        if (i == d->point)
            buf_addc(out, '.');
        buf_addc(out, i < d->n ? d->digits[i] : '0');
    }
}

/* exp_digits: Go pads the exponent to two digits, but its JSON encoder cuts e-09 to e-9. */
static void print_exponent(struct buf *out, const struct decimal *d, int exp_digits)
{
    int exp = d->point - 1;

    buf_addc(out, d->digits[0]);
    if (d->n > 1) {
        buf_addc(out, '.');
        buf_add(out, (str){d->digits + 1, (size_t)d->n - 1});
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
    if (fabs(v) < plain_below && v == trunc(v)) {
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

bool float_parse(str s, double *out, struct err *e)
{
    char small[64], *z = small;
    double v;

    if (parse_word(s, out))
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
