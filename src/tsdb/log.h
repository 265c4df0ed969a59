/* log.h - the samples on disk, so that a restart finds the windows filled.
 *
 * Commits leave records in memory; tsdb_log_step() writes them, every second or so, from a thread that may wait for the
 * disk. The log is a row of segments; a segment stands for itself and is removed when all of it is older than anybody
 * reads. After a restart all segments are replayed into the store, before anything is appended.
 *
 *     samples-0000000007.log
 *
 * Errors   ERR_IO. After a failed write the segment is given up and the next step begins another: what could not be
 *          written is lost to the log, not to the store. Sound records behind a damaged one are read, and a
 *          copy of the segment is kept; a torn end of the newest one is cut. How much of it was safe is noted beside it: what is
 *          missing of that is damage.
 * Owns     the store owns its log.
 * Cost     about 15 bytes a sample, the labels once a segment among them; 30 ns of it under the store's lock.
 */
#ifndef TSDB_LOG_H
#define TSDB_LOG_H

#include "tsdb/tsdb.h"

struct tsdb_replay {
    size_t segments, records, samples;
    uint64_t bytes;
    /* segments with sound records behind bad ones, of which a copy is kept, or that end early */
    size_t damaged;
    uint64_t lost_bytes; /* in them */
    bool was_torn;       /* the newest one, as after a power cut: its tail was cut off */
    uint64_t torn_bytes; /* of it */
};

/* Replays what is in the folder, which is made when it is not there, and logs from now on. Selectors that say what is
 * kept are registered before. */
bool tsdb_log_open(struct tsdb *db, str dir, struct tsdb_replay *out, struct err *e) must_check;
/* The same later, when it could not be opened and the store has gone on without: only where no segments lie. */
bool tsdb_log_begin(struct tsdb *db, str dir, struct err *e) must_check;
/* Writes what has come, waits for the disk if sync, begins and removes segments. One thread at a time. */
bool tsdb_log_step(struct tsdb *db, ts_ms now, bool sync, struct err *e) must_check;

struct tsdb_log_stats {
    size_t segments;
    uint64_t bytes; /* of the current one */
    uint64_t lost;  /* records that were never written */
};

struct tsdb_log_stats tsdb_log_stats(struct tsdb *db);

/* -- who hears the log -- */

/* A segment, and where a record of it ends. */
struct tsdb_log_place {
    uint64_t segment, end;
};

/* Each record that is read at the start, and each that a step takes later, in their order and whatever the disk says. On the
 * thread that opens and steps. */
struct tsdb_log_ear {
    void (*begin)(
        void *arg); /* what comes is of a segment of its own: streams and series are named anew */
    void (*record)(void *arg, struct tsdb_log_place end, bool is_replayed, str bytes);
    void *arg;
};

/* Borrowed; NULL: nobody. On that thread, too. Who begins to listen while the log is written hears it from its next segment on,
 * which the next step begins. */
void tsdb_log_listen(struct tsdb *db, const struct tsdb_log_ear *ear);
/* Up to where all has been heard. */
struct tsdb_log_place tsdb_log_place(const struct tsdb *db);

/* -- for the store, under its lock -- */

struct tsdb_log;

void tsdb_log_free(struct tsdb_log *l);
void tsdb_log_batch(struct tsdb_log *l, const struct tsdb_batch *b); /* behind its commit */
void tsdb_log_stream_end(struct tsdb_log *l, struct tsdb_stream *s, ts_ms t);
void tsdb_log_shift(struct tsdb_log *l, int64_t by_ms); /* of all streams */
void tsdb_log_forget(struct tsdb_log *l,
                     uint32_t id); /* the id will mean another series, or stream */

/* One segment's records into the store: for replay and the fuzz target. */
struct tsdb_replayer *tsdb_replayer_new(struct tsdb *db);
void tsdb_replayer_free(struct tsdb_replayer *r);
bool tsdb_replay_record(struct tsdb_replayer *r, str bytes, struct err *e) must_check;
size_t tsdb_replayer_samples(const struct tsdb_replayer *r);
ts_ms tsdb_replayer_newest(const struct tsdb_replayer *r);

#endif
