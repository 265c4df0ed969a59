/* The outbox: at most two rows a key. `row` waits for its time, then for a place at its destination (queue.h), then it
 * is in flight; `next` was decided meanwhile. On disk stands the newest of them, under the key: after a crash the
 * newest is sent, and it tells all that the older would.
 *
 * A newer row replaces an unsent one and inherits its attempts and its earliest time, so that neither a backoff nor a
 * Retry-After is forgotten. When the row in flight is answered, `next` is put to the notification log again: if the log
 * now says what it would say, it is dropped.
 *
 * An attempt is one message. It may tell rows of several groups (digest.h), or a part of one row: what has been told of it
 * stands in the row, which waits again, first, for the next. */
#include "core/bucket.h"
#include "core/digest.h"
#include "core/engine_priv.h"
#include "core/fallback.h"
#include "core/happenings.h"
#include "core/relay.h"

#include <stdio.h>

static size_t delivery_kind_of(const struct engine *e, str integration)
{
    for (size_t i = 0; i < e->conf->n_kinds; i++)
        if (str_eq(integration, e->conf->kinds[i]))
            return i;
    return SIZE_MAX;
}

struct receiver_stats *receiver_stats_of(struct engine *e, str receiver)
{
    VEC_EACH (struct receiver_stats *, r, &e->receivers)
        if (str_eq(r->name, receiver))
            return r;
    return NULL;
}

struct outbox_slot *outbox_slot_of(const struct engine *e, str key)
{
    struct outbox_slot **s = outbox_map_get(&e->outbox, key);

    return s != NULL ? *s : NULL;
}

/* The map's key is the text of the slot's newest row; both rows have equal keys, so it is re-pointed when one goes. */
static void slot_rekey(struct engine *e, struct outbox_slot *s, str old)
{
    struct outbox_map_entry *entry = outbox_map_find(&e->outbox, old);

    entry->key = s->row->key;
}

static void slot_remove(struct engine *e, struct outbox_slot *s)
{
    heap_remove(&e->outbox_timers, &s->timer);
    queue_leave(&e->queue, &s->place);
    changed_row(e, s->row);
    outbox_map_del(&e->outbox, s->row->key);
    outbox_row_free(s->row);
    outbox_row_free(s->next);
    mem_free(s);
}

void outbox_release(struct engine *e)
{
    MAP_EACH (struct outbox_map_entry, it, &e->outbox) {
        struct outbox_slot *s = it->value;

        heap_remove(&e->outbox_timers, &s->timer);
        queue_leave(&e->queue, &s->place);
        outbox_row_free(s->row);
        outbox_row_free(s->next);
        mem_free(s);
    }
    outbox_map_release(&e->outbox);
    queue_release(&e->queue);
}

static void delivery_put_row(struct engine *e, struct effects *fx, struct outbox_row *r,
                             struct now now)
{
    size_t begun = state_put_begin(&fx->commit, STATE_OUTBOX, r->key);

    changed_row(e, r);
    r->written = e->turns + 1;
    outbox_pack(&fx->commit.ops, r, now);
    state_put_end(&fx->commit, begun);
    outbox_row_written(r);
}

static void count_end(struct integration_stats *st, enum delivery_failure why)
{
    st->notifications++;
    st->failed[why]++;
}

static void count_failed(struct engine *e, const struct outbox_row *r, enum delivery_failure why)
{
    struct receiver_stats *rs = receiver_stats_of(e, r->receiver);
    size_t k = delivery_kind_of(e, r->integration);

    if (k == SIZE_MAX)
        return;
    count_end(&e->stats.integration[k], why);
    if (rs != NULL)
        count_end(&rs->integration[k], why);
}

static struct decision *delivery_record(struct effects *fx, enum decision_kind kind,
                                        const struct outbox_row *r, struct now now, str why)
{
    struct decision *d = decide(fx, kind, now);

    d->receiver = arena_str(&fx->arena, r->receiver);
    d->integration = arena_str(&fx->arena, r->integration);
    d->index = r->index;
    d->group_key = arena_str(&fx->arena, outbox_group_key(r));
    d->why = arena_str(&fx->arena, why);
    if (kind == DECISION_RETRY)
        d->until = ts_add(now.wall, r->not_before - now.mono);
    d->flush_id = r->flush_id;
    return d;
}

/* The same of an answer: attempt counts the one that it answers. */
static struct decision *delivery_record_answer(struct effects *fx, enum decision_kind kind,
                                               const struct outbox_row *r, unsigned attempt,
                                               const struct delivery_result *a, struct now now)
{
    struct decision *d = delivery_record(fx, kind, r, now, a->error);

    d->attempt = attempt;
    d->status = a->status;
    d->took = a->took;
    return d;
}

