#include "board/strip.h"

#define SLOT (NS_PER_D / STRIP_SLOTS)
enum { BLOCKS = 500 };

struct strip {
    int64_t slot; /* the newest that is written, counted from 1970 */
    size_t firing;
    unsigned char v[STRIP_SLOTS]; /* of slot n at n modulo the size */
};

static int64_t strip_slot(ts_ns t)
{
    return t > 0 ? t / SLOT : 0;
}

static unsigned char level_of(size_t firing)
{
    static const size_t most[] = {0, 1, 4, 9, 49};
    unsigned char level = 0;

    while (level < ARRAY_LEN(most) && firing > most[level])
        level++;
    return level;
}

void strips_release(struct strips *s)
{
    MAP_EACH (struct u64_map_entry, it, &s->of)
        mem_free(it->value);
    u64_map_release(&s->of);
}

uint64_t strip_key(str group_key, str receiver)
{
    return fnv1a_str(fnv1a_byte(fnv1a_str(FNV1A_INIT, group_key), 0xff), receiver);
}

/* What fires goes on firing until somebody says otherwise. */
static void strip_advance(struct strip *st, int64_t slot)
{
    int64_t from = slot - st->slot > STRIP_SLOTS ? slot - STRIP_SLOTS : st->slot;

    while (from < slot) {
        from++;
        st->v[from % STRIP_SLOTS] = level_of(st->firing);
    }
    if (slot > st->slot)
        st->slot = slot;
}

static void strip_note(void *arg, const struct decision *d)
{
    struct strips *s = arg;
    struct strip *st;
    unsigned char level;
    uint64_t key;
    void **at;

    if (d->kind != DECISION_NOTIFY)
        return;
    key = strip_key(d->group_key, d->receiver);
    at = u64_map_get(&s->of, key);
    if (at == NULL) {
        st = mem_new(struct strip);
        st->slot = strip_slot(d->at);
        at = u64_map_put(&s->of, key, st);
    }
    st = *at;
    strip_advance(st, strip_slot(d->at));
    st->firing = d->n_firing;
    level = level_of(d->n_firing);
    if (level > st->v[st->slot % STRIP_SLOTS])
        st->v[st->slot % STRIP_SLOTS] = level;
}

static void strips_sweep(struct strips *s, int64_t slot)
{
    if (slot == s->swept)
        return;
    s->swept = slot;
    MAP_EACH (struct u64_map_entry, it, &s->of) {
        const struct strip *st = it->value;

        if (st->firing != 0 || slot - st->slot < STRIP_SLOTS)
            continue;
        mem_free(it->value);
        u64_map_del_entry(&s->of, it);
    }
}

bool strips_read(struct strips *s, const struct journal *j, ts_ns now)
{
    bool more = journal_read(j, &s->block, BLOCKS, strip_note, s);

    if (!more)
        strips_sweep(s, strip_slot(now));
    return more;
}

bool strip_put(const struct strips *s, uint64_t key, ts_ns now, struct buf *out)
{
    void **at = u64_map_get(&s->of, key);
    int64_t slot = strip_slot(now);
    struct strip st;

    if (at == NULL)
        return false;
    st = *(const struct strip *)*at;
    strip_advance(&st, slot);
    for (int64_t i = st.slot - STRIP_SLOTS + 1; i <= st.slot; i++)
        buf_addc(out, (char)('0' + (i >= 0 ? st.v[i % STRIP_SLOTS] : 0)));
    return true;
}
