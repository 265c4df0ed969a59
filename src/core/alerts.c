/* Alerts come in, are merged with what is known under their fingerprint, and join the groups of every route that takes
 * them. Only news goes to the alert log: a refresh that moves endsAt is remembered, not written. */
#include "core/engine_priv.h"
#include "core/fallback.h"
#include "core/happenings.h"

#include "base/utf8.h"
#include "codec/pack.h"

/* Of an alert: far beyond what anybody needs, and little enough for what looks at each pair. */
enum { PAIRS_MAX = 10000 };

static bool valid_names(struct labels ls, enum matcher_mode mode, const char *what, struct err *err)
{
    LABELS_EACH (l, ls) {
        if (!label_name_is_valid(l->name, mode))
            return err_set(err, ERR_INVALID, "invalid %s set: invalid name '%.*s'", what,
                           STR(l->name));
        if (!utf8_is_valid(l->value))
            return err_set(err, ERR_INVALID, "invalid %s set: invalid value of '%.*s'", what,
                           STR(l->name));
    }
    return true;
}

/* What the store holds was found valid when it came. */
static bool is_valid(const struct alert_input *in, const struct alert *a, const struct alert *old,
                     enum matcher_mode mode, struct err *err)
{
    if (a->ends_at < a->starts_at)
        return err_set(err, ERR_INVALID, "start time must be before end time");
    if (in->known.labels != NULL)
        return true;
    if (in->labels.n == 0)
        return err_set(err, ERR_INVALID, "at least one label pair required");
    if (in->labels.n > PAIRS_MAX || in->annotations.n > PAIRS_MAX)
        return err_set(err, ERR_INVALID, "more than %d labels or annotations", PAIRS_MAX);
    return ((old != NULL && old->labels == a->labels) ||
            valid_names(in->labels, mode, "label", err)) &&
           ((old != NULL && old->annotations == a->annotations) ||
            valid_names(in->annotations, mode, "annotation", err));
}

/* Returns how many bytes that takes. */
static size_t log_alert(struct engine *e, const struct alert *a, struct effects *fx)
{
    size_t before = fx->commit.alerts.n, n;

    engine_log_alert(&fx->commit.alerts, a);
    n = fx->commit.alerts.n - before;
    e->log_bytes += n;
    return n;
}

/* Stores one over the old one, if any; returns the alert that the store holds now, which may be another object than a. */
static struct alert *alerts_store(struct engine *e, struct alert *a, struct alert *old,
                                  struct now now, struct effects *fx)
{
    bool fires_again = old != NULL && alert_is_resolved(old, now) && !alert_is_resolved(a, now);

    if (old == NULL) {
        (void)alert_table_put(&e->alerts, a);
        e->live_bytes += log_alert(e, a, fx);
        happened_alert(e, a, now, fx);
        changed_alert(e, a);
        if (inhibitor_add(e->inhibitor, a))
            changed_sources(e);
        return a;
    }
    if (alert_store_over(old, a, now))
        log_alert(e, old, fx);
    changed_alert(e, old);
    if (fires_again && inhibitor_add(e->inhibitor, old))
        changed_sources(e);
    alert_unref(a);
    return old;
}

/* -- limits -- */

enum { LIMIT_TOLD_M = 5, OWN_GROUPS = 100 };

static void alerts_note_dropped(struct engine *e, const char *what, struct now now)
{
    e->limits.dropped_at = now.mono;
    e->limits.what = what;
}

static bool may_store(struct engine *e, const struct alert *a, bool is_known,
                      enum alert_origin origin, struct now now)
{
    if (origin == ALERTS_OWN)
        return true;
    if (e->limits.alerts != 0 && e->alerts.n >= e->limits.alerts && !is_known) {
        e->limits.dropped_alerts++;
        alerts_note_dropped(e, "alerts (--alerts.max)", now);
        return false;
    }
    return limits_admit_name(&e->limits, a, now);
}

/* Alerts of our own find room beyond the limit, or nobody would hear of it. */
static bool may_group(struct engine *e, const struct alert *a, struct now now)
{
    bool own = builtin_is_name(label_set_get(a->labels, S("alertname")));

    if (e->limits.groups == 0 || e->n_groups < e->limits.groups + (own ? OWN_GROUPS : 0))
        return true;
    e->limits.dropped_groups++;
    alerts_note_dropped(e, "groups (--dispatch.max-groups)", now);
    return false;
}

