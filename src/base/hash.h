/* hash.h - hashes: seeded XXH3 for tables, FNV-1a and XXH64 where the value is part of an interface.
 *
 * hash_str() and hash_u64() are seeded by main(), so that a sender cannot choose colliding keys. They differ between runs
 * and must never be stored. fnv1a_* and xxh64 are the stable ones.
 *
 * Source   alertmanager.md 3.1 (fingerprint = FNV-1a 64), 3.8 (dedup hash = XXH64, seed 0).
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

/* Before anything is hashed, and before any thread. Without it every run hashes alike. */
void hash_seed(uint64_t value);
uint64_t hash_bytes(const void *p, size_t n);
uint64_t hash_u64(uint64_t v);

/* So wide that two texts with one hash need not be thought of: nobody finds such who does not know the seed. */
struct hash_wide {
    uint64_t low, high;
};
struct hash_wide hash_wide(const void *p, size_t n);

static inline uint64_t hash_str(str s)
{
    return hash_bytes(s.p, s.n);
}

static inline bool eq_u64(uint64_t a, uint64_t b)
{
    return a == b;
}

#define FNV1A_INIT 14695981039346656037ull

static inline uint64_t fnv1a_byte(uint64_t h, unsigned char c)
{
    return (h ^ c) * 1099511628211ull;
}

static inline uint64_t fnv1a_str(uint64_t h, str s)
{
    for (size_t i = 0; i < s.n; i++)
        h = fnv1a_byte(h, (unsigned char)s.p[i]);
    return h;
}

uint64_t hash_xxh64(str s); /* seed 0 */

#endif
