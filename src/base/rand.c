#include "base/rand.h"

uint64_t rand_next(struct rand *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15ull;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

uint64_t rand_below(struct rand *r, uint64_t bound)
{
    return (uint64_t)(((unsigned __int128)rand_next(r) * bound) >> 64);
}

struct rand rand_of(uint64_t seed)
{
    struct rand r = {.state = seed};

    r.state = rand_next(&r);
    return r;
}

double rand_unit(struct rand *r)
{
    return (double)(rand_next(r) >> 11) * 0x1.0p-53;
}
