#include "unit.h"

#include <sched.h>
#include <stdatomic.h>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <signal.h>
#include <unistd.h>
#include "base/buf.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/pool.h"
#include "os/signals.h"

static struct buf trace;

struct named {
    struct timer timer;
    char name;
    struct clock *clock;
    struct named *cancels, *rearms;
    dur_ns again; /* re-arms itself this much later, while left > 0 */
    int left;
};

static void fire(struct timer *t, struct now now)
{
    struct named *n = container_of(t, struct named, timer);

    buf_addf(&trace, "%c%lld ", n->name, (long long)(now.mono / NS_PER_S));
    if (n->cancels != NULL)
        timer_cancel(n->clock, &n->cancels->timer);
    if (n->rearms != NULL)
        timer_arm(n->clock, &n->rearms->timer, now.mono + NS_PER_S);
    if (n->left-- > 0)
        timer_arm(n->clock, t, now.mono + n->again);
}

static void setup(struct clock *c, struct named *v, size_t n)
{
    clock_init_stepped(c, (struct now){.wall = 1000 * NS_PER_S, .mono = 0});
    memset(v, 0, n * sizeof(*v));
    for (size_t i = 0; i < n; i++) {
        v[i].timer.fire = fire;
        v[i].name = (char)('a' + i);
        v[i].clock = c;
    }
    buf_clear(&trace);
}

static void equal_deadlines_fire_in_arming_order(void **state)
{
    struct clock c;
    struct named v[4];

    (void)state;
    setup(&c, v, 4);
    timer_arm(&c, &v[2].timer, 5 * NS_PER_S);
    timer_arm(&c, &v[0].timer, 5 * NS_PER_S);
    timer_arm(&c, &v[3].timer, 1 * NS_PER_S);
    timer_arm(&c, &v[1].timer, 5 * NS_PER_S);
    timer_arm(&c, &v[2].timer, 5 * NS_PER_S); /* moved behind the others */
    assert_int_equal(clock_next(&c), NS_PER_S);
    clock_step_to(&c, 10 * NS_PER_S);
    assert_str(buf_str(&trace), "d1 a5 b5 c5 ");
    assert_int_equal(c.now.mono, 10 * NS_PER_S);
    assert_int_equal(c.now.wall, 1010 * NS_PER_S);
    assert_int_equal(clock_next(&c), TS_MAX);
    clock_release(&c);
}

static void cancel_and_rearm_inside_fire(void **state)
{
    struct clock c;
    struct named v[4];

    (void)state;
    setup(&c, v, 4);
    v[0].cancels = &v[1];
    v[0].rearms = &v[2];
    v[3].again = 0;
    v[3].left = 2;
    for (int i = 0; i < 4; i++)
        timer_arm(&c, &v[i].timer, NS_PER_S);
    clock_step_to(&c, NS_PER_S);
    assert_str(buf_str(&trace), "a1 d1 d1 d1 "); /* c moved to 2 s */
    assert_false(timer_is_armed(&v[1].timer));
    clock_step_to(&c, 3 * NS_PER_S);
    assert_str(buf_str(&trace), "a1 d1 d1 d1 c2 ");
    clock_release(&c);
}

/* What re-arms itself for a time that has passed must not starve the others nor spin. */
static void past_times_mean_now_behind_the_others(void **state)
{
    struct clock c;
    struct named v[2];

    (void)state;
    setup(&c, v, 2);
    clock_set(&c, (struct now){.wall = 1010 * NS_PER_S, .mono = 10 * NS_PER_S});
    v[0].again = -5 * NS_PER_S;
    v[0].left = 1;
    timer_arm(&c, &v[0].timer, 1 * NS_PER_S);
    timer_arm(&c, &v[1].timer, 10 * NS_PER_S);
    assert_int_equal(clock_run_due(&c), 2);
    assert_str(buf_str(&trace), "a10 b10 ");
    assert_int_equal(clock_run_due(&c), 1);
    assert_int_equal(clock_run_due(&c), 0);
    clock_release(&c);
}

static void note_jump(void *arg, const struct clock_jump *j)
{
    (void)arg;
    buf_addf(&trace, "[%+lld/%lld]", (long long)(j->wall_step / NS_PER_S),
             (long long)(j->paused / NS_PER_S));
}

