#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

/* Read by jemalloc, where it is linked (cmake/deps.cmake), at its start: the loop and the writer seldom meet in one arena,
 * what is free goes back within a twentieth of a second, what a large scrape or list took at once. */
extern const char *malloc_conf;
const char *malloc_conf = "narenas:2,dirty_decay_ms:50,muzzy_decay_ms:0,oversize_threshold:524288";

static void no_memory(size_t n) no_return;

static void no_memory(size_t n)
{
    fprintf(stderr, "tocsin: out of memory: cannot get %zu bytes\n", n);
    abort();
}

void bug(const char *file, int line, const char *what)
{
    fprintf(stderr, "tocsin: bug at %s:%d: %s\n", file, line, what);
    abort();
}

void *mem_alloc(size_t n)
{
    void *p = malloc(n != 0 ? n : 1);

    if (p == NULL)
        no_memory(n);
    return p;
}

void *mem_zalloc(size_t n)
{
    void *p = calloc(1, n != 0 ? n : 1);

    if (p == NULL)
        no_memory(n);
    return p;
}

void *mem_array(size_t count, size_t size)
{
    void *p = calloc(count != 0 ? count : 1, size != 0 ? size : 1);

    if (p == NULL)
        no_memory(count * size);
    return p;
}

void *mem_resize(void *p, size_t count, size_t size)
{
    void *q = reallocarray(p, count != 0 ? count : 1, size != 0 ? size : 1);

    if (q == NULL)
        no_memory(count * size);
    return q;
}

/* Of what libcurl gives back two thirds are NULL, and allocators ask late. */
void mem_free(void *p)
{
    if (p != NULL)
        free(p);
}

char *mem_zdup(str s)
{
    char *z = mem_alloc(s.n + 1);

    if (s.n != 0)
        memcpy(z, s.p, s.n);
    z[s.n] = '\0';
    return z;
}

str mem_str_dup(str s)
{
    return (str){mem_zdup(s), s.n};
}

void mem_str_free(str s)
{
    mem_free((char *)(uintptr_t)s.p);
}
