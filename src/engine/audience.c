#include "engine/audience.h"

#include "engine/engine_priv.h"
#include "route/mute.h"

enum { SUPPRESSED_SILENCE, SUPPRESSED_INHIBITION, SUPPRESSED_MUTE_TIME, SUPPRESSED_ACTIVE_TIME };

struct audience audience_of(struct group *g)
{
    return (struct audience){g, g->key, g->route->receiver};
}

/* The alert (0: all of the group) is kept back, by whom stands in by. The same verdict as the last time is no news. */
static struct decision *suppress(struct engine *e, struct audience of, uint64_t fingerprint,
                                 enum decision_kind kind, int counter, str by, struct now now,
                                 struct effects *fx)
{
    struct decision *d = decide(fx, kind, now);
    void *verdict = (void *)(uintptr_t)(hash_bytes(by.p, by.n) + (uint64_t)kind), **last;

    e->stats.suppressed[counter]++;
    d->fingerprint = fingerprint;
    d->group_key = arena_str(&fx->arena, of.group_key);
    d->receiver = arena_str(&fx->arena, of.receiver); /* maybe of a row that goes */
    d->by = arena_str(&fx->arena, by);
    if (of.group == NULL)
        return d;
    last = u64_map_get(&of.group->said, fingerprint);
    d->is_repeated = last != NULL && *last == verdict;
    u64_map_put(&of.group->said, fingerprint, verdict);
    return d;
}

bool audience_inhibits(struct engine *e, struct audience of, uint64_t fingerprint, struct labels ls,
                       struct now now, struct effects *fx)
{
    struct inhibition_list hits = {0};
    struct buf by = BUF_INIT;
    bool inhibited = inhibitor_match(e->inhibitor, ls, now, &hits) != 0;

    VEC_EACH (struct inhibition *, h, &hits)
        buf_addf(&by, "%s%016llx", h == hits.v ? "" : ",", (unsigned long long)h->fingerprint);
    if (inhibited)
        suppress(e, of, fingerprint, DECISION_INHIBITED, SUPPRESSED_INHIBITION, buf_str(&by), now,
                 fx);
    buf_release(&by);
    vec_release(&hits);
    return inhibited;
}

ts_ns audience_silences(struct engine *e, struct audience of, uint64_t fingerprint,
                        struct labels ls, struct now now, struct effects *fx)
{
    struct silence_list hits = {0};
    struct buf by = BUF_INIT;
    ts_ns until = TS_NONE;

    silencer_match(e->silencer, ls, now.wall, &hits);
    for (size_t i = 0; i < hits.n; i++) {
        buf_addf(&by, "%s%s", i == 0 ? "" : ",", hits.v[i]->id.text);
        if (hits.v[i]->ends_at > until)
            until = hits.v[i]->ends_at;
    }
    if (hits.n != 0)
        suppress(e, of, fingerprint, DECISION_SILENCED, SUPPRESSED_SILENCE, buf_str(&by), now, fx)
            ->until = until;
    buf_release(&by);
    vec_release(&hits);
    return until;
}

bool audience_in_time(struct engine *e, struct group *g, size_t n, struct now now,
                      struct effects *fx)
{
    struct buf by = BUF_INIT;
    bool outside = !mute_is_active_time(e->intervals, g->route, now.wall, &by);
    bool muted = outside || mute_is_mute_time(e->intervals, g->route, now.wall, &by);

    g->muted = muted;
    mem_str_free(g->muted_by);
    g->muted_by = muted ? mem_str_dup(buf_str(&by)) : STR_NONE;
    if (!muted)
        u64_map_del(&g->said, 0);
    if (muted && n != 0) {
        int counter = outside ? SUPPRESSED_ACTIVE_TIME : SUPPRESSED_MUTE_TIME;

        suppress(e, audience_of(g), 0, outside ? DECISION_OUTSIDE_ACTIVE : DECISION_MUTED_TIME,
                 counter, buf_str(&by), now, fx);
        e->stats.suppressed[counter] += n - 1;
    }
    buf_release(&by);
    return !muted;
}

uint64_t audience_revision(const struct engine *e)
{
    return silencer_version(e->silencer) + e->audience_changes;
}

/* -- asking again -- */

/* One attempt's question. */
struct asked {
    struct engine *e;
    const struct outbox_row *row;
    const struct nflog_entry *told; /* what the receiver knows; NULL: nothing */
    struct audience of;
    struct now now;
    struct effects *fx;
    struct arena *scratch;
    struct notification n; /* who is left */
    struct hash_list firing, resolved;
    ts_ns wake; /* wall: when something that keeps one back ends; TS_MAX */
};

/* By the row's key: a notification of an earlier version may be told under another group key. */
static struct group *group_of(struct engine *e, const struct outbox_row *row,
                              const struct notification *n)
{
    uint64_t fp = labels_fingerprint(n->group_labels);

    for (size_t i = 0; i < e->tree.n; i++) {
        void **slot = u64_map_get(&e->groups[i], fp);

        if (slot != NULL && str_starts_with(row->key, ((struct group *)*slot)->key))
            return *slot;
    }
    return NULL;
}