static void slot_advance(struct engine *e, struct outbox_slot *s, struct now now,
                         struct effects *fx);
static void slot_goes(struct engine *e, struct outbox_slot *s, struct now now, struct effects *fx);

/* Who only asks waits for nobody: neither for what the destination takes, nor for what it asked for. */
static uint64_t slot_queue(const struct outbox_slot *s)
{
    return s->row->asks ? ~s->destination : s->destination;
}

/* What is due asks for a place; the rest arms the timer. */
static void slot_go(struct engine *e, struct outbox_slot *s, struct now now)
{
    if (s->row->not_before > now.mono) {
        heap_push(&e->outbox_timers, &s->timer, s->row->not_before);
        return;
    }
    heap_remove(&e->outbox_timers, &s->timer);
    if (s->place.in != NULL && !outbox_in_flight(s) && s->place.urgency != s->row->urgency)
        queue_leave(&e->queue, &s->place); /* what it tells now is more urgent, or less */
    if (s->place.in == NULL)
        queue_join(&e->queue, &s->place, slot_queue(s), s->row->urgency);
}

/* That it is taken is on disk before the message goes. */
static void outbox_charge(struct engine *e, struct outbox_slot *s, struct now now,
                          struct effects *fx)
{
    struct pace_bucket *b = bucket_of(e, s->destination);

    if (b == NULL || s->row->asks)
        return;
    bucket_take(b, now.mono);
    bucket_put_row(fx, b, now);
    s->row->written = e->turns + 1;
    if (bucket_opens(b) > now.mono)
        queue_hold(&e->queue, s->destination, bucket_opens(b));
}

/* It has arrived by now, if it has. */
static void outbox_charge_late(struct engine *e, const struct outbox_slot *s, dur_ns took,
                               struct now now, struct effects *fx)
{
    struct pace_bucket *b = bucket_of(e, s->destination);

    if (b == NULL || s->row->asks || !bucket_arrived(b, took, now.mono))
        return;
    bucket_put_row(fx, b, now);
    if (bucket_opens(b) > now.mono)
        queue_hold(&e->queue, s->destination, bucket_opens(b));
}

const struct core_integration *outbox_integration(const struct engine *e,
                                                  const struct outbox_row *r)
{
    const struct core_receiver *rc = engine_receiver(e, r->receiver);

    for (size_t i = 0; rc != NULL && i < rc->n_integrations; i++)
        if (str_eq(r->integration, rc->integrations[i].kind) &&
            rc->integrations[i].index == r->index)
            return &rc->integrations[i];
    return NULL;
}

static bool same_hashes(struct hash_list a, struct hash_list b)
{
    return a.n == b.n && hash_list_is_subset(a, b);
}

static struct outbox_slot *slot_new(struct engine *e, struct outbox_row *row, uint64_t destination)
{
    struct outbox_slot *s = mem_new(struct outbox_slot);

    s->row = row;
    s->destination = destination;
    outbox_map_put(&e->outbox, row->key, s);
    return s;
}

/* Puts `row` in the place of an unsent one. Who had that needs this one only if it tells something else. */
static void slot_replace(struct engine *e, struct outbox_slot *s, struct outbox_row *row,
                         struct now now, struct effects *fx)
{
    struct outbox_row *old = s->row;

    outbox_row_follow(row, old);
    row->may_have_arrived = old->may_have_arrived;
    if (same_hashes(row->firing, old->firing) && same_hashes(row->resolved, old->resolved))
        outbox_row_inherit(row, old);
    if (old->attempt != 0)
        count_failed(e, old, old->failure);
    delivery_record(fx, DECISION_REPLACED, old, now, S("a newer flush tells more"));
    group_answered(e, old->flush_id, false, now, fx);
    s->row = row;
    row->asks &= row->had.n != 0;
    slot_rekey(e, s, old->key);
    outbox_row_free(old);
}

void outbox_decide(struct engine *e, const struct notification *n, const struct alert *const *of,
                   const struct core_integration *ic, str key, struct hash_list firing,
                   struct hash_list resolved, dur_ns repeat, struct now now, struct effects *fx)
{
    struct outbox_row *row =
        of != NULL
            ? outbox_row_naming(key, n, of, ic->kind, ic->index, firing, resolved, repeat, now)
            : outbox_row_new(key, n, ic->kind, ic->index, firing, resolved, repeat, now);
    struct outbox_slot *s = outbox_slot_of(e, key);

    row->asked = audience_revision(e);
    if (s == NULL) {
        s = slot_new(e, row, ic->destination);
        delivery_put_row(e, fx, row, now);
        slot_go(e, s, now);
        fallback_look(e, s, false, now, fx);
        return;
    }
    if (outbox_in_flight(s)) {
        if (s->next != NULL) {
            group_answered(e, s->next->flush_id, false, now, fx);
            outbox_row_free(s->next);
        }
        s->next = row;
        delivery_put_row(e, fx, row, now);
        return;
    }
    slot_replace(e, s, row, now, fx);
    delivery_put_row(e, fx, row, now);
    slot_go(e, s, now);
    fallback_look(e, s, false, now, fx);
}

