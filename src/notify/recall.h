/* recall.h - what deliveries learn and may not write to a disk, such as an access token: in memory, until it expires.
 *
 * Shapes   64 entries; the one that expires first makes room.
 * Units    wall clock.
 * Owns     copies, of names and values; wiped when they go.
 * Threads  any; each call holds a lock for microseconds.
 */
#ifndef NOTIFY_RECALL_H
#define NOTIFY_RECALL_H

#include "base/arena.h"
#include "base/time.h"

struct recall;

struct recall *recall_new(void);
void recall_free(struct recall *r);
void recall_put(struct recall *r, str name, str value,
                ts_ns until); /* replaces; an empty value forgets */
bool recall_get(struct recall *r, str name, ts_ns now, struct arena *a, str *out);

#endif
