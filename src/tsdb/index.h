/* index.h - which series have a label: (name, value) to ids, and a name to its values.
 *
 * Shapes   ids in the order in which they came; a label of one series takes no array.
 * Owns     the index holds one reference to the symbols of every pair that some series has.
 * Cost     add O(1); a sweep goes over the ids of one pair.
 */
#ifndef TSDB_INDEX_H
#define TSDB_INDEX_H

#include "tsdb/symbols.h"

struct posting {
    uint32_t n, cap; /* cap 0: the one id is inline */
    union {
        uint32_t one;
        uint32_t *many;
    } ids;
};

static inline const uint32_t *posting_ids(const struct posting *p)
{
    return p->cap == 0 ? &p->ids.one : p->ids.many;
}

struct index_values {
    VEC(uint32_t) v; /* symbols */
};

MAP_DECLARE(pair_map, uint64_t, struct posting);
MAP_DECLARE(values_map, uint64_t, struct index_values);

struct index {
    struct pair_map pairs;
    struct values_map values; /* by name */
    size_t bytes;
};

void index_release(struct index *ix);
void index_add(struct index *ix, struct symbols *sy, uint32_t name, uint32_t value, uint32_t id);
const struct posting *index_get(const struct index *ix, uint32_t name,
                                uint32_t value);                                /* or NULL */
const struct index_values *index_values(const struct index *ix, uint32_t name); /* or NULL */
/* Takes out the ids for which is_dead(arg, id); calls forgot(arg, symbol) for symbols that went with the pair. */
void index_sweep(struct index *ix, struct symbols *sy, uint32_t name, uint32_t value,
                 bool (*is_dead)(void *arg, uint32_t id),
                 void (*forgot)(void *arg, uint32_t symbol), void *arg);

#endif
