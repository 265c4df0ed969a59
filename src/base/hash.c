#include "base/hash.h"

#include <pthread.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "base/rand.h"

static pthread_once_t seed_once = PTHREAD_ONCE_INIT;
static uint64_t seed;

static void seed_init(void)
{
    rand_bytes(&seed, sizeof(seed));
}

uint64_t hash_bytes(const void *p, size_t n)
{
    pthread_once(&seed_once, seed_init);
    return XXH3_64bits_withSeed(p, n, seed);
}

uint64_t hash_u64(uint64_t v)
{
    pthread_once(&seed_once, seed_init);
    v ^= seed; /* splitmix64's finaliser */
    v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9ull;
    v = (v ^ (v >> 27)) * 0x94d049bb133111ebull;
    return v ^ (v >> 31);
}

uint64_t hash_xxh64(str s)
{
    return XXH64(s.p != NULL ? s.p : "", s.n, 0);
}
