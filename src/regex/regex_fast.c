/* regex_fast.c - most patterns in alerting are words: "a|b|c", "prod-.*", ".*timeout.*".
 *
 * The set of strings that an anchored pattern matches is computed bottom up: a rune is one string, an alternation the
 * union, a concatenation the product. When it stays small the pattern is a set. Otherwise the top-level concatenation
 * is looked at as literal runs and wildcards, and what has no loops becomes a trie.
 *
 * Example: "(foo|ba[rz])(x)?" is {foo, foox, bar, barx, baz, bazx}. "eu-.+" is prefix "eu-", a wild part of at least
 * one rune without newlines, suffix "".
 */
#include "regex/regex_fast.h"

#include "base/buf.h"
#include "base/utf8.h"

typedef VEC(str) strings;

enum { SET_TEXT_MAX = 4 << 20, SET_STEPS_MAX = 4 << 20 };

struct sets {
    struct arena a; /* limited */
    size_t left;    /* strings that may still be put together */
};

/* Appends the strings of n. */
static bool set_of(const struct re_node *n, struct sets *b, strings *out);

static str rune_text(struct arena *a, uint32_t rune)
{
    char text[4];
    size_t k = utf8_encode(text, rune);

    return arena_str(a, (str){text, k});
}

static str regex_fast_join(struct arena *a, str x, str y)
{
    char *p;

    if (x.n == 0 || y.n == 0)
        return x.n == 0 ? y : x;
    p = arena_alloc(a, x.n + y.n);
    memcpy(p, x.p, x.n);
    memcpy(p + x.n, y.p, y.n);
    return (str){p, x.n + y.n};
}

/* acc = acc x by, consuming by. */
static bool multiply(strings *acc, strings *by, struct sets *b)
{
    strings out = VEC_INIT;
    size_t product = acc->n * by->n;
    bool fits = product <= RE_SET_MAX && (acc->n <= 1 || by->n <= 1 || product <= RE_PRODUCT_MAX) &&
                product <= b->left && !arena_is_full(&b->a);

    b->left -= fits ? product : 0;
    for (size_t i = 0; fits && i < acc->n; i++)
        for (size_t j = 0; j < by->n; j++) {
            str x = acc->v[i], y = by->v[j];

            vec_push(&out, regex_fast_join(&b->a, x, y));
        }
    vec_release(acc);
    vec_release(by);
    *acc = out;
    return fits;
}

/* A run of runes is one string; building it rune by rune would be quadratic. */
static const struct re_node *literal_run(const struct re_node *n, struct arena *a, str *out)
{
    struct buf b = BUF_INIT;

    for (; n != NULL && n->op == RE_RUNE; n = n->next)
        utf8_add(&b, n->rune);
    *out = arena_str(a, buf_str(&b));
    buf_release(&b);
    return n;
}

static bool set_of_cat(const struct re_node *n, struct sets *b, strings *out)
{
    const struct re_node *c = n->first;
    strings acc = VEC_INIT, by = VEC_INIT;
    bool ok = true;

    vec_push(&acc, STR_NONE);
    while (ok && c != NULL) {
        if (c->op == RE_RUNE) {
            str run;

            c = literal_run(c, &b->a, &run);
            vec_push(&by, run);
        } else {
            ok = set_of(c, b, &by);
            c = c->next;
        }
        ok = ok && multiply(&acc, &by, b);
    }
    for (size_t i = 0; ok && i < acc.n; i++)
        vec_push(out, acc.v[i]);
    vec_release(&acc);
    vec_release(&by);
    return ok;
}

static bool set_of_repeat(const struct re_node *n, struct sets *b, strings *out)
{
    strings acc = VEC_INIT;
    bool ok = n->max != RE_INFINITE && n->max <= 4;

    vec_push(&acc, STR_NONE);
    for (int i = 0; ok && i <= n->max; i++) {
        strings one = VEC_INIT;

        if (i >= n->min)
            for (size_t k = 0; k < acc.n; k++)
                vec_push(out, acc.v[k]);
        if (i < n->max)
            ok = set_of(n->first, b, &one) && multiply(&acc, &one, b);
        vec_release(&one);
    }
    vec_release(&acc);
    return ok;
}

