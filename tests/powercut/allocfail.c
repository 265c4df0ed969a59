/* allocfail.c - fails one allocation of a program, whoever made it, as a library to preload.
 *
 *     ALLOCFAIL   a file of two 64-bit numbers, mapped by both sides: how many allocations there were, and from which
 *                 on the next one fails (0: none); it becomes 0 when it has failed. The test writes it while the program runs.
 *
 * Who asked for the one that fails stands in stderr. Only allocations of the C library's names are counted: those of the program's own base/mem and of every library below it.
 */
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t count, size_t n);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

struct control {
    _Atomic uint64_t made, fails;
};

static struct control nobodys, *control = &nobodys;

__attribute__((constructor)) static void begin(void)
{
    const char *file = getenv("ALLOCFAIL");
    int fd = file != NULL ? open(file, O_RDWR | O_CLOEXEC) : -1;
    void *p = fd >= 0 ? mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                      : MAP_FAILED;

    if (p != MAP_FAILED)
        control = p;
    if (fd >= 0)
        close(fd);
}

/* Who it was, for the test's log. */
static void tell(void)
{
    void *frames[16];
    int n = backtrace(frames, 16);

    if (write(STDERR_FILENO, "allocfail:\n", 11) == 11)
        backtrace_symbols_fd(frames + 2, n - 2, STDERR_FILENO);
}

static bool fails(void)
{
    uint64_t n = atomic_fetch_add_explicit(&control->made, 1, memory_order_relaxed) + 1;
    uint64_t at = atomic_load_explicit(&control->fails, memory_order_relaxed);

    if (at == 0 || n < at || !atomic_compare_exchange_strong(&control->fails, &at, 0))
        return false;
    tell();
    errno = ENOMEM;
    return true;
}

PUBLIC void *malloc(size_t n)
{
    return fails() ? NULL : __libc_malloc(n);
}

PUBLIC void *calloc(size_t count, size_t n)
{
    return fails() ? NULL : __libc_calloc(count, n);
}

PUBLIC void *realloc(void *p, size_t n)
{
    return fails() ? NULL : __libc_realloc(p, n);
}

PUBLIC void *reallocarray(void *p, size_t count, size_t size)
{
    size_t n;

    if (__builtin_mul_overflow(count, size, &n)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(p, n);
}

PUBLIC void *aligned_alloc(size_t alignment, size_t n)
{
    return fails() ? NULL : __libc_memalign(alignment, n);
}

PUBLIC int posix_memalign(void **p, size_t alignment, size_t n)
{
    void *q = fails() ? NULL : __libc_memalign(alignment, n);

    if (q == NULL)
        return ENOMEM;
    *p = q;
    return 0;
}
