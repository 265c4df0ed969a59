#include "core/bucket.h"

#include <limits.h>
#include <stdio.h>
#include "base/mem.h"
#include "codec/pack.h"
#include "core/engine_priv.h"

enum { BUCKET_VERSION = 1 };

/* How late a message may be without being taken again. */
static dur_ns limit_grace(dur_ns per)
{
    return per / 6 < 10 * NS_PER_S ? per / 6 : 10 * NS_PER_S;
}

static struct pace_state limit_of(const struct pace_limit *p)
{
    unsigned n = p->messages, burst = n > 1 ? n / 2 : n;
    dur_ns grace = limit_grace(p->per), each;

    if (n == 0)
        return (struct pace_state){.spent = TS_NONE};
    if (p->burst != 0)
        return (struct pace_state){p->burst, p->per / n, p->per / n, TS_NONE};
    each = (p->per + grace) / (n > burst ? n - burst : 1) + 1;
    /* Of short spans most answers would be late: their services ask to wait, and block nobody. */
    return (struct pace_state){burst, each, p->per < NS_PER_M || grace > each ? each : grace,
                               TS_NONE};
}

void bucket_set(struct pace_bucket *b, const struct receiver_pace *pace)
{
    for (size_t i = 0; i < PACE_LIMITS; i++) {
        ts_ns spent = b->limits[i].spent;

        b->limits[i] = limit_of(&pace->limits[i]);
        b->limits[i].spent = spent;
    }
}

/* Mono: from when on the limit has room for one. */
static ts_ns limit_opens(const struct pace_state *l)
{
    return l->burst == 0 || l->spent == TS_NONE ? TS_NONE
                                                : l->spent - (dur_ns)(l->burst - 1) * l->each;
}

ts_ns bucket_opens(const struct pace_bucket *b)
{
    ts_ns opens = TS_NONE;

    for (size_t i = 0; i < PACE_LIMITS; i++) {
        ts_ns at = limit_opens(&b->limits[i]);

        opens = at > opens ? at : opens;
    }
    return opens;
}

unsigned bucket_left(const struct pace_bucket *b, ts_ns now)
{
    unsigned left = UINT_MAX;

    for (size_t i = 0; i < PACE_LIMITS; i++) {
        const struct pace_state *l = &b->limits[i];
        dur_ns spent = l->spent != TS_NONE && l->spent > now ? l->spent - now : 0;
        dur_ns room = (dur_ns)l->burst * l->each - spent;
        unsigned n = room > 0 && l->each > 0 ? (unsigned)(room / l->each) : 0;

        if (l->burst != 0 && n < left)
            left = n;
    }
    return left;
}

void bucket_take(struct pace_bucket *b, ts_ns now)
{
    for (size_t i = 0; i < PACE_LIMITS; i++) {
        struct pace_state *l = &b->limits[i];

        if (l->burst != 0)
            l->spent = ts_add(l->spent != TS_NONE && l->spent > now ? l->spent : now, l->each);
    }
}

bool bucket_arrived(struct pace_bucket *b, dur_ns took, ts_ns now)
{
    bool changed = false;

    for (size_t i = 0; i < PACE_LIMITS; i++) {
        struct pace_state *l = &b->limits[i];

        if (l->burst == 0 || took <= l->late)
            continue;
        l->spent = ts_add(l->spent != TS_NONE && l->spent > now ? l->spent : now, l->each);
        changed = true;
    }
    return changed;
}

/* -- those of the engine -- */

struct pace_bucket *bucket_of(const struct engine *e, uint64_t destination)
{
    void **slot = u64_map_get(&e->buckets, destination);

    return slot != NULL ? *slot : NULL;
}

static struct pace_bucket *bucket_find_or_new(struct engine *e, uint64_t id)
{
    struct pace_bucket *b = bucket_of(e, id);

    if (b != NULL)
        return b;
    b = mem_new(struct pace_bucket);
    b->id = id;
    for (size_t i = 0; i < PACE_LIMITS; i++)
        b->limits[i].spent = TS_NONE;
    u64_map_put(&e->buckets, id, b);
    return b;
}

void buckets_release(struct engine *e)
{
    MAP_EACH (struct u64_map_entry, it, &e->buckets)
        mem_free(it->value);
    u64_map_release(&e->buckets);
}

/* "bucket/00c0ffee...": in hexadecimal, the destination. */
static str bucket_key(char text[32], uint64_t id)
{
    int n = snprintf(text, 32, "bucket/%016llx", (unsigned long long)id);

    return (str){text, (size_t)n};
}

