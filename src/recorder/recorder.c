#include "recorder/recorder.h"

#include <openssl/evp.h>
#include <stdio.h>
#include "base/vec.h"
#include "codec/quote.h"
#include "core/happenings.h"
#include "recorder/outlets.h"

const char *const recorder_types[RECORDER_TYPES] = {
    "alertmanager_startup_event",
    "alertmanager_shutdown_event",
    "alert_created",
    "alert_resolved",
    "alert_grouped",
    "notification",
    "silence_created",
    "silence_updated",
    "silence_muted_alert",
    "inhibition_muted_alert",
};

struct recorder {
    struct transport *transport;
    struct clock *clock;
    str instance; /* as JSON; owned */
    VEC(struct event_file *) streams;
    VEC(struct service *) services;
    struct buf line; /* used again */
    uint64_t recorded[RECORDER_TYPES];
    uint64_t bytes, dropped; /* of outputs that are no more */
};

struct recorder *recorder_new(struct transport *t, struct clock *clock, str instance)
{
    struct recorder *r = mem_new(struct recorder);
    struct buf b = BUF_INIT;

    r->transport = t;
    r->clock = clock;
    quote_json(&b, instance, true);
    r->instance = mem_str_dup(buf_str(&b));
    buf_release(&b);
    return r;
}

/* -- outputs -- */

static void recorder_drop_file(struct recorder *r, struct event_file *s)
{
    struct event_file_load l = event_file_load(s);

    r->bytes += l.bytes;
    r->dropped += l.dropped;
    event_file_free(s);
}

static struct event_file *recorder_reuse(struct recorder *r, str path)
{
    for (size_t i = 0; i < r->streams.n; i++)
        if (r->streams.v[i] != NULL && str_eq(event_file_path(r->streams.v[i]), path)) {
            struct event_file *s = r->streams.v[i];

            r->streams.v[i] = NULL;
            return s;
        }
    return NULL;
}

/* Those of one path share a thread: it is asked once. */
static void configure_files(struct recorder *r, const struct recorder_conf *conf)
{
    size_t n = conf != NULL ? conf->files.n + conf->stdouts.n : 0;
    struct event_file **v = mem_array(n, sizeof(struct event_file *));

    for (size_t i = 0; i < n; i++) {
        str path = i < conf->files.n ? conf->files.v[i].path : STR_NONE;

        v[i] = recorder_reuse(r, path);
        if (v[i] == NULL)
            v[i] = event_file_new(path);
    }
    VEC_EACH (struct event_file **, s, &r->streams)
        if (*s != NULL)
            recorder_drop_file(r, *s);
    vec_clear(&r->streams);
    for (size_t i = 0; i < n; i++)
        vec_push(&r->streams, v[i]);
    mem_free(v);
}

/* The settings of the old ones go with their configuration: what waits for the i-th goes on by the new i-th. */
static void configure_services(struct recorder *r, const struct recorder_conf *conf)
{
    size_t n = conf != NULL ? conf->webhooks.n : 0;
    struct service **v = mem_array(n, sizeof(struct service *));

    for (size_t i = 0; i < n; i++) {
        char name[32];

        snprintf(name, sizeof(name), "webhook:%zu", i);
        v[i] = service_new(r->transport, r->clock, &conf->webhooks.v[i], str_of(name));
        if (i < r->services.n)
            service_hand_over(r->services.v[i], v[i]);
    }
    for (size_t i = 0; i < r->services.n; i++) {
        if (i >= n)
            r->bytes += service_bytes(r->services.v[i]);
        service_free(r->services.v[i]);
    }
    vec_clear(&r->services);
    for (size_t i = 0; i < n; i++)
        vec_push(&r->services, v[i]);
    mem_free(v);
}

void recorder_configure(struct recorder *r, const struct recorder_conf *conf)
{
    configure_files(r, conf);
    configure_services(r, conf);
}