static void wall_steps_are_told_and_timers_stay(void **state)
{
    struct clock c;
    struct named v[1];

    (void)state;
    setup(&c, v, 1);
    c.jumped = note_jump;
    timer_arm(&c, &v[0].timer, 60 * NS_PER_S);
    clock_step_wall(&c, NS_PER_H);
    clock_step_to(&c, 59 * NS_PER_S);
    clock_step_wall(&c, -NS_PER_H);
    clock_step_to(&c, 60 * NS_PER_S);
    assert_int_equal(c.now.wall, 1060 * NS_PER_S);
    clock_step_wall(&c, NS_PER_S / 2); /* slewing is no step */
    assert_str(buf_str(&trace), "[+3600/0][-3600/0]a60 ");
    clock_release(&c);
}

/* What waits has not been late before the pause is known. */
static void pauses_are_told_before_anything_fires(void **state)
{
    struct clock c;
    struct named v[2];

    (void)state;
    setup(&c, v, 2);
    c.jumped = note_jump;
    clock_step_pause(&c, NS_PER_H); /* nothing was due */
    assert_int_equal(trace.n, 0);
    timer_arm(&c, &v[0].timer, c.now.mono + 5 * NS_PER_S);
    timer_arm(&c, &v[1].timer, c.now.mono + 7 * NS_PER_S);
    clock_step_pause(&c, 6 * NS_PER_S); /* late by a second: the loop was busy */
    assert_int_equal(trace.n, 0);
    clock_step_pause(&c, 20 * NS_PER_S); /* of which the first was due from the beginning */
    assert_str(buf_str(&trace), "[+0/20]");
    assert_int_equal(clock_run_due(&c), 2);
    timer_arm(&c, &v[0].timer, c.now.mono + 5 * NS_PER_S);
    buf_clear(&trace);
    clock_step_pause(&c, 20 * NS_PER_S);
    assert_str(buf_str(&trace), "[+0/15]");
    clock_release(&c);
}

static void real_clock_moves(void **state)
{
    struct clock c;
    struct now a, b;

    (void)state;
    clock_init(&c);
    a = clock_update(&c);
    usleep(2000);
    b = clock_touch(&c);
    assert_true(b.mono - a.mono >= 2 * NS_PER_MS);
    clock_expire(&c);
    a = clock_touch(&c);
    usleep(1000);
    assert_int_equal(clock_touch(&c).mono, a.mono); /* one turn, one time */
    clock_release(&c);
}

/* -- pool -- */

struct square {
    struct job job;
    long in, out;
    size_t *finished;
    struct pool *again;
    struct loop *loop;
};

static void square_run(struct job *j)
{
    struct square *s = container_of(j, struct square, job);

    s->out = s->in * s->in;
}

static void square_done(struct job *j)
{
    struct square *s = container_of(j, struct square, job);

    (*s->finished)++;
    if (s->again != NULL) {
        struct pool *p = s->again;

        s->again = NULL;
        pool_run(p, WORK_RULE, j);
    }
    if (s->loop != NULL && *s->finished == 64)
        loop_stop(s->loop);
}

static void pool_brings_results_to_the_loop(void **state)
{
    struct square v[64] = {0};
    size_t finished = 0;
    struct clock c;
    struct loop *l;
    struct pool *p;

    (void)state;
    clock_init(&c);
    l = loop_new(&c);
    p = pool_new(loop_base(l), 3);
    for (long i = 0; i < 64; i++) {
        v[i] =
            (struct square){.job = {square_run, square_done, NULL}, .in = i, .finished = &finished};
        v[i].loop = l;
        pool_run(p, WORK_RULE, &v[i].job);
    }
    loop_run(l);
    assert_int_equal(finished, 64);
    for (long i = 0; i < 64; i++)
        assert_int_equal(v[i].out, i * i);
    pool_free(p);
    loop_free(l);
    clock_release(&c);
}

static void pool_free_runs_what_is_queued(void **state)
{
    struct event_base *base = event_base_new();
    struct square v[8] = {0};
    size_t finished = 0;
    struct pool *p = pool_new(base, 2);

    (void)state;
    for (long i = 0; i < 8; i++) {
        v[i] =
            (struct square){.job = {square_run, square_done, NULL}, .in = i, .finished = &finished};
        v[i].again = i == 0 ? p : NULL;
        pool_run(p, WORK_RULE, &v[i].job);
    }
    pool_free(p);
    assert_int_equal(finished, 9);
    event_base_free(base);
}

struct gate {
    struct job job;
    atomic_bool entered, open;
};

static void gate_run(struct job *j)
{
    struct gate *g = container_of(j, struct gate, job);

    atomic_store(&g->entered, true);
    while (!atomic_load(&g->open))
        sched_yield();
}

static void gate_done(struct job *j)
{
    (void)j;
    fail_msg("%s", "a job that was taken back is done");
}