void alerts_tell_limits(struct engine *e, struct now now, struct effects *fx)
{
    struct alert_limits *l = &e->limits;
    bool lately = now.mono - l->dropped_at < LIMIT_TOLD_M * NS_PER_M;
    struct buf why = BUF_INIT;

    if (l->dropped_at == 0)
        return;
    buf_addf(&why, "the limit on %s is reached; what is known is still refreshed", l->what);
    builtin_set(e, BUILTIN_ALERT_LIMIT, lately, STR_NONE, buf_str(&why), now, fx);
    if (!lately)
        l->dropped_at = 0;
    buf_release(&why);
}

/* -- groups -- */

bool alerts_route(struct engine *e, struct alert *a, struct now now, struct effects *fx)
{
    struct route_list routes = {0};
    bool in_all = true;
    struct labels ls = label_set_view(&fx->arena, a->labels);

    receiver_routes(e->conf, &e->tree, ls, &routes);
    for (size_t i = 0; i < routes.n; i++) {
        const struct route *r = routes.v[i];
        struct labels gl = route_group_labels(r, &fx->arena, ls);
        uint64_t fp = labels_fingerprint(gl);
        void **slot = u64_map_get(&e->groups[r->index], fp);
        struct group *g = slot != NULL ? *slot : NULL;

        if (g == NULL) {
            ts_ns due = group_first_due(r, a, now);

            if (!may_group(e, a, now)) {
                in_all = false;
                continue;
            }
            g = group_new(r, e->names, gl);
            if (e->conf->records_events)
                g->uuid = uuid_of(rand_next(&e->ids), rand_next(&e->ids));
            if (alert_is_resolved(a, now) && !fallback_any_told(e, g->key, r->receiver)) {
                group_free(g);
                in_all = false;
                continue; /* nobody was told that it fired, and nobody needs to be told that it ended */
            }
            u64_map_put(&e->groups[r->index], fp, g);
            e->n_groups++;
            heap_push(&e->group_timers, &g->timer, due > e->start_after ? due : e->start_after);
        }
        if (alert_table_get(&g->alerts, alert_fingerprint(a)) == NULL) {
            struct decision *d = decide(fx, DECISION_GROUPED, now);

            d->fingerprint = alert_fingerprint(a);
            d->group_key = arena_str(&fx->arena, g->key);
            d->receiver = r->receiver;
            d->until = ts_add(now.wall, g->timer.key - now.mono);
            happened_grouped(e, g, a, now, fx);
        }
        if (group_insert(g, a))
            changed_group(e, g);
    }
    in_all &= routes.n != 0;
    vec_release(&routes);
    return in_all;
}

/* A sender whose clock went back (ours may have, too) refreshes a firing alert with an end before its start. Refusing
 * that would end the alert; what it means is that the alert fires now. Of our own nothing is refused: its clock is ours. */
static struct alert_input mend_start(const struct engine *e, const struct alert_input *in,
                                     enum alert_origin origin, struct now now)
{
    struct alert_input out = *in;
    const struct alert *old;

    if (in->starts_at == TS_NONE || in->ends_at == TS_NONE || in->ends_at >= in->starts_at)
        return out;
    if (in->ends_at <= now.wall) {
        if (origin != ALERTS_POSTED)
            out.starts_at = in->ends_at;
        return out;
    }
    old = engine_alert(e, in->known.labels != NULL ? in->known.fingerprint
                                                   : labels_fingerprint(in->labels));
    if (origin != ALERTS_POSTED || (old != NULL && !alert_is_resolved(old, now)))
        out.starts_at = now.wall;
    return out;
}

/* Whether a rule here sends the same alert, external labels aside. */
static bool comes_twice(const struct engine *e, const struct alert_input *in, struct now now,
                        struct effects *fx)
{
    const struct alert *a;
    struct labels ls;

    if (e->rules.n == 0)
        return false;
    ls = alert_input_labels(in, &fx->arena);
    if (e->conf->external_labels.n != 0)
        ls = labels_merge(&fx->arena, ls, e->conf->external_labels);
    a = engine_alert(e, labels_fingerprint(ls));
    return a != NULL && a->is_ours && !alert_is_resolved(a, now);
}

