/* audience.h - the one judge of who of a group is told at an instant, and of what keeps each other one back, until when.
 *
 * Three things keep an alert back, asked in this order: another alert that inhibits it, the time intervals of its route,
 * silences. The first that holds is the verdict. Flush, attempt, foresee, explain, the API and the metrics ask here and
 * nowhere else. Nothing here writes: what a look leaves behind (decisions, counts) is its owner's (suppress.c).
 *
 * The instant is an argument. Its monotonic clock says who fires, and so inhibits; its wall clock says which intervals and
 * silences hold. So foresee asks about the wall time of a tick to come and about what fires today.
 *
 * Revisions. Of an alert of which no silence and no source of an inhibition speaks, whatever the time, that is known until
 * audience_revision() is another: the asker keeps the revision (struct alert, `cleared`), and a quiet alert is judged by
 * one comparison. When only silences have changed since, only those are looked at.
 *
 * Shapes   100,000 alerts, 500 silences, 100 inhibition rules.
 * Errors   none.
 * Owns     a verdict owns its lists; silences in it are borrowed until the next step.
 * Cost     audience_at(): the intervals of the route. A verdict: O(inhibition rules + silences that can match), or O(1) when
 *          it is cleared.
 * Source   alertmanager.md 3.6; design.md 2.1, 2.6, 2.12.
 */
#ifndef CORE_AUDIENCE_H
#define CORE_AUDIENCE_H

#include "core/engine.h"

/* Who is told by a route at an instant. */
struct audience {
    const struct engine *e;
    const struct route *route; /* NULL: of any: no interval is asked */
    struct now at;
    /* what the route's intervals say to everybody: nothing, or one of the two times */
    enum held_by time;
    ts_ns reopens; /* audience_wake() looked for it already; TS_NONE: it did not */
};

/* Whether a route speaks early when its window opens: all do, or this one has a digest then. */
bool audience_wakes(const struct engine *e, const struct route *route);
/* Of a route with a digest: its window has opened within the last minute. */
bool audience_opens(const struct audience *au);
/* The same, and it has not: what ends is kept for the digest. */
bool audience_keeps_ends(const struct audience *au);
struct audience audience_at(const struct engine *e, const struct route *route, struct now at);
/* Appends the names of the route's intervals that say so of everybody (HELD_BY_ACTIVE_TIME or _MUTE_TIME, whichever
 * decides), comma-separated; none: nothing. */
void audience_names(const struct audience *au, enum held_by time, struct buf *by);

struct verdict {
    enum held_by held_by;
    struct inhibition_list inhibited_by;
    struct silence_list silenced_by; /* oldest first */
    /* wall: the last instant at which one of these silences holds; TS_NONE: none is found */
    ts_ns until;
    struct arena room; /* for the labels of the alert that was asked about */
};
void verdict_release(struct verdict *v);

/* Whether an alert of these labels is told; v, filled anew, says by what it is held. */
bool audience_tells(const struct audience *au, struct labels ls, struct verdict *v);
/* The same of an alert that we have. cleared: what the asker keeps for it, 0 at first, to be used for this instant and later
 * ones. */
bool audience_tells_alert(const struct audience *au, const struct alert *a, uint64_t *cleared,
                          struct verdict *v);
/* As audience_tells(), but v has everything that keeps it back, not only what decides. */
bool audience_judge(const struct audience *au, struct labels ls, struct verdict *v);
/* notifications.flush_at_window_end: when (wall) what decided v has ended, if nothing but time passes: the end of the
 * silences, or the first instant before `before` at which the intervals let it through. TS_MAX: nobody knows, or it is
 * off. */
ts_ns audience_wake(struct audience *au, const struct verdict *v, ts_ns before);
/* notifications.resolve_suppressed: an end is told whatever keeps the alert back, to whom was told last that it fires.
 * told: what the integration's log says; NULL: nothing. */
bool audience_hears_end(const struct engine *e, const struct nflog_entry *told, uint64_t hash,
                        bool is_resolved);

/* Of the last change, but time's, of what can keep an alert back (changes.h). Never 0. */
uint64_t audience_revision(const struct engine *e);

/* -- of a row -- */

/* Whether an attempt at that time (mono) sends the row as it is: nothing could keep an alert back, it may have arrived
 * already, we do not know yet what fires, or it was decided within this second and nothing has changed since. */
bool audience_is_settled(const struct engine *e, const struct outbox_row *row, ts_ns mono);

/* Who of a row is told by an attempt. Lists and text are the arena's, or the row's. */
struct row_audience {
    struct group *group;           /* NULL: it is no more */
    struct audience of;            /* of the group's route */
    struct notification all, told; /* the row's, and what is left of it */
    struct hash_list firing, resolved;
    ts_ns wake; /* wall: when something that keeps one back ends before the group's tick; TS_MAX */
    bool is_whole; /* nobody is kept back */
};
/* known: what the integration's log says then; NULL: nothing. False: the row's data cannot be read. */
bool audience_of_row(const struct engine *e, const struct outbox_row *row,
                     const struct nflog_entry *known, struct now at, struct arena *a,
                     struct row_audience *out) must_check;
/* Whether nobody is left to be told anything new by an attempt at that time (mono). */
bool row_is_withdrawn(const struct row_audience *x, const struct outbox_row *row,
                      const struct nflog_entry *known, ts_ns mono);

/* -- of an alert, as it is listed -- */

struct alert_status {
    struct verdict verdict; /* everything that keeps it back */
    struct route_list routes;
};
/* Filled anew; reuse one struct for many alerts. */
void audience_status(const struct audience *au, struct alert *a, struct alert_status *st);
void alert_status_release(struct alert_status *st);

#endif
