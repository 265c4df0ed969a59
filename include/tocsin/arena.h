/* arena.h - memory that is given back all at once.
 *
 * A request, a parsed document, an evaluation allocates from one arena and releases it at its end; nothing inside is
 * freed by itself. An arena with a limit never fails in the middle of building something: past the limit it goes on
 * serving and says so, and the owner of the loop that a user can size asks arena_is_full() once a step and stops with
 * ERR_LIMIT.
 *
 * Shapes   chunks of 4 KiB doubling up to 256 KiB, of a small one a sixteenth of what it holds; larger objects get a chunk of
 *          their own. Alignment 16.
 * Owns     the arena owns every byte handed out, until arena_release() or arena_reset().
 * Errors   none; out of memory aborts (base/mem.h).
 * Cost     a pointer bump; freed bytes are poisoned under ASan. One thread at a time.
 */
#ifndef TOCSIN_ARENA_H
#define TOCSIN_ARENA_H

#include "tocsin/attr.h"
#include "tocsin/str.h"

struct arena_chunk;
struct arena_taken;
struct buf;

struct arena {
    struct arena_chunk *head;
    struct arena_taken *taken; /* buffers that it frees with the rest */
    char *at, *end;
    size_t used;  /* bytes handed out */
    size_t limit; /* 0 = none */
    size_t first; /* bytes of the first chunk, its head included; 0 = 4096 */
};

void arena_init(struct arena *a, size_t limit);
/* The same for one of many that live long: it starts with 256 bytes, and little of it is ever unused. */
void arena_init_small(struct arena *a, size_t limit);
/* The same for one of which it is known how many bytes it will hold, each piece rounded up to 16. */
void arena_init_for(struct arena *a, size_t bytes);
void arena_release(struct arena *a);
void arena_reset(struct arena *a); /* forgets everything, keeps the newest chunk for reuse */
/* The same before a turn like the last one: keeps room for all of that in one chunk. */
void arena_rewind(struct arena *a);

void *arena_alloc(struct arena *a, size_t n) must_check;                  /* uninitialised */
void *arena_zalloc(struct arena *a, size_t n) must_check;                 /* zeroed */
void *arena_array(struct arena *a, size_t count, size_t size) must_check; /* zeroed */
/* An array of room elements: a copy of the n at v, v NULL when there are none, and zeros behind them. */
void *arena_copy(struct arena *a, const void *v, size_t n, size_t room, size_t size) must_check;
str arena_str(struct arena *a, str s); /* copy, with a NUL behind it */
static inline const char *arena_z(struct arena *a, str s)
{
    return arena_str(a, s).p;
}
str arena_printf(struct arena *a, const char *fmt, ...) printf_like(2, 3);
/* What b holds, not copied and without a NUL. It is the arena's from now on; b is empty. */
str arena_take(struct arena *a, struct buf *b);

static inline bool arena_is_full(const struct arena *a)
{
    return a->limit != 0 && a->used > a->limit;
}

#define arena_new(a, type) ((type *)arena_zalloc(a, sizeof(type)))

#endif
