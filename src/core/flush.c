/* A group's tick, worked through: at its due time the group takes a snapshot of its alerts, those that have ended count
 * as resolved. Inhibition, active and mute intervals and silences take alerts out, in this order, each leaving a
 * decision. What survives is compared, integration by integration, with what the notification log says it was told last
 * (nflog_decide). If there is news, a row goes to the outbox in the same commit as the decision.
 *
 * The flush is over when every row of it is answered. Then the resolved alerts that it told leave the group, unless they
 * changed meanwhile; a failure keeps them, or an earlier row that still waits, and the next tick decides again. */
#include "core/engine_priv.h"

#include <math.h>
#include "core/fallback.h"
#include "core/happenings.h"
#include "route/route_conf.h"

struct flush {
    struct alert **v; /* what survives */
    size_t n;
    struct hash_list firing, resolved;
    struct notified_alert *data; /* parallel to v */
    uint64_t *hash;              /* parallel to v */
    ts_ns wake;                  /* wall: when something that kept an alert back ends; TS_MAX */
};

void group_destroy(struct engine *e, struct group *g)
{
    changed_group(e, g);
    heap_remove(&e->group_timers, &g->timer);
    u64_map_del(&e->flushes, g->flush_id);
    u64_map_del(&e->groups[g->route->index], g->fingerprint);
    e->n_groups--;
    group_free(g);
}

void groups_release(struct engine *e)
{
    for (size_t i = 0; i < e->tree.n; i++) {
        MAP_EACH (struct u64_map_entry, it, &e->groups[i]) {
            struct group *g = it->value;

            heap_remove(&e->group_timers, &g->timer);
            u64_map_del(&e->flushes, g->flush_id);
            group_free(g);
        }
        u64_map_release(&e->groups[i]);
    }
    mem_free(e->groups);
    e->groups = NULL;
    e->n_groups = 0;
    route_tree_release(&e->tree);
}

/* When a group was told something before, its ticks keep their phase over a restart: the log has the tick's time. */
static ts_ns restored_due(const struct engine *e, const struct group *g, struct now now)
{
    const struct core_receiver *rc = engine_receiver(e, g->route->receiver);
    const struct nflog_entry *last = NULL;
    struct buf key = BUF_INIT;
    dur_ns since;

    for (size_t i = 0; rc != NULL && i < rc->n_integrations; i++) {
        struct nflog_entry **entry;

        buf_clear(&key);
        nflog_key(&key, g->key, rc->name, rc->integrations[i].kind, rc->integrations[i].index);
        entry = nflog_map_get(&e->nflog, buf_str(&key));
        if (entry != NULL && (last == NULL || (*entry)->sent_mono > last->sent_mono))
            last = *entry;
    }
    buf_release(&key);
    if (last == NULL)
        return TS_NONE;
    since = now.mono - last->sent_mono;
    return ts_add(last->sent_mono,
                  (since / g->route->conf->group_interval + 1) * g->route->conf->group_interval);
}

/* What is decided by that is no news. */
static void groups_take_again(struct engine *e, struct alert *a, struct now now, struct effects *fx)
{
    alerts_route(e, a, now, fx);
    effects_clear(fx);
}

/* Groups of a new tree, from the stored alerts and from those that only an old group still held. */
void groups_rebuild(struct engine *e, struct now now, bool restored)
{
    struct effects fx;
    VEC(struct alert *) held = VEC_INIT;

    effects_init(&fx);
    for (size_t i = 0; i < e->tree.n; i++)
        MAP_EACH (struct u64_map_entry, it, &e->groups[i]) {
            struct group *g = it->value;

            ALERT_TABLE_EACH (a, &g->alerts)
                vec_push(&held, alert_ref(a));
        }
    groups_release(e);
    route_tree_init(&e->tree, e->conf->route);
    e->groups = mem_array(e->tree.n, sizeof(*e->groups));
    ALERT_TABLE_EACH (a, &e->alerts)
        groups_take_again(e, a, now, &fx);
    for (size_t i = 0; i < held.n; i++) {
        if (engine_alert(e, alert_fingerprint(held.v[i])) == NULL)
            groups_take_again(e, held.v[i], now, &fx);
        alert_unref(held.v[i]);
    }
    vec_release(&held);
    for (size_t i = 0; restored && i < e->tree.n; i++)
        MAP_EACH (struct u64_map_entry, it, &e->groups[i]) {
            struct group *g = it->value;
            ts_ns due = restored_due(e, g, now);

            if (due != TS_NONE)
                heap_push(&e->group_timers, &g->timer, due);
        }
    effects_release(&fx);
}

