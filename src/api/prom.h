/* prom.h - Prometheus' HTTP API over our own store and rules: what Grafana's data source and promtool ask.
 *
 * Queries, and everything that walks the index, run on workers; a client that leaves cancels its query.
 *
 * Shapes   at most 11,000 points a series of a range query; a query at most two minutes.
 * Errors   {"status":"error","errorType":...,"error":...}: bad_data 400, execution 422, timeout 503, canceled 503;
 *          unavailable 503 with Retry-After: too many are under way.
 * Source   rules.md 5.1, 5.2, 7.1, 7.2.
 */
#ifndef API_PROM_H
#define API_PROM_H

#include "api/api_priv.h"
#include "promql/promql.h"

enum prom_error {
    PROM_BAD_DATA,
    PROM_EXECUTION,
    PROM_TIMEOUT,
    PROM_CANCELED,
    PROM_NOT_FOUND,
    PROM_UNAVAILABLE
};

void prom_fail(struct http_req *rq, enum prom_error type, const char *fmt, ...) printf_like(3, 4);
/* {"status":"success","data": DATA}; data is a complete JSON value. */
void prom_answer(struct http_req *rq, str data);

/* Parameters of the URL, and of a form in the body. */
struct prom_params {
    const struct http_param *url, *form;
    size_t n_url, n_form;
};
/* An expression as /api/v1/parse_query tells it. */
void prom_put_expr(struct json_writer *w, const struct promql_expr *x);

/* A series selector, copied to a; false: it has answered 400. */
bool prom_selector(struct http_req *rq, const char *param, str text, struct arena *a,
                   struct matchers *out) must_check;

struct prom_params prom_params(struct http_req *rq);
str prom_param(const struct prom_params *p, const char *name); /* the first; empty when absent */
/* All values of a name, in order. */
size_t prom_param_list(const struct prom_params *p, const char *name, struct arena *a, str **out);
bool prom_time(str text, ts_ms *out);     /* RFC 3339, or seconds */
bool prom_duration(str text, ts_ms *out); /* 5m, or seconds */

void prom_query(struct http_req *rq, void *arg);
void prom_query_range(struct http_req *rq, void *arg);
void prom_format_query(struct http_req *rq, void *arg);
void prom_series(struct http_req *rq, void *arg);
void prom_labels(struct http_req *rq, void *arg);
void prom_label_values(struct http_req *rq, void *arg);
void prom_rules(struct http_req *rq, void *arg);
void prom_alerts(struct http_req *rq, void *arg);
void prom_rule_history(struct http_req *rq, void *arg);
void prom_federate(struct http_req *rq, void *arg);
void prom_parse_query(struct http_req *rq, void *arg);
void prom_flags(struct http_req *rq, void *arg);
void prom_config(struct http_req *rq, void *arg);
void prom_history_status(struct http_req *rq, void *arg);
void prom_tsdb_status(struct http_req *rq, void *arg);
void prom_buildinfo(struct http_req *rq, void *arg);
void prom_runtimeinfo(struct http_req *rq, void *arg);
void prom_metadata(struct http_req *rq, void *arg);
void prom_target_metadata(struct http_req *rq, void *arg);
void prom_alertmanagers(struct http_req *rq, void *arg);
void prom_scrape_pools(struct http_req *rq, void *arg);
void prom_notifications(struct http_req *rq, void *arg);
void prom_features(struct http_req *rq, void *arg);

#endif
