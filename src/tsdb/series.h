/* series.h - the series by id and by labels.
 *
 * Two arrays by id: where a series' values are, which every read asks for, and its labels, which hardly any does.
 *
 * Shapes   labels are pairs of symbols, sorted by the text of the name, as struct labels is.
 * Owns     the table owns the label arrays.
 * Cost     24 bytes a series, 8 a label, up to 12 in the hash table.
 */
#ifndef TSDB_SERIES_H
#define TSDB_SERIES_H

#include "base/vec.h"
#include "tocsin/labels.h"

#define SERIES_NONE UINT32_MAX

struct series_label {
    uint32_t name, value; /* symbols */
};

struct series_key {
    uint64_t hash;
    uint32_t n;
    struct series_label v[];
};

struct series_place {
    struct tsdb_stream *stream; /* NULL: there is no such series */
    uint32_t row;
    uint32_t column : 8; /* index of the stream's table of rows */
    uint32_t users : 24; /* selectors that want it kept, saturating */
};

struct series_table {
    VEC(struct series_key *) keys;
    VEC(struct series_place) places;
    VEC(uint32_t) unused;
    uint32_t *slots; /* id + 1 by hash, linear probing */
    size_t mask, n, bytes;
};

void series_release(struct series_table *t);
uint32_t series_find(const struct series_table *t, const struct series_label *v, uint32_t n);
uint32_t series_add(struct series_table *t, const struct series_label *v, uint32_t n);
void series_del(struct series_table *t, uint32_t id);

#endif
