/* Rule groups by number. The core orders jobs of groups and takes what comes of them as values (rules_ran.h); what a reload
 * or an answer makes of a group's slot is decided in rule_slot.c. A group runs at its slots, never twice at once; what a slow
 * run misses is counted and skipped. */
#include "core/engine_priv.h"

#include <stdio.h>

enum { FAILING_AFTER = 3 };

static struct rule_slot *slot_of(const struct engine *e, uint64_t id)
{
    void **slot = u64_map_get(&e->rule_slots, id);

    return slot != NULL ? *slot : NULL;
}

struct rule_group_view *engine_rules_shown(const struct engine *e, uint64_t group)
{
    const struct rule_slot *s = slot_of(e, group);

    return s != NULL ? s->shown : NULL;
}

static void show(struct engine *e, struct rule_slot *s, struct rule_group_view *v)
{
    if (v == NULL || v == s->shown)
        return;
    rule_group_view_unref(s->shown);
    s->shown = rule_group_view_ref(v);
    s->revision = changes_note(&e->changes, CHANGED_RULES, s->id, 0);
}

static void slot_free(struct engine *e, struct rule_slot *s)
{
    heap_remove(&e->rule_timers, &s->timer);
    rule_group_view_unref(s->shown);
    mem_str_free(s->degraded);
    mem_free(s);
}

static void rules_arm(struct engine *e, struct rule_slot *s, ts_ns slot, struct now now)
{
    ts_ns due = slot > now.wall ? ts_add(now.mono, slot - now.wall) : now.mono;

    s->next_slot = slot;
    heap_push(&e->rule_timers, &s->timer, due);
}

static ts_ns slot_after(const struct rule_slot *s, struct now now)
{
    return ts_slot_after(now.wall, s->interval, s->place);
}

static void order(struct engine *e, struct rule_slot *s, enum rules_job job, struct now now,
                  struct effects *fx)
{
    heap_remove(&e->rule_timers, &s->timer);
    s->since = now.mono;
    vec_push(&fx->rules, (struct effect_rules){.ticket = {s->id, s->running, e->rules_epoch},
                                               .job = job,
                                               .slot = s->next_slot});
}

static void follow(struct engine *e, struct rule_slot *s, enum rule_slot_next next, struct now now,
                   struct effects *fx)
{
    switch (next) {
    case SLOT_WAITS: rules_arm(e, s, slot_after(s, now), now); break;
    case SLOT_INHERITS: order(e, s, RULES_INHERIT, now, fx); break;
    case SLOT_RETIRES: order(e, s, RULES_RETIRE, now, fx); break;
    case SLOT_GOES:
        u64_map_del(&e->rule_slots, s->id);
        slot_free(e, s);
        break;
    case SLOT_NOTHING:
    case SLOT_STALE: break;
    }
}

/* -- sources that answer in part -- */

static bool is_degraded(const struct engine *e, str source)
{
    MAP_EACH (const struct u64_map_entry, it, &e->rule_slots)
        if (str_eq(((const struct rule_slot *)it->value)->degraded, source))
            return true;
    return false;
}

/* A source is degraded while any group of it says so. */
static void rules_set_degraded(struct engine *e, struct rule_slot *s, str source, str why,
                               struct now now, struct effects *fx)
{
    str old = s->degraded;

    if (str_eq(old, source))
        return;
    s->degraded = source.n != 0 ? mem_str_dup(source) : STR_NONE;
    if (old.n != 0 && !is_degraded(e, old))
        builtin_set(e, BUILTIN_SOURCE_DEGRADED, false, old, STR_NONE, now, fx);
    if (source.n != 0)
        builtin_set(e, BUILTIN_SOURCE_DEGRADED, true, source, why, now, fx);
    mem_str_free(old);
}

/* -- the configuration in force -- */

static void rules_put_in_force(struct engine *e, const struct rule_shape *shape, struct now now,
                               struct effects *fx)
{
    struct rule_slot *s = slot_of(e, shape->id);
    bool is_new = s == NULL;

    if (is_new) {
        s = mem_new(struct rule_slot);
        s->id = shape->id;
        s->generation = shape->generation;
        s->shown = rule_group_view_ref(shape->view);
        u64_map_put(&e->rule_slots, s->id, s);
    }
    s->is_named = true;
    s->place = shape->place;
    s->interval = shape->interval;
    s->reads_own = shape->reads_own;
    vec_push(&e->rules, s);
    follow(e, s,
           is_new ? rule_slot_begin(s, shape->inherits) : rule_slot_name(s, shape->generation), now,
           fx);
}

