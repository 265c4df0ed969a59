#include "regex/regex_class.h"

#include <stdlib.h>

static const struct re_fold *fold_lower_bound(uint32_t rune)
{
    size_t lo = 0, hi = re_fold_count;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (re_folds[mid].rune < rune)
            lo = mid + 1;
        else
            hi = mid;
    }
    return &re_folds[lo];
}

uint32_t re_fold_next(uint32_t rune)
{
    const struct re_fold *f = fold_lower_bound(rune);

    return f < re_folds + re_fold_count && f->rune == rune ? f->next : rune;
}

void re_set_add(re_set *s, uint32_t lo, uint32_t hi)
{
    struct re_range *last = s->n != 0 ? vec_last(s) : NULL;

    assume(s->n == 0 || s->v != NULL);
    if (last != NULL && lo >= last->lo && lo <= last->hi + 1) { /* the usual case: in order */
        if (hi > last->hi)
            last->hi = hi;
        return;
    }
    vec_push(s, (struct re_range){lo, hi});
}

void re_set_add_folded(re_set *s, uint32_t lo, uint32_t hi)
{
    re_set_add(s, lo, hi);
    for (const struct re_fold *f = fold_lower_bound(lo);
         f < re_folds + re_fold_count && f->rune <= hi; f++)
        for (uint32_t r = f->next; r != f->rune; r = re_fold_next(r))
            vec_push(s, (struct re_range){r, r});
}

static int by_lo(const void *a, const void *b)
{
    const struct re_range *x = a, *y = b;

    if (x->lo != y->lo)
        return x->lo < y->lo ? -1 : 1;
    return x->hi < y->hi ? -1 : x->hi > y->hi;
}

static void normalize(re_set *s)
{
    size_t k = 0;

    if (s->n == 0)
        return;
    qsort(s->v, s->n, sizeof(s->v[0]), by_lo);
    for (size_t i = 1; i < s->n; i++) {
        if (s->v[i].lo <= s->v[k].hi + 1) {
            if (s->v[i].hi > s->v[k].hi)
                s->v[k].hi = s->v[i].hi;
        } else {
            s->v[++k] = s->v[i];
        }
    }
    s->n = k + 1;
}

static void complement(re_set *s)
{
    uint32_t next = 0;
    re_set out = VEC_INIT;

    normalize(s);
    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i].lo > next)
            vec_push(&out, (struct re_range){next, s->v[i].lo - 1});
        next = s->v[i].hi + 1;
    }
    if (next <= RUNE_MAX)
        vec_push(&out, (struct re_range){next, RUNE_MAX});
    vec_release(s);
    *s = out;
}

void re_set_add_class(re_set *s, const struct re_range *v, size_t n, bool fold, bool negate)
{
    re_set tmp = VEC_INIT;

    for (size_t i = 0; i < n; i++) {
        if (fold)
            re_set_add_folded(&tmp, v[i].lo, v[i].hi);
        else
            re_set_add(&tmp, v[i].lo, v[i].hi);
    }
    if (negate)
        complement(&tmp);
    for (size_t i = 0; i < tmp.n; i++)
        re_set_add(s, tmp.v[i].lo, tmp.v[i].hi);
    vec_release(&tmp);
}

struct re_class re_set_finish(re_set *s, bool negate, struct arena *a)
{
    struct re_class c;
    struct re_range *v;

    if (negate)
        complement(s);
    else
        normalize(s);
    v = arena_array(a, s->n, sizeof(*v));
    for (size_t i = 0; i < s->n; i++)
        v[i] = s->v[i];
    c = (struct re_class){v, s->n};
    vec_release(s);
    return c;
}

bool re_class_has(const struct re_class *c, uint32_t rune)
{
    size_t lo = 0, hi = c->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (c->v[mid].hi < rune)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < c->n && c->v[lo].lo <= rune;
}

const struct re_named_class *re_named_class_find(str name)
{
    for (size_t i = 0; i < re_named_class_count; i++)
        if (str_eq(re_named_classes[i].name, name))
            return &re_named_classes[i];
    return NULL;
}

static bool named_has(str name, uint32_t rune)
{
    const struct re_named_class *c = re_named_class_find(name);

    return c != NULL && re_class_has(&(struct re_class){c->v, c->n}, rune);
}

bool re_is_name_rune(uint32_t r)
{
    if (r < 0x80)
        return (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') || (r >= '0' && r <= '9') ||
               r == '_';
    return named_has(S("L"), r) || named_has(S("Nd"), r);
}
