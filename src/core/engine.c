/* The engine's step. Each event has one function in the file named for what it is about: alerts.c takes alerts in and
 * routes them, flush.c runs groups, delivery.c keeps the outbox and the notification log, rules.c runs rule groups,
 * builtin.c speaks about tocsin itself, restore.c reads and writes what lasts. What all parts have is in parts.c. */
#include "core/bucket.h"
#include "core/engine_priv.h"
#include "core/fallback.h"
#include "core/happenings.h"
#include "core/relay.h"
#include "core/part.h"

MAP_DEFINE(nflog_map, str, struct nflog_entry *, hash_str, str_eq);
MAP_DEFINE(outbox_map, str, struct outbox_slot *, hash_str, str_eq);

void effects_init(struct effects *fx)
{
    *fx = (struct effects){0};
    arena_init(&fx->arena, 0);
}

void effects_clear(struct effects *fx)
{
    vec_clear(&fx->deliver);
    vec_clear(&fx->rules);
    vec_clear(&fx->decisions);
    vec_clear(&fx->forward);
    vec_clear(&fx->happenings);
    vec_clear(&fx->retire);
    arena_reset(&fx->arena);
}

void effects_release(struct effects *fx)
{
    vec_release(&fx->deliver);
    vec_release(&fx->rules);
    vec_release(&fx->decisions);
    vec_release(&fx->forward);
    vec_release(&fx->happenings);
    vec_release(&fx->retire);
    state_commit_release(&fx->commit);
    arena_release(&fx->arena);
}

struct decision *decide(struct effects *fx, enum decision_kind kind, struct now now)
{
    vec_push(&fx->decisions, (struct decision){.kind = kind, .at = now.wall, .until = TS_NONE});
    return vec_last(&fx->decisions);
}

struct decision *decide_told(struct effects *fx, const struct notification *n, struct now now)
{
    struct decision *d = decide(fx, DECISION_NOTIFY, now);
    uint64_t *v = arena_array(&fx->arena, n->n_alerts, sizeof(*v));

    for (int resolved = 0; resolved <= 1; resolved++)
        for (size_t i = 0; i < n->n_alerts; i++)
            if (n->alerts[i].is_resolved == (resolved != 0))
                v[d->n_alerts++] = n->alerts[i].fingerprint;
    d->alerts = v;
    d->n_firing = n->n_firing;
    d->flush_id = n->flush_id;
    return d;
}

static struct integration_stats *integration_stats_new(size_t n)
{
    static const double latency_bounds[] = {1, 5, 10, 15, 20};
    struct integration_stats *v = mem_array(n, sizeof(*v));

    for (size_t i = 0; i < n; i++)
        metric_histogram_init(&v[i].latency, latency_bounds, ARRAY_LEN(latency_bounds));
    return v;
}

void integration_stats_free(struct integration_stats *v, size_t n)
{
    for (size_t i = 0; v != NULL && i < n; i++)
        metric_histogram_release(&v[i].latency);
    mem_free(v);
}

void receivers_configure(struct engine *e, struct now now, struct effects *fx)
{
    (void)now, (void)fx;
    for (size_t i = 0; i < e->conf->n_receivers; i++) {
        bool known = false;

        for (size_t j = 0; j < e->receivers.n && !known; j++)
            known = str_eq(e->receivers.v[j].name, e->conf->receivers[i].name);
        if (!known)
            vec_push(&e->receivers,
                     (struct receiver_stats){.name = mem_str_dup(e->conf->receivers[i].name),
                                             .integration = integration_stats_new(e->conf->n_kinds),
                                             .last_success = TS_NONE,
                                             .last_failure = TS_NONE});
    }
}

