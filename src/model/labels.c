/* Views are sorted arrays: sorting, searching, merging, hashing, printing. The interner keeps sets by their content,
 * and strings with a count, so that a set is freed when the last reference goes and a string with the last set. */
#include "model/labels.h"

#include <stdlib.h>
#include "base/hash.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "codec/exposition.h"
#include "codec/quote.h"

enum { FEW = 32 }; /* labels that are sorted in place */

/* Names mostly differ in their first byte. */
static int name_cmp(str a, str b)
{
    if (a.n != 0 && b.n != 0 && a.p[0] != b.p[0])
        return (unsigned char)a.p[0] < (unsigned char)b.p[0] ? -1 : 1;
    return str_cmp(a, b);
}

static void sort_few(struct label *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct label l = v[i];
        size_t at = i;

        for (; at != 0 && name_cmp(v[at - 1].name, l.name) > 0; at--)
            v[at] = v[at - 1];
        v[at] = l;
    }
}

void label_sort(struct label *v, size_t n)
{
    bool sorted = true;

    if (n <= FEW) {
        sort_few(v, n);
        return;
    }
    for (size_t i = 1; i < n && sorted; i++)
        sorted = name_cmp(v[i - 1].name, v[i].name) <= 0;
    if (!sorted)
        qsort(v, n, sizeof(*v), label_order);
}

size_t labels_sort_keep(struct label *v, size_t n, str *dup)
{
    label_sort(v, n);
    for (size_t i = 0; i < n; i++) {
        if (i != 0 && str_eq(v[i - 1].name, v[i].name)) {
            *dup = v[i].name;
            return SIZE_MAX;
        }
    }
    return n;
}

size_t labels_sort(struct label *v, size_t n, str *dup)
{
    size_t k = 0;

    n = labels_sort_keep(v, n, dup);
    if (n == SIZE_MAX)
        return n;
    for (size_t i = 0; i < n; i++)
        if (v[i].value.n != 0)
            v[k++] = v[i];
    return k;
}

static int by_name_and_place(const void *a, const void *b)
{
    const struct label *x = *(const struct label *const *)a, *y = *(const struct label *const *)b;
    int c = str_cmp(x->name, y->name);

    return c != 0 ? c : (x > y) - (x < y);
}

/* Of a few labels, in place: those of one name stay in their order. */
static size_t sort_few_last(struct label *v, size_t n)
{
    size_t k = 0;

    sort_few(v, n);
    for (size_t i = 0; i < n; i++)
        if (i + 1 == n || !str_eq(v[i].name, v[i + 1].name))
            v[k++] = v[i];
    return k;
}

static size_t sort_many_last(struct label *v, size_t n)
{
    const struct label **order = mem_array(n, sizeof(*order));
    struct label *sorted = mem_array(n, sizeof(*sorted));
    size_t k = 0;

    for (size_t i = 0; i < n; i++)
        order[i] = &v[i];
    if (n > 1)
        qsort(order, n, sizeof(*order), by_name_and_place);
    for (size_t i = 0; i < n; i++)
        if (i + 1 == n || !str_eq(order[i]->name, order[i + 1]->name))
            sorted[k++] = *order[i];
    if (k != 0)
        memcpy(v, sorted, k * sizeof(*v));
    mem_free(order);
    mem_free(sorted);
    return k;
}

size_t labels_sort_last(struct label *v, size_t n)
{
    return n <= FEW ? sort_few_last(v, n) : sort_many_last(v, n);
}