str outbox_key_told_as(const struct engine *e, str key)
{
    struct outbox_slot **s = outbox_map_get(&e->outbox, key);

    return s != NULL ? outbox_told_as((*s)->row) : STR_NONE;
}

bool outbox_may_have_told(const struct engine *e, str key, uint64_t hash)
{
    struct outbox_slot **s = outbox_map_get(&e->outbox, key);

    return s != NULL && (outbox_in_flight(*s) || (*s)->row->may_have_arrived) &&
           hash_list_has((*s)->row->firing, hash);
}

bool outbox_may_have_said_else(const struct engine *e, str key, struct hash_list firing)
{
    struct outbox_slot **s = outbox_map_get(&e->outbox, key);

    /* what the attempts before it said, the row does not say any more */
    return s != NULL &&
           (outbox_in_flight(*s) || (*s)->stands_by ? !same_hashes((*s)->row->firing, firing)
                                                    : (*s)->row->may_have_arrived);
}

void outbox_asked_at(struct engine *e, str key, uint64_t revision)
{
    struct outbox_slot *s = outbox_slot_of(e, key);

    (s->next != NULL ? s->next : s->row)->asked = revision;
}

void outbox_gathers(struct engine *e, str key, bool opens)
{
    struct outbox_slot *s = opens ? outbox_slot_of(e, key) : NULL;

    if (s != NULL)
        (s->next != NULL ? s->next : s->row)->gathers = true;
}

static bool row_tells_ends(const struct outbox_row *r)
{
    return r != NULL && r->gathers && r->firing.n == 0;
}

bool outbox_digest_tells_end(const struct outbox_slot *s, const struct nflog_entry *told,
                             struct hash_list firing, struct hash_list resolved, bool opens)
{
    bool waits = s != NULL && (row_tells_ends(s->row) || row_tells_ends(s->next));

    return firing.n == 0 && resolved.n != 0 && (opens || waits) &&
           (told == NULL || !hash_list_is_subset(resolved, told->resolved));
}

bool outbox_drop_unsent(struct engine *e, str key, struct now now, struct effects *fx,
                        const char *why)
{
    struct outbox_slot *s = outbox_slot_of(e, key);

    if (s == NULL)
        return false;
    if (outbox_in_flight(s)) {
        if (s->next == NULL)
            return false;
        delivery_record(fx, DECISION_DROPPED, s->next, now, str_of(why));
        outbox_row_free(s->next);
        s->next = NULL;
        delivery_put_row(e, fx, s->row, now); /* the one in flight is the newest again */
        return true;
    }
    delivery_record(fx, DECISION_DROPPED, s->row, now, str_of(why));
    if (s->row->attempt != 0)
        count_failed(e, s->row, s->row->failure);
    state_delete(&fx->commit, STATE_OUTBOX, key);
    group_answered(e, s->row->flush_id, true, now, fx);
    slot_goes(e, s, now, fx);
    return true;
}

void outbox_withdraw(struct engine *e, struct outbox_slot *s, struct now now, struct effects *fx)
{
    delivery_record(fx, DECISION_DROPPED, s->row, now, S("nobody of it may be told any more"));
    group_answered(e, s->row->flush_id, false, now, fx);
    slot_advance(e, s, now, fx);
}

const struct outbox_row *outbox_reduce(struct engine *e, struct outbox_slot *s,
                                       const struct notification *n, struct hash_list firing,
                                       struct hash_list resolved, struct now now,
                                       struct effects *fx)
{
    struct outbox_row *old = s->row,
                      *row = outbox_row_new(old->key, n, old->integration, old->index, firing,
                                            resolved, old->repeat_interval, now);

    row->decided_at = old->decided_at;
    row->decided_mono = old->decided_mono;
    outbox_row_follow(row, old);
    row->asked = old->asked;
    row->is_late = old->is_late;
    outbox_row_inherit(row, old);
    s->row = row;
    slot_rekey(e, s, old->key);
    outbox_row_free(old);
    if (s->next == NULL) /* on disk stands the newest */
        delivery_put_row(e, fx, row, now);
    return row;
}

void nflog_write(struct engine *e, str key, struct nflog_entry *entry, struct now now,
                 struct effects *fx)
{
    struct nflog_map_entry *known = nflog_map_find(&e->nflog, key);
    size_t begun;

