/* Around an instance stand a clock, a pool, a network and a disk that take drawn times; a life begins and ends as
 * serve's does; time moves from one thing that is due to the next, and turns are made by who arrives. */
#include "stage/stage.h"

#include "live/slices.h"
#include "live/turn.h"
#include "os/role.h"

enum { THREADS = 2 };

void stage_init(struct stage *st, uint64_t seed, struct now start)
{
    *st = (struct stage){.seed = seed, .random = rand_of(seed), .now = start};
}

void stage_release(struct stage *st)
{
    VEC_EACH (struct stage_instance *const *, i, &st->all) {
        BUG_ON((*i)->shell != NULL);
        state_backend_free((*i)->disk);
    }
    vec_release(&st->all);
}

void stage_add(struct stage *st, struct stage_instance *i, const struct stage_life *life)
{
    *i = (struct stage_instance){
        .stage = st, .life = *life, .seed = st->seed + ((uint64_t)st->all.n << 32)};
    i->disk = state_memory_new(&(struct state_shell){0});
    vec_push(&st->all, i);
}

dur_ns stage_draw(struct stage *st, dur_ns most)
{
    return most == 0 ? 0 : (dur_ns)rand_below(&st->random, (uint64_t)most + 1);
}

bool stage_chance(struct stage *st, unsigned percent)
{
    return rand_below(&st->random, 100) < percent;
}

/* -- what is around an instance -- */

static struct job_pace pace(void *arg)
{
    struct stage_instance *i = arg;
    struct job_pace p = {.takes = stage_draw(i->stage, i->pace.jobs)};

    p.runs_first = i->pace.jobs != 0 && stage_chance(i->stage, 50);
    return p;
}

static struct scripted_answer stage_serve(void *arg, const struct scripted_request *rq)
{
    struct stage_instance *i = arg;
    struct scripted_answer a;

    if (i->is_cut)
        return (struct scripted_answer){.never = true};
    a = i->life.serve(i->life.arg, i, rq);
    a.delay += stage_draw(i->stage, i->pace.answers);
    return a;
}

static void decided(void *arg, const struct decision *d)
{
    struct stage_instance *i = arg;

    if (!i->is_cut && i->life.decided != NULL)
        i->life.decided(i->life.arg, d);
}

static bool stage_shown(void *arg, const struct notify_shown *x)
{
    const struct stage_instance *i = arg;

    return i->life.shown(i->life.arg, x);
}

static void send_on(void *arg, const struct alert_input *v, size_t n)
{
    forward_alerts(((struct stage_instance *)arg)->forward, v, n);
}

static void stage_jumped(void *arg, const struct clock_jump *j)
{
    struct stage_instance *i = arg;

    if (i->store != NULL)
        store_jumped(i->store, j);
}

/* -- the disk: what is handed over while it writes waits for the next time, and is written in one -- */

static void write_next(struct stage_instance *i)
{
    if (timer_is_armed(&i->report) || state_memory_queued(i->disk) == 0)
        return;
    i->reporting = state_memory_queued(i->disk);
    timer_arm(&i->outside, &i->report,
              ts_add(i->stage->now.mono, stage_draw(i->stage, i->pace.commits)));
}

static void stage_report(struct timer *t, struct now now)
{
    struct stage_instance *i = container_of(t, struct stage_instance, report);

    (void)now;
    state_memory_report(i->disk, i->reporting);
    write_next(i);
}

void stage_set_disk(struct stage_instance *i, enum stage_disk d)
{
    state_memory_fail(i->disk, d == STAGE_DISK_FAILS);
    state_memory_fail_late(i->disk, d == STAGE_DISK_FAILS_LATE);
    if (d == STAGE_DISK_WORKS) /* what was not written is written anew */
        timer_arm(&i->outside, &i->report, i->stage->now.mono);
}

/* -- a life -- */

struct now stage_now(const struct stage_instance *i)
{
    return (struct now){.wall = ts_add(i->stage->now.wall, i->wall), .mono = i->stage->now.mono};
}

static void begin_parts(struct stage_instance *i, const struct config *conf)
{
    clock_init_stepped(&i->clock, stage_now(i));
    clock_expire(&i->clock);
    clock_init_stepped(&i->outside, stage_now(i));
    i->report.fire = stage_report;
    i->is_cut = false;
    i->pool =
        pool_new_stepped(&i->outside, i->life.threads != 0 ? i->life.threads : THREADS, pace, i);
    i->net = scripted_new(&i->clock, stage_serve, i);
    scripted_arrive_by(i->net, &i->outside);
    i->forward = forward_new(scripted_transport(i->net), &i->clock, i->life.host);
    if (i->life.folder.n != 0)
        i->store = store_new(&(struct store_parts){.clock = &i->clock,
                                                   .pool = i->pool,
                                                   .host = i->life.host,
                                                   .transport = scripted_transport(i->net)},
                             conf);
}

