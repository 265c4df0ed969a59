/* Views are sorted arrays: sorting, searching, merging, hashing, printing. The interner keeps texts, lists of names and sets by
 * their content, with counts, so that a set is freed when the last reference goes, and what only it had with it. */
#include "model/labels.h"

#include <stdlib.h>
#include "base/hash.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "codec/exposition.h"
#include "codec/json.h"
#include "codec/quote.h"

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

    label_sort(v, n);
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
    return n <= LABELS_FEW ? sort_few_last(v, n) : sort_many_last(v, n);
}

enum { FEW_LABELS = 8 }; /* are looked through */

static const struct label *labels_find(struct labels ls, str name)
{
    size_t lo = 0, hi = ls.n;

    if (ls.n <= FEW_LABELS) {
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

/* Whoever lacks the name that sorts first. */
static int label_name_order(str a, str b)
{
    return str_cmp(b, a);
}

int labels_cmp(struct labels a, struct labels b)
{
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    for (size_t i = 0; i < a.n; i++) {
        int c = label_name_order(a.v[i].name, b.v[i].name);

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

        while (j < n && (c = label_name_cmp(names[j], l->name)) < 0)
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

static uint64_t fingerprint_label(uint64_t h, const struct label *l)
{
    h = fnv1a_byte(fnv1a_str(h, l->name), 0xFF);
    return fnv1a_byte(fnv1a_str(h, l->value), 0xFF);
}

uint64_t labels_fingerprint(struct labels ls)
{
    uint64_t h = FNV1A_INIT;

    LABELS_EACH (l, ls)
        h = fingerprint_label(h, l);
    return h;
}

static void add_hashed(struct buf *b, const struct label *l)
{
    buf_add(b, l->name);
    buf_addc(b, (char)0xFF);
    buf_add(b, l->value);
    buf_addc(b, (char)0xFF);
}

uint64_t labels_dedup_hash(struct labels ls)
{
    struct buf b = BUF_INIT;
    uint64_t h;

    LABELS_EACH (l, ls)
        add_hashed(&b, l);
    h = hash_xxh64(buf_str(&b));
    buf_release(&b);
    return h;
}

static void print_label(struct buf *out, const struct label *l, bool is_first)
{
    if (!is_first)
        buf_adds(out, ", ");
    buf_add(out, l->name);
    buf_addc(out, '=');
    quote_go(out, l->value);
}

void labels_print(struct buf *out, struct labels ls)
{
    buf_addc(out, '{');
    LABELS_EACH (l, ls)
        print_label(out, l, l == ls.v);
    buf_addc(out, '}');
}

static void labels_put_member(struct json_writer *w, const struct label *l)
{
    json_key(w, l->name);
    json_put_str(w, l->value);
}

void labels_put_json(struct json_writer *w, struct labels ls)
{
    json_open(w, '{');
    LABELS_EACH (l, ls)
        labels_put_member(w, l);
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

uint64_t labels_hash(struct labels ls)
{
    uint64_t h = ls.n;

    LABELS_EACH (l, ls)
        h = hash_u64(h ^ hash_str(l->name)) + hash_str(l->value);
    return h;
}

/* -- interning: tables of texts, of names and of sets, by content, with counts -- */

/* Pointers to what is interned, which knows its own hash; open addressing in the order of the hashes, at most 3/4 full, no
 * holes. It grows by half: that is an eighth of its pointers more unused than a list has, not half of them. */
struct interned_table {
    struct interned **v;
    size_t n, cap;
};

static size_t interned_slot(const struct interned_table *t, uint32_t hash)
{
    return (size_t)((uint64_t)hash * t->cap >> 32);
}

static size_t interned_behind(const struct interned_table *t, size_t i)
{
    return i + 1 != t->cap ? i + 1 : 0;
}

/* How far slot i is behind slot `from`, round the end. */
static size_t interned_from(const struct interned_table *t, size_t from, size_t i)
{
    return i >= from ? i - from : i + t->cap - from;
}

static void interned_put(struct interned_table *t, struct interned *it)
{
    size_t i = interned_slot(t, it->hash);

    while (t->v[i] != NULL)
        i = interned_behind(t, i);
    t->v[i] = it;
}

static void interned_add(struct interned_table *t, struct interned *it)
{
    struct interned_table was = *t;

    if (t->n + 1 > t->cap / 4 * 3) {
        t->cap = t->cap != 0 ? t->cap + t->cap / 2 : 8;
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
    size_t hole = interned_slot(t, it->hash);

    while (t->v[hole] != it)
        hole = interned_behind(t, hole);
    for (size_t i = interned_behind(t, hole); t->v[i] != NULL; i = interned_behind(t, i))
        if (interned_from(t, interned_slot(t, t->v[i]->hash), i) >= interned_from(t, hole, i)) {
            t->v[hole] = t->v[i];
            hole = i;
        }
    t->v[hole] = NULL;
    t->n--;
}

/* it is each of a hash, in turn, in any table that is not empty. */
#define INTERNED_EACH(it, t, h)                                                                    \
    for (size_t i_ = interned_slot(t, h); (t)->v[i_] != NULL; i_ = interned_behind(t, i_))         \
        for (struct interned *it = (t)->v[i_]; it != NULL && it->hash == (h); it = NULL)

enum { LATEST = 16 };

struct interner {
    struct interned_table sets, names, texts;
    /* The newest set of each size: a sender repeats names, and most values, from one alert to the next, and comparing
     * with what is in the cache is cheaper than a look into the tables. */
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
    BUG_ON(in->sets.n + in->names.n + in->texts.n != 0);
    mem_free(in->sets.v);
    mem_free(in->names.v);
    mem_free(in->texts.v);
    mem_free(in);
}

size_t interner_count(const struct interner *in)
{
    return in->sets.n;
}

/* -- texts -- */

static struct shared_text *shared_text_find(const struct interned_table *t, uint32_t hash, str s)
{
    if (t->n == 0)
        return NULL;
    INTERNED_EACH(it, t, hash)
    {
        struct shared_text *i = container_of(it, struct shared_text, in);

        if (str_eq(shared_text_str(i), s))
            return i;
    }
    return NULL;
}

struct shared_text *shared_text_intern(struct interner *in, str s)
{
    uint32_t hash = (uint32_t)hash_str(s);
    struct shared_text *t = shared_text_find(&in->texts, hash, s);

    if (t != NULL)
        return shared_text_ref(t);
    t = mem_alloc(sizeof(*t) + s.n);
    t->in = (struct interned){hash, 1};
    t->n = (uint32_t)s.n & INT32_MAX;
    t->is_plain = quote_json_is_plain(s);
    if (s.n != 0)
        memcpy(t->bytes, s.p, s.n);
    interned_add(&in->texts, &t->in);
    return t;
}

struct shared_text *shared_text_ref(struct shared_text *t)
{
    t->in.refs++;
    return t;
}

void shared_text_unref(struct interner *in, struct shared_text *t)
{
    if (t == NULL || --t->in.refs != 0)
        return;
    interned_del(&in->texts, &t->in);
    mem_free(t);
}

void shared_text_put_json(struct json_writer *w, const struct shared_text *t)
{
    if (t->is_plain)
        json_put_plain(w, shared_text_str(t));
    else
        json_put_str(w, shared_text_str(t));
}

/* -- names -- */

static bool label_names_are(const struct label_names *names, struct labels ls)
{
    if (names->n != ls.n)
        return false;
    for (size_t i = 0; i < ls.n; i++)
        if (!str_eq(names->v[i], ls.v[i].name))
            return false;
    return true;
}

static struct shared_text *shared_text_of(str s)
{
    return container_of((char *)(uintptr_t)s.p, struct shared_text, bytes);
}

static struct label_names *label_names_new(struct interner *in, uint32_t hash, struct labels ls)
{
    struct label_names *names = mem_alloc(sizeof(*names) + 2 * ls.n * sizeof(names->v[0]));
    size_t at = 0;

    *names = (struct label_names){.in = {hash, 1}, .owner = in, .keys = names->v + ls.n, .n = ls.n};
    for (size_t i = 0; i < ls.n; i++) {
        names->v[i] = shared_text_str(shared_text_intern(in, ls.v[i].name));
        quote_json(&names->json, names->v[i], true);
        buf_addc(&names->json, ':');
        names->keys[i].n = names->json.n - at;
        at = names->json.n;
    }
    for (size_t i = ls.n; i-- != 0; at -= names->keys[i].n)
        names->keys[i].p = names->json.p + at - names->keys[i].n;
    interned_add(&in->names, &names->in);
    return names;
}

/* like: a set that may have the same. hash: of the names. */
static struct label_names *label_names_intern(struct interner *in, const struct label_set *like,
                                              uint32_t hash, struct labels ls)
{
    if (like != NULL && like->names->in.hash == hash && label_names_are(like->names, ls)) {
        like->names->in.refs++;
        return like->names;
    }
    if (in->names.n != 0)
        INTERNED_EACH(it, &in->names, hash)
        {
            struct label_names *names = container_of(it, struct label_names, in);

            if (!label_names_are(names, ls))
                continue;
            names->in.refs++;
            return names;
        }
    return label_names_new(in, hash, ls);
}

static void label_names_unref(struct label_names *names)
{
    if (--names->in.refs != 0)
        return;
    interned_del(&names->owner->names, &names->in);
    for (size_t i = 0; i < names->n; i++)
        shared_text_unref(names->owner, shared_text_of(names->v[i]));
    buf_release(&names->json);
    mem_free(names);
}

/* -- sets -- */

static uint32_t label_names_hash(const struct label_set *like, struct labels ls)
{
    uint64_t h = ls.n;

    if (like != NULL && label_names_are(like->names, ls))
        return like->names->in.hash;
    LABELS_EACH (l, ls)
        h = hash_u64(h ^ hash_str(l->name));
    return (uint32_t)h;
}

static bool label_set_is(const struct label_set *set, struct labels ls)
{
    if (!label_names_are(set->names, ls))
        return false;
    for (size_t i = 0; i < ls.n; i++)
        if (!str_eq(shared_text_str(set->values[i]), ls.v[i].value))
            return false;
    return true;
}

static struct label_set *label_set_find(const struct interned_table *t, uint32_t hash,
                                        struct labels ls)
{
    if (t->n == 0)
        return NULL;
    INTERNED_EACH(it, t, hash)
    {
        struct label_set *set = container_of(it, struct label_set, in);

        if (label_set_is(set, ls))
            return set;
    }
    return NULL;
}

static struct shared_text *intern_like(struct interner *in, const struct label_set *like, size_t i,
                                       str s)
{
    if (like != NULL && i < like->names->n && str_eq(shared_text_str(like->values[i]), s))
        return shared_text_ref(like->values[i]);
    return shared_text_intern(in, s);
}

struct label_set *label_set_intern(struct interner *in, struct labels ls)
{
    struct label_set **latest = &in->latest[ls.n % LATEST], *set;
    uint32_t names = label_names_hash(*latest, ls);
    uint64_t hash = names;

    LABELS_EACH (l, ls)
        hash = hash_u64(hash ^ hash_str(l->value));
    set = label_set_find(&in->sets, (uint32_t)hash, ls);
    if (set != NULL)
        return label_set_ref(set);
    set = mem_alloc(sizeof(*set) + ls.n * sizeof(set->values[0]));
    set->in = (struct interned){(uint32_t)hash, 1};
    set->names = label_names_intern(in, *latest, names, ls);
    for (size_t i = 0; i < ls.n; i++)
        set->values[i] = intern_like(in, *latest, i, ls.v[i].value);
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
    in = set->names->owner;
    if (in->latest[set->names->n % LATEST] == set)
        in->latest[set->names->n % LATEST] = NULL;
    interned_del(&in->sets, &set->in);
    for (size_t i = 0; i < set->names->n; i++)
        shared_text_unref(in, set->values[i]);
    label_names_unref(set->names);
    mem_free(set);
}

struct labels label_set_view(struct arena *a, const struct label_set *set)
{
    return label_set_write(arena_alloc(a, set->names->n * sizeof(struct label)), set);
}

struct labels label_set_write(struct label *v, const struct label_set *set)
{
    for (size_t i = 0; i < set->names->n; i++)
        v[i] = label_set_at(set, i);
    return (struct labels){v, set->names->n};
}

/* Where the name stands; n: it does not. */
static size_t label_names_find(const struct label_names *names, str name)
{
    size_t lo = 0, hi = names->n;

    if (hi <= FEW_LABELS) {
        while (lo < hi && !str_eq(names->v[lo], name))
            lo++;
        return lo;
    }
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = label_name_cmp(names->v[mid], name);

        if (c == 0)
            return mid;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return names->n;
}

str label_set_get(const struct label_set *set, str name)
{
    size_t at = label_names_find(set->names, name);

    return at != set->names->n ? shared_text_str(set->values[at]) : STR_NONE;
}

int label_set_cmp(const struct label_set *a, const struct label_set *b)
{
    if (a->names->n != b->names->n)
        return a->names->n < b->names->n ? -1 : 1;
    for (size_t i = 0; i < a->names->n; i++) {
        int c = a->names != b->names ? label_name_order(a->names->v[i], b->names->v[i]) : 0;

        if (c == 0 && a->values[i] != b->values[i])
            c = str_cmp(shared_text_str(a->values[i]), shared_text_str(b->values[i]));
        if (c != 0)
            return c;
    }
    return 0;
}

uint64_t label_set_fingerprint(const struct label_set *set)
{
    uint64_t h = FNV1A_INIT;

    LABEL_SET_EACH (l, set)
        h = fingerprint_label(h, &l);
    return h;
}

static char *put_hashed(char *to, str s)
{
    if (s.n != 0)
        memcpy(to, s.p, s.n);
    to[s.n] = (char)0xFF;
    return to + s.n + 1;
}

uint64_t label_set_dedup_hash(const struct label_set *set)
{
    enum { FEW = 512 };
    char few[FEW], *p, *end;
    size_t n = 0;
    uint64_t h;

    LABEL_SET_EACH (l, set)
        n += l.name.n + l.value.n + 2;
    end = p = n > FEW ? mem_alloc(n) : few;
    LABEL_SET_EACH (l, set)
        end = put_hashed(put_hashed(end, l.name), l.value);
    h = hash_xxh64((str){p, n});
    if (p != few)
        mem_free(p);
    return h;
}

void label_set_print(struct buf *out, const struct label_set *set)
{
    buf_addc(out, '{');
    LABEL_SET_EACH (l, set)
        print_label(out, &l, at_l == 0);
    buf_addc(out, '}');
}

void label_set_put_json(struct json_writer *w, const struct label_set *set)
{
    json_open(w, '{');
    for (size_t i = 0; i < set->names->n; i++) {
        if (w->html)
            json_key_raw(w, set->names->keys[i]);
        else
            json_key(w, set->names->v[i]);
        shared_text_put_json(w, set->values[i]);
    }
    json_close(w, '}');
}

void label_set_prefetch(const struct label_set *set)
{
    __builtin_prefetch(set);
    __builtin_prefetch((const char *)set + MEM_LINE);
}

void label_set_prefetch_values(const struct label_set *set)
{
    for (size_t i = 0; i < set->names->n; i++)
        __builtin_prefetch(set->values[i]);
}
