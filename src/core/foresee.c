/* A copy of the group, of its place in the log and of the row that waits is carried from tick to tick. Ticks at which
 * nothing can differ are skipped: edges are the instants at which a silence, an interval or an alert begins or ends. */
#include "core/foresee.h"

#include <stdlib.h>
#include "core/audience.h"
#include "core/explain.h"
#include "route/route_conf.h"

/* The group as it will be: which of its alerts are still there, and what the log will say. */
struct future {
    const struct engine *e;
    const struct group *g;
    const struct core_integration *ic;
    struct now now; /* of the question */
    struct arena *a;

    struct alert **v;
    bool *is_resolved, *is_gone, *is_inhibited; /* as it is now, so it stays */
    size_t n, subject;

    struct nflog_entry log;
    bool has_log;
    ts_ns sent; /* mono: a row that waits is sent then, with what flushes before decide; or now */
    ts_ns row_wake; /* mono: what it leaves behind makes the group look; TS_MAX */

    ts_ns *edges; /* wall: instants at which some silence begins or has ended, ascending */
    size_t n_edges;
    size_t looks;

    /* of the tick: an interval that kept it silent may end at any further one */
    struct audience audience;
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

static void find_alerts(struct future *f, uint64_t fingerprint)
{
    struct alert_list all = group_sorted(f->g, f->a);
    struct audience now = audience_at(f->e, NULL, f->now);
    struct verdict v = {HELD_BY_NOTHING};

    f->v = all.v;
    f->n = all.n;
    f->subject = SIZE_MAX;
    f->is_resolved = arena_array(f->a, f->n, sizeof(bool));
    f->is_gone = arena_array(f->a, f->n, sizeof(bool));
    f->is_inhibited = arena_array(f->a, f->n, sizeof(bool));
    f->firing.v = arena_array(f->a, f->n, sizeof(uint64_t));
    f->resolved.v = arena_array(f->a, f->n, sizeof(uint64_t));
    for (size_t i = 0; i < f->n; i++) {
        (void)audience_tells(&now, f->v[i]->labels->ls, &f->v[i]->cleared, &v);
        f->is_inhibited[i] = v.held_by == HELD_BY_INHIBITION;
        f->is_resolved[i] = alert_is_resolved(f->v[i], f->now);
        if (alert_fingerprint(f->v[i]) == fingerprint)
            f->subject = i;
    }
    f->looks += f->n;
    verdict_release(&v);
}

static void log_says(struct future *f, ts_ns mono, struct hash_list firing,
                     struct hash_list resolved)
{
    f->has_log = true;
    f->log = (struct nflog_entry){
        .sent_mono = mono,
        .firing = {arena_array(f->a, firing.n, sizeof(uint64_t)), firing.n},
        .resolved = {arena_array(f->a, resolved.n, sizeof(uint64_t)), resolved.n}};
    if (firing.n != 0)
        memcpy(f->log.firing.v, firing.v, firing.n * sizeof(uint64_t));
    if (resolved.n != 0)
        memcpy(f->log.resolved.v, resolved.v, resolved.n * sizeof(uint64_t));
}

/* A tick in thought: silences and intervals are asked for its wall time, inhibition for who fires now. */
static struct now in_thought(const struct future *f, ts_ns mono)
{
    return (struct now){.wall = ts_add(f->now.wall, mono - f->now.mono), .mono = f->now.mono};
}

/* The row is sent at f->sent. Returns whether it tells the subject; the log is what it will say then. */
static bool foresee_row_tells(struct future *f, const struct outbox_row *row, bool is_in_flight)
{
    uint64_t hash = labels_dedup_hash(f->v[f->subject]->labels->ls);
    struct row_audience x = {.firing = row->firing, .resolved = row->resolved, .wake = TS_MAX};

    if (!is_in_flight && !audience_is_settled(f->e, row, f->sent) &&
        !audience_of_row(f->e, row, in_thought(f, f->sent), f->a, &x))
        x.is_whole = true; /* it cannot be read, and goes out as it is */
    if (x.wake != TS_MAX)
        f->row_wake = ts_add(f->now.mono, x.wake - f->now.wall);
    if (x.is_withdrawn)
        return false;
    log_says(f, row->decided_mono, x.firing, x.resolved);
    return hash_list_has(x.firing, hash) ||
           (f->ic->send_resolved && hash_list_has(x.resolved, hash));
}

/* What is learned of a time to come is not kept: of now it may be wrong. */
static bool tells(const struct audience *then, const struct alert *a, struct verdict *v)
{
    uint64_t cleared = a->cleared;

    return audience_tells(then, a->labels->ls, &cleared, v);
}

/* Whether what is under way tells the subject. The log is what it will be then. */
static bool is_under_way(struct future *f)
{
    ts_ns tick = f->g->timer.key, every = f->g->route->conf->group_interval;
    struct buf key = BUF_INIT;
    struct outbox_slot **found;
    struct nflog_entry **entry;
    const struct outbox_slot *slot;
    ts_ns opens = queue_opens(&f->e->queue, f->ic->destination);
    bool told;

    if (opens > f->sent)
        f->sent = opens; /* whatever is decided before goes out then */
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
    if (slot->row->not_before > f->sent)
        f->sent = slot->row->not_before;
    if (outbox_in_flight(slot))
        f->sent = f->now.mono; /* it has its place */
    told = foresee_row_tells(f, slot->row, outbox_in_flight(slot));
    if (slot->next != NULL)
        told |= foresee_row_tells(f, slot->next, false);
    if (tick < f->sent)
        tick = ts_add(tick, (f->sent - tick + every - 1) / every * every);
    if (f->row_wake >= tick)
        f->row_wake = TS_MAX;
    return told;
}

/* The same of the row that a flush before f->sent decides. */
static bool is_told_when_sent(struct future *f)
{
    struct audience then = audience_at(f->e, f->g->route, in_thought(f, f->sent));
    struct alert *a = f->v[f->subject];
    struct verdict v = {HELD_BY_NOTHING};
    bool told = tells(&then, a, &v);

    verdict_release(&v);
    return told || audience_hears_end(f->e, f->has_log ? &f->log : NULL,
                                      labels_dedup_hash(a->labels->ls), f->is_resolved[f->subject]);
}

/* Who survives a flush at this instant, and who is told all the same. */
static void survivors(struct future *f)
{
    const struct nflog_entry *told = f->has_log ? &f->log : NULL;
    ts_ns tick = ts_add(f->audience.at.wall, f->g->route->conf->group_interval);
    struct verdict v = {HELD_BY_NOTHING};

    for (size_t i = 0; i < f->n; i++) {
        struct hash_list *to = f->is_resolved[i] ? &f->resolved : &f->firing;
        uint64_t hash = labels_dedup_hash(f->v[i]->labels->ls);

        if (f->is_gone[i])
            continue;
        v.held_by = f->is_inhibited[i] ? HELD_BY_INHIBITION : f->audience.time;
        if (v.held_by != HELD_BY_NOTHING || !tells(&f->audience, f->v[i], &v)) {
            ts_ns wake = audience_wake(&f->audience, &v, tick);

            f->wake = wake < f->wake ? wake : f->wake;
            if (!audience_hears_end(f->e, told, hash, f->is_resolved[i]))
                continue;
        }
        to->v[to->n++] = hash;
        if (i == f->subject)
            f->tells_subject = !f->is_resolved[i] || f->ic->send_resolved;
    }
    f->looks += f->n;
    verdict_release(&v);
    hash_list_sort(&f->firing);
    hash_list_sort(&f->resolved);
}

/* After a flush the resolved alerts have been told, or kept back, and leave. */
static void forget_resolved(struct future *f)
{
    for (size_t i = 0; i < f->n; i++)
        f->is_gone[i] |= f->is_resolved[i];
}

static enum notify_reason flush(struct future *f, struct now at)
{
    enum notify_reason reason;

