/* Rings, lists and a heap: a destination with something to send is in the ring while it is open, in the heap while it is held.
 * Its rows stand in a list an urgency; what rides along with another is in none, and only counted. */
#include "core/queue.h"

#include "base/mem.h"

struct entry_list {
    struct queue_entry *head, *tail;
};

struct queue_destination {
    uint64_t id;
    struct entry_list waiting[QUEUE_URGENCIES];
    size_t n_waiting, under_way, riding;
    bool was_held;  /* since the last place */
    bool is_unwell; /* it asked to be left alone, and has taken nothing since */
    struct queue_destination *next, *prev; /* in the ring */
    bool in_ring;
    struct heap_node held; /* in it: no place before its key */
};

static struct queue_destination *queue_find(const struct send_queue *q, uint64_t id)
{
    void **slot = u64_map_get(&q->destinations, id);

    return slot != NULL ? *slot : NULL;
}

static struct queue_destination *find_or_new(struct send_queue *q, uint64_t id)
{
    struct queue_destination *d = queue_find(q, id);

    if (d != NULL)
        return d;
    d = mem_new(struct queue_destination);
    d->id = id;
    u64_map_put(&q->destinations, id, d);
    return d;
}

static void drop_if_idle(struct send_queue *q, struct queue_destination *d)
{
    if (d->n_waiting + d->under_way + d->riding != 0 || heap_holds(&d->held))
        return;
    u64_map_del(&q->destinations, d->id);
    mem_free(d);
}

void queue_release(struct send_queue *q)
{
    MAP_EACH (struct u64_map_entry, it, &q->destinations)
        mem_free(it->value);
    u64_map_release(&q->destinations);
    heap_release(&q->held);
}

/* -- the ring of those with something to send -- */

static void ring_add(struct send_queue *q, struct queue_destination *d)
{
    if (d->in_ring || d->n_waiting == 0 || heap_holds(&d->held))
        return;
    d->in_ring = true;
    if (q->ring == NULL) {
        q->ring = d->next = d->prev = d;
        return;
    }
    d->prev = q->ring;
    d->next = q->ring->next;
    d->prev->next = d->next->prev = d;
    q->ring = d;
}

static void ring_drop(struct send_queue *q, struct queue_destination *d)
{
    if (!d->in_ring)
        return;
    d->in_ring = false;
    if (q->ring == d)
        q->ring = d->prev != d ? d->prev : NULL;
    d->prev->next = d->next;
    d->next->prev = d->prev;
}

/* -- entries -- */

static void list_add(struct entry_list *l, struct queue_entry *x)
{
    x->next = NULL;
    x->prev = l->tail;
    if (l->tail != NULL)
        l->tail->next = x;
    else
        l->head = x;
    l->tail = x;
}

static void list_add_first(struct entry_list *l, struct queue_entry *x)
{
    x->prev = NULL;
    x->next = l->head;
    if (l->head != NULL)
        l->head->prev = x;
    else
        l->tail = x;
    l->head = x;
}

static void queue_list_remove(struct entry_list *l, struct queue_entry *x)
{
    if (x->prev != NULL)
        x->prev->next = x->next;
    else
        l->head = x->next;
    if (x->next != NULL)
        x->next->prev = x->prev;
    else
        l->tail = x->prev;
}

void queue_join(struct send_queue *q, struct queue_entry *x, uint64_t destination,
                unsigned char urgency)
{
    struct queue_destination *d = find_or_new(q, destination);

    BUG_ON(x->in != NULL || urgency >= QUEUE_URGENCIES);
    x->in = d;
    x->urgency = urgency;
    x->has_place = false;
    list_add(&d->waiting[urgency], x);
    d->n_waiting++;
    q->waiting++;
    ring_add(q, d);
}

static void stop_waiting(struct send_queue *q, struct queue_entry *x)
{
    struct queue_destination *d = x->in;

    queue_list_remove(&d->waiting[x->urgency], x);
    d->n_waiting--;
    q->waiting--;
    if (d->n_waiting == 0)
        ring_drop(q, d);
}

