#include "os/random.h"

#include <errno.h>
#include <sys/random.h>
#include "base/mem.h"

void random_bytes(void *p, size_t n)
{
    char *at = p;

    while (n != 0) {
        ssize_t got = getrandom(at, n, 0);

        if (got < 0 && errno == EINTR)
            continue;
        BUG_ON(got <= 0);
        at += got;
        n -= (size_t)got;
    }
}

uint64_t random_u64(void)
{
    uint64_t v;

    random_bytes(&v, sizeof(v));
    return v;
}