    f->firing.n = f->resolved.n = 0;
    f->tells_subject = false;
    f->audience = audience_at(f->e, f->g->route, in_thought(f, at.mono));
    f->wake = TS_MAX;
    survivors(f);
    if (at.mono >= f->sent)
        forget_resolved(f);
    if (f->firing.n + f->resolved.n == 0)
        return REASON_NONE;
    reason = nflog_decide(f->has_log ? &f->log : NULL, f->firing, f->resolved, f->ic->send_resolved,
                          f->g->route->conf->repeat_interval, at);
    if (reason == REASON_NONE)
        return REASON_NONE;
    log_says(f, at.mono, f->firing, f->resolved);
    return f->firing.n == 0 && !f->ic->send_resolved ? REASON_NONE : reason;
}

/* The next tick after `last` at which a flush can come out differently; TS_MAX = none. All on the monotonic clock. */
static ts_ns next_tick(const struct future *f, ts_ns last)
{
    bool wakes = f->e->conf->notifications.flush_at_window_end;
    const struct route *r = f->g->route;
    ts_ns wanted = TS_MAX, steps, wake;

    if (last == TS_NONE)
        return f->g->timer.key;
    wake = f->wake != TS_MAX ? ts_add(f->now.mono, f->wake - f->now.wall) : TS_MAX;
    if (wakes && wake < ts_add(last, r->conf->group_interval))
        return wake;
    /* The end of a window moves the ticks behind it: who wakes then must not be taken past one. */
    if (f->audience.time != HELD_BY_NOTHING ||
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
    }
    if (wanted == TS_MAX)
        return TS_MAX;
    /* Who wakes early decides so at the tick before. */
    steps = (wanted - last + (wakes ? 0 : r->conf->group_interval - 1)) / r->conf->group_interval;
    return ts_add(last, (steps > 1 ? steps : 1) * r->conf->group_interval);
}

/* A row that waits is not told by the flushes before it is sent: they replace it, and the log stays as it is. */
static enum notify_reason flush_before_sent(struct future *f, struct now at)
{
    struct nflog_entry log = f->log;
    bool has_log = f->has_log;
    enum notify_reason reason = flush(f, at);

