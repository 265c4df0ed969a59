/* stage.h - live instances on stepped parts: the same turns, reloads and stops as in serve, on time that is moved by hand, a
 * network that follows a script, and disks in memory. What is around an instance takes the time that is drawn for it, and
 * may fail; nothing sleeps, and one seed tells everything.
 *
 *     stage_init(&st, seed, start); stage_add(&st, &i, &life);
 *     stage_begin(&i, conf);                          a life of the program begins
 *     loop: stage_turn(&i, happens, what);            all that is due now is done
 *           stage_move(&st, stage_next(&st));         later
 *     stage_end(&i); or stage_cut(&i);                in order; or the power goes
 *
 * Two clocks belong to an instance. Its own has the timers of the program, and is read at the first touch of a turn, which
 * finds out about pauses and steps as the real one does. `outside` has what is under way elsewhere: jobs that end, commits
 * that are reported, answers that come; these arrive in the turn's beginning. Instances are machines of their own: they
 * share the time and the network, not the wall clock nor, until several keep their state in one place, the disk.
 *
 * Units    mono; an instance's wall clock is the stage's and its `wall`.
 * Errors   what cannot be restored ends the process.
 * Owns     the caller's structs; an instance owns its parts while it lives, and its disk until stage_release().
 * Source   design.md 2.9.
 */
#ifndef STAGE_STAGE_H
#define STAGE_STAGE_H

#include "base/rand.h"
#include "live/configure.h"
#include "live/rule_driver.h"
#include "net/scripted.h"

/* At most so long; each time is drawn. 0: at once, in the next turn of the same instant. Between two pieces of a long work of
 * the loop passes as much as a job takes, but at most 0.2 s. */
struct stage_pace {
    dur_ns jobs, commits, answers;
};

struct stage_instance;

/* What differs from instance to instance, and stays over its lives. */
struct stage_life {
    /* What the network says to a request; answers.delay is added to. */
    struct scripted_answer (*serve)(void *arg, struct stage_instance *i,
                                    const struct scripted_request *rq);
    void (*decided)(void *arg, const struct decision *d); /* may be NULL */
    /* Not NULL: nothing is sent to receivers, this sees it and says whether it arrives. */
    bool (*shown)(void *arg, const struct notify_shown *x);
    void *arg;
    dur_ns start_delay;
    unsigned threads;       /* of workers; 0 is 2 */
    size_t slice;           /* of long works of the loop (live/slices.h); 0 is as in serve */
    str folder;             /* of samples; empty: the instance has no store of its own */
    str host, external_url; /* empty: http://tocsin */
};

struct stage {
    uint64_t seed;
    struct rand random;
    struct now now;
    VEC(struct stage_instance *) all;
};

struct stage_instance {
    struct stage *stage;
    struct stage_life life;
    struct stage_pace pace;
    uint64_t seed; /* of its next life */
    dur_ns wall;   /* what its wall clock is ahead */
    struct clock clock, outside;
    struct pool *pool;
    struct scripted *net;
    struct state_backend *disk; /* while it lives: the backend */
    struct shell *shell;        /* NULL: it does not live */
    struct store *store;        /* NULL: none */
    struct heartbeat *heartbeat;
    struct forward *forward;
    struct configure parts;
    struct timer report; /* of the commits that the disk has at hand */
    size_t reporting;
    VEC(struct config *) reloads; /* to be put in force, in order */
    struct stage_reload *reload;  /* that a worker has */
    bool is_cut;                  /* whatever it still does reaches nobody */
};

void stage_init(struct stage *st, uint64_t seed, struct now start);
void stage_release(struct stage *st); /* nobody lives any more */
void stage_add(struct stage *st, struct stage_instance *i, const struct stage_life *life);
dur_ns stage_draw(struct stage *st, dur_ns most);
bool stage_chance(struct stage *st, unsigned percent);

/* -- a life -- */

void stage_begin(struct stage_instance *i, struct config *conf); /* a reference, taken */
void stage_end(struct stage_instance *i);
/* Of the commits under way a drawn number is on the disk, though nobody was told. */
void stage_cut(struct stage_instance *i);

/* -- time -- */

/* Turns until nothing is left at this time; the first one begins with happens(), which may be NULL. */
void stage_turn(struct stage_instance *i, void (*happens)(void *arg), void *arg);
ts_ns stage_next(const struct stage *st); /* when something is due next, anywhere; TS_MAX: never */
struct now stage_now(const struct stage_instance *i); /* though it may not have looked yet */
/* It is later; who takes no turn meanwhile has a pause. */
void stage_move(struct stage *st, ts_ns mono);
void stage_step_wall(struct stage_instance *i, dur_ns by);

/* The disk from now on: it works, it is full, or it writes and says that it did not. */
enum stage_disk { STAGE_DISK_WORKS, STAGE_DISK_FAILS, STAGE_DISK_FAILS_LATE };
void stage_set_disk(struct stage_instance *i, enum stage_disk d);

/* -- what an operator does; in a turn -- */

/* Read and made ready by a worker, checked against what runs then, and put in force in a turn. conf: taken. */
void stage_reload(struct stage_instance *i, struct config *conf);
/* Here and now. */
void stage_reload_at_once(struct stage_instance *i, struct config *conf);

#endif
