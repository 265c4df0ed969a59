#include "route/inhibitor.h"

#include "route/route_conf.h"

struct source_bucket {
    VEC(const struct alert *) v;
};

struct inhibit_rule {
    struct matchers source, target;
    const str *equal;
    size_t n_equal;
    str name;
    struct u64_map sources; /* hash of the equal labels' values -> struct source_bucket * */
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
        r->name = arena_str(&in->arena, rules[i].name);
    }
    return in;
}

void inhibitor_free(struct inhibitor *in)
{
    if (in == NULL)
        return;
    for (size_t i = 0; i < in->n; i++) {
        MAP_EACH (struct u64_map_entry, e, &in->rules[i].sources) {
            struct source_bucket *b = e->value;

            vec_release(&b->v);
            mem_free(b);
        }
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

static bool equal_values(const struct inhibit_rule *r, struct labels a, struct labels b)
{
    for (size_t i = 0; i < r->n_equal; i++)
        if (!str_eq(labels_get(a, r->equal[i]), labels_get(b, r->equal[i])))
            return false;
    return true;
}

static ptrdiff_t find(const struct source_bucket *b, const struct alert *a)
{
    for (size_t i = 0; i < b->v.n; i++)
        if (b->v.v[i] == a)
            return (ptrdiff_t)i;
    return -1;
}

bool inhibitor_add(struct inhibitor *in, const struct alert *a)
{
    bool is_source = false;

    for (size_t i = 0; i < in->n; i++) {
        struct inhibit_rule *r = &in->rules[i];
        struct source_bucket *b;
        uint64_t h;
        void **slot;

        if (!matchers_match(&r->source, a->labels->ls))
            continue;
        h = equal_hash(r, a->labels->ls);
        slot = u64_map_get(&r->sources, h);
        b = slot != NULL ? *slot : *u64_map_put(&r->sources, h, mem_new(struct source_bucket));
        if (find(b, a) < 0)
            vec_push(&b->v, a);
        is_source = true;
    }
    return is_source;
}

void inhibitor_drop(struct inhibitor *in, const struct alert *a)
{
    for (size_t i = 0; i < in->n; i++) {
        struct inhibit_rule *r = &in->rules[i];
        uint64_t h = equal_hash(r, a->labels->ls);
        void **slot = u64_map_get(&r->sources, h);
        struct source_bucket *b = slot != NULL ? *slot : NULL;
        ptrdiff_t at = b != NULL ? find(b, a) : -1;

        if (at < 0)
            continue;
        vec_remove(&b->v, (size_t)at);
        if (b->v.n == 0) {
            vec_release(&b->v);
            mem_free(b);
            u64_map_del(&r->sources, h);
        }
    }
}

static size_t match_rule(const struct inhibit_rule *r, struct labels ls, struct now now,
                         struct inhibition_list *out, bool *later)
{
    void **slot;
    const struct source_bucket *b;
    bool two_sided;
    size_t n = 0;

    if (r->sources.n == 0 || !matchers_match(&r->target, ls))
        return 0;
    slot = u64_map_get(&r->sources, equal_hash(r, ls));
    if (slot == NULL)
        return 0;
    b = *slot;
    two_sided = matchers_match(&r->source, ls);
    VEC_EACH (const struct alert *const *, it, &b->v) {
        const struct alert *a = *it;

        if (!equal_values(r, a->labels->ls, ls) ||
            (two_sided && matchers_match(&r->target, a->labels->ls)))
            continue;
        if (alert_is_resolved(a, now)) {
            *later = true;
            continue;
        }
        if (out->n == INHIBITIONS_MAX)
            break;
        n++;
        vec_push(out, (struct inhibition){alert_fingerprint(a), r->name});
    }
    return n;
}

size_t inhibitor_match(const struct inhibitor *in, struct labels ls, struct now now,
                       struct inhibition_list *out, bool *later)
{
    size_t n = 0;

    for (size_t i = 0; i < in->n && out->n < INHIBITIONS_MAX; i++)
        n += match_rule(&in->rules[i], ls, now, out, later);
    return n;
}
