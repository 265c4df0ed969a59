/* A silence with the sets {alertname="A", pod=~"x.*"} and {job="j"} is filed twice: under the pair (alertname, A) and
 * under (job, j). To ask about an alert, each of its labels is one look-up; what is found there, and what is filed under
 * "any", is then matched in full. A silence found by two labels is reported once, because its sets are tried from one
 * mark on: `seen` holds the number of the question. */
#include "route/silencer.h"

#include <stdlib.h>

enum { NEWS_MAX = 8 }; /* more are asked for by the index: a look-up a label */

struct filed {
    struct silence *s;
    uint64_t order; /* of creation */
    uint64_t seen;
    struct filed *newer, *older; /* by revision, of those that were stamped */
    uint64_t revision;
};

struct bucket {
    VEC(struct filed *) v;
};

MAP_DECLARE(filed_map, str, struct filed *);
MAP_DEFINE(filed_map, str, struct filed *, hash_str, str_eq);

struct silencer {
    struct filed_map by_id;
    struct u64_map by_pair; /* pair_hash -> struct bucket * */
    struct bucket any;
    struct filed *newest;
    uint64_t orders, questions, scanned;
    struct silencer_limits limits;
};

static uint64_t pair_hash(str name, str value)
{
    return hash_u64(hash_str(name) ^ (hash_str(value) * 3));
}

struct silencer *silencer_new(void)
{
    return mem_new(struct silencer);
}

void silencer_set_limits(struct silencer *s, struct silencer_limits limits)
{
    s->limits = limits;
}

static bool within_size(const struct silencer *s, const struct silence *in, struct err *e)
{
    struct buf b = BUF_INIT;
    size_t n;

    if (s->limits.bytes == 0)
        return true;
    silence_pack(&b, in);
    n = b.n;
    buf_release(&b);
    return n <= s->limits.bytes ||
           err_set(e, ERR_LIMIT, "silence exceeded maximum size: %zu bytes (limit: %zu bytes)", n,
                   s->limits.bytes);
}

/* The matcher that a set is filed under, or NULL for "any". */
static const struct matcher *filing(const struct matchers *ms)
{
    for (size_t i = 0; i < ms->n; i++)
        if (ms->v[i].op == MATCH_EQ && ms->v[i].value.n != 0)
            return &ms->v[i];
    return NULL;
}

static struct bucket *silencer_bucket_of(struct silencer *s, const struct matchers *ms, bool create)
{
    const struct matcher *m = filing(ms);
    uint64_t h;
    void **slot;
    struct bucket *b;

    if (m == NULL)
        return &s->any;
    h = pair_hash(m->name, m->value);
    slot = u64_map_get(&s->by_pair, h);
    if (slot != NULL)
        return *slot;
    if (!create)
        return NULL;
    b = mem_new(struct bucket);
    u64_map_put(&s->by_pair, h, b);
    return b;
}

static void file_in(struct silencer *s, struct filed *f)
{
    for (size_t i = 0; i < f->s->n_sets; i++) {
        struct bucket *b = silencer_bucket_of(s, &f->s->sets[i], true);

        vec_push(&b->v, f);
    }
}

static void file_out(struct silencer *s, struct filed *f)
{
    for (size_t i = 0; i < f->s->n_sets; i++) {
        struct bucket *b = silencer_bucket_of(s, &f->s->sets[i], false);

        for (size_t j = 0; b != NULL && j < b->v.n; j++)
            if (b->v.v[j] == f)
                vec_remove(&b->v, j--);
    }
}

void silencer_free(struct silencer *s)
{
    if (s == NULL)
        return;
    MAP_EACH (struct filed_map_entry, e, &s->by_id) {
        silence_free(e->value->s);
        mem_free(e->value);
    }
    filed_map_release(&s->by_id);
    MAP_EACH (struct u64_map_entry, e, &s->by_pair) {
        struct bucket *b = e->value;

        vec_release(&b->v);
        mem_free(b);
    }
    u64_map_release(&s->by_pair);
    vec_release(&s->any.v);
    mem_free(s);
}

