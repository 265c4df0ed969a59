/* explain.h - why an alert was, or was not, sent: to whom, and when it is told next.
 *
 * Works on the engine as it stands and changes nothing. The answer has three parts: what holds the alert back now
 * (silences, inhibition), which way it takes through the routing tree, and, integration by integration, what was said,
 * what is under way, and what will be said if nothing but time passes: no alert comes, changes or ends, no silence is
 * made, every delivery succeeds.
 *
 * Shapes   a handful of routes and integrations; the foreseen times look at most EXPLAIN_TICKS flushes ahead.
 * Units    wall clock.
 * Owns     everything is borrowed from the engine, or lives in the arena given: use it before the next step.
 * Cost     a few flushes of each group that has the alert, at most EXPLAIN_LOOKS alerts looked at.
 * Source   ecosystem.md 8.4; alertmanager.md 3.5-3.10.
 */
#ifndef CORE_EXPLAIN_H
#define CORE_EXPLAIN_H

#include "codec/tz.h"
#include "core/audience.h"

enum { EXPLAIN_TICKS = 5000, EXPLAIN_LOOKS = 200000 };

/* Why the integration is told nothing of this alert right now. */
enum explain_verdict {
    EXPLAIN_INHIBITED,
    EXPLAIN_OUTSIDE_ACTIVE,
    EXPLAIN_MUTED,
    EXPLAIN_SILENCED,
    EXPLAIN_SENDING,        /* on its way */
    EXPLAIN_RETRYING,       /* failed, and waits for its next attempt */
    EXPLAIN_TOLD,           /* it knows */
    EXPLAIN_WAITING,        /* the group has not been flushed since */
    EXPLAIN_UNSENT_RESOLVE, /* it ended, and send_resolved is off */
    EXPLAIN_GONE,           /* it ended before it was told, or everybody knows that it did */
};
const char *explain_verdict_text(enum explain_verdict v); /* "inhibited" */

/* What a message that is decided waits for; the first of these. */
enum explain_wait {
    EXPLAIN_WAITS_NOT,     /* it is under way, or there is none */
    EXPLAIN_WAITS_ATTEMPT, /* its next attempt, or the time that it is meant for */
    EXPLAIN_WAITS_PACE,    /* its service takes no more for now: bucket.h */
    EXPLAIN_WAITS_ASKED,   /* its service asked to be left alone: Retry-After */
    EXPLAIN_WAITS_PLACE,   /* its turn: others are under way */
};
const char *explain_wait_text(enum explain_wait w); /* "pace"; of EXPLAIN_WAITS_NOT NULL */

struct explain_integration {
    const struct core_integration *conf;
    enum explain_verdict verdict;
    const struct nflog_entry *last; /* what it was told last about the group; NULL = nothing */
    const struct outbox_slot *slot; /* what is under way; NULL = nothing */
    enum explain_wait wait;         /* why that has not gone out */
    ts_ns waits_until;              /* wall; TS_NONE: for no known time */
    ts_ns next_at;                  /* when this alert is told next; TS_NONE = not foreseen */
    enum notify_reason next_reason;
    bool is_cut; /* the search for next_at met its limit */
};

struct explain_route {
    const struct route *route;
    const struct group *group; /* NULL: the alert is in no group of it */
    struct labels group_labels;
    str group_key;
    ts_ns next_flush;          /* TS_NONE without a group */
    enum held_by held_by;      /* the first thing that keeps the alert from it now */
    str outside_active, muted; /* interval names; empty = lets it through */
    struct explain_integration *integrations;
    size_t n;
};

struct explanation {
    struct labels labels;
    const struct alert *alert; /* NULL: not known, the rest is what would be */
    bool is_resolved;
    struct verdict verdict;       /* what keeps it back whatever the route */
    const struct rule_view *rule; /* of ours that made it, if its last answer said anything; NULL */
    struct route_trace_list trace;
    struct explain_route *routes;
    size_t n;
};

void engine_explain(const struct engine *e, struct labels ls, struct now now, struct arena *a,
                    struct explanation *out);
void explanation_release(struct explanation *x);

/* Now, for a reader whose clocks are those of a zone. */
struct local_now {
    struct now now;
    const struct tz *zone; /* borrowed; NULL: UTC */
};

void explain_say_time(struct buf *out, ts_ns t, const struct local_now *l); /* "2026-... (in 5m)" */
/* One sentence: "silenced until ... by ...", "told 3m ago, repeats at ...". */
void explain_say(struct buf *out, const struct engine *e, const struct explanation *x,
                 const struct explain_route *r, const struct explain_integration *in,
                 const struct local_now *l);

#endif
