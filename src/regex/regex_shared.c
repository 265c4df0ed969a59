/* A count goes to 0 only under the lock, and only there may it grow without a reference: what is found is alive. */
#include "regex/regex_shared.h"

#include "base/map.h"

struct regex_key {
    str pattern;
    unsigned flags;
};

/* The same for the life of the program, whoever seeds hashes anew. */
static uint64_t regex_key_hash(struct regex_key k)
{
    return hash_xxh64(k.pattern) + k.flags;
}

static bool regex_key_eq(struct regex_key a, struct regex_key b)
{
    return a.flags == b.flags && str_eq(a.pattern, b.pattern);
}

MAP_DECLARE(shared_regex_map, struct regex_key, struct regex *);
MAP_DEFINE(shared_regex_map, struct regex_key, struct regex *, regex_key_hash, regex_key_eq);

static struct shared_regex_map known;
static atomic_flag is_locked = ATOMIC_FLAG_INIT;

static void table_lock(void)
{
    while (atomic_flag_test_and_set_explicit(&is_locked, memory_order_acquire))
        ;
}

static void table_unlock(void)
{
    atomic_flag_clear_explicit(&is_locked, memory_order_release);
}

static struct regex *regex_take_found(struct regex **hit)
{
    if (hit == NULL)
        return NULL;
    atomic_fetch_add_explicit(regex_refs(*hit), 1, memory_order_relaxed);
    return *hit;
}

struct regex *regex_shared_find(str pattern, unsigned flags)
{
    struct regex *re;

    table_lock();
    re = regex_take_found(shared_regex_map_get(&known, (struct regex_key){pattern, flags}));
    table_unlock();
    return re;
}

struct regex *regex_shared_put(struct regex *re, str pattern, unsigned flags)
{
    struct regex_key key = {pattern, flags};
    struct regex *other;

    table_lock();
    other = regex_take_found(shared_regex_map_get(&known, key));
    if (other == NULL)
        shared_regex_map_put(&known, key, re);
    table_unlock();
    return other != NULL ? other : re;
}

bool regex_shared_drop(atomic_uint *refs, str pattern, unsigned flags)
{
    unsigned n = atomic_load_explicit(refs, memory_order_relaxed);
    bool is_last;

    while (n > 1)
        if (atomic_compare_exchange_weak_explicit(refs, &n, n - 1, memory_order_acq_rel,
                                                  memory_order_relaxed))
            return false;
    table_lock();
    is_last = atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel) == 1;
    if (is_last)
        (void)shared_regex_map_del(&known, (struct regex_key){pattern, flags});
    table_unlock();
    return is_last;
}
