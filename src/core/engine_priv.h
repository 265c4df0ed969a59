/* engine_priv.h - what the engine's own files share. */
#ifndef CORE_ENGINE_PRIV_H
#define CORE_ENGINE_PRIV_H

#include "core/audience.h"
#include "core/engine.h"
#include "core/part.h"
#include "core/receiver_health.h"

/* alerts.c */
void alerts_take(struct engine *e, const struct alert_input *v, size_t n, enum alert_origin origin,
                 ts_ns arrived, struct now now, struct effects *fx, struct event_result *result);
/* Puts it into its groups; returns whether there are some, and it is in all of them. */
bool alerts_route(struct engine *e, struct alert *a, struct now now, struct effects *fx);
ts_ns alerts_due(const struct engine *e);
void alerts_collect(struct engine *e, struct now now, struct effects *fx);
void alerts_gc(struct engine *e, struct now now, struct effects *fx);
bool alert_log_end(struct engine *e, struct alert *a, struct effects *fx);
/* The last event of a life: ends that only the clock has told are written, or the next life would have them back. */
void alerts_log_ends(struct engine *e, struct now now, struct effects *fx);
void alerts_paused(struct engine *e, dur_ns lost, struct now now, struct effects *fx);
/* Raises or ends the alert about the limits. */
void alerts_tell_limits(struct engine *e, struct now now, struct effects *fx);

/* flush.c */
void groups_run_due(struct engine *e, struct now now, struct effects *fx);
void groups_rebuild(struct engine *e, struct now now, bool restored);
void groups_stepped(struct engine *e, dur_ns by, struct now now, struct effects *fx);
void groups_release(struct engine *e);
void group_destroy(struct engine *e, struct group *g);
/* s ends, or was ended: groups that it kept quiet may look at once (notifications.flush_at_window_end). */
void groups_silence_ends(struct engine *e, const struct silence *s, struct now now);
void group_answered(struct engine *e, uint64_t flush_id, bool ok, struct now now,
                    struct effects *fx);
/* The next look is at wake (wall, audience_wake()) when that is sooner. */
void group_wake_early(struct engine *e, struct group *g, ts_ns wake, struct now now);

/* suppress.c */
/* One look at a group, or at what is left of it. */
struct look {
    struct engine *e;
    struct group *group; /* NULL: it is no more */
    str group_key, receiver;
    struct now now;
    struct effects *fx;
    size_t out_of_time; /* alerts that the route's intervals keep back */
};
void look_holds(struct look *l, uint64_t fingerprint, const struct verdict *v);
void look_tells(struct look *l, uint64_t fingerprint);
void look_ends(struct look *l, const struct audience *au);

/* attempt.c */
/* The row of the key is about to be sent: returns what to send, the row or another in its place; NULL: it was withdrawn. */
const struct outbox_row *attempt_ask(struct engine *e, str key, struct now now, struct effects *fx);

/* delivery.c */
/* of: the alerts that n tells of, which the row then names; NULL: it has copies. */
void outbox_decide(struct engine *e, const struct notification *n, const struct alert *const *of,
                   const struct core_integration *ic, str key, struct hash_list firing,
                   struct hash_list resolved, dur_ns repeat, struct now now, struct effects *fx);
/* The group key that the waiting row of a key is told under, if that is not the one in the key; otherwise empty. */
str outbox_key_told_as(const struct engine *e, str key);
/* What the receiver may have heard, or be hearing, and the log does not know: that this one fires; something else than that
 * these fire. */
bool outbox_may_have_told(const struct engine *e, str key, uint64_t hash);
bool outbox_may_have_said_else(const struct engine *e, str key, struct hash_list firing);
/* What was decided for the key goes in one message with what is decided beside it: its window has opened. */
void outbox_gathers(struct engine *e, str key, bool opens);
/* Whether a digest tells what ended while its window was closed, though nobody heard that it fired: when that opens, and
 * while such a row waits. s, told: NULL when there is none. */
bool outbox_digest_tells_end(const struct outbox_slot *s, const struct nflog_entry *told,
                             struct hash_list firing, struct hash_list resolved, bool opens);
bool outbox_drop_unsent(struct engine *e, str key, struct now now, struct effects *fx,
                        const char *why);
/* The slot's row is about to be sent. Nobody of it may be told any more: it goes, and no log entry tells of it. */
void outbox_withdraw(struct engine *e, struct outbox_slot *s, struct now now, struct effects *fx);
/* It tells fewer: returns the row that takes its place. */
const struct outbox_row *outbox_reduce(struct engine *e, struct outbox_slot *s,
                                       const struct notification *n, struct hash_list firing,
                                       struct hash_list resolved, struct now now,
                                       struct effects *fx);
/* NULL: it is not configured any more. */
const struct core_integration *outbox_integration(const struct engine *e,
                                                  const struct outbox_row *r);
/* Takes the row of an earlier life; of two that have one name now, the newer stays. */
void outbox_restore(struct engine *e, struct outbox_row *row, bool is_renamed, struct now now,
                    struct effects *fx);
/* Its newest row was decided by what kept alerts back at that revision. */
void outbox_asked_at(struct engine *e, str key, uint64_t revision);
/* Returns how many rows waited for one of them. */
size_t outbox_hear(struct engine *e, const struct receipts_heard *x, struct now now,
                   struct effects *fx);