/* One that runs is waited for, one that is queued never runs, one that has run is not done. */
static void pool_takes_back(void **state)
{
    struct event_base *base = event_base_new();
    struct gate g[3] = {0};
    struct square last = {.in = 3};
    size_t finished = 0;
    struct pool *p = pool_new(base, 1);

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        g[i].job = (struct job){gate_run, gate_done, NULL};
        pool_run(p, WORK_RULE, &g[i].job);
    }
    while (!atomic_load(&g[0].entered))
        sched_yield();
    pool_take_back(p, &g[1].job);
    atomic_store(&g[0].open, true);
    pool_take_back(p, &g[0].job);
    atomic_store(&g[2].open, true);
    while (!atomic_load(&g[2].entered))
        sched_yield();
    pool_take_back(p, &g[2].job);
    assert_false(atomic_load(&g[1].entered));
    last.job = (struct job){square_run, square_done, NULL};
    last.finished = &finished;
    pool_run(p, WORK_RULE, &last.job);
    pool_free(p);
    assert_int_equal(last.out, 9);
    event_base_free(base);
    p = pool_new_inline();
    pool_run(p, WORK_RULE, &g[1].job);
    pool_take_back(p, &g[1].job);
    assert_int_equal(pool_drain(p), 0);
    pool_free(p);
}

/* -- classes -- */

/* The rule of shares.h, counted out: page 1, rule 1, query 1 of a whole of 2. */
static void shares_are_reserves(void **state)
{
    struct shares s = {.share = {[WORK_PAGE] = 1, [WORK_RULE] = 1, [WORK_QUERY] = 1}, .whole = 2};

    (void)state;
    assert_int_equal(shares_most(&s, WORK_PAGE), 1);
    assert_int_equal(shares_most(&s, WORK_RULE), 2);
    assert_int_equal(shares_most(&s, WORK_QUERY), 2);
    s.running[WORK_QUERY] = 1;
    assert_true(shares_may_start(&s, WORK_QUERY)); /* lent: nobody else is there */
    s.running[WORK_QUERY] = 2;
    assert_false(shares_may_start(&s, WORK_QUERY));
    assert_true(shares_may_start(&s, WORK_RULE)); /* its own, though all is full */
    s.running[WORK_RULE] = 1;
    assert_false(shares_may_start(&s, WORK_RULE));
    assert_true(shares_may_start(&s, WORK_PAGE));
    s.running[WORK_PAGE] = 1;
    s.running[WORK_QUERY] = s.running[WORK_RULE] = 0;
    assert_false(shares_may_start(&s, WORK_PAGE)); /* what is below is not taken */
    s.running[WORK_RULE] = 1;
    assert_false(shares_may_start(&s, WORK_RULE)); /* the whole is full */
}

/* On every number of cores each class has what it needs, and nobody's share depends on what others run. */
static void every_class_has_a_share(void **state)
{
    (void)state;
    for (unsigned cores = 1; cores <= 64; cores++) {
        struct shares s = pool_shares(cores);

        for (unsigned c = 0; c < WORK_CLASSES; c++)
            s.running[c] = 1000;
        for (unsigned c = 0; c < WORK_CLASSES; c++) {
            assert_in_range(s.share[c], 1, cores);
            s.running[c] = 0;
            assert_true(shares_may_start(&s, c));
            s.running[c] = 1000;
        }
    }
}

static void gate_closed(struct job *j)
{
    (void)j;
}

enum { GATES = 6 };

static void close_gates(struct pool *p, struct gate *g, enum work_class c)
{
    for (size_t i = 0; i < GATES; i++) {
        g[i].job = (struct job){gate_run, gate_closed, NULL};
        pool_run(p, c, &g[i].job);
    }
    while (!atomic_load(&g[0].entered))
        sched_yield();
}

static void open_gates(struct gate *g)
{
    for (size_t i = 0; i < GATES; i++)
        atomic_store(&g[i].open, true);
}

/* Jobs that do not end, more than there are workers, in one class: a job of every other is done all the same. */
static void no_class_keeps_another(void **state)
{
    (void)state;
    for (unsigned stuck = 0; stuck < WORK_CLASSES; stuck++) {
        struct event_base *base = event_base_new();
        struct gate g[GATES] = {0};
        struct square v[WORK_CLASSES] = {0};
        struct pool *p = pool_new(base, 2);
        size_t finished = 0;

        close_gates(p, g, stuck);
        for (unsigned c = 0; c < WORK_CLASSES; c++) {
            v[c] = (struct square){.job = {square_run, square_done, NULL}, .finished = &finished};
            if (c != stuck)
                pool_run(p, c, &v[c].job);
        }
        while (finished < WORK_CLASSES - 1)
            event_base_loop(base, EVLOOP_ONCE);
        open_gates(g);
        pool_free(p);
        event_base_free(base);
    }
}

