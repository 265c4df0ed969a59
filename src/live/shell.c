/* Effects of a step are gathered until the turn commits them. Then three queues: replies and releases that wait for a
 * commit, rows that are to be sent when theirs is on disk, configurations that nobody reads any more. The store's
 * trouble is noticed here: a report that failed, or one that does not come. */
#include "live/shell.h"

#include <stdio.h>
#include "os/log.h"
#include "core/audience.h"
#include "core/part.h"
#include "live/shell_priv.h"
#include "live/turn.h"

/* COMMIT_USUAL: a commit has room for as many bytes as the last had, up to so many. */
enum { STALL_S = 5, DAMAGE_TOLD_H = 1, COMMIT_USUAL = 16 << 10 };

static void shell_wake(struct timer *t, struct now now);
static void shell_jumped(void *arg, const struct clock_jump *j);
static void stalled(struct timer *t, struct now now);

static const struct integration_conf *find_integration(void *arg, str receiver, str integration,
                                                       unsigned index, void **hold)
{
    struct shell *s = arg;
    struct config *conf = config_of(s->engine->conf);
    const struct receiver_conf *rc = config_receiver(conf, receiver);

    for (size_t i = 0; rc != NULL && i < rc->n_integrations; i++) {
        if (!str_is(integration, rc->integrations[i].type->name) ||
            rc->integrations[i].index != index)
            continue;
        *hold = config_ref(conf);
        return &rc->integrations[i];
    }
    return NULL;
}

static void shell_put_back(void *arg, void *hold)
{
    (void)arg;
    config_unref(hold);
}

static const struct messages *shell_messages(void *arg, void *hold)
{
    (void)arg;
    return ((const struct config *)hold)->messages;
}

static const struct delivery_pair *shell_kept(void *arg, str key, size_t *n)
{
    const struct shell *s = arg;
    struct nflog_entry **e = nflog_map_get(&s->engine->nflog, key);

    *n = e != NULL ? (*e)->n_kept : 0;
    return e != NULL ? (*e)->kept : NULL;
}

static void send_written(struct shell *s);

static void delivery_answered(void *arg, const struct notify_result *r)
{
    struct arena *room = &((struct shell *)arg)->room;
    struct answered_row *rows = arena_array(room, r->n_rows, sizeof(*rows));
    struct event ev = {.kind = EVENT_DELIVERED,
                       .delivered = {.rows = rows,
                                     .n_rows = r->n_told,
                                     .back = rows + r->n_told,
                                     .n_back = r->n_rows - r->n_told,
                                     .is_part = r->is_part,
                                     .verdict = r->verdict,
                                     .failure = r->failure,
                                     .retry_after = r->retry_after,
                                     .took = r->took,
                                     .status = r->status,
                                     .may_have_arrived = r->may_have_arrived,
                                     .requests = r->requests,
                                     .in_part = r->in_part,
                                     .under_way = r->under_way,
                                     .has_date = r->has_date,
                                     .skew = r->skew,
                                     .error = r->error,
                                     .kept = r->kept,
                                     .had = r->had,
                                     .n_kept = r->n_kept}};

    for (size_t i = 0; i < r->n_rows; i++) /* the step frees them */
        rows[i] = (struct answered_row){arena_str(room, r->rows[i]->key), r->rows[i]->flush_id};
    shell_event(arg, &ev, NULL);
    arena_reset(room);
    send_written(arg);
}

static void shell_print_text(void *arg, str text)
{
    const struct shell *s = arg;

    s->parts.print(s->parts.arg, text);
}

static bool shell_shown(void *arg, const struct notify_shown *x)
{
    const struct shell *s = arg;

    return s->parts.shown(s->parts.arg, x);
}

struct shell *shell_new(const struct shell_parts *parts)
{
    struct shell *s = mem_new(struct shell);
    struct notify_shell ns = {.find = find_integration,
                              .put_back = shell_put_back,
                              .messages = shell_messages,
                              .kept = shell_kept,
                              .result = delivery_answered,
                              .print = parts->print != NULL ? shell_print_text : NULL,
                              .shown = parts->shown != NULL ? shell_shown : NULL,
                              .arg = s,
                              .external_url = parts->external_url,
                              .colour = parts->colour,
                              .shadow = parts->shadow};

