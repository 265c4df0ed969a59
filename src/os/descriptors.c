#include "os/descriptors.h"

#include <sys/resource.h>

enum { LIMIT_MAX = 65536, CLIENTS = 1024, TRANSFERS = 256, LEAST = 16 };

static unsigned descriptors_between(unsigned least, unsigned n, unsigned most)
{
    return n < least ? least : n > most ? most : n;
}

void descriptors_of(unsigned limit, struct descriptors *d)
{
    *d = (struct descriptors){.limit = limit,
                              .clients = descriptors_between(LEAST, limit / 4, CLIENTS),
                              .transfers = descriptors_between(LEAST, limit / 16, TRANSFERS)};
}

void descriptors_share(struct descriptors *d)
{
    struct rlimit l;

    if (getrlimit(RLIMIT_NOFILE, &l) != 0)
        l.rlim_cur = l.rlim_max = LIMIT_MAX;
    if (l.rlim_cur < LIMIT_MAX && l.rlim_cur < l.rlim_max) {
        l.rlim_cur = l.rlim_max < LIMIT_MAX ? l.rlim_max : LIMIT_MAX;
        if (setrlimit(RLIMIT_NOFILE, &l) != 0)
            getrlimit(RLIMIT_NOFILE, &l);
    }
    descriptors_of(l.rlim_cur < LIMIT_MAX ? (unsigned)l.rlim_cur : LIMIT_MAX, d);
}
