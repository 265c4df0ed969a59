#include "route/inhibitor.h"

#include "route/route_conf.h"

/* Sources of a rule with the same values of the equal labels that match its target side, too, or that do not. Those that fire
 * come first: one that is found to have ended when somebody asks goes behind them, until it is filed anew. */
struct source_bucket {
    VEC(const struct alert *) v;
    size_t n_firing;
    ts_ns asked;        /* mono: the last question, by which the others had ended */
    struct u64_map *at; /* fingerprint -> index in v; NULL: they are few */
};

enum { MANY_SOURCES = 16 };

struct inhibit_rule {
    struct matchers source, target;
    const str *equal;
    size_t n_equal;
    str name;
    size_t index;
    /* hash of the equal labels' values and the side -> struct source_bucket * */
    struct u64_map sources;
};

struct inhibitor {
    struct arena arena;
    struct inhibit_rule *rules;
    size_t n;
};

struct inhibitor *inhibitor_new(const struct inhibit_conf *rules, size_t n)
{
    struct inhibitor *in = mem_new(struct inhibitor);

    arena_init(&in->arena, 0);
    in->rules = arena_array(&in->arena, n, sizeof(*in->rules));
    in->n = n;
    for (size_t i = 0; i < n; i++) {
        struct inhibit_rule *r = &in->rules[i];
        str *equal = arena_array(&in->arena, rules[i].n_equal, sizeof(*equal));

        for (size_t j = 0; j < rules[i].n_equal; j++)
            equal[j] = arena_str(&in->arena, rules[i].equal[j]);
        r->source = matchers_copy(&in->arena, &rules[i].source);
        r->target = matchers_copy(&in->arena, &rules[i].target);
        r->equal = equal;
        r->n_equal = rules[i].n_equal;
        r->index = i;
        r->name = arena_str(&in->arena, rules[i].name);
    }
    return in;
}

static void inhibitor_bucket_free(struct source_bucket *b)
{
    vec_release(&b->v);
    if (b->at != NULL)
        u64_map_release(b->at);
    mem_free(b->at);
    mem_free(b);
}

void inhibitor_free(struct inhibitor *in)
{
    if (in == NULL)
        return;
    for (size_t i = 0; i < in->n; i++) {
        MAP_EACH (struct u64_map_entry, e, &in->rules[i].sources)
            inhibitor_bucket_free(e->value);
        u64_map_release(&in->rules[i].sources);
        matchers_release(&in->rules[i].source);
        matchers_release(&in->rules[i].target);
    }
    arena_release(&in->arena);
    mem_free(in);
}

size_t inhibitor_rules(const struct inhibitor *in)
{
    return in->n;
}

static uint64_t equal_hash(const struct inhibit_rule *r, struct labels ls)
{
    uint64_t h = 0;

    for (size_t i = 0; i < r->n_equal; i++)
        h = hash_u64(h ^ hash_str(labels_get(ls, r->equal[i])));
    return h;
}

static uint64_t equal_hash_of(const struct inhibit_rule *r, const struct alert *source)
{
    uint64_t h = 0;

    for (size_t i = 0; i < r->n_equal; i++)
        h = hash_u64(h ^ hash_str(label_set_get(source->labels, r->equal[i])));
    return h;
}

static bool equal_values(const struct inhibit_rule *r, const struct alert *source, struct labels ls)
{
    for (size_t i = 0; i < r->n_equal; i++)
        if (!str_eq(label_set_get(source->labels, r->equal[i]), labels_get(ls, r->equal[i])))
            return false;
    return true;
}

/* Where sources stand that match the target side, too (two-sided ones), or do not. */
static struct source_bucket *inhibitor_bucket_of(const struct inhibit_rule *r, uint64_t h,
                                                 bool two_sided)
{
    void **slot = u64_map_get(&r->sources, h + two_sided);

    return slot != NULL ? *slot : NULL;
}

/* -- a bucket -- */

static void *as_value(size_t i)
{
    return (void *)(uintptr_t)i;
}

/* v.n: it is not there */
static size_t inhibitor_find(const struct source_bucket *b, const struct alert *a)
{
    size_t i = 0;

    if (b->at != NULL) {
        void **slot = u64_map_get(b->at, alert_fingerprint(a));

        return slot != NULL ? (size_t)(uintptr_t)*slot : b->v.n;
    }
    while (i < b->v.n && b->v.v[i] != a)
        i++;
    return i;
}

static void place(struct source_bucket *b, size_t i, const struct alert *a)
{
    b->v.v[i] = a;
    if (b->at != NULL)
        u64_map_put(b->at, alert_fingerprint(a), as_value(i));
}

