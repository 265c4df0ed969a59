#include "scrape/line_cache.h"

#include <string.h>

enum {
    SLOTS_MIN = 64,
    SCRAPES = INT16_MAX
}; /* numbers, from 1 on: the last one and this one have to differ */

void line_cache_release(struct line_cache *c)
{
    uint32_t scrape = c->scrape;

    vec_release(&c->v);
    mem_free(c->slots);
    *c = (struct line_cache){.scrape = scrape};
}

static void line_cache_file(struct line_cache *c, size_t i)
{
    size_t s = c->v.v[i].hash & c->mask;

    while (c->slots[s] != 0)
        s = (s + 1) & c->mask;
    c->slots[s] = (uint32_t)(i + 1);
}

/* At most two thirds full. */
static void rebuild(struct line_cache *c, size_t n)
{
    size_t slots = SLOTS_MIN;

    while (slots * 2 / 3 < n)
        slots *= 2;
    if (slots - 1 != c->mask || c->slots == NULL) {
        mem_free(c->slots);
        c->slots = mem_array(slots, sizeof(*c->slots));
        c->mask = slots - 1;
    } else {
        memset(c->slots, 0, slots * sizeof(*c->slots));
    }
    for (size_t i = 0; i < c->v.n; i++)
        line_cache_file(c, i);
}

size_t line_cache_bytes(const struct line_cache *c)
{
    return c->v.cap * sizeof(c->v.v[0]) + (c->slots != NULL ? c->mask + 1 : 0) * sizeof(*c->slots);
}

void line_cache_begin(struct line_cache *c)
{
    c->scrape = c->scrape % SCRAPES + 1;
    c->next = c->seen = 0;
}

static struct line *line_cache_find(const struct line_cache *c, uint64_t hash)
{
    if (c->slots == NULL)
        return NULL;
    for (size_t s = hash & c->mask; c->slots[s] != 0; s = (s + 1) & c->mask) {
        struct line *l = &c->v.v[c->slots[s] - 1];

        if (l->hash == hash)
            return l;
    }
    return NULL;
}

struct line *line_cache_get(struct line_cache *c, uint64_t hash, bool *is_new)
{
    struct line *l;

    *is_new = false;
    if (c->next < c->v.n && c->v.v[c->next].hash == hash)
        return &c->v.v[c->next++];
    l = line_cache_find(c, hash);
    *is_new = l == NULL;
    if (l == NULL) {
        vec_push(&c->v, (struct line){.hash = hash});
        if (c->slots == NULL || c->v.n > (c->mask + 1) * 2 / 3)
            rebuild(c, c->v.n + c->v.n / 2);
        else
            line_cache_file(c, c->v.n - 1);
        l = vec_last(&c->v);
    }
    c->next = (size_t)(l - c->v.v) + 1;
    return l;
}

void line_cache_end(struct line_cache *c)
{
    size_t n = 0;

    if (c->seen == c->v.n)
        return;
    for (size_t i = 0; i < c->v.n; i++)
        if (c->v.v[i].scrape == c->scrape)
            c->v.v[n++] = c->v.v[i];
    c->v.n = n;
    rebuild(c, n);
}