    s->parts = *parts;
    s->wake.fire = shell_wake;
    s->stall.fire = stalled;
    slices_init(&s->slices, parts->clock, parts->slice);
    s->slices.pause = parts->pause;
    s->slices.arg = parts->arg;
    parts->clock->jumped = shell_jumped;
    parts->clock->arg = s;
    effects_init(&s->fx);
    arena_init(&s->room, 0);
    s->engine = engine_new(&parts->conf->core, parts->mode, parts->retention, parts->seed,
                           parts->clock->now);
    /* Until its owner says that the store is filled: a rule that ran before would open what a replay then closes. */
    engine_hold_rules(s->engine, parts->db != NULL ? RULES_WAIT_FOR_REPLAY : RULES_RUN);
    if (parts->slice != 0)
        s->engine->slice = parts->slice;
    s->engine->start_after = ts_add(parts->clock->now.mono, parts->start_delay);
    s->notify = notify_new(parts->transport, parts->clock, parts->pool, &ns);
    shell_set_external_url(s, parts->external_url);
    s->driver =
        rule_driver_new(s, parts->pool, parts->transport, parts->clock, parts->db, parts->conf);
    return s;
}

void shell_set_external_url(struct shell *s, str url)
{
    mem_str_free(s->external_url);
    s->external_url = mem_str_dup(url);
    s->engine->external_url = s->external_url;
    notify_set_external_url(s->notify, s->external_url);
}

static void shell_committed(void *arg, uint64_t n, bool ok, const struct err *e);

static void snapshot(void *arg, struct state_commit *c)
{
    struct shell *s = arg;

    engine_snapshot(s->engine, s->parts.clock->now, c);
    rule_driver_snapshot(s->driver, c);
    if (s->parts.snapshot != NULL)
        s->parts.snapshot(s->parts.arg, c);
}

struct state_shell shell_state_callbacks(struct shell *s)
{
    return (struct state_shell){.committed = shell_committed, .snapshot = snapshot, .arg = s};
}

static void put_rules_in_force(void *arg)
{
    rule_driver_begin(((struct shell *)arg)->driver);
}

/* What is shown from the start on has what there was. */
static void take_rules_back(void *arg)
{
    pool_settle(((struct shell *)arg)->parts.pool);
}

bool shell_start(struct shell *s, struct state_backend *backend, size_t *unreadable, struct err *e)
{
    struct state_reader reader = state_reader_of(backend);

    s->backend = backend;
    if (!engine_restore(s->engine, &reader, s->parts.clock->now, &s->fx, unreadable, e))
        return false;
    if (!rule_driver_restore(s->driver, &reader, s->engine->down_at, &s->fx.commit, e))
        return false;
    if (s->parts.restore != NULL && !s->parts.restore(s->parts.arg, &reader, e))
        return false;
    turn(s, put_rules_in_force, s);
    turn(s, take_rules_back, s);
    return true;
}

void shell_keep_backend(struct shell *s)
{
    s->backend = NULL;
}

void shell_free(struct shell *s)
{
    struct config *conf;

    if (s == NULL)
        return;
    slices_drop(&s->slices);
    timer_cancel(s->parts.clock, &s->wake);
    timer_cancel(s->parts.clock, &s->stall);
    s->parts.clock->jumped = NULL;
    rule_driver_free(s->driver);
    notify_free(s->notify);
    if (s->backend != NULL)
        state_backend_free(s->backend);
    conf = config_of(s->engine->conf);
    engine_free(s->engine);
    config_unref(conf);
    VEC_EACH (const struct core_conf **, c, &s->fx.retire)
        config_unref(config_of(*c));
    effects_release(&s->fx);
    compaction_release(&s->compaction);
    arena_release(&s->room);
    vec_release(&s->rows);
    vec_release(&s->sending);
    vec_release(&s->starting);
    VEC_EACH (const struct core_conf **, c, &s->retiring)
        config_unref(config_of(*c));
    vec_release(&s->retiring);
    vec_release(&s->waiting);
    vec_release(&s->reports);
    vec_release(&s->commits);
    mem_str_free(s->external_url);
    mem_free(s);
}