struct engine *engine_new(const struct core_conf *conf, enum matcher_mode mode, dur_ns retention,
                          uint64_t seed, struct now now)
{
    struct engine *e = mem_new(struct engine);

    e->names = interner_new();
    rule_history_init(&e->rule_history, e->names);
    e->conf = conf;
    changes_init(&e->changes);
    e->audience_changed = e->sources_changed = e->changes.revision;
    e->next_silence = e->next_end = TS_NONE;
    e->seen_silences = now.wall;
    e->seen_ends = now.mono;
    e->mode = mode;
    e->slice = ENGINE_SLICE;
    e->next_collect = TS_MAX;
    e->next_past = TS_MAX;
    e->retention = retention;
    e->silencer = silencer_new();
    e->inhibitor = inhibitor_new(conf->inhibit_rules, conf->n_inhibit_rules);
    e->intervals = interval_set_new(conf->time_intervals, conf->n_time_intervals);
    e->next_gc = ts_add(now.mono, GC_INTERVAL);
    e->next_refresh = ts_add(now.mono, BUILTIN_REFRESH);
    e->next_alive = now.mono;
    e->down_at = now.wall;
    e->rules_epoch = 1;
    e->jitter.state = seed;
    e->ids.state = ~seed;
    e->next_flush_id = rand_next(&e->ids);
    e->stats.integration = integration_stats_new(conf->n_kinds);
    receivers_configure(e, now, NULL);
    buckets_configure(e, now, NULL);
    groups_rebuild(e, now, false);
    return e;
}

void engine_free(struct engine *e)
{
    if (e == NULL)
        return;
    ahead_release(e);
    past_release(e);
    rules_release(e);
    groups_release(e);
    outbox_release(e);
    buckets_release(e);
    budgets_release(e);
    inhibitor_free(e->inhibitor);
    interval_set_free(e->intervals);
    silencer_free(e->silencer);
    ALERT_TABLE_EACH (a, &e->alerts)
        alert_unref(a);
    alert_table_release(&e->alerts);
    u64_map_release(&e->flushes);
    limits_release(&e->limits);
    MAP_EACH (struct nflog_map_entry, it, &e->nflog) {
        mem_str_free(it->key);
        nflog_entry_free(it->value);
    }
    nflog_map_release(&e->nflog);
    heap_release(&e->group_timers);
    heap_release(&e->outbox_timers);
    heap_release(&e->rule_timers);
    VEC_EACH (struct receiver_stats *, r, &e->receivers)
        receiver_stats_release(r, e->conf->n_kinds);
    vec_release(&e->receivers);
    builtins_release(e);
    integration_stats_free(e->stats.integration, e->conf->n_kinds);
    changes_release(&e->changes);
    journal_release(&e->journal);
    rule_history_release(&e->rule_history);
    interner_free(e->names);
    mem_free(e);
}

ts_ns gc_due(const struct engine *e)
{
    return e->next_gc;
}

void gc_run(struct engine *e, struct now now, struct effects *fx)
{
    e->next_gc = ts_add(now.mono, GC_INTERVAL);
    CORE_PARTS_EACH(p)
    if (p->gc != NULL)
        p->gc(e, now, fx);
}

static void run_due(struct engine *e, const struct core_part *only, struct now now,
                    struct effects *fx)
{
    CORE_PARTS_EACH(p)
    if ((only == NULL || p == only) && p->due != NULL && p->due(e) <= now.mono)
        p->run(e, now, fx);
}

/* -- silences -- */

struct forgetting {
    struct engine *e;
    struct effects *fx;
};

static void forget_silence(void *arg, str id)
{
    struct forgetting *f = arg;

    changed_silence(f->e, silencer_get(f->e->silencer, id));
    state_delete(&f->fx->commit, STATE_SILENCE, id);
}

void silences_gc(struct engine *e, struct now now, struct effects *fx)
{
    struct forgetting f = {e, fx};

    silencer_gc(e->silencer, ts_add(now.wall, -e->retention), forget_silence, &f);
}

static void put_silence_row(struct effects *fx, const struct silence *s)
{
    struct buf b = BUF_INIT;

    silence_pack(&b, s);
    state_put(&fx->commit, STATE_SILENCE, uuid_str(&s->id), buf_str(&b));
    buf_release(&b);
}