/* -- suppression -- */

/* What is left of f->v when all that holds against it is taken out. */
static void survive(struct engine *e, struct group *g, struct flush *f, struct now now,
                    struct effects *fx)
{
    struct audience au = audience_at(e, g->route, now);
    struct look l = {.e = e,
                     .group = g,
                     .group_key = g->key,
                     .receiver = g->route->receiver,
                     .now = now,
                     .fx = fx};
    ts_ns wake, tick = ts_add(now.wall, g->timer.key - now.mono);
    struct verdict v = {HELD_BY_NOTHING};
    size_t n = f->n;

    f->n = 0;
    for (size_t i = 0; i < n; i++) {
        struct alert *a = f->v[i];

        if (audience_tells_alert(&au, a, &a->cleared, &v)) {
            look_tells(&l, alert_fingerprint(a));
            f->v[f->n++] = a;
            continue;
        }
        look_holds(&l, alert_fingerprint(a), &v);
        wake = audience_wake(&au, &v, tick);
        f->wake = wake < f->wake ? wake : f->wake;
    }
    look_ends(&l, &au);
    verdict_release(&v);
}

void group_wake_early(struct engine *e, struct group *g, ts_ns wake, struct now now)
{
    ts_ns mono = ts_add(now.mono, wake - now.wall);

    if (wake != TS_MAX && mono < g->timer.key)
        heap_push(&e->group_timers, &g->timer, mono > e->start_after ? mono : e->start_after);
}

static bool is_silenced_by(const struct group *g, const struct silence *s)
{
    ALERT_TABLE_EACH (a, &g->alerts) {
        if (u64_map_get(&g->said, alert_fingerprint(a)) != NULL &&
            silence_matches_set(s, a->labels))
            return true;
    }
    return false;
}

void groups_silence_ends(struct engine *e, const struct silence *s, struct now now)
{
    if (!e->conf->notifications.flush_at_window_end)
        return;
    for (size_t i = 0; i < e->tree.n; i++)
        MAP_EACH (struct u64_map_entry, it, &e->groups[i])
            if (is_silenced_by(it->value, s))
                group_wake_early(e, it->value, ts_add(s->ends_at, 1), now);
}

static void wake_anew(struct engine *e, struct group *g, struct now now)
{
    struct audience au = audience_at(e, g->route, now);
    ts_ns first = TS_MAX, tick = ts_add(now.wall, g->timer.key - now.mono);
    struct verdict v = {HELD_BY_NOTHING};

    ALERT_TABLE_EACH (a, &g->alerts) {
        ts_ns wake =
            audience_tells_alert(&au, a, &a->cleared, &v) ? TS_MAX : audience_wake(&au, &v, tick);

        first = wake < first ? wake : first;
    }
    verdict_release(&v);
    group_wake_early(e, g, first, now);
}

/* What keeps alerts back ends at an instant of the wall clock: it is looked for anew. */
void groups_stepped(struct engine *e, dur_ns by, struct now now, struct effects *fx)
{
    (void)by, (void)fx;
    for (size_t i = 0; i < e->tree.n; i++)
        if (audience_wakes(e, e->tree.by_index[i])) /* others look at their ticks only */
            MAP_EACH (struct u64_map_entry, it, &e->groups[i])
                wake_anew(e, it->value, now);
}

/* -- the flush -- */

