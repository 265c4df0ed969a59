#include "core/relay.h"

#include <stdlib.h>
#include "base/hash.h"
#include "core/engine_priv.h"

enum { ROWS_MAX = 50000, BYTES_MAX = 256 << 20, ROW_MAX = 16 << 20 };

/* One life of an alert: what fires again is another one. */
static uint64_t relay_hash(const struct notified_alert *a)
{
    return labels_dedup_hash(a->labels) ^ (uint64_t)a->starts_at * 0x9e3779b97f4a7c15U;
}

static struct hash_list hashes_of(const struct notification *n, bool is_resolved, struct arena *a)
{
    struct hash_list h = {arena_array(a, n->n_alerts, sizeof(uint64_t)), 0};

    for (size_t i = 0; i < n->n_alerts; i++)
        if (n->alerts[i].is_resolved == is_resolved)
            h.v[h.n++] = relay_hash(&n->alerts[i]);
    hash_list_sort(&h);
    return h;
}

static struct hash_list labels_of(const struct notification *n, struct arena *a)
{
    struct hash_list h = {arena_array(a, n->n_alerts, sizeof(uint64_t)), n->n_alerts};

    for (size_t i = 0; i < n->n_alerts; i++)
        h.v[i] = labels_dedup_hash(n->alerts[i].labels);
    hash_list_sort(&h);
    return h;
}

/* next, and behind it what only old names. */
static struct notification joined(const struct notification *old, const struct notification *next,
                                  struct arena *a)
{
    struct notified_alert *v =
        arena_copy(a, next->alerts, next->n_alerts, next->n_alerts + old->n_alerts, sizeof(*v));
    struct hash_list known = labels_of(next, a);
    struct notification n = *next;

    for (size_t i = 0; i < old->n_alerts; i++) {
        if (hash_list_has(known, labels_dedup_hash(old->alerts[i].labels)))
            continue;
        v[n.n_alerts++] = old->alerts[i];
        n.n_firing += !old->alerts[i].is_resolved;
    }
    n.alerts = v;
    return n;
}

static struct outbox_row *relay_row(const struct notification *n, str key, str integration,
                                    unsigned index, struct arena *a, struct now now)
{
    return outbox_row_new(key, n, integration, index, hashes_of(n, false, a), hashes_of(n, true, a),
                          RELAY_PATIENCE, now);
}

struct outbox_row *relay_join(const struct outbox_row *old, struct outbox_row *next, struct now now)
{
    struct notification was, is, both;
    struct outbox_row *row = next;
    struct arena a;

    arena_init(&a, 0);
    if (outbox_tells(old, &a, &was) && outbox_tells(next, &a, &is)) {
        both = joined(&was, &is, &a);
        row = relay_row(&both, next->key, next->integration, next->index, &a, now);
        row->decided_at = next->decided_at;
        row->decided_mono = next->decided_mono;
        outbox_row_free(next);
    }
    arena_release(&a);
    return row;
}

bool relay_may_come_again(const struct outbox_row *r)
{
    return r->is_restored;
}

struct relay_load relay_load(const struct engine *e)
{
    struct relay_load l = {0, 0};

    MAP_EACH (struct outbox_map_entry, it, &e->outbox) {
        const struct outbox_row *rows[] = {it->value->row, it->value->next};

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            if (rows[i] != NULL && rows[i]->is_relayed) {
                l.rows++;
                l.bytes += rows[i]->bytes;
            }
    }
    return l;
}

static size_t size_of(struct labels ls)
{
    size_t n = 0;

    LABELS_EACH (l, ls)
        n += l->name.n + l->value.n;
    return n;
}

static size_t relay_size(const struct notification *n)
{
    size_t size = 0;

    for (size_t i = 0; i < n->n_alerts; i++)
        size += size_of(n->alerts[i].labels) + size_of(n->alerts[i].annotations) +
                n->alerts[i].generator_url.n;
    return size;
}

