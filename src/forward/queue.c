#include "forward/queue.h"

#include "os/log.h"
#include "base/map.h"
#include "base/mem.h"

enum { BACKOFF_FIRST_S = 1, BACKOFF_LAST_S = 30, MISDIRECTED = 421 };

struct word {
    str json; /* owned */
    bool is_under_way;
};

struct forward_queue {
    str url; /* owned */
    const struct alertmanagers_conf *conf;
    str instance;
    struct transport *transport;
    struct clock *clock;
    struct u64_map words; /* key of the alert -> struct word *, oldest first */
    struct transfer *transfer;
    struct timer retry;
    dur_ns backoff; /* 0: the last request was taken */
    bool is_greeted, is_own;
    struct forward_stats stats;
};

static void send_next(struct forward_queue *q);

static void retry(struct timer *t, struct now now)
{
    (void)now;
    send_next(container_of(t, struct forward_queue, retry));
}

struct forward_queue *forward_queue_new(str url, const struct alertmanagers_conf *conf,
                                        str instance, struct transport *t, struct clock *clock)
{
    struct forward_queue *q = mem_new(struct forward_queue);

    q->url = mem_str_dup(url);
    q->conf = conf;
    q->instance = instance;
    q->transport = t;
    q->clock = clock;
    q->retry.fire = retry;
    timer_arm(clock, &q->retry, clock->now.mono);
    return q;
}

static void queue_forget(struct forward_queue *q, struct u64_map_entry *it)
{
    struct word *w = it->value;

    mem_str_free(w->json);
    mem_free(w);
    u64_map_del_entry(&q->words, it);
}

static void forget_all(struct forward_queue *q)
{
    MAP_EACH (struct u64_map_entry, it, &q->words)
        queue_forget(q, it);
}

static void queue_halt(struct forward_queue *q)
{
    timer_cancel(q->clock, &q->retry);
    if (q->transfer != NULL)
        transport_cancel(q->transport, q->transfer);
    q->transfer = NULL;
}

void forward_queue_free(struct forward_queue *q)
{
    queue_halt(q);
    forget_all(q);
    u64_map_release(&q->words);
    mem_str_free(q->url);
    mem_free(q);
}

void forward_queue_configure(struct forward_queue *q, const struct alertmanagers_conf *conf)
{
    queue_halt(q);
    q->conf = conf;
    q->backoff = 0;
    timer_arm(q->clock, &q->retry, q->clock->now.mono);
}

/* -- sending -- */

static bool queue_is_idle(const struct forward_queue *q)
{
    return q->transfer == NULL && !timer_is_armed(&q->retry);
}

static void queue_later(struct forward_queue *q)
{
    q->backoff = q->backoff == 0 ? BACKOFF_FIRST_S * NS_PER_S : 2 * q->backoff;
    if (q->backoff > BACKOFF_LAST_S * NS_PER_S)
        q->backoff = BACKOFF_LAST_S * NS_PER_S;
    timer_arm(q->clock, &q->retry, ts_add(q->clock->now.mono, q->backoff));
}

/* What was under way and was not replaced meanwhile leaves, or waits again. Returns how many these are. */
static size_t queue_settle(struct forward_queue *q, bool leaves)
{
    size_t n = 0;

    MAP_EACH (struct u64_map_entry, it, &q->words) {
        struct word *w = it->value;

        if (!w->is_under_way)
            continue;
        n++;
        w->is_under_way = false;
        if (leaves)
            queue_forget(q, it);
    }
    return n;
}

static void queue_note_failure(struct forward_queue *q, const struct transport_answer *a)
{
    if (a->http.status == 0)
        log_warn("an Alertmanager takes no alerts", LOG_STR("url", q->url), LOG_ERR(&a->err));
    else
        log_warn("an Alertmanager takes no alerts", LOG_STR("url", q->url),
                 LOG_I64("status", a->http.status));
}

static void drop_target(struct forward_queue *q)
{
    log_info("an Alertmanager of the configuration is this instance: nothing is sent to it",
             LOG_STR("url", q->url));
    q->is_own = true;
    forget_all(q);
}

