#include "core/journal.h"

#include "codec/pack.h"

enum { KEY_SIZE = 16 }; /* hex digits: key order is the order of time */

static str put_key(char out[KEY_SIZE], uint64_t number)
{
    for (size_t i = KEY_SIZE; i-- != 0; number >>= 4)
        out[i] = "0123456789abcdef"[number & 15];
    return (str){out, KEY_SIZE};
}

/* Where an alert goes follows from the routes, and "nothing new" from the notification log: explain works both out. */
static bool is_news(const struct decision *d)
{
    return !d->is_repeated && d->kind != DECISION_GROUPED && d->kind != DECISION_NOTHING;
}

static void journal_append(struct journal *j, uint64_t number, ts_ns at, str bytes)
{
    vec_push(&j->blocks, (struct journal_block){number, at, mem_str_dup(bytes)});
    j->bytes += bytes.n;
    j->next = number + 1;
}

void journal_release(struct journal *j)
{
    for (size_t i = j->first; i < j->blocks.n; i++)
        mem_str_free(j->blocks.v[i].bytes);
    vec_release(&j->blocks);
    *j = (struct journal){0};
}

void journal_add(struct journal *j, const struct decision *v, size_t n, struct state_commit *c)
{
    struct buf b = BUF_INIT;
    char key[KEY_SIZE];
    ts_ns at = 0;

    for (size_t i = 0; i < n; i++) {
        if (!is_news(&v[i]))
            continue;
        decision_pack(&b, &v[i]);
        at = v[i].at;
    }
    if (b.n != 0) {
        state_put(c, STATE_DECISION, put_key(key, j->next), buf_str(&b));
        journal_append(j, j->next, at, buf_str(&b));
    }
    buf_release(&b);
}

static void drop_oldest(struct journal *j, struct state_commit *c)
{
    struct journal_block *b = &j->blocks.v[j->first++];
    char key[KEY_SIZE];

    state_delete(c, STATE_DECISION, put_key(key, b->number));
    j->bytes -= b->bytes.n;
    mem_str_free(b->bytes);
}

void journal_trim(struct journal *j, ts_ns before, size_t max_bytes, struct state_commit *c)
{
    while (j->first < j->blocks.n && (j->blocks.v[j->first].at < before || j->bytes > max_bytes))
        drop_oldest(j, c);
    if (j->first > j->blocks.n / 2) {
        j->blocks.n -= j->first;
        memmove(j->blocks.v, j->blocks.v + j->first, j->blocks.n * sizeof(j->blocks.v[0]));
        j->first = 0;
    }
}

bool journal_restore(struct journal *j, str key, str value)
{
    struct unpack u = unpack_of(value);
    struct decision d;
    struct arena a;
    uint64_t number = 0;
    bool ok = key.n == KEY_SIZE;

    for (size_t i = 0; i < key.n && ok; i++) {
        char c = key.p[i];

        ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        number = number << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    arena_init(&a, 0);
    ok = ok && decision_unpack(&u, &a, &d);
    if (ok)
        journal_append(j, number, d.at, value);
    arena_release(&a);
    return ok;
}

void journal_snapshot(const struct journal *j, struct state_commit *c)
{
    char key[KEY_SIZE];

    for (size_t i = j->first; i < j->blocks.n; i++)
        state_put(c, STATE_DECISION, put_key(key, j->blocks.v[i].number), j->blocks.v[i].bytes);
}

/* -- reading -- */

/* Of blocks that are there: the first whose number is not less. Numbers grow, with holes where a store lost some. */
static size_t block_from(const struct journal *j, uint64_t number)
{
    size_t lo = j->first, hi = j->blocks.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (j->blocks.v[mid].number < number)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct journal_scanning {
    struct journal_place *place;
    bool (*seen)(void *arg, const struct decision *d, struct journal_place at);
    void *arg;
    size_t n;
};

/* A block's records can only be read forwards. */
static bool scan_block(const struct journal_block *b, struct arena *a, struct journal_scanning *s)
{
    struct unpack u = unpack_of(b->bytes);
    VEC(struct decision) v = VEC_INIT;
    struct decision d;
    bool go_on = true, is_same = b->number == s->place->block;

    while (!unpack_at_end(&u) && (!is_same || v.n < s->place->index) && decision_unpack(&u, a, &d))
        vec_push(&v, d);
    while (v.n != 0 && go_on) {
        d = vec_pop(&v);
        s->n++;
        *s->place = (struct journal_place){b->number, v.n};
        go_on = s->seen(s->arg, &d, *s->place);
    }
    vec_release(&v);
    return go_on;
}

bool journal_scan_back(const struct journal *j, struct journal_place *place, size_t most,
                       bool (*seen)(void *arg, const struct decision *d, struct journal_place at),
                       void *arg)
{
    struct journal_scanning s = {.place = place, .seen = seen, .arg = arg};
    size_t i = place->block == UINT64_MAX ? j->blocks.n : block_from(j, place->block + 1);
    bool go_on = true;
    struct arena a;

    arena_init(&a, 0);
    for (; i > j->first && go_on && s.n < most; i--) {
        go_on = scan_block(&j->blocks.v[i - 1], &a, &s);
        arena_reset(&a);
    }
    arena_release(&a);
    return go_on && i > j->first;
}

struct journal_plain {
    bool (*seen)(void *arg, const struct decision *d);
    void *arg;
};

static bool journal_seen_plain(void *arg, const struct decision *d, struct journal_place at)
{
    const struct journal_plain *p = arg;

    (void)at;
    return p->seen(p->arg, d);
}

void journal_scan(const struct journal *j, bool (*seen)(void *arg, const struct decision *d),
                  void *arg)
{
    struct journal_place place = JOURNAL_END;
    struct journal_plain p = {seen, arg};

    (void)journal_scan_back(j, &place, SIZE_MAX, journal_seen_plain, &p);
}

bool journal_is_first(const struct journal *j, uint64_t block)
{
    return block_from(j, block) == j->first;
}

bool journal_read(const struct journal *j, uint64_t *from, size_t blocks,
                  void (*seen)(void *arg, const struct decision *d), void *arg)
{
    size_t i = block_from(j, *from), end = i + blocks < j->blocks.n ? i + blocks : j->blocks.n;
    struct arena a;

    arena_init(&a, 0);
    for (; i < end; i++) {
        struct unpack u = unpack_of(j->blocks.v[i].bytes);
        struct decision d;

        while (!unpack_at_end(&u) && decision_unpack(&u, &a, &d))
            seen(arg, &d);
        arena_reset(&a);
        *from = j->blocks.v[i].number + 1;
    }
    arena_release(&a);
    return i < j->blocks.n;
}