struct notified_alert engine_notified(const struct alert *a, struct now now, struct arena *arena)
{
    bool resolved = alert_is_resolved(a, now);

    return (struct notified_alert){.labels = label_set_view(arena, a->labels),
                                   .annotations = label_set_view(arena, a->annotations),
                                   .starts_at = a->starts_at,
                                   .ends_at = resolved ? a->ends_at : TS_NONE,
                                   .generator_url = alert_generator_url(a),
                                   .fingerprint = alert_fingerprint(a),
                                   .is_resolved = resolved,
                                   .has_value = !isnan(a->value),
                                   .value = a->value};
}

static void flush_classify(struct flush *f, struct arena *a, struct now now)
{
    f->firing.v = arena_array(a, f->n, sizeof(uint64_t));
    f->resolved.v = arena_array(a, f->n, sizeof(uint64_t));
    f->data = arena_array(a, f->n, sizeof(*f->data));
    f->hash = arena_array(a, f->n, sizeof(*f->hash));
    for (size_t i = 0; i < f->n; i++) {
        const struct alert *al = f->v[i];
        bool resolved = alert_is_resolved(al, now);
        struct hash_list *h = resolved ? &f->resolved : &f->firing;

        h->v[h->n++] = f->hash[i] = label_set_dedup_hash(al->labels);
        f->data[i] = engine_notified(al, now, a);
    }
    hash_list_sort(&f->firing);
    hash_list_sort(&f->resolved);
}

/* What is different from the last message. */
static enum alert_change change_of(uint64_t hash, const struct notified_alert *now,
                                   const struct nflog_entry *last)
{
    if (now->is_resolved)
        return last != NULL && hash_list_has(last->resolved, hash) ? CHANGE_NONE : CHANGE_RESOLVED;
    return last != NULL && !last->is_unsure && hash_list_has(last->firing, hash) ? CHANGE_NONE
                                                                                 : CHANGE_ADDED;
}

/* A resolve goes out under the key that opened it, and so does all that comes between. */
static str told_as(const struct engine *e, const struct group *g, const struct nflog_entry *last,
                   str key)
{
    str unsent = outbox_key_told_as(e, key);

    if (last != NULL && last->opened_as.n != 0)
        return last->opened_as;
    return unsent.n != 0 ? unsent : g->key;
}

static void flush_tell(struct engine *e, struct group *g, const struct flush *f,
                       const struct core_integration *ic, const struct nflog_entry *last, str key,
                       enum notify_reason reason, struct now now, struct effects *fx)
{
    struct notified_alert *v = arena_array(&fx->arena, f->n, sizeof(*v));
    const struct alert **of = arena_array(&fx->arena, f->n, sizeof(struct alert *));
    struct notification n = {.receiver = g->route->receiver,
                             .group_key = told_as(e, g, last, key),
                             .group_labels = label_set_view(&fx->arena, g->labels),
                             .reason = reason,
                             .decided_at = now.wall,
                             .flush_id = g->flush_id,
                             .alerts = v};

    for (size_t i = 0; i < f->n; i++) {
        if (f->data[i].is_resolved && !ic->send_resolved)
            continue;
        v[n.n_alerts] = f->data[i];
        of[n.n_alerts] = f->v[i];
        v[n.n_alerts++].change = change_of(f->hash[i], &f->data[i], last);
        n.n_firing += !f->data[i].is_resolved;
    }
    notification_set_act(&n);
    if (g->route->conf->labels.n != 0)
        n.route_templates = route_conf_templates(&g->route->conf->labels, &fx->arena);
    outbox_decide(e, &n, of, ic, key, f->firing, f->resolved, g->route->conf->repeat_interval, now,
                  fx);
    g->flush_waiting++;
}

