/* float_shortest.h - the decimal of fewest digits that reads back as the same double; of several, the nearest.
 *
 * Shapes   up to 17 digits, of which the last is not 0; exponents from -324 to 308.
 * Cost     two or three multiplications of 64 by 128 bits, about 15 ns; a table of 10 KB.
 * Source   Raffaello Giulietti, "The Schubfach way to render doubles" (2021).
 */
#ifndef CODEC_FLOAT_SHORTEST_H
#define CODEC_FLOAT_SHORTEST_H

#include <stdint.h>

struct float_decimal {
    uint64_t digits; /* times 10^exponent is the value */
    int exponent;
};

/* v > 0 and finite. */
struct float_decimal float_shortest(double v);

/* -- the table, float_powers.c -- */

enum { FLOAT_POWER_LEAST = -292, FLOAT_POWER_MOST = 324 };

/* 10^k = (high * 2^64 + low) * 2^e, rounded up, where high begins with a one. */
struct float_power {
    uint64_t high, low;
};

extern const struct float_power float_powers[FLOAT_POWER_MOST - FLOAT_POWER_LEAST + 1];

#endif
