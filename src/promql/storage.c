#include "promql/storage.h"

const double storage_powers[STORAGE_POWERS] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

/* Numbers first, without a branch a sample; then whatever is none. */
#define DECODE(type, min)                                                                          \
    do {                                                                                           \
        const type *code = (const type *)row + begin;                                              \
        bool has_special = false;                                                                  \
        double v;                                                                                  \
                                                                                                   \
        for (size_t i = 0; i < n; i++) {                                                           \
            has_special |= code[i] <= (min) + STORAGE_CODE_NAN;                                    \
            v = c->base + code[i];                                                                 \
            if (power != 1)                                                                        \
                v /= power;                                                                        \
            memcpy(&out[i], &v, sizeof(v));                                                        \
        }                                                                                          \
        for (size_t i = 0; has_special && i < n; i++)                                              \
            if (code[i] <= (min) + STORAGE_CODE_NAN)                                               \
                out[i] = storage_slot_of(code[i], (min), c);                                       \
    } while (0)

void storage_row_slots(const void *row, const struct storage_codes *c, size_t begin, size_t end,
                       storage_slot *out)
{
    double power = storage_powers[c->exponent];
    size_t n = end - begin;

    switch (c->bytes) {
    case 2: DECODE(int16_t, INT16_MIN); break;
    case 4: DECODE(int32_t, INT32_MIN); break;
    default: memcpy(out, (const storage_slot *)row + begin, n * sizeof(*out));
    }
}