/* A work of thirty pieces should not take minutes. */
static dur_ns pause_of(void *arg)
{
    struct stage_instance *i = arg;
    dur_ns most = NS_PER_S / 5;

    return stage_draw(i->stage, i->pace.jobs < most ? i->pace.jobs : most);
}

void stage_begin(struct stage_instance *i, struct config *conf)
{
    struct shell_parts parts = {.clock = &i->clock,
                                .conf = conf,
                                .retention = 120 * NS_PER_H,
                                .start_delay = i->life.start_delay,
                                .external_url = i->life.external_url.n != 0 ? i->life.external_url
                                                                            : S("http://tocsin"),
                                .decided = decided,
                                .shadow = i->life.shown != NULL,
                                .shown = i->life.shown != NULL ? stage_shown : NULL,
                                .forward = send_on,
                                .jumped = stage_jumped,
                                .slice = i->life.slice,
                                .pause = pause_of,
                                .arg = i};
    struct state_shell callbacks;
    struct err e = ERR_INIT;
    size_t unreadable = 0;

    begin_parts(i, conf);
    parts.pool = i->pool;
    parts.transport = scripted_transport(i->net);
    parts.db = i->store != NULL ? store_db(i->store) : NULL;
    parts.seed = ++i->seed;
    i->shell = shell_new(&parts);
    callbacks = shell_state_callbacks(i->shell);
    state_memory_attach(i->disk, &callbacks);
    BUG_ON(!shell_start(i->shell, i->disk, &unreadable, &e) || unreadable != 0);
    if (i->store != NULL)
        store_start(i->store, shell_engine(i->shell), i->life.folder, conf);
    i->heartbeat = heartbeat_new(i->shell, scripted_transport(i->net), &i->clock);
    i->parts = (struct configure){i->shell, i->heartbeat, i->store, i->forward, NULL};
    configure_begin(&i->parts, conf);
    write_next(i);
}

static void stage_leave(void *arg)
{
    struct stage_instance *i = arg;

    VEC_EACH (struct config *const *, c, &i->reloads)
        config_unref(*c);
    vec_clear(&i->reloads);
}

/* As serve does it. What is under way on the disk is written before the stop is over. */
static void stop(struct stage_instance *i)
{
    turn_stop(i->shell, stage_leave, i);
    store_stop(i->store);
    heartbeat_free(i->heartbeat);
    shell_keep_backend(i->shell);
    shell_free(i->shell);
    forward_free(i->forward);
    configure_release(&i->parts);
    store_free(i->store);
    pool_free(i->pool);
    scripted_free(i->net);
    vec_release(&i->reloads);
    timer_cancel(&i->outside, &i->report);
    BUG_ON(i->clock.timers.n != 0 || i->outside.timers.n != 0); /* somebody has left one behind */
    clock_release(&i->clock);
    clock_release(&i->outside);
    i->shell = NULL;
    i->store = NULL;
}

static void stage_stage_end(struct stage_instance *i, size_t written, bool is_cut)
{
    struct state_backend *left = NULL;

    i->is_cut = is_cut;
    if (is_cut)
        left = state_memory_cut(i->disk, written);
    stop(i);
    if (!is_cut)
        left = state_memory_cut(i->disk, 0);
    state_backend_free(i->disk);
    i->disk = left;
}

void stage_end(struct stage_instance *i)
{
    stage_stage_end(i, 0, false);
}

void stage_cut(struct stage_instance *i)
{
    stage_stage_end(i, (size_t)stage_draw(i->stage, (dur_ns)state_memory_queued(i->disk)), true);
}

/* -- time -- */

struct arrival {
    struct stage_instance *i;
    void (*happens)(void *arg); /* NULL: nothing from outside */
    void *arg;
};

static void arrive(void *arg)
{
    struct arrival *a = arg;

    if (a->happens != NULL)
        a->happens(a->arg);
    a->happens = NULL;
    clock_run_due(&a->i->outside);
}