void recorder_free(struct recorder *r)
{
    if (r == NULL)
        return;
    recorder_configure(r, NULL);
    vec_release(&r->streams);
    vec_release(&r->services);
    buf_release(&r->line);
    mem_str_free(r->instance);
    mem_free(r);
}

/* -- events -- */

static void recorder_put(struct recorder *r, size_t type)
{
    str line = buf_str(&r->line);

    if (r->streams.n + r->services.n == 0)
        return;
    r->recorded[type]++;
    VEC_EACH (struct event_file **, s, &r->streams)
        (void)event_file_put(*s, line); /* it counts by itself */
    VEC_EACH (struct service **, s, &r->services)
        (void)service_put(*s, line);
    if (r->line.cap > 1 << 20)
        buf_release(&r->line);
}

static void recorder_begin(struct recorder *r, ts_ns at)
{
    buf_clear(&r->line);
    buf_adds(&r->line, "{\"@timestamp\":\"");
    happening_time(&r->line, at);
    buf_addf(&r->line, "\",\"instance\":%.*s,\"data\":", STR(r->instance));
}

static void add_sha256(struct buf *out, str text)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (EVP_Digest(text.p, text.n, md, &n, EVP_sha256(), NULL) == 1)
        for (unsigned i = 0; i < n; i++)
            buf_addf(out, "%02x", md[i]);
}

void recorder_take(struct recorder *r, const struct recorded_event *v, size_t n, ts_ns at)
{
    for (size_t i = 0; i < n && r->streams.n + r->services.n != 0; i++) {
        size_t type = 0;

        while (strcmp(recorder_types[type], v[i].type) != 0)
            type++;
        recorder_begin(r, at);
        buf_add(&r->line, v[i].before);
        if (v[i].before.n != 0)
            add_sha256(&r->line, v[i].group_key);
        buf_add(&r->line, v[i].after);
        buf_addc(&r->line, '}');
        recorder_put(r, type);
    }
}

void recorder_started(struct recorder *r, str version, str build, ts_ns at)
{
    recorder_begin(r, at);
    buf_adds(&r->line, "{\"alertmanagerStartupEvent\":{\"version\":");
    quote_json(&r->line, version, true);
    buf_adds(&r->line, ",\"buildContext\":");
    quote_json(&r->line, build, true);
    buf_adds(&r->line, "}}}");
    recorder_put(r, 0);
}

void recorder_stops(struct recorder *r, ts_ns at)
{
    recorder_begin(r, at);
    buf_adds(&r->line, "{\"alertmanagerShutdownEvent\":{}}}");
    recorder_put(r, 1);
}

/* -- what is counted -- */

size_t recorder_waiting(const struct recorder *r)
{
    size_t n = 0;

    VEC_EACH (struct service *const *, s, &r->services)
        n += service_waiting(*s);
    return n;
}

struct recorder_stats recorder_stats(const struct recorder *r)
{
    struct recorder_stats st = {
        .bytes = r->bytes, .dropped = r->dropped, .waiting = recorder_waiting(r)};

    memcpy(st.recorded, r->recorded, sizeof(st.recorded));
    VEC_EACH (struct event_file *const *, s, &r->streams) {
        struct event_file_load l = event_file_load(*s);

        st.bytes += l.bytes;
        st.dropped += l.dropped;
        st.waiting += l.waiting;
    }
    VEC_EACH (struct service *const *, s, &r->services)
        st.bytes += service_bytes(*s);
    return st;
}

bool recorder_output(const struct recorder *r, size_t i, str *name, uint64_t *drops)
{
    if (i < r->streams.n) {
        str path = event_file_path(r->streams.v[i]);

        *name = path.n != 0 ? path : S("stdout");
        *drops = event_file_load(r->streams.v[i]).dropped;
        return true;
    }
    i -= r->streams.n;
    if (i >= r->services.n)
        return false;
    *name = service_name(r->services.v[i]);
    *drops = service_dropped(r->services.v[i]);
    return true;
}
