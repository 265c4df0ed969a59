#include "live/turn.h"

#include "os/role.h"
#include "live/shell_priv.h"

enum { ROUNDS = 8, STOP_S = 5 };

/* Returns whether there is more to do at this time. */
static bool work_off(struct shell *s)
{
    struct clock *c = s->parts.clock;
    struct meter *m = c->meter;

    /* 4 Timers of the shell before the engine's: what a receiver or a source did not do in time is known when the engine
     * decides what is due. */
    meter_enter(m, PIECE_TIMERS);
    clock_run_due(c);
    meter_enter(m, PIECE_DUE);
    shell_run_due(s);
    s->has_stepped = false;
    /* 5 Decisions go to the journal before the commit, so that they are in the commit of what they decided. */
    meter_enter(m, PIECE_RECORD);
    shell_record(s);
    /* 6 One commit for all that this turn has changed so far. */
    meter_enter(m, PIECE_COMMIT);
    shell_commit(s);
    /* 7 Only now what waits for earlier commits: a reply that is released changes nothing that has not been handed over, and
     * what it leads to follows in order. */
    meter_enter(m, PIECE_RELEASE);
    shell_release(s);
    /* 8 What was decided is sent, run and retired last: what depends on this commit waits for it from here on. */
    meter_enter(m, PIECE_SEND);
    shell_carry_out(s);
    return s->has_stepped || clock_next(c) <= c->now.mono;
}

/* From here on the sockets' time runs, which are the next to be looked at. */
static void end_turn(struct clock *c)
{
    if (c->meter == NULL)
        return;
    meter_enter(c->meter, PIECE_SOCKETS);
    meter_turn(c->meter, clock_mono(c) - c->now.mono);
}

void turn(struct shell *s, void (*wait)(void *arg), void *arg)
{
    bool is_more = true;
    enum role was = role_set(ROLE_LOOP);

    BUG_ON(s->in_turn);
    s->in_turn = true;
    shell_tell_missed_jump(s);
    /* 1 Nothing is left to do, so it may sleep. 3 What has arrived steps the engine at once, before anything that is due: a
     * refresh that came in time counts, however late we look. */
    wait(arg);
    /* 2 Where nothing has arrived, the clock is read here. Its first touch, wherever it was, has told the engine of pauses
     * and steps before anybody saw the new time (clock.h). */
    clock_touch(s->parts.clock);
    for (int i = 0; is_more && i < ROUNDS && (i == 0 || !clock_turn_is_long(s->parts.clock)); i++)
        is_more = work_off(s);
    /* A piece of a long work, once a turn: it never holds up what is due. */
    meter_enter(s->parts.clock->meter, PIECE_COMPACT);
    shell_compact(s);
    shell_set_alarm(s, is_more);
    end_turn(s->parts.clock);
    s->in_turn = false;
    role_set(was);
}

/* -- a stop -- */

struct leaving {
    struct shell *s;
    void (*leave)(void *arg);
    void *arg;
    size_t came_home;
    ts_ns by; /* mono */
    bool are_home;
};

static void turn_leave(void *arg)
{
    struct leaving *l = arg;
    struct event stops = {.kind = EVENT_STOPS};

    l->leave(l->arg);
    shell_event(l->s, &stops, NULL);
}

static void come_home(void *arg)
{
    struct leaving *l = arg;

    dur_ns left = l->by - clock_mono(l->s->parts.clock);

    l->are_home = pool_settle_within(l->s->parts.pool, left > 0 ? left : 0, &l->came_home);
}

static void finish_slices(void *arg)
{
    slices_finish(&((struct shell *)arg)->slices);
}

static void turn_sync_all(void *arg)
{
    const struct state_backend *b = ((struct leaving *)arg)->s->backend;

    b->ops->sync(b->self);
}

bool turn_stop(struct shell *s, void (*leaves)(void *arg), void *arg)
{
    struct leaving l = {.s = s, .leave = leaves, .arg = arg};
    bool is_cut_up;

    l.by = ts_add(clock_mono(s->parts.clock), STOP_S * NS_PER_S);

    turn(s, turn_leave, &l);
    /* What comes home may send for more: a group's next query fails, what was replaced is freed on a worker. */
    do {
        turn(s, come_home, &l);
        is_cut_up = slices_wait(&s->slices);
        turn(s, finish_slices, s);
    } while ((l.came_home != 0 || is_cut_up) && l.are_home);
    /* Reports of commits release what waits for them. */
    turn(s, turn_sync_all, &l);
    return l.are_home;
}
