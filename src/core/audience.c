#include "core/audience.h"

#include "core/engine_priv.h"
#include "core/fallback.h"
#include "route/mute.h"

struct audience audience_at(const struct engine *e, const struct route *route, struct now at)
{
    struct audience au = {.e = e, .route = route, .at = at, .reopens = TS_NONE};

    if (route == NULL)
        return au;
    if (!mute_is_active_time(e->intervals, route, at.wall, NULL))
        au.time = HELD_BY_ACTIVE_TIME;
    else if (mute_is_mute_time(e->intervals, route, at.wall, NULL))
        au.time = HELD_BY_MUTE_TIME;
    return au;
}

bool audience_wakes(const struct engine *e, const struct route *route)
{
    return e->conf->notifications.flush_at_window_end ||
           (route != NULL && route->conf->digest.at.n != 0);
}

bool audience_opens(const struct audience *au)
{
    struct now before = {.wall = ts_add(au->at.wall, -NS_PER_M), .mono = au->at.mono};

    return au->route != NULL && au->route->conf->digest.at.n != 0 && au->time == HELD_BY_NOTHING &&
           audience_at(au->e, au->route, before).time != HELD_BY_NOTHING;
}

bool audience_keeps_ends(const struct audience *au)
{
    return au->route != NULL && au->route->conf->digest.at.n != 0 && au->time != HELD_BY_NOTHING;
}

void audience_names(const struct audience *au, enum held_by time, struct buf *by)
{
    if (time == HELD_BY_ACTIVE_TIME)
        (void)mute_is_active_time(au->e->intervals, au->route, au->at.wall, by);
    else if (time == HELD_BY_MUTE_TIME)
        (void)mute_is_mute_time(au->e->intervals, au->route, au->at.wall, by);
}

uint64_t audience_revision(const struct engine *e)
{
    return e->audience_changed;
}

/* -- an alert -- */

void verdict_release(struct verdict *v)
{
    vec_release(&v->inhibited_by);
    vec_release(&v->silenced_by);
    arena_release(&v->room);
}

/* Nothing has spoken of it, nor of what has changed since but silences: only those are looked at. */
static bool is_cleared(const struct engine *e, struct labels ls, uint64_t *cleared, ts_ns now)
{
    if (*cleared == e->audience_changed)
        return true;
    if (*cleared < e->sources_changed || silencer_has_news(e->silencer, ls, *cleared, now))
        return false;
    *cleared = e->audience_changed;
    return true;
}

/* As far as the time alone decides. */
static void verdict_begin(const struct audience *au, struct verdict *v)
{
    vec_clear(&v->inhibited_by);
    v->inhibited_by.more = 0;
    vec_clear(&v->silenced_by);
    v->until = TS_NONE;
    v->held_by = au->time;
}

/* cleared: what is kept for it; NULL: nothing. */
static bool core_audience_judge(const struct audience *au, struct labels ls, uint64_t *cleared,
                                bool finds_all, struct verdict *v)
{
    const struct engine *e = au->e;
    bool later = false; /* something may hold at another time */

    verdict_begin(au, v);
    if (cleared != NULL && is_cleared(e, ls, cleared, au->at.wall))
        return v->held_by == HELD_BY_NOTHING;
    if (inhibitor_match(e->inhibitor, ls, au->at, finds_all ? INHIBITIONS_MAX : 1, &v->inhibited_by,
                        &later))
        v->held_by = HELD_BY_INHIBITION;
    if (v->held_by != HELD_BY_NOTHING && !finds_all)
        return false;
    silencer_match(e->silencer, ls, au->at.wall, &v->silenced_by, &later);
    VEC_EACH (const struct silence *const *, s, &v->silenced_by)
        v->until = (*s)->ends_at > v->until ? (*s)->ends_at : v->until;
    if (v->held_by == HELD_BY_NOTHING && v->silenced_by.n != 0)
        v->held_by = HELD_BY_SILENCE;
    if (cleared != NULL && !later && v->inhibited_by.n + v->silenced_by.n == 0)
        *cleared = audience_revision(e);
    return v->held_by == HELD_BY_NOTHING;
}

enum { JUDGE_FEW = 16 };

static bool judge_alert(const struct audience *au, const struct alert *a, uint64_t *cleared,
                        bool finds_all, struct verdict *v)
{
    struct label few[JUDGE_FEW];

    if (*cleared == au->e->audience_changed) {
        verdict_begin(au, v);
        return v->held_by == HELD_BY_NOTHING;
    }
    if (a->labels->names->n <= JUDGE_FEW)
        return core_audience_judge(au, label_set_write(few, a->labels), cleared, finds_all, v);
    arena_reset(&v->room);
    return core_audience_judge(au, label_set_view(&v->room, a->labels), cleared, finds_all, v);
}

bool audience_tells(const struct audience *au, struct labels ls, struct verdict *v)
{
    return core_audience_judge(au, ls, NULL, false, v);
}

bool audience_tells_alert(const struct audience *au, const struct alert *a, uint64_t *cleared,
                          struct verdict *v)
{
    return judge_alert(au, a, cleared, false, v);
}

bool audience_judge(const struct audience *au, struct labels ls, struct verdict *v)
{
    return core_audience_judge(au, ls, NULL, true, v);
}

ts_ns audience_wake(struct audience *au, const struct verdict *v, ts_ns before)
{
    if (!audience_wakes(au->e, au->route))
        return TS_MAX;
    switch (v->held_by) {
    case HELD_BY_SILENCE:
        return au->e->conf->notifications.flush_at_window_end ? ts_add(v->until, 1) : TS_MAX;
    case HELD_BY_ACTIVE_TIME:
    case HELD_BY_MUTE_TIME: /* the same for all of the route */
        if (au->reopens == TS_NONE)
            au->reopens = mute_ends(au->e->intervals, au->route, au->at.wall, before);
        return au->reopens;
    case HELD_BY_INHIBITION:
    case HELD_BY_NOTHING: break;
    }
    return TS_MAX;
}

