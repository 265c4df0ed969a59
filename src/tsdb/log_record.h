/* log_record.h - one record of the sample log: a batch, a stream's end, or a step of the wall clock.
 *
 * Streams and series go by numbers of their segment, counted from 0 in the order in which they are first spoken of; the
 * first time their name or labels follow. So each segment can be read without the others.
 *
 * Shapes   version, kind, stream [name, interval, flags], time; of a batch: items. A step is version, kind, milliseconds
 *          by which all streams have moved (0.1.0 takes it for damage: it leaves the rest of the segment). An item is
 *          (distance from the next series number in order) * 4 + (has a start time) * 2 + (is a histogram), [labels],
 *          [start], 8 bytes or a histogram.
 * Errors   ERR_CORRUPT.
 * Owns     what is read is borrowed from the bytes, arrays are in the arena.
 */
#ifndef TSDB_LOG_RECORD_H
#define TSDB_LOG_RECORD_H

#include "codec/pack.h"
#include "tsdb/tsdb.h"

enum log_kind { LOG_BATCH = 1, LOG_CLOSE = 2, LOG_STEP = 3 };

struct log_head {
    enum log_kind kind;
    uint64_t stream;
    bool is_new; /* conf is there */
    struct tsdb_stream_conf conf;
    bool is_lane; /* of the stream whose name its own begins with: lane.h */
    ts_ms t;      /* of a step: by how much */
    size_t items;
};

struct log_item {
    uint64_t series;
    bool is_new;
    struct labels labels;
    ts_ms start;
    storage_slot slot;
    const struct histogram *histogram; /* instead of the slot; NULL: a float */
};

void log_write_head(struct buf *b, const struct log_head *h);
/* last: the series before it, UINT64_MAX for the first. */
void log_write_item(struct buf *b, const struct log_item *item, uint64_t last);

/* How many streams and series the segment has spoken of tells what is new. */
bool log_read_head(struct unpack *u, uint64_t streams, struct log_head *out,
                   struct err *e) must_check;
bool log_read_item(struct unpack *u, uint64_t last, uint64_t series, struct arena *a,
                   struct log_item *out, struct err *e) must_check;

/* A histogram by itself, as history (history/row.h) has it, too. NULL: it is none. */
void log_write_histogram(struct buf *b, const struct histogram *h);
const struct histogram *log_read_histogram(struct unpack *u, struct arena *a,
                                           struct err *e) must_check;

#endif
