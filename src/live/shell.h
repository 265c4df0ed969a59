/* shell.h - carries out what the engine decides.
 *
 * Events are stepped, their effects gathered; the turn (turn.h) hands the rows to the writer as one commit. What depends
 * on it (replies, deliveries) waits in a queue until the backend reports the number. When a commit fails or stalls for five
 * seconds the store counts as degraded: waiting replies hear why, deliveries go out from memory, and
 * TocsinStoreDegraded is raised until the backend has written everything anew.
 *
 * The shell is told of the clock's jumps by the clock itself, before anything else is stepped at the new time.
 *
 * serve uses it with the real clock, pool, transport and SQLite; a simulation with stepped, inline, scripted and memory.
 *
 * Owns     the shell owns the engine, its notifier and the rule driver; clock, pool, transport are borrowed; the backend
 *          is owned.
 * Source   design.md 1.3, 2.5.
 */
#ifndef LIVE_SHELL_H
#define LIVE_SHELL_H

#include "state/backend.h"
#include "core/engine.h"
#include "os/pool.h"
#include "net/transport.h"
#include "notify/notify.h"
#include "config/config.h"

struct shell;

struct shell_parts {
    struct clock *clock;
    struct pool *pool;
    struct transport *transport;
    struct config *conf; /* one reference, taken */
    struct tsdb *db;     /* our own store; NULL: none */
    enum matcher_mode mode;
    dur_ns retention;
    uint64_t seed; /* of ids and jitter: another in each life */
    dur_ns start_delay;
    str external_url;
    bool colour;
    bool shadow;                /* --notify.shadow */
    size_t slice;               /* of what is done in pieces, how many a turn; 0: slices.h */
    dur_ns (*pause)(void *arg); /* slices.h */
    void (*print)(void *arg, str text); /* console notifications; NULL = standard output */
    bool (*shown)(void *arg, const struct notify_shown *x); /* notify_shell; may be NULL */
    /* What rules sent, for other Alertmanagers; may be NULL. */
    void (*forward)(void *arg, const struct alert_input *v, size_t n);
    /* What an event recorder tells of; may be NULL. */
    void (*happened)(void *arg, const struct recorded_event *v, size_t n);
    void (*decided)(void *arg, const struct decision *d); /* every decision; may be NULL */
    /* Rows that are neither the engine's nor the rules': read back at the start, before the first turn, and all of them, to
     * be written anew; may be NULL. */
    bool (*restore)(void *arg, const struct state_reader *from, struct err *e);
    void (*snapshot)(void *arg, struct state_commit *c);
    /* The clock jumped, and the engine knows it; may be NULL. */
    void (*jumped)(void *arg, const struct clock_jump *j);
    void *arg;
};

/* The backend is opened between the two calls, because it calls back into the shell. */
struct shell *shell_new(const struct shell_parts *parts);
struct state_shell shell_state_callbacks(struct shell *s);
bool shell_start(struct shell *s, struct state_backend *backend, size_t *unreadable,
                 struct err *e) must_check;
void shell_keep_backend(struct shell *s); /* shell_free() leaves the backend to the caller */
void shell_free(struct shell *s);

struct engine *shell_engine(struct shell *s);
struct clock *shell_clock(struct shell *s);
struct state_backend *shell_backend(struct shell *s);
struct notify *shell_notify(struct shell *s);
void shell_set_external_url(struct shell *s, str url);

struct slices;
struct slices *shell_slices(struct shell *s);
void shell_event(struct shell *s, struct event *ev, struct event_result *result);
/* A row of whoever gave restore(): it is in the turn's commit. */
void shell_put_row(struct shell *s, enum state_table t, str key, str body);
void shell_delete_row(struct shell *s, enum state_table t, str key);
/* Calls back, maybe at once, when everything decided so far is on disk, or with ok = false and why. */
void shell_after_commit(struct shell *s, void (*done)(void *arg, bool ok, const struct err *e),
                        void *arg);
struct source;
struct rule_driver;
struct rule_driver *shell_rules(struct shell *s);
size_t shell_sources(const struct shell *s, const struct source *const **out);
/* What was stored is damaged: state says which part, why what is lost and where the rest is kept. Logged, counted, and raised
 * as TocsinStoreDegraded for an hour. From inside a turn or, before the first, from outside. */
void shell_tell_damage(struct shell *s, str state, str why);
uint64_t shell_damaged(const struct shell *s); /* how often */
bool shell_is_degraded(const struct shell *s);
/* The loop turns, commits succeed and rule groups are on time: what the heartbeat asks. why is filled when not. */
bool shell_is_well(const struct shell *s, str *why);

#endif
