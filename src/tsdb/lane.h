/* lane.h - samples that bring times of their own.
 *
 * Such samples do not share the times of their scrape: an exporter may show 100 containers, each with the time at which
 * it was looked at, or the series of many other targets. A stream therefore has lanes, each a stream of its own. Series
 * that come with the same time share a lane for as long as that goes well; one whose next time is before its lane's last
 * moves to another lane, and those that had been with it and move for the same time stay with it:
 *
 *     scrape    a 10  b 10  c 12      lanes  [a b: 10]  [c: 12]
 *     scrape    a 25  b 24  c 27      lanes  [a b: 10 24 25]  [c: 12 27]
 *     scrape    a 40  b 24  c 42      lanes  [a b: 10 24 25 40]  [c: 12 27 42]
 *     scrape    a 55  b 39  c 57      lanes  [a: 10 24 25 40 55]  [b: 10 24 39]  [c: 12 27 42 57]
 *
 * A series takes its samples along, since the lane made for it begins with the times of the one where it was. They are
 * lost where it cannot: when it loses its times of its own and goes back to the scrape's, and beyond LANES_MAX.
 *
 * As in Prometheus no staleness marker is written for such series, and a sample before the series' last is refused.
 *
 * Shapes   one lane or some hundred; a stream of samples without times has none.
 * Owns     lanes are the store's streams; the empty ones go with tsdb_collect().
 * Cost     a sort of the batch's samples by time; a search of the lanes for what is new or moves.
 */
#ifndef TSDB_LANE_H
#define TSDB_LANE_H

#include "tsdb/tsdb_priv.h"

enum { LANES_MAX = 4096 }; /* of a stream */

/* The lane for a sample at t of a series that was in from, or that is new: NULL. */
struct tsdb_stream *lane_for(struct tsdb *db, struct tsdb_stream *root,
                             const struct tsdb_stream *from, ts_ms t);
/* The lane that the log names, made with its root when need be, for a sample at t. */
struct tsdb_stream *lane_open(struct tsdb *db, const struct tsdb_stream_conf *c, ts_ms t);
void lane_forget(struct tsdb_stream *lane); /* by its root */

/* The two halves of a batch's samples with times: series, and then values. */
void lanes_resolve(struct tsdb_batch *b);
void lanes_commit(struct tsdb_batch *b);

#endif
