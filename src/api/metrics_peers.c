/* Metrics of those that this process asks and tells: the sources of rules and the Alertmanagers that get their alerts,
 * one series a peer. Requests, failures and latency of each; what waits for it. */
#include "api/metrics.h"

enum m {
    M_SOURCE_UP,
    M_SOURCE_DEGRADED,
    M_SOURCE_SKEW,
    M_SOURCE_WAITING,
    M_SOURCE_UNDER_WAY,
    M_SOURCE_REQUESTS,
    M_SOURCE_FAILED,
    M_SOURCE_SECONDS,
    M_FOUND,
    M_SENT,
    M_ERRORS,
    M_DROPPED,
    M_LENGTH,
    M_CAPACITY,
    M_REQUESTS,
    M_FAILED,
    M_SECONDS,
};

static const struct metric rows[] = {
    [M_SOURCE_UP] = {"tocsin_source_up", EXPO_GAUGE, "Whether a source answers."},
    [M_SOURCE_DEGRADED] = {"tocsin_source_degraded", EXPO_GAUGE,
                           "Whether TocsinSourceDegraded fires for a source."},
    [M_SOURCE_SKEW] =
        {"tocsin_source_clock_skew_seconds", EXPO_GAUGE,
         "By how much a source's clock is ahead of ours, as far as its answers tell."},
    [M_SOURCE_WAITING] = {"tocsin_source_queries_waiting", EXPO_GAUGE,
                          "Queries that wait for a free connection."},
    [M_SOURCE_UNDER_WAY] = {"tocsin_source_queries_under_way", EXPO_GAUGE,
                            "Queries that wait for their answer."},
    [M_SOURCE_REQUESTS] = {"tocsin_source_requests_total", EXPO_COUNTER,
                           "Requests to a source, also those to its other URLs."},
    [M_SOURCE_FAILED] = {"tocsin_source_requests_failed_total", EXPO_COUNTER,
                         "Requests without an answer to use: unreachable, late, or refused."},
    [M_SOURCE_SECONDS] = {"tocsin_source_query_duration_seconds", EXPO_HISTOGRAM,
                          "How long requests to a source took, failed ones too."},
    [M_FOUND] = {"prometheus_notifications_alertmanagers_discovered", EXPO_GAUGE,
                 "Alertmanagers that get the alerts of our rules, too."},
    [M_SENT] = {"prometheus_notifications_sent_total", EXPO_COUNTER,
                "Alerts that an Alertmanager took."},
    [M_ERRORS] = {"prometheus_notifications_errors_total", EXPO_COUNTER,
                  "Alerts in requests that failed; they are sent again."},
    [M_DROPPED] = {"prometheus_notifications_dropped_total", EXPO_COUNTER,
                   "Alerts that were refused, or that the queue had no room for."},
    [M_LENGTH] = {"prometheus_notifications_queue_length", EXPO_GAUGE, "Alerts that wait."},
    [M_CAPACITY] = {"prometheus_notifications_queue_capacity", EXPO_GAUGE, "Alerts that may wait."},
    [M_REQUESTS] = {"tocsin_forward_requests_total", EXPO_COUNTER, "Requests to an Alertmanager."},
    [M_FAILED] = {"tocsin_forward_requests_failed_total", EXPO_COUNTER,
                  "Requests that an Alertmanager did not take."},
    [M_SECONDS] = {"prometheus_notifications_latency_seconds", EXPO_SUMMARY,
                   "How long requests took."},
};

const struct metric *api_peer_metric_rows(size_t *n)
{
    *n = ARRAY_LEN(rows);
    return rows;
}

static double source_value(enum m m, const struct engine *e, const struct source *s)
{
    const struct source_stats *st = source_stats(s);

    switch (m) {
    case M_SOURCE_UP: return source_down_since(s) == TS_NONE;
    case M_SOURCE_DEGRADED: return engine_tells(e, BUILTIN_SOURCE_DEGRADED, source_name(s));
    case M_SOURCE_SKEW: return (double)source_skew(s) / NS_PER_S;
    case M_SOURCE_WAITING: return (double)source_waiting(s);
    case M_SOURCE_UNDER_WAY: return (double)source_under_way(s);
    case M_SOURCE_REQUESTS: return (double)st->seconds.count;
    default: return (double)st->failed;
    }
}

static void put_sources(struct api *a, struct expo *x)
{
    const struct source *const *v;
    size_t n = shell_sources(a->conf.shell, &v);

    for (int m = M_SOURCE_UP; m <= M_SOURCE_FAILED; m++) {
        metric_begin(x, &rows[m]);
        for (size_t i = 0; i < n; i++)
            expo_value(x, &L("source", source_name(v[i])), 1,
                       source_value((enum m)m, a->engine, v[i]));
    }
    metric_begin(x, &rows[M_SOURCE_SECONDS]);
    for (size_t i = 0; i < n; i++)
        metric_put_histogram(x, &L("source", source_name(v[i])), 1, &source_stats(v[i])->seconds);
}

static double forward_value(enum m m, const struct forward_queue *q)
{
    const struct forward_stats *st = forward_queue_stats(q);

    switch (m) {
    case M_SENT: return (double)st->sent;
    case M_ERRORS: return (double)st->errors;
    case M_DROPPED: return (double)st->dropped;
    case M_LENGTH: return (double)forward_queue_length(q);
    case M_CAPACITY: return FORWARD_CAPACITY;
    case M_REQUESTS: return (double)st->requests;
    default: return (double)st->failed;
    }
}

static void metrics_peers_put_forward(struct api *a, struct expo *x)
{
    const struct forward *f = a->conf.forward;
    size_t found = 0;

    if (f == NULL)
        return;
    VEC_EACH (struct forward_queue *const *, q, &f->queues)
        found += !forward_queue_is_own(*q);
    metric_begin(x, &rows[M_FOUND]);
    expo_u64(x, NULL, 0, found);
    for (int m = M_SENT; m <= M_FAILED; m++) {
        metric_begin(x, &rows[m]);
        VEC_EACH (struct forward_queue *const *, q, &f->queues)
            expo_value(x, &L("alertmanager", forward_queue_url(*q)), 1,
                       forward_value((enum m)m, *q));
    }
    metric_begin(x, &rows[M_SECONDS]);
    VEC_EACH (struct forward_queue *const *, q, &f->queues) {
        const struct forward_stats *st = forward_queue_stats(*q);

        expo_summary(x, &L("alertmanager", forward_queue_url(*q)), 1, (double)st->took / NS_PER_S,
                     st->requests);
    }
}

void api_put_peer_metrics(struct api *a, struct expo *x)
{
    put_sources(a, x);
    metrics_peers_put_forward(a, x);
}