    if (known != NULL) {
        nflog_entry_free(known->value);
        known->value = entry;
    } else {
        nflog_map_put(&e->nflog, mem_str_dup(key), entry);
    }
    begun = state_put_begin(&fx->commit, STATE_TOLD, key);
    nflog_pack(&fx->commit.ops, entry, now);
    state_put_end(&fx->commit, begun);
}

static void nflog_forget(struct engine *e, str key, struct effects *fx)
{
    struct nflog_map_entry *known = nflog_map_find(&e->nflog, key);
    str owned = known != NULL ? known->key : STR_NONE;

    if (known == NULL)
        return;
    state_delete(&fx->commit, STATE_TOLD, key);
    nflog_entry_free(known->value);
    nflog_map_del_entry(&e->nflog, known);
    mem_str_free(owned);
}

void nflog_gc(struct engine *e, struct now now, struct effects *fx)
{
    MAP_EACH (struct nflog_map_entry, it, &e->nflog) {
        if (it->value->expires_mono > now.mono)
            continue;
        state_delete(&fx->commit, STATE_TOLD, it->key);
        nflog_entry_free(it->value);
        nflog_map_del_entry(&e->nflog, it);
        mem_str_free(it->key);
    }
}

dur_ns nflog_lifetime(const struct engine *e, dur_ns repeat)
{
    dur_ns twice;

    /* Who is kept back for long is to hear of the end all the same, and only the log knows that he was told. */
    if (e->conf->notifications.resolve_suppressed)
        return e->retention;
    if (repeat == 0 || __builtin_mul_overflow(repeat, 2, &twice))
        return e->retention;
    return twice < e->retention ? twice : e->retention;
}

static void count_request(struct integration_stats *st, const struct delivery_result *d)
{
    st->requests += d->requests;
    st->requests_failed += d->verdict != DELIVERY_OK && !d->under_way;
    metric_histogram_observe(&st->latency, (double)d->took / NS_PER_S);
}

/* However many rows it told. */
static void note_request(struct engine *e, const struct outbox_row *r,
                         const struct delivery_result *d)
{
    struct receiver_stats *rs = receiver_stats_of(e, r->receiver);
    size_t k = delivery_kind_of(e, r->integration);

    if (k == SIZE_MAX)
        return;
    count_request(&e->stats.integration[k], d);
    if (rs != NULL)
        count_request(&rs->integration[k], d);
}

static void note_answer(struct engine *e, const struct outbox_row *r,
                        const struct delivery_result *d, struct now now)
{
    struct receiver_stats *rs = receiver_stats_of(e, r->receiver);
    size_t k = delivery_kind_of(e, r->integration);

    if (k != SIZE_MAX) {
        e->stats.integration[k].notifications += d->verdict == DELIVERY_OK;
        if (rs != NULL)
            rs->integration[k].notifications += d->verdict == DELIVERY_OK;
    }
    if (rs == NULL)
        return;
    if (d->verdict == DELIVERY_OK) {
        rs->last_success = now.wall;
    } else if (!d->under_way) {
        rs->last_failure = now.wall;
        snprintf(rs->last_error, sizeof(rs->last_error), "%.*s", STR(d->error));
        rs->last_status = d->status;
    }
}

/* From the start of an attempt to the next: 500 ms x 1.5 an attempt, at most a minute, spread by half to each side, of which what
 * the attempt took is not waited for again: alertmanager.md 3.9. */
static dur_ns backoff(struct engine *e, unsigned attempt)
{
    double d = 0.5 * (double)NS_PER_S;

    for (unsigned i = 0; i < attempt && d < 60.0 * (double)NS_PER_S; i++)
        d *= 1.5;
    if (d > 60.0 * (double)NS_PER_S)
        d = 60.0 * (double)NS_PER_S;
    return (dur_ns)(d * (0.5 + rand_unit(&e->jitter)));
}

/* Whether what was decided while the row was in flight is still to be told: the log may say it all now, or it takes back what
 * nobody has heard. */
static bool next_is_news(const struct engine *e, const struct outbox_slot *s, struct now now)
{
    const struct outbox_row *next = s->next;
    struct nflog_entry **entry = nflog_map_get(&e->nflog, next->key);

    return nflog_decide(entry != NULL ? *entry : NULL, next->firing, next->resolved, true,
                        next->repeat_interval, now) != REASON_NONE ||
           next->may_have_arrived || next->is_relayed || row_tells_ends(next);
}

/* The answered row goes; what was decided meanwhile takes its place if it is news. */
static void slot_advance(struct engine *e, struct outbox_slot *s, struct now now,
                         struct effects *fx)
{
    struct outbox_row *old = s->row, *next = s->next;

