/* decision.h - what a stage decided about an alert or a group, and why: the raw material of explain.
 *
 * Every stage that keeps an alert from a receiver, or sends it, leaves one. Live they go to a bounded journal, in tests
 * they are the expectation.
 *
 * Shapes   one an alert and stage at a flush; text in the arena of the turn.
 * Units    wall clock; took is a duration.
 * Owns     a decision in an effects list borrows from the turn's arena; the journal copies.
 */
#ifndef MODEL_DECISION_H
#define MODEL_DECISION_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"

enum decision_kind {
    DECISION_GROUPED,        /* the alert joined a group of this route */
    DECISION_INHIBITED,      /* by: fingerprints of the sources */
    DECISION_SILENCED,       /* by: silence ids */
    DECISION_MUTED_TIME,     /* by: names of mute_time_intervals */
    DECISION_OUTSIDE_ACTIVE, /* by: names of active_time_intervals */
    DECISION_NOTIFY,         /* reason text in why; a row is in the outbox */
    DECISION_NOTHING,        /* dedup: nothing new to tell; until = when a repeat is due */
    DECISION_REPLACED,       /* an unsent row gave way to a newer one */
    DECISION_DROPPED,        /* a resolve whose firing was never delivered */
    DECISION_DELIVERED,
    DECISION_RETRY, /* until = the next attempt */
    DECISION_FAILED,
    DECISION_RESOLVED_UNSENT, /* send_resolved is off: logged as told */
};

struct decision {
    enum decision_kind kind;
    ts_ns at, until;      /* until: TS_NONE when it does not apply */
    uint64_t fingerprint; /* of the alert; 0 = the whole group */
    str group_key, receiver, integration;
    unsigned index;
    str why; /* reason, status, error: one line */
    str by;  /* names or ids, comma-separated */
    /* of a notification */
    uint64_t flush_id;
    const uint64_t *alerts; /* fingerprints that NOTIFY tells, firing ones first */
    size_t n_alerts, n_firing;
    unsigned attempt; /* of an answer, from 1 */
    int status;       /* HTTP or SMTP; 0 = none */
    dur_ns took;
    bool is_repeated; /* the last flush decided the same: no news for the journal */
};

const char *decision_kind_text(enum decision_kind k);

/* Appends one, and reads it back; text and fingerprints are sliced from or copied to the arena. */
struct unpack;
void decision_pack(struct buf *out, const struct decision *d);
bool decision_unpack(struct unpack *u, struct arena *a, struct decision *d) must_check;

#endif
