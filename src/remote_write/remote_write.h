/* remote_write.h - samples of our store, written on to others: what rules record, ALERTS, or all.
 *
 * Who writes the sample log lets it be heard (tsdb/log.h); what is heard of it becomes requests, which wait on the disk
 * (spool.h), and a sender each takes them out (sender.h). So a rule, a scrape or a page waits for none of it, and what the log
 * has and the requests have not is made at the next start.
 *
 *     remote_write_configure(w, ...)            loop: who gets samples
 *     remote_write_lend(w)                      loop, before the job that works with the disk
 *         remote_write_begin(w, dir, &e)            the job, first; before tsdb_log_open() at the start
 *         remote_write_step(w, now, ..., &e)        the job, behind tsdb_log_open() and each tsdb_log_step()
 *     remote_write_settled(w)                   loop, behind the job
 *
 * A remote's queue goes by its name, or its URL without one: a reload keeps it. That of a remote that is named no more is
 * removed.
 *
 * Shapes   a few remotes.
 * Errors   ERR_IO of the queues; what a remote answers is in its stats.
 * Owns     its remotes. The configuration is held by reference; the store, scraper, clock, pool and transport are borrowed.
 * Cost     hearing.h, batch.h; nothing without a remote.
 * Source   Prometheus Remote-Write 1.0; design.md 2.10.
 */
#ifndef REMOTE_WRITE_REMOTE_WRITE_H
#define REMOTE_WRITE_REMOTE_WRITE_H

#include "remote_write/remote_write_conf.h"
#include "remote_write/sender.h"
#include "remote_write/spool.h"
#include "scrape/scraper.h"

struct remote_write;

struct remote_write_parts {
    struct clock *clock;
    struct pool *pool;
    struct transport *transport;
    struct tsdb *db;
    struct scraper *scraper; /* whose targets say what metrics are */
    void *(*hold)(void *conf);
    void (*let_go)(void *conf);
    /* A remote has not taken samples for REMOTE_FAILING, or some are lost; or that is over. On the loop; may be NULL. */
    void (*failing)(void *arg, str title, bool is_failing, str why);
    void *arg;
};

#define REMOTE_FAILING (5 * NS_PER_M) /* and for so long samples that are lost are told of */

struct remote_write *remote_write_new(const struct remote_write_parts *parts);
void remote_write_free(struct remote_write *w); /* the pool must have been settled */
/* On the way out: nothing is sent any more. */
void remote_write_stop(struct remote_write *w);

/* l and external are conf's, which is held. */
void remote_write_configure(struct remote_write *w, void *conf, const struct remote_write_list *l,
                            struct labels external);
void remote_write_lend(struct remote_write *w);
void remote_write_settled(struct remote_write *w);

/* dir: of the state. False: a queue could not be opened; it is tried again when the disk is next waited for. */
bool remote_write_begin(struct remote_write *w, str dir, struct err *e) must_check;
/* at_once: nothing waits for more; sync: for the disk. False: what could not be written waits in memory. */
bool remote_write_step(struct remote_write *w, struct now now, bool at_once, bool sync,
                       struct err *e) must_check;

/* -- for the API: on the loop -- */

struct remote_status {
    str title;
    const struct remote_write_conf *conf;
    const struct sender_stats *stats;
    struct spool_figures queue;
    uint64_t histograms; /* samples that were left out */
};

void remote_write_each(struct remote_write *w,
                       void (*each)(void *arg, const struct remote_status *r), void *arg);

#endif
