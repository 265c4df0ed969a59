/* past.h - what history has of a span of time, as a storage that one query reads.
 *
 *     p = past_new(h, from, to, max_bytes, goes_on, arg)        NULL: there is nothing of that time
 *     gather_past(g, past_storage(p))                           and the query runs over the gathering
 *     if (past_is_whole(p)) ... past_warning(p)                 a file that was damaged: its name
 *     past_free(p)
 *
 * All that a selector matches is read at storage_begin(), from the files as they are then. Files are asked by symbols: a
 * matcher is tried once a value. A file that turns out to be damaged is left out, and noted for who writes to set it aside.
 *
 * Shapes   a day of some series, minutes of 100,000.
 * Units    ts_ms; from and to are rounded to spans.
 * Errors   a look that was stopped, or has become too large, is not whole.
 * Owns     copies, until it is freed. One thread.
 * Cost     10 ns a sample, 2 us a series and span when there are few of them, 0.2 us when there are many.
 */
#ifndef HISTORY_PAST_H
#define HISTORY_PAST_H

#include "history/history.h"
#include "promql/storage.h"

struct past;

struct past *past_new(struct history *h, ts_ms from, ts_ms to, size_t max_bytes,
                      bool (*goes_on)(void *arg), void *arg);
void past_free(struct past *p); /* NULL is fine */
struct storage past_storage(struct past *p);
bool past_is_whole(const struct past *p);
/* Of a file that could not be read, in words; empty: all could. */
str past_warning(const struct past *p);

/* The labels of each series that matches and has a sample in a span of the time; of a file all of whose spans are asked for, of
 * each that is in it. May tell a series twice. False: goes_on() said no. */
bool past_labels(struct past *p, const struct matchers *ms,
                 void (*see)(void *arg, struct labels ls), void *arg) must_check;

#endif
