/* metrics.h - the parts of GET /metrics: a file a part, each with its enum, its table of rows and who writes them.
 *
 * metrics.c          alerts, notifications, silences, the state, the loop, HTTP, the process
 * metrics_samples.c  rules, scrapes, pushes, our own store
 * metrics_peers.c    the sources of rules, the Alertmanagers that get their alerts
 * metrics_outlets.c  the DingTalk bridge, the event recorder
 * remote_write.c     who gets our samples
 * metrics_idle.c     what clients and dashboards of Alertmanager look for and nothing here moves
 *
 * Units    as a metric's name says; ours are ns, see api_seconds().
 * Source   alertmanager.md 8, rules.md 2.9.
 */
#ifndef API_METRICS_H
#define API_METRICS_H

#include "api/api_priv.h"

/* A label: &L("receiver", name). */
#define L(name_, value_) ((struct expo_label){S(name_), (value_)})

static inline double api_seconds(ts_ns t) /* a span, or a time since 1970; TS_NONE = 0 */
{
    return t == TS_NONE ? 0 : (double)t / (double)NS_PER_S;
}

/* The tables. */
const struct metric *api_sample_metric_rows(size_t *n);
const struct metric *api_peer_metric_rows(size_t *n);
const struct metric *api_outlet_metric_rows(size_t *n);
const struct metric *api_remote_metric_rows(size_t *n);
const struct metric *api_idle_metric(size_t i); /* NULL: there are no more */

void api_put_sample_metrics(struct api *a, struct expo *x);
void api_put_peer_metrics(struct api *a, struct expo *x);
void api_put_outlet_metrics(struct api *a, struct expo *x);
void api_put_remote_metrics(struct api *a, struct expo *x, struct now now);
void api_put_idle_metrics(struct expo *x);

#endif
