/* wallclock.c - a wall clock that somebody sets, preloaded by tests/integration/clock.py: CLOCK_REALTIME is ahead of the
 * machine's by the seconds that the file WALLCLOCK holds, as a long, at this moment. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/mman.h>

static const volatile long *ahead; /* seconds; a page of the file */

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("WALLCLOCK");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *page = fd >= 0 ? mmap(NULL, sizeof(long), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (page != MAP_FAILED)
        ahead = page;
    if (fd >= 0)
        close(fd);
}

__attribute__((visibility("default"))) int clock_gettime(clockid_t id, struct timespec *t);

int clock_gettime(clockid_t id, struct timespec *t)
{
    int r = (int)syscall(SYS_clock_gettime, id, t);

    if (r == 0 && id == CLOCK_REALTIME && ahead != NULL)
        t->tv_sec += *ahead;
    return r;
}
