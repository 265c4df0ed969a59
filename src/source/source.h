/* source.h - a Prometheus, asked for the value of an expression at an instant.
 *
 * Queries are POSTed as forms. At most max_concurrent are under way, the rest waits in order; what people ask waits behind what rules
 * ask, and takes at most half of the places. With several URLs (an HA
 * pair) the next one is asked on refusal, timeout or 5xx, and the one that answered last is asked first from then on.
 *
 * Units    the query time is wall clock; deadlines are monotonic.
 * Errors   an answer always comes, once, never from inside source_query().
 * Owns     a source holds a reference on the configuration it was made from by way of its owner; answers are borrowed
 *          during the callback.
 * Source   rules.md 7; design.md 5.6.
 */
#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include "os/clock.h"
#include "net/transport.h"
#include "model/metric.h"
#include "source/answer.h"
#include "source/source_conf.h"

struct source;

struct source_stats {
    uint64_t failed;                 /* requests without an answer to use */
    struct metric_histogram seconds; /* all requests */
};

typedef void source_cb(void *arg, const struct source_answer *a);

struct source *source_new(const struct source_conf *conf, struct transport *t, struct clock *clock);
void source_free(struct source *s); /* cancels everything; no callbacks */
void source_query(struct source *s, str query, ts_ns time, source_cb *cb, void *arg);
/* For people: a graph, or with step 0 what there is at the start. */
struct source_range {
    ts_ms start, end, step;
};
void source_query_range(struct source *s, str query, const struct source_range *r, source_cb *cb,
                        void *arg);

str source_name(const struct source *s);
const struct source_conf *source_config(const struct source *s);

/* When the first of an unbroken row of outages was seen; TS_NONE while it answers. Monotonic. */
ts_ns source_down_since(const struct source *s);
/* By how much its clock is ahead of ours; 0 within what an answer can tell, or it does not tell. */
dur_ns source_skew(const struct source *s);
const char *source_last_error(const struct source *s);
size_t source_under_way(const struct source *s);
size_t source_waiting(const struct source *s);
const struct source_stats *source_stats(const struct source *s);

#endif
