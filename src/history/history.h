/* history.h - samples beyond what memory keeps: written a span at a time, read by queries.
 *
 * Every five minutes what came since is written, in pieces, by whoever may wait for the disk:
 *
 *     h = history_new(db)                          history_select(), history_keep(): what and how much of it
 *     history_open(h, dir, &e)                     what is there is found
 *     history_step(h, now, &more, &e)              every second or so; again soon, when there is more
 *
 * and a query takes a look at it, which past.h has. There is a file a day (file.h), or several where one has reached a quarter
 * of the room; the oldest is removed when all of it is too old, or when there is too much. A file that is damaged is set
 * aside, with all that it has, and the next one begins. Nothing is written while less than a tenth of the volume is free.
 *
 * A span is written once it is over. Of each series is known up to when it is written, so that a sample that brings a time
 * of its own and comes late is added then. After a restart that stands in the newest file; what is missing there is in
 * memory again, from the log of samples, before anything else may drop it.
 *
 * Shapes   100,000 series, some hundred spans a file.
 * Units    ts_ms.
 * Errors   ERR_IO, ERR_LIMIT (no space): the span is tried again as long as memory has it.
 * Owns     the store is borrowed. history_figures(), and looks, from any thread; all else from one that may wait.
 * Cost     of 100,000 series half a second of a core a span, some 20 bytes a series that moves little. 40 bytes a series in
 *          memory.
 * Source   design.md 2.10, 4.
 */
#ifndef HISTORY_HISTORY_H
#define HISTORY_HISTORY_H

#include "base/err.h"
#include "base/time.h"
#include "model/matcher.h"

struct tsdb;
struct history;

/* How long memory keeps what is to be written: one span, and one in which it can be tried again. */
enum { HISTORY_REACH_MS = 10 * 60 * 1000 };

struct history *history_new(struct tsdb *db);
void history_free(struct history *h); /* nobody looks any more; NULL is fine */

/* What is written from now on, and kept in memory for that; n 0: nothing. */
bool history_select(struct history *h, const struct matchers *ms, size_t n,
                    struct err *e) must_check;
/* max_bytes 0: no limit. keep_ms 0: nothing is written, what is there is removed. */
void history_keep(struct history *h, int64_t keep_ms, int64_t max_bytes);

bool history_open(struct history *h, str dir, struct err *e) must_check;
/* *more: a span is being written, and there is more of it. */
bool history_step(struct history *h, struct now now, bool *more, struct err *e) must_check;

enum history_state {
    HISTORY_OFF,
    HISTORY_WRITES,
    HISTORY_NO_ROOM, /* less than a tenth of the volume is free */
    HISTORY_FAILS,
};
extern const char *const history_state_names[];

struct history_figures {
    enum history_state state;
    size_t files;
    uint64_t bytes;
    ts_ms oldest, newest; /* spans that there are, [oldest, newest); newest <= oldest: none */
    uint64_t spans, series, samples, failures; /* written since the start; series: rows */
    uint64_t damaged;                          /* files that were set aside */
    char why[256];                             /* of the last of them */
};

struct history_figures history_figures(struct history *h);

#endif
