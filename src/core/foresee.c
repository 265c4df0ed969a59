/* A copy of the group, of its place in the log and of the row that waits is carried from flush to flush and from attempt to
 * attempt. Ticks at which nothing can differ are skipped: edges are the instants at which a silence, an interval or an alert
 * begins or ends. While a row waits none is: each replaces it, or takes it back. */
#include "core/foresee.h"

#include <stdlib.h>
#include "core/digest.h"
#include "core/engine_priv.h"
#include "core/fallback.h"
#include "core/explain.h"
#include "route/route_conf.h"

/* The group as it will be: which of its alerts are still there, what waits, and what the log will say. */
struct future {
    const struct engine *e;
    const struct group *g;
    const struct core_integration *ic;
    struct now now; /* of the question */
    struct arena *a;

    struct alert **v;
    uint64_t *hash;
    bool *is_resolved, *is_gone, *is_inhibited; /* as it is now, so it stays */
    bool *is_told;                              /* it leaves when the newest flush is answered */
    size_t n, subject;

    struct nflog_entry log;
    bool has_log;
    const struct outbox_row *row; /* waits, the engine's or one in thought; NULL: none does */
    enum notify_reason row_reason;
    ts_ns opens;       /* mono: before then the destination takes nothing */
    ts_ns tick;        /* mono: of the next flush; TS_MAX: none comes out differently */
    uint64_t flush_id; /* of the newest flush */

    ts_ns *edges; /* wall: instants at which some silence begins or has ended, ascending */
    size_t n_edges;
    size_t looks;

    /* of the flush: an interval that kept it silent may end at any further one */
    struct audience audience;
    struct verdict verdict;
    struct hash_list firing, resolved;
    bool tells_subject;
    /* wall: when the engine looks again because something that kept an alert back ends */
    ts_ns wake;
};

static int foresee_by_time(const void *a, const void *b)
{
    ts_ns x = *(const ts_ns *)a, y = *(const ts_ns *)b;

    return x < y ? -1 : x > y;
}

static void find_edges(struct future *f)
{
    struct silence_list all = {0};

    silencer_all(f->e->silencer, &all);
    f->edges = arena_array(f->a, 2 * all.n, sizeof(*f->edges));
    for (size_t i = 0; i < all.n; i++) {
        if (all.v[i]->starts_at > f->now.wall)
            f->edges[f->n_edges++] = all.v[i]->starts_at;
        if (all.v[i]->ends_at >= f->now.wall)
            f->edges[f->n_edges++] = ts_add(all.v[i]->ends_at, 1);
    }
    if (f->n_edges > 1)
        qsort(f->edges, f->n_edges, sizeof(*f->edges), foresee_by_time);
    vec_release(&all);
}

static bool is_told(const struct group *g, const struct alert *a)
{
    VEC_EACH (const struct told_resolved *, t, &g->told)
        if (t->fingerprint == alert_fingerprint(a))
            return t->updated_at == a->updated_at && t->ends_at == a->ends_at;
    return false;
}

static void find_alerts(struct future *f, uint64_t fingerprint)
{
    struct alert_list all = group_sorted(f->g, f->a);
    struct audience now = audience_at(f->e, NULL, f->now);

    f->v = all.v;
    f->n = all.n;
    f->subject = SIZE_MAX;
    f->hash = arena_array(f->a, f->n, sizeof(*f->hash));
    f->is_resolved = arena_array(f->a, f->n, sizeof(bool));
    f->is_gone = arena_array(f->a, f->n, sizeof(bool));
    f->is_inhibited = arena_array(f->a, f->n, sizeof(bool));
    f->is_told = arena_array(f->a, f->n, sizeof(bool));
    f->firing.v = arena_array(f->a, f->n, sizeof(uint64_t));
    f->resolved.v = arena_array(f->a, f->n, sizeof(uint64_t));
    for (size_t i = 0; i < f->n; i++) {
        (void)audience_tells_alert(&now, f->v[i], &f->v[i]->cleared, &f->verdict);
        f->hash[i] = label_set_dedup_hash(f->v[i]->labels);
        f->is_inhibited[i] = f->verdict.held_by == HELD_BY_INHIBITION;
        f->is_resolved[i] = alert_is_resolved(f->v[i], f->now);
        f->is_told[i] = is_told(f->g, f->v[i]);
        if (alert_fingerprint(f->v[i]) == fingerprint)
            f->subject = i;
    }
    f->looks += f->n;
}

