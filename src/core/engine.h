/* engine.h - the one place where alerts, groups, silences, the notification log, the outbox and the rules meet.
 *
 * engine_step(engine, event, now, effects) decides; it reads no clock, touches no file and no socket. What follows from
 * a decision is appended to the effects, and a shell carries it out: serve on the live loop, a simulation on a stepped
 * clock, backtest and explain on copies. Memory shows a change at once; replies and sends wait for the commit.
 *
 * Shapes   100,000 alerts, 20,000 groups, 10,000 rules.
 * Units    struct now carries both clocks; what waits is keyed by the monotonic one.
 * Owns     the engine owns everything below but the configuration. The struct is open
 *          for reading (api, ui); only engine_step() and engine_restore_*() change it. One thread.
 * Cost     an alert: O(routes tried + inhibition rules); a flush: O(alerts of the group).
 * Source   alertmanager.md 3; design.md 1-4.
 */
#ifndef CORE_ENGINE_H
#define CORE_ENGINE_H

#include "base/heap.h"
#include "base/map.h"
#include "base/rand.h"
#include "base/vec.h"
#include "core/changes.h"
#include "core/core_conf.h"
#include "core/journal.h"
#include "core/limits.h"
#include "core/queue.h"
#include "model/alert.h"
#include "model/decision.h"
#include "model/metric.h"
#include "model/nflog.h"
#include "model/outbox.h"
#include "route/group.h"
#include "route/inhibitor.h"
#include "route/mute.h"
#include "route/silencer.h"
#include "route/tree.h"
#include "core/rule_history.h"
#include "core/rule_slot.h"
#include "model/row.h"

/* Of what is many, how many are done in one step: a few milliseconds of it. */
enum { ENGINE_SLICE = 500 };

/* What peers' clocks may differ from ours before it is told. */
#define CLOCK_SKEW_MAX (30 * NS_PER_S)

/* -- what happens -- */

enum event_kind {
    EVENT_TIMER,  /* engine_next() has come, or may have */
    EVENT_ALERTS, /* alerts were posted, or rules produced them */
    EVENT_SILENCE_PUT,
    EVENT_SILENCE_EXPIRE,
    EVENT_ATTEMPT,       /* a row is about to be sent: may everybody still be told? */
    EVENT_DELIVERED,     /* an attempt was answered */
    EVENT_RECEIPTS,      /* a service says how what it took before ended */
    EVENT_RULE_GROUPS,   /* the groups of the configuration in force; after EVENT_CONFIG */
    EVENT_RULES_RAN,     /* a job of a group has ended */
    EVENT_AHEAD,         /* a configuration is to come: makes some of its groups; ok: all of them */
    EVENT_CONFIG,        /* a new configuration is in force */
    EVENT_CLOCK_STEPPED, /* the wall clock jumped against the monotonic one */
    EVENT_PAUSED, /* nothing ran for a while (suspend, stopped process): senders could not refresh */
    EVENT_BUILTIN, /* a condition of our own began or ended */
    EVENT_RELAY,   /* a message to be passed on: relay.h */
    EVENT_STOPS,   /* an orderly stop has begun */
};

enum builtin_kind {
    BUILTIN_SOURCE_DOWN,
    BUILTIN_RULE_FAILING,
    BUILTIN_RELOAD_FAILED,
    BUILTIN_STORE_DEGRADED,
    BUILTIN_STORE_DAMAGED, /* what was stored cannot be read, wholly or in part */
    BUILTIN_ALERT_LIMIT,
    BUILTIN_CLOCK_STEPPED,
    BUILTIN_SOURCE_DEGRADED,
    BUILTIN_CLOCK_SKEW,
    BUILTIN_RECEIVER_FAILING,
    BUILTIN_RULE_DEAD,
    BUILTIN_RULE_ALWAYS_FIRING,
    BUILTIN_REMOTE_WRITE_FAILING,
    BUILTIN_KINDS,
};

enum alert_origin {
    ALERTS_POSTED,
    ALERTS_OF_RULES, /* not counted as received */
    ALERTS_OWN,      /* about tocsin itself: no limit keeps them out */
};

struct answered_row {
    str key;
    uint64_t flush_id;
};

