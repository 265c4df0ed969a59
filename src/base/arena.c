#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include "base/buf.h"
#include "base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#endif
#endif
#ifndef ASAN_POISON_MEMORY_REGION
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum { ALIGN = 16, CHUNK_SMALL = 256, CHUNK_MIN = 4096, CHUNK_MAX = 256 * 1024 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* of the whole: allocators have classes of the sizes that next_chunk() says */
    _Alignas(ALIGN) char bytes[];
};

struct arena_taken {
    struct arena_taken *next;
    struct buf buf;
};

void arena_init(struct arena *a, size_t limit)
{
    *a = (struct arena){.limit = limit};
}

void arena_init_small(struct arena *a, size_t limit)
{
    *a = (struct arena){.limit = limit, .first = CHUNK_SMALL};
}

void arena_init_for(struct arena *a, size_t bytes)
{
    *a = (struct arena){.first = sizeof(struct arena_chunk) + bytes};
}

static void free_chunks(struct arena_chunk *c)
{
    while (c != NULL) {
        struct arena_chunk *next = c->next;

        ASAN_UNPOISON_MEMORY_REGION(c->bytes, c->size - sizeof(*c));
        mem_free(c);
        c = next;
    }
}

static void free_taken(struct arena *a)
{
    for (; a->taken != NULL; a->taken = a->taken->next)
        buf_release(&a->taken->buf);
}

static void begin_chunk(struct arena *a, struct arena_chunk *c)
{
    a->at = c->bytes;
    a->end = (char *)c + c->size;
    ASAN_POISON_MEMORY_REGION(c->bytes, c->size - sizeof(*c));
}

static void add_chunk(struct arena *a, size_t size)
{
    struct arena_chunk *c = mem_alloc(size);

    c->size = size;
    c->next = a->head;
    a->head = c;
    begin_chunk(a, c);
}

void arena_release(struct arena *a)
{
    free_taken(a);
    free_chunks(a->head);
    *a = (struct arena){.limit = a->limit, .first = a->first};
}

void arena_reset(struct arena *a)
{
    struct arena_chunk *c = a->head;

    free_taken(a);
    a->used = 0;
    if (c == NULL)
        return;
    free_chunks(c->next);
    c->next = NULL;
    begin_chunk(a, c);
}

void arena_rewind(struct arena *a)
{
    size_t size = 0;

    if (a->head == NULL || a->head->next == NULL) {
        arena_reset(a);
        return;
    }
    for (struct arena_chunk *c = a->head; c != NULL; c = c->next)
        size += c->size;
    arena_release(a);
    add_chunk(a, size);
}

/* A small one is to be nearly full, any other soon big enough. */
static size_t next_chunk(const struct arena *a)
{
    if (a->first != 0)
        return a->used / 16 > a->first ? a->used / 16 : a->first;
    return a->head != NULL ? a->head->size * 2 : CHUNK_MIN;
}

static void arena_grow(struct arena *a, size_t n)
{
    size_t size = next_chunk(a);

    if (size > CHUNK_MAX)
        size = CHUNK_MAX;
    if (size < sizeof(struct arena_chunk) + n)
        size = sizeof(struct arena_chunk) + n;
    add_chunk(a, size);
}

void *arena_alloc(struct arena *a, size_t n)
{
    static _Alignas(ALIGN) char nothing[ALIGN];
    size_t room = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    void *p;

    BUG_ON(room < n);
    if (room == 0)
        return nothing; /* an empty array is no room of its own */
    if ((size_t)(a->end - a->at) < room)
        arena_grow(a, room);
    p = a->at;
    a->at += room;
    a->used += room;
    ASAN_UNPOISON_MEMORY_REGION(p, n);
    return p;
}

void *arena_zalloc(struct arena *a, size_t n)
{
    return memset(arena_alloc(a, n), 0, n);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t n;

    BUG_ON(__builtin_mul_overflow(count, size, &n));
    return arena_zalloc(a, n);
}

void *arena_copy(struct arena *a, const void *v, size_t n, size_t room, size_t size)
{
    void *out = arena_array(a, room, size);

    BUG_ON(n > room);
    if (n != 0)
        memcpy(out, v, n * size);
    return out;
}

str arena_str(struct arena *a, str s)
{
    char *p = arena_alloc(a, s.n + 1);

    if (s.n != 0)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return (str){p, s.n};
}

str arena_take(struct arena *a, struct buf *b)
{
    struct arena_taken *t = arena_new(a, struct arena_taken);

    t->next = a->taken;
    t->buf = *b;
    a->taken = t;
    a->used += b->n;
    buf_init(b);
    return buf_str(&t->buf);
}

str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, ap2;
    int n;
    char *p;

    va_start(ap, fmt);
    va_copy(ap2, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    BUG_ON(n < 0);
    p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, ap2);
    va_end(ap2);
    return (str){p, (size_t)n};
}