struct engine *shell_engine(struct shell *s)
{
    return s->engine;
}

struct clock *shell_clock(struct shell *s)
{
    return s->parts.clock;
}

struct slices *shell_slices(struct shell *s)
{
    return &s->slices;
}

struct state_backend *shell_backend(struct shell *s)
{
    return s->backend;
}

struct notify *shell_notify(struct shell *s)
{
    return s->notify;
}

bool shell_is_degraded(const struct shell *s)
{
    return s->degraded || s->stalled;
}

struct damage {
    struct shell *s;
    str state, why;
};

static void raise_damage(void *arg)
{
    const struct damage *d = arg;
    struct event ev = {.kind = EVENT_BUILTIN,
                       .builtin = {.kind = BUILTIN_STORE_DAMAGED,
                                   .raised = true,
                                   .subject = d->state,
                                   .why = d->why,
                                   .lasts = DAMAGE_TOLD_H * NS_PER_H}};

    shell_event(d->s, &ev, NULL);
}

void shell_tell_damage(struct shell *s, str state, str why)
{
    struct damage d = {s, state, why};

    log_error("stored state is damaged", LOG_STR("state", state), LOG_STR("err", why));
    s->damaged++;
    if (s->in_turn)
        raise_damage(&d);
    else
        turn(s, raise_damage, &d);
}

uint64_t shell_damaged(const struct shell *s)
{
    return s->damaged;
}

static const enum piece piece_of_event[] = {
    [EVENT_TIMER] = PIECE_DUE,           [EVENT_ALERTS] = PIECE_ALERTS,
    [EVENT_SILENCE_PUT] = PIECE_SILENCE, [EVENT_SILENCE_EXPIRE] = PIECE_SILENCE,
    [EVENT_ATTEMPT] = PIECE_ATTEMPT,     [EVENT_DELIVERED] = PIECE_DELIVERED,
    [EVENT_RECEIPTS] = PIECE_DELIVERED,  [EVENT_RULE_GROUPS] = PIECE_RULE_GROUPS,
    [EVENT_RULES_RAN] = PIECE_RULES_RAN, [EVENT_AHEAD] = PIECE_AHEAD,
    [EVENT_CONFIG] = PIECE_CONFIG,       [EVENT_CLOCK_STEPPED] = PIECE_CLOCK,
    [EVENT_PAUSED] = PIECE_CLOCK,        [EVENT_BUILTIN] = PIECE_BUILTIN,
    [EVENT_RELAY] = PIECE_ALERTS,        [EVENT_STOPS] = PIECE_GC,
};

static enum piece piece_of(const struct event *ev)
{
    static const struct {
        const char *part;
        enum piece piece;
    } due[] = {{"rules", PIECE_DUE_RULES},
               {"groups", PIECE_DUE_GROUPS},
               {"outbox", PIECE_DUE_OUTBOX},
               {"alerts", PIECE_GC},
               {"gc", PIECE_GC}};

    for (size_t i = 0; ev->kind == EVENT_TIMER && i < ARRAY_LEN(due); i++)
        if (strcmp(due[i].part, ev->part->name) == 0)
            return due[i].piece;
    return piece_of_event[ev->kind];
}

void shell_event(struct shell *s, struct event *ev, struct event_result *result)
{
    enum piece was;

    BUG_ON(!s->in_turn);
    was = meter_enter(s->parts.clock->meter, piece_of(ev));
    engine_step(s->engine, ev, clock_touch(s->parts.clock), &s->fx, result);
    s->has_stepped = true;
    if (ev->kind == EVENT_CONFIG)
        rule_driver_configure(s->driver, config_of(s->engine->conf), ev->ahead);
    meter_leave(s->parts.clock->meter, was);
}

/* -- sending -- */

