/* stream.h - one stream's times, and a row of values for each of its series.
 *
 * Rows slide: new values are written behind the last, and when a row is full the values that nobody can read any more
 * are moved out at its front. So what a reader sees is contiguous. Rows of series with the same reach have the same
 * length and slide together; they form a table.
 *
 *     times     10 20 30 40 50 60          samples 4..9 of the stream
 *     table 0       .  .  v  v  v          reach 30: samples 5..9
 *     table 1    v  v  v  v  v  v          reach 50: samples 4..9
 *
 * A row stands in a block of the width that its values need so far, and moves to a wider one for one that does not fit.
 *
 * Shapes   tables grow when the samples within reach are more than fit: the interval is only a hint.
 * Owns     the stream owns all; histograms in slots are the slab's.
 * Cost     2, 4 or 8 bytes a sample; a slide of a row once in at least four samples.
 */
#ifndef TSDB_STREAM_H
#define TSDB_STREAM_H

#include <stdatomic.h>
#include "tsdb/series.h"
#include "tsdb/slab.h"
#include "tsdb/table.h"
#include "tsdb/tsdb.h"

enum { STREAM_TABLES_MAX = 256 };

struct tsdb_stream {
    str name;
    struct tsdb_stream *root; /* itself, or the stream whose lane it is: lane.h */
    VEC(struct tsdb_stream *) lanes;
    const struct tsdb_stream *made_from; /* of a lane: where its first series was; only compared */
    ts_ms made_at;                       /* and the time of the sample for which it was made */
    int64_t interval_ms;
    bool marks_stale, is_open, is_busy; /* busy: a batch is being filled */
    unsigned holders; /* who have its pointer: opened other than by a replay, and not closed */
    atomic_uint left; /* those of them that are about to close it */
    uint64_t epoch;   /* of the refs that have been given out */
    ts_ms *times;
    uint32_t length;
    uint64_t first, end; /* samples in times: [first, end) */
    VEC(struct stream_table) tables;
    size_t n_series;
    struct slab *slab;
    size_t *bytes;                /* the store's account */
    uint64_t log_segment, log_id; /* what the log calls it, in that segment */
};

void stream_init(struct tsdb_stream *s, const struct tsdb_stream_conf *c, struct slab *slab,
                 size_t *bytes);
void stream_release(struct tsdb_stream *s);

/* Its holders are about to close it, all: others may have its series. */
static inline bool stream_is_left(const struct tsdb_stream *s)
{
    return s->holders != 0 && s->left == s->holders;
}

static inline ts_ms stream_last(const struct tsdb_stream *s) /* INT64_MIN: no sample yet */
{
    return s->end == s->first ? INT64_MIN : s->times[s->end - s->first - 1];
}

/* Bytes that a sample at t would take beyond what there is, and a row more that begins with the slot. */
size_t stream_growth(const struct tsdb_stream *s, ts_ms t);
size_t stream_row_cost(const struct tsdb_stream *s, int64_t reach_ms, storage_slot first);
/* A new sample at t, after all others, that no series has yet; when those are put that have one, stream_settle() follows,
 * and until then nobody reads. With marks_stale every series that had a value in the one before has ended where it has
 * none. */
void stream_advance(struct tsdb_stream *s, ts_ms t);
void stream_settle(struct tsdb_stream *s, bool marks_stale);

/* Moves all times, except where that would leave what the store can hold. */
void stream_shift(struct tsdb_stream *s, int64_t by_ms);

/* A row for the series, in which it has no values yet, of the width that the slot needs. The place is the caller's to
 * keep. */
void stream_add_row(struct tsdb_stream *s, int64_t reach_ms, uint32_t id, storage_slot first,
                    struct series_place *p);
void stream_del_row(struct tsdb_stream *s, const struct series_place *p);
/* Moves the series to rows that reach at least so far. */
void stream_widen(struct tsdb_stream *s, int64_t reach_ms, struct series_place *p);

/* Moves the series to another stream, with what it has at times that are the other's, too. */
void stream_move(struct tsdb_stream *to, struct series_place *p);
/* Gives an empty stream, that has no rows yet, the times of another one before t. */
void stream_take_times(struct tsdb_stream *s, const struct tsdb_stream *from, ts_ms t);

bool stream_has(const struct series_place *p); /* the last sample */
enum stream_answer { STREAM_PUT, STREAM_HAS_ONE, STREAM_NEEDS_ROOM };
/* The series' value in the last sample. Of a row that has no form for it nothing is written: it needs room. */
enum stream_answer stream_put(struct tsdb_stream *s, const struct series_place *p,
                              storage_slot slot);
/* The same, in a form that has one. False: the row needs more than so many bytes for it, and has them not. */
bool stream_put_wider(struct tsdb_stream *s, struct series_place *p, storage_slot slot,
                      size_t room) must_check;
/* What the series had before it: STORAGE_ABSENT when nothing of that is kept. */
storage_slot stream_before(struct tsdb_stream *s, const struct series_place *p);
void stream_set_start(struct tsdb_stream *s, const struct series_place *p, ts_ms start);

void stream_read(const struct series_place *p, struct storage_series *out);
/* The time of the newest sample that is a value, INT64_MIN without one. */
ts_ms stream_newest(const struct series_place *p);
/* The same of a value or a staleness marker, and which: STORAGE_ABSENT without one. */
ts_ms stream_newest_slot(const struct series_place *p, storage_slot *slot);

#endif