    queue_leave(&e->queue, &s->place);
    if (next != NULL && !next_is_news(e, s, now)) {
        group_answered(e, next->flush_id, true, now, fx);
        outbox_row_free(next);
        next = NULL;
    }
    s->next = NULL;
    if (next == NULL) {
        state_delete(&fx->commit, STATE_OUTBOX, old->key);
        slot_goes(e, s, now, fx);
        return;
    }
    s->row = next;
    slot_rekey(e, s, old->key);
    outbox_row_free(old);
    delivery_put_row(e, fx, next, now);
    slot_go(e, s, now);
}

/* What the log keeps of a message, with room for one more: of a digest that it is one. Returns how many. */
static size_t delivery_kept_of(const struct delivery_result *d, struct delivery_pair *out)
{
    size_t n = 0;

    for (; n < d->n_kept; n++)
        out[n] = d->kept[n];
    if (d->n_rows > 1 && n != 0)
        out[n++] = (struct delivery_pair){S(KEPT_OF_DIGEST), S("1")};
    return n;
}

/* What it says counts as told, and that these fire. */
static void outbox_told(struct engine *e, struct outbox_slot *s, struct hash_list firing,
                        bool is_unsure, const struct delivery_pair *kept, size_t n_kept,
                        struct now now, struct effects *fx)
{
    struct outbox_row *r = s->row;
    struct nflog_entry *told =
        nflog_entry_new(r->decided_at, r->decided_mono,
                        ts_add(now.mono, nflog_lifetime(e, r->repeat_interval)), firing,
                        r->resolved, kept, n_kept);
    str told_as;

    told->is_unsure = is_unsure;
    told_as = firing.n != 0 ? outbox_told_as(r) : STR_NONE;
    if (told_as.n != 0)
        told->opened_as = mem_str_dup(told_as);
    if (r->is_relayed && !relay_may_come_again(r)) {
        nflog_entry_free(told);
        nflog_forget(e, r->key, fx);
    } else {
        nflog_write(e, r->key, told, now, fx);
    }
    group_answered(e, r->flush_id, true, now, fx);
    slot_advance(e, s, now, fx);
}

static void delivered_ok(struct engine *e, struct outbox_slot *s, const struct delivery_result *d,
                         struct now now, struct effects *fx)
{
    struct outbox_row *r = s->row;
    struct delivery_pair *kept = arena_array(&fx->arena, d->n_kept + 1, sizeof(*kept));

    delivery_record_answer(fx, DECISION_DELIVERED, r, r->attempt + 1, d, now);
    queue_well(&e->queue, s->destination);
    happened_delivered(e, r, now, fx);
    outbox_told(e, s, r->firing, false, kept, delivery_kept_of(d, kept), now, fx);
}

static void slot_stands_by(struct engine *e, struct outbox_slot *s, struct now now,
                           struct effects *fx);

void outbox_serve(struct engine *e, struct now now, struct effects *fx)
{
    struct queue_entry *x;

    while ((x = queue_next(&e->queue, now.mono)) != NULL) {
        struct outbox_slot *s = container_of(x, struct outbox_slot, place);

        if (!s->row->asks && !budget_spend(e, s, now, fx)) {
            slot_stands_by(e, s, now, fx);
            continue;
        }
        s->stands_by = false;
        s->row->is_late = digest_is_late(e, s->row, now.mono);
        digest_gather(e, s, now);
        outbox_charge(e, s, now, fx);
        vec_push(&fx->deliver, s->row);
    }
}

/* The slot's row is not under way any more, and not all of it is told. What was decided meanwhile takes its place. */
static void slot_waits_again(struct engine *e, struct outbox_slot *s, struct now now,
                             struct effects *fx)
{
    bool is_news = true;

    if (s->next != NULL) {
        struct outbox_row *next = s->next;

        if (s->row->is_relayed)
            next = s->next = relay_join(s->row, next, now);
        next->may_have_arrived = s->row->may_have_arrived;
        is_news = next_is_news(e, s, now);
        s->next = NULL;
        slot_replace(e, s, next, now, fx);
    }
    if (!is_news) {
        outbox_drop_unsent(e, s->row->key, now, fx, "resolved before it could be delivered");
        return;
    }
    delivery_put_row(e, fx, s->row, now);
    slot_go(e, s, now);
    fallback_look(e, s, false, now, fx);
}

/* How long it asked for, and up to a tenth more, 5 s at most: else all whom it asked come back at one instant. */
static dur_ns asked_wait(struct engine *e, dur_ns asked)
{
    dur_ns more = asked / 10 < 5 * NS_PER_S ? asked / 10 : 5 * NS_PER_S;

    return asked + (dur_ns)((double)more * rand_unit(&e->jitter));
}