void rules_configure(struct engine *e, const struct rule_shape *v, size_t n, struct now now,
                     struct effects *fx)
{
    size_t n_old = e->rules.n;
    struct rule_slot **old = e->rules.v;

    e->rules.v = NULL;
    e->rules.n = e->rules.cap = 0;
    for (size_t i = 0; i < n_old; i++)
        old[i]->is_named = false;
    for (size_t i = 0; i < n; i++)
        rules_put_in_force(e, &v[i], now, fx);
    for (size_t i = 0; i < n_old; i++) {
        if (old[i]->is_named)
            continue;
        builtin_set(e, BUILTIN_RULE_FAILING, false, old[i]->shown->name, STR_NONE, now, fx);
        rules_set_degraded(e, old[i], STR_NONE, STR_NONE, now, fx);
        follow(e, old[i], rule_slot_drop(old[i]), now, fx);
    }
    mem_free(old);
}

void rules_release(struct engine *e)
{
    MAP_EACH (struct u64_map_entry, it, &e->rule_slots)
        slot_free(e, it->value);
    u64_map_release(&e->rule_slots);
    vec_release(&e->rules);
}

/* -- runs -- */

/* While our own store is being filled, what it would answer is not the truth yet. */
static bool must_wait(const struct engine *e, const struct rule_slot *s)
{
    return e->rules_wait == RULES_WAIT_FOR_REPLAY ||
           (e->rules_wait == RULES_WAIT_FOR_TARGETS && s->reads_own);
}

void engine_hold_rules(struct engine *e, enum rules_wait wait)
{
    e->rules_wait = wait;
}

bool engine_rules_inherit(const struct engine *e)
{
    VEC_EACH (struct rule_slot *const *, s, &e->rules)
        if ((*s)->has != (*s)->generation)
            return true;
    return false;
}

void rules_run_due(struct engine *e, struct now now, struct effects *fx)
{
    struct heap_node *n;

    while ((n = heap_min(&e->rule_timers)) != NULL && n->key <= now.mono) {
        struct rule_slot *s = container_of(n, struct rule_slot, timer);

        if (must_wait(e, s)) {
            rules_arm(e, s, slot_after(s, now), now);
            continue;
        }
        rule_slot_run(s);
        order(e, s, RULES_EVALUATE, now, fx);
    }
}

/* The wall clock stepped: slots are absolute, so the next ones are elsewhere now. Of a group that runs the slot under way
 * becomes the last one by the new time, from which next_slot() goes on. */
void rules_stepped(struct engine *e, dur_ns by, struct now now, struct effects *fx)
{
    (void)by, (void)fx;
    VEC_EACH (struct rule_slot **, s, &e->rules) {
        ts_ns next = slot_after(*s, now);

        if (heap_holds(&(*s)->timer))
            rules_arm(e, *s, next, now);
        else
            (*s)->next_slot = next - (*s)->interval;
    }
}

bool rule_slot_is_late(const struct rule_slot *s, struct now now)
{
    return s->state != SLOT_IDLE && now.mono - s->since > s->interval;
}

static void next_slot(struct engine *e, struct rule_slot *s, struct now now)
{
    int64_t k = (now.wall - s->next_slot) / s->interval;

    if (k < 1)
        k = 1;
    if (k > 1) {
        s->missed += (uint64_t)(k - 1);
        e->stats.rule_missed += (uint64_t)(k - 1);
    }
    rules_arm(e, s, s->next_slot + k * s->interval, now);
}

/* -- what a job left -- */

/* The group's alerts may be gone before the turn ends. */
static void forward(const struct alert_input *v, size_t n, struct effects *fx)
{
    for (size_t i = 0; i < n; i++) {
        struct alert_input own = v[i];

        own.labels = labels_copy(&fx->arena, v[i].labels);
        own.annotations = labels_copy(&fx->arena, v[i].annotations);
        own.generator_url = arena_str(&fx->arena, v[i].generator_url);
        vec_push(&fx->forward, own);
    }
}

/* What fires does so from now on for as long as it did at its slot, and what has ended has ended: the run may have come home
 * after a pause, or after somebody set the clock. */
static ts_ns valid_until(const struct rules_ran *ran, const struct alert_input *in, struct now now)
{
    if (in->ends_at > ran->slot)
        return ts_add(now.wall, in->ends_at - ran->slot);
    return in->ends_at < now.wall ? in->ends_at : now.wall;
}

