/* Open addressing with linear probing, at most 2/3 full. A slot has a place and what it has bits left for of the hash, so that an
 * alert that is not meant is seldom read. */
#include "model/alert_table.h"

#include "base/hash.h"
#include "base/mem.h"

static uint32_t alert_table_hash(uint64_t fingerprint)
{
    return (uint32_t)hash_u64(fingerprint);
}

static void alert_table_index(struct alert_table *t, size_t at)
{
    uint32_t h;
    size_t s;

    if (t->slots == NULL)
        return;
    h = alert_table_hash(alert_fingerprint(t->v[at]));
    for (s = h & t->mask; t->slots[s] != 0;)
        s = (s + 1) & t->mask;
    t->slots[s] = (uint32_t)(at + 1) | (h & ~(uint32_t)t->mask);
}

/* -- sources -- */

static bool alert_has_source(const struct alert *a, struct hash_wide source)
{
    return a->source == source.low && a->source_more == (uint32_t)source.high;
}

static void alert_table_index_source(struct alert_table *t, size_t at)
{
    uint32_t h = (uint32_t)t->v[at]->source;
    size_t s = h & t->source_mask;

    while (t->sources[s] != 0)
        s = (s + 1) & t->source_mask;
    t->sources[s] = (uint32_t)(at + 1) | (h & ~(uint32_t)t->source_mask);
    t->n_sources++;
}

/* Places for twice as many as the list has room for. */
static void alert_table_rebuild_sources(struct alert_table *t)
{
    size_t slots = ALERT_TABLE_FEW;

    while (slots / 2 < t->cap)
        slots *= 2;
    mem_free(t->sources);
    t->sources = mem_array(slots, sizeof(t->sources[0]));
    t->source_mask = slots - 1;
    t->n_sources = 0;
    for (size_t i = 0; i < t->used; i++)
        if (t->v[i] != NULL && t->v[i]->source != 0)
            alert_table_index_source(t, i);
}

struct alert *alert_table_of_source(const struct alert_table *t, struct hash_wide source)
{
    uint32_t h = (uint32_t)source.low;

    if (t->sources == NULL || source.low == 0)
        return NULL;
    for (size_t s = h & t->source_mask; t->sources[s] != 0; s = (s + 1) & t->source_mask) {
        struct alert *a = t->v[(t->sources[s] & t->source_mask) - 1];

        if (((t->sources[s] ^ h) & ~(uint32_t)t->source_mask) == 0 && a != NULL &&
            alert_has_source(a, source))
            return a;
    }
    return NULL;
}

void alert_table_note_source(struct alert_table *t, struct alert *a, struct hash_wide source)
{
    if (alert_has_source(a, source))
        return;
    a->source = source.low;
    a->source_more = (uint32_t)source.high;
    if (source.low == 0)
        return;
    if (t->sources == NULL || t->n_sources > t->source_mask / 4 * 3)
        alert_table_rebuild_sources(t);
    else
        alert_table_index_source(t, (size_t)(alert_table_find(t, alert_fingerprint(a)) - t->v));
}

/* -- the table -- */

static void alert_table_rebuild(struct alert_table *t, size_t cap)
{
    struct alert **v = mem_array(cap, sizeof(struct alert *));
    size_t slots = ALERT_TABLE_FEW, k = 0;

    for (size_t i = 0; i < t->used; i++)
        if (t->v[i] != NULL)
            v[k++] = t->v[i];
    while (cap > ALERT_TABLE_FEW && slots * 2 / 3 < cap)
        slots *= 2;
    mem_free(t->v);
    mem_free(t->slots);
    t->v = v;
    t->slots = cap > ALERT_TABLE_FEW ? mem_array(slots, sizeof(t->slots[0])) : NULL;
    t->mask = slots - 1;
    t->used = k;
    t->cap = cap;
    for (size_t i = 0; i < k; i++)
        alert_table_index(t, i);
    if (t->sources != NULL)
        alert_table_rebuild_sources(t);
}

static bool alert_table_is_at(const struct alert_table *t, size_t at, uint64_t fingerprint)
{
    return t->v[at] != NULL && alert_fingerprint(t->v[at]) == fingerprint;
}

struct alert **alert_table_find(const struct alert_table *t, uint64_t fingerprint)
{
    uint32_t h;

    for (size_t i = 0; t->slots == NULL && i < t->used; i++)
        if (alert_table_is_at(t, i, fingerprint))
            return &t->v[i];
    if (t->slots == NULL)
        return NULL;
    h = alert_table_hash(fingerprint);
    for (size_t s = h & t->mask; t->slots[s] != 0; s = (s + 1) & t->mask) {
        size_t at = (t->slots[s] & t->mask) - 1;

        if (((t->slots[s] ^ h) & ~(uint32_t)t->mask) == 0 && alert_table_is_at(t, at, fingerprint))
            return &t->v[at];
    }
    return NULL;
}

struct alert *alert_table_get(const struct alert_table *t, uint64_t fingerprint)
{
    struct alert **at = alert_table_find(t, fingerprint);

    return at != NULL ? *at : NULL;
}

struct alert *alert_table_put(struct alert_table *t, struct alert *a)
{
    struct alert **at = t->n != 0 ? alert_table_find(t, alert_fingerprint(a)) : NULL, *was;

    if (at != NULL) {
        was = *at;
        *at = a;
        return was;
    }
    if (t->used == t->cap)
        alert_table_rebuild(t, t->n != 0 ? t->n * 2 : 1);
    t->v[t->used++] = a;
    t->n++;
    alert_table_index(t, t->used - 1);
    return NULL;
}

void alert_table_del(struct alert_table *t, struct alert **at)
{
    *at = NULL;
    t->n--;
}

void alert_table_release(struct alert_table *t)
{
    mem_free(t->v);
    mem_free(t->slots);
    mem_free(t->sources);
    *t = (struct alert_table){0};
}
