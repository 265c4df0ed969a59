#include "core/digest.h"

#include "core/bucket.h"
#include "core/engine_priv.h"

bool digest_is_late(const struct engine *e, const struct outbox_row *r, ts_ns mono)
{
    dur_ns age = e->conf->notifications.max_age;

    return age != 0 && mono - r->since > age;
}

bool digest_is_of_one(const struct outbox_row *a, const struct outbox_row *b)
{
    return a->index == b->index && str_eq(a->receiver, b->receiver) &&
           str_eq(a->integration, b->integration);
}

struct gathering {
    struct engine *e;
    struct outbox_slot *head, *last;
    size_t n, bytes;
    struct now now;
};

static bool digest_may_join(const struct gathering *g, const struct outbox_slot *s)
{
    return !outbox_in_flight(s) && !s->stands_by && s->row->had.n == 0 &&
           s->destination == g->head->destination && digest_is_of_one(s->row, g->head->row) &&
           g->n < DIGEST_ROWS && g->bytes + s->row->bytes <= DIGEST_BYTES;
}

/* It waits in the queue. */
static void digest_add(struct gathering *g, struct outbox_slot *s)
{
    queue_ride(&g->e->queue, &s->place);
    s->rider = NULL;
    s->row->is_late = digest_is_late(g->e, s->row, g->now.mono);
    g->last->rider = s;
    g->last = s;
    g->n++;
    g->bytes += s->row->bytes;
    if (s->row->written > g->head->row->written) /* it goes when all of them are on disk */
        g->head->row->written = s->row->written;
}

static void gather_waiting(struct gathering *g)
{
    const struct queue_entry *head = &g->head->place;
    struct queue_entry *next;

    for (struct queue_entry *x = queue_behind(head, NULL); x != NULL; x = next) {
        struct outbox_slot *s = container_of(x, struct outbox_slot, place);

        next = queue_behind(head, x);
        if (digest_may_join(g, s))
            digest_add(g, s);
    }
}

/* Those too that wait for their next attempt: it is this one. */
static void gather_late(struct gathering *g)
{
    MAP_EACH (struct outbox_map_entry, it, &g->e->outbox) {
        struct outbox_slot *s = it->value;

        if (!digest_may_join(g, s) || !digest_is_late(g->e, s->row, g->now.mono))
            continue;
        heap_remove(&g->e->outbox_timers, &s->timer);
        if (s->place.in == NULL)
            queue_join(&g->e->queue, &s->place, s->destination, s->row->urgency);
        digest_add(g, s);
    }
}

void digest_gather(struct engine *e, struct outbox_slot *s, struct now now)
{
    struct gathering g = {.e = e, .head = s, .last = s, .n = 1, .bytes = s->row->bytes, .now = now};
    const struct pace_bucket *b = bucket_of(e, s->destination);
    bool waits =
        s->row->gathers || s->place.gathers || (b != NULL && bucket_left(b, now.mono) <= 1);
    bool is_late = digest_is_late(e, s->row, now.mono);
    const struct core_integration *ic;

    s->rider = NULL;
    if ((!waits && !is_late) || s->row->had.n != 0)
        return;
    ic = outbox_integration(e, s->row);
    if (ic == NULL || !ic->digests)
        return;
    if (waits)
        gather_waiting(&g);
    if (is_late)
        gather_late(&g);
}
