/* attr.h - the GNU attributes that tocsin uses, under their house names. */
#ifndef TOCSIN_ATTR_H
#define TOCSIN_ATTR_H

#define must_check        __attribute__((warn_unused_result))
#define printf_like(f, a) __attribute__((format(printf, f, a)))
#define no_return         __attribute__((noreturn))
#define is_unused         __attribute__((unused))
#define returns_owned     __attribute__((malloc, warn_unused_result))
#define falls_through     __attribute__((fallthrough))
#define is_likely(x)      __builtin_expect(!!(x), 1)
#define is_unlikely(x)    __builtin_expect(!!(x), 0)

/* A fact that compilers and analysers cannot see for themselves. */
#define assume(fact)                                                                               \
    do {                                                                                           \
        if (!(fact))                                                                               \
            __builtin_unreachable();                                                               \
    } while (0)

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The struct that ptr is the given member of. Needs <stddef.h>. */
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* design.md 4 "portability" */
_Static_assert(sizeof(void *) == 8 && sizeof(long) == 8, "64 bits");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little-endian");

#endif