static void delivered_later(struct engine *e, struct outbox_slot *s,
                            const struct delivery_result *d, struct now now, struct effects *fx)
{
    struct outbox_row *r = s->row;
    dur_ns wait = d->verdict == DELIVERY_RETRY_AFTER ? asked_wait(e, d->retry_after)
                                                     : backoff(e, r->attempt) - d->took;
    uint32_t error = (uint32_t)hash_bytes(d->error.p, d->error.n);

    r->asks = d->under_way;
    if (!d->under_way)
        outbox_row_failed(r, d->failure, d->error);
    r->may_have_arrived |= d->may_have_arrived;
    if (d->had.n != 0)
        outbox_row_had(r, d->had);
    r->not_before = ts_add(now.mono, wait > 0 && !(r->asks && r->was_heard) ? wait : 0);
    r->was_heard = false;
    if (d->verdict == DELIVERY_RETRY_AFTER && !d->under_way)
        queue_ask(&e->queue, s->destination, r->not_before);
    queue_leave(&e->queue, &s->place);
    delivery_record_answer(fx, DECISION_RETRY, r, r->attempt + d->under_way, d, now)->is_repeated =
        error == s->last_error;
    s->last_error = error;
    slot_waits_again(e, s, now, fx);
}

/* A part of it is told: it goes on with the next before anything else of its urgency. */
static void delivered_part(struct engine *e, struct outbox_slot *s, const struct delivery_result *d,
                           struct now now, struct effects *fx)
{
    queue_well(&e->queue, s->destination);
    s->row->may_have_arrived = true;
    if (d->had.n != 0)
        outbox_row_had(s->row, d->had);
    queue_come_back(&e->queue, &s->place);
    slot_waits_again(e, s, now, fx);
}

/* to: sorted, with room. Returns how many it has then. */
static size_t delivery_add_hashes(struct hash_list *to, struct hash_list from)
{
    size_t n = to->n;

    for (size_t i = 0; i < from.n; i++)
        if (!hash_list_has((struct hash_list){to->v, n}, from.v[i]))
            to->v[to->n++] = from.v[i];
    hash_list_sort(to);
    return to->n;
}

/* The row goes, and an attempt before the last may have been heard: the log keeps of whom, so that each end is told. */
static void log_unsure(struct engine *e, const struct outbox_row *r, struct now now,
                       struct effects *fx)
{
    struct nflog_entry **known = nflog_map_get(&e->nflog, r->key), *unsure;
    struct hash_list told = known != NULL ? (*known)->firing : (struct hash_list){NULL, 0};
    size_t most = told.n + r->firing.n + r->resolved.n;
    struct hash_list firing = {arena_array(&fx->arena, most, sizeof(uint64_t)), 0};

    delivery_add_hashes(&firing, told);
    delivery_add_hashes(&firing, r->firing);
    /* that it ended was refused; that it fires an earlier row may have said */
    if (delivery_add_hashes(&firing, r->resolved) == 0)
        return;
    unsure = nflog_entry_new(r->decided_at, r->decided_mono,
                             ts_add(now.mono, nflog_lifetime(e, r->repeat_interval)), firing,
                             (struct hash_list){NULL, 0}, known != NULL ? (*known)->kept : NULL,
                             known != NULL ? (*known)->n_kept : 0);
    unsure->opened_as = mem_str_dup(outbox_told_as(r));
    unsure->is_unsure = true;
    nflog_write(e, r->key, unsure, now, fx);
}

/* -- budgets: another is told in its place -- */

/* Beside a row of ends: of what the receiver was told. */
static struct hash_list fires_on(const struct outbox_row *r, const struct nflog_entry *known,
                                 struct arena *a)
{
    struct hash_list on = {NULL, 0};

    if (known == NULL)
        return on;
    on.v = arena_array(a, known->firing.n, sizeof(*on.v));
    for (size_t i = 0; i < known->firing.n; i++)
        if (!hash_list_has(r->resolved, known->firing.v[i]))
            on.v[on.n++] = known->firing.v[i];
    return on;
}

/* What who stands in was told counts as told; what it was not is decided again at the group's next tick. said: it was told
 * something for this row. */
static void slot_is_stood_in_for(struct engine *e, struct outbox_slot *s, bool said, struct now now,
                                 struct effects *fx)
{
    struct nflog_entry **entry = nflog_map_get(&e->nflog, s->row->key);
    const struct nflog_entry *known = entry != NULL ? *entry : NULL;
    bool is_end; /* that nobody needed to hear */

    switch (budget_asks_other(e, s->row)) {
    case BUDGET_OTHER_WAITS: return;
    case BUDGET_OTHER_TOLD:
        is_end = !said && s->row->firing.n == 0;
        outbox_told(e, s, is_end ? fires_on(s->row, known, &fx->arena) : s->row->firing,
                    is_end && (s->row->may_have_arrived || (known != NULL && known->is_unsure)),
                    known != NULL ? known->kept : NULL, known != NULL ? known->n_kept : 0, now, fx);
        return;
    case BUDGET_OTHER_NOT_TOLD:
        if (s->row->may_have_arrived && !s->row->is_relayed)
            log_unsure(e, s->row, now, fx);
        group_answered(e, s->row->flush_id, false, now, fx);
        slot_advance(e, s, now, fx);
    }
}