static const struct label *labels_find(struct labels ls, str name)
{
    size_t lo = 0, hi = ls.n;

    if (ls.n <= 8) {
        LABELS_EACH (l, ls)
            if (str_eq(l->name, name))
                return l;
        return NULL;
    }
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = str_cmp(ls.v[mid].name, name);

        if (c == 0)
            /* cppcheck-suppress returnDanglingLifetime ; an element of the caller's array */
            return &ls.v[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

str labels_get(struct labels ls, str name)
{
    const struct label *l = labels_find(ls, name);

    return l != NULL ? l->value : STR_NONE;
}

bool labels_has(struct labels ls, str name)
{
    return labels_find(ls, name) != NULL;
}

bool labels_eq(struct labels a, struct labels b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (!str_eq(a.v[i].name, b.v[i].name) || !str_eq(a.v[i].value, b.v[i].value))
            return false;
    return true;
}

int labels_cmp(struct labels a, struct labels b)
{
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    for (size_t i = 0; i < a.n; i++) {
        int c = str_cmp(b.v[i].name, a.v[i].name); /* whoever lacks the name that sorts first */

        if (c == 0)
            c = str_cmp(a.v[i].value, b.v[i].value);
        if (c != 0)
            return c;
    }
    return 0;
}

struct labels labels_copy(struct arena *a, struct labels ls)
{
    struct label *v = arena_array(a, ls.n, sizeof(*v));

    for (size_t i = 0; i < ls.n; i++)
        v[i] = (struct label){arena_str(a, ls.v[i].name), arena_str(a, ls.v[i].value)};
    return (struct labels){v, ls.n};
}

/* Keeps the labels whose presence in names equals want. Both lists are sorted: one merge walk. */
static struct labels labels_filter(struct arena *a, struct labels ls, const str *names, size_t n,
                                   bool want)
{
    struct label *v = arena_alloc(a, ls.n * sizeof(*v));
    size_t k = 0, j = 0;

    LABELS_EACH (l, ls) {
        int c = 1;

        while (j < n && (c = name_cmp(names[j], l->name)) < 0)
            j++;
        if ((j < n && c == 0) == want)
            v[k++] = *l;
    }
    return (struct labels){v, k};
}

struct labels labels_only(struct arena *a, struct labels ls, const str *names, size_t n)
{
    return labels_filter(a, ls, names, n, true);
}

struct labels labels_without(struct arena *a, struct labels ls, const str *names, size_t n)
{
    return labels_filter(a, ls, names, n, false);
}

struct labels labels_merge(struct arena *a, struct labels under, struct labels over)
{
    struct label *v = arena_array(a, under.n + over.n, sizeof(*v));
    size_t k = 0, i = 0, j = 0;

    while (i < under.n || j < over.n) {
        int c = i == under.n ? 1 : j == over.n ? -1 : str_cmp(under.v[i].name, over.v[j].name);

        if (c < 0) {
            v[k++] = under.v[i++];
            continue;
        }
        if (over.v[j].value.n != 0)
            v[k++] = over.v[j];
        i += c == 0;
        j++;
    }
    return (struct labels){v, k};
}

uint64_t labels_fingerprint(struct labels ls)
{
    uint64_t h = FNV1A_INIT;

    LABELS_EACH (l, ls) {
        h = fnv1a_byte(fnv1a_str(h, l->name), 0xFF);
        h = fnv1a_byte(fnv1a_str(h, l->value), 0xFF);
    }
    return h;
}

uint64_t labels_dedup_hash(struct labels ls)
{
    struct buf b = BUF_INIT;
    uint64_t h;

    LABELS_EACH (l, ls) {
        buf_add(&b, l->name);
        buf_addc(&b, (char)0xFF);
        buf_add(&b, l->value);
        buf_addc(&b, (char)0xFF);
    }
    h = hash_xxh64(buf_str(&b));
    buf_release(&b);
    return h;
}

void labels_print(struct buf *out, struct labels ls)
{
    buf_addc(out, '{');
    LABELS_EACH (l, ls) {
        if (l != ls.v)
            buf_adds(out, ", ");
        buf_add(out, l->name);
        buf_addc(out, '=');
        quote_go(out, l->value);
    }
    buf_addc(out, '}');
}

void labels_put_json(struct json_writer *w, struct labels ls)
{
    json_open(w, '{');
    LABELS_EACH (l, ls) {
        json_key(w, l->name);
        json_put_str(w, l->value);
    }
    json_close(w, '}');
}

bool label_name_is_legacy(str s)
{
    return expo_is_bare(s, false);
}

bool metric_name_is_legacy(str s)
{
    return expo_is_bare(s, true);
}

bool label_name_is_utf8(str s)
{
    return s.n != 0 && utf8_is_valid(s);
}

/* -- interning: a table of sets by content, one of strings by content, with counts -- */

struct istr {
    struct interned in;
    uint32_t n;
    char bytes[];
};

uint64_t labels_hash(struct labels ls)
{
    uint64_t h = ls.n;

    LABELS_EACH (l, ls)
        h = hash_u64(h ^ hash_str(l->name)) + hash_str(l->value);
    return h;
}

/* Pointers to what is interned, which knows its own hash; open addressing, at most 3/4 full, no holes. */
struct interned_table {
    struct interned **v;
    size_t n, cap; /* a power of two, or 0 */
};

/* Where the one at slot i would stand best. */
static size_t interned_home(const struct interned_table *t, size_t i)
{
    return t->v[i]->hash & (t->cap - 1);
}

static void interned_put(struct interned_table *t, struct interned *it)
{
    size_t i = it->hash & (t->cap - 1);

    while (t->v[i] != NULL)
        i = (i + 1) & (t->cap - 1);
    t->v[i] = it;
}

static void interned_add(struct interned_table *t, struct interned *it)
{
    struct interned_table was = *t;

    if (t->n + 1 > t->cap / 4 * 3) {
        t->cap = t->cap != 0 ? t->cap * 2 : 8;
        t->v = mem_array(t->cap, sizeof(struct interned *));
        for (size_t i = 0; i < was.cap; i++)
            if (was.v[i] != NULL)
                interned_put(t, was.v[i]);
        mem_free(was.v);
    }
    interned_put(t, it);
    t->n++;
}

/* Those behind it that only stood there because it was in their way move up. */
static void interned_del(struct interned_table *t, const struct interned *it)
{
    size_t mask = t->cap - 1, hole = it->hash & mask;

    while (t->v[hole] != it)
        hole = (hole + 1) & mask;
    for (size_t i = (hole + 1) & mask; t->v[i] != NULL; i = (i + 1) & mask)
        if (((i - interned_home(t, i)) & mask) >= ((i - hole) & mask)) {
            t->v[hole] = t->v[i];
            hole = i;
        }
    t->v[hole] = NULL;
    t->n--;
}

/* it is each of a hash, in turn, in any table that is not empty. */
#define INTERNED_EACH(it, t, h)                                                                    \
    for (size_t i_ = (h) & ((t)->cap - 1); (t)->v[i_] != NULL; i_ = (i_ + 1) & ((t)->cap - 1))     \
        for (struct interned *it = (t)->v[i_]; it != NULL && it->hash == (h); it = NULL)

enum { LATEST = 16 };

struct interner {
    struct interned_table sets, strings;
    /* The newest set of each size: a sender repeats names, and most values, from one alert to the next, and comparing
     * with what is in the cache is cheaper than a look into the table of strings. */
    struct label_set *latest[LATEST];
};

struct interner *interner_new(void)
{
    return mem_new(struct interner);
}

void interner_free(struct interner *in)
{
    if (in == NULL)
        return;
    BUG_ON(in->sets.n != 0);
    mem_free(in->sets.v);
    mem_free(in->strings.v);
    mem_free(in);
}

size_t interner_count(const struct interner *in)
{
    return in->sets.n;
}

static struct istr *istr_of(str s)
{
    return container_of((char *)(uintptr_t)s.p, struct istr, bytes);
}

static str istr_str(const struct istr *i)
{
    return (str){i->bytes, i->n};
}

static struct istr *istr_find(const struct interned_table *t, uint32_t hash, str s)
{
    if (t->n == 0)
        return NULL;
    INTERNED_EACH(it, t, hash)
    {
        struct istr *i = container_of(it, struct istr, in);

        if (str_eq(istr_str(i), s))
            return i;
    }
    return NULL;
}

str interner_str(struct interner *in, str s)
{
    uint32_t hash = (uint32_t)hash_str(s);
    struct istr *i = istr_find(&in->strings, hash, s);

    if (i != NULL) {
        i->in.refs++;
        return istr_str(i);
    }
    i = mem_alloc(sizeof(*i) + s.n);
    i->in = (struct interned){hash, 1};
    i->n = (uint32_t)s.n;
    if (s.n != 0)
        memcpy(i->bytes, s.p, s.n);
    interned_add(&in->strings, &i->in);
    return istr_str(i);
}

str interner_str_ref(str s)
{
    istr_of(s)->in.refs++;
    return s;
}

void interner_str_unref(struct interner *in, str s)
{
    struct istr *i;

    if (s.p == NULL)
        return;
    i = istr_of(s);
    if (--i->in.refs != 0)
        return;
    interned_del(&in->strings, &i->in);
    mem_free(i);
}

static str intern_like(struct interner *in, str like, str s)
{
    if (like.p == NULL || !str_eq(like, s))
        return interner_str(in, s);
    istr_of(like)->in.refs++;
    return like;
}

static struct label_set *label_set_find(const struct interned_table *t, uint32_t hash,
                                        struct labels ls)
{
    if (t->n == 0)
        return NULL;
    INTERNED_EACH(it, t, hash)
    {
        struct label_set *set = container_of(it, struct label_set, in);

        if (labels_eq(set->ls, ls))
            return set;
    }
    return NULL;
}

struct label_set *label_set_intern(struct interner *in, struct labels ls)
{
    uint32_t hash = (uint32_t)labels_hash(ls);
    struct label_set *set = label_set_find(&in->sets, hash, ls),
                     **latest = &in->latest[ls.n % LATEST];
    struct label *v;

    if (set != NULL)
        return label_set_ref(set);
    set = mem_alloc(sizeof(*set) + ls.n * sizeof(*v));
    v = (struct label *)(void *)(set + 1);
    for (size_t i = 0; i < ls.n; i++) {
        static const struct label none;
        const struct label *like =
            *latest != NULL && i < (*latest)->ls.n ? &(*latest)->ls.v[i] : &none;

        v[i].name = intern_like(in, like->name, ls.v[i].name);
        v[i].value = intern_like(in, like->value, ls.v[i].value);
    }
    *set = (struct label_set){{hash, 1}, {v, ls.n}, labels_fingerprint(ls), in};
    *latest = set;
    interned_add(&in->sets, &set->in);
    return set;
}

struct label_set *label_set_ref(struct label_set *set)
{
    set->in.refs++;
    return set;
}

void label_set_unref(struct label_set *set)
{
    struct interner *in;

    if (set == NULL || --set->in.refs != 0)
        return;
    in = set->owner;
    if (in->latest[set->ls.n % LATEST] == set)
        in->latest[set->ls.n % LATEST] = NULL;
    interned_del(&in->sets, &set->in);
    LABELS_EACH (l, set->ls) {
        interner_str_unref(in, l->name);
        interner_str_unref(in, l->value);
    }
    mem_free(set);
}
