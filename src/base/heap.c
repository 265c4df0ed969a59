#include "base/heap.h"

#include "base/mem.h"

void heap_release(struct heap *h)
{
    mem_free(h->v);
    *h = (struct heap){0};
}

static bool before(const struct heap_node *a, const struct heap_node *b)
{
    return a->key != b->key ? a->key < b->key : a->order < b->order;
}

static void heap_put(struct heap *h, size_t i, struct heap_node *node)
{
    h->v[i] = node;
    node->at = i + 1;
}

static void sift_up(struct heap *h, size_t i)
{
    struct heap_node *node = h->v[i];

    while (i != 0 && before(node, h->v[(i - 1) / 2])) {
        heap_put(h, i, h->v[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    heap_put(h, i, node);
}

static void heap_sift_down(struct heap *h, size_t i)
{
    struct heap_node *node = h->v[i];

    for (;;) {
        size_t c = 2 * i + 1;

        if (c >= h->n)
            break;
        if (c + 1 < h->n && before(h->v[c + 1], h->v[c]))
            c++;
        if (!before(h->v[c], node))
            break;
        heap_put(h, i, h->v[c]);
        i = c;
    }
    heap_put(h, i, node);
}

void heap_push(struct heap *h, struct heap_node *node, int64_t key)
{
    node->key = key;
    node->order = h->pushes++;
    if (heap_holds(node)) {
        sift_up(h, node->at - 1);
        heap_sift_down(h, node->at - 1);
        return;
    }
    if (h->n == h->cap) {
        h->cap = h->cap != 0 ? h->cap * 2 : 16;
        h->v = mem_resize(h->v, h->cap, sizeof(h->v[0]));
    }
    heap_put(h, h->n++, node);
    sift_up(h, h->n - 1);
}

void heap_remove(struct heap *h, struct heap_node *node)
{
    size_t i = node->at;
    struct heap_node *last;

    if (i-- == 0)
        return;
    BUG_ON(i >= h->n || h->v[i] != node);
    node->at = 0;
    last = h->v[--h->n];
    if (last == node)
        return;
    heap_put(h, i, last);
    sift_up(h, i);
    heap_sift_down(h, last->at - 1);
}

struct heap_node *heap_pop(struct heap *h)
{
    struct heap_node *node = heap_min(h);

    if (node != NULL)
        heap_remove(h, node);
    return node;
}
