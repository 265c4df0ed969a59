/* sheet.h - the samples of one part of an exporter, by family, and several sheets printed as one page.
 *
 *     sheet_begin(s, S("node_load1"), EXPO_GAUGE, S("1m load average."));
 *     sheet_put(s, NULL, 0, 0.5);
 *
 * A family may be begun again: its samples stand together. On a page a name that several sheets have is one family, with the
 * type and text of the first.
 *
 * Shapes   some hundred families, some thousand samples. Names are the caller's constants, or checked by him.
 * Owns     a sheet owns copies of all.
 * Cost     a sample is printed once, when it is put.
 */
#ifndef COLLECT_SHEET_H
#define COLLECT_SHEET_H

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "codec/exposition.h"
#include "tocsin/labels.h"

struct sheet_family {
    str name, help;
    enum expo_type type;
    struct buf lines;
};

struct sheet {
    struct arena a;
    VEC(struct sheet_family *) families;
    struct str_map by_name;
    struct sheet_family *now;
    bool yields; /* on a page its families make way for another sheet's of the same name */
};

#define SHEET_LABEL(name_, value_) ((struct expo_label){S(name_), (value_)})

void sheet_init(struct sheet *s);
void sheet_release(struct sheet *s);
void sheet_begin(struct sheet *s, str name, enum expo_type type, str help);
/* NULL: there is none. */
const struct sheet_family *sheet_find(const struct sheet *s, str name);

/* Of the family that was begun last. */
void sheet_put(struct sheet *s, const struct expo_label *labels, size_t n, double v);
void sheet_put_u64(struct sheet *s, const struct expo_label *labels, size_t n, uint64_t v);
/* Under a name of its own, as a histogram's buckets have; __name__ is not looked at. */
void sheet_put_named(struct sheet *s, str name, struct labels ls, double v);

/* A family of one sample without labels. */
void sheet_one(struct sheet *s, str name, enum expo_type type, str help, double v);

/* Appends them as one page; an element may be NULL. */
void sheets_print(const struct sheet *const *v, size_t n, struct buf *out);

#endif
