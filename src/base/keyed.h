/* keyed.h - things sorted by a number beside them, without looking into them.
 *
 * Shapes   stable, ascending.
 * Owns     neither the array nor what it points to.
 * Cost     O(n) whatever the keys are: keys from the network cannot make it slow.
 */
#ifndef BASE_KEYED_H
#define BASE_KEYED_H

#include "base/str.h"

struct keyed {
    uint64_t key;
    void *value;
};

void keyed_sort(struct keyed *v, size_t n);

#endif