static bool set_of_class(const struct re_node *n, struct sets *b, strings *out)
{
    uint32_t runes = 0;

    for (size_t i = 0; i < n->cls.n; i++) {
        runes += n->cls.v[i].hi - n->cls.v[i].lo + 1;
        if (runes > 32)
            return false;
        for (uint32_t r = n->cls.v[i].lo; r <= n->cls.v[i].hi; r++)
            if (r < 0xD800 || r > 0xDFFF)
                vec_push(out, rune_text(&b->a, r));
    }
    return true;
}

static bool set_of_alt(const struct re_node *n, struct sets *b, strings *out)
{
    for (const struct re_node *c = n->first; c != NULL; c = c->next)
        if (!set_of(c, b, out) || out->n > RE_SET_MAX)
            return false;
    return true;
}

static bool set_of(const struct re_node *n, struct sets *b, strings *out)
{
    switch (n->op) {
    case RE_NEVER: return true;
    case RE_EMPTY: vec_push(out, STR_NONE); return true;
    case RE_RUNE: vec_push(out, rune_text(&b->a, n->rune)); return true;
    case RE_CLASS: return set_of_class(n, b, out);
    case RE_CAT: return set_of_cat(n, b, out);
    case RE_ALT: return set_of_alt(n, b, out);
    case RE_REPEAT: return set_of_repeat(n, b, out);
    case RE_CAPTURE: return set_of(n->first, b, out);
    default: return false;
    }
}

static bool try_set(struct re_fast *f, const struct re_node *root, struct arena *a)
{
    struct sets b = {.left = SET_STEPS_MAX};
    strings all = VEC_INIT;
    struct str_map seen = {0};
    str *v;
    bool ok;

    arena_init(&b.a, SET_TEXT_MAX);
    ok = set_of(root, &b, &all);
    if (ok) {
        v = arena_array(a, all.n, sizeof(*v));
        for (size_t i = 0; i < all.n; i++) {
            if (str_map_get(&seen, all.v[i]) != NULL)
                continue;
            v[f->n_set] = arena_str(a, all.v[i]);
            str_map_put(&seen, v[f->n_set], NULL);
            f->n_set++;
        }
        f->set = v;
        f->kind = RE_SET;
    }
    if (f->n_set > 4)
        f->table = seen;
    else
        str_map_release(&seen);
    vec_release(&all);
    arena_release(&b.a);
    return ok;
}

/* -- wildcards -- */

typedef VEC(const struct re_node *) items;

static void flatten(const struct re_node *n, items *out)
{
    if (n->op == RE_CAPTURE) {
        flatten(n->first, out);
    } else if (n->op == RE_CAT) {
        for (const struct re_node *c = n->first; c != NULL; c = c->next)
            flatten(c, out);
    } else if (n->op != RE_EMPTY) {
        vec_push(out, n);
    }
}

static bool is_wild(const struct re_node *n)
{
    return n->op == RE_REPEAT && n->min <= 1 && n->max == RE_INFINITE &&
           (n->first->op == RE_ANY || n->first->op == RE_ANY_NL);
}

/* The runes from *i on (upwards to end), as text; *i moves behind them. */
static str take_runes(const items *v, size_t *i, size_t end, struct arena *a)
{
    struct buf b = BUF_INIT;
    str out;

    for (; *i < end && v->v[*i]->op == RE_RUNE; ++*i)
        utf8_add(&b, v->v[*i]->rune);
    out = arena_str(a, buf_str(&b));
    buf_release(&b);
    return out;
}

