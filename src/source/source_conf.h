/* source_conf.h - where rules ask: one Prometheus-compatible query API and how to reach it.
 *
 * Owns     everything lives in the arena of the configuration.
 * Source   rules.md 7 (the client); the keys are ours (tocsin.yml).
 */
#ifndef SOURCE_SOURCE_CONF_H
#define SOURCE_SOURCE_CONF_H

#include "base/diags.h"
#include "base/time.h"
#include "net/http_conf.h"
#include "tocsin/conf.h"

struct source_conf {
    str name;
    str type;  /* "prometheus" */
    str *urls; /* tried in order; a path is part of it */
    size_t n_urls;
    str external_url; /* for links; empty = the first url */
    struct http_conf *http;
    dur_ns timeout;
    int64_t max_concurrent;
    str dialect;           /* "promql" or "metricsql" */
    dur_ns down_after;     /* this long without an answer: the built-in alert fires */
    dur_ns lookback_delta; /* 0 = the server's own */
    struct diag_place place;
};

extern const struct conf_type source_conf_type;

#endif
