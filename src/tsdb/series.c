#include "tsdb/series.h"

#include "base/hash.h"

static size_t key_size(uint32_t n)
{
    return sizeof(struct series_key) + n * sizeof(struct series_label);
}

void series_release(struct series_table *t)
{
    for (size_t i = 0; i < t->keys.n; i++)
        mem_free(t->keys.v[i]);
    vec_release(&t->keys);
    vec_release(&t->places);
    vec_release(&t->unused);
    mem_free(t->slots);
}

static uint64_t hash_labels(const struct series_label *v, uint32_t n)
{
    return hash_bytes(v, n * sizeof(*v));
}

uint32_t series_find(const struct series_table *t, const struct series_label *v, uint32_t n)
{
    uint64_t hash = hash_labels(v, n);

    if (t->n == 0)
        return SERIES_NONE;
    for (size_t i = hash & t->mask; t->slots[i] != 0; i = (i + 1) & t->mask) {
        const struct series_key *k = t->keys.v[t->slots[i] - 1];

        if (k->hash == hash && k->n == n && memcmp(k->v, v, n * sizeof(*v)) == 0)
            return t->slots[i] - 1;
    }
    return SERIES_NONE;
}

static void insert(struct series_table *t, uint64_t hash, uint32_t id)
{
    size_t i = hash & t->mask;

    while (t->slots[i] != 0)
        i = (i + 1) & t->mask;
    t->slots[i] = id + 1;
}

static void rehash(struct series_table *t)
{
    size_t size = t->mask == 0 ? 64 : 2 * (t->mask + 1);

    mem_free(t->slots);
    t->slots = mem_array(size, sizeof(*t->slots));
    t->bytes += (size - (t->mask == 0 ? 0 : t->mask + 1)) * sizeof(*t->slots);
    t->mask = size - 1;
    for (size_t id = 0; id < t->keys.n; id++)
        if (t->keys.v[id] != NULL)
            insert(t, t->keys.v[id]->hash, (uint32_t)id);
}

uint32_t series_add(struct series_table *t, const struct series_label *v, uint32_t n)
{
    struct series_key *k = mem_alloc(key_size(n));
    uint32_t id;

    *k = (struct series_key){.hash = hash_labels(v, n), .n = n};
    memcpy(k->v, v, n * sizeof(*v));
    if (t->unused.n == 0) {
        vec_push(&t->keys, NULL);
        vec_push(&t->places, (struct series_place){0});
    }
    id = t->unused.n != 0 ? vec_pop(&t->unused) : (uint32_t)t->keys.n - 1;
    if ((t->n + 1) * 3 > t->mask * 2)
        rehash(t);
    t->keys.v[id] = k;
    t->n++;
    t->bytes += key_size(n) + sizeof(k) + sizeof(struct series_place);
    insert(t, k->hash, id);
    return id;
}

/* Closes the gap: whoever was pushed past it on the way from its own slot moves back into it. */
static void unlink_slot(struct series_table *t, uint32_t id)
{
    size_t gap = t->keys.v[id]->hash & t->mask, i;

    while (t->slots[gap] != id + 1)
        gap = (gap + 1) & t->mask;
    for (i = (gap + 1) & t->mask; t->slots[i] != 0; i = (i + 1) & t->mask) {
        size_t home = t->keys.v[t->slots[i] - 1]->hash & t->mask;

        if (((i - home) & t->mask) >= ((i - gap) & t->mask)) {
            t->slots[gap] = t->slots[i];
            gap = i;
        }
    }
    t->slots[gap] = 0;
}

void series_del(struct series_table *t, uint32_t id)
{
    struct series_key *k = t->keys.v[id];

    unlink_slot(t, id);
    t->bytes -= key_size(k->n) + sizeof(k) + sizeof(struct series_place);
    mem_free(k);
    t->keys.v[id] = NULL;
    t->places.v[id] = (struct series_place){0};
    vec_push(&t->unused, id);
    t->n--;
}
