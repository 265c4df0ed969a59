/* funcs_sprig_numbers.c - sprig's other functions for numbers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/vec.h"
#include "template/funcs_priv.h"
#include "template/template.h"

FUNC(f_atoi)
{
    str s = args[0].s,
        digits = s.n != 0 && (s.p[0] == '-' || s.p[0] == '+') ? str_sub(s, 1, s.n) : s;
    uint64_t v = 0;

    *out = tv_int(0);
    for (size_t i = 0; i < digits.n; i++)
        if (digits.p[i] < '0' || digits.p[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(digits.p[i] - '0'), &v) ||
            v > (uint64_t)INT64_MAX + (s.p[0] == '-'))
            return true;
    *out = tv_int(s.n != 0 && s.p[0] == '-' ? (int64_t)(0 - v) : (int64_t)v);
    return true;
}

FUNC(f_to_decimal)
{
    str s = func_shown(env, &args[0]);
    int64_t v = 0;

    *out = tv_int(0);
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '7' || __builtin_mul_overflow(v, 8, &v) ||
            __builtin_add_overflow(v, s.p[i] - '0', &v))
            return true;
    *out = tv_int(v);
    return true;
}

FUNC(f_add1)
{
    *out = tv_int((int64_t)((uint64_t)func_integer(&args[0]) + 1));
    return true;
}

FUNC(f_max)
{
    *out = tv_int(func_integer(&args[0]));
    for (size_t i = 1; i < n; i++)
        if (func_integer(&args[i]) > out->i)
            out->i = func_integer(&args[i]);
    return true;
}

FUNC(f_min)
{
    *out = tv_int(func_integer(&args[0]));
    for (size_t i = 1; i < n; i++)
        if (func_integer(&args[i]) < out->i)
            out->i = func_integer(&args[i]);
    return true;
}

FUNC(f_maxf)
{
    *out = tv_float(func_number(&args[0]));
    for (size_t i = 1; i < n; i++)
        out->f = fmax(out->f, func_number(&args[i]));
    return true;
}

FUNC(f_minf)
{
    *out = tv_float(func_number(&args[0]));
    for (size_t i = 1; i < n; i++)
        out->f = fmin(out->f, func_number(&args[i]));
    return true;
}

FUNC(f_ceil)
{
    *out = tv_float(ceil(func_number(&args[0])));
    return true;
}

FUNC(f_floor)
{
    *out = tv_float(floor(func_number(&args[0])));
    return true;
}

/* The digits of 1.25e+00 as a whole number. */
static uint64_t mantissa(const char *text)
{
    uint64_t m = 0;

    for (; *text != 'e'; text++)
        if (*text >= '0' && *text <= '9')
            m = m * 10 + (uint64_t)(*text - '0');
    return m;
}

/* To 16 places, as sprig's quotients. */
static long double rounded(long double q)
{
    if (!(q > -500 && q < 500))
        return q;
    return (long double)(int64_t)(q * 1e16L + (q < 0 ? -0.5L : 0.5L)) / 1e16L;
}

/* sprig computes these in decimals: 1.1 and 2.2 are 3.3. The digits that stand for the float, in more bits than it has, and
 * rounded once. */
static long double decimal(const struct tmpl_value *v)
{
    double d = func_number(v);
    char digits[32];
    int places;
    long double x, power = 1;

    if (!isfinite(d) || d == 0 || fabs(d) > 1e15 || fabs(d) < 1e-10)
        return d;
    for (places = 0; places < 17; places++) { /* the fewest that say which float it is */
        snprintf(digits, sizeof(digits), "%.*e", places, d);
        if (strtod(digits, NULL) == d)
            break;
    }
    x = (long double)mantissa(digits);
    places -= (int)strtol(strchr(digits, 'e') + 1, NULL, 10);
    for (int i = 0; i < abs(places); i++)
        power *= 10; /* up to 10^27 nothing is lost */
    x = places > 0 ? x / power : x * power;
    return d < 0 ? -x : x;
}

static struct tmpl_value funcs_sprig_numbers_folded(const struct tmpl_value *args, size_t n,
                                                    char op)
{
    long double x = decimal(&args[0]);

    for (size_t i = 1; i < n; i++) {
        long double y = decimal(&args[i]);

        switch (op) {
        case '+': x += y; break;
        case '-': x -= y; break;
        case '*': x *= y; break;
        default: x = rounded(x / y);
        }
    }
    return tv_float((double)x);
}

