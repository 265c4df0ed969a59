/* regex_trie.c - the tree of a pattern is walked with the nodes that stand for all beginnings so far.
 *
 * A node's first literal child stands in it, further ones in one table of the trie by (node, rune), classes ("." is one)
 * in a list a node. A rune leads each node of the frontier to its child, an alternation to what its branches lead to,
 * a counted repetition to what each of its counts leads to; the frontier at the end accepts.
 *
 * Example: "a.c|abd?": the frontier is {root}, the first branch makes root -a-> 1 -.-> 2 -c-> 3, the second goes along
 * the same 1 -b-> 4 and its "d?" leads to {4, 5}. {3, 4, 5} accept. "abc" walks from 1 to 2 by the class first, and
 * back at 1 by "b" only if that had failed.
 */
#include "regex/regex_trie.h"

#include "base/map.h"
#include "base/utf8.h"

MAP_DECLARE(rune_map, uint64_t, uint32_t);
MAP_DEFINE(rune_map, uint64_t, uint32_t, hash_u64, eq_u64);

enum { NO_RUNE = RUNE_MAX + 1, STEPS_A_BYTE = 16, NODES_AT_LEAST = 1024 };

struct node {
    uint32_t rune, to; /* the first literal child */
    uint32_t edge;     /* 1 + the first of its classes */
    uint32_t stamp;    /* while building: the frontier that has it */
    uint16_t depth;
    bool more; /* literal children in the table */
    bool accepts;
};

struct edge {
    struct re_class cls;
    uint32_t to, next; /* next: 1 + another of the same node */
};

struct re_trie {
    VEC(struct node) nodes;
    VEC(struct edge) edges;
    struct rune_map further;
    struct arena classes;
};

typedef VEC(uint32_t) frontier;

struct regex_trie_builder {
    struct re_trie *t;
    size_t max_nodes, steps; /* steps: what is left */
    uint32_t stamp;
};

static const struct re_range any_nl[] = {{0, RUNE_MAX}};
static const struct re_range any[] = {{0, '\n' - 1}, {'\n' + 1, RUNE_MAX}};

/* 0: there is no room for one more. */
static uint32_t add_node(struct regex_trie_builder *b, uint32_t parent)
{
    struct re_trie *t = b->t;
    unsigned depth = t->nodes.v[parent].depth + 1u;

    if (t->nodes.n >= b->max_nodes || depth > RE_TRIE_DEPTH)
        return 0;
    vec_push(&t->nodes, (struct node){.rune = NO_RUNE, .depth = (uint16_t)depth});
    return (uint32_t)t->nodes.n - 1;
}

static uint64_t regex_trie_key_of(uint32_t node, uint32_t rune)
{
    return (uint64_t)node << 32 | rune;
}

/* 0: none. */
static uint32_t literal_child(const struct re_trie *t, uint32_t at, uint32_t rune)
{
    const struct node *n = &t->nodes.v[at];
    const uint32_t *hit;

    if (n->rune == rune)
        return n->to;
    hit = n->more ? rune_map_get(&t->further, regex_trie_key_of(at, rune)) : NULL;
    return hit != NULL ? *hit : 0;
}

static uint32_t need_literal(struct regex_trie_builder *b, uint32_t at, uint32_t rune)
{
    uint32_t to = literal_child(b->t, at, rune);
    struct node *n;

    if (to == 0)
        to = add_node(b, at);
    n = &b->t->nodes.v[at];
    if (to == 0 || n->rune == rune)
        return to;
    if (n->rune == NO_RUNE) {
        n->rune = rune;
        n->to = to;
    } else {
        n->more = true;
        (void)rune_map_put(&b->t->further, regex_trie_key_of(at, rune), to);
    }
    return to;
}

static bool same_class(const struct re_class *x, const struct re_class *y)
{
    return x->n == y->n && memcmp(x->v, y->v, x->n * sizeof(x->v[0])) == 0;
}

static uint32_t need_class(struct regex_trie_builder *b, uint32_t at, struct re_class cls)
{
    struct re_trie *t = b->t;
    unsigned wide = 0;
    uint32_t to;

    for (uint32_t i = t->nodes.v[at].edge; i != 0; i = t->edges.v[i - 1].next, wide++)
        if (same_class(&t->edges.v[i - 1].cls, &cls))
            return t->edges.v[i - 1].to;
    to = wide < RE_TRIE_WIDE ? add_node(b, at) : 0;
    if (to == 0)
        return 0;
    cls.v = arena_copy(&t->classes, cls.v, cls.n, cls.n, sizeof(cls.v[0]));
    vec_push(&t->edges, (struct edge){cls, to, t->nodes.v[at].edge});
    t->nodes.v[at].edge = (uint32_t)t->edges.n;
    return to;
}

static bool take_steps(struct regex_trie_builder *b, size_t n)
{
    bool ok = n <= b->steps;

    b->steps -= ok ? n : b->steps;
    return ok;
}

static bool regex_trie_eat(struct regex_trie_builder *b, const struct re_node *n,
                           const frontier *from, frontier *to)
{
    struct re_class cls = n->op == RE_ANY      ? (struct re_class){any, 2}
                          : n->op == RE_ANY_NL ? (struct re_class){any_nl, 1}
                                               : n->cls;

    if (!take_steps(b, from->n))
        return false;
    for (size_t i = 0; i < from->n; i++) {
        uint32_t child = n->op == RE_RUNE ? need_literal(b, from->v[i], n->rune)
                                          : need_class(b, from->v[i], cls);

        if (child == 0)
            return false;
        vec_push(to, child);
    }
    return true;
}