struct delivery_result {
    /* Those that the attempt told: one, or, as a digest, several of a destination. */
    const struct answered_row *rows;
    size_t n_rows;
    /* Those that were to go along and found no room: they wait again, and nothing was tried with them. */
    const struct answered_row *back;
    size_t n_back;
    bool is_part; /* OK, of a part of the one row: had says which, more are to follow */
    enum delivery_verdict verdict; /* OK, RETRY, RETRY_AFTER, FAILED */
    enum delivery_failure failure;
    dur_ns retry_after, took;
    int status;
    bool may_have_arrived; /* a request of this attempt, though nobody said so */
    unsigned requests;     /* sent in this attempt */
    bool in_part;          /* OK, but some of the receiver's people were not told: error says who */
    bool under_way;        /* RETRY_AFTER, and nothing has failed: it is to be asked how it went */
    bool has_date;         /* an answer carried one */
    dur_ns skew;           /* of its clock against ours; positive: it is ahead */
    str error;             /* redacted; empty when OK */
    const struct delivery_pair
        *kept; /* of a digest all of its rows', as that: what edits it would edit the others' */
    size_t n_kept;
    str had; /* RETRY: as in outbox_row; empty: as before */
};

/* To whom of an integration's rows it matters, their `had` says. */
struct receipts_heard {
    str receiver, integration;
    unsigned index;
    const struct receipt *v;
    size_t n;
};

struct core_part;

struct event {
    enum event_kind kind;
    union {
        const struct core_part *part; /* that is run if it is due; NULL: each that is */
        struct {
            const struct alert_input *v;
            size_t n;
            enum alert_origin origin;
            ts_ns arrived; /* wall: when they came, if that is a while ago; 0: now */
        } alerts;
        struct silence *silence; /* taken */
        str silence_id;
        str attempt; /* the row's key */
        const struct notification *relay;
        struct delivery_result delivered;
        struct receipts_heard receipts; /* result->accepted: rows that waited for one of them */
        struct {
            const struct rule_shape *v; /* in the order of the configuration, each id once */
            size_t n;
        } groups;
        struct {
            const struct rules_ran *ran;
            /* The alerts before have been taken. until: only those before it now, the rest of what it left comes
             * later; 0: all of it. */
            size_t from, until;
        };
        struct {
            /* Stays until it is retired; of EVENT_AHEAD until another one, or none (NULL), comes after all. */
            const struct core_conf *config;
            struct rules_ahead *ahead; /* of the rule driver, which takes it; may be NULL */
        };
        dur_ns wall_step;
        dur_ns paused;
        struct {
            enum builtin_kind kind;
            bool raised;
            str subject; /* source, group: tells two of a kind apart */
            str why;
            dur_ns lasts; /* it ends by itself then; 0: when it is told so */
        } builtin;
    };
};

/* What a step answers to whoever caused it; the reply goes out after the commit. */
struct event_result {
    bool ok;
    struct err err;  /* the first problem; for alerts: all of them in text */
    struct buf text; /* alerts: one line a refused alert */
    size_t accepted;
    const struct alert_input *twice; /* a posted alert that a rule here sends, too; NULL: none */
    struct uuid silence_id;
    const struct outbox_row *row; /* to send; NULL: it was withdrawn */
};

/* -- what follows -- */

/* A job of a group. Those of one group come one after another: the next is ordered when the last has been answered. */
struct effect_rules {
    struct rule_ticket ticket;
    enum rules_job job;
    ts_ns slot; /* wall; of a run */
};

/* One event of Alertmanager's event recorder (happenings.h). */
struct recorded_event {
    const char *type;  /* "alert_created"; static */
    str before, after; /* its text, parted where the group's id stands */
    str group_key;     /* whose SHA-256 that is; before is empty when it names none */
};

struct effects {
    struct arena arena; /* of the turn: text of decisions */
    struct state_commit commit;
    /* to be sent when what they say is on disk (row->written); in flight from now on */
    VEC(const struct outbox_row *) deliver;
    VEC(struct effect_rules) rules;
    VEC(struct decision) decisions;
    /* what our rules sent, for the Alertmanagers of `alerting`; in the arena */
    VEC(struct alert_input) forward;
    VEC(struct recorded_event) happenings; /* in the arena */
    VEC(const struct core_conf *) retire;  /* not read any more */
};

void effects_init(struct effects *fx);
void effects_clear(struct effects *fx);
void effects_release(struct effects *fx);

/* -- the engine -- */

