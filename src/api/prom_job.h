/* prom_job.h - what Prometheus' API does on a worker: a job that owns all that it needs.
 *
 * Owns     prom_job_start() gives the job to the pool; whoever does not start it frees it.
 * Errors   failed, error and err are the answer then; functions that return bool have answered when it is false.
 */
#ifndef API_PROM_JOB_H
#define API_PROM_JOB_H

#include "api/prom.h"
#include "base/vec.h"

struct query_job {
    struct http_later later;
    struct api *api;
    void (*work)(struct query_job *q);

    str text; /* of a query */
    struct promql_expr *expr;
    ts_ms start, end, step; /* step 0: an instant */
    ts_ms lookback;
    bool is_shared, is_large;     /* it holds the store's lock; too long for that */
    bool has_stats, counts_steps; /* what it cost is told; for each step */
    ts_ns began, queued, running; /* mono: came, was given to the pool, was taken up */

    struct matchers *matches; /* of series, labels: any of them */
    size_t n_matches;
    str name;               /* of label values; empty: the names */
    size_t limit;           /* 0 = none */
    struct labels external; /* of /federate */
    struct expo_wish wish;  /* the same */
    str content_type;

    ts_ms now;     /* when it came */
    bool has_past; /* what is older than memory counts, too */
    struct prom_kept
        *kept; /* of a query: what is asked for, and whether it is kept; NULL: nothing to look at */
    VEC(str) notes; /* warnings beside those of the evaluation, in the arena */

    struct buf body;
    bool failed;
    enum prom_error error;
    struct err err;
};

struct query_job *prom_job_new(struct api *a, void (*work)(struct query_job *q));
void prom_job_free(struct query_job *q);
void prom_job_start(struct query_job *q, struct http_req *rq);
/* A time that is a parameter, or otherwise when it is absent. */
bool prom_job_time(struct http_req *rq, const struct prom_params *p, const char *name,
                   ts_ms otherwise, ts_ms *out);
/* timeout, lookback_delta, limit and stats. */
bool prom_job_limits(struct http_req *rq, struct query_job *q, const struct prom_params *p);
/* Warnings: those of the job, and that limit has cut a list. */
void prom_put_notes(struct json_writer *w, const struct query_job *q, bool is_cut);
void prom_job_match_all(struct query_job *q); /* every series that has a name */
/* Every series between start and end that a matcher finds; matched() behind each matcher, which may be NULL. */
typedef void prom_see(struct query_job *q, void *to, struct labels ls, uint32_t id);
bool prom_job_walk(struct query_job *q, void *to, prom_see *see, void (*matched)(void *to));
ts_ms prom_now_ms(const struct api *a);

/* True: a source answers the query, or the request has been answered; the job is not needed then. */
bool prom_ask_source(struct http_req *rq, struct query_job *q, const struct prom_params *p);

/* -- what is kept: prom_kept.c -- */

/* On the loop: which metrics the query names, and what targets say that they have. */
void prom_kept_begin(struct query_job *q);
/* On the worker: notes of series that are scraped, and not kept, or not for as long as is asked for. from: what is read. */
void prom_kept_tell(struct query_job *q, ts_ms from);
void prom_kept_free(struct query_job *q);

#endif
