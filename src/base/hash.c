#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static uint64_t seed = 0x9e3779b97f4a7c15ull;

void hash_seed(uint64_t value)
{
    seed = value;
}

uint64_t hash_bytes(const void *p, size_t n)
{
    return XXH3_64bits_withSeed(p, n, seed);
}

struct hash_wide hash_wide(const void *p, size_t n)
{
    XXH128_hash_t h = XXH3_128bits_withSeed(p, n, seed);

    return (struct hash_wide){h.low64, h.high64};
}

uint64_t hash_u64(uint64_t v)
{
    v ^= seed; /* splitmix64's finaliser */
    v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9ull;
    v = (v ^ (v >> 27)) * 0x94d049bb133111ebull;
    return v ^ (v >> 31);
}

uint64_t hash_xxh64(str s)
{
    return XXH64(s.p != NULL ? s.p : "", s.n, 0);
}
