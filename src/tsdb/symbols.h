/* symbols.h - label names and values as 32-bit numbers.
 *
 * Shapes   the empty text is no symbol: a label without a value is absent.
 * Owns     the table owns the text; a symbol lives while somebody holds a reference, then its number is used again.
 */
#ifndef TSDB_SYMBOLS_H
#define TSDB_SYMBOLS_H

#include "base/map.h"
#include "base/vec.h"

#define SYMBOL_NONE UINT32_MAX

MAP_DECLARE(symbol_map, str, uint32_t);

struct symbol {
    str text;
    uint32_t refs;
    bool is_remembered; /* a regex has been asked about it */
};

struct symbols {
    struct symbol_map by_text;
    VEC(struct symbol) v;
    VEC(uint32_t) unused;
    size_t bytes;
};

void symbols_release(struct symbols *sy);
uint32_t symbols_find(const struct symbols *sy, str text); /* SYMBOL_NONE: not there, or empty */
uint32_t symbols_ref(struct symbols *sy, str text);        /* one reference for the caller */
void symbols_hold(struct symbols *sy, uint32_t id);        /* the same, of one that is there */
/* True: that was the last reference, the number means nothing any more. SYMBOL_NONE is fine. */
bool symbols_unref(struct symbols *sy, uint32_t id);

static inline str symbols_text(const struct symbols *sy, uint32_t id)
{
    return sy->v.v[id].text;
}

#endif
