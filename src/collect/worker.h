/* worker.h - a thread for one part: it runs the part when asked, and hands the sheet over.
 *
 *     w = worker_new(part, stop_fd, done_fd)
 *     run = worker_ask(w, deadline)          from the loop: the number of a run; one that is under way is joined
 *     worker_take(w)                         from the loop, once done_fd (an eventfd) can be read: what has ended is w->last
 *     worker_stop(w); worker_join(w, by)     stop_fd can be read since before
 *
 * A part each has a thread of its own, so that one that hangs, in a call of a driver or on a server of NFS, holds up nobody
 * else, and a scrape only until its deadline: while it is overdue nobody waits for it (worker_is_overdue()).
 *
 * Owns     the worker owns its part. w->last is the loop's.
 * Cost     a thread that sleeps: some KiB.
 */
#ifndef COLLECT_WORKER_H
#define COLLECT_WORKER_H

#include "collect/part.h"

/* What a run came to. */
struct worker_result {
    uint64_t run; /* its number; 0: none has ended */
    struct sheet sheet;
    bool ok;
    struct err err;
    struct buf note;
    double took; /* seconds */
};

struct worker;

struct worker *worker_new(struct part *part, int stop_fd, int done_fd);
uint64_t worker_ask(struct worker *w, ts_ns deadline);
/* Whether a run has ended since. */
bool worker_take(struct worker *w);
const struct worker_result *worker_last(const struct worker *w);
const struct part *worker_part(const struct worker *w);
/* It runs, and should have ended. */
bool worker_is_overdue(const struct worker *w);
void worker_stop(struct worker *w);
/* False: it still runs at that time of the monotonic clock, and stays as it is. Else it is freed. */
bool worker_join(struct worker *w, ts_ns by) must_check;

#endif