const struct silence *silencer_get(const struct silencer *s, str id)
{
    struct filed **f = filed_map_get(&s->by_id, id);

    return f != NULL ? (*f)->s : NULL;
}

size_t silencer_count(const struct silencer *s)
{
    return s->by_id.n;
}

/* -- revisions -- */

static void unstamp(struct silencer *s, struct filed *f)
{
    if (f->newer != NULL)
        f->newer->older = f->older;
    else if (s->newest == f)
        s->newest = f->older;
    if (f->older != NULL)
        f->older->newer = f->newer;
    f->newer = f->older = NULL;
}

void silencer_stamp(struct silencer *s, str id, uint64_t revision)
{
    struct filed **slot = filed_map_get(&s->by_id, id), *f;

    if (slot == NULL)
        return;
    f = *slot;
    unstamp(s, f);
    f->revision = revision;
    f->older = s->newest;
    if (f->older != NULL)
        f->older->newer = f;
    s->newest = f;
}

bool silencer_has_news(struct silencer *s, struct labels ls, uint64_t since, ts_ns now)
{
    size_t n = 0;

    for (const struct filed *f = s->newest; f != NULL && f->revision > since; f = f->older) {
        if (n++ == NEWS_MAX)
            return true;
        s->scanned++;
        if (silence_state(f->s, now) != SILENCE_EXPIRED && silence_matches(f->s, ls))
            return true;
    }
    return false;
}

struct silencer_stats silencer_stats(const struct silencer *s)
{
    return (struct silencer_stats){s->questions, s->scanned, s->by_pair.n};
}

void silencer_restore(struct silencer *s, struct silence *in)
{
    struct filed **old = filed_map_get(&s->by_id, uuid_str(&in->id)), *f;

    if (old != NULL) { /* keeps its place among the others */
        f = *old;
        file_out(s, f);
        filed_map_del(&s->by_id, uuid_str(&in->id));
        silence_free(f->s);
    } else {
        f = mem_new(struct filed);
        f->order = s->orders++;
    }
    f->s = in;
    filed_map_put(&s->by_id, uuid_str(&in->id), f);
    file_in(s, f);
}

/* Whether an edit keeps the id (3.12). Times are compared to the second where the interface does. */
static bool can_update(const struct silence *old, const struct silence *in, ts_ns now)
{
    if (!silence_sets_equal(old, in))
        return false;
    switch (silence_state(old, now)) {
    case SILENCE_ACTIVE:
        return old->starts_at / NS_PER_S == in->starts_at / NS_PER_S && in->ends_at >= now;
    case SILENCE_PENDING: return in->starts_at >= now;
    case SILENCE_EXPIRED: break;
    }
    return false;
}

static bool expire(struct silence *old, ts_ns now)
{
    switch (silence_state(old, now)) {
    case SILENCE_EXPIRED: return false;
    case SILENCE_PENDING: old->starts_at = now; falls_through;
    case SILENCE_ACTIVE: old->ends_at = now; break;
    }
    old->updated_at = now;
    return true;
}

bool silencer_put(struct silencer *s, struct silence *in, struct uuid fresh, ts_ns now,
                  enum matcher_mode mode, struct uuid *id, const struct silence **expired,
                  struct err *e)
{
    struct filed **known =
        in->id.text[0] != '\0' ? filed_map_get(&s->by_id, uuid_str(&in->id)) : NULL;
    struct silence *old = known != NULL ? (*known)->s : NULL;

