/* journal.h - what was decided, kept for those who ask later: the past half of explain.
 *
 * A turn's decisions become one block: a row of the store, and the same bytes in memory. What a flush decides again and
 * again (still silenced, nothing new) is written when it changes. The oldest blocks go first, by age and by size.
 *
 * Shapes   about 150 bytes a decision, plus 8 an alert that a notification tells; 16 MiB by default.
 * Units    wall clock.
 * Owns     the journal owns its blocks. What a scan shows is borrowed during the callback.
 * Cost     adding: packing. A scan reads every block, about 100 ns a decision.
 * Source   ecosystem.md 8.4; design.md 1.4.
 */
#ifndef CORE_JOURNAL_H
#define CORE_JOURNAL_H

#include "base/vec.h"
#include "model/decision.h"
#include "model/row.h"

struct journal_block {
    uint64_t number;
    ts_ns at;
    str bytes; /* owned */
};

struct journal {
    VEC(struct journal_block) blocks; /* oldest first, from `first` on */
    size_t first, bytes;
    uint64_t next;
};

void journal_release(struct journal *j);
/* Takes the news among a turn's decisions; appends the row to c. */
void journal_add(struct journal *j, const struct decision *v, size_t n, struct state_commit *c);
/* Forgets what is older than `before`, and the oldest beyond max_bytes. */
void journal_trim(struct journal *j, ts_ns before, size_t max_bytes, struct state_commit *c);
bool journal_restore(struct journal *j, str key, str value); /* in key order; false: unreadable */
void journal_snapshot(const struct journal *j, struct state_commit *c);

/* Where a decision stands: in which block, and how many of the block's stand before it. */
struct journal_place {
    uint64_t block, index;
};
#define JOURNAL_END ((struct journal_place){UINT64_MAX, UINT64_MAX})

/* Newest first, until seen returns false. */
void journal_scan(const struct journal *j, bool (*seen)(void *arg, const struct decision *d),
                  void *arg);
/* The same of those before a place, one block and more until about `most` have been seen. *place: where the last one seen
 * stands, to go on from. Returns whether there are more. */
bool journal_scan_back(const struct journal *j, struct journal_place *place, size_t most,
                       bool (*seen)(void *arg, const struct decision *d, struct journal_place at),
                       void *arg);
bool journal_is_first(const struct journal *j, uint64_t block); /* nothing older is there */
/* Oldest first, of the blocks from number *from on, at most so many blocks; *from: the next one. Returns whether there are
 * more. */
bool journal_read(const struct journal *j, uint64_t *from, size_t blocks,
                  void (*seen)(void *arg, const struct decision *d), void *arg);

#endif