static void inhibitor_swap(struct source_bucket *b, size_t i, size_t k)
{
    const struct alert *x = b->v.v[i], *y = b->v.v[k];

    if (i == k)
        return;
    place(b, i, y);
    place(b, k, x);
}

static void inhibitor_index_all(struct source_bucket *b)
{
    b->at = mem_new(struct u64_map);
    for (size_t i = 0; i < b->v.n; i++)
        u64_map_put(b->at, alert_fingerprint(b->v.v[i]), as_value(i));
}

/* It may fire: it stands with those that do. */
static void inhibitor_file(struct source_bucket *b, const struct alert *a)
{
    size_t i = inhibitor_find(b, a);

    if (i == b->v.n) {
        vec_push(&b->v, a);
        if (b->at != NULL)
            place(b, i, a);
        else if (b->v.n > MANY_SOURCES)
            inhibitor_index_all(b);
    }
    if (i >= b->n_firing)
        inhibitor_swap(b, i, b->n_firing++);
}

static bool unfile(struct source_bucket *b, const struct alert *a)
{
    size_t i = inhibitor_find(b, a);

    if (i == b->v.n)
        return false;
    if (i < b->n_firing) {
        inhibitor_swap(b, i, --b->n_firing);
        i = b->n_firing;
    }
    inhibitor_swap(b, i, b->v.n - 1);
    b->v.n--;
    if (b->at != NULL)
        u64_map_del(b->at, alert_fingerprint(a));
    return true;
}

/* -- sources -- */

bool inhibitor_add(struct inhibitor *in, const struct alert *a)
{
    bool is_source = false;

    for (size_t i = 0; i < in->n; i++) {
        struct inhibit_rule *r = &in->rules[i];
        struct source_bucket *b;
        bool two_sided;
        uint64_t h;

        if (!matchers_match_set(&r->source, a->labels))
            continue;
        two_sided = matchers_match_set(&r->target, a->labels);
        h = equal_hash_of(r, a);
        b = inhibitor_bucket_of(r, h, two_sided);
        if (b == NULL)
            b = *u64_map_put(&r->sources, h + two_sided, mem_new(struct source_bucket));
        inhibitor_file(b, a);
        is_source = true;
    }
    return is_source;
}

void inhibitor_drop(struct inhibitor *in, const struct alert *a)
{
    for (size_t i = 0; i < in->n; i++) {
        struct inhibit_rule *r = &in->rules[i];
        uint64_t h;

        if (r->sources.n == 0)
            continue;
        h = equal_hash_of(r, a);
        for (int two_sided = 0; two_sided <= 1; two_sided++) {
            struct source_bucket *b = inhibitor_bucket_of(r, h, two_sided != 0);

            if (b == NULL || !unfile(b, a) || b->v.n != 0)
                continue;
            inhibitor_bucket_free(b);
            u64_map_del(&r->sources, h + (uint64_t)two_sided);
        }
    }
}

/* -- targets -- */

static void ask_bucket(struct source_bucket *b, const struct inhibit_rule *r, struct labels ls,
                       struct now now, size_t most, struct inhibition_list *out, bool *later)
{
    size_t i = 0;

    if (now.mono < b->asked) /* of another time: who had ended may not have yet */
        b->n_firing = b->v.n;
    b->asked = now.mono;
    while (i < b->n_firing && out->n < most) {
        const struct alert *a = b->v.v[i];

        if (alert_is_resolved(a, now)) {
            inhibitor_swap(b, i, --b->n_firing);
            continue;
        }
        i++;
        if (equal_values(r, a, ls))
            vec_push(out, (struct inhibition){alert_fingerprint(a), r->name, r->index});
    }
    out->more += b->n_firing - i;
    *later |= b->n_firing < b->v.n;
}

static void match_rule(const struct inhibit_rule *r, struct labels ls, struct now now, size_t most,
                       struct inhibition_list *out, bool *later)
{
    struct source_bucket *one_sided, *two_sided;
    uint64_t h;

    if (r->sources.n == 0 || !matchers_match(&r->target, ls))
        return;
    h = equal_hash(r, ls);
    one_sided = inhibitor_bucket_of(r, h, false);
    two_sided = inhibitor_bucket_of(r, h, true);
    if (one_sided != NULL)
        ask_bucket(one_sided, r, ls, now, most, out, later);
    if (two_sided != NULL && !matchers_match(&r->source, ls))
        ask_bucket(two_sided, r, ls, now, most, out, later);
}

bool inhibitor_match(const struct inhibitor *in, struct labels ls, struct now now, size_t most,
                     struct inhibition_list *out, bool *later)
{
    out->more = 0;
    for (size_t i = 0; i < in->n && out->n < most; i++)
        match_rule(&in->rules[i], ls, now, most, out, later);
    return out->n != 0;
}