static bool regex_trie_join(struct regex_trie_builder *b, const frontier *more, frontier *to)
{
    for (size_t i = 0; i < more->n; i++)
        vec_push(to, more->v[i]);
    return take_steps(b, more->n);
}

/* Several ways to the same beginning are one: of those from `first` on. */
static bool make_distinct(struct regex_trie_builder *b, frontier *f, size_t first)
{
    size_t kept = first;

    b->stamp++;
    for (size_t i = first; i < f->n; i++)
        if (b->t->nodes.v[f->v[i]].stamp != b->stamp) {
            b->t->nodes.v[f->v[i]].stamp = b->stamp;
            f->v[kept++] = f->v[i];
        }
    f->n = kept;
    return take_steps(b, kept - first);
}

/* Appends to `to` what n leads to from the nodes of `from`, none twice if `from` has none twice. */
static bool regex_trie_extend(struct regex_trie_builder *b, const struct re_node *n,
                              const frontier *from, frontier *to);

static bool extend_cat(struct regex_trie_builder *b, const struct re_node *n, const frontier *from,
                       frontier *to)
{
    frontier at = VEC_INIT, next = VEC_INIT;
    bool ok = regex_trie_join(b, from, &at);

    for (const struct re_node *c = n->first; ok && c != NULL; c = c->next) {
        vec_clear(&next);
        ok = regex_trie_extend(b, c, &at, &next);
        vec_swap(&at, &next);
    }
    ok = ok && regex_trie_join(b, &at, to);
    vec_release(&at);
    vec_release(&next);
    return ok;
}

static bool extend_alt(struct regex_trie_builder *b, const struct re_node *n, const frontier *from,
                       frontier *to)
{
    size_t first = to->n;
    bool ok = true;

    for (const struct re_node *c = n->first; ok && c != NULL; c = c->next)
        ok = regex_trie_extend(b, c, from, to);
    return ok && make_distinct(b, to, first);
}

static bool extend_repeat(struct regex_trie_builder *b, const struct re_node *n,
                          const frontier *from, frontier *to)
{
    frontier at = VEC_INIT, next = VEC_INIT;
    size_t first = to->n;
    bool ok = n->max != RE_INFINITE && regex_trie_join(b, from, &at);

    for (int i = 0; ok && i <= n->max; i++) {
        if (i >= n->min)
            ok = regex_trie_join(b, &at, to);
        if (!ok || i == n->max)
            break;
        vec_clear(&next);
        ok = regex_trie_extend(b, n->first, &at, &next);
        vec_swap(&at, &next);
    }
    vec_release(&at);
    vec_release(&next);
    return ok && make_distinct(b, to, first);
}

static bool regex_trie_extend(struct regex_trie_builder *b, const struct re_node *n,
                              const frontier *from, frontier *to)
{
    if (!take_steps(b, 1))
        return false;
    switch (n->op) {
    case RE_NEVER: return true;
    case RE_EMPTY: return regex_trie_join(b, from, to);
    case RE_RUNE:
    case RE_CLASS:
    case RE_ANY:
    case RE_ANY_NL: return regex_trie_eat(b, n, from, to);
    case RE_CAT: return extend_cat(b, n, from, to);
    case RE_ALT: return extend_alt(b, n, from, to);
    case RE_REPEAT: return extend_repeat(b, n, from, to);
    case RE_CAPTURE: return regex_trie_extend(b, n->first, from, to);
    default: return false;
    }
}

struct re_trie *re_trie_new(const struct re_node *root, size_t pattern_bytes)
{
    struct re_trie *t = mem_new(struct re_trie);
    struct regex_trie_builder b = {.t = t, .max_nodes = NODES_AT_LEAST + 2 * pattern_bytes};
    frontier start = VEC_INIT, end = VEC_INIT;
    bool ok;

    b.steps = STEPS_A_BYTE * b.max_nodes;
    arena_init_small(&t->classes, 0);
    vec_push(&t->nodes, (struct node){.rune = NO_RUNE});
    vec_push(&start, 0);
    ok = regex_trie_extend(&b, root, &start, &end);
    for (size_t i = 0; ok && i < end.n; i++)
        t->nodes.v[end.v[i]].accepts = true;
    vec_release(&start);
    vec_release(&end);
    if (ok) {
        vec_fit(&t->nodes);
        vec_fit(&t->edges);
        return t;
    }
    re_trie_free(t);
    return NULL;
}

void re_trie_free(struct re_trie *t)
{
    if (t == NULL)
        return;
    vec_release(&t->nodes);
    vec_release(&t->edges);
    rune_map_release(&t->further);
    arena_release(&t->classes);
    mem_free(t);
}

/* Each node is entered at one place of the subject, its depth, so no walk goes over one twice. */
static bool regex_trie_walk(const struct re_trie *t, uint32_t at, str s)
{
    while (s.n != 0) {
        uint32_t rune, to;
        size_t k = utf8_decode(s, &rune);

        s = str_sub(s, k, s.n);
        to = literal_child(t, at, rune);
        for (uint32_t i = t->nodes.v[at].edge; i != 0; i = t->edges.v[i - 1].next) {
            const struct edge *e = &t->edges.v[i - 1];

            if (!re_class_has(&e->cls, rune))
                continue;
            if (to != 0 && regex_trie_walk(t, to, s))
                return true;
            to = e->to;
        }
        if (to == 0)
            return false;
        at = to;
    }
    return t->nodes.v[at].accepts;
}

bool re_trie_has(const struct re_trie *t, str subject)
{
    return regex_trie_walk(t, 0, subject);
}