/* What is sent may be another in its place; NULL: nothing. */
static const struct outbox_row *shell_ask(struct shell *s, const struct outbox_row *row)
{
    struct event ev = {.kind = EVENT_ATTEMPT, .attempt = row->key};
    struct event_result r = {.row = row};

    /* mostly there is nothing to ask, and then it is no step */
    if (!audience_is_settled(s->engine, row, s->parts.clock->now.mono))
        shell_event(s, &ev, &r);
    return r.row;
}

static void shell_add_row(struct shell *s, const struct outbox_row *row)
{
    row = shell_ask(s, row);
    if (row != NULL)
        vec_push(&s->rows, row);
}

/* A row's turn has come, and that of those that go with it. */
static void shell_send(struct shell *s, const struct outbox_row *row)
{
    struct outbox_slot **slot = outbox_map_get(&s->engine->outbox, row->key);
    struct outbox_slot *rider = slot != NULL ? (*slot)->rider : NULL;

    vec_clear(&s->rows);
    shell_add_row(s, row);
    for (struct outbox_slot *next; rider != NULL; rider = next) {
        next = rider->rider; /* who is withdrawn is gone */
        shell_add_row(s, rider->row);
    }
    if (s->rows.n != 0)
        notify_send(s->notify, s->rows.v, s->rows.n);
}

/* Of a row that had to wait for a place the commit is mostly on disk. What this turn has still to commit is not. */
static bool is_written(const struct shell *s, const struct outbox_row *row)
{
    return row->written <= s->written ||
           (s->reported == s->handed && row->written <= s->engine->turns);
}

/* A place has become free: a row that waited for it goes at once, and with it the connection stays busy. */
static void send_written(struct shell *s)
{
    size_t left = 0;

    for (size_t i = 0; i < s->fx.deliver.n; i++) {
        const struct outbox_row *row = s->fx.deliver.v[i];

        if (is_written(s, row))
            shell_send(s, row);
        else
            s->fx.deliver.v[left++] = row;
    }
    s->fx.deliver.n = left;
}

/* -- waiting for commits -- */

static void shell_let_go(struct shell *s, const struct shell_waiting *w, bool ok,
                         const struct err *e)
{
    if (w->row != NULL)
        shell_send(s, w->row); /* decided is sent, whatever became of the disk */
    else if (w->done != NULL)
        w->done(w->arg, ok, e);
}

static void release_until(struct shell *s, uint64_t n, bool ok, const struct err *e)
{
    while (s->first_waiting < s->waiting.n && s->waiting.v[s->first_waiting].n <= n) {
        struct shell_waiting w = s->waiting.v[s->first_waiting++];

        shell_let_go(s, &w, ok, e);
    }
    if (s->first_waiting == s->waiting.n) {
        vec_clear(&s->waiting);
        s->first_waiting = 0;
    }
}

static void add_waiting(struct shell *s, struct shell_waiting w)
{
    vec_push(&s->waiting, w);
}

static void shell_set_degraded(struct shell *s, bool on, str why)
{
    struct event ev = {
        .kind = EVENT_BUILTIN,
        .builtin = {.kind = BUILTIN_STORE_DEGRADED, .raised = on, .subject = STR_NONE, .why = why}};

    if (on)
        log_error("the store is degraded: notifications go out from memory", LOG_STR("err", why));
    else
        log_info("the store is back");
    shell_event(s, &ev, NULL);
}

static void live_shell_report(struct shell *s, uint64_t n, bool ok, const struct err *why)
{
    struct shell_report r = {.n = n, .ok = ok};

    if (!ok)
        r.why = *why;
    vec_push(&s->reports, r);
}

static void shell_committed(void *arg, uint64_t n, bool ok, const struct err *e)
{
    struct shell *s = arg;
    bool was = shell_is_degraded(s);

    s->reported = n;
    while (s->commits.n != 0 && s->commits.v[0].n <= n) {
        s->written = s->commits.v[0].turn;
        vec_remove(&s->commits, 0);
    }
    s->oldest_handed = s->parts.clock->now.mono;
    s->degraded = !ok;
    s->stalled = false;
    if (!ok) {
        s->degraded_why = *e;
        compaction_stop(&s->compaction);
    }
    if (shell_is_degraded(s) != was)
        shell_set_degraded(s, !ok, ok ? STR_NONE : str_of(e->msg));
    live_shell_report(s, n, ok, e);
}