/* Whether some matcher of the set asks for values of the label. */
static bool set_names(const struct matchers *set, str label)
{
    for (size_t i = 0; i < set->n; i++)
        if (str_eq(set->v[i].name, label) && !matcher_is_negative(&set->v[i]) &&
            !matcher_matches_empty(&set->v[i]))
            return true;
    return false;
}

/* The policy under `silences` of the configuration. */
static bool silence_is_allowed(const struct silence_policy *p, const struct silence *s,
                               struct err *err)
{
    for (size_t i = 0; i < p->required_matchers.n; i++)
        for (size_t k = 0; k < s->n_sets; k++)
            if (!set_names(&s->sets[k], p->required_matchers.v[i]))
                return err_set(err, ERR_INVALID, "a silence needs a matcher on '%.*s'",
                               STR(p->required_matchers.v[i]));
    return p->max_duration == 0 || ts_sub(s->ends_at, s->starts_at) <= p->max_duration ||
           err_set(err, ERR_INVALID, "a silence may hold for %.0f minutes at most",
                   (double)p->max_duration / NS_PER_M);
}

static void silence_put(struct engine *e, struct silence *in, struct now now, struct effects *fx,
                        struct event_result *r)
{
    struct uuid fresh = uuid_of(rand_next(&e->ids), rand_next(&e->ids));
    struct uuid asked = in->id;
    const struct silence *gone;
    bool was_known;

    r->ok = silence_is_allowed(&e->conf->silences, in, &r->err);
    if (!r->ok) {
        silence_free(in);
        return;
    }
    r->ok = silencer_put(e->silencer, in, fresh, now.wall, e->mode, &r->silence_id, &gone, &r->err);
    if (!r->ok)
        return;
    was_known = str_eq(uuid_str(&asked), uuid_str(&r->silence_id));
    if (gone != NULL) {
        changed_silence(e, gone);
        put_silence_row(fx, gone);
        groups_silence_ends(e, gone, now);
    }
    changed_silence(e, silencer_get(e->silencer, uuid_str(&r->silence_id)));
    happened_silence(e, silencer_get(e->silencer, uuid_str(&r->silence_id)), !was_known, fx);
    put_silence_row(fx, silencer_get(e->silencer, uuid_str(&r->silence_id)));
    groups_silence_ends(e, silencer_get(e->silencer, uuid_str(&r->silence_id)), now);
}

static void silence_expire(struct engine *e, str id, struct now now, struct effects *fx,
                           struct event_result *r)
{
    bool changed;

    r->ok = silencer_expire(e->silencer, id, now.wall, &changed, &r->err);
    if (!r->ok || !changed)
        return;
    changed_silence(e, silencer_get(e->silencer, id));
    put_silence_row(fx, silencer_get(e->silencer, id));
    groups_silence_ends(e, silencer_get(e->silencer, id), now);
}

/* -- the configuration and the clocks -- */

void intervals_configure(struct engine *e, struct now now, struct effects *fx)
{
    (void)now, (void)fx;
    interval_set_free(e->intervals);
    e->intervals = interval_set_new(e->conf->time_intervals, e->conf->n_time_intervals);
}

static void configure(struct engine *e, const struct core_conf *conf, struct now now,
                      struct effects *fx)
{
    const struct core_conf *old = routing_put(e, conf, now);

    changed_all(e, CHANGED_CONFIG);
    CORE_PARTS_EACH(p)
    if (p->configure != NULL)
        p->configure(e, now, fx);
    vec_push(&fx->retire, old);
}

static void step_wall(struct engine *e, dur_ns by, struct now now, struct effects *fx)
{
    e->stats.wall_steps++;
    changed_all(e, CHANGED_CLOCK); /* what has ended may hold again */
    CORE_PARTS_EACH(p)
    if (p->stepped != NULL)
        p->stepped(e, by, now, fx);
}

