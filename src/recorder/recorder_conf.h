/* recorder_conf.h - where events go: Alertmanager's key `event_recorder`.
 *
 * Owns     everything lives in the arena of the configuration.
 * Source   alertmanager.md 2.10.
 */
#ifndef RECORDER_RECORDER_CONF_H
#define RECORDER_RECORDER_CONF_H

#include "net/http_conf.h"
#include "tocsin/conf.h"

struct recorder_file_conf {
    str path;
};

struct recorder_stdout_conf {
    bool is_there;
};

struct recorder_webhook_conf {
    struct secret url;
    struct http_conf *http;
    dur_ns timeout, retry_backoff, batch_flush_interval;
    int64_t workers, max_retries;
    bool batch;
    int64_t batch_max_events, batch_max_bytes;
};

struct recorder_conf {
    CONF_LIST_OF(struct recorder_file_conf) files;
    CONF_LIST_OF(struct recorder_stdout_conf) stdouts;
    CONF_LIST_OF(struct recorder_webhook_conf) webhooks;
    struct conf_value *kafka; /* is refused */
    struct diag_place place;
};

extern const struct conf_type recorder_conf_type;

#endif