static void slot_stands_by(struct engine *e, struct outbox_slot *s, struct now now,
                           struct effects *fx)
{
    if (!s->stands_by)
        delivery_record(fx, DECISION_DROPPED, s->row, now, S("the day's budget is spent"));
    s->stands_by = true;
    queue_leave(&e->queue, &s->place);
    slot_is_stood_in_for(e, s, false, now, fx);
}

/* Nothing of the group waits for the receiver any more: those in whose place it was told go on. */
static void slots_stood_by(struct engine *e, str receiver, str group_key, struct now now,
                           struct effects *fx)
{
    struct buf key = BUF_INIT;

    for (size_t i = 0; i < e->conf->n_receivers; i++) {
        const struct core_receiver *rc = &e->conf->receivers[i];

        for (size_t k = 0; k < rc->n_integrations && str_eq(rc->budget_then, receiver); k++) {
            struct outbox_slot *s;

            buf_clear(&key);
            nflog_key(&key, group_key, rc->name, rc->integrations[k].kind,
                      rc->integrations[k].index);
            s = outbox_slot_of(e, buf_str(&key));
            if (s != NULL && s->stands_by)
                slot_is_stood_in_for(e, s, true, now, fx);
        }
    }
    buf_release(&key);
}

static void slot_goes(struct engine *e, struct outbox_slot *s, struct now now, struct effects *fx)
{
    str receiver, group_key;

    if (e->budgets.n == 0) { /* none was ever spent: nothing stands by */
        slot_remove(e, s);
        return;
    }
    receiver = arena_str(&fx->arena, s->row->receiver);
    group_key = arena_str(&fx->arena, outbox_group_key(s->row));
    slot_remove(e, s);
    slots_stood_by(e, receiver, group_key, now, fx);
}

static void delivered_never(struct engine *e, struct outbox_slot *s,
                            const struct delivery_result *d, struct now now, struct effects *fx)
{
    delivery_record_answer(fx, DECISION_FAILED, s->row, s->row->attempt + 1, d, now);
    count_failed(e, s->row, d->failure);
    fallback_look(e, s, true, now, fx);
    group_answered(e, s->row->flush_id, false, now, fx);
    if (!s->row->is_relayed && (s->row->may_have_arrived || d->may_have_arrived))
        log_unsure(e, s->row, now, fx);
    if (s->next != NULL)
        s->next->may_have_arrived = s->row->may_have_arrived || d->may_have_arrived;
    slot_advance(e, s, now, fx);
}

static void row_answered(struct engine *e, struct outbox_slot *s, const struct delivery_result *d,
                         struct now now, struct effects *fx)
{
    if (d->is_part) {
        delivered_part(e, s, d, now, fx);
        return;
    }
    note_answer(e, s->row, d, now);
    receiver_answered(e, s->row, d, now, fx);
    switch (d->verdict) {
    case DELIVERY_OK: delivered_ok(e, s, d, now, fx); break;
    case DELIVERY_RETRY:
    case DELIVERY_RETRY_AFTER: delivered_later(e, s, d, now, fx); break;
    case DELIVERY_SEND_HTTP:
    case DELIVERY_SEND_SMTP:
    case DELIVERY_SEND_TEXT:
    case DELIVERY_FAILED: delivered_never(e, s, d, now, fx); break;
    }
}

void outbox_delivered(struct engine *e, const struct delivery_result *d, struct now now,
                      struct effects *fx)
{
    bool is_counted = false;

    for (size_t i = 0; i < d->n_rows; i++) {
        struct outbox_slot *s = outbox_slot_of(e, d->rows[i].key);

        if (s == NULL || !outbox_in_flight(s) || s->row->flush_id != d->rows[i].flush_id)
            continue; /* pruned by a reload while it was on its way */
        if (!is_counted) {
            note_request(e, s->row, d);
            outbox_charge_late(e, s, d->took, now, fx);
        }
        is_counted = true;
        row_answered(e, s, d, now, fx);
    }
    for (size_t i = d->n_back; i-- > 0;) {
        struct outbox_slot *s = outbox_slot_of(e, d->back[i].key);

        if (s == NULL || !outbox_in_flight(s) || s->row->flush_id != d->back[i].flush_id)
            continue;
        queue_come_back(&e->queue, &s->place);
        if (s->next != NULL || outbox_integration(e, s->row) == NULL)
            slot_waits_again(e, s, now, fx);
    }
}

