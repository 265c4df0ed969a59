#include "source/source_conf.h"

#include "codec/url.h"
#include "schema/schema.h"

static const char *const types[] = {"prometheus", NULL};
static const char *const dialects[] = {"promql", "metricsql", NULL};

static void check_source(struct conf_check *c, void *obj)
{
    const struct source_conf *s = obj;

    if (str_is(s->name, "own"))
        conf_error(c, "name", "\"own\" is the name of the store inside tocsin");
    if (s->n_urls == 0)
        conf_error(c, NULL, "\"url\" is missing");
    for (size_t i = 0; i < s->n_urls; i++) {
        struct err e = ERR_INIT;

        if (!url_check_http(s->urls[i], &e))
            conf_error(c, "url", "an http or https URL with a host expected, not \"%.*s\": %s",
                       STR(s->urls[i]), e.msg);
    }
}

static const struct conf_key keys[] = {
    CONF_KEY(struct source_conf, name, CONF_STRING, "name, for rule files and messages",
             .flags = CONF_REQUIRED),
    CONF_KEY(struct source_conf, type, CONF_WORD, "what answers there", .text = "prometheus",
             .words = types),
    CONF_KEY_AS("url", struct source_conf, urls, CONF_STRINGS,
                "address, or addresses tried in order", .flags = CONF_ONE_OR_LIST),
    CONF_KEY(struct source_conf, external_url, CONF_URL, "address that people use, for links"),
    CONF_KEY(struct source_conf, timeout, CONF_DURATION, "limit for a query", .text = "2m",
             .flags = CONF_NOT_ZERO),
    CONF_KEY(struct source_conf, max_concurrent, CONF_INT, "queries at once", .text = "8", .min = 1,
             .max = 1000),
    CONF_KEY(struct source_conf, dialect, CONF_WORD, "language that its queries are written in",
             .text = "promql", .words = dialects),
    CONF_KEY(struct source_conf, down_after, CONF_DURATION,
             "without an answer for so long: an alert of our own fires", .text = "3m"),
    CONF_KEY(struct source_conf, lookback_delta, CONF_DURATION,
             "lookback to ask with; the server's own when not given"),
    CONF_KEYS_END,
};

const struct conf_type source_conf_type = {
    .name = "source",
    .doc = "A Prometheus-compatible query API. The keys of http_config stand beside these.",
    .keys = keys,
    .size = sizeof(struct source_conf),
    .place = CONF_AT(struct source_conf, place),
    .check = check_source,
};
