#include "core/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include "codec/pack.h"

enum { KEY_SIZE = 17 }; /* 16 hex digits: key order is the order of time */

static str put_key(char out[KEY_SIZE], uint64_t number)
{
    snprintf(out, KEY_SIZE, "%016" PRIx64, number);
    return (str){out, KEY_SIZE - 1};
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
    bool ok = key.n == KEY_SIZE - 1;

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

/* A block's records can only be read forwards. */
static bool scan_block(str bytes, struct arena *a,
                       bool (*seen)(void *arg, const struct decision *d), void *arg)
{
    struct unpack u = unpack_of(bytes);
    VEC(struct decision) v = VEC_INIT;
    struct decision d;
    bool go_on = true;

    while (!unpack_at_end(&u) && decision_unpack(&u, a, &d))
        vec_push(&v, d);
    while (v.n != 0 && go_on)
        go_on = seen(arg, &vec_pop(&v));
    vec_release(&v);
    return go_on;
}

void journal_scan(const struct journal *j, bool (*seen)(void *arg, const struct decision *d),
                  void *arg)
{
    struct arena a;

    arena_init(&a, 0);
    for (size_t i = j->blocks.n; i > j->first; i--) {
        if (!scan_block(j->blocks.v[i - 1].bytes, &a, seen, arg))
            break;
        arena_reset(&a);
    }
    arena_release(&a);
}
