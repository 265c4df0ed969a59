#include "base/keyed.h"

#include <string.h>
#include "base/mem.h"

enum { DIGITS = sizeof(uint64_t), VALUES = 256 };

static size_t digit(const struct keyed *k, size_t i)
{
    return (k->key >> 8 * i) & (VALUES - 1);
}

/* By the least significant byte first, each pass from one array to the other; all passes are counted in one go, and one in
 * which all keys have the same byte is left out. */
void keyed_sort(struct keyed *v, size_t n)
{
    uint32_t counts[DIGITS][VALUES] = {{0}};
    struct keyed *other, *from = v, *to;

    if (n < 2)
        return;
    to = other = mem_array(n, sizeof(*other));
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < DIGITS; i++)
            counts[i][digit(&v[k], i)]++;
    for (size_t i = 0; i < DIGITS; i++) {
        uint32_t at = 0;
        struct keyed *sorted = to;

        if (counts[i][digit(from, i)] == n)
            continue;
        for (size_t b = 0; b < VALUES; b++) {
            uint32_t count = counts[i][b];

            counts[i][b] = at;
            at += count;
        }
        for (size_t k = 0; k < n; k++)
            to[counts[i][digit(&from[k], i)]++] = from[k];
        to = from;
        from = sorted;
    }
    if (from != v)
        memcpy(v, from, n * sizeof(*v));
    mem_free(other);
}
