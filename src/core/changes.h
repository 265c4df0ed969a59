/* changes.h - what has changed: one revision that only grows, and the last changes by it.
 *
 * Each change of an object takes the next revision, which the object keeps, and stands in a ring as {kind, id}. Whoever
 * follows (a page's event stream, another process) remembers up to where it has read; one that was too slow is told that
 * it has lost some, and reads everything anew. An id that is not found any more is of something that has gone.
 *
 *     uint64_t seen = changes->revision;
 *     while (changes_next(changes, &seen, &c, &lost)) ...
 *
 * Shapes   the last 4,096 changes; more when somebody follows who needs them, as replicas will: 65,536 are 1.5 MB.
 * Units    a revision is a count from 1; 0 is before everything.
 * Owns     the ring.
 * Cost     a change: one write of 24 bytes.
 * Source   design.md 2.6.
 */
#ifndef CORE_CHANGES_H
#define CORE_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

enum change_kind {
    CHANGED_ALERT,   /* its fingerprint; 0: all of them */
    CHANGED_SILENCE, /* silence_key() */
    CHANGED_GROUP, /* fingerprint of its labels, index of its route; a new configuration changes all of them */
    CHANGED_ROW,   /* of the outbox: hash of its key */
    CHANGED_RULES, /* the slot's id */
    CHANGED_CONFIG,
    CHANGED_CLOCK, /* the wall clock was set, or nothing ran for a while */
    CHANGE_KINDS,
};

enum { CHANGES_KEPT = 4096 };

/* A set of kinds. */
#define CHANGES_OF(kind) (1U << (kind))

struct change {
    uint64_t revision;
    enum change_kind kind;
    uint64_t id[2];
};

struct changes {
    uint64_t revision;           /* of the last change */
    uint64_t last[CHANGE_KINDS]; /* the same, of each kind */
    struct kept_change *ring;    /* the change of revision r at r modulo its size */
};

void changes_init(struct changes *c);
void changes_release(struct changes *c);
/* Returns the revision of the change. */
uint64_t changes_note(struct changes *c, enum change_kind kind, uint64_t id, uint64_t more);
/* The next change after *seen, which becomes seen. False: there is none. *lost: some that came after *seen are not known any
 * more, and out is the oldest that is; never set to false. */
bool changes_next(const struct changes *c, uint64_t *seen, struct change *out, bool *lost);
/* Of the last change of one of these kinds. */
uint64_t changes_last(const struct changes *c, unsigned kinds);

#endif
