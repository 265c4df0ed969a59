/* mem.h - the only place that calls malloc.
 *
 * Control structures are small and their number is bounded by configuration, so running out of memory for one is a
 * fatal condition: these functions print one line and abort. What a user or peer can size lives in an arena with a
 * limit instead (arena.h) and ends in an error.
 *
 * Owns     the caller owns what it gets and gives it back with mem_free().
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include "base/attr.h"
#include "base/str.h"

enum { MEM_LINE = 64 }; /* bytes that come from memory at once */

void *mem_alloc(size_t n) returns_owned;                         /* uninitialised */
void *mem_zalloc(size_t n) returns_owned;                        /* zeroed */
void *mem_array(size_t count, size_t size) returns_owned;        /* zeroed, aborts on overflow */
void *mem_resize(void *p, size_t count, size_t size) must_check; /* realloc of count elements */
void mem_free(void *p);                                          /* NULL is fine */

char *mem_zdup(str s) returns_owned; /* NUL-terminated copy */
str mem_str_dup(str s);              /* owned copy; give .p back with mem_str_free() */
void mem_str_free(str s);

#define mem_new(type) ((type *)mem_zalloc(sizeof(type)))

/* A broken invariant of ours: prints where, aborts. */
void bug(const char *file, int line, const char *what) no_return;
#define BUG_ON(cond)                                                                               \
    do {                                                                                           \
        if (is_unlikely(cond))                                                                     \
            bug(__FILE__, __LINE__, #cond);                                                        \
    } while (0)

#endif
