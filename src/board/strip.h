/* strip.h - of each group the last 24 hours in 48 slots, as its notifications told them.
 *
 * What a group told is in the journal (core/journal.h), which outlives a restart: from a notification that something fires
 * until the one that nothing does any more, it fired. Blocks are read once, some a call, as they are asked for; nobody who
 * does not ask pays.
 *
 * Shapes   a slot is 30 minutes of the wall clock; 72 bytes a group that told something within the day.
 * Owns     the strips own themselves; the journal is borrowed.
 * Cost     about 100 ns a decision, once.
 */
#ifndef BOARD_STRIP_H
#define BOARD_STRIP_H

#include "base/map.h"
#include "core/journal.h"

enum { STRIP_SLOTS = 48 };

struct strips {
    struct u64_map of; /* strip_key() -> struct strip * */
    uint64_t block;    /* the next to be read */
    int64_t swept;     /* the slot in which what had gone was dropped last */
};

void strips_release(struct strips *s);
uint64_t strip_key(str group_key, str receiver); /* stable: the group's key in the answer, too */
/* Reads some blocks more; returns whether there are more. */
bool strips_read(struct strips *s, const struct journal *j, ts_ns now) must_check;
/* Appends a digit a slot, oldest first: 0 nothing, 1 one alert, 2 up to 4, 3 up to 9, 4 up to 49, 5 more. False: it has told
 * nothing within the day. */
bool strip_put(const struct strips *s, uint64_t key, ts_ns now, struct buf *out);

#endif