/* What the journal keeps of a notification: whom it tells of, firing ones first. */
static void note_told(struct decision *d, const struct flush *f, const struct core_integration *ic,
                      uint64_t flush_id, struct arena *a)
{
    uint64_t *v = arena_array(a, f->n, sizeof(*v));

    for (int resolved = 0; resolved <= (ic->send_resolved ? 1 : 0); resolved++) {
        for (size_t i = 0; i < f->n; i++)
            if (f->data[i].is_resolved == (resolved != 0))
                v[d->n_alerts++] = f->data[i].fingerprint;
        if (resolved == 0)
            d->n_firing = d->n_alerts;
    }
    d->alerts = v;
    d->flush_id = flush_id;
}

/* notifications.resolve_suppressed: beside what survives, the alerts that have ended and were last told as firing, or may
 * have been. */
static struct flush with_told(const struct engine *e, const struct flush *f, struct alert_list all,
                              const struct nflog_entry *entry, str key, struct arena *a,
                              struct now now)
{
    struct flush x = {.v = arena_array(a, all.n, sizeof(*x.v))};

    for (size_t i = 0, k = 0; i < all.n; i++) {
        bool survives = k < f->n && f->v[k] == all.v[i];
        uint64_t hash = label_set_dedup_hash(all.v[i]->labels);
        bool has_ended = alert_is_resolved(all.v[i], now);

        k += survives;
        if (survives || audience_hears_end(e, entry, hash, has_ended) ||
            (has_ended && outbox_may_have_told(e, key, hash)))
            x.v[x.n++] = all.v[i];
    }
    flush_classify(&x, a, now);
    return x;
}

static void consider(struct engine *e, struct group *g, const struct flush *survivors,
                     struct alert_list all, const struct core_integration *ic, struct now now,
                     struct effects *fx)
{
    const struct flush *f = survivors;
    struct buf key = BUF_INIT;
    struct nflog_entry **slot, *entry;
    enum notify_reason reason;
    struct decision *d;
    struct flush more;
    struct audience au = audience_at(e, g->route, now);
    bool opens = audience_opens(&au);

    nflog_key(&key, g->key, g->route->receiver, ic->kind, ic->index);
    slot = nflog_map_get(&e->nflog, buf_str(&key));
    entry = slot != NULL ? *slot : NULL;
    e->stats.nflog_queries++;
    e->stats.nflog_misses += entry == NULL;
    if (e->conf->notifications.resolve_suppressed && f->n < all.n) {
        more = with_told(e, f, all, entry, buf_str(&key), &fx->arena, now);
        f = &more;
    }
    if (f->n == 0) { /* nothing is left to tell of, which is not the same as an end */
        /* a row that waits is sent all the same once it may be: whoever has ended since is told of then */
        g->flush_failed |=
            outbox_map_get(&e->outbox, buf_str(&key)) != NULL || audience_keeps_ends(&au);
        buf_release(&key);
        return;
    }
    reason = nflog_decide(entry, f->firing, f->resolved, ic->send_resolved,
                          g->route->conf->repeat_interval, now);
    if (reason == REASON_NONE && (f->firing.n != 0 || ic->send_resolved) &&
        outbox_may_have_said_else(e, buf_str(&key), f->firing))
        reason = f->firing.n != 0 ? REASON_NEW_ALERTS : REASON_ALL_RESOLVED;
    if (reason == REASON_NONE && ic->send_resolved &&
        outbox_digest_tells_end(outbox_slot_of(e, buf_str(&key)), entry, f->firing, f->resolved,
                                opens))
        reason = REASON_ALL_RESOLVED;
    if (reason == REASON_NONE) {
        if (!outbox_drop_unsent(e, buf_str(&key), now, fx,
                                "resolved before it could be delivered")) {
            d = decide(fx, DECISION_NOTHING, now);
            if (entry != NULL && f->firing.n != 0)
                d->until =
                    ts_add(now.wall,
                           ts_add(entry->sent_mono, g->route->conf->repeat_interval) - now.mono);
        } else {
            d = vec_last(&fx->decisions);
        }
    } else if (f->firing.n == 0 && !ic->send_resolved) {
        struct hash_list none = {NULL, 0};

        outbox_drop_unsent(e, buf_str(&key), now, fx, "resolved before it could be delivered");
        nflog_write(e, buf_str(&key),
                    nflog_entry_new(now.wall, now.mono, ts_add(now.mono, e->retention), none,
                                    f->resolved, NULL, 0),
                    now, fx);
        d = decide(fx, DECISION_RESOLVED_UNSENT, now);
    } else {
        flush_tell(e, g, f, ic, entry, buf_str(&key), reason, now, fx);
        outbox_gathers(e, buf_str(&key), opens);
        d = decide(fx, DECISION_NOTIFY, now);
        d->why = str_of(notify_reason_text(reason));
        note_told(d, f, ic, g->flush_id, &fx->arena);
    }
    d->group_key = arena_str(&fx->arena, g->key);
    d->receiver = g->route->receiver;
    d->integration = ic->kind;
    d->index = ic->index;
    buf_release(&key);
}

