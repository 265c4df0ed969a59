/* compaction.h - the alert log is written anew from memory when most of it is old.
 *
 * It goes a slice at a time: the next one when the one before is on disk. What changes meanwhile is logged by its commit as
 * ever, and the backend writes that to both logs; a slice holds what memory says when it is handed over. So in the new log,
 * too, the last record of an alert is its newest.
 *
 * Shapes   a slice is at most 1,000 alerts, and ends behind 1 MiB.
 * Owns     the fingerprints that are left to be written; what leaves meanwhile is not written.
 * Cost     a start: O(alerts), 8 bytes each; a slice: O(its bytes).
 * Source   design.md 1.8, 4 "alerts on disk".
 */
#ifndef LIVE_COMPACTION_H
#define LIVE_COMPACTION_H

#include "core/engine.h"
#include "state/backend.h"

struct compaction {
    VEC(uint64_t) left; /* fingerprints; empty: none is under way */
    size_t at;
    uint64_t slice;                 /* number of the one handed over last */
    size_t log_bytes, packed_bytes; /* of the log when it began; of the slices */
};

/* Hands a slice over, if one is due; returns its number, or 0. reported: what the backend has reported. */
uint64_t compaction_step(struct compaction *c, struct engine *e, const struct state_backend *b,
                         uint64_t reported);
/* The store is in trouble, and will be written anew as a whole: what was under way is off. */
void compaction_stop(struct compaction *c);
void compaction_release(struct compaction *c);

#endif
