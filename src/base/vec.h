/* vec.h - a growing array of any element type.
 *
 *     VEC(struct route *) routes = VEC_INIT;
 *     vec_push(&routes, r);
 *     VEC_EACH (struct route **, p, &routes) ...
 *     vec_release(&routes);
 *
 * Shapes   {v, n, cap}; elements move when the vector grows, so keep indexes, not pointers, across a push.
 * Owns     the vector owns the array, never what the elements point to.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include "base/mem.h"

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *v;                                                                                   \
        size_t n, cap;                                                                             \
    }
#define VEC_INIT                                                                                   \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

#define vec_reserve(vec, count)                                                                    \
    do {                                                                                           \
        size_t want_ = (count);                                                                    \
        if ((vec)->cap < want_) {                                                                  \
            (vec)->cap = (vec)->cap * 2 > want_ ? (vec)->cap * 2 : want_ + 4;                      \
            (vec)->v = mem_resize((vec)->v, (vec)->cap, sizeof((vec)->v[0]));                      \
        }                                                                                          \
    } while (0)

#define vec_push(vec, ...)                                                                         \
    do {                                                                                           \
        vec_reserve(vec, (vec)->n + 1);                                                            \
        (vec)->v[(vec)->n++] = (__VA_ARGS__);                                                      \
    } while (0)

#define vec_pop(vec)  ((vec)->v[--(vec)->n])
#define vec_last(vec) (&(vec)->v[(vec)->n - 1])
/* Of two of one type. */
#define vec_swap(a, b)                                                                             \
    do {                                                                                           \
        __typeof__((a)->v) v_ = (a)->v;                                                            \
        size_t n_ = (a)->n, cap_ = (a)->cap;                                                       \
        (a)->v = (b)->v, (a)->n = (b)->n, (a)->cap = (b)->cap;                                     \
        (b)->v = v_, (b)->n = n_, (b)->cap = cap_;                                                 \
    } while (0)

/* Gives back what is not in use: of one that will not grow any more. */
#define vec_fit(vec)                                                                               \
    do {                                                                                           \
        if ((vec)->n != 0 && (vec)->n < (vec)->cap) {                                              \
            (vec)->cap = (vec)->n;                                                                 \
            (vec)->v = mem_resize((vec)->v, (vec)->cap, sizeof((vec)->v[0]));                      \
        }                                                                                          \
    } while (0)

#define vec_clear(vec) ((void)((vec)->n = 0))

/* Removes element i and keeps the order of the others. */
#define vec_remove(vec, i)                                                                         \
    do {                                                                                           \
        size_t at_ = (i);                                                                          \
        memmove(&(vec)->v[at_], &(vec)->v[at_ + 1], ((vec)->n - at_ - 1) * sizeof((vec)->v[0]));   \
        (vec)->n--;                                                                                \
    } while (0)

#define vec_release(vec)                                                                           \
    do {                                                                                           \
        mem_free((vec)->v);                                                                        \
        (vec)->v = NULL;                                                                           \
        (vec)->n = (vec)->cap = 0;                                                                 \
    } while (0)

#define VEC_EACH(ptr_type, it, vec)                                                                \
    for (ptr_type it = (vec)->v; (vec)->n != 0 && it < (vec)->v + (vec)->n; it++)

#endif
