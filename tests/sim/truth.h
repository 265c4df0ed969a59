/* truth.h - what must be true of any scenario, whatever fails in it; kept beside the engine, from what was done and what came.
 *
 * What was answered is there after a restart, and what a message tells of was on the disk before it went. Nobody is told
 * that an alert has ended which is sent, or measured, all the time, nor of one that is silenced for a while. Nothing is told
 * twice unless something was in the way, and no more is sent in a minute than the receiver takes, whatever is restarted. Groups are asked at their slots, and their alerts go on through reloads and
 * restarts. When all works again for a while everybody has heard what is so, the disk says what memory says, nothing is left
 * under way, and a restart changes nothing.
 *
 * It also notes what was told and decided, to be compared with another run.
 *
 * Shapes   a scenario of wild.h: posted alerts; rule k of group k is alert Rk over sample mk.
 * Units    mono, if not said otherwise.
 * Owns     its lists; sim and name are borrowed.
 */
#ifndef SIM_TRUTH_H
#define SIM_TRUTH_H

#include "coverage.h"
#include "sim.h"
#include "wild.h"

/* -- one scenario -- */

struct known_alert {
    struct labels labels;
    bool is_sent;    /* again and again */
    ts_ns since, at; /* since when it is, and when it was sent last */
    dur_ns paused;   /* what had been paused by `since` */
    bool fires;      /* by what was sent last */
    bool is_refused; /* it begins in the future, by a clock that was set back */
    ts_ns
        refreshed; /* wall, since SIM_WALL: when it was said that it fires, and since when; 0: never */
    uint64_t n, acked; /* sendings: so many, and the last one answered */
};

struct known_silence {
    struct uuid id;
    struct silence *silence; /* a copy of what was stored */
    ts_ns since;
    bool is_acked, is_over, is_over_acked;
};

struct known_rule {
    bool is_named, is_there; /* by the configuration; its sample */
    bool is_renamed;
    ts_ns began;   /* both */
    dur_ns paused; /* what the truth's was then */
    ts_ns since;   /* and nothing may have made it begin anew */
    ts_ns asked;
};

/* What a receiver has heard last of an alert. A message shows the whole group: who is not in it is kept back, or over. */
struct heard {
    str receiver, key; /* key: of the group */
    struct labels labels;
    uint64_t fingerprint;
    bool fires, ever_fired;
    bool is_forgotten;   /* as far as tocsin knows, though it was told */
    ts_ns at, ended;     /* when that was said, and when last that it is over; 0: never */
    bool is_from_memory; /* sent while the store did not write */
};

/* Of a group's notifications to a receiver. */
struct told_group {
    str receiver, key;
    bool is_unsure; /* the last request may have arrived though nobody said so */
    bool was_unsure;
    ts_ns
        stood_in; /* when it was told last in place of who may not send any more that day; 0: never */
};

/* What a receiver has sent of its day's messages. */
struct known_budget {
    str receiver;
    int64_t day; /* that counts, since 1970 */
    size_t n;
    ts_ns turned,
        spent; /* when that day came, and when tocsin last said that it has sent all; 0: never */
};

struct answer_due;

struct truth {
    struct sim *sim;
    const char *name;
    const struct wild *wild;
    struct coverage *coverage; /* may be NULL */
    size_t wrong;
    struct buf told;
    uint64_t life;
    VEC(struct known_alert) alerts;
    VEC(struct known_silence) silences;
    VEC(struct answer_due *) due;
    struct known_rule rules[WILD_GROUPS];
    VEC(struct heard) heard;
    VEC(struct told_group) groups;
    VEC(ts_ns) requests; /* when each went out */
    struct known_budget budgets[2];
    ts_ns trouble; /* the last time that something may have made it tell twice; TS_MAX: still */
    ts_ns shaken;  /* the same, of a receiver that always works */
    ts_ns restarted, restarted_before, stepped;
    dur_ns paused; /* in all */
    ts_ns woke;    /* the last time */
    bool sink_away, answers_slow, disk_away;
    ts_ns disk_since, source_since;
    bool source_down, source_slow;
};

void truth_open(struct truth *t, struct sim *s, const char *name, const struct wild *w,
                struct coverage *c);
void truth_close(struct truth *t);
/* At the end of the scenario, the instance still alive. */
void truth_judge(struct truth *t);

/* -- told by the sim -- */

void truth_ended(struct truth *t); /* a life */
void truth_began(struct truth *t);
void truth_acts(struct truth *t, const struct action *a);
/* In the turn in which the engine took it: */
void truth_posted(struct truth *t, const struct alert_input *in);
void truth_refused(struct truth *t, const struct alert_input *in);
void truth_silenced(struct truth *t, const struct uuid *id);
void truth_expired(struct truth *t, const struct uuid *id);
void truth_asked(struct truth *t, str query, ts_ns at);
void truth_sent(struct truth *t, const struct scripted_request *rq, const struct sink *k);
void truth_decided(struct truth *t, const struct decision *d);

#endif