/* The writer has said nothing for five seconds: nobody waits for it any longer. */
static void stalled(struct timer *t, struct now now)
{
    struct shell *s = container_of(t, struct shell, stall);

    if (s->reported == s->handed)
        return;
    if (now.mono - s->oldest_handed < STALL_S * NS_PER_S) {
        timer_arm(s->parts.clock, t, ts_add(s->oldest_handed, STALL_S * NS_PER_S));
        return;
    }
    if (!shell_is_degraded(s)) {
        s->stalled = true;
        err_set(&s->degraded_why, ERR_TIMEOUT, "the store has not answered for %d s", STALL_S);
        shell_set_degraded(s, true, str_of(s->degraded_why.msg));
    }
    live_shell_report(s, s->handed, false, &s->degraded_why);
}

void shell_release(struct shell *s)
{
    VEC_EACH (const struct shell_report *, r, &s->reports)
        release_until(s, r->n, r->ok, &r->why);
    vec_clear(&s->reports);
}

void shell_after_commit(struct shell *s, void (*done)(void *arg, bool ok, const struct err *e),
                        void *arg)
{
    bool dirty = !state_commit_is_empty(&s->fx.commit);

    /* First: what changes nothing may speak of what is not on the disk. */
    if (shell_is_degraded(s)) {
        done(arg, false, &s->degraded_why);
        return;
    }
    if (!dirty && s->reported == s->handed) {
        done(arg, true, NULL);
        return;
    }
    s->fx.commit.is_awaited = dirty;
    add_waiting(s, (struct shell_waiting){.n = s->handed + dirty, .done = done, .arg = arg});
}

void shell_put_row(struct shell *s, enum state_table t, str key, str body)
{
    state_put(&s->fx.commit, t, key, body);
    s->has_stepped = true; /* a turn that is past its commit makes another one */
}

void shell_delete_row(struct shell *s, enum state_table t, str key)
{
    state_delete(&s->fx.commit, t, key);
    s->has_stepped = true;
}

static void await(struct shell *s, uint64_t n)
{
    if (s->reported == s->handed)
        s->oldest_handed = s->parts.clock->now.mono;
    BUG_ON(n != s->handed + 1);
    s->handed = n;
    timer_arm(s->parts.clock, &s->stall, ts_add(s->oldest_handed, STALL_S * NS_PER_S));
}

void shell_commit(struct shell *s)
{
    size_t usual = s->fx.commit.ops.n;

    if (state_commit_is_empty(&s->fx.commit))
        return;
    await(s, s->backend->ops->commit(s->backend->self, &s->fx.commit));
    buf_reserve(&s->fx.commit.ops, usual < COMMIT_USUAL ? usual : COMMIT_USUAL);
    vec_push(&s->commits, (struct shell_commit){s->engine->turns, s->handed});
}

void shell_compact(struct shell *s)
{
    uint64_t n = shell_is_degraded(s)
                     ? 0
                     : compaction_step(&s->compaction, s->engine, s->backend, s->reported);

    if (n != 0)
        await(s, n);
}

struct retirement {
    struct job job;
    struct config *conf;
};

static void shell_give_up(struct job *j)
{
    config_unref(container_of(j, struct retirement, job)->conf);
}

static void gave_up(struct job *j)
{
    mem_free(container_of(j, struct retirement, job));
}

/* On a worker: a large one is many pieces. */
static void retire_configs(struct shell *s)
{
    VEC_EACH (const struct core_conf **, c, &s->retiring) {
        struct retirement *r = mem_new(struct retirement);

        r->job = (struct job){.run = shell_give_up, .done = gave_up};
        r->conf = config_of(*c);
        pool_run(s->parts.pool, WORK_SLOW, &r->job);
    }
    vec_clear(&s->retiring);
}

