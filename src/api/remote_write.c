/* Who gets our samples, and how far they are: GET /api/tocsin/remote_write, and its part of /metrics. */
#include "api/metrics.h"
#include "remote_write/remote_write.h"

enum m {
    M_SAMPLES,
    M_BYTES,
    M_REQUESTS,
    M_FAILED,
    M_SECONDS,
    M_PENDING,
    M_PENDING_BYTES,
    M_IN_MEMORY,
    M_LAG,
    M_METADATA,
    M_METADATA_FAILED,
    M_DROPPED,
    M_DAMAGED,
};

static const struct metric rows[] = {
    [M_SAMPLES] = {"tocsin_remote_write_samples_total", EXPO_COUNTER,
                   "Samples that a remote has taken."},
    [M_BYTES] = {"tocsin_remote_write_bytes_total", EXPO_COUNTER, "Their size, as sent."},
    [M_REQUESTS] = {"tocsin_remote_write_requests_total", EXPO_COUNTER,
                    "Requests with samples that have ended."},
    [M_FAILED] = {"tocsin_remote_write_requests_failed_total", EXPO_COUNTER,
                  "Of these, those that were not taken: sent again, or dropped."},
    [M_SECONDS] = {"tocsin_remote_write_request_duration_seconds", EXPO_SUMMARY,
                   "How long they took."},
    [M_PENDING] = {"tocsin_remote_write_pending_samples", EXPO_GAUGE,
                   "Samples that wait to be sent, or are under way."},
    [M_PENDING_BYTES] = {"tocsin_remote_write_pending_bytes", EXPO_GAUGE,
                         "Disk that they take, with what of its last files is done."},
    [M_IN_MEMORY] = {"tocsin_remote_write_in_memory", EXPO_GAUGE,
                     "1 while the disk does not take samples that wait, and they do so in memory."},
    [M_LAG] = {"tocsin_remote_write_lag_seconds", EXPO_GAUGE,
               "How old the oldest sample is that waits; 0: none does."},
    [M_METADATA] = {"tocsin_remote_write_metadata_total", EXPO_COUNTER,
                    "Metrics that a remote was told the types of."},
    [M_METADATA_FAILED] = {"tocsin_remote_write_metadata_failed_total", EXPO_COUNTER,
                           "Requests with these that it did not take."},
    [M_DROPPED] = {"tocsin_remote_write_samples_dropped_total", EXPO_COUNTER,
                   "Samples that a remote will never get: it refused them (rejected), they took "
                   "more room than they may (no_room), were older than sample_age_limit (too_old), "
                   "or are native histograms that were not asked for (histogram)."},
    [M_DAMAGED] = {"tocsin_remote_write_damaged_total", EXPO_COUNTER,
                   "Files of what waits that were damaged, or missing."},
};

const struct metric *api_remote_metric_rows(size_t *n)
{
    *n = ARRAY_LEN(rows);
    return rows;
}

static double lag_of(const struct remote_status *r, ts_ns now)
{
    double age = (double)(now / NS_PER_MS - r->queue.oldest) / 1000;

    return r->queue.oldest == 0 || age < 0 ? 0 : age;
}

struct remote_metric {
    struct expo *x;
    enum m m;
    ts_ns now;
};

static double remote_value(const struct remote_metric *at, const struct remote_status *r)
{
    switch (at->m) {
    case M_SAMPLES: return (double)r->stats->samples;
    case M_BYTES: return (double)r->stats->bytes;
    case M_REQUESTS: return (double)r->stats->requests;
    case M_FAILED: return (double)r->stats->failed;
    case M_PENDING: return (double)r->queue.samples;
    case M_PENDING_BYTES: return (double)r->queue.bytes;
    case M_IN_MEMORY: return r->queue.is_in_memory;
    case M_LAG: return lag_of(r, at->now);
    case M_METADATA: return (double)r->stats->metadata;
    case M_METADATA_FAILED: return (double)r->stats->metadata_failed;
    default: return (double)r->queue.damaged;
    }
}

static void remote_put_dropped(struct expo *x, const struct remote_status *r)
{
    const struct {
        str reason;
        uint64_t n;
    } all[] = {{S("histogram"), r->histograms},
               {S("no_room"), r->queue.dropped},
               {S("rejected"), r->stats->rejected},
               {S("too_old"), r->stats->too_old}};

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        expo_u64(x,
                 (const struct expo_label[]){{S("reason"), all[i].reason}, {S("remote"), r->title}},
                 2, all[i].n);
}

static void put_remote(void *arg, const struct remote_status *r)
{
    const struct remote_metric *at = arg;

    if (at->m == M_DROPPED)
        remote_put_dropped(at->x, r);
    else if (at->m == M_SECONDS)
        expo_summary(at->x, &L("remote", r->title), 1, (double)r->stats->took / NS_PER_S,
                     r->stats->requests);
    else
        expo_value(at->x, &L("remote", r->title), 1, remote_value(at, r));
}

void api_put_remote_metrics(struct api *a, struct expo *x, struct now now)
{
    struct remote_metric at = {.x = x, .now = now.wall};

    for (size_t m = 0; a->conf.store != NULL && m < ARRAY_LEN(rows); m++) {
        at.m = (enum m)m;
        metric_begin(x, &rows[m]);
        remote_write_each(store_remote_write(a->conf.store), put_remote, &at);
    }
}

/* -- GET /api/tocsin/remote_write -- */

struct remote_page {
    struct json_writer w;
    ts_ns now;
};

static void remote_put_count(struct json_writer *w, const char *key, uint64_t n)
{
    json_key(w, str_of(key));
    json_put_u64(w, n);
}

static void list_remote(void *arg, const struct remote_status *r)
{
    struct remote_page *p = arg;
    struct json_writer *w = &p->w;

    json_open(w, '{');
    json_put_text(w, "remote", r->title);
    json_put_text(w, "state", r->stats->why[0] != '\0' ? S("failing") : S("well"));
    json_put_text(w, "lastError", str_of(r->stats->why));
    if (r->conf != NULL)
        json_put_text(w, "what", r->conf->what);
    remote_put_count(w, "samples", r->stats->samples);
    remote_put_count(w, "pending", r->queue.samples);
    remote_put_count(w, "pendingBytes", r->queue.bytes);
    remote_put_count(w, "rejected", r->stats->rejected);
    remote_put_count(w, "dropped", r->queue.dropped);
    remote_put_count(w, "tooOld", r->stats->too_old);
    remote_put_count(w, "histograms", r->histograms);
    json_key(w, S("lagSeconds"));
    json_put_double(w, lag_of(r, p->now));
    json_key(w, S("inMemory"));
    json_put_bool(w, r->queue.is_in_memory);
    json_close(w, '}');
}

void api_get_remote_write(struct http_req *rq, void *arg)
{
    const struct api *a = arg;
    struct remote_page p = {.now = shell_clock(a->conf.shell)->now.wall};
    struct buf b = BUF_INIT;

    json_writer_init(&p.w, &b, true);
    json_open(&p.w, '[');
    if (a->conf.store != NULL)
        remote_write_each(store_remote_write(a->conf.store), list_remote, &p);
    json_close(&p.w, ']');
    buf_addc(&b, '\n');
    api_headers(rq);
    http_reply(rq, 200, S("application/json"), buf_str(&b));
    buf_release(&b);
}
