/* map.h - hash maps, typed by macro, that iterate in the order of insertion.
 *
 *     MAP_DECLARE(alert_map, uint64_t, struct alert *);            in a header or a .c file
 *     MAP_DEFINE(alert_map, uint64_t, struct alert *, hash_u64, eq_u64);
 *     struct alert **slot = alert_map_put(&m, fp, a);              adds or replaces; borrowed until the next put
 *     struct alert **hit = alert_map_get(&m, fp);                  NULL when absent
 *     struct alert **got = alert_map_add(&m, fp, a, &is_new);      keeps what is there
 *     MAP_EACH (struct alert_map_entry, e, &m) use(e->key, e->value);
 *
 * A dense array holds the entries in insertion order; an open-addressing table of 32-bit indexes finds them (linear
 * probing, at most 2/3 full; the bits that an index leaves free hold the hash's, so that a miss is seldom read from the
 * array). Up to MAP_FEW entries have no such table: they are looked through, and a map of one entry is one small block.
 * Removal leaves a hole that MAP_EACH skips and the next growth closes. Iteration is therefore the same on every run,
 * whatever the seed, which the tests rely on. Removing the current entry while iterating is allowed; adding is not.
 *
 * Shapes   up to 2^31 entries.
 * Owns     the map owns its arrays, not what keys and values point to.
 * Cost     O(1); 16 bytes an entry besides key and value. Keys from the network need a seeded hash (hash.h).
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/hash.h"
#include "base/mem.h"

enum { MAP_FEW = 8 };

#define MAP_DECLARE(name, key_t, val_t)                                                            \
    struct name##_entry {                                                                          \
        key_t key;                                                                                 \
        val_t value;                                                                               \
        uint32_t hash;                                                                             \
        bool live;                                                                                 \
    };                                                                                             \
    struct name {                                                                                  \
        struct name##_entry *v;                                                                    \
        uint32_t *slots; /* index + 1 under the mask, the hash's bits above it; 0: never used */   \
        size_t n, used, cap, mask;                                                                 \
    };                                                                                             \
    struct name##_entry *name##_find(const struct name *m, key_t key) is_unused;                   \
    val_t *name##_get(const struct name *m, key_t key) is_unused;                                  \
    val_t *name##_put(struct name *m, key_t key, val_t value) is_unused;                           \
    val_t *name##_add(struct name *m, key_t key, val_t value, bool *is_new) is_unused;             \
    bool name##_del(struct name *m, key_t key) is_unused;                                          \
    void name##_del_entry(struct name *m, struct name##_entry *e) is_unused;                       \
    void name##_release(struct name *m) is_unused

#define MAP_EACH(entry_type, it, m)                                                                \
    for (entry_type *it = (m)->v; (m)->used != 0 && it < (m)->v + (m)->used; it++)                 \
        if (it->live)

