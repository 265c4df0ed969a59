#include "oracle.h"

#include <stdio.h>
#include "base/hash.h"
#include "core/bucket.h"
#include "core/explain.h"
#include "core/fallback.h"
#include "config/config.h"

static void forget(struct oracle *o)
{
    VEC_EACH (struct prediction *, p, &o->v) {
        mem_str_free(p->receiver);
        mem_str_free(p->group_key);
    }
    vec_clear(&o->v);
}

void oracle_release(struct oracle *o)
{
    forget(o);
    vec_release(&o->v);
}

void oracle_disturb(struct oracle *o)
{
    o->holds = false;
}

/* What a prediction takes for granted: who fires, who has ended, what is silenced and configured, that nothing fails, and that
 * nobody else takes what a destination has left. Rows that wait are foreseen. */
static uint64_t world_of(const struct engine *e, struct now now)
{
    uint64_t h =
        hash_u64((uintptr_t)e->conf) + changes_last(&e->changes, CHANGES_OF(CHANGED_SILENCE));

    ALERT_TABLE_EACH (a, &e->alerts) {
        h += hash_u64(alert_fingerprint(a) + (alert_is_resolved(a, now) ? 1 : 0));
    }
    MAP_EACH (struct u64_map_entry, it, &e->buckets) {
        const struct pace_bucket *b = it->value;

        for (size_t i = 0; i < PACE_LIMITS; i++)
            h += hash_u64((uint64_t)b->limits[i].spent);
    }
    VEC_EACH (const struct budget_state *, b, &e->budgets)
        h += hash_u64((uint64_t)b->day * 1000 + b->spent);
    for (size_t i = 0; receiver_types[i] != NULL; i++)
        h += e->stats.integration[i].requests_failed;
    return h;
}

static void complain(struct oracle *o, const char *scenario, const struct prediction *p,
                     const char *what, ts_ns at)
{
    o->wrong++;
    fprintf(stderr, "%s: explain: %016llx %.*s in %.*s: foreseen for %.9f, %s %.9f (asked %.3f)\n",
            scenario, (unsigned long long)p->fingerprint, STR(p->receiver), STR(p->group_key),
            p->at == TS_NONE ? -1 : (double)p->at / NS_PER_S, what,
            at == TS_NONE ? -1 : (double)at / NS_PER_S, (double)o->asked_at / NS_PER_S);
}

void oracle_arrived(struct oracle *o, const char *scenario, uint64_t fingerprint, str receiver,
                    struct labels group, ts_ns at)
{
    struct buf key = BUF_INIT;

    labels_print(&key, group);
    VEC_EACH (struct prediction *, p, &o->v) {
        if (!o->holds || at >= o->until || p->fingerprint != fingerprint ||
            !str_eq(p->receiver, receiver) || !str_ends_with(p->group_key, buf_str(&key)))
            continue;
        o->checked++;
        if (p->at != at && !p->came)
            complain(o, scenario, p, "came", at);
        p->came = true;
    }
    buf_release(&key);
}

static const struct prediction *before(const struct oracle *o, const struct prediction *now)
{
    VEC_EACH (const struct prediction *, p, &o->v)
        if (p->fingerprint == now->fingerprint && str_eq(p->receiver, now->receiver) &&
            str_eq(p->group_key, now->group_key))
            return p;
    return NULL;
}

/* Then an alert that nothing holds back now may be held back at the tick. */
static bool silence_is_pending(const struct engine *e, ts_ns now)
{
    struct silence_list all = {0};
    bool pending = false;

    silencer_all(e->silencer, &all);
    VEC_EACH (const struct silence *const *, s, &all)
        pending |= silence_state(*s, now) == SILENCE_PENDING;
    vec_release(&all);
    return pending;
}

/* Wall: who fires and is not held back is told by then. A row waits as long as its receiver asked for, or as its attempts
 * that failed have it, and so does what takes its place. All receivers are one destination: who asked to be left alone is
 * left alone by each of them. */