static void try_wild(struct re_fast *f, const items *v, struct arena *a)
{
    size_t i = 0, tail = v->n, from;
    str prefix = take_runes(v, &i, v->n, a), middle;
    const struct re_node *w = i < v->n && is_wild(v->v[i]) ? v->v[i] : NULL;

    while (tail > i && v->v[tail - 1]->op == RE_RUNE)
        tail--;
    f->prefix = prefix;
    from = tail;
    f->suffix = take_runes(v, &from, v->n, a);
    if (w == NULL)
        return;
    f->newline = w->first->op == RE_ANY_NL;
    f->not_empty = w->min == 1;
    if (i + 1 == tail) {
        f->kind = RE_AROUND;
        return;
    }
    i++;
    middle = take_runes(v, &i, v->n, a);
    if (prefix.n == 0 && i + 1 == v->n && is_wild(v->v[i]) && w->min == 0 && v->v[i]->min == 0 &&
        v->v[i]->first->op == w->first->op && (f->newline || str_find(middle, '\n') < 0)) {
        f->prefix = middle;
        f->kind = RE_CONTAINS;
    }
}

/* ^ where the text begins and $ where it ends say nothing: (^a|b$) is (a|b). */
static void drop_ends(struct re_node *n)
{
    struct re_node *c;

    if (n->op == RE_CAT) {
        while (n->first != n->last && n->first->op == RE_TEXT_START)
            n->first = n->first->next;
        while (n->first != n->last && n->last->op == RE_TEXT_END) {
            for (c = n->first; c->next != n->last; c = c->next)
                ;
            c->next = NULL;
            n->last = c;
        }
        if (n->first == n->last && n->first->op != RE_CAT)
            drop_ends(n->first);
    } else if (n->op == RE_ALT || n->op == RE_CAPTURE) {
        for (c = n->first; c != NULL; c = c->next)
            drop_ends(c);
    } else if (n->op == RE_TEXT_START || n->op == RE_TEXT_END) {
        n->op = RE_EMPTY;
    }
}

void re_fast_init(struct re_fast *f, struct re_node *root, str pattern, struct arena *a)
{
    items v = VEC_INIT;

    *f = (struct re_fast){.kind = RE_SLOW};
    drop_ends(root);
    if (try_set(f, root, a))
        return;
    flatten(root, &v);
    try_wild(f, &v, a);
    vec_release(&v);
    if (f->kind == RE_SLOW)
        f->trie = re_trie_new(root, pattern.n);
    if (f->trie != NULL)
        f->kind = RE_TRIE;
}

void re_fast_release(struct re_fast *f)
{
    str_map_release(&f->table);
    re_trie_free(f->trie);
}

static enum re_answer match_set(const struct re_fast *f, str s)
{
    if (f->n_set > 4)
        return str_map_get(&f->table, s) != NULL ? RE_YES : RE_NO;
    for (size_t i = 0; i < f->n_set; i++)
        if (str_eq(f->set[i], s))
            return RE_YES;
    return RE_NO;
}

enum re_answer re_fast_match(const struct re_fast *f, str s)
{
    str wild;

    if (f->kind == RE_SET)
        return match_set(f, s);
    if (f->kind == RE_TRIE)
        return re_trie_has(f->trie, s) ? RE_YES : RE_NO;
    if (f->kind == RE_CONTAINS)
        return str_find_str(s, f->prefix) >= 0 && (f->newline || str_find(s, '\n') < 0) ? RE_YES
                                                                                        : RE_NO;
    if (s.n < f->prefix.n + (f->kind == RE_AROUND ? f->suffix.n : 0) ||
        !str_starts_with(s, f->prefix) || !str_ends_with(s, f->suffix))
        return RE_NO;
    if (f->kind == RE_SLOW)
        return RE_ASK;
    wild = str_sub(s, f->prefix.n, s.n - f->suffix.n);
    if ((f->not_empty && wild.n == 0) || (!f->newline && str_find(wild, '\n') >= 0))
        return RE_NO;
    return RE_YES;
}