static void bucket_pack_row(struct state_commit *c, const struct pace_bucket *b, struct now now)
{
    struct buf out = BUF_INIT;
    char key[32];

    pack_u64(&out, BUCKET_VERSION);
    for (size_t i = 0; i < PACE_LIMITS; i++) {
        const struct pace_state *l = &b->limits[i];
        dur_ns spent = l->spent != TS_NONE && l->spent > now.mono ? l->spent - now.mono : 0;

        pack_i64(&out, ts_add(now.wall, spent));
    }
    state_put(c, STATE_META, bucket_key(key, b->id), buf_str(&out));
    buf_release(&out);
}

void bucket_put_row(struct effects *fx, const struct pace_bucket *b, struct now now)
{
    bucket_pack_row(&fx->commit, b, now);
}

/* Until when any limit is spent. */
static ts_ns bucket_full_at(const struct pace_bucket *b)
{
    ts_ns at = TS_NONE;

    for (size_t i = 0; i < PACE_LIMITS; i++)
        at = b->limits[i].spent > at ? b->limits[i].spent : at;
    return at;
}

void buckets_configure(struct engine *e, struct now now, struct effects *fx)
{
    (void)now, (void)fx;
    MAP_EACH (struct u64_map_entry, it, &e->buckets)
        ((struct pace_bucket *)it->value)->is_named = false;
    for (size_t i = 0; i < e->conf->n_receivers; i++)
        for (size_t k = 0; k < e->conf->receivers[i].n_integrations; k++) {
            const struct core_integration *ic = &e->conf->receivers[i].integrations[k];
            struct pace_bucket *b;

            if (ic->pace.limits[0].messages == 0)
                continue;
            b = bucket_find_or_new(e, ic->destination);
            /* of several receivers with one robot the last one's limits hold */
            bucket_set(b, &ic->pace);
            b->is_named = true;
        }
    MAP_EACH (struct u64_map_entry, it, &e->buckets) {
        struct pace_bucket *b = it->value;

        if (!b->is_named)
            bucket_set(b, &(struct receiver_pace){0});
    }
}

/* What is full needs no row; a destination that nobody names any more may come back until then. */
void buckets_gc(struct engine *e, struct now now, struct effects *fx)
{
    char key[32];

    MAP_EACH (struct u64_map_entry, it, &e->buckets) {
        struct pace_bucket *b = it->value;

        if (bucket_full_at(b) == TS_NONE ? b->is_named : bucket_full_at(b) > now.mono)
            continue;
        if (bucket_full_at(b) != TS_NONE)
            state_delete(&fx->commit, STATE_META, bucket_key(key, b->id));
        for (size_t i = 0; i < PACE_LIMITS; i++)
            b->limits[i].spent = TS_NONE;
        if (b->is_named)
            continue;
        u64_map_del_entry(&e->buckets, it);
        mem_free(b);
    }
}

void buckets_stepped(struct engine *e, dur_ns by, struct now now, struct effects *fx)
{
    (void)by;
    MAP_EACH (struct u64_map_entry, it, &e->buckets)
        if (bucket_full_at(it->value) > now.mono)
            bucket_put_row(fx, it->value, now);
}

/* A clock that was set back since must not close it for longer than it is ever spent. */
static ts_ns spent_again(const struct pace_state *l, ts_ns wall, struct now now)
{
    dur_ns most = l->burst != 0 ? (dur_ns)l->burst * l->each : NS_PER_H;
    dur_ns left = ts_sub(wall, now.wall);

    return left <= 0 ? TS_NONE : ts_add(now.mono, left < most ? left : most);
}

bool buckets_restore(struct restoring *r, str key, str value)
{
    struct unpack u = unpack_of(value);
    struct pace_bucket *b;
    uint64_t id = 0;

    if (!str_starts_with(key, S("bucket/")))
        return true;
    for (size_t i = strlen("bucket/"); i < key.n; i++)
        id = id << 4 | (uint64_t)(key.p[i] <= '9' ? key.p[i] - '0' : key.p[i] - 'a' + 10);
    if (unpack_u64(&u) != BUCKET_VERSION)
        return true;
    b = bucket_find_or_new(r->e, id);
    for (size_t i = 0; i < PACE_LIMITS; i++) {
        ts_ns wall = unpack_i64(&u);

        if (!u.failed)
            b->limits[i].spent = spent_again(&b->limits[i], wall, r->now);
    }
    if (bucket_opens(b) > r->now.mono)
        queue_hold(&r->e->queue, id, bucket_opens(b));
    return true;
}

void buckets_snapshot(struct engine *e, struct now now, struct state_commit *c)
{
    MAP_EACH (struct u64_map_entry, it, &e->buckets)
        if (bucket_full_at(it->value) > now.mono)
            bucket_pack_row(c, it->value, now);
}