/* All classes below are stuck, each on what it has and what was lent to it. */
static void all_below_keep_no_page(void **state)
{
    struct event_base *base = event_base_new();
    struct gate g[WORK_CLASSES][GATES] = {0};
    struct square page = {.job = {square_run, square_done, NULL}};
    struct pool *p = pool_new(base, 2);
    size_t finished = 0;

    (void)state;
    for (unsigned c = WORK_CLASSES; --c > WORK_PAGE;)
        close_gates(p, g[c], c);
    page.finished = &finished;
    pool_run(p, WORK_PAGE, &page.job);
    while (finished == 0)
        event_base_loop(base, EVLOOP_ONCE);
    for (unsigned c = 0; c < WORK_CLASSES; c++)
        open_gates(g[c]);
    pool_free(p);
    event_base_free(base);
}

/* Who stops waits for so long, and tells whether all are home. What was queued may be dropped. */
static void settling_has_an_end(void **state)
{
    struct event_base *base = event_base_new();
    struct gate g[2] = {0};
    struct pool *p = pool_new(base, 1);
    size_t n;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        g[i].job = (struct job){gate_run, gate_closed, NULL};
        pool_run(p, WORK_SLOW, &g[i].job);
    }
    while (!atomic_load(&g[0].entered))
        sched_yield();
    assert_false(pool_settle_within(p, NS_PER_MS, &n));
    assert_int_equal(n, 0);
    assert_false(pool_drop(p, &g[0].job));
    assert_true(pool_drop(p, &g[1].job));
    assert_false(pool_drop(p, &g[1].job));
    atomic_store(&g[0].open, true);
    assert_int_equal(pool_settle(p), 1);
    assert_true(pool_settle_within(p, 0, &n));
    assert_false(atomic_load(&g[1].entered));
    pool_free(p);
    event_base_free(base);
}

static void inline_pool_runs_in_order(void **state)
{
    struct square v[2] = {0};
    size_t finished = 0;
    struct pool *p = pool_new_inline();

    (void)state;
    for (long i = 0; i < 2; i++) {
        v[i] =
            (struct square){.job = {square_run, square_done, NULL}, .in = 3, .finished = &finished};
        pool_run(p, WORK_RULE, &v[i].job);
    }
    v[1].again = p;
    assert_int_equal(pool_queued(p), 2);
    assert_int_equal(finished, 0);
    assert_int_equal(pool_drain(p), 3);
    assert_int_equal(v[1].out, 9);
    pool_free(p);
}

/* -- loop -- */

struct live {
    struct timer timer;
    struct loop *loop;
    int fired, signals;
};

static void live_fire(struct timer *t, struct now now)
{
    struct live *v = container_of(t, struct live, timer);

    if (++v->fired == 3)
        raise(SIGHUP);
    else
        timer_arm(loop_clock(v->loop), t, now.mono + NS_PER_MS);
}

static void live_signal(int signo, void *arg)
{
    struct live *v = arg;

    assert_int_equal(signo, SIGHUP);
    v->signals++;
    loop_stop(v->loop);
}

static void loop_runs_timers_and_signals(void **state)
{
    struct live v = {.timer = {.fire = live_fire}};
    struct signals *s;
    struct clock c;

    (void)state;
    clock_init(&c);
    v.loop = loop_new(&c);
    s = signals_new(loop_base(v.loop), live_signal, &v);
    timer_arm(&c, &v.timer, c.now.mono + NS_PER_MS);
    loop_run(v.loop);
    assert_int_equal(v.fired, 3);
    assert_int_equal(v.signals, 1);
    assert_int_equal(loop_lag(v.loop)->count, 3);
    assert_true(loop_lag(v.loop)->max >= loop_lag(v.loop)->last);
    signals_free(s);
    loop_free(v.loop);
    clock_release(&c);
}

struct chain {
    struct timer timer, early;
    struct loop *loop;
    bool events_first;
    ts_ns due;
};

static void chain_fire(struct timer *t, struct now now)
{
    struct chain *v = container_of(t, struct chain, timer);

    (void)now;
    loop_stop(v->loop);
}

static void chain_early(struct timer *t, struct now now)
{
    (void)t;
    (void)now;
    fail();
}

static void chain_event(evutil_socket_t fd, short what, void *arg)
{
    struct chain *v = arg;

    (void)fd;
    (void)what;
    v->events_first = timer_is_armed(&v->timer);
}

