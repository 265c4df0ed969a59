#include "os/clock.h"

#include <time.h>
#include "base/mem.h"

enum { FIRED_AT_ONCE = 4 }; /* before somebody looks how long that has taken */

static ts_ns clock_read_clock(clockid_t id)
{
    struct timespec t;

    BUG_ON(clock_gettime(id, &t) != 0);
    return (ts_ns)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static struct now read_both(void)
{
    return (struct now){.wall = clock_read_clock(CLOCK_REALTIME),
                        .mono = clock_read_clock(CLOCK_BOOTTIME)};
}

void clock_init(struct clock *c)
{
    *c = (struct clock){.now = read_both()};
}

void clock_init_stepped(struct clock *c, struct now start)
{
    *c = (struct clock){.now = start, .stepped = true};
}

void clock_release(struct clock *c)
{
    heap_release(&c->timers);
}

/* For how long nothing ran at the end of the time from then to now: since a timer was due, or since
 * then when one was due already. */
static dur_ns idle(const struct clock *c, ts_ns then, ts_ns now)
{
    ts_ns due = clock_next(c);

    return due >= now ? 0 : now - (due > then ? due : then);
}

void clock_set(struct clock *c, struct now read)
{
    struct now then = c->now;
    struct clock_jump j = {
        .wall_step = (read.wall - then.wall) - (read.mono - then.mono),
        .paused = idle(c, then.mono, read.mono),
    };

    /* Slewing moves the wall clock by at most 0.5 ms a second, so only somebody's step reaches it. */
    if (j.wall_step < CLOCK_STEP && j.wall_step > -CLOCK_STEP)
        j.wall_step = 0;
    if (j.paused < CLOCK_PAUSE)
        j.paused = 0;
    c->now = read;
    c->now.stepped = then.stepped + j.wall_step;
    if (c->jumped != NULL && (j.wall_step != 0 || j.paused != 0))
        c->jumped(c->arg, &j);
}

struct now clock_update(struct clock *c)
{
    if (!c->stepped)
        clock_set(c, read_both());
    else if (c->is_ahead)
        c->is_ahead = false, clock_set(c, c->ahead);
    return c->now;
}

struct now clock_touch(struct clock *c)
{
    if (c->fresh)
        return c->now;
    c->fresh = c->turns;
    return clock_update(c);
}

ts_ns clock_mono(const struct clock *c)
{
    return c->stepped ? c->now.mono : clock_read_clock(CLOCK_BOOTTIME);
}

void clock_expire(struct clock *c)
{
    c->turns = true;
    c->fresh = false;
}

void timer_arm(struct clock *c, struct timer *t, ts_ns mono)
{
    heap_push(&c->timers, &t->node, mono > c->now.mono ? mono : c->now.mono);
}

void timer_cancel(struct clock *c, struct timer *t)
{
    heap_remove(&c->timers, &t->node);
}

ts_ns clock_snap(ts_ns slot, ts_ns wall, dur_ns interval)
{
    dur_ns tolerance = interval / 100 < 2 * NS_PER_MS ? interval / 100 : 2 * NS_PER_MS;

    return wall >= slot && wall - slot <= tolerance ? slot : wall;
}

ts_ns clock_next(const struct clock *c)
{
    const struct heap_node *head = heap_min(&c->timers);

    return head != NULL ? head->key : TS_MAX;
}

bool clock_turn_is_long(const struct clock *c)
{
    return !c->stepped && clock_mono(c) - c->now.mono > CLOCK_TURN;
}

size_t clock_run_due(struct clock *c)
{
    uint64_t before = c->timers.pushes;
    struct heap_node *head;
    size_t fired = 0;

    /* timer_arm() lifts past times to now, so whatever is armed during this run sorts behind all
     * that was due. */
    while ((head = heap_min(&c->timers)) != NULL && head->key <= c->now.mono &&
           head->order < before) {
        struct timer *t = container_of(head, struct timer, node);

        heap_remove(&c->timers, head);
        t->fire(t, c->now);
        fired++;
        if (c->turns && fired % FIRED_AT_ONCE == 0 && clock_turn_is_long(c))
            break;
    }
    return fired;
}

void clock_let_read(struct clock *c, struct now read)
{
    BUG_ON(!c->stepped);
    c->ahead = read;
    c->is_ahead = true;
}

static void clock_advance(struct clock *c, ts_ns mono)
{
    c->now.wall = ts_add(c->now.wall, mono - c->now.mono);
    c->now.mono = mono;
}

void clock_move_to(struct clock *c, ts_ns mono)
{
    BUG_ON(!c->stepped);
    if (mono > c->now.mono)
        clock_advance(c, mono);
}

void clock_step_to(struct clock *c, ts_ns mono)
{
    BUG_ON(!c->stepped);
    for (;;) {
        ts_ns next = clock_next(c);

        if (next > mono)
            break;
        if (next > c->now.mono)
            clock_advance(c, next);
        clock_run_due(c);
    }
    if (mono > c->now.mono)
        clock_advance(c, mono);
}

void clock_step_wall(struct clock *c, dur_ns by)
{
    BUG_ON(!c->stepped);
    clock_set(c, (struct now){.wall = ts_add(c->now.wall, by), .mono = c->now.mono});
}

void clock_step_pause(struct clock *c, dur_ns by)
{
    BUG_ON(!c->stepped);
    clock_set(c, (struct now){.wall = ts_add(c->now.wall, by), .mono = ts_add(c->now.mono, by)});
}
