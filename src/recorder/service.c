/* One service: its events wait in a row, and go out by as many requests at once as it has workers. What is refused, or not
 * answered, is asked again after a wait that doubles; after max_retries attempts it is dropped. */
#include "recorder/outlets.h"

#include "base/mem.h"
#include "base/vec.h"
#include "os/log.h"

enum { SERVICE_EVENTS = 1024, SERVICE_BYTES = 64 << 20, BACKOFF_MAX_S = 30 };

struct service_post {
    struct service *of;
    struct buf body;
    VEC(str) events; /* owned; none: it is free */
    int64_t attempts;
    struct transfer *transfer;
    struct timer again;
};

struct service {
    struct transport *transport;
    struct clock *clock;
    const struct recorder_webhook_conf *conf;
    str name;
    VEC(str) waiting; /* owned; the first of them at `at` */
    size_t at, waiting_bytes;
    struct service_post *posts;
    struct timer flush;
    bool is_due; /* what waits goes out though it is few */
    uint64_t dropped, bytes;
};

static void service_go_on(struct service *s);

static size_t service_left(const struct service *s)
{
    return s->waiting.n - s->at;
}

static str service_pull(struct service *s)
{
    str event = s->waiting.v[s->at++];

    s->waiting_bytes -= event.n;
    if (s->at == s->waiting.n) {
        vec_clear(&s->waiting);
        s->at = 0;
    }
    return event;
}

static void post_forget(struct service_post *p)
{
    VEC_EACH (str *, event, &p->events)
        mem_str_free(*event);
    vec_clear(&p->events);
    p->attempts = 0;
}

static void post_answered(void *arg, const struct transport_answer *a);

static void post_send(struct service_post *p)
{
    static struct http_header json = {S_INIT("Content-Type"), S_INIT("application/json")};
    struct service *s = p->of;
    struct transport_request rq = {
        .http = {.method = S("POST"),
                 .url = s->conf->url.hidden,
                 .headers = {&json, 1},
                 .body = buf_str(&p->body)},
        .conf = s->conf->http,
        .keeps_body = true,
        .class = WORK_SLOW,
        .deadline = ts_add(s->clock->now.mono, s->conf->timeout),
    };

    p->attempts++;
    p->transfer = transport_send(s->transport, &rq, post_answered, p);
}

static void post_again(struct timer *t, struct now now)
{
    (void)now;
    post_send(container_of(t, struct service_post, again));
}

static dur_ns post_backoff(const struct service_post *p)
{
    dur_ns wait = p->of->conf->retry_backoff;

    for (int64_t i = 1; i < p->attempts && wait < BACKOFF_MAX_S * NS_PER_S; i++)
        wait *= 2;
    return wait < BACKOFF_MAX_S * NS_PER_S ? wait : BACKOFF_MAX_S * NS_PER_S;
}

static void post_answered(void *arg, const struct transport_answer *a)
{
    struct service_post *p = arg;
    struct service *s = p->of;
    bool ok = a->failure == TRANSPORT_OK && a->http.status / 100 == 2;

    p->transfer = NULL;
    if (!ok)
        log_warn("events were not taken", LOG_STR("output", s->name),
                 LOG_I64("status", a->http.status),
                 LOG_Z("err", a->failure != TRANSPORT_OK ? a->err.msg : ""),
                 LOG_I64("attempt", p->attempts));
    if (!ok && p->attempts < s->conf->max_retries) {
        p->again.fire = post_again;
        timer_arm(s->clock, &p->again, ts_add(s->clock->now.mono, post_backoff(p)));
        return;
    }
    if (ok)
        s->bytes += p->body.n;
    else
        s->dropped += p->events.n;
    post_forget(p);
    service_go_on(s);
}

/* As many events as fit into a request. */
static void post_fill(struct service_post *p)
{
    struct service *s = p->of;
    const struct recorder_webhook_conf *c = s->conf;
    size_t most = c->batch ? (size_t)c->batch_max_events : 1;

    buf_clear(&p->body);
    if (c->batch)
        buf_addc(&p->body, '[');
    while (
        service_left(s) != 0 && p->events.n < most &&
        (p->events.n == 0 || p->body.n + s->waiting.v[s->at].n + 2 <= (size_t)c->batch_max_bytes)) {
        if (p->events.n != 0)
            buf_addc(&p->body, ',');
        vec_push(&p->events, service_pull(s));
        buf_add(&p->body, *vec_last(&p->events));
    }
    if (c->batch)
        buf_addc(&p->body, ']');
}