void outbox_delivered(struct engine *e, const struct delivery_result *d, struct now now,
                      struct effects *fx);
/* Free places go to who waits for one. */
void outbox_serve(struct engine *e, struct now now, struct effects *fx);
void outbox_configure(struct engine *e, struct now now, struct effects *fx);
ts_ns outbox_due(const struct engine *e);
void outbox_run_due(struct engine *e, struct now now, struct effects *fx);
/* The wall clock was set: rows say by it until when they wait. */
void outbox_stepped(struct engine *e, dur_ns by, struct now now, struct effects *fx);
void outbox_release(struct engine *e);
void nflog_write(struct engine *e, str key, struct nflog_entry *entry, struct now now,
                 struct effects *fx);
/* For how long an entry is kept that something sent of such a route has left. */
dur_ns nflog_lifetime(const struct engine *e, dur_ns repeat);
void nflog_gc(struct engine *e, struct now now, struct effects *fx);

/* rules.c */
void rules_configure(struct engine *e, const struct rule_shape *v, size_t n, struct now now,
                     struct effects *fx);
void rules_run_due(struct engine *e, struct now now, struct effects *fx);
void rules_ran(struct engine *e, const struct rules_ran *ran, size_t from, size_t until,
               struct now now, struct effects *fx);
void rules_stepped(struct engine *e, dur_ns by, struct now now, struct effects *fx);
ts_ns life_due(const struct engine *e); /* the note that this process lives */
void life_run(struct engine *e, struct now now, struct effects *fx);
bool life_restore(struct restoring *r, str key, str value);
void rules_release(struct engine *e);

/* builtin.c */
#define BUILTIN_REFRESH (30 * NS_PER_S) /* what is raised is said again */
void builtin_set(struct engine *e, enum builtin_kind kind, bool raised, str subject, str why,
                 struct now now, struct effects *fx);
/* Raises it for so long. */
void builtin_tell(struct engine *e, enum builtin_kind kind, str subject, str why, dur_ns lasts,
                  struct now now, struct effects *fx);
/* A step of some size is told for a while. */
void builtin_clock_stepped(struct engine *e, dur_ns by, struct now now, struct effects *fx);
bool builtin_is_name(str alertname);
ts_ns builtins_due(const struct engine *e);
bool builtin_is(str alertname, enum builtin_kind kind);
void builtins_release(struct engine *e);
void builtins_refresh(struct engine *e, struct now now, struct effects *fx);

/* routing.c */
/* Makes some of the routing of a configuration that is to come; NULL: none is. Returns whether it is whole. */
bool ahead_go_on(struct engine *e, const struct core_conf *conf, struct now now);
/* The alert is new, or fires again: it is for that routing, too. It leaves the store. */
void ahead_take(struct engine *e, struct alert *a, struct now now);
void ahead_forget(struct engine *e, const struct alert *a);
void ahead_release(struct engine *e);
/* From here on e routes by it; returns the configuration before. */
const struct core_conf *routing_put(struct engine *e, const struct core_conf *conf, struct now now);
ts_ns past_due(const struct engine *e);
void past_run(struct engine *e, struct now now, struct effects *fx);
void past_release(struct engine *e);

/* revision.c */
void changed_alert(struct engine *e, struct alert *a);
void changed_silence(struct engine *e, const struct silence *s);
void changed_group(struct engine *e, struct group *g);
void changed_row(struct engine *e, struct outbox_row *r);
/* Another source inhibits, or everything may be different. */
void changed_sources(struct engine *e);
void changed_all(struct engine *e, enum change_kind kind);

/* engine.c */
#define GC_INTERVAL (30 * NS_PER_S)
ts_ns gc_due(const struct engine *e);
void gc_run(struct engine *e, struct now now, struct effects *fx);
void intervals_configure(struct engine *e, struct now now, struct effects *fx);
void receivers_configure(struct engine *e, struct now now, struct effects *fx);
void silences_gc(struct engine *e, struct now now, struct effects *fx);

/* restore.c */
bool alerts_restore(struct restoring *r, str key, str record);
bool silences_restore(struct restoring *r, str key, str value);
bool nflog_restore(struct restoring *r, str key, str value);
bool outbox_restore_row(struct restoring *r, str key, str value);
bool decisions_restore(struct restoring *r, str key, str value);
void alerts_snapshot(struct engine *e, struct now now, struct state_commit *c);
void silences_snapshot(struct engine *e, struct now now, struct state_commit *c);
void nflog_snapshot(struct engine *e, struct now now, struct state_commit *c);
void outbox_snapshot(struct engine *e, struct now now, struct state_commit *c);
void decisions_snapshot(struct engine *e, struct now now, struct state_commit *c);

struct decision *decide(struct effects *fx, enum decision_kind kind, struct now now);
/* That n is told: of whom, firing ones first. */
struct decision *decide_told(struct effects *fx, const struct notification *n, struct now now);

/* NULL: there is none. */
struct receiver_stats *receiver_stats_of(struct engine *e, str receiver);
struct outbox_slot *outbox_slot_of(const struct engine *e, str key);

#endif
