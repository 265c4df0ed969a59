/* heap.h - an indexed binary min-heap: the earliest of many deadlines, with removal and change in O(log n).
 *
 *     struct timer { struct heap_node node; ... };
 *     heap_push(&h, &t->node, due);  heap_remove(&h, &t->node);  struct heap_node *n = heap_min(&h);
 *
 * Shapes   nodes are embedded in their owner. Equal keys come out in the order of their push, so runs repeat.
 * Owns     the heap owns its array only.
 * Cost     push, remove, update O(log n); min O(1).
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include "base/str.h"

struct heap_node {
    int64_t key;
    uint64_t order;
    size_t at; /* index + 1; 0 = not in a heap */
};

struct heap {
    struct heap_node **v;
    size_t n, cap;
    uint64_t pushes;
};

void heap_release(struct heap *h);
void heap_push(struct heap *h, struct heap_node *node,
               int64_t key);                              /* moves it when it is in already */
void heap_remove(struct heap *h, struct heap_node *node); /* nothing when it is not in */
struct heap_node *heap_pop(struct heap *h);               /* NULL when empty */

static inline struct heap_node *heap_min(const struct heap *h)
{
    return h->n != 0 ? h->v[0] : NULL;
}

static inline bool heap_holds(const struct heap_node *node)
{
    return node->at != 0;
}

#endif