/* Counted once a turn: a turn may take many. */
static bool relay_has_room(struct engine *e, size_t bytes, struct err *err)
{
    struct relay_count *c = &e->relayed;

    if (c->turn != e->turns + 1) {
        struct relay_load l = relay_load(e);

        *c = (struct relay_count){e->turns + 1, l.rows, l.bytes};
    }
    if (bytes > ROW_MAX)
        return err_set(err, ERR_LIMIT, "what waits for the group is over %d MiB", ROW_MAX >> 20);
    if (c->rows >= ROWS_MAX || c->bytes + bytes > BYTES_MAX)
        return err_set(err, ERR_LIMIT, "too many messages wait: %zu with %zu MiB", c->rows,
                       c->bytes >> 20);
    c->rows++;
    c->bytes += bytes;
    return true;
}

static bool says_it(const struct outbox_row *r, struct hash_list firing, struct hash_list resolved)
{
    return r != NULL && hash_list_is_subset(firing, r->firing) &&
           hash_list_is_subset(resolved, r->resolved);
}

/* Whether all of it waits already, or was told to whoever did not hear that it would be. */
static bool is_kept(const struct engine *e, const struct outbox_slot *s, str key,
                    struct hash_list firing, struct hash_list resolved)
{
    struct nflog_entry **told = nflog_map_get(&e->nflog, key);

    if (s != NULL && outbox_in_flight(s))
        return says_it(s->next, firing, resolved) ||
               (relay_may_come_again(s->row) && s->next == NULL &&
                says_it(s->row, firing, resolved));
    if (s != NULL)
        return says_it(s->row, firing, resolved);
    return told != NULL && hash_list_is_subset(firing, (*told)->firing) &&
           hash_list_is_subset(resolved, (*told)->resolved);
}

static void relay_note(struct effects *fx, const struct notification *n,
                       const struct core_integration *ic, struct now now)
{
    struct decision *d = decide_told(fx, n, now);

    d->receiver = arena_str(&fx->arena, n->receiver);
    d->integration = ic->kind;
    d->index = ic->index;
    d->group_key = arena_str(&fx->arena, n->group_key);
    d->why = S("another Alertmanager's, passed on");
}

static bool relay_put(struct engine *e, struct notification *n, const struct core_integration *ic,
                      str key, struct now now, struct effects *fx, struct event_result *r)
{
    struct outbox_slot *s = outbox_slot_of(e, key);
    const struct outbox_row *waits = s == NULL ? NULL : outbox_in_flight(s) ? s->next : s->row;
    struct notification old;
    struct arena *a = &fx->arena;
    struct hash_list firing = hashes_of(n, false, a), resolved = hashes_of(n, true, a);

    if (is_kept(e, s, key, firing, resolved)) {
        e->stats.relayed_again++;
        return true;
    }
    if (waits != NULL && outbox_tells(waits, a, &old)) {
        *n = joined(&old, n, a);
        firing = hashes_of(n, false, a);
        resolved = hashes_of(n, true, a);
        e->stats.relayed_joined++;
    }
    if (!relay_has_room(e, relay_size(n), &r->err))
        return false;
    n->flush_id = ++e->next_flush_id;
    outbox_decide(e, n, NULL, ic, key, firing, resolved, RELAY_PATIENCE, now, fx);
    relay_note(fx, n, ic, now);
    e->stats.relayed++;
    r->accepted++;
    return true;
}

void relay_take(struct engine *e, const struct notification *in, struct now now, struct effects *fx,
                struct event_result *r)
{
    const struct core_receiver *rc = engine_receiver(e, in->receiver);
    struct buf key = BUF_INIT;

    if (rc == NULL) {
        r->ok = err_set(&r->err, ERR_NOT_FOUND, "there is no receiver '%.*s'", STR(in->receiver));
        return;
    }
    for (size_t i = 0; r->ok && i < rc->n_integrations; i++) {
        struct notification n = *in;

        buf_clear(&key);
        nflog_key(&key, n.group_key, rc->name, rc->integrations[i].kind, rc->integrations[i].index);
        r->ok = relay_put(e, &n, &rc->integrations[i], buf_str(&key), now, fx, r);
    }
    buf_release(&key);
}
