#include "engine/foresee.h"

#include <stdlib.h>
#include "engine/explain.h"

/* The group as it will be: which of its alerts are still there, and what the log will say. */
struct future {
    const struct engine *e;
    const struct group *g;
    const struct integration_conf *ic;
    struct now now; /* of the question */
    struct arena *a;

    struct alert **v;
    bool *is_resolved, *is_gone, *is_inhibited;
    size_t n, subject;

    struct nflog_entry log;
    bool has_log;

    ts_ns *edges; /* wall: instants at which some silence begins or has ended, ascending */
    size_t n_edges;
    size_t looks;

    struct hash_list firing, resolved; /* of the tick */
    bool tells_subject;
    ts_ns
        wake; /* wall: when the engine looks again because something that kept an alert back ends */
    bool
        is_muted; /* an interval kept the last tick silent: each further tick may be the one that speaks */
};

static int by_time(const void *a, const void *b)
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
        qsort(f->edges, f->n_edges, sizeof(*f->edges), by_time);
    vec_release(&all);
}

static void find_alerts(struct future *f, uint64_t fingerprint)
{
    struct alert_list all = group_sorted(f->g, f->a);

    f->v = all.v;
    f->n = all.n;
    f->subject = SIZE_MAX;
    f->is_resolved = arena_array(f->a, f->n, sizeof(bool));
    f->is_gone = arena_array(f->a, f->n, sizeof(bool));
    f->is_inhibited = arena_array(f->a, f->n, sizeof(bool));
    f->firing.v = arena_array(f->a, f->n, sizeof(uint64_t));
    f->resolved.v = arena_array(f->a, f->n, sizeof(uint64_t));
    for (size_t i = 0; i < f->n; i++) {
        f->is_resolved[i] = alert_is_resolved(f->v[i], f->now);
        f->is_inhibited[i] =
            inhibitor_match(f->e->inhibitor, f->v[i]->labels->ls, f->now, NULL) != 0;
        if (alert_fingerprint(f->v[i]) == fingerprint)
            f->subject = i;
    }
    f->looks += f->n;
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

/* The log as it will be once what is under way has been delivered. */
static const struct outbox_slot *find_log(struct future *f)
{
    struct buf key = BUF_INIT;
    struct outbox_slot **slot;
    struct nflog_entry **entry;
    const struct outbox_row *row;

    nflog_key(&key, f->g->key, f->g->route->receiver, str_of(f->ic->type->name), f->ic->index);
    slot = outbox_map_get(&f->e->outbox, buf_str(&key));
    entry = nflog_map_get(&f->e->nflog, buf_str(&key));
    buf_release(&key);
    if (entry != NULL) {
        f->log = **entry;
        f->has_log = true;
    }
    if (slot == NULL)
        return NULL;
    row = (*slot)->next != NULL ? (*slot)->next : (*slot)->row;
    log_says(f, row->decided_mono, row->firing, row->resolved);
    return *slot;
}

/* Whether the row tells the subject. */
static bool row_tells(const struct future *f, const struct outbox_row *row)
{
    uint64_t hash = labels_dedup_hash(f->v[f->subject]->labels->ls);

    return row != NULL && (hash_list_has(row->firing, hash) ||
                           (f->ic->send_resolved && hash_list_has(row->resolved, hash)));
}

static bool is_silenced(struct future *f, size_t i, ts_ns wall, struct silence_list *hits)
{
    ts_ns until = TS_NONE;

    vec_clear(hits);
    if (silencer_match(f->e->silencer, f->v[i]->labels->ls, wall, hits) == 0)
        return false;
    for (size_t j = 0; j < hits->n; j++)
        until = hits->v[j]->ends_at > until ? hits->v[j]->ends_at : until;
    if (ts_add(until, 1) < f->wake)
        f->wake = ts_add(until, 1);
    return true;
}

/* Who survives a flush at this instant, and who is told all the same. */
static void survivors(struct future *f, ts_ns wall)
{
    bool late = f->e->conf->notifications.resolve_suppressed && f->has_log;
    struct silence_list hits = {0};

    for (size_t i = 0; i < f->n; i++) {
        struct hash_list *to = f->is_resolved[i] ? &f->resolved : &f->firing;
        uint64_t hash = labels_dedup_hash(f->v[i]->labels->ls);

        if (f->is_gone[i])
            continue;
        if ((f->is_inhibited[i] || f->is_muted || is_silenced(f, i, wall, &hits)) &&
            !(late && f->is_resolved[i] && hash_list_has(f->log.firing, hash)))
            continue;
        to->v[to->n++] = hash;
        if (i == f->subject)
            f->tells_subject = !f->is_resolved[i] || f->ic->send_resolved;
    }
    f->looks += f->n;
    vec_release(&hits);
    hash_list_sort(&f->firing);
    hash_list_sort(&f->resolved);
}

static bool in_time(const struct future *f, ts_ns wall)
{
    struct buf by = BUF_INIT;
    bool in = mute_is_active_time(f->e->intervals, f->g->route, wall, &by) &&
              !mute_is_mute_time(f->e->intervals, f->g->route, wall, &by);

    buf_release(&by);
    return in;
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
    f->is_muted = !in_time(f, at.wall);
    f->wake = TS_MAX;
    if (f->is_muted && f->e->conf->notifications.flush_at_window_end)
        f->wake = mute_ends(f->e->intervals, f->g->route, at.wall,
                            ts_add(at.wall, f->g->route->group_interval));
    survivors(f, at.wall);
    forget_resolved(f);
    if (f->firing.n + f->resolved.n == 0)
        return REASON_NONE;
    reason = nflog_decide(f->has_log ? &f->log : NULL, f->firing, f->resolved, f->ic->send_resolved,
                          f->g->route->repeat_interval, at);
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
    if (wakes && wake < ts_add(last, r->group_interval))
        return wake;
    /* The end of a window moves the ticks behind it: who wakes then must not be taken past one. */
    if (f->is_muted || (wakes && r->n_mute_intervals + r->n_active_intervals != 0))
        return ts_add(last, r->group_interval);
    for (size_t i = 0; i < f->n_edges && wanted == TS_MAX; i++) {
        ts_ns mono = ts_add(f->now.mono, f->edges[i] - f->now.wall);

        if (mono > last)
            wanted = mono;
    }
    if (f->has_log && f->log.firing.n != 0) {
        ts_ns repeat = ts_add(ts_add(f->log.sent_mono, r->repeat_interval), 1);

        if (repeat <= last)
            repeat = ts_add(last, 1);
        wanted = repeat < wanted ? repeat : wanted;
    }
    if (wanted == TS_MAX)
        return TS_MAX;
    /* Who wakes early decides so at the tick before. */
    steps = (wanted - last + (wakes ? 0 : r->group_interval - 1)) / r->group_interval;
    return ts_add(last, (steps > 1 ? steps : 1) * r->group_interval);
}

struct foreseen foresee(const struct engine *e, const struct group *g,
                        const struct integration_conf *ic, uint64_t fingerprint, struct now now,
                        struct arena *a)
{
    struct future f = {.e = e, .g = g, .ic = ic, .now = now, .a = a};
    const struct outbox_slot *slot;
    ts_ns tick = TS_NONE;

    find_alerts(&f, fingerprint);
    if (f.subject == SIZE_MAX)
        return (struct foreseen){TS_NONE, REASON_NONE, false};
    slot = find_log(&f);
    if (slot != NULL && (row_tells(&f, slot->row) || row_tells(&f, slot->next))) {
        dur_ns wait = slot->row->not_before - now.mono;

        return (struct foreseen){ts_add(now.wall, wait > 0 ? wait : 0), REASON_NONE, false};
    }
    find_edges(&f);
    for (size_t i = 0; i < EXPLAIN_TICKS && f.looks < EXPLAIN_LOOKS; i++) {
        struct now at;
        enum notify_reason reason;

        tick = next_tick(&f, tick);
        if (tick == TS_MAX || f.is_gone[f.subject])
            return (struct foreseen){TS_NONE, REASON_NONE, false};
        at = (struct now){.wall = ts_add(now.wall, tick - now.mono), .mono = tick};
        reason = flush(&f, at);
        if (reason != REASON_NONE && f.tells_subject)
            return (struct foreseen){at.wall > now.wall ? at.wall : now.wall, reason, false};
    }
    return (struct foreseen){TS_NONE, REASON_NONE, true};
}
