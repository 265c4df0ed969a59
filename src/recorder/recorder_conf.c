#include "recorder/recorder_conf.h"

#include "schema/schema.h"

static const struct conf_key file_keys[] = {
    CONF_KEY(struct recorder_file_conf, path, CONF_PATH,
             "lines of JSON are appended; opened anew when another file has the name",
             .flags = CONF_REQUIRED),
    CONF_KEYS_END,
};
static const struct conf_type file_type = {
    .name = "file_output", .keys = file_keys, .size = sizeof(struct recorder_file_conf)};

static const struct conf_key stdout_keys[] = {CONF_KEYS_END};
static const struct conf_type stdout_type = {
    .name = "stdout_output", .keys = stdout_keys, .size = sizeof(struct recorder_stdout_conf)};

#define W struct recorder_webhook_conf
static const struct conf_key webhook_keys[] = {
    CONF_KEY(W, url, CONF_SECRET_URL, "where events are posted",
             .flags = CONF_REQUIRED | CONF_NO_FILE),
    CONF_KEY_AS("http_config", W, http, CONF_STRUCT_PTR, "HTTP client", .sub = &http_conf_type,
                .text = "{}"),
    CONF_KEY(W, timeout, CONF_DURATION, "limit for a request", .text = "10s",
             .flags = CONF_NOT_ZERO),
    CONF_KEY(W, workers, CONF_INT, "requests at once", .text = "4", .min = 1, .max = 64),
    CONF_KEY(W, max_retries, CONF_INT, "attempts of a request", .text = "3", .min = 1, .max = 100),
    CONF_KEY(W, retry_backoff, CONF_DURATION,
             "wait before the second attempt; it doubles, up to 30s", .text = "500ms"),
    CONF_KEY(W, batch, CONF_BOOL, "a request has a list of events"),
    CONF_KEY(W, batch_max_events, CONF_INT, "events of a request", .text = "100", .min = 1,
             .max = 100000),
    CONF_KEY(W, batch_max_bytes, CONF_INT, "bytes of a request, if it has more than one event",
             .text = "1048576", .min = 1, .max = 64 << 20),
    CONF_KEY(W, batch_flush_interval, CONF_DURATION, "how long a request waits for more events",
             .text = "100ms"),
    CONF_KEYS_END,
};
#undef W

static void check_webhook(struct conf_check *c, void *obj)
{
    static const char *const keys[] = {"batch_max_events", "batch_max_bytes",
                                       "batch_flush_interval"};
    const struct recorder_webhook_conf *w = obj;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (!w->batch && conf_has(c, keys[i]))
            conf_error(c, keys[i], "needs \"batch: true\"");
}

static const struct conf_type webhook_type = {.name = "webhook_output",
                                              .keys = webhook_keys,
                                              .size = sizeof(struct recorder_webhook_conf),
                                              .check = check_webhook};

#define R struct recorder_conf
static const struct conf_key recorder_keys[] = {
    CONF_KEY_AS("file_outputs", R, files, CONF_LIST, "files of JSON lines", .sub = &file_type,
                .flags = CONF_NO_NULLS),
    CONF_KEY_AS("stdout_outputs", R, stdouts, CONF_LIST, "standard output", .sub = &stdout_type),
    CONF_KEY_AS("webhook_outputs", R, webhooks, CONF_LIST, "services that events are posted to",
                .sub = &webhook_type, .flags = CONF_NO_NULLS),
    CONF_KEY_AS("kafka_outputs", R, kafka, CONF_ANY, "is refused: use webhook_outputs",
                .flags = CONF_UNPRINTED),
    CONF_KEYS_END,
};
#undef R

const struct conf_type recorder_conf_type = {
    .name = "event_recorder",
    .doc = "Where events go: alerts, groups, notifications, silences. With "
           "--enable-feature=event-recorder.",
    .keys = recorder_keys,
    .size = sizeof(struct recorder_conf),
    .place = CONF_AT(struct recorder_conf, place),
};
