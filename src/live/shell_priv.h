/* shell_priv.h - the shell's state and the steps of its turn, for shell.c and turn.c. */
#ifndef LIVE_SHELL_PRIV_H
#define LIVE_SHELL_PRIV_H

#include "live/compaction.h"
#include "live/rule_driver.h"
#include "live/shell.h"
#include "live/slices.h"

/* What waits for commit n. */
struct shell_waiting {
    uint64_t n;
    const struct outbox_row *row; /* a delivery, or */
    void (*done)(void *arg, bool ok, const struct err *e);
    void *arg;
};

/* A turn's commit, until it is reported. */
struct shell_commit {
    uint64_t turn, n;
};

/* What the backend has said, to be acted on in the turn's order. */
struct shell_report {
    uint64_t n;
    bool ok;
    struct err why;
};

struct shell {
    struct shell_parts parts;
    struct engine *engine;
    struct notify *notify;
    struct rule_driver *driver;
    struct state_backend *backend;
    struct effects fx;
    VEC(const struct outbox_row *) sending; /* of fx, while it fills again */
    VEC(const struct outbox_row *) rows;    /* of the message that is being sent */
    struct arena room;                      /* of the answer that is being told */
    VEC(struct effect_rules) starting;
    VEC(const struct core_conf *) retiring;
    VEC(struct shell_waiting) waiting;
    size_t first_waiting;
    VEC(struct shell_report) reports;
    uint64_t handed, reported;
    VEC(struct shell_commit) commits; /* handed over and not reported, oldest first */
    uint64_t written;                 /* the last turn whose commit is reported */
    ts_ns oldest_handed;              /* mono: when the oldest unreported commit was handed over */
    struct compaction compaction;
    struct slices slices;
    bool degraded, stalled;
    uint64_t damaged; /* parts of what was stored */
    bool in_turn, has_stepped;
    /* of the clock, told outside of a turn: the next one begins with it */
    struct clock_jump missed;
    struct err degraded_why;
    struct timer wake, stall;
    str external_url; /* owned */
};

void shell_tell_missed_jump(struct shell *s);
void shell_run_due(struct shell *s); /* the engine's timers */
void shell_record(struct shell *s);  /* decisions: to the journal, the log, other Alertmanagers */
void shell_commit(struct shell *s);
void shell_release(struct shell *s);
void shell_carry_out(struct shell *s);
void shell_compact(struct shell *s);
/* When the loop is to wake for the engine; at once: there is more to do. */
void shell_set_alarm(struct shell *s, bool at_once);

#endif