static void cancel_early(evutil_socket_t fd, short what, void *arg)
{
    struct chain *v = arg;

    (void)fd;
    (void)what;
    timer_cancel(loop_clock(v->loop), &v->early);
    timer_arm(loop_clock(v->loop), &v->timer, v->due);
}

static void chain_begin(struct timer *t, struct now now)
{
    struct chain *v = container_of(t, struct chain, early);

    timer_arm(loop_clock(v->loop), &v->timer, now.mono);
    event_base_once(loop_base(v->loop), -1, EV_TIMEOUT, chain_event, v, &(struct timeval){0, 0});
}

/* A timer that arms another for now. */
static void what_a_turn_makes_due_runs_in_it(void **state)
{
    struct chain v = {.timer = {.fire = chain_fire}, .early = {.fire = chain_begin}};
    struct clock c;

    (void)state;
    clock_init(&c);
    v.loop = loop_new(&c);
    timer_arm(&c, &v.early, c.now.mono + NS_PER_MS);
    loop_run(v.loop);
    assert_false(v.events_first);
    loop_free(v.loop);
    clock_release(&c);
}

/* The alarm may stay early, for a timer that is gone, but not late. */
static void the_alarm_is_never_late(void **state)
{
    static const dur_ns gone[] = {10 * NS_PER_MS, 10 * NS_PER_S};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
        struct chain v = {.timer = {.fire = chain_fire}, .early = {.fire = chain_early}};
        struct clock c;

        clock_init(&c);
        v.loop = loop_new(&c);
        v.due = c.now.mono + 20 * NS_PER_MS;
        timer_arm(&c, &v.early, c.now.mono + gone[i]);
        event_base_once(loop_base(v.loop), -1, EV_TIMEOUT, cancel_early, &v,
                        &(struct timeval){0, 0});
        loop_run(v.loop);
        assert_true(clock_mono(&c) >= v.due);
        assert_true(clock_mono(&c) < v.due + 5 * NS_PER_S);
        loop_free(v.loop);
        clock_release(&c);
    }
}

static void lag_falls_into_buckets(void **state)
{
    struct loop_lag lag = {0};

    (void)state;
    loop_lag_note(&lag, NS_PER_MS);
    loop_lag_note(&lag, 30 * NS_PER_MS);
    loop_lag_note(&lag, 20 * NS_PER_S);
    loop_lag_note(&lag, 0);
    assert_int_equal(lag.buckets[0], 2);
    assert_int_equal(lag.buckets[3], 1);
    assert_int_equal(lag.buckets[LOOP_LAG_BUCKETS - 1], 1);
    assert_int_equal(lag.max, 20 * NS_PER_S);
    assert_int_equal(lag.last, 0);
}

static void never_called(struct bufferevent *b, void *arg)
{
    (void)b, (void)arg;
    fail();
}

/* The leak checker of the sanitized build is the judge. */
static void freeing_the_loop_frees_what_is_deferred(void **state)
{
    struct clock c;
    struct loop *l;
    struct bufferevent *b;

    (void)state;
    clock_init(&c);
    l = loop_new(&c);
    b = bufferevent_socket_new(loop_base(l), -1, 0);
    bufferevent_setcb(b, never_called, NULL, NULL, NULL);
    bufferevent_trigger(b, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
    bufferevent_free(b);
    loop_free(l);
    clock_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_deadlines_fire_in_arming_order),
        cmocka_unit_test(cancel_and_rearm_inside_fire),
        cmocka_unit_test(past_times_mean_now_behind_the_others),
        cmocka_unit_test(wall_steps_are_told_and_timers_stay),
        cmocka_unit_test(pauses_are_told_before_anything_fires),
        cmocka_unit_test(real_clock_moves),
        cmocka_unit_test(pool_brings_results_to_the_loop),
        cmocka_unit_test(pool_free_runs_what_is_queued),
        cmocka_unit_test(pool_takes_back),
        cmocka_unit_test(shares_are_reserves),
        cmocka_unit_test(every_class_has_a_share),
        cmocka_unit_test(no_class_keeps_another),
        cmocka_unit_test(all_below_keep_no_page),
        cmocka_unit_test(settling_has_an_end),
        cmocka_unit_test(inline_pool_runs_in_order),
        cmocka_unit_test(loop_runs_timers_and_signals),
        cmocka_unit_test(what_a_turn_makes_due_runs_in_it),
        cmocka_unit_test(the_alarm_is_never_late),
        cmocka_unit_test(lag_falls_into_buckets),
        cmocka_unit_test(freeing_the_loop_frees_what_is_deferred),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    buf_release(&trace);
    return failed;
}