static void flush_ended(struct engine *e, struct group *g, struct now now, struct effects *fx)
{
    if (!g->flush_failed) {
        happened_told(e, g, now, fx);
        group_forget_told(g);
    }
    changed_group(e, g);
    if (g->alerts.n == 0)
        group_destroy(e, g);
}

static void group_flush(struct engine *e, struct group *g, struct now now, struct effects *fx)
{
    const struct core_receiver *rc = engine_receiver(e, g->route->receiver);
    struct alert_list all = group_sorted(g, &fx->arena);
    struct flush f = {
        .v = arena_array(&fx->arena, all.n, sizeof(*f.v)), .n = all.n, .wake = TS_MAX};

    if (all.n != 0)
        memcpy(f.v, all.v, all.n * sizeof(*f.v));
    u64_map_del(&e->flushes, g->flush_id);
    g->flush_id = ++e->next_flush_id;
    g->flush_waiting = 0;
    g->flush_failed = false;
    u64_map_put(&e->flushes, g->flush_id, g);
    changed_group(e, g);
    vec_clear(&g->told);
    for (size_t i = 0; i < all.n; i++)
        if (alert_is_resolved(all.v[i], now)) {
            alert_log_end(e, all.v[i], fx); /* told by this commit, or a restart would deny it */
            vec_push(&g->told, (struct told_resolved){alert_fingerprint(all.v[i]),
                                                      all.v[i]->updated_at, all.v[i]->ends_at});
        }

    survive(e, g, &f, now, fx);
    group_wake_early(e, g, f.wake, now);
    flush_classify(&f, &fx->arena, now);
    for (size_t i = 0; rc != NULL && i < rc->n_integrations; i++)
        consider(e, g, &f, all, &rc->integrations[i], now, fx);
    fallback_follow(e, g, rc, &all, &(struct alert_list){.v = f.v, .n = f.n}, now, fx);
    if (g->flush_waiting == 0)
        flush_ended(e, g, now, fx);
}

/* Many that are due at once are looked at some a turn: the next are due behind now. */
void groups_run_due(struct engine *e, struct now now, struct effects *fx)
{
    size_t most = e->slice, alerts = 0;
    struct heap_node *n;

    while ((n = heap_min(&e->group_timers)) != NULL && n->key <= now.mono) {
        struct group *g = container_of(n, struct group, timer);

        alerts += g->alerts.n;
        heap_push(&e->group_timers, n, group_next_due(g->route, n->key, now));
        group_flush(e, g, now, fx);
        if (--most == 0 || alerts >= 2 * e->slice) {
            e->groups_after = now.mono + 1;
            return;
        }
    }
}

/* One integration of the flush is done with; an id that is no group's newest flush says nothing any more. */
void group_answered(struct engine *e, uint64_t flush_id, bool ok, struct now now,
                    struct effects *fx)
{
    void **slot = u64_map_get(&e->flushes, flush_id);
    struct group *g = slot != NULL ? *slot : NULL;

    if (g == NULL || g->flush_waiting == 0)
        return;
    g->flush_failed |= !ok;
    if (--g->flush_waiting == 0)
        flush_ended(e, g, now, fx);
}