static void pass_pause(struct engine *e, dur_ns lost, struct now now, struct effects *fx)
{
    e->stats.pauses++;
    changed_all(e, CHANGED_CLOCK);
    CORE_PARTS_EACH(p)
    if (p->paused != NULL)
        p->paused(e, lost, now, fx);
}

void engine_step(struct engine *e, struct event *ev, struct now now, struct effects *fx,
                 struct event_result *result)
{
    struct event_result ignored = {0}, *r = result != NULL ? result : &ignored;

    r->ok = true;
    switch (ev->kind) {
    case EVENT_TIMER: run_due(e, ev->part, now, fx); break;
    case EVENT_ALERTS:
        alerts_take(e, ev->alerts.v, ev->alerts.n, ev->alerts.origin, ev->alerts.arrived, now, fx,
                    r);
        break;
    case EVENT_SILENCE_PUT: silence_put(e, ev->silence, now, fx, r); break;
    case EVENT_SILENCE_EXPIRE: silence_expire(e, ev->silence_id, now, fx, r); break;
    case EVENT_ATTEMPT: r->row = attempt_ask(e, ev->attempt, now, fx); break;
    case EVENT_DELIVERED: outbox_delivered(e, &ev->delivered, now, fx); break;
    case EVENT_RULE_GROUPS: rules_configure(e, ev->groups.v, ev->groups.n, now, fx); break;
    case EVENT_RULES_RAN: rules_ran(e, ev->ran, ev->from, ev->until, now, fx); break;
    case EVENT_AHEAD: r->ok = ahead_go_on(e, ev->config, now); break;
    case EVENT_CONFIG: configure(e, ev->config, now, fx); break;
    case EVENT_CLOCK_STEPPED: step_wall(e, ev->wall_step, now, fx); break;
    case EVENT_PAUSED: pass_pause(e, ev->paused, now, fx); break;
    case EVENT_BUILTIN:
        if (ev->builtin.lasts != 0)
            builtin_tell(e, ev->builtin.kind, ev->builtin.subject, ev->builtin.why,
                         ev->builtin.lasts, now, fx);
        else
            builtin_set(e, ev->builtin.kind, ev->builtin.raised, ev->builtin.subject,
                        ev->builtin.why, now, fx);
        break;
    case EVENT_RECEIPTS: r->accepted = outbox_hear(e, &ev->receipts, now, fx); break;
    case EVENT_RELAY: relay_take(e, ev->relay, now, fx, r); break;
    case EVENT_STOPS: alerts_log_ends(e, now, fx); break;
    }
    alerts_tell_limits(e, now, fx);
    outbox_serve(e, now, fx);
    buf_release(&ignored.text);
}

void engine_journal(struct engine *e, struct now now, struct effects *fx)
{
    journal_add(&e->journal, fx->decisions.v, fx->decisions.n, &fx->commit);
    journal_trim(&e->journal, ts_add(now.wall, -e->conf->journal_age),
                 (size_t)e->conf->journal_size, &fx->commit);
    e->turns++;
}

ts_ns engine_next(const struct engine *e)
{
    ts_ns next = TS_MAX;

    CORE_PARTS_EACH(p)
    {
        ts_ns due = p->due != NULL ? p->due(e) : TS_MAX;

        next = due < next ? due : next;
    }
    return next;
}

const struct core_receiver *engine_receiver(const struct engine *e, str name)
{
    void **slot = str_map_get(&e->conf->receiver_by_name, name);

    return slot != NULL ? *slot : NULL;
}

struct alert *engine_alert(const struct engine *e, uint64_t fingerprint)
{
    return alert_table_get(&e->alerts, fingerprint);
}

struct group *engine_group_of(const struct engine *e, const struct route *r, struct labels ls,
                              struct arena *scratch)
{
    struct labels gl = route_group_labels(r, scratch, ls);
    void **slot = u64_map_get(&e->groups[r->index], labels_fingerprint(gl));

    return slot != NULL ? *slot : NULL;
}