struct outbox_slot {
    struct outbox_row *row;  /* waiting for row->not_before or for a place, or in flight */
    struct outbox_row *next; /* decided while row was in flight */
    struct queue_entry place;
    uint64_t destination;
    bool stands_by;            /* another is told in its place, and has not answered (fallback.h) */
    struct outbox_slot *rider; /* the next of those whose rows go in one message with this one's */
    uint32_t last_error; /* hash of what the last attempt failed with: the journal tells it once */
    struct heap_node timer;
};

static inline bool outbox_in_flight(const struct outbox_slot *s)
{
    return s->place.has_place;
}

MAP_DECLARE(nflog_map, str, struct nflog_entry *);
MAP_DECLARE(outbox_map, str, struct outbox_slot *);

struct integration_stats {
    uint64_t notifications, failed[FAILURE_DEADLINE + 1];
    uint64_t requests, requests_failed;
    struct metric_histogram latency;
};

/* Of an integration that has failed since it was last well. */
struct integration_health {
    str integration; /* owned */
    unsigned index;
    ts_ns failing_since, failing_since_wall, last_failure; /* mono but for the second */
    dur_ns group_interval;
    bool is_failing; /* for good, for too long, or in part */
    str why;         /* owned */
};

/* integration: by position in conf->kinds; those of another life of the process are not there. */
struct receiver_stats {
    str name;
    struct integration_stats *integration;
    VEC(struct integration_health) health;
    ts_ns last_success, last_failure; /* wall; TS_NONE = never */
    char last_error[256];
    int last_status; /* of the answer that it was; 0 = none */
};

/* Who keeps an alert back, in the order in which they are asked. */
enum held_by {
    HELD_BY_NOTHING,
    HELD_BY_INHIBITION,
    HELD_BY_ACTIVE_TIME, /* the instant is outside of every active interval */
    HELD_BY_MUTE_TIME,
    HELD_BY_SILENCE,
};
enum { HELD_BYS = HELD_BY_SILENCE + 1 };

struct engine_stats {
    uint64_t received_firing, received_resolved, invalid, suppressed[HELD_BYS];
    struct integration_stats *integration; /* by position in conf->kinds */
    uint64_t wall_steps, pauses;
    uint64_t nflog_queries, nflog_misses; /* of flushes */
    uint64_t rule_missed, rule_evaluations, group_runs;
    uint64_t rule_stale; /* answers under a ticket that is not in force */
    /* messages passed on; of which some took the place of one that waited; those that had been kept before */
    uint64_t relayed, relayed_joined, relayed_again;
    dur_ns rule_took, group_took; /* of all evaluations, of all runs */
};

struct builtin {
    enum builtin_kind kind;
    str subject; /* owned */
    char why[512];
    ts_ns since; /* wall */
    ts_ns until; /* mono: it ends by itself; TS_MAX */
};

/* What a receiver with a budget has sent on a day, counted from 1970. */
struct budget_state {
    str receiver; /* owned */
    int64_t day;
    uint64_t spent;
};

/* What waits of what is passed on, as it was counted in that turn. */
struct relay_count {
    uint64_t turn;
    size_t rows, bytes;
};

enum rules_wait {
    RULES_RUN,
    RULES_WAIT_FOR_TARGETS, /* those that read our own store */
    RULES_WAIT_FOR_REPLAY,  /* all: they write there, too */
};

/* What a configuration makes of the alerts. */
struct routing {
    const struct core_conf *conf;
    struct route_tree tree;
    struct u64_map *groups; /* by route index: fingerprint of the group labels -> struct group * */
    size_t n_groups;
    struct heap timers;
    struct inhibitor *inhibitor;
};

struct engine {
    struct interner *names;
    const struct core_conf *conf;
    enum rules_wait rules_wait;
    enum matcher_mode mode;
    dur_ns retention;  /* --data.retention */
    str external_url;  /* for the labels of routes; the shell's */
    ts_ns start_after; /* mono: no flush before, --dispatch.start-delay */

