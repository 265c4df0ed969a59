/* scraper.h - scrapes targets: who there is, when each is due, what came of it.
 *
 * Each target has its own place within its interval, by a hash that is the same after a restart. A scrape is a request on
 * the loop and a job on a worker. What goes wrong with a target stays with it.
 *
 * Shapes   up to 100,000 targets in up to 1,000 jobs.
 * Units    slots are wall clock.
 * Errors   in the target's status: last_error, with the line of a broken body.
 * Owns     the scraper owns targets and their streams; store, clock, pools and transport are borrowed. The configuration is
 *          held by reference.
 * Source   rules.md 8; design.md 2.10.
 */
#ifndef SCRAPE_SCRAPER_H
#define SCRAPE_SCRAPER_H

#include "base/budget.h"
#include "discovery/discovery.h"
#include "os/clock.h"
#include "os/pool.h"
#include "net/transport.h"
#include "scrape/metadata.h"
#include "scrape/scrape_conf.h"
#include "tsdb/tsdb.h"

struct scraper;

struct scraper_parts {
    struct clock *clock;
    struct pool *pool;
    struct transport *transport;
    struct tsdb *db;
    struct budget *budget; /* what scrapes under way may hold together; NULL: anything */
    /* Counts references to what holds the configuration. */
    void *(*hold)(void *conf);
    void (*let_go)(void *conf);
};

struct scraper *scraper_new(const struct scraper_parts *parts);
void scraper_free(struct scraper *s); /* the pools must have been drained */

/* The jobs from now on; seed: of everybody's place within the interval. Targets that stay go on as they were. */
void scraper_configure(struct scraper *s, void *conf, const struct scrape_conf *jobs, size_t n,
                       uint64_t seed);
/* Nothing is scraped before: the store is still being filled from its log. */
void scraper_start(struct scraper *s);
/* The wall clock stepped: slots are elsewhere now. */
void scraper_rearm(struct scraper *s);
/* Whether every target has answered or failed since the start, or since scraper_unsettle(). Once true, it stays so. */
bool scraper_is_settled(struct scraper *s);
void scraper_unsettle(struct scraper *s);

/* -- for the API -- */

enum target_health { TARGET_UNKNOWN, TARGET_UP, TARGET_DOWN };
extern const char *const target_health_names[];

struct target_status {
    str job, url;
    struct labels discovered, labels;
    enum target_health health;
    str last_error;
    ts_ns last_scrape; /* wall; TS_NONE: never */
    dur_ns took, interval, timeout;
    struct metadata *metadata; /* of the last scrape that went well; borrowed; NULL: none */
};

void scraper_each(const struct scraper *s, void (*each)(void *arg, const struct target_status *t),
                  void *arg);
/* Targets that relabeling dropped, or that cannot be: last_error says why. */
void scraper_each_dropped(const struct scraper *s,
                          void (*each)(void *arg, const struct target_status *t), void *arg);

struct scraper_stats {
    uint64_t scrapes, failed, samples, bytes;
};

struct scraper_job_stats {
    str name;
    size_t targets;
    int64_t limit;     /* 0: none */
    uint64_t exceeded; /* how often more were found */
};

/* The lists that targets come from, job by job. */
void scraper_each_list(const struct scraper *s,
                       void (*each)(void *arg, str job, const struct discovery_status *s),
                       void *arg);

size_t scraper_jobs(const struct scraper *s);
struct scraper_job_stats scraper_job_stats(const struct scraper *s, size_t i);

struct scraper_stats scraper_stats(const struct scraper *s);

#endif
