/* labels.h - a label set as everybody passes it: a sorted view of name/value pairs.
 *
 * Shapes   sorted by name bytewise, names distinct; typically 5-15 pairs of 10-40 bytes.
 * Owns     nothing; the pairs live in somebody's arena or label set.
 */
#ifndef TOCSIN_LABELS_H
#define TOCSIN_LABELS_H

#include "tocsin/str.h"

struct label {
    str name, value;
};

struct labels {
    const struct label *v;
    size_t n;
};

#define LABELS_NONE ((struct labels){NULL, 0})
#define LABELS_EACH(it, ls)                                                                        \
    for (const struct label *it = (ls).v; (ls).n != 0 && it < (ls).v + (ls).n; it++)

static inline int label_name_cmp(str a,
                                 str b) /* as str_cmp(); names mostly differ in their first byte */
{
    if (a.n != 0 && b.n != 0 && a.p[0] != b.p[0])
        return (unsigned char)a.p[0] < (unsigned char)b.p[0] ? -1 : 1;
    return str_cmp(a, b);
}

static inline int label_order(const void *a, const void *b) /* by name, for qsort() */
{
    return label_name_cmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

enum { LABELS_FEW = 32 };
/* By name; of up to LABELS_FEW those of one name stay in their order. */
void label_sort(struct label *v, size_t n);

str labels_get(struct labels ls, str name); /* the value, or the empty slice */
bool labels_has(struct labels ls, str name);

#endif