    struct alert_table alerts;
    struct route_tree tree;
    struct u64_map *groups; /* by route index: fingerprint of the group labels -> struct group * */
    size_t n_groups;
    struct alert_limits limits;
    struct u64_map flushes; /* flush id -> struct group * whose newest flush it is */
    struct silencer *silencer;
    struct inhibitor *inhibitor;
    struct interval_set *intervals;
    struct nflog_map nflog;
    struct outbox_map outbox;
    struct send_queue queue;
    VEC(struct budget_state) budgets;
    struct u64_map buckets; /* destination -> struct pace_bucket * */
    struct relay_count relayed;
    uint64_t turns; /* that have ended */
    /* id -> struct rule_slot *: those of the vector, and removed ones whose last job is under way */
    struct u64_map rule_slots;
    VEC(struct rule_slot *) rules; /* in the order of the configuration */
    uint64_t rules_epoch;          /* of our ownership of the groups */
    VEC(struct builtin) builtins;  /* that are raised */
    struct changes changes;
    uint64_t audience_changed; /* the revision of the last change of what can keep an alert back */
    uint64_t sources_changed;  /* the same, but for silences */
    /* wall: the next instant at which time changes one; until when that is noted */
    ts_ns next_silence, seen_silences;
    ts_ns next_end, seen_ends; /* mono: the same of alerts */
    VEC(struct receiver_stats) receivers;

    struct heap group_timers, outbox_timers, rule_timers;
    size_t slice;       /* of what is many, how many a step */
    ts_ns groups_after; /* mono: no flush before, this turn has had enough */
    /* the routing of a configuration that is to come; NULL: none is being made */
    struct ahead *ahead;
    struct routing past; /* of the one before, while its groups go */
    ts_ns next_past;     /* mono: when they go on going; TS_MAX */
    ts_ns next_collect;  /* mono: when it goes on, in the alerts' map from collect_at on; TS_MAX */
    size_t collect_at;
    ts_ns next_gc, next_refresh, next_alive; /* mono */
    ts_ns down_at; /* wall: when the process before this one was last known alive; TS_NONE */
    uint64_t next_flush_id;
    struct rand jitter, ids;
    size_t log_bytes, live_bytes; /* of the alert log: all of it, and what would be left of it */
    struct journal journal;
    struct rule_history rule_history;
    struct engine_stats stats;
};

/* conf: stays until it is retired, or the engine freed. Its rule groups come as EVENT_RULE_GROUPS. seed: of ids, so another in each life. */
struct engine *engine_new(const struct core_conf *conf, enum matcher_mode mode, dur_ns retention,
                          uint64_t seed, struct now now);
void engine_free(struct engine *e);
/* Whether a group that a reload has changed has still to inherit: until then its rules of before are shown. */
bool engine_rules_inherit(const struct engine *e);
/* Until when rules skip their slots, so that none decides by samples that are not there yet. Where there is a store its
 * owner holds them before the first step. */
void engine_hold_rules(struct engine *e, enum rules_wait wait);

/* result may be NULL. */
void engine_step(struct engine *e, struct event *ev, struct now now, struct effects *fx,
                 struct event_result *result);
/* mono time at which EVENT_TIMER is due; TS_MAX = never */
ts_ns engine_next(const struct engine *e);

/* Ends a turn: its decisions go to the journal. */
void engine_journal(struct engine *e, struct now now, struct effects *fx);

/* Reads back what lasted; before the first step. What cannot be read is counted, logged by the caller. Rows that
 * an older version named otherwise are renamed by fx. */
bool engine_restore(struct engine *e, const struct state_reader *from, struct now now,
                    struct effects *fx, size_t *unreadable, struct err *err) must_check;
/* Everything that lasts, as rows and log records: the snapshot after trouble. */
void engine_snapshot(struct engine *e, struct now now, struct state_commit *c);
/* One alert as a record of the alert log. */
void engine_log_alert(struct buf *out, const struct alert *a);

/* -- reading -- */

/* The revision of the last change of these kinds (CHANGES_OF()), with what time alone has changed until now: silences that
 * began or ended and alerts that ended. It is what an answer that is made of them is tagged by. */
uint64_t engine_revision(struct engine *e, unsigned kinds, struct now now);

/* Whether the alert of our own fires. */
bool engine_tells(const struct engine *e, enum builtin_kind kind, str subject);

/* Its job takes longer than its interval. */
/* What a group of this number (rule_group_id()) shows; borrowed. NULL: there is none, or nothing yet. */
struct rule_group_view *engine_rules_shown(const struct engine *e, uint64_t group);
bool rule_slot_is_late(const struct rule_slot *s, struct now now);

const struct core_receiver *engine_receiver(const struct engine *e,
                                            str name); /* NULL when unknown */
struct alert *engine_alert(const struct engine *e, uint64_t fingerprint);

/* Lists are the arena's, the text is the alert's. */
struct notified_alert engine_notified(const struct alert *a, struct now now, struct arena *arena);
struct group *engine_group_of(const struct engine *e, const struct route *r, struct labels ls,
                              struct arena *scratch);

#endif
