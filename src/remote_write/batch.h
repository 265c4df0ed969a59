/* batch.h - what one remote is to get: samples that are heard become requests that wait.
 *
 * Owns     what it gathers. conf, external labels and spool are borrowed until the next batch_configure().
 * Cost     of a sample a copy of its labels; of a request its compression.
 */
#ifndef REMOTE_WRITE_BATCH_H
#define REMOTE_WRITE_BATCH_H

#include "base/vec.h"
#include "remote_write/hearing.h"
#include "remote_write/remote_write_conf.h"
#include "remote_write/spool.h"

struct batch {
    const struct remote_write_conf *conf;
    struct labels external; /* labels that are added where a series has not got them */
    size_t number;          /* among those who listen, for heard_series.made */
    struct spool *spool;

    struct buf body;
    struct spool_item item;       /* the request that is being filled */
    VEC(struct spool_item) items; /* that are full; bodies are owned */
    ts_ns since;                  /* mono: of the first sample; TS_NONE: there is none */
    uint64_t left_out;            /* native histograms that nobody asked for */
    struct arena a;
};

void batch_init(struct batch *b, struct spool *spool);
void batch_release(struct batch *b);
void batch_configure(struct batch *b, const struct remote_write_conf *c, struct labels external,
                     size_t number);

void batch_put(struct batch *b, const struct heard *x, ts_ns mono);
/* All that there is goes to the spool when it is time for it, with the place up to which the log was heard; else, or where
 * there is nothing, at most that is noted. */
bool batch_step(struct batch *b, ts_ns mono, bool at_once, struct tsdb_log_place place,
                struct err *e) must_check;

#endif