    *expired = NULL;
    if (in->id.text[0] != '\0' && old == NULL) {
        err_set(e, ERR_NOT_FOUND, "silence '%s' not found", in->id.text);
        silence_free(in);
        return false;
    }
    if (!silence_validate(in, mode, e)) {
        silence_free(in);
        return err_wrap(e, "invalid silence");
    }
    if (!within_size(s, in, e)) {
        silence_free(in);
        return false;
    }
    in->updated_at = now;
    if (old != NULL && can_update(old, in, now)) {
        if (silence_state(old, now) == SILENCE_ACTIVE)
            in->starts_at = old->starts_at;
        *id = in->id;
        silencer_restore(s, silence_compact(in));
        return true;
    }
    if (in->starts_at < now)
        in->starts_at = now;
    if (in->ends_at < in->starts_at) {
        silence_free(in);
        return err_set(e, ERR_INVALID, "invalid silence: end time must not be in the past");
    }
    if (s->limits.count != 0 && s->by_id.n >= s->limits.count) {
        silence_free(in);
        return err_set(e, ERR_LIMIT, "exceeded maximum number of silences: %zu (limit: %zu)",
                       s->by_id.n + 1, s->limits.count);
    }
    if (old != NULL && expire(old, now))
        *expired = old;
    in->id = fresh;
    *id = in->id;
    silencer_restore(s, silence_compact(in));
    return true;
}

bool silencer_expire(struct silencer *s, str id, ts_ns now, bool *changed, struct err *e)
{
    struct filed **f = filed_map_get(&s->by_id, id);

    if (f == NULL)
        return err_set(e, ERR_NOT_FOUND, "silence '%.*s' not found", STR(id));
    *changed = expire((*f)->s, now);
    return true;
}

size_t silencer_gc(struct silencer *s, ts_ns before, void (*gone)(void *arg, str id), void *arg)
{
    size_t n = 0;

    MAP_EACH (struct filed_map_entry, e, &s->by_id) {
        struct filed *f = e->value;

        if (f->s->ends_at >= before)
            continue;
        if (gone != NULL)
            gone(arg, uuid_str(&f->s->id));
        file_out(s, f);
        unstamp(s, f);
        filed_map_del_entry(&s->by_id, e);
        silence_free(f->s);
        mem_free(f);
        n++;
    }
    return n;
}

static void try_bucket(struct silencer *s, const struct bucket *b, struct labels ls, ts_ns now,
                       struct silence_list *out, bool *later)
{
    uint64_t question = s->questions;

    s->scanned += b->v.n;
    VEC_EACH (struct filed **, it, &b->v) {
        struct filed *f = *it;
        enum silence_state state = silence_state(f->s, now);

        if (f->seen == question || state == SILENCE_EXPIRED || !silence_matches(f->s, ls))
            continue;
        f->seen = question;
        if (state == SILENCE_ACTIVE)
            vec_push(out, f->s);
        else
            *later = true;
    }
}

static int by_age(const void *a, const void *b)
{
    const struct silence *x = *(const struct silence *const *)a,
                         *y = *(const struct silence *const *)b;

    if (x->starts_at != y->starts_at)
        return x->starts_at < y->starts_at ? -1 : 1;
    return strcmp(x->id.text, y->id.text);
}

size_t silencer_match(const struct silencer *cs, struct labels ls, ts_ns now,
                      struct silence_list *out, bool *later)
{
    struct silencer *s =
        (struct silencer *)(uintptr_t)cs; /* only the question counter and its marks change */
    size_t before = out->n;

    s->questions++;
    if (s->by_id.n == 0)
        return 0;
    try_bucket(s, &s->any, ls, now, out, later);
    LABELS_EACH (l, ls) {
        void **slot = u64_map_get(&s->by_pair, pair_hash(l->name, l->value));

        if (slot != NULL)
            try_bucket(s, *slot, ls, now, out, later);
    }
    if (out->n - before > 1)
        qsort(out->v + before, out->n - before, sizeof(out->v[0]), by_age);
    return out->n - before;
}

static int silencer_by_order(const void *a, const void *b)
{
    uint64_t x = (*(struct filed *const *)a)->order, y = (*(struct filed *const *)b)->order;

    return x < y ? -1 : x > y;
}

void silencer_all(const struct silencer *s, struct silence_list *out)
{
    VEC(struct filed *) v = VEC_INIT;

    MAP_EACH (struct filed_map_entry, e, &s->by_id)
        vec_push(&v, e->value);
    if (v.n > 1)
        qsort(v.v, v.n, sizeof(v.v[0]), silencer_by_order);
    VEC_EACH (struct filed **, f, &v)
        vec_push(out, (*f)->s);
    vec_release(&v);
}
