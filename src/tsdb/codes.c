#include "tsdb/codes.h"

#include <math.h>

/* Far enough below 2^53 that base + code is exact, and v * 10^e off by less than a half. */
#define WHOLE_MAX 0x1p50
/* Adding and taking it away rounds to a whole number. */
#define ROUNDING 0x1.8p52

static bool codes_is_number(storage_slot slot)
{
    double v;

    memcpy(&v, &slot, sizeof(v));
    return v - v == 0;
}

/* The whole number k with v = k / 10^exponent, to the bit; false: there is none. */
static bool codes_whole(storage_slot slot, unsigned exponent, double *k)
{
    double v, back;
    storage_slot again;

    memcpy(&v, &slot, sizeof(v));
    *k = v * storage_powers[exponent];
    if (!(fabs(*k) < WHOLE_MAX))
        return false;
    *k = (*k + ROUNDING) - ROUNDING;
    back = exponent != 0 ? *k / storage_powers[exponent] : *k;
    memcpy(&again, &back, sizeof(again));
    return again == slot;
}

static double code_limit(unsigned bytes) /* codes of numbers are between it and minus it */
{
    return bytes == 2 ? INT16_MAX - STORAGE_CODE_NAN : INT32_MAX - STORAGE_CODE_NAN;
}

struct storage_codes codes_for(const storage_slot *v, size_t n, unsigned min_bytes)
{
    double min = INFINITY, max = -INFINITY, k;
    unsigned e = 0;

    for (size_t i = 0; i < n; i++) {
        if (!codes_is_number(v[i])) {
            if (v[i] != STORAGE_ABSENT && v[i] != STORAGE_STALE && v[i] != STORAGE_NAN)
                return STORAGE_PLAIN;
            continue;
        }
        while (!codes_whole(v[i], e, &k))
            if (++e == STORAGE_POWERS)
                return STORAGE_PLAIN;
    }
    for (size_t i = 0; i < n; i++) {
        if (!codes_is_number(v[i]))
            continue;
        if (!codes_whole(v[i], e, &k)) /* too great at the exponent of another */
            return STORAGE_PLAIN;
        min = k < min ? k : min;
        max = k > max ? k : max;
    }
    for (unsigned bytes = min_bytes; bytes < sizeof(storage_slot); bytes *= 2)
        if (!(max - min > code_limit(bytes) * 7 / 4)) /* an eighth to move in */
            return (struct storage_codes){.base = max >= min ? floor((min + max) / 2) : 0,
                                          .bytes = (uint8_t)bytes,
                                          .exponent = (uint8_t)e};
    return STORAGE_PLAIN;
}

bool codes_put(const struct storage_codes *c, void *row, size_t at, storage_slot slot)
{
    double k;

    if (c->bytes == sizeof(storage_slot)) {
        ((storage_slot *)row)[at] = slot;
        return true;
    }
    if (codes_whole(slot, c->exponent, &k)) {
        k -= c->base;
        if (!(fabs(k) <= code_limit(c->bytes)))
            return false;
        if (c->bytes == 2)
            ((int16_t *)row)[at] = (int16_t)k;
        else
            ((int32_t *)row)[at] = (int32_t)k;
        return true;
    }
    switch (slot) {
    case STORAGE_ABSENT: codes_mark(c->bytes, row, at, STORAGE_CODE_ABSENT); return true;
    case STORAGE_STALE: codes_mark(c->bytes, row, at, STORAGE_CODE_STALE); return true;
    case STORAGE_NAN: codes_mark(c->bytes, row, at, STORAGE_CODE_NAN); return true;
    default: return false;
    }
}
