#include "tsdb/slab.h"

#include "base/buf.h"

MAP_DEFINE(layout_map, str, struct slab_layout *, hash_str, str_eq);

/* All that a histogram is but for its counts, as one run of bytes: the head, the bounds, the spans. */
struct layout_head {
    double zero_threshold;
    int32_t schema;
    uint32_t n_bounds, n_spans[2], n[2]; /* negative, positive */
    uint32_t unused;                     /* bytes are compared: no holes */
};

struct slab_layout {
    struct layout_head head;
    const double *bounds;
    const struct histogram_span *spans[2];
    uint32_t refs;
    str bytes;
};

struct slab_histogram {
    struct slab_layout *layout;
    enum histogram_hint hint;
    double count, sum, zero_count;
    double counts[]; /* of the negative, then of the positive buckets */
};

static size_t slab_size_of(const struct layout_head *l)
{
    return sizeof(struct slab_histogram) + (l->n[0] + l->n[1]) * sizeof(double);
}

void slab_release(struct slab *s)
{
    BUG_ON(s->layouts.n != 0);
    layout_map_release(&s->layouts);
}

/* -- layouts -- */

static void add_array(struct buf *b, const void *p, size_t n, size_t size)
{
    if (n != 0)
        buf_add(b, (str){p, n * size});
}

static void write_layout(struct buf *b, const struct histogram *h)
{
    const struct histogram_side *side[2] = {&h->negative, &h->positive};
    struct layout_head head = {.zero_threshold = h->zero_threshold,
                               .schema = h->schema,
                               .n_bounds = h->n_bounds,
                               .n_spans = {side[0]->n_spans, side[1]->n_spans},
                               .n = {side[0]->n, side[1]->n}};

    buf_add(b, (str){(const char *)&head, sizeof(head)});
    add_array(b, h->bounds, h->n_bounds, sizeof(*h->bounds));
    for (int i = 0; i < 2; i++)
        add_array(b, side[i]->spans, side[i]->n_spans, sizeof(*side[i]->spans));
}

static struct slab_layout *new_layout(struct slab *s, str bytes)
{
    struct slab_layout *l = mem_new(struct slab_layout);

    l->bytes = mem_str_dup(bytes);
    memcpy(&l->head, l->bytes.p, sizeof(l->head));
    l->bounds = (const double *)(const void *)(l->bytes.p + sizeof(l->head));
    l->spans[0] = (const struct histogram_span *)(const void *)(l->bounds + l->head.n_bounds);
    l->spans[1] = l->spans[0] + l->head.n_spans[0];
    layout_map_put(&s->layouts, l->bytes, l);
    s->bytes += sizeof(*l) + bytes.n;
    return l;
}

static struct slab_layout *layout_of(struct slab *s, const struct histogram *h)
{
    struct buf b = BUF_INIT;
    struct slab_layout **hit, *l;

    write_layout(&b, h);
    hit = layout_map_get(&s->layouts, buf_str(&b));
    l = hit != NULL ? *hit : new_layout(s, buf_str(&b));
    l->refs++;
    buf_release(&b);
    return l;
}

static void unref_layout(struct slab *s, struct slab_layout *l)
{
    if (--l->refs != 0)
        return;
    layout_map_del(&s->layouts, l->bytes);
    s->bytes -= sizeof(*l) + l->bytes.n;
    mem_str_free(l->bytes);
    mem_free(l);
}

/* -- histograms -- */

static struct slab_histogram *at_slot(storage_slot slot)
{
    return (struct slab_histogram *)(uintptr_t)(slot & ~STORAGE_HISTOGRAM);
}

storage_slot slab_put(struct slab *s, const struct histogram *h)
{
    struct slab_layout *l = layout_of(s, h);
    struct slab_histogram *own = mem_alloc(slab_size_of(&l->head));
    uintptr_t address = (uintptr_t)own;

    BUG_ON((address & STORAGE_HISTOGRAM) != 0);
    *own = (struct slab_histogram){l, h->hint, h->count, h->sum, h->zero_count};
    if (h->negative.n != 0)
        memcpy(own->counts, h->negative.counts, h->negative.n * sizeof(double));
    if (h->positive.n != 0)
        memcpy(own->counts + h->negative.n, h->positive.counts, h->positive.n * sizeof(double));
    s->bytes += slab_size_of(&l->head);
    return STORAGE_HISTOGRAM | address;
}

void slab_drop(struct slab *s, storage_slot slot)
{
    struct slab_histogram *own = at_slot(slot);

    s->bytes -= slab_size_of(&own->layout->head);
    unref_layout(s, own->layout);
    mem_free(own);
}

void slab_get(storage_slot slot, struct histogram *out)
{
    const struct slab_histogram *own = at_slot(slot);
    const struct slab_layout *l = own->layout;
    const struct layout_head *head = &l->head;

    *out = (struct histogram){.hint = own->hint,
                              .schema = head->schema,
                              .count = own->count,
                              .sum = own->sum,
                              .zero_threshold = head->zero_threshold,
                              .zero_count = own->zero_count,
                              .negative = {l->spans[0], own->counts, head->n_spans[0], head->n[0]},
                              .positive = {l->spans[1], own->counts + head->n[0], head->n_spans[1],
                                           head->n[1]},
                              .bounds = l->bounds,
                              .n_bounds = head->n_bounds};
}
