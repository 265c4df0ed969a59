/* collector.h - the exporter: /metrics of all parts, on one HTTP server.
 *
 * A scrape starts every part that does not run, waits for those that run, each until its deadline and all until the scrape's,
 * and is answered with what there is then: nothing on the loop waits. A part that is not there by then, or has failed, says so
 * in tocsin_collect_success{part=...}, and in the log when that changes. Scrapes that come at once share the runs.
 *
 * Units    a scrape waits for at most so long, or a little less than X-Prometheus-Scrape-Timeout-Seconds says.
 * Owns     the collector owns server and workers; loop and clock are borrowed.
 */
#ifndef COLLECT_COLLECTOR_H
#define COLLECT_COLLECTOR_H

#include "base/diags.h"
#include "collect/collect_conf.h"
#include "net/http_server.h"

struct exporter;
struct loop;
struct pool;

/* conf is borrowed, and outlives it. */
struct exporter *collector_new(const struct collect_conf *conf, struct loop *loop,
                               dur_ns scrape_timeout);
struct http_server *collector_server(struct exporter *c);
/* --web.config.file: TLS and users; as web_new(). */
bool collector_use_web(struct exporter *c, str path, struct pool *pool, struct diags *d,
                       struct err *e) must_check;
/* Kills children and ends what waits. False: a part hangs, and the program must be left without freeing. */
bool collector_free(struct exporter *c) must_check;

#endif