void stage_turn(struct stage_instance *i, void (*happens)(void *arg), void *arg)
{
    struct arrival a = {i, happens, arg};
    ts_ns now = i->stage->now.mono;

    do {
        turn(i->shell, arrive, &a);
        clock_expire(&i->clock);
        write_next(i);
    } while (clock_next(&i->clock) <= now || clock_next(&i->outside) <= now);
}

ts_ns stage_next(const struct stage *st)
{
    ts_ns next = TS_MAX;

    VEC_EACH (struct stage_instance *const *, i, &st->all) {
        ts_ns own = (*i)->shell != NULL ? clock_next(&(*i)->clock) : TS_MAX;
        ts_ns outside = (*i)->shell != NULL ? clock_next(&(*i)->outside) : TS_MAX;

        next = own < next ? own : next;
        next = outside < next ? outside : next;
    }
    return next;
}

static void set_clocks(struct stage_instance *i)
{
    if (i->shell == NULL)
        return;
    i->outside.now = stage_now(i);
    clock_let_read(&i->clock, stage_now(i));
}

void stage_move(struct stage *st, ts_ns mono)
{
    if (mono <= st->now.mono)
        return;
    st->now.wall = ts_add(st->now.wall, mono - st->now.mono);
    st->now.mono = mono;
    VEC_EACH (struct stage_instance *const *, i, &st->all)
        set_clocks(*i);
}

void stage_step_wall(struct stage_instance *i, dur_ns by)
{
    i->wall = ts_add(i->wall, by);
    set_clocks(i);
}

/* -- what an operator does -- */

struct stage_reload {
    struct job job;
    struct stage_instance *of;
    struct config *running, *next; /* a reference each */
    struct rules_ahead *ahead;
    struct slice slice;
};

static void stage_put_in_force(struct stage_instance *i, struct config *conf,
                               struct rules_ahead *ahead)
{
    struct diags d;

    diags_init(&d);
    if (configure_check(&i->parts, conf, false, &d)) {
        configure_put(&i->parts, conf, ahead);
    } else {
        configure_prepare(&i->parts, NULL);
        config_unref(conf);
        rules_ahead_discard(i->pool, ahead);
    }
    diags_release(&d);
}

/* What a worker would make, here. */
static struct rules_ahead *make_at_once(struct stage_instance *i, const struct config *conf)
{
    enum role was = role_set(ROLE_WORKER);
    struct rules_ahead *ahead = rules_ahead_new(config_of(shell_engine(i->shell)->conf), conf,
                                                i->store != NULL ? store_db(i->store) : NULL);

    role_set(was);
    return ahead;
}

void stage_reload_at_once(struct stage_instance *i, struct config *conf)
{
    if (i->reload != NULL) /* it was made for what runs */
        vec_push(&i->reloads, conf);
    else
        stage_put_in_force(i, conf, make_at_once(i, conf));
}

static void make_ready(struct job *j)
{
    struct stage_reload *r = container_of(j, struct stage_reload, job);

    r->ahead =
        rules_ahead_new(r->running, r->next, r->of->store != NULL ? store_db(r->of->store) : NULL);
}

static void read_next(struct stage_instance *i);

static bool stage_prepare(struct slice *x)
{
    struct stage_reload *r = container_of(x, struct stage_reload, slice);
    struct stage_instance *i = r->of;

    if (configure_prepare(&i->parts, r->next))
        return true;
    i->reload = NULL;
    stage_put_in_force(i, r->next, r->ahead);
    config_unref(r->running);
    mem_free(r);
    read_next(i);
    return false;
}

static void made_ready(struct job *j)
{
    struct stage_reload *r = container_of(j, struct stage_reload, job);
    struct stage_instance *i = r->of;

    r->slice = (struct slice){.step = stage_prepare};
    if (stage_prepare(&r->slice))
        slices_add(shell_slices(i->shell), &r->slice);
}

static void read_next(struct stage_instance *i)
{
    struct stage_reload *r;

    if (i->reload != NULL || i->reloads.n == 0)
        return;
    r = i->reload = mem_new(struct stage_reload);
    r->job = (struct job){.run = make_ready, .done = made_ready};
    r->of = i;
    r->running = config_ref(config_of(shell_engine(i->shell)->conf));
    r->next = i->reloads.v[0];
    vec_remove(&i->reloads, 0);
    pool_run(i->pool, WORK_RULE, &r->job);
}

void stage_reload(struct stage_instance *i, struct config *conf)
{
    vec_push(&i->reloads, conf);
    read_next(i);
}