void alerts_take(struct engine *e, const struct alert_input *v, size_t n, enum alert_origin origin,
                 ts_ns arrived, struct now now, struct effects *fx, struct event_result *result)
{
    for (size_t i = 0; i < n; i++) {
        struct alert_input in = mend_start(e, &v[i], origin, now);
        struct alert *a = alert_new(e->names, &in, e->conf->resolve_timeout, now);
        struct alert *old = engine_alert(e, alert_fingerprint(a)), *stored;
        struct err err = ERR_INIT;

        if (arrived != 0 && arrived < now.wall)
            a->updated_at = arrived;

        if (origin == ALERTS_POSTED) {
            if (comes_twice(e, &in, now, fx))
                result->twice = &v[i];
            e->stats.received_firing += !alert_is_resolved(a, now);
            e->stats.received_resolved += alert_is_resolved(a, now);
        }
        if (!is_valid(&in, a, old, e->mode, &err)) {
            e->stats.invalid++;
            if (result->ok)
                result->err = err;
            result->ok = false;
            if (result->text.n != 0)
                buf_addc(&result->text, '\n');
            buf_add(&result->text, str_of(err.msg));
            alert_unref(a);
            continue;
        }
        result->accepted++;
        if ((arrived != 0 && old != NULL && old->updated_at > arrived) ||
            !may_store(e, a, old != NULL, origin, now)) {
            alert_unref(a);
            continue;
        }
        stored = alerts_store(e, a, old, now, fx);
        stored->is_ours |= origin == ALERTS_OF_RULES;
        alert_table_note_source(&e->alerts, stored, in.source);
        if (!stored->is_routed)
            stored->is_routed = alerts_route(e, stored, now, fx);
        ahead_take(e, stored, now);
    }
}

/* Nobody refreshed it: that it has ended is written, or a restart would have it back. Returns whether that is news. */
bool alert_log_end(struct engine *e, struct alert *a, struct effects *fx)
{
    if (a->end_is_logged || a->ends_at <= a->updated_at)
        return false;
    a->end_is_logged = true;
    log_alert(e, a, fx);
    return true;
}

void alerts_log_ends(struct engine *e, struct now now, struct effects *fx)
{
    ALERT_TABLE_EACH (a, &e->alerts)
        if (alert_is_resolved(a, now))
            alert_log_end(e, a, fx);
}

static void alerts_forget(struct engine *e, struct alert **at)
{
    struct alert *a = *at;

    inhibitor_drop(e->inhibitor, a);
    ahead_forget(e, a);
    changed_alert(e, a);
    e->live_bytes -= e->live_bytes / e->alerts.n;
    alert_table_del(&e->alerts, at);
    alert_unref(a);
}

/* Resolved alerts leave the store half an hour after they ended, as Alertmanager's do; groups that have not told yet
 * keep their own reference. Some in a step: where so many are looked at, or changed, that it takes long, the next step goes
 * on. Should the map have moved its entries meanwhile, what is passed over waits for the next time. */
void alerts_collect(struct engine *e, struct now now, struct effects *fx)
{
    ts_ns before = ts_add(now.mono, -30 * NS_PER_M);
    size_t looks = e->slice * 20, changes = e->slice;

    for (; e->collect_at < e->alerts.used && looks != 0 && changes != 0; e->collect_at++, looks--) {
        struct alert **at = &e->alerts.v[e->collect_at], *a = *at;
        bool changed;

        if (a == NULL)
            continue;
        changed = alert_is_resolved(a, now) && alert_log_end(e, a, fx);
        if (a->expires_mono < before) {
            alerts_forget(e, at);
            changed = true;
        }
        changes -= changed;
    }
    e->next_collect = e->collect_at < e->alerts.used ? now.mono + 1 : TS_MAX;
}

ts_ns alerts_due(const struct engine *e)
{
    return e->next_collect;
}

void alerts_gc(struct engine *e, struct now now, struct effects *fx)
{
    e->collect_at = 0;
    alerts_collect(e, now, fx);
    limits_gc(&e->limits, now);
}

/* The senders could not reach us, or did not run either: what was firing gets the lost time back, or every alert would
 * end at once. */
void alerts_paused(struct engine *e, dur_ns lost, struct now now, struct effects *fx)
{
    (void)fx;
    ALERT_TABLE_EACH (a, &e->alerts) {
        if (a->expires_mono > now.mono - lost) {
            a->expires_mono = ts_add(a->expires_mono, lost);
            a->ends_at = ts_add(a->ends_at, lost);
        }
    }
}