FUNC(f_addf)
{
    *out = funcs_sprig_numbers_folded(args, n, '+');
    return true;
}

FUNC(f_add1f)
{
    *out = tv_float((double)(decimal(&args[0]) + 1));
    return true;
}

FUNC(f_subf)
{
    *out = funcs_sprig_numbers_folded(args, n, '-');
    return true;
}

FUNC(f_mulf)
{
    *out = funcs_sprig_numbers_folded(args, n, '*');
    return true;
}

FUNC(f_divf)
{
    for (size_t i = 1; i < n; i++)
        if (func_number(&args[i]) == 0)
            return err_set(e, ERR_INVALID, "decimal division by 0");
    *out = funcs_sprig_numbers_folded(args, n, '/');
    return true;
}

static const struct tmpl_type ints = {.name = "[]int", .elem = TV_INT};

/* start, start + step, ... before stop; none when step leads away from it. */
static bool count_to(struct tmpl_env *env, int64_t start, int64_t stop, int64_t step,
                     struct tmpl_value *out, struct err *e)
{
    VEC(struct tmpl_value) v = VEC_INIT;
    bool fits = true;

    for (int64_t i = start; fits && step != 0 && (step > 0 ? i < stop : i > stop);) {
        vec_push(&v, tv_int(i));
        fits = tmpl_work(env, 1) && !func_too_long(env, v.n * sizeof(v.v[0]));
        if (__builtin_add_overflow(i, step, &i))
            break;
    }
    *out = tv_list(&ints, arena_copy(env->a, v.v, fits ? v.n : 0, v.n, sizeof(v.v[0])), v.n);
    vec_release(&v);
    return fits || err_set(e, ERR_LIMIT, "the list is too long");
}

FUNC(f_until)
{
    return count_to(env, 0, args[0].i, args[0].i < 0 ? -1 : 1, out, e);
}

FUNC(f_until_step)
{
    return count_to(env, args[0].i, args[1].i, args[2].i, out, e);
}

FUNC(f_seq)
{
    int64_t start = n > 1 ? func_integer(&args[0]) : 1, end, away, step;
    struct tmpl_value list, call[2] = {tv_str(S(" "))};

    *out = tv_str(S(""));
    if (n == 0 || n > 3)
        return true;
    end = func_integer(&args[n - 1]);
    away = end < start ? -1 : 1;
    step = n == 3 ? func_integer(&args[1]) : away;
    if (n == 3 && away < 0 && step > 0)
        return true;
    if (__builtin_add_overflow(end, away, &end))
        return err_set(e, ERR_LIMIT, "the list is too long");
    if (!count_to(env, start, end, step, &list, e))
        return false;
    call[1] = list;
    return func_join_any(env, call, 2, out, e);
}

const struct tmpl_func tmpl_sprig_number_funcs[] = {
    {"atoi", "s", f_atoi, "a decimal integer, or 0"},
    {"toDecimal", "a", f_to_decimal, "the number that octal digits say"},
    {"add1", "a", f_add1, "one more"},
    {"max", "aa*", f_max, "the greatest integer"},
    {"biggest", "aa*", f_max, "the greatest integer"},
    {"min", "aa*", f_min, "the least integer"},
    {"maxf", "aa*", f_maxf, "the greatest number"},
    {"minf", "aa*", f_minf, "the least number"},
    {"ceil", "a", f_ceil, "the next whole number up"},
    {"floor", "a", f_floor, "the next whole number down"},
    {"addf", "aa*", f_addf, "the sum"},
    {"add1f", "a", f_add1f, "one more"},
    {"subf", "aa*", f_subf, "the difference"},
    {"mulf", "aa*", f_mulf, "the product"},
    {"divf", "aa*", f_divf, "the quotient"},
    {"until", "i", f_until, "0, 1, ... up to a number"},
    {"untilStep", "iii", f_until_step, "from a number up to another by steps"},
    {"seq", "a*", f_seq, "integers with blanks between them"},
    {NULL, NULL, NULL, NULL},
};