/* notifications.resolve_suppressed: the end of what was told is told all the same. */
static bool is_told_all_the_same(const struct asked *q, const struct notified_alert *a)
{
    return a->is_resolved && q->e->conf->notifications.resolve_suppressed && q->told != NULL &&
           hash_list_has(q->told->firing, labels_dedup_hash(a->labels));
}

static bool is_kept_back(struct asked *q, const struct notified_alert *a)
{
    ts_ns until;

    if (is_told_all_the_same(q, a))
        return false;
    if (audience_inhibits(q->e, q->of, a->fingerprint, a->labels, q->now, q->fx))
        return true;
    until = audience_silences(q->e, q->of, a->fingerprint, a->labels, q->now, q->fx);
    if (until != TS_NONE && ts_add(until, 1) < q->wake)
        q->wake = ts_add(until, 1);
    return until != TS_NONE;
}

static void add_hash(struct hash_list *to, const struct hash_list *from, struct arena *a,
                     uint64_t hash)
{
    if (to->v == NULL)
        to->v = arena_array(a, from->n, sizeof(*to->v));
    if (hash_list_has(*from, hash) && to->n < from->n)
        to->v[to->n++] = hash;
}

/* Resolved alerts that the receiver does not want to hear of stand in the row's hashes only: they stay there. */
static void keep_unheard(struct asked *q, const struct notification *all)
{
    for (size_t i = 0; i < q->row->resolved.n; i++) {
        bool heard = false;

        for (size_t k = 0; k < all->n_alerts && !heard; k++)
            heard = labels_dedup_hash(all->alerts[k].labels) == q->row->resolved.v[i];
        if (!heard)
            add_hash(&q->resolved, &q->row->resolved, q->scratch, q->row->resolved.v[i]);
    }
}

/* Fills q with who may be told; true: nobody of the row is kept back. */
static bool ask_all(struct asked *q, const struct notification *all)
{
    bool speaks =
        q->of.group == NULL || audience_in_time(q->e, q->of.group, all->n_alerts, q->now, q->fx);
    struct notified_alert *v = arena_array(q->scratch, all->n_alerts, sizeof(*v));

    q->n = *all;
    q->n.alerts = v;
    q->n.n_alerts = q->n.n_firing = 0;
    for (size_t i = 0; i < all->n_alerts; i++) {
        const struct notified_alert *a = &all->alerts[i];
        bool told = is_told_all_the_same(q, a);

        if (!told && (!speaks || is_kept_back(q, a)))
            continue;
        v[q->n.n_alerts++] = *a;
        q->n.n_firing += !a->is_resolved;
        add_hash(a->is_resolved ? &q->resolved : &q->firing,
                 a->is_resolved ? &q->row->resolved : &q->row->firing, q->scratch,
                 labels_dedup_hash(a->labels));
    }
    keep_unheard(q, all);
    hash_list_sort(&q->firing);
    hash_list_sort(&q->resolved);
    return q->n.n_alerts == all->n_alerts;
}

/* A row that is asked for within a second of its decision, and nothing has happened since, is not looked at. Nor one that
 * nothing could keep back. */
static bool is_settled(const struct engine *e, const struct outbox_row *row, struct now now)
{
    bool is_held_by_none = silencer_count(e->silencer) == 0 && inhibitor_rules(e->inhibitor) == 0 &&
                           e->conf->n_time_intervals == 0;

    return is_held_by_none || row->may_have_arrived || e->rules_wait != RULES_RUN ||
           (row->asked == audience_revision(e) && now.mono - row->decided_mono < NS_PER_S);
}

static const struct outbox_row *ask(struct asked *q, struct outbox_slot *slot)
{
    struct notification all;

    if (!notification_unpack(q->row->data, q->scratch, &all))
        return q->row; /* its attempt will say so */
    q->of = (struct audience){group_of(q->e, q->row, &all), all.group_key, all.receiver};
    if (ask_all(q, &all))
        return q->row;
    if (q->of.group != NULL && q->e->conf->notifications.flush_at_window_end)
        group_wake_early(q->e, q->of.group, q->wake, q->now);
    if (q->n.n_alerts == 0 || nflog_decide(q->told, q->firing, q->resolved, true,
                                           q->row->repeat_interval, q->now) == REASON_NONE) {
        outbox_withdraw(q->e, slot, q->now, q->fx);
        return NULL;
    }
    return outbox_reduce(q->e, slot, &q->n, q->firing, q->resolved, q->now, q->fx);
}

const struct outbox_row *audience_ask(struct engine *e, str key, struct now now, struct effects *fx)
{
    struct outbox_slot **slot = outbox_map_get(&e->outbox, key);
    const struct outbox_row *row = slot != NULL ? (*slot)->row : NULL;
    struct nflog_entry **told;
    struct arena scratch;
    struct asked q;

    if (row == NULL || is_settled(e, row, now))
        return row;
    arena_init(&scratch, 0);
    told = nflog_map_get(&e->nflog, row->key);
    q = (struct asked){.e = e,
                       .row = row,
                       .told = told != NULL ? *told : NULL,
                       .now = now,
                       .fx = fx,
                       .scratch = &scratch,
                       .wake = TS_MAX};
    (*slot)->row->asked = audience_revision(e);
    row = ask(&q, *slot);
    arena_release(&scratch);
    return row;
}