static struct hash_list hashes_dup(const struct hash_list *of, struct arena *a)
{
    struct hash_list copy = {arena_array(a, of->n, sizeof(*copy.v)), of->n};

    if (of->n != 0)
        memcpy(copy.v, of->v, of->n * sizeof(*copy.v));
    return copy;
}

/* lives: from that time on. */
static void log_says(struct future *f, ts_ns mono, ts_ns lives, const struct hash_list *firing,
                     const struct hash_list *resolved)
{
    f->has_log = true;
    f->log = (struct nflog_entry){.sent_mono = mono,
                                  .expires_mono = ts_add(mono, lives),
                                  .firing = hashes_dup(firing, f->a),
                                  .resolved = hashes_dup(resolved, f->a)};
}

static const struct nflog_entry *known(const struct future *f)
{
    return f->has_log ? &f->log : NULL;
}

/* Mono: the log has forgotten its entry afterwards, whose time was over then; TS_MAX: there is none. */
static ts_ns log_ends(const struct future *f)
{
    ts_ns over = f->has_log ? f->log.expires_mono : TS_MAX, gc = gc_due(f->e);

    if (over == TS_MAX || over <= gc)
        return over == TS_MAX ? TS_MAX : gc;
    return ts_add(gc, (over - gc + GC_INTERVAL - 1) / GC_INTERVAL * GC_INTERVAL);
}

/* The newest flush is over. */
static void forget_told(struct future *f)
{
    for (size_t i = 0; i < f->n; i++)
        f->is_gone[i] |= f->is_told[i];
}

/* An instant in thought: silences and intervals are asked for its wall time, inhibition for who fires now. */
static struct now in_thought(const struct future *f, ts_ns mono)
{
    return (struct now){.wall = ts_add(f->now.wall, mono - f->now.mono), .mono = f->now.mono};
}

/* -- the row -- */

static ts_ns earliest(const struct future *f, const struct outbox_row *row)
{
    ts_ns at = row->not_before > f->now.mono ? row->not_before : f->now.mono;

    return f->opens > at ? f->opens : at;
}

/* Mono: when the row that waits is sent. What is late goes along with the first of its integration that is (digest.h). */
static ts_ns row_goes(const struct future *f)
{
    ts_ns at = earliest(f, f->row);

    if (!f->ic->digests || !digest_is_late(f->e, f->row, at) || f->row->had.n != 0)
        return at;
    MAP_EACH (struct outbox_map_entry, it, &f->e->outbox) {
        const struct outbox_slot *s = it->value;
        ts_ns goes = earliest(f, s->row);

        if (goes < at && !outbox_in_flight(s) && s->row->had.n == 0 &&
            digest_is_of_one(s->row, f->row) && digest_is_late(f->e, s->row, goes) &&
            digest_is_late(f->e, f->row, goes))
            at = goes;
    }
    return at;
}

/* Whether the receiver may send then: what is over its budget others are told, and counts as told. */
static bool has_budget(const struct future *f, ts_ns mono)
{
    const struct core_receiver *rc = engine_receiver(f->e, f->g->route->receiver);

    return rc == NULL || rc->budget_per_day == 0 ||
           budget_spent(f->e, rc->name, in_thought(f, mono).wall) < rc->budget_per_day;
}