    f->log = log;
    f->has_log = has_log;
    return reason != REASON_NONE && is_told_when_sent(f) ? reason : REASON_NONE;
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
                       .sent = now.mono,
                       .row_wake = TS_MAX,
                       .wake = TS_MAX};
    ts_ns tick = TS_NONE;

    find_alerts(&f, fingerprint);
    if (f.subject == SIZE_MAX)
        return (struct foreseen){TS_NONE, REASON_NONE, false};
    if (is_under_way(&f))
        return (struct foreseen){ts_add(now.wall, f.sent - now.mono), REASON_NONE, false};
    find_edges(&f);
    for (size_t i = 0; i < EXPLAIN_TICKS && f.looks < EXPLAIN_LOOKS; i++) {
        ts_ns last = tick;
        struct now at;
        enum notify_reason reason;

        tick = next_tick(&f, last);
        if (f.row_wake > last && f.row_wake < tick)
            tick = f.row_wake;
        if (tick == TS_MAX || f.is_gone[f.subject])
            return (struct foreseen){TS_NONE, REASON_NONE, false};
        at = (struct now){.wall = ts_add(now.wall, tick - now.mono), .mono = tick};
        reason = tick < f.sent ? flush_before_sent(&f, at) : flush(&f, at);
        if (reason != REASON_NONE && f.tells_subject) {
            ts_ns told = tick < f.sent ? f.sent : tick;

            return (struct foreseen){ts_add(now.wall, told > now.mono ? told - now.mono : 0),
                                     reason, false};
        }
    }
    return (struct foreseen){TS_NONE, REASON_NONE, true};
}
