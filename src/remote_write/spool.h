/* spool.h - requests that wait to be sent, on the disk, in the order in which they were made.
 *
 * The bodies stand there as they go out. What is made in one step is written in one go and counts as a whole, with the place in
 * the sample log up to which it tells: after a kill the log is heard from there on (hearing.h), so that nothing is missing and
 * nothing is there twice. An answer is noted before the next request goes out: what may go out twice is the one request whose
 * answer nobody has noted.
 *
 *     remote_write/9f3c0d5a1b2e4f60/queue-00000000000000000001.log     requests from number 1 on
 *                                   noted                              answered, made, and the place in the sample log
 *
 *     spool_open(s, dir, &e)
 *     spool_append(s, v, n, place, &e)          a step's, by who hears the log
 *     spool_next(s, &item, &body)               the next one, by who sends
 *     spool_answered(s, item.id)
 *
 * Where the disk takes nothing the newest wait in memory, up to SPOOL_MEMORY, and go to the disk when it does again.
 *
 * Shapes   requests of up to some MB; segments of an eighth of what there may be. Beyond that the oldest segment is dropped.
 * Errors   ERR_IO. A segment that is damaged is read up to there; that the rest is lost is logged and counted.
 * Owns     its files and its memory. Threads: any, one at a time goes to the disk; figures never wait for it.
 * Cost     a write a step, a read and a small write a request.
 */
#ifndef REMOTE_WRITE_SPOOL_H
#define REMOTE_WRITE_SPOOL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "tsdb/log.h"

enum { SPOOL_MEMORY = 16 << 20 };

struct spool_item {
    uint64_t id; /* from 1 on; of one that is appended: the spool's to give */
    size_t samples;
    ts_ms oldest, newest; /* of them */
    str body;
};

struct spool_figures {
    uint64_t samples,
        bytes;         /* that wait, one that is under way among them; on the disk and in memory */
    uint64_t dropped;  /* samples, since the start: there was no room for them */
    uint64_t damaged;  /* files, since the start */
    ts_ms oldest;      /* of the request that is next; 0: nothing waits */
    bool is_in_memory; /* the disk does not take them */
};

struct spool;

struct spool *spool_new(void);
struct spool *spool_ref(struct spool *s);
void spool_unref(struct spool *s); /* the files stay; NULL is fine */

/* Makes the folder; finds what waits there. */
bool spool_open(struct spool *s, str dir, struct err *e) must_check;
void spool_limit(struct spool *s, uint64_t max_bytes);
/* Whether it has heard the sample log up to there or farther. One that is new has heard all that there is. */
bool spool_has_heard(const struct spool *s, struct tsdb_log_place place);

/* All of a step; none: only the place is noted. False: what could not be written waits in memory. */
bool spool_append(struct spool *s, const struct spool_item *v, size_t n,
                  struct tsdb_log_place place, struct err *e) must_check;
bool spool_sync(struct spool *s, struct err *e) must_check;

/* The next that was not given yet; body is what out->body shows. False: there is none. */
bool spool_next(struct spool *s, struct spool_item *out, struct buf *body) must_check;
/* It need not be kept any more. */
void spool_answered(struct spool *s, uint64_t id);

/* Nobody writes there any more: the files go, and what waits is lost. Returns how many samples. */
uint64_t spool_remove(struct spool *s);

struct spool_figures spool_figures(struct spool *s); /* from any thread */

/* -- a request as it stands in the file, behind its record's head -- */

struct spool_record {
    struct spool_item item;
    bool is_last; /* of its step */
    struct tsdb_log_place place;
};

void spool_write_record(struct buf *out, const struct spool_record *r);
bool spool_read_record(str bytes, struct spool_record *out, struct err *e) must_check;

#endif
