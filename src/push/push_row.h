/* push_row.h - groups as rows of the state, so that what was pushed once a night outlives a restart.
 *
 * Shapes   a row's key is the path of its group; its body: version, path, times, then family, labels and value of each
 *          series.
 */
#ifndef PUSH_PUSH_ROW_H
#define PUSH_PUSH_ROW_H

#include "push/push_set.h"

struct push_saved {
    str path;             /* of push_path_print() */
    ts_ns pushed, failed; /* wall; TS_NONE: never */
};

void push_row_encode(struct buf *out, const struct push_saved *g, const struct push_set *set);
/* The path is a slice of the input, the key the arena's; the set is whole, or NULL with why in e. */
struct push_set *push_row_decode(str bytes, struct push_saved *g, struct labels *key,
                                 struct arena *a, struct err *e) must_check;

#endif