/* The row is delivered at that time, or withdrawn. Returns whether it tells the subject. */
static bool send_row(struct future *f, ts_ns at, bool is_in_flight)
{
    const struct outbox_row *row = f->row;
    uint64_t hash = f->hash[f->subject];
    struct row_audience x = {
        .firing = row->firing, .resolved = row->resolved, .wake = TS_MAX, .is_whole = true};
    bool sends = is_in_flight || has_budget(f, at);

    f->row = NULL;
    if (!is_in_flight && !audience_is_settled(f->e, row, at)) {
        f->looks += row->firing.n + row->resolved.n;
        if (!audience_of_row(f->e, row, known(f), in_thought(f, at), f->a, &x))
            x = (struct row_audience){.firing = row->firing,
                                      .resolved = row->resolved,
                                      .wake = TS_MAX,
                                      .is_whole = true}; /* it goes as it is */
        if (x.wake != TS_MAX && ts_add(f->now.mono, x.wake - f->now.wall) < f->tick)
            f->tick = ts_add(f->now.mono, x.wake - f->now.wall);
        if (row_is_withdrawn(&x, row, known(f), at))
            return false;
    }
    if (!sends && !x.is_whole)
        return false; /* who stands in was not told all of it: it is decided again */
    log_says(f, row->decided_mono,
             at - row->decided_mono + nflog_lifetime(f->e, row->repeat_interval), &x.firing,
             &x.resolved);
    if (row->flush_id == f->flush_id)
        forget_told(f);
    return sends && (hash_list_has(x.firing, hash) ||
                     (f->ic->send_resolved && hash_list_has(x.resolved, hash)));
}

/* What was decided while another was in flight waits now, if it is news. */
static void row_advances(struct future *f, const struct outbox_row *next)
{
    if (next != NULL && (next->may_have_arrived || (next->gathers && next->firing.n == 0) ||
                         nflog_decide(known(f), next->firing, next->resolved, true,
                                      next->repeat_interval, f->now) != REASON_NONE))
        f->row = next;
}

/* Finds what is known and what waits. Returns whether what is in flight tells the subject. */
static bool is_under_way(struct future *f)
{
    struct buf key = BUF_INIT;
    struct outbox_slot **found;
    struct nflog_entry **entry;
    const struct outbox_slot *slot;
    bool told;

    f->opens = queue_opens(&f->e->queue, f->ic->destination);
    nflog_key(&key, f->g->key, f->g->route->receiver, f->ic->kind, f->ic->index);
    found = outbox_map_get(&f->e->outbox, buf_str(&key));
    entry = nflog_map_get(&f->e->nflog, buf_str(&key));
    buf_release(&key);
    if (entry != NULL) {
        f->log = **entry;
        f->has_log = true;
    }
    if (found == NULL)
        return false;
    slot = *found;
    f->row = slot->row;
    if (!outbox_in_flight(slot))
        return false;
    told = send_row(f, f->now.mono, true);
    row_advances(f, slot->next);
    return told;
}

/* What a flush decided waits, in the place of what waited. */
static void row_waits(struct future *f, ts_ns mono, enum notify_reason reason)
{
    const struct outbox_row *old = f->row;
    struct outbox_row *row = arena_new(f->a, struct outbox_row);
    struct buf key = BUF_INIT, data = BUF_INIT;
    struct notified_alert *v = arena_array(f->a, f->n, sizeof(*v));
    struct notification n = {.receiver = f->g->route->receiver,
                             .group_key = f->g->key,
                             .group_labels = label_set_view(f->a, f->g->labels),
                             .alerts = v};

    for (size_t i = 0; i < f->n; i++)
        if (!f->is_gone[i] &&
            hash_list_has(f->is_resolved[i] ? f->resolved : f->firing, f->hash[i]) &&
            (!f->is_resolved[i] || f->ic->send_resolved)) {
            v[n.n_alerts++] = engine_notified(f->v[i], f->now, f->a);
            n.n_firing += !f->is_resolved[i];
        }
    notification_set_act(&n);
    nflog_key(&key, f->g->key, f->g->route->receiver, f->ic->kind, f->ic->index);
    notification_pack(&data, &n);
    *row = (struct outbox_row){.key = arena_str(f->a, buf_str(&key)),
                               .receiver = f->g->route->receiver,
                               .integration = f->ic->kind,
                               .index = f->ic->index,
                               .firing = hashes_dup(&f->firing, f->a),
                               .resolved = hashes_dup(&f->resolved, f->a),
                               .repeat_interval = f->g->route->conf->repeat_interval,
                               .decided_mono = mono,
                               .since = old != NULL ? old->since : mono,
                               .not_before = old != NULL ? old->not_before : mono,
                               .flush_id = f->flush_id,
                               .asked = audience_revision(f->e),
                               .gathers =
                                   (old != NULL && old->gathers) || audience_opens(&f->audience),
                               .may_have_arrived = old != NULL && old->may_have_arrived,
                               .data = arena_str(f->a, buf_str(&data))};
    buf_release(&key);
    buf_release(&data);
    f->row = row;
    f->row_reason = reason;
}

