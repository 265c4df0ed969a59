/* A double c * 2^q stands for every number between the middles to its neighbours. They are scaled by a power of ten, so
 * that between them lies at least one whole number and at most about ten: one of them that ends in 0, if there is one,
 * has fewest digits; else the nearest to the value is taken.
 *
 *     0.3    c = 5404319552844595, q = -54; scaled by 10^16: 2999999999999999.6 to 3000000000000000.2
 *            so 300000000000000 * 10 is in between, and the only one: 3 * 10^-1
 *
 * Products are kept with two bits of fraction, of which the last says that there is more behind it, which is enough to
 * compare them exactly (section 9.6 of the source).
 */
#include "codec/float_shortest.h"

#include <stdbool.h>
#include <string.h>

enum { FRACTION_BITS = 52, EXPONENT_BIAS = 1075 };

__extension__ typedef unsigned __int128 u128;

static int floor_log2_of_power(int k) /* of 10^k */
{
    return (k * 1741647) >> 19;
}

/* Of 2^q, or of 3/4 * 2^q, where the gap below is half as wide. */
static int floor_log10_of_power(int q, bool is_narrow)
{
    return (q * 1262611 - (is_narrow ? 524031 : 0)) >> 22;
}

/* g * v / 2^128, with the last bit set when there is a remainder that counts. */
static uint64_t scale_to_odd(const struct float_power *g, uint64_t v)
{
    u128 low = (u128)g->low * v, high = (u128)g->high * v + (uint64_t)(low >> 64);

    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

static struct float_decimal strip_zeros(struct float_decimal d)
{
    if (d.digits % 10 != 0)
        return d;
    while (d.digits % 100000000 == 0) { /* there may be 16 */
        d.digits /= 100000000;
        d.exponent += 8;
    }
    if (d.digits % 10000 == 0) {
        d.digits /= 10000;
        d.exponent += 4;
    }
    if (d.digits % 100 == 0) {
        d.digits /= 100;
        d.exponent += 2;
    }
    if (d.digits % 10 == 0) {
        d.digits /= 10;
        d.exponent++;
    }
    return d;
}

/* lower and upper include themselves; all four times the number. */
static struct float_decimal pick(uint64_t lower, uint64_t v, uint64_t upper, int k)
{
    uint64_t s = v / 4, tens = s / 10;
    bool has_low = lower <= 40 * tens, has_high = 40 * tens + 40 <= upper;

    if (s >= 10 && has_low != has_high)
        return (struct float_decimal){tens + has_high, k + 1};
    has_low = lower <= 4 * s;
    has_high = 4 * s + 4 <= upper;
    if (has_low != has_high)
        return (struct float_decimal){s + has_high, k};
    return (struct float_decimal){s + (v > 4 * s + 2 || (v == 4 * s + 2 && s % 2 != 0)), k};
}

struct float_decimal float_shortest(double v)
{
    uint64_t bits, fraction, c;
    bool is_narrow, is_odd;
    int exponent, q, k, shift;
    const struct float_power *g;

    memcpy(&bits, &v, sizeof(bits));
    fraction = bits & ((UINT64_C(1) << FRACTION_BITS) - 1);
    exponent = (int)(bits >> FRACTION_BITS);
    c = exponent != 0 ? fraction | UINT64_C(1) << FRACTION_BITS : fraction;
    q = (exponent != 0 ? exponent : 1) - EXPONENT_BIAS;
    is_narrow = fraction == 0 && exponent > 1;
    is_odd = c % 2 != 0; /* then the middles belong to the neighbours */
    k = floor_log10_of_power(q, is_narrow);
    shift = q + floor_log2_of_power(-k) + 1;
    g = &float_powers[-k - FLOAT_POWER_LEAST];
    return strip_zeros(pick(scale_to_odd(g, (4 * c - 2 + is_narrow) << shift) + is_odd,
                            scale_to_odd(g, 4 * c << shift),
                            scale_to_odd(g, (4 * c + 2) << shift) - is_odd, k));
}
