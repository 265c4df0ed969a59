#include "tsdb/index.h"

MAP_DEFINE(pair_map, uint64_t, struct posting, hash_u64, eq_u64);
MAP_DEFINE(values_map, uint64_t, struct index_values, hash_u64, eq_u64);

enum { COST = sizeof(struct pair_map_entry) + 3 * sizeof(uint32_t) };

static uint64_t pair_of(uint32_t name, uint32_t value)
{
    return (uint64_t)name << 32 | value;
}

void index_release(struct index *ix)
{
    MAP_EACH (struct pair_map_entry, e, &ix->pairs)
        if (e->value.cap != 0)
            mem_free(e->value.ids.many);
    MAP_EACH (struct values_map_entry, e, &ix->values)
        vec_release(&e->value.v);
    pair_map_release(&ix->pairs);
    values_map_release(&ix->values);
}

static struct posting *new_pair(struct index *ix, struct symbols *sy, uint32_t name, uint32_t value)
{
    struct index_values *values = values_map_get(&ix->values, name);

    symbols_hold(sy, name);
    symbols_hold(sy, value);
    if (values == NULL)
        values = values_map_put(&ix->values, name, (struct index_values){VEC_INIT});
    vec_push(&values->v, value);
    ix->bytes += COST;
    return pair_map_put(&ix->pairs, pair_of(name, value), (struct posting){0});
}

/* Grows by a quarter: most of an index are the ids of a few labels that all series have. */
static void index_grow(struct index *ix, struct posting *p)
{
    uint32_t cap = p->n < 4 ? 4 : p->n + p->n / 4 + 1;
    uint32_t *v = mem_resize(p->cap != 0 ? p->ids.many : NULL, cap, sizeof(*v));

    if (p->cap == 0)
        v[0] = p->ids.one;
    ix->bytes += (cap - p->cap) * sizeof(*v);
    p->ids.many = v;
    p->cap = cap;
}

void index_add(struct index *ix, struct symbols *sy, uint32_t name, uint32_t value, uint32_t id)
{
    struct posting *p = pair_map_get(&ix->pairs, pair_of(name, value));

    if (p == NULL)
        p = new_pair(ix, sy, name, value);
    if (p->n == 0) {
        p->ids.one = id;
        p->n = 1;
        return;
    }
    if (p->n >= p->cap)
        index_grow(ix, p);
    p->ids.many[p->n++] = id;
}

const struct posting *index_get(const struct index *ix, uint32_t name, uint32_t value)
{
    return pair_map_get(&ix->pairs, pair_of(name, value));
}

const struct index_values *index_values(const struct index *ix, uint32_t name)
{
    return values_map_get(&ix->values, name);
}

static void forget_value(struct index *ix, uint32_t name, uint32_t value)
{
    struct values_map_entry *e = values_map_find(&ix->values, name);
    size_t i = 0;

    assume(e != NULL);
    while (e->value.v.v[i] != value)
        i++;
    e->value.v.v[i] = *vec_last(&e->value.v);
    e->value.v.n--;
    if (e->value.v.n != 0)
        return;
    vec_release(&e->value.v);
    values_map_del_entry(&ix->values, e);
}

void index_sweep(struct index *ix, struct symbols *sy, uint32_t name, uint32_t value,
                 bool (*is_dead)(void *arg, uint32_t id),
                 void (*forgot)(void *arg, uint32_t symbol), void *arg)
{
    struct pair_map_entry *e = pair_map_find(&ix->pairs, pair_of(name, value));
    struct posting *p;
    uint32_t *ids, k = 0;

    if (e == NULL)
        return;
    p = &e->value;
    ids = p->cap == 0 ? &p->ids.one : p->ids.many;
    for (uint32_t i = 0; i < p->n; i++)
        if (!is_dead(arg, ids[i]))
            ids[k++] = ids[i];
    p->n = k;
    if (k != 0)
        return;
    ix->bytes -= COST + p->cap * sizeof(*ids);
    if (p->cap != 0)
        mem_free(p->ids.many);
    pair_map_del_entry(&ix->pairs, e);
    forget_value(ix, name, value);
    if (symbols_unref(sy, value))
        forgot(arg, value);
    if (symbols_unref(sy, name))
        forgot(arg, name);
}
