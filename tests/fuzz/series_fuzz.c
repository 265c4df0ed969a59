/* series_fuzz.c - lines of series notation: labels, then values. */
#include "tests_fuzz.h"

#include "promql/series.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct arena a;
    struct err e = ERR_INIT;
    struct series_line l;

    arena_init(&a, 0);
    if (size <= 1000 && !series_parse((str){(const char *)data, size}, &a, &l, &e) &&
        e.code == ERR_NONE)
        __builtin_trap();
    arena_release(&a);
    return 0;
}
