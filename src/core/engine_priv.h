/* engine_priv.h - what the engine's own files share. */
#ifndef CORE_ENGINE_PRIV_H
#define CORE_ENGINE_PRIV_H

#include "core/audience.h"
#include "core/engine.h"

/* alerts.c */
void alerts_take(struct engine *e, const struct alert_input *v, size_t n, enum alert_origin origin,
                 struct now now, struct effects *fx, struct event_result *result);
void alerts_route(struct engine *e, struct alert *a, struct now now, struct effects *fx);
void alerts_gc(struct engine *e, struct now now, struct effects *fx);
/* Raises or ends the alert about the limits. */
void alerts_tell_limits(struct engine *e, struct now now, struct effects *fx);

/* flush.c */
void groups_run_due(struct engine *e, struct now now, struct effects *fx);
void groups_rebuild(struct engine *e, struct now now, bool restored);
void groups_release(struct engine *e);
void group_destroy(struct engine *e, struct group *g);
/* s ends, or was ended: groups that it kept quiet may look at once (notifications.flush_at_window_end). */
void groups_silence_ends(struct engine *e, const struct silence *s, struct now now);
void group_answered(struct engine *e, uint64_t flush_id, bool ok);
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
void outbox_decide(struct engine *e, const struct notification *n,
                   const struct core_integration *ic, str key, struct hash_list firing,
                   struct hash_list resolved, dur_ns repeat, struct now now, struct effects *fx);
/* The group key that the waiting row of a key is told under, if that is not the one in the key; otherwise empty. */
str outbox_key_told_as(const struct engine *e, str key);
/* Whether the receiver may have heard, or be hearing, something else than that these fire, and the log does not know. */
bool outbox_may_have_said_else(const struct engine *e, str key, struct hash_list firing);
bool outbox_drop_unsent(struct engine *e, str key, struct now now, struct effects *fx,
                        const char *why);
/* The slot's row is about to be sent. Nobody of it may be told any more: it goes, and no log entry tells of it. */
void outbox_withdraw(struct engine *e, struct outbox_slot *s, struct now now, struct effects *fx);
/* It tells fewer: returns the row that takes its place. */
const struct outbox_row *outbox_reduce(struct engine *e, struct outbox_slot *s,
                                       const struct notification *n, struct hash_list firing,
                                       struct hash_list resolved, struct now now,
                                       struct effects *fx);
/* Takes the row of an earlier life; of two that have one name now, the newer stays. */
void outbox_restore(struct engine *e, struct outbox_row *row, bool is_renamed, struct now now,
                    struct effects *fx);
void outbox_delivered(struct engine *e, const struct delivery_result *d, struct now now,
                      struct effects *fx);
void outbox_run_due(struct engine *e, struct now now, struct effects *fx);
/* The wall clock was set: rows say by it until when they wait. */
void outbox_write_waiting(struct engine *e, struct now now, struct effects *fx);
void outbox_prune(struct engine *e, struct now now, struct effects *fx);
void outbox_release(struct engine *e);
void nflog_write(struct engine *e, str key, struct nflog_entry *entry, struct now now,
                 struct effects *fx);
void nflog_gc(struct engine *e, struct now now, struct effects *fx);

/* rules.c */
void rules_configure(struct engine *e, const struct rule_shape *v, size_t n, struct now now,
                     struct effects *fx);
void rules_run_due(struct engine *e, struct now now, struct effects *fx);
void rules_ran(struct engine *e, const struct rules_ran *ran, struct now now, struct effects *fx);
void rules_rearm(struct engine *e, struct now now);
void rules_release(struct engine *e);

/* builtin.c */
void builtin_set(struct engine *e, enum builtin_kind kind, bool raised, str subject, str why,
                 struct now now, struct effects *fx);
/* A step of some size is told for a while. */
void builtin_clock_stepped(struct engine *e, dur_ns by, struct now now, struct effects *fx);
bool builtin_is_name(str alertname);
void builtins_refresh(struct engine *e, struct now now, struct effects *fx);

struct decision *decide(struct effects *fx, enum decision_kind kind, struct now now);

#endif
