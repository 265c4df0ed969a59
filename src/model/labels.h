/* labels.h - label sets: a borrowed view for passing around, an interned one for keeping.
 *
 * struct labels is a sorted view of name/value pairs in somebody's arena: what parsers, jobs, PromQL and templates
 * pass. struct label_set is an immutable copy that belongs to one interner: equal sets are one pointer, so identity
 * is a pointer comparison and a million alerts share the strings that they repeat. It is a pointer a label: names stand
 * once for all sets that have the same ones, values once for all that have that one. Who looks for one name, prints or
 * compares reads the set; who needs a view makes one with label_set_view(), of 32 bytes a label.
 *
 *     label_set_get(set, S("job"))        label_set_view(&arena, set)        LABEL_SET_EACH (l, set) use(l.name, l.value);
 *
 * Shapes   typically 5-15 labels of 10-40 bytes; sorted by name bytewise, names distinct, no empty values.
 * Owns     a view owns nothing; the text of one that label_set_view() made is the set's. A label_set is counted (plain, not
 *          atomic): references are taken and given back on its interner's thread only; another may read one that is held
 *          there: nothing that it reads moves.
 * Errors   labels_sort() returns the index of a duplicate name; validation has its own functions.
 * Cost     labels_get O(log n) above 8 labels; interning O(total bytes); a set takes 24 bytes and 8 a label, and the texts
 *          that no other has.
 * Source   alertmanager.md 3.1 (fingerprint), 3.5 (text), 3.8 (dedup hash).
 */
#ifndef MODEL_LABELS_H
#define MODEL_LABELS_H

#include "base/arena.h"
#include "base/buf.h"
#include "tocsin/json.h"
#include "tocsin/labels.h"

/* Sorts by name and drops labels with an empty value. Returns the new count, or SIZE_MAX with *dup set when a name
 * stands twice. */
size_t labels_sort(struct label *v, size_t n, str *dup);
size_t labels_sort_keep(struct label *v, size_t n,
                        str *dup); /* the same, empty values stay: annotations */

/* Sorts by name, empty values stay; of equal names the one that stands last holds, as in Go's maps. Returns the new count. */
size_t labels_sort_last(struct label *v, size_t n) must_check;

bool labels_eq(struct labels a, struct labels b);
/* Alertmanager's order: fewer labels first; then, at the first name that differs, the set that lacks the one which sorts
 * first, so {cc} before {bb}; then the first value that differs. */
int labels_cmp(struct labels a, struct labels b);
struct labels labels_copy(struct arena *a, struct labels ls); /* deep */

/* ls restricted to (or without) the given sorted names; the array is new, the text is shared. */
struct labels labels_only(struct arena *a, struct labels ls, const str *names, size_t n);
struct labels labels_without(struct arena *a, struct labels ls, const str *names, size_t n);
/* The union; where both have a name, over wins. An empty value in over removes the label. */
struct labels labels_merge(struct arena *a, struct labels under, struct labels over);

uint64_t labels_hash(struct labels ls);        /* seeded, for tables; never stored */
uint64_t labels_fingerprint(struct labels ls); /* FNV-1a 64, the API's "fingerprint" */
/* XXH64 over the same bytes, what the notification log keeps */
uint64_t labels_dedup_hash(struct labels ls);

void labels_print(struct buf *out,
                  struct labels ls); /* {a="b", c="d"}, values as Go quoted strings */
void labels_put_json(struct json_writer *w, struct labels ls); /* an object */

bool label_name_is_legacy(str s);  /* [a-zA-Z_][a-zA-Z0-9_]* */
bool metric_name_is_legacy(str s); /* the same with colons */
bool label_name_is_utf8(str s);    /* any non-empty valid UTF-8 */

/* -- interning -- */

struct interner;

/* What a table of the interner holds first. */
struct interned {
    uint32_t hash, refs;
};

/* A text that is kept once. */
struct shared_text {
    struct interned in;
    uint32_t n : 31;
    bool is_plain : 1; /* it stands in JSON as it is */
    char bytes[];
};

/* The names of sets, sorted, kept once for all that have these. */
struct label_names {
    struct interned in;
    struct interner *owner;
    str *keys; /* as JSON writes them, with html: "job": */
    struct buf json;
    size_t n;
    str v[];
};

struct label_set {
    struct interned in;
    struct label_names *names;
    struct shared_text *values[];
};

struct interner *interner_new(void);
void interner_free(struct interner *in); /* every set and text must have been given back */
size_t interner_count(const struct interner *in);

struct label_set *label_set_intern(struct interner *in,
                                   struct labels ls);   /* one reference for the caller */
struct label_set *label_set_ref(struct label_set *set); /* returns set */
void label_set_unref(struct label_set *set);            /* NULL is fine */

static inline str shared_text_str(const struct shared_text *t)
{
    return (str){t->bytes, t->n};
}

static inline struct label label_set_at(const struct label_set *set, size_t i)
{
    return (struct label){set->names->v[i], shared_text_str(set->values[i])};
}

#define LABEL_SET_EACH(l, set)                                                                     \
    for (size_t at_##l = 0, one_##l = 1; at_##l < (set)->names->n; at_##l++, one_##l = 1)          \
        for (struct label l = label_set_at(set, at_##l); one_##l != 0; one_##l = 0)

/* The set as a view: an array of a's, the text is the set's. */
struct labels label_set_view(struct arena *a, const struct label_set *set);
/* The same in an array of the caller's, which has room for all of them. */
struct labels label_set_write(struct label *v, const struct label_set *set);

/* As the functions of a view above. */
str label_set_get(const struct label_set *set, str name);
int label_set_cmp(const struct label_set *a, const struct label_set *b);
uint64_t label_set_fingerprint(const struct label_set *set);
uint64_t label_set_dedup_hash(const struct label_set *set);
void label_set_print(struct buf *out, const struct label_set *set);
void label_set_put_json(struct json_writer *w, const struct label_set *set);
/* Of alerts_look_ahead(). */
void label_set_prefetch(const struct label_set *set);
void label_set_prefetch_values(const struct label_set *set);

/* A single shared text, such as a generator URL that many alerts have. One reference for the caller. */
struct shared_text *shared_text_intern(struct interner *in, str s);
struct shared_text *shared_text_ref(struct shared_text *t);         /* returns t */
void shared_text_unref(struct interner *in, struct shared_text *t); /* NULL is fine */
void shared_text_put_json(struct json_writer *w, const struct shared_text *t);

#endif
