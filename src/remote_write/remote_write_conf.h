/* remote_write_conf.h - `storage.remote_write`: who gets samples of our store, by Prometheus' keys of `remote_write`.
 *
 * Prometheus' own key of that name is left to Prometheus: a prometheus.yml that both read would have both write there, and who
 * evaluates the same rules twice would write each series twice.
 *
 * Owns     everything lives in the arena of the configuration, but for the regexes: remote_write_conf_release().
 * Source   Prometheus 3 config.go, RemoteWriteConfig.
 */
#ifndef REMOTE_WRITE_REMOTE_WRITE_CONF_H
#define REMOTE_WRITE_REMOTE_WRITE_CONF_H

#include "model/relabel.h"
#include "net/http_conf.h"
#include "tocsin/conf.h"

struct remote_queue_conf {
    int64_t max_samples_per_send;
    dur_ns batch_send_deadline, min_backoff, max_backoff;
    dur_ns sample_age_limit; /* 0 = none */
    bool retry_on_http_429;
    int64_t max_size; /* bytes on the disk */
};

struct remote_metadata_conf {
    bool send;
    dur_ns send_interval;
    int64_t max_samples_per_send;
};

struct remote_write_conf {
    struct secret url;
    str name; /* empty = none */
    str what; /* "rules" or "all" */
    str protobuf_message;
    dur_ns remote_timeout;
    struct conf_map headers;
    struct relabel_rules write_relabel_configs;
    bool send_native_histograms;
    struct remote_queue_conf queue_config;
    struct remote_metadata_conf metadata_config;
    struct http_conf *http;
    struct diag_place place;
};

struct remote_write_list {
    struct remote_write_conf *v;
    size_t n;
};

extern const struct conf_type remote_write_conf_type;

/* For the row of a struct remote_write_list. */
bool remote_write_conf_decode(struct conf_in *in, const struct yaml_node *node, void *member);
void remote_write_conf_release(struct remote_write_list *l);
bool remote_write_wants_all(const struct remote_write_list *l);

/* What its queue goes by: the name, or the URL. */
str remote_write_key(const struct remote_write_conf *c);
/* What people see: the name, or the URL without what may be secret in it. */
str remote_write_title(const struct remote_write_conf *c, struct arena *a);

#endif
