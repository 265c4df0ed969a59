/* alert.h - an alert as the router keeps it, and how it is written to the alert log.
 *
 * Shapes   one object an identity (label set); the store and every group that holds the alert share it.
 * Units    starts_at, ends_at, updated_at are wall clock and part of the interface. Whether the alert has ended is
 *          decided by expires_mono alone, so that a step of the wall clock resolves nothing.
 * Owns     an alert holds references on its label sets; it is counted, on the loop thread only.
 * Source   alertmanager.md 3.1-3.3.
 */
#ifndef MODEL_ALERT_H
#define MODEL_ALERT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/time.h"
#include "model/labels.h"

/* What an alert says beside its times: a reference each. labels NULL: nothing. */
struct alert_content {
    struct label_set *labels, *annotations;
    struct shared_text *generator_url;
    uint64_t fingerprint;
};

/* As it comes in: everything borrowed. */
struct alert_input {
    struct labels labels, annotations;
    str generator_url;
    ts_ns starts_at, ends_at; /* TS_NONE = not given */
    bool has_value;           /* a rule evaluated here sends it, */
    double value;             /* which its expression gave */
    /* of the bytes that the first three were read from, by which they are known when they come again; zeros: they are not */
    struct hash_wide source;
    /* what these bytes were when they came before: then the first three are not read */
    struct alert_content known;
};

struct alert {
    struct label_set *labels, *annotations;
    struct shared_text *generator_url;
    uint64_t fingerprint; /* of the labels */
    ts_ns starts_at, ends_at, updated_at;
    ts_ns expires_mono; /* resolved from this instant of the monotonic clock on */
    uint64_t cleared;   /* audience_revision() at which nothing could keep it back; not stored */
    uint64_t revision;  /* of its last change; not stored */
    uint32_t refs : 28;
    bool is_timeout : 1; /* ends_at was not given: it is updated_at + resolve_timeout */
    /* it ended because nobody refreshed it, and the alert log knows; not stored */
    bool end_is_logged : 1;
    bool is_ours : 1;   /* a rule evaluated here sent it; not stored */
    bool is_routed : 1; /* it is in each of its groups; a group that loses it says so; not stored */
    uint32_t source_more; /* with source: 96 bits of its input's; not stored */
    uint64_t source;
    double value; /* of its rule's expression, NaN: none; another alone is no change; not stored */
};

_Static_assert(sizeof(struct alert) == 104, "with what malloc adds it takes 112 bytes");

struct alert *alert_new(struct interner *names, const struct alert_input *in,
                        dur_ns resolve_timeout, struct now now);
struct alert_content alert_content_ref(const struct alert *a); /* what it says now */
void alert_content_unref(struct alert_content *c);             /* nothing is fine */
/* The labels of an input, known or not; a view of those that are known is the arena's. */
struct labels alert_input_labels(const struct alert_input *in, struct arena *a);

struct alert *alert_ref(struct alert *a);
void alert_unref(struct alert *a);

static inline uint64_t alert_fingerprint(const struct alert *a)
{
    return a->fingerprint;
}

static inline str alert_generator_url(const struct alert *a)
{
    return shared_text_str(a->generator_url);
}

/* Whose its label sets are. */
static inline struct interner *alert_interner(const struct alert *a)
{
    return a->labels->names->owner;
}

static inline bool alert_is_resolved(const struct alert *a, struct now now)
{
    return a->expires_mono <= now.mono;
}

/* Changes `old` into the outcome of storing `in` over it (3.3): merged when their intervals overlap, replaced otherwise.
 * Returns whether anything but ends_at, updated_at and the expiry of a firing alert changed: only that is news. */
bool alert_store_over(struct alert *old, const struct alert *in, struct now now);

/* By job, then instance (an alert that has the label first), then label set: the order inside a notification. */
void alerts_sort(struct alert **v, size_t n);
/* Who reads v[0], and then the others, finds what they are made of in the cache: of some that come soon it is asked for now.
 * They stand anywhere in memory. left: from v[0] to the end. */
void alerts_look_ahead(struct alert *const *v, size_t left);

void alert_pack(struct buf *out, const struct alert *a);
struct unpack;
/* Restores an alert after a restart: kept until max(resolve_timeout, its last endsAt - updatedAt) after now, unless
 * it had ended already. NULL when the record is malformed. */
struct alert *alert_unpack(struct unpack *u, struct arena *scratch, struct interner *names,
                           dur_ns resolve_timeout, struct now now);

void labels_pack(struct buf *out, struct labels ls);
void label_set_pack(struct buf *out, const struct label_set *set); /* the same bytes */
struct labels labels_unpack(struct unpack *u, struct arena *a); /* text is sliced from the input */

#endif