static bool is_worth_a_post(const struct service *s)
{
    return service_left(s) != 0 &&
           (!s->conf->batch || s->is_due || service_left(s) >= (size_t)s->conf->batch_max_events ||
            s->waiting_bytes >= (size_t)s->conf->batch_max_bytes);
}

static void service_due(struct timer *t, struct now now)
{
    struct service *s = container_of(t, struct service, flush);

    (void)now;
    s->is_due = true;
    service_go_on(s);
}

static void service_go_on(struct service *s)
{
    for (int64_t i = 0; i < s->conf->workers && is_worth_a_post(s); i++) {
        struct service_post *p = &s->posts[i];

        if (p->events.n != 0)
            continue;
        post_fill(p);
        post_send(p);
        s->is_due = s->is_due && service_left(s) != 0;
    }
    if (s->conf->batch && service_left(s) != 0 && !s->is_due && !timer_is_armed(&s->flush))
        timer_arm(s->clock, &s->flush, ts_add(s->clock->now.mono, s->conf->batch_flush_interval));
}

struct service *service_new(struct transport *t, struct clock *clock,
                            const struct recorder_webhook_conf *conf, str name)
{
    struct service *s = mem_new(struct service);

    s->transport = t;
    s->clock = clock;
    s->conf = conf;
    s->name = mem_str_dup(name);
    s->flush.fire = service_due;
    s->posts = mem_array((size_t)conf->workers, sizeof(*s->posts));
    for (int64_t i = 0; i < conf->workers; i++)
        s->posts[i].of = s;
    return s;
}

/* Nothing of it is under way any more. */
static void service_halt(struct service *s)
{
    timer_cancel(s->clock, &s->flush);
    for (int64_t i = 0; i < s->conf->workers; i++) {
        timer_cancel(s->clock, &s->posts[i].again);
        if (s->posts[i].transfer != NULL)
            transport_cancel(s->transport, s->posts[i].transfer);
        s->posts[i].transfer = NULL;
    }
}

void service_free(struct service *s)
{
    service_halt(s);
    for (int64_t i = 0; i < s->conf->workers; i++) {
        post_forget(&s->posts[i]);
        vec_release(&s->posts[i].events);
        buf_release(&s->posts[i].body);
    }
    while (service_left(s) != 0)
        mem_str_free(service_pull(s));
    vec_release(&s->waiting);
    mem_free(s->posts);
    mem_str_free(s->name);
    mem_free(s);
}

static bool service_keep(struct service *s, str event)
{
    if (service_left(s) >= SERVICE_EVENTS || s->waiting_bytes + event.n > SERVICE_BYTES) {
        s->dropped++;
        return false;
    }
    if (s->at > SERVICE_EVENTS) { /* what has gone out stands before it */
        s->waiting.n -= s->at;
        memmove(s->waiting.v, s->waiting.v + s->at, s->waiting.n * sizeof(s->waiting.v[0]));
        s->at = 0;
    }
    vec_push(&s->waiting, mem_str_dup(event));
    s->waiting_bytes += event.n;
    return true;
}

bool service_put(struct service *s, str event)
{
    bool ok = service_keep(s, event);

    service_go_on(s);
    return ok;
}

void service_hand_over(struct service *from, struct service *to)
{
    service_halt(from);
    for (int64_t i = 0; i < from->conf->workers; i++)
        VEC_EACH (const str *, event, &from->posts[i].events)
            (void)service_keep(to, *event);
    for (size_t i = from->at; i < from->waiting.n; i++)
        (void)service_keep(to, from->waiting.v[i]);
    to->dropped += from->dropped;
    to->bytes += from->bytes;
    service_go_on(to);
}

size_t service_waiting(const struct service *s)
{
    size_t n = service_left(s);

    for (int64_t i = 0; i < s->conf->workers; i++)
        n += s->posts[i].events.n;
    return n;
}

uint64_t service_dropped(const struct service *s)
{
    return s->dropped;
}

uint64_t service_bytes(const struct service *s)
{
    return s->bytes;
}

str service_name(const struct service *s)
{
    return s->name;
}
