/* store.h - our own samples in a running program: the store, its log and its history on disk, what is scraped and pushed
 * into it, and who else gets samples.
 *
 * At the start the log is replayed on a worker; then scraping begins. Rules that read the store wait until every target has
 * answered or failed once, so that nothing resolves because its samples were not there yet.
 *
 * Units    the log is written every second and synced every five; history after every five minutes.
 * Errors   a log that cannot be read or written costs history after the next restart, nothing else: it is said once a
 *          failure. One that could not be begun is tried again.
 * Owns     the store owns the tsdb, the scraper, what is pushed; clock, pool and transport are borrowed.
 * Source   design.md 2.10.
 */
#ifndef LIVE_STORE_H
#define LIVE_STORE_H

#include "config/config.h"
#include "history/past.h"
#include "promql/reads.h"
#include "os/clock.h"
#include "os/pool.h"
#include "model/row.h"
#include "model/sample.h"
#include "net/transport.h"
#include "push/push.h"
#include "remote_write/remote_write.h"
#include "ruler/rule_split.h"
#include "scrape/scraper.h"
#include "tsdb/log.h"

enum { STORE_MEMORY_MS = 5 * 60 * 1000 }; /* what memory has of everything that it keeps */

struct store;

struct engine;

struct store_parts {
    struct clock *clock;
    struct pool *pool;
    str host; /* tells two instances of one configuration apart; borrowed */
    struct transport *transport;
    struct budgets *budgets; /* NULL: no limits */
    /* A part of what was stored cannot be read; inside of a turn. May be NULL. */
    void (*damaged)(void *arg, str state, str why);
    /* A remote does not get what is written to it, or does again; inside of a turn. May be NULL. */
    void (*remote_failing)(void *arg, str title, bool is_failing, str why);
    void *arg;
};

struct store *store_new(const struct store_parts *parts, const struct config *conf);
/* The pool must have been settled. What is not in the log yet is written. */
void store_free(struct store *s);
/* Before that, and before the folder is given back: the last samples are on the disk, none comes any more. */
void store_save(struct store *s);
/* On the way out: what comes home from the pool begins nothing any more. */
void store_stop(struct store *s);

/* Reads back what was pushed, of the state; then who keeps it from now on is told (push.h). Before store_start(). */
bool store_restore(struct store *s, const struct state_reader *from, const struct config *conf,
                   const struct push_keeper *keeper, struct err *e) must_check;
void store_snapshot(const struct store *s, struct state_commit *c);
/* Begins the replay of the log in the folder. engine: told when rules may read, which wait from its beginning; borrowed. */
void store_start(struct store *s, struct engine *engine, str dir, struct config *conf);
void store_configure(struct store *s, struct config *conf);
/* The clock jumped. Slots are elsewhere after a step. After a pause windows have holes: rules that read the store wait
 * until every target has answered or failed again. */
void store_jumped(struct store *s, const struct clock_jump *j);

/* Calls back, maybe at once, when what has been sampled so far is on the disk, as far as it can be. */
struct store_sync {
    void (*done)(struct store_sync *w);
    struct store_sync *next;
};
void store_sync(struct store *s, struct store_sync *w);

/* On a worker: an expression at an instant, over a copy of what it reads of memory and history, so that nobody waits for it.
 * goes_on: asked now and then.
 * False: it cannot be read, has failed, or there was no time. What comes out lives in a. */
bool store_ask(struct store *s, str query, ts_ms t, bool (*goes_on)(void *arg), void *arg,
               struct arena *a, struct samples *out, struct err *e) must_check;
/* The same of an expression that was taken apart (ruler/rule_split.h), and answers of a source to its parts. */
bool store_ask_split(struct store *s, const struct rule_split *split, const struct samples *answers,
                     ts_ms t, bool (*goes_on)(void *arg), void *arg, struct arena *a,
                     struct samples *out, struct err *e) must_check;
/* On a worker: series of this name are kept for some minutes, whoever selects them, for somebody asks why nothing is selected.
 * True: they were not before, so that there are none yet. */
bool store_watch(struct store *s, str metric);
struct tsdb *store_db(struct store *s);
struct history *store_history(struct store *s); /* what is older */
/* On a worker: what a question of this moment reads of the time before memory begins (history/past.h); NULL: nothing. The caller
 * frees it. */
struct past *store_past(struct store *s, ts_ms now, struct promql_times reads, size_t max_bytes,
                        bool (*goes_on)(void *arg), void *arg);
struct scraper *store_scraper(struct store *s);
struct remote_write *store_remote_write(struct store *s);
struct push *store_push(struct store *s);
/* As of the last second. */
const struct tsdb_stats *store_stats(const struct store *s);
const struct tsdb_log_stats *store_log_stats(const struct store *s);
const struct history_figures *store_history_figures(const struct store *s);
bool store_is_replaying(const struct store *s);

#endif