static ts_ns latest(const struct engine *e, const struct explain_route *r,
                    const struct explain_integration *in, struct now now)
{
    ts_ns soon = ts_add(now.mono, r->route->conf->group_wait + r->route->conf->group_interval);
    ts_ns opens = queue_opens(&e->queue, in->conf->destination);
    ts_ns row = in->slot != NULL ? in->slot->row->not_before : TS_NONE;

    soon = opens > soon ? opens : soon;
    return ts_add(now.wall, (row > soon ? row : soon) - now.mono);
}

/* What is more today another is told in its place. */
static bool is_spent(const struct engine *e, str receiver, struct now now)
{
    const struct core_receiver *rc = engine_receiver(e, receiver);

    return rc->budget_per_day != 0 && budget_spent(e, receiver, now.wall) >= rc->budget_per_day;
}

static void predict(struct oracle *fresh, const char *scenario, const struct engine *e,
                    const struct alert *a, struct now now)
{
    struct explanation x;
    struct arena scratch;

    arena_init(&scratch, 0);
    engine_explain(e, label_set_view(&scratch, a->labels), now, &scratch, &x);
    for (size_t i = 0; i < x.n; i++)
        for (size_t j = 0; j < x.routes[i].n && j < 1; j++) {
            const struct explain_route *r = &x.routes[i];
            ts_ns at = r->integrations[j].next_at;

            if (r->integrations[j].is_cut)
                continue;
            if (r->integrations[j].verdict == EXPLAIN_WAITING && !x.is_resolved &&
                !is_spent(e, r->route->receiver, now) &&
                r->route->n_mute_intervals + r->route->n_active_intervals == 0 &&
                (at == TS_NONE || at > latest(e, r, &r->integrations[j], now)) &&
                !silence_is_pending(e, now.wall)) {
                fprintf(stderr, "%s: %016llx fires, and %.*s will not be told in time\n", scenario,
                        (unsigned long long)alert_fingerprint(a), STR(r->route->receiver));
                fresh->wrong++;
            }
            vec_push(&fresh->v,
                     (struct prediction){.fingerprint = alert_fingerprint(a),
                                         .receiver = mem_str_dup(x.routes[i].route->receiver),
                                         .group_key = mem_str_dup(x.routes[i].group_key),
                                         .at = at});
        }
    explanation_release(&x);
    arena_release(&scratch);
}

/* An answer comes when the receiver likes. */
static bool is_sending(const struct engine *e)
{
    bool sending = false;

    MAP_EACH (struct outbox_map_entry, it, &e->outbox)
        sending |= outbox_in_flight(it->value);
    return sending;
}

/* Something is due and waits for a place: how long, whoever is answered there decides. */
static bool waits_for_place(const struct engine *e, struct now now)
{
    bool waits = false;

    MAP_EACH (struct outbox_map_entry, it, &e->outbox) {
        const struct outbox_slot *s = it->value;

        waits |= s->place.in != NULL && !outbox_in_flight(s) &&
                 queue_opens(&e->queue, s->destination) <= now.mono;
    }
    return waits;
}

void oracle_ask(struct oracle *o, const char *scenario, const struct engine *e, struct now now)
{
    struct oracle fresh = {.holds = !is_sending(e),
                           .world = world_of(e, now),
                           .asked_at = now.wall,
                           .checked = o->checked,
                           .wrong = o->wrong};

    fresh.until = TS_MAX;
    ALERT_TABLE_EACH (a, &e->alerts) {
        ts_ns ends = ts_add(now.wall, a->expires_mono - now.mono);

        if (!alert_is_resolved(a, now) && ends < fresh.until)
            fresh.until = ends;
        predict(&fresh, scenario, e, a, now);
    }
    if (o->holds && o->world == fresh.world && !waits_for_place(e, now)) {
        VEC_EACH (const struct prediction *, p, &o->v)
            if (p->at != TS_NONE && p->at <= now.wall && p->at > o->asked_at && !p->came)
                complain(&fresh, scenario, p, "nothing came until", now.wall);
        VEC_EACH (const struct prediction *, p, &fresh.v) {
            const struct prediction *old = before(o, p);

            if (old != NULL && !old->came && old->at != p->at)
                complain(&fresh, scenario, old, "later for", p->at);
            fresh.checked += old != NULL;
        }
    }
    forget(o);
    vec_release(&o->v);
    *o = fresh;
}