/* An attempt at once: it has nothing to ask but this. */
static void slot_hears(struct engine *e, struct outbox_slot *s, struct now now, struct effects *fx)
{
    if (outbox_in_flight(s)) {
        s->row->was_heard = true;
        if (s->next == NULL) /* on disk stands the newest */
            delivery_put_row(e, fx, s->row, now);
        return;
    }
    if (s->row->asks)
        s->row->not_before = now.mono;
    delivery_put_row(e, fx, s->row, now);
    slot_go(e, s, now);
}

size_t outbox_hear(struct engine *e, const struct receipts_heard *x, struct now now,
                   struct effects *fx)
{
    size_t n = 0;

    MAP_EACH (struct outbox_map_entry, it, &e->outbox) {
        struct outbox_row *r = it->value->row;
        bool any = false;

        if (r->had.n == 0 || r->index != x->index || !str_eq(r->receiver, x->receiver) ||
            !str_eq(r->integration, x->integration))
            continue;
        for (size_t i = 0; i < x->n; i++)
            any |= outbox_row_hears(r, &x->v[i]);
        if (any)
            slot_hears(e, it->value, now, fx);
        n += any;
    }
    return n;
}

ts_ns outbox_due(const struct engine *e)
{
    const struct heap_node *n = heap_min(&e->outbox_timers);
    ts_ns due = n != NULL ? n->key : TS_MAX, opens = queue_due(&e->queue);

    return opens < due ? opens : due;
}

void outbox_run_due(struct engine *e, struct now now, struct effects *fx)
{
    struct heap_node *n;

    (void)fx;
    while ((n = heap_min(&e->outbox_timers)) != NULL && n->key <= now.mono)
        slot_go(e, container_of(n, struct outbox_slot, timer), now);
}

void outbox_stepped(struct engine *e, dur_ns by, struct now now, struct effects *fx)
{
    (void)by;
    MAP_EACH (struct outbox_map_entry, it, &e->outbox)
        if (it->value->row->not_before > now.mono)
            delivery_put_row(e, fx, it->value->row, now);
}

/* A row whose receiver is gone has one of its own. */
static uint64_t delivery_destination_of(const struct engine *e, const struct outbox_row *r)
{
    const struct core_integration *ic = outbox_integration(e, r);

    return ic != NULL ? ic->destination : 0;
}

/* Longer than anybody may ask us to wait: who waits for longer was written by a clock that was set back since. */
enum { WAIT_MAX_M = 5 };

void outbox_restore(struct engine *e, struct outbox_row *row, bool is_renamed, struct now now,
                    struct effects *fx)
{
    struct outbox_slot *s = outbox_slot_of(e, row->key);
    ts_ns latest = row->attempt == 0 ? now.mono : ts_add(now.mono, WAIT_MAX_M * NS_PER_M);

    row->not_before = row->not_before < latest ? row->not_before : latest;
    row->is_restored = true;

    if (s != NULL && s->row->decided_at >= row->decided_at) {
        outbox_row_free(row);
        return;
    }
    if (s != NULL || is_renamed)
        delivery_put_row(e, fx, row, now);
    if (s != NULL)
        slot_remove(e, s);
    s = slot_new(e, row, delivery_destination_of(e, row));
    heap_push(&e->outbox_timers, &s->timer, row->not_before);
}

static void slot_move(struct engine *e, struct outbox_slot *s, uint64_t destination)
{
    bool waits = s->place.in != NULL && !outbox_in_flight(s);

    if (s->destination == destination)
        return;
    s->destination = destination;
    if (!waits)
        return; /* what is in flight gives its place back where it got it */
    queue_leave(&e->queue, &s->place);
    queue_join(&e->queue, &s->place, slot_queue(s), s->row->urgency);
}

/* After a reload a row goes where its receiver points to now; one whose integration is gone cannot be sent any more. */
void outbox_configure(struct engine *e, struct now now, struct effects *fx)
{
    MAP_EACH (struct outbox_map_entry, it, &e->outbox) {
        struct outbox_slot *s = it->value;
        const struct core_integration *ic = outbox_integration(e, s->row);

        if (ic != NULL) {
            slot_move(e, s, ic->destination);
            continue;
        }
        delivery_record(fx, DECISION_DROPPED, s->row, now,
                        S("the receiver is no longer configured"));
        state_delete(&fx->commit, STATE_OUTBOX, s->row->key);
        if (outbox_in_flight(s)) { /* its transfer still points at the row: let it come home */
            outbox_row_free(s->next);
            s->next = NULL;
            continue;
        }
        slot_remove(e, s);
    }
    MAP_EACH (struct outbox_map_entry, it, &e->outbox)
        if (it->value->stands_by) /* who was told in its place may be gone */
            slot_go(e, it->value, now);
}