void queue_leave(struct send_queue *q, struct queue_entry *x)
{
    struct queue_destination *d = x->in;

    if (d == NULL)
        return;
    if (x->rides) {
        d->riding--;
    } else if (x->has_place) {
        q->under_way--;
        d->under_way--;
        q->busy -= d->under_way == 0;
    } else {
        stop_waiting(q, x);
    }
    x->in = NULL;
    x->has_place = x->rides = false;
    drop_if_idle(q, d);
}

struct queue_entry *queue_behind(const struct queue_entry *head, const struct queue_entry *x)
{
    const struct queue_destination *d = head->in;
    size_t i = x != NULL ? x->urgency + 1U : 0;

    if (x != NULL && x->next != NULL)
        return x->next;
    while (i < QUEUE_URGENCIES && d->waiting[i].head == NULL)
        i++;
    return i < QUEUE_URGENCIES ? d->waiting[i].head : NULL;
}

void queue_ride(struct send_queue *q, struct queue_entry *x)
{
    stop_waiting(q, x);
    x->has_place = x->rides = true;
    x->in->riding++;
}

void queue_come_back(struct send_queue *q, struct queue_entry *x)
{
    struct queue_destination *d = x->in;

    if (x->rides) {
        d->riding--;
    } else {
        q->under_way--;
        d->under_way--;
        q->busy -= d->under_way == 0;
    }
    x->has_place = x->rides = false;
    list_add_first(&d->waiting[x->urgency], x);
    d->n_waiting++;
    q->waiting++;
    ring_add(q, d);
}

/* -- places -- */

static size_t queue_share(const struct send_queue *q, const struct queue_destination *d)
{
    size_t s = d->is_unwell ? 1 : QUEUE_PLACES / (q->busy + 1);

    return s > QUEUE_SHARE ? QUEUE_SHARE : s < 1 ? 1 : s;
}

static void open_held(struct send_queue *q, ts_ns now)
{
    struct heap_node *n;

    while ((n = heap_min(&q->held)) != NULL && n->key <= now) {
        struct queue_destination *d = container_of(n, struct queue_destination, held);

        heap_remove(&q->held, n);
        ring_add(q, d);
        drop_if_idle(q, d);
    }
}

static struct queue_entry *queue_most_urgent(const struct queue_destination *d)
{
    for (size_t i = 0; i < QUEUE_URGENCIES; i++)
        if (d->waiting[i].head != NULL)
            return d->waiting[i].head;
    return NULL;
}

static struct queue_entry *give_place(struct send_queue *q, struct queue_destination *d)
{
    struct queue_entry *x = queue_most_urgent(d);

    q->ring = d;
    stop_waiting(q, x);
    x->has_place = true;
    x->gathers = d->was_held;
    d->was_held = false;
    q->busy += d->under_way == 0;
    d->under_way++;
    q->under_way++;
    return x;
}

struct queue_entry *queue_next(struct send_queue *q, ts_ns now)
{
    const struct queue_destination *first = NULL;

    open_held(q, now);
    while (q->ring != NULL && q->under_way < QUEUE_PLACES) {
        struct queue_destination *d = q->ring->next;

        if (d->under_way < queue_share(q, d))
            return give_place(q, d);
        if (d == first)
            break; /* a whole round without one that may */
        first = first != NULL ? first : d;
        q->ring = d;
    }
    return NULL;
}

void queue_hold(struct send_queue *q, uint64_t destination, ts_ns until)
{
    struct queue_destination *d = find_or_new(q, destination);

    d->was_held = true;
    if (heap_holds(&d->held) && d->held.key >= until)
        return;
    heap_push(&q->held, &d->held, until);
    ring_drop(q, d);
}

void queue_ask(struct send_queue *q, uint64_t destination, ts_ns until)
{
    queue_hold(q, destination, until);
    queue_find(q, destination)->is_unwell = true;
}

void queue_well(struct send_queue *q, uint64_t destination)
{
    struct queue_destination *d = queue_find(q, destination);

    if (d != NULL)
        d->is_unwell = false;
}

ts_ns queue_opens(const struct send_queue *q, uint64_t destination)
{
    const struct queue_destination *d = queue_find(q, destination);

    return d != NULL && heap_holds(&d->held) ? d->held.key : TS_NONE;
}

ts_ns queue_due(const struct send_queue *q)
{
    const struct heap_node *n = heap_min(&q->held);

    return n != NULL ? n->key : TS_MAX;
}
