#include "notify/recall.h"

#include <pthread.h>
#include <string.h>
#include "base/mem.h"

enum { RECALL_MAX = 64 };

struct recalled {
    str name, value;
    ts_ns until;
};

struct recall {
    pthread_mutex_t lock;
    struct recalled v[RECALL_MAX];
    size_t n;
};

struct recall *recall_new(void)
{
    struct recall *r = mem_new(struct recall);

    pthread_mutex_init(&r->lock, NULL);
    return r;
}

static void wipe_str(str s)
{
    if (s.n != 0)
        explicit_bzero((char *)(uintptr_t)s.p, s.n);
    mem_str_free(s);
}

static void recall_drop(struct recall *r, size_t i)
{
    wipe_str(r->v[i].name);
    wipe_str(r->v[i].value);
    r->v[i] = r->v[--r->n];
}

void recall_free(struct recall *r)
{
    if (r == NULL)
        return;
    while (r->n != 0)
        recall_drop(r, r->n - 1);
    pthread_mutex_destroy(&r->lock);
    mem_free(r);
}

static size_t recall_find(const struct recall *r, str name)
{
    size_t i = 0;

    while (i < r->n && !str_eq(r->v[i].name, name))
        i++;
    return i;
}

static size_t first_to_expire(const struct recall *r)
{
    size_t first = 0;

    for (size_t i = 1; i < r->n; i++)
        if (r->v[i].until < r->v[first].until)
            first = i;
    return first;
}

void recall_put(struct recall *r, str name, str value, ts_ns until)
{
    size_t i;

    pthread_mutex_lock(&r->lock);
    i = recall_find(r, name);
    if (i < r->n)
        recall_drop(r, i);
    if (r->n == RECALL_MAX)
        recall_drop(r, first_to_expire(r));
    if (value.n != 0)
        r->v[r->n++] = (struct recalled){mem_str_dup(name), mem_str_dup(value), until};
    pthread_mutex_unlock(&r->lock);
}

bool recall_get(struct recall *r, str name, ts_ns now, struct arena *a, str *out)
{
    size_t i;
    bool found;

    pthread_mutex_lock(&r->lock);
    i = recall_find(r, name);
    found = i < r->n && now < r->v[i].until;
    if (found)
        *out = arena_str(a, r->v[i].value);
    pthread_mutex_unlock(&r->lock);
    return found;
}