/* External labels are added where the alert has none of that name; then alerts are relabeled, or dropped. */
static void take_alerts(struct engine *e, const struct rules_ran *ran, size_t from, size_t until,
                        struct now now, struct effects *fx)
{
    struct alert_input *v = arena_array(&fx->arena, until - from, sizeof(*v));
    struct event_result ignored = {.ok = true};
    size_t n = 0;

    for (size_t i = from; i < until; i++) {
        v[n] = ran->alerts[i];
        v[n].ends_at = valid_until(ran, &v[n], now);
        if (e->conf->external_labels.n != 0)
            v[n].labels = labels_merge(&fx->arena, e->conf->external_labels, v[n].labels);
        n += relabel(&e->conf->alert_relabel_configs, v[n].labels, &fx->arena, &v[n].labels);
    }
    alerts_take(e, v, n, ALERTS_OF_RULES, 0, now, fx, &ignored);
    if (e->conf->forwards)
        forward(v, n, fx);
    buf_release(&ignored.text);
}

/* keeps: what is not deleted stays; a removed group's rows all go. */
static void rules_take_rows(const struct rules_ran *ran, bool keeps, struct effects *fx)
{
    for (size_t i = 0; i < ran->n_rows; i++) {
        const struct rule_row *row = &ran->rows[i];

        if (keeps && row->value.n != 0)
            state_put(&fx->commit, STATE_RULE, row->key, row->value);
        else
            state_delete(&fx->commit, STATE_RULE, row->key);
    }
}

static void rules_judge(struct engine *e, const struct rules_ran *ran, struct now now,
                        struct effects *fx)
{
    const struct rules_counts *c = &ran->counts;
    bool is_failing = c->worst_failures >= FAILING_AFTER;
    char why[640];

    if (is_failing && c->failed > c->outages) {
        snprintf(why, sizeof(why), "rule '%.*s' failed %u times in a row: %.*s", STR(c->worst_rule),
                 c->worst_failures, STR(c->worst_error));
        builtin_set(e, BUILTIN_RULE_FAILING, true, ran->view->name, str_of(why), now, fx);
    } else if (!is_failing) {
        builtin_set(e, BUILTIN_RULE_FAILING, false, ran->view->name, STR_NONE, now, fx);
    }
}

static void rules_count(struct engine *e, const struct rules_ran *ran)
{
    rule_history_note(&e->rule_history, ran);
    e->stats.rule_evaluations += ran->counts.evaluated;
    e->stats.rule_took += ran->counts.rules_took;
    e->stats.group_took += ran->counts.took;
    e->stats.group_runs++;
}

void rules_ran(struct engine *e, const struct rules_ran *ran, size_t from, size_t until,
               struct now now, struct effects *fx)
{
    struct rule_slot *s = slot_of(e, ran->ticket.group);
    enum rule_slot_next next;

    if (until !=
        0) { /* the alerts before the rows: what the disk has of a rule, it has of its alerts */
        if (s != NULL && rule_slot_waits_for(s, e->rules_epoch, &ran->ticket))
            take_alerts(e, ran, from, until, now, fx);
        return;
    }
    next = s != NULL ? rule_slot_answer(s, e->rules_epoch, &ran->ticket, ran->job) : SLOT_STALE;
    if (next == SLOT_STALE) {
        e->stats.rule_stale++;
        return;
    }
    show(e, s, ran->view);
    rules_take_rows(ran, next == SLOT_WAITS || next == SLOT_INHERITS, fx);
    if (ran->job == RULES_EVALUATE) {
        rules_count(e, ran);
        take_alerts(e, ran, from, ran->n_alerts, now, fx);
    }
    if (ran->job == RULES_EVALUATE && next == SLOT_WAITS) {
        rules_judge(e, ran, now, fx);
        rules_set_degraded(e, s, ran->degraded, ran->degraded_why, now, fx);
        next_slot(e, s, now);
        return;
    }
    follow(e, s, next, now, fx);
}

/* -- that this process lives -- */

ts_ns life_due(const struct engine *e)
{
    return e->rules.n != 0 ? e->next_alive : TS_MAX;
}

void life_run(struct engine *e, struct now now, struct effects *fx)
{
    struct buf b = BUF_INIT;

    e->next_alive = ts_add(now.mono, RULE_ALIVE_INTERVAL);
    buf_add_i64(&b, now.wall);
    state_put(&fx->commit, STATE_META, S("alive"), buf_str(&b));
    buf_release(&b);
}

bool life_restore(struct restoring *r, str key, str value)
{
    uint64_t v;

    if (str_is(key, "alive") && str_to_u64(value, &v))
        r->e->down_at = (ts_ns)v;
    return true;
}
