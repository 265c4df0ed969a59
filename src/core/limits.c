#include "core/limits.h"

#include "base/heap.h"
#include "base/mem.h"

struct limited {
    struct heap_node node; /* keyed by the alert's end, wall */
    uint64_t fingerprint;
};

struct limit_bucket {
    struct u64_map known; /* fingerprint -> struct limited * */
    struct heap by_end;
};

MAP_DEFINE(bucket_map, str, struct limit_bucket *, hash_str, str_eq);

static void limits_bucket_free(struct limit_bucket *b)
{
    MAP_EACH (struct u64_map_entry, it, &b->known)
        mem_free(it->value);
    u64_map_release(&b->known);
    heap_release(&b->by_end);
    mem_free(b);
}

void limits_count_names(struct alert_limits *l)
{
    l->names = mem_new(struct str_map);
}

static void limits_count_dropped(struct alert_limits *l, str name)
{
    void **n;

    l->dropped_by_name++;
    if (l->names == NULL)
        return;
    n = str_map_get(l->names, name);
    if (n == NULL)
        n = str_map_put(l->names, mem_str_dup(name), NULL);
    *n = (void *)((uintptr_t)*n + 1);
}

static void names_release(struct alert_limits *l)
{
    if (l->names == NULL)
        return;
    MAP_EACH (struct str_map_entry, it, l->names)
        mem_str_free(it->key);
    str_map_release(l->names);
    mem_free(l->names);
}

void limits_release(struct alert_limits *l)
{
    names_release(l);
    MAP_EACH (struct bucket_map_entry, it, &l->buckets) {
        mem_str_free(it->key);
        limits_bucket_free(it->value);
    }
    bucket_map_release(&l->buckets);
}

static struct limit_bucket *limits_bucket_of(struct alert_limits *l, str name)
{
    struct limit_bucket **slot = bucket_map_get(&l->buckets, name), *b;

    if (slot != NULL)
        return *slot;
    b = mem_new(struct limit_bucket);
    bucket_map_put(&l->buckets, mem_str_dup(name), b);
    return b;
}

bool limits_admit_name(struct alert_limits *l, const struct alert *a, struct now now)
{
    const struct heap_node *first;
    struct limit_bucket *b;
    struct limited *it;
    void **slot;

    if (l->per_alertname == 0)
        return true;
    b = limits_bucket_of(l, label_set_get(a->labels, S("alertname")));
    slot = u64_map_get(&b->known, alert_fingerprint(a));
    first = heap_min(&b->by_end);
    if (slot != NULL) {
        it = *slot;
    } else if (b->known.n < l->per_alertname) {
        it = mem_new(struct limited);
    } else if (first != NULL && first->key <= now.wall) {
        it = container_of(heap_pop(&b->by_end), struct limited, node);
        u64_map_del(&b->known, it->fingerprint);
    } else {
        limits_count_dropped(l, label_set_get(a->labels, S("alertname")));
        return false;
    }
    it->fingerprint = alert_fingerprint(a);
    u64_map_put(&b->known, it->fingerprint, it);
    heap_push(&b->by_end, &it->node, a->ends_at);
    return true;
}

static bool has_ended(const struct limit_bucket *b, struct now now)
{
    MAP_EACH (struct u64_map_entry, it, &b->known)
        if (((const struct limited *)it->value)->node.key > now.wall)
            return false;
    return true;
}

void limits_gc(struct alert_limits *l, struct now now)
{
    MAP_EACH (struct bucket_map_entry, it, &l->buckets) {
        str name = it->key;
        struct limit_bucket *b = it->value;

        if (!has_ended(b, now))
            continue;
        bucket_map_del_entry(&l->buckets, it);
        mem_str_free(name);
        limits_bucket_free(b);
    }
}