static void queue_answered(void *arg, const struct transport_answer *a)
{
    struct forward_queue *q = arg;
    int status = a->http.status; /* says it, whatever became of the body */
    bool is_taken = status >= 200 && status < 300;
    bool is_refused = status == 400 || status == 413 || status == 422; /* for what it is */
    size_t n;

    q->transfer = NULL;
    q->stats.requests++;
    q->stats.failed += !is_taken;
    q->stats.took += a->took;
    if (status == MISDIRECTED) {
        drop_target(q);
        return;
    }
    n = queue_settle(q, is_taken || is_refused);
    if (!q->is_greeted &&
        !is_taken) /* the first request is empty: these would have come behind it */
        n = q->words.n < FORWARD_BATCH ? q->words.n : FORWARD_BATCH;
    if (is_taken) {
        q->is_greeted = true;
        q->stats.sent += n;
        if (q->backoff != 0)
            log_info("an Alertmanager takes alerts again", LOG_STR("url", q->url));
        q->backoff = 0;
        send_next(q);
        return;
    }
    q->stats.errors += n;
    if (q->backoff == 0 || is_refused)
        queue_note_failure(q, a);
    if (is_refused)
        q->stats.dropped += n;
    queue_later(q);
}

static void queue_collect(struct forward_queue *q, struct buf *body)
{
    size_t n = 0;

    buf_addc(body, '[');
    MAP_EACH (struct u64_map_entry, it, &q->words) {
        struct word *w = it->value;

        if (!q->is_greeted || n == FORWARD_BATCH)
            break;
        if (n++ != 0)
            buf_addc(body, ',');
        buf_add(body, w->json);
        w->is_under_way = true;
    }
    buf_addc(body, ']');
}

static void send_next(struct forward_queue *q)
{
    struct http_header headers[] = {{S("Content-Type"), S("application/json")},
                                    {S(FORWARD_INSTANCE_HEADER), q->instance}};
    struct transport_request rq = {.conf = q->conf->http,
                                   .class = WORK_PAGE,
                                   .deadline = ts_add(q->clock->now.mono, q->conf->timeout)};
    struct buf body = BUF_INIT;

    if (q->is_own || (q->is_greeted && q->words.n == 0))
        return;
    queue_collect(q, &body);
    rq.http = (struct http_request){.method = S("POST"),
                                    .url = q->url,
                                    .headers = {headers, ARRAY_LEN(headers)},
                                    .body = buf_str(&body)};
    q->transfer = transport_send(q->transport, &rq, queue_answered, q);
    buf_release(&body);
}

static void queue_make_room(struct forward_queue *q)
{
    MAP_EACH (struct u64_map_entry, it, &q->words) {
        queue_forget(q, it);
        q->stats.dropped++;
        return;
    }
}

void forward_queue_put(struct forward_queue *q, uint64_t key, str json)
{
    void **slot = u64_map_get(&q->words, key);
    struct word *w = slot != NULL ? *slot : NULL;

    if (q->is_own)
        return;
    if (w == NULL) {
        if (q->words.n == FORWARD_CAPACITY)
            queue_make_room(q);
        w = mem_new(struct word);
        u64_map_put(&q->words, key, w);
    }
    mem_str_free(w->json);
    w->json = mem_str_dup(json);
    w->is_under_way = false;
    if (queue_is_idle(q))
        timer_arm(q->clock, &q->retry, q->clock->now.mono); /* with all others of this turn */
}

/* -- reading -- */

str forward_queue_url(const struct forward_queue *q)
{
    return q->url;
}

size_t forward_queue_length(const struct forward_queue *q)
{
    return q->words.n;
}

bool forward_queue_is_own(const struct forward_queue *q)
{
    return q->is_own;
}

const struct alertmanagers_conf *forward_queue_conf(const struct forward_queue *q)
{
    return q->conf;
}

const struct forward_stats *forward_queue_stats(const struct forward_queue *q)
{
    return &q->stats;
}