/* -- the flush -- */

/* What is learned of a time to come is not kept: of now it may be wrong. */
static bool tells(struct future *f, const struct alert *a)
{
    uint64_t cleared = a->cleared;

    return audience_tells_alert(&f->audience, a, &cleared, &f->verdict);
}

/* notifications.resolve_suppressed: an end is told to who was told, or may have been. */
static bool hears_end(const struct future *f, size_t i)
{
    return audience_hears_end(f->e, known(f), f->hash[i], f->is_resolved[i]) ||
           (f->e->conf->notifications.resolve_suppressed && f->is_resolved[i] && f->row != NULL &&
            f->row->may_have_arrived && hash_list_has(f->row->firing, f->hash[i]));
}

/* Who survives a flush at this instant, and who is told all the same. */
static void survivors(struct future *f)
{
    ts_ns tick = ts_add(f->audience.at.wall, f->g->route->conf->group_interval);

    f->firing.n = f->resolved.n = 0;
    f->tells_subject = false;
    f->wake = TS_MAX;
    for (size_t i = 0; i < f->n; i++) {
        struct hash_list *to = f->is_resolved[i] ? &f->resolved : &f->firing;

        if (f->is_gone[i])
            continue;
        f->verdict.held_by = f->is_inhibited[i] ? HELD_BY_INHIBITION : f->audience.time;
        if (f->verdict.held_by != HELD_BY_NOTHING || !tells(f, f->v[i])) {
            ts_ns wake = audience_wake(&f->audience, &f->verdict, tick);

            f->wake = wake < f->wake ? wake : f->wake;
            if (!hears_end(f, i))
                continue;
        }
        to->v[to->n++] = f->hash[i];
        if (i == f->subject)
            f->tells_subject = !f->is_resolved[i] || f->ic->send_resolved;
    }
    f->looks += f->n;
    hash_list_sort(&f->firing);
    hash_list_sort(&f->resolved);
}

static bool foresee_digest_tells_end(const struct future *f, bool opens)
{
    const struct outbox_slot waits = {.row = (struct outbox_row *)(uintptr_t)f->row};

    return outbox_digest_tells_end(f->row != NULL ? &waits : NULL, known(f), f->firing, f->resolved,
                                   opens);
}

/* Why it tells what survives; REASON_NONE: it does not, and what waits is taken back. */
static enum notify_reason reason_of(const struct future *f, struct now at)
{
    bool is_end = f->firing.n == 0;
    enum notify_reason reason = nflog_decide(known(f), f->firing, f->resolved, f->ic->send_resolved,
                                             f->g->route->conf->repeat_interval, at);

    if (reason == REASON_NONE && f->row != NULL && f->row->may_have_arrived)
        reason = is_end ? REASON_ALL_RESOLVED : REASON_NEW_ALERTS;
    if (reason == REASON_NONE && is_end &&
        foresee_digest_tells_end(f, audience_opens(&f->audience)))
        reason = REASON_ALL_RESOLVED;
    return is_end && !f->ic->send_resolved ? REASON_NONE : reason;
}

/* Returns why the subject is told at once; REASON_NONE: it is not. */
static enum notify_reason flush(struct future *f, struct now at)
{
    enum notify_reason reason;
    bool sends;

    f->audience = audience_at(f->e, f->g->route, in_thought(f, at.mono));
    f->flush_id++;
    survivors(f);
    for (size_t i = 0; i < f->n; i++)
        f->is_told[i] = f->is_resolved[i];
    reason = reason_of(f, at);
    if (f->firing.n + f->resolved.n == 0) {
        if (f->row == NULL && !audience_keeps_ends(&f->audience))
            forget_told(f);
        return REASON_NONE; /* nothing is left to tell of, which is not the same as an end */
    }
    if (reason != REASON_NONE && (f->row != NULL ? row_goes(f) : f->opens) > at.mono) {
        row_waits(f, at.mono, reason);
        return REASON_NONE;
    }
    f->row = NULL;
    sends = reason == REASON_NONE || has_budget(f, at.mono);
    if (reason != REASON_NONE || (f->firing.n == 0 && f->has_log && f->log.firing.n != 0))
        log_says(f, at.mono,
                 reason != REASON_NONE ? nflog_lifetime(f->e, f->g->route->conf->repeat_interval)
                                       : f->e->retention,
                 &f->firing, &f->resolved);
    forget_told(f);
    return sends && f->tells_subject ? reason : REASON_NONE;
}