bool audience_hears_end(const struct engine *e, const struct nflog_entry *told, uint64_t hash,
                        bool is_resolved)
{
    return is_resolved && e->conf->notifications.resolve_suppressed && told != NULL &&
           hash_list_has(told->firing, hash);
}

/* -- a row -- */

bool audience_is_settled(const struct engine *e, const struct outbox_row *row, ts_ns mono)
{
    bool nothing_holds = silencer_count(e->silencer) == 0 && inhibitor_rules(e->inhibitor) == 0 &&
                         e->conf->n_time_intervals == 0;

    return nothing_holds || row->is_relayed || row->may_have_arrived ||
           e->rules_wait != RULES_RUN ||
           (row->asked == audience_revision(e) && mono - row->decided_mono < NS_PER_S);
}

/* By the row's key: a notification of an earlier version may be told under another group key. */
static struct group *audience_group_of(const struct engine *e, const struct outbox_row *row,
                                       const struct notification *n)
{
    uint64_t fp = labels_fingerprint(n->group_labels);
    str key = outbox_group_key(row);

    for (size_t i = 0; i < e->tree.n; i++) {
        void **slot = u64_map_get(&e->groups[i], fp);
        struct group *g = slot != NULL ? *slot : NULL;

        if (g != NULL && str_eq(key, g->key) && str_eq(row->receiver, g->route->receiver))
            return g;
    }
    return NULL;
}

static void audience_add_hash(struct hash_list *to, const struct hash_list *from, struct arena *a,
                              uint64_t hash)
{
    if (to->v == NULL)
        to->v = arena_array(a, from->n, sizeof(*to->v));
    if (hash_list_has(*from, hash) && to->n < from->n)
        to->v[to->n++] = hash;
}

/* Resolved alerts that the receiver does not want to hear of stand in the row's hashes only: they stay there. */
static void keep_unheard(struct row_audience *x, const struct outbox_row *row, struct arena *a)
{
    for (size_t i = 0; i < row->resolved.n; i++) {
        bool heard = false;

        for (size_t k = 0; k < x->all.n_alerts && !heard; k++)
            heard = labels_dedup_hash(x->all.alerts[k].labels) == row->resolved.v[i];
        if (!heard)
            audience_add_hash(&x->resolved, &row->resolved, a, row->resolved.v[i]);
    }
}

static void ask_each(struct row_audience *x, const struct outbox_row *row,
                     const struct nflog_entry *known, ts_ns tick, struct arena *a)
{
    struct notified_alert *v = arena_array(a, x->all.n_alerts, sizeof(*v));
    struct verdict verdict = {HELD_BY_NOTHING};

    x->told.alerts = v;
    for (size_t i = 0; i < x->all.n_alerts; i++) {
        const struct notified_alert *al = &x->all.alerts[i];
        uint64_t hash = labels_dedup_hash(al->labels);

        if (!audience_hears_end(x->of.e, known, hash, al->is_resolved) &&
            !(al->is_resolved && x->of.e->conf->notifications.resolve_suppressed &&
              budget_hears_end(x->of.e, row, hash)) &&
            !audience_tells(&x->of, al->labels, &verdict)) {
            ts_ns wake = audience_wake(&x->of, &verdict, tick);

            x->wake = wake < x->wake ? wake : x->wake;
            continue;
        }
        v[x->told.n_alerts++] = *al;
        x->told.n_firing += !al->is_resolved;
        audience_add_hash(al->is_resolved ? &x->resolved : &x->firing,
                          al->is_resolved ? &row->resolved : &row->firing, a, hash);
    }
    notification_set_act(&x->told);
    verdict_release(&verdict);
}

bool audience_of_row(const struct engine *e, const struct outbox_row *row,
                     const struct nflog_entry *known, struct now at, struct arena *a,
                     struct row_audience *out)
{
    struct row_audience x = {.wake = TS_MAX};
    ts_ns tick;

    if (!outbox_tells(row, a, &x.all))
        return false;
    x.group = audience_group_of(e, row, &x.all);
    x.of = audience_at(e, x.group != NULL ? x.group->route : NULL, at);
    tick = x.group != NULL ? ts_add(at.wall, x.group->timer.key - at.mono) : TS_NONE;
    x.told = x.all;
    x.told.n_alerts = x.told.n_firing = 0;
    ask_each(&x, row, known, tick, a);
    keep_unheard(&x, row, a);
    hash_list_sort(&x.firing);
    hash_list_sort(&x.resolved);
    x.is_whole = x.told.n_alerts == x.all.n_alerts;
    *out = x;
    return true;
}

bool row_is_withdrawn(const struct row_audience *x, const struct outbox_row *row,
                      const struct nflog_entry *known, ts_ns mono)
{
    return !x->is_whole && (x->told.n_alerts == 0 ||
                            nflog_decide(known, x->firing, x->resolved, true, row->repeat_interval,
                                         (struct now){.mono = mono}) == REASON_NONE);
}

/* -- a list -- */

void audience_status(const struct audience *au, struct alert *a, struct alert_status *st)
{
    vec_clear(&st->routes);
    judge_alert(au, a, &a->cleared, true, &st->verdict);
    receiver_routes_of_set(au->e->conf, &au->e->tree, a->labels, &st->routes);
}

void alert_status_release(struct alert_status *st)
{
    verdict_release(&st->verdict);
    vec_release(&st->routes);
}
