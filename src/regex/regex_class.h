/* regex_class.h - sets of runes: what a character class, a folded letter and "." are.
 *
 * Shapes   sorted, disjoint, non-adjacent ranges after re_set_finish(); \pL has some 600.
 * Owns     a set under construction owns its vector; the finished class lives in an arena.
 * Source   Unicode 14 (regex_tables.c); Go's regexp/syntax for what a class may name.
 */
#ifndef REGEX_REGEX_CLASS_H
#define REGEX_REGEX_CLASS_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/vec.h"

enum { RUNE_MAX = 0x10FFFF };

struct re_range {
    uint32_t lo, hi;
};

struct re_class {
    const struct re_range *v;
    size_t n;
};

typedef VEC(struct re_range) re_set;

/* -- generated -- */
struct re_fold {
    uint32_t rune, next; /* next: the following member of the orbit, cyclic */
};
struct re_named_class {
    str name;
    const struct re_range *v;
    size_t n;
};
extern const struct re_fold re_folds[];
extern const size_t re_fold_count;
extern const struct re_named_class re_named_classes[];
extern const size_t re_named_class_count;

uint32_t re_fold_next(uint32_t rune); /* itself when it has no case */

void re_set_add(re_set *s, uint32_t lo, uint32_t hi);
void re_set_add_folded(re_set *s, uint32_t lo, uint32_t hi); /* with every case variant */
/* Adds the ranges, their folds, or the complement of either. */
void re_set_add_class(re_set *s, const struct re_range *v, size_t n, bool fold, bool negate);
struct re_class re_set_finish(re_set *s, bool negate,
                              struct arena *a); /* sorts, merges, releases s */

bool re_class_has(const struct re_class *c, uint32_t rune);

/* Letter or digit by Unicode, or '_': what a $name may hold. */
bool re_is_name_rune(uint32_t rune);
const struct re_named_class *re_named_class_find(str name); /* NULL when unknown */

#endif