void shell_record(struct shell *s)
{
    for (size_t i = 0; s->parts.decided != NULL && i < s->fx.decisions.n; i++)
        s->parts.decided(s->parts.arg, &s->fx.decisions.v[i]);
    if (s->parts.forward != NULL && s->fx.forward.n != 0)
        s->parts.forward(s->parts.arg, s->fx.forward.v, s->fx.forward.n);
    if (s->parts.happened != NULL && s->fx.happenings.n != 0)
        s->parts.happened(s->parts.arg, s->fx.happenings.v, s->fx.happenings.n);
    engine_journal(s->engine, s->parts.clock->now, &s->fx);
    vec_swap(&s->fx.deliver, &s->sending);
    vec_swap(&s->fx.rules, &s->starting);
    vec_swap(&s->fx.retire, &s->retiring);
    effects_clear(&s->fx);
}

static void send_rows(struct shell *s)
{
    bool degraded = shell_is_degraded(s);

    VEC_EACH (const struct outbox_row **, row, &s->sending) {
        if (degraded || is_written(s, *row))
            shell_send(s, *row);
        else
            add_waiting(s, (struct shell_waiting){.n = s->handed, .row = *row});
    }
    vec_clear(&s->sending);
}

void shell_carry_out(struct shell *s)
{
    send_rows(s);
    VEC_EACH (const struct effect_rules *, r, &s->starting)
        rule_driver_order(s->driver, r);
    vec_clear(&s->starting);
    retire_configs(s);
}

void shell_run_due(struct shell *s)
{
    ts_ns now = s->parts.clock->now.mono;

    if (engine_next(s->engine) > now)
        return;
    CORE_PARTS_EACH(p)
    if (p->due != NULL && p->due(s->engine) <= now) {
        struct event ev = {.kind = EVENT_TIMER, .part = p};

        shell_event(s, &ev, NULL);
    }
}

/* Only wakes the loop. */
static void shell_wake(struct timer *t, struct now now)
{
    (void)t;
    (void)now;
}

void shell_set_alarm(struct shell *s, bool at_once)
{
    struct clock *c = s->parts.clock;

    timer_arm(c, &s->wake, at_once ? c->now.mono : engine_next(s->engine));
}

/* The pause first: what it gives back is measured by the time without it. */
static void tell_jump(struct shell *s, const struct clock_jump *j)
{
    if (j->paused != 0) {
        struct event ev = {.kind = EVENT_PAUSED, .paused = j->paused};

        log_warn("nothing ran for a while", LOG_F64("seconds", (double)j->paused / NS_PER_S));
        shell_event(s, &ev, NULL);
    }
    if (j->wall_step != 0) {
        struct event ev = {.kind = EVENT_CLOCK_STEPPED, .wall_step = j->wall_step};

        log_warn("the wall clock stepped", LOG_F64("seconds", (double)j->wall_step / NS_PER_S));
        shell_event(s, &ev, NULL);
    }
    if (s->parts.jumped != NULL)
        s->parts.jumped(s->parts.arg, j);
}

static void shell_jumped(void *arg, const struct clock_jump *j)
{
    struct shell *s = arg;

    if (s->in_turn) {
        tell_jump(s, j);
        return;
    }
    s->missed.wall_step += j->wall_step;
    s->missed.paused += j->paused;
}

void shell_tell_missed_jump(struct shell *s)
{
    struct clock_jump j = s->missed;

    s->missed = (struct clock_jump){0};
    if (j.wall_step != 0 || j.paused != 0)
        tell_jump(s, &j);
}

struct rule_driver *shell_rules(struct shell *s)
{
    return s->driver;
}

size_t shell_sources(const struct shell *s, const struct source *const **out)
{
    return rule_driver_sources(s->driver, out);
}

bool shell_is_well(const struct shell *s, str *why)
{
    if (shell_is_degraded(s)) {
        *why = str_of(s->degraded_why.msg);
        return false;
    }
    if (s->reported != s->handed &&
        s->parts.clock->now.mono - s->oldest_handed > STALL_S * NS_PER_S) {
        *why = S("the store does not answer");
        return false;
    }
    return rule_driver_is_on_time(s->driver, why);
}