#define MAP_DEFINE(name, key_t, val_t, hash_fn, eq_fn)                                             \
    static void name##_index_(struct name *m, size_t at, uint32_t h)                               \
    {                                                                                              \
        size_t s = h & m->mask;                                                                    \
                                                                                                   \
        if (m->slots == NULL)                                                                      \
            return;                                                                                \
        while (m->slots[s] != 0)                                                                   \
            s = (s + 1) & m->mask;                                                                 \
        m->slots[s] = (uint32_t)at | (h & ~(uint32_t)m->mask);                                     \
    }                                                                                              \
    static void name##_rebuild_(struct name *m, size_t cap)                                        \
    {                                                                                              \
        struct name##_entry *v = mem_array(cap, sizeof(*v));                                       \
        size_t slots = 8, k = 0;                                                                   \
                                                                                                   \
        while (cap > MAP_FEW && slots * 2 / 3 < cap)                                               \
            slots *= 2;                                                                            \
        mem_free(m->slots);                                                                        \
        m->slots = cap > MAP_FEW ? mem_array(slots, sizeof(m->slots[0])) : NULL;                   \
        m->mask = slots - 1;                                                                       \
        for (size_t i = 0; i < m->used; i++)                                                       \
            if (m->v[i].live) {                                                                    \
                v[k++] = m->v[i];                                                                  \
                name##_index_(m, k, v[k - 1].hash);                                                \
            }                                                                                      \
        mem_free(m->v);                                                                            \
        m->v = v;                                                                                  \
        m->used = k;                                                                               \
        m->cap = cap;                                                                              \
    }                                                                                              \
    static struct name##_entry *name##_find_hashed_(const struct name *m, key_t key, uint32_t h)   \
    {                                                                                              \
        for (size_t i = 0; m->slots == NULL && i < m->used; i++)                                   \
            if (m->v[i].hash == h && m->v[i].live && eq_fn(m->v[i].key, key))                      \
                return &m->v[i];                                                                   \
        if (m->slots == NULL)                                                                      \
            return NULL;                                                                           \
        for (size_t s = h & m->mask; m->slots[s] != 0; s = (s + 1) & m->mask) {                    \
            struct name##_entry *e = &m->v[(m->slots[s] & m->mask) - 1];                           \
                                                                                                   \
            if (((m->slots[s] ^ h) & ~(uint32_t)m->mask) != 0)                                     \
                continue;                                                                          \
            if (e->hash == h && e->live && eq_fn(e->key, key))                                     \
                return e;                                                                          \
        }                                                                                          \
        return NULL;                                                                               \
    }                                                                                              \
    struct name##_entry *name##_find(const struct name *m, key_t key)                              \
    {                                                                                              \
        return m->n != 0 ? name##_find_hashed_(m, key, (uint32_t)hash_fn(key)) : NULL;             \
    }                                                                                              \
    val_t *name##_get(const struct name *m, key_t key)                                             \
    {                                                                                              \
        struct name##_entry *e = name##_find(m, key);                                              \
                                                                                                   \
        return e != NULL ? &e->value : NULL;                                                       \
    }                                                                                              \
    val_t *name##_add(struct name *m, key_t key, val_t value, bool *is_new)                        \
    {                                                                                              \
        uint32_t h = (uint32_t)hash_fn(key);                                                       \
        struct name##_entry *e = name##_find_hashed_(m, key, h);                                   \
                                                                                                   \
        *is_new = e == NULL;                                                                       \
        if (e != NULL)                                                                             \
            return &e->value;                                                                      \
        if (m->used == m->cap)                                                                     \
            name##_rebuild_(m, m->n != 0 ? m->n * 2 : 1);                                          \
        e = &m->v[m->used++];                                                                      \
        *e = (struct name##_entry){.key = key, .value = value, .hash = h, .live = true};           \
        name##_index_(m, m->used, h);                                                              \
        m->n++;                                                                                    \
        return &e->value;                                                                          \
    }                                                                                              \
    val_t *name##_put(struct name *m, key_t key, val_t value)                                      \
    {                                                                                              \
        bool is_new;                                                                               \
        val_t *at = name##_add(m, key, value, &is_new);                                            \
                                                                                                   \
        *at = value;                                                                               \
        return at;                                                                                 \
    }                                                                                              \
    void name##_del_entry(struct name *m, struct name##_entry *e)                                  \
    {                                                                                              \
        e->live = false;                                                                           \
        m->n--;                                                                                    \
    }                                                                                              \
    bool name##_del(struct name *m, key_t key)                                                     \
    {                                                                                              \
        struct name##_entry *e = name##_find(m, key);                                              \
                                                                                                   \
        if (e == NULL)                                                                             \
            return false;                                                                          \
        name##_del_entry(m, e);                                                                    \
        return true;                                                                               \
    }                                                                                              \
    void name##_release(struct name *m)                                                            \
    {                                                                                              \
        mem_free(m->v);                                                                            \
        mem_free(m->slots);                                                                        \
        *m = (struct name){0};                                                                     \
    }                                                                                              \
    _Static_assert(sizeof(key_t) != 0, "key type")

/* The two most used maps. Keys are borrowed: they must outlive their entry. */
MAP_DECLARE(str_map, str, void *);
MAP_DECLARE(u64_map, uint64_t, void *);

#endif