/* The next tick after `last` at which a flush can come out differently; TS_MAX = none. All on the monotonic clock. */
static ts_ns next_tick(const struct future *f, ts_ns last)
{
    const struct route *r = f->g->route;
    bool wakes = audience_wakes(f->e, r);
    ts_ns wanted = TS_MAX, ends = log_ends(f), steps, wake;

    wake = f->wake != TS_MAX ? ts_add(f->now.mono, f->wake - f->now.wall) : TS_MAX;
    if (wakes && wake < ts_add(last, r->conf->group_interval))
        return wake;
    /* The end of a window moves the ticks behind it: who wakes then must not be taken past one. */
    if (f->row != NULL || f->audience.time != HELD_BY_NOTHING ||
        (wakes && r->n_mute_intervals + r->n_active_intervals != 0))
        return ts_add(last, r->conf->group_interval);
    for (size_t i = 0; i < f->n_edges && wanted == TS_MAX; i++) {
        ts_ns mono = ts_add(f->now.mono, f->edges[i] - f->now.wall);

        if (mono > last)
            wanted = mono;
    }
    if (f->has_log && f->log.firing.n != 0) {
        ts_ns repeat =
            f->log.is_unsure ? last : ts_add(ts_add(f->log.sent_mono, r->conf->repeat_interval), 1);

        if (repeat <= last)
            repeat = ts_add(last, 1);
        wanted = repeat < wanted ? repeat : wanted;
        wanted = ts_add(ends, 1) < wanted && ends >= last ? ts_add(ends, 1) : wanted;
    }
    if (wanted == TS_MAX)
        return TS_MAX;
    /* Who wakes early decides so at the tick before. */
    steps = (wanted - last + (wakes ? 0 : r->conf->group_interval - 1)) / r->conf->group_interval;
    return ts_add(last, (steps > 1 ? steps : 1) * r->conf->group_interval);
}

static struct foreseen told_at(const struct future *f, ts_ns mono, enum notify_reason reason)
{
    ts_ns wait = mono > f->now.mono ? mono - f->now.mono : 0;

    return (struct foreseen){ts_add(f->now.wall, wait), reason, false};
}

/* From flush to flush and attempt to attempt; of both at one instant the flush is first. */
static struct foreseen go_through(struct future *f)
{
    for (size_t i = 0; i < EXPLAIN_TICKS && f->looks < EXPLAIN_LOOKS; i++) {
        ts_ns at = f->tick, goes = f->row != NULL ? row_goes(f) : TS_MAX;
        enum notify_reason reason;

        f->has_log &= log_ends(f) >= (goes < at ? goes : at);
        if (goes < at) {
            reason = f->row_reason;
            if (send_row(f, goes, false))
                return told_at(f, goes, reason);
            continue;
        }
        if (at == TS_MAX || f->is_gone[f->subject])
            return (struct foreseen){TS_NONE, REASON_NONE, false};
        reason = flush(f, (struct now){ts_add(f->now.wall, at - f->now.mono), at});
        if (reason != REASON_NONE)
            return told_at(f, at, reason);
        f->tick = next_tick(f, at);
    }
    return (struct foreseen){TS_NONE, REASON_NONE, true};
}

struct foreseen foresee(const struct engine *e, const struct group *g,
                        const struct core_integration *ic, uint64_t fingerprint, struct now now,
                        struct arena *a)
{
    struct future f = {.e = e,
                       .g = g,
                       .ic = ic,
                       .now = now,
                       .a = a,
                       .tick = g->timer.key,
                       .flush_id = g->flush_id};
    struct foreseen seen = {TS_NONE, REASON_NONE, false};

    find_alerts(&f, fingerprint);
    if (f.subject != SIZE_MAX && is_under_way(&f)) {
        seen = told_at(&f, now.mono, REASON_NONE);
    } else if (f.subject != SIZE_MAX) {
        find_edges(&f);
        seen = go_through(&f);
    }
    verdict_release(&f.verdict);
    return seen;
}
