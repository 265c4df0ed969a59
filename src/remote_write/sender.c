/* One request is in hand at a time: it was read on a worker, is under way, or waits to be sent again. Its answer is noted by the
 * job that reads the next one, so that none goes out before. */
#include "remote_write/sender.h"

#include <inttypes.h>
#include <stdio.h>
#include "base/mem.h"
#include "base/vec.h"
#include "os/log.h"

enum { WAIT_MAX_S = 300, TOO_MANY = 429, REASON_MAX = 160 };

struct sender {
    struct sender_parts parts;
    const struct remote_write_conf *conf;
    str title; /* owned */
    struct spool *spool;

    struct job job; /* notes an answer, and reads the next request */
    bool is_busy, is_over;
    uint64_t answered; /* number of a request that is to be noted; 0: none */
    struct spool_item item;
    struct buf body;
    bool has_item;

    struct transfer *transfer, *telling;
    struct timer again;
    dur_ns backoff; /* 0: the last request was taken */
    size_t metrics; /* that are being told of */
    struct buf told;
    struct sender_stats stats;
};

static void sender_again(struct timer *t, struct now now);
static void sender_read(struct job *j);
static void sender_has_read(struct job *j);

struct sender *sender_new(const struct sender_parts *parts, struct spool *spool)
{
    struct sender *s = mem_new(struct sender);

    s->parts = *parts;
    s->spool = spool_ref(spool);
    s->again.fire = sender_again;
    s->job = (struct job){.run = sender_read, .done = sender_has_read};
    return s;
}

static void sender_halt(struct sender *s)
{
    timer_cancel(s->parts.clock, &s->again);
    if (s->transfer != NULL)
        transport_cancel(s->parts.transport, s->transfer);
    if (s->telling != NULL)
        transport_cancel(s->parts.transport, s->telling);
    s->transfer = s->telling = NULL;
}

static void sender_destroy(struct sender *s)
{
    spool_unref(s->spool);
    buf_release(&s->body);
    buf_release(&s->told);
    mem_str_free(s->title);
    mem_free(s);
}

void sender_stop(struct sender *s)
{
    sender_halt(s);
    s->conf = NULL;
}

void sender_free(struct sender *s)
{
    sender_halt(s);
    if (s->is_busy)
        s->is_over = true;
    else
        sender_destroy(s);
}

void sender_configure(struct sender *s, const struct remote_write_conf *c, str title)
{
    sender_halt(s);
    s->conf = c;
    mem_str_free(s->title);
    s->title = mem_str_dup(title);
    s->backoff = 0;
    sender_go_on(s);
}

/* -- reading, on a worker -- */

static void sender_read(struct job *j)
{
    struct sender *s = container_of(j, struct sender, job);

    if (s->answered != 0)
        spool_answered(s->spool, s->answered);
    s->answered = 0;
    s->has_item = spool_next(s->spool, &s->item, &s->body);
}

static void sender_has_read(struct job *j)
{
    struct sender *s = container_of(j, struct sender, job);

    s->is_busy = false;
    if (s->is_over)
        sender_destroy(s);
    else if (s->has_item) /* else somebody says when there is more */
        sender_go_on(s);
}

/* It need not be sent any more. */
static void sender_settle(struct sender *s)
{
    s->answered = s->item.id;
    s->has_item = false;
}

/* -- sending -- */

static void sender_answered(void *arg, const struct transport_answer *a);

static struct transfer *sender_post(struct sender *s, str body, transport_cb *cb)
{
    const struct remote_write_conf *c = s->conf;
    VEC(struct http_header) headers = VEC_INIT;
    struct transport_request rq = {
        .conf = c->http,
        .keeps_body = true,
        .class = WORK_SLOW,
        .deadline = ts_add(s->parts.clock->now.mono, c->remote_timeout),
    };
    struct transfer *x;

    vec_push(&headers, (struct http_header){S("Content-Encoding"), S("snappy")});
    vec_push(&headers, (struct http_header){S("Content-Type"), S("application/x-protobuf")});
    vec_push(&headers, (struct http_header){S("X-Prometheus-Remote-Write-Version"), S("0.1.0")});
    for (size_t i = 0; i < c->headers.n; i++)
        vec_push(&headers, (struct http_header){c->headers.v[i].name, c->headers.v[i].value});
    rq.http = (struct http_request){
        .method = S("POST"), .url = c->url.hidden, .headers = {headers.v, headers.n}, .body = body};
    x = transport_send(s->parts.transport, &rq, cb, s);
    vec_release(&headers);
    return x;
}

static bool sender_is_too_old(const struct sender *s)
{
    dur_ns limit = s->conf->queue_config.sample_age_limit;

    return limit != 0 && s->item.newest < (s->parts.clock->now.wall - limit) / NS_PER_MS;
}

void sender_go_on(struct sender *s)
{
    if (s->conf == NULL || s->is_busy || s->transfer != NULL || timer_is_armed(&s->again))
        return;
    if (s->has_item && sender_is_too_old(s)) {
        s->stats.too_old += s->item.samples;
        sender_settle(s);
    }
    if (s->has_item) {
        s->transfer = sender_post(s, s->item.body, sender_answered);
    } else if (s->answered != 0 || spool_figures(s->spool).samples != 0) {
        s->is_busy = true;
        pool_run(s->parts.pool, WORK_WRITE, &s->job);
    }
}

static void sender_again(struct timer *t, struct now now)
{
    (void)now;
    sender_go_on(container_of(t, struct sender, again));
}

/* -- answers -- */

/* How long the remote wants to be left alone, in seconds; 0: it does not say. */
static dur_ns sender_asked_wait(const struct transport_answer *a)
{
    uint64_t s;

    if (!str_to_u64(str_trim(http_header_get(&a->http.headers, S("Retry-After"))), &s))
        return 0;
    return (dur_ns)(s < WAIT_MAX_S ? s : WAIT_MAX_S) * NS_PER_S;
}

static void sender_later(struct sender *s, dur_ns asked)
{
    const struct remote_queue_conf *q = &s->conf->queue_config;

    s->backoff = s->backoff == 0 ? q->min_backoff : 2 * s->backoff;
    if (s->backoff > q->max_backoff)
        s->backoff = q->max_backoff;
    timer_arm(s->parts.clock, &s->again,
              ts_add(s->parts.clock->now.mono, asked > s->backoff ? asked : s->backoff));
}

static void sender_note_failure(struct sender *s, const struct transport_answer *a)
{
    str said = str_trim(str_sub(a->http.body, 0, REASON_MAX));
    struct buf why = BUF_INIT;

    if (a->http.status == 0) {
        buf_add(&why, str_of(a->err.msg));
    } else {
        buf_addf(&why, "it answers %d%s", a->http.status, said.n != 0 ? ": " : "");
        buf_add_shown_line(&why, said);
    }
    snprintf(s->stats.why, sizeof(s->stats.why), "%.*s", STR(buf_str(&why)));
    buf_release(&why);
}

static void sender_taken(struct sender *s)
{
    if (s->stats.why[0] != '\0')
        log_info("a remote takes samples again", LOG_STR("remote", s->title));
    s->stats.why[0] = '\0';
    s->stats.samples += s->item.samples;
    s->stats.bytes += s->item.body.n;
    s->stats.newest = s->item.newest > s->stats.newest ? s->item.newest : s->stats.newest;
}

static void sender_rejected(struct sender *s)
{
    log_error("a remote refuses samples: they are dropped", LOG_STR("remote", s->title),
              LOG_I64("samples", s->item.samples), LOG_Z("why", s->stats.why));
    s->stats.rejected += s->item.samples;
}

static bool sender_is_to_repeat(const struct sender *s, int status)
{
    return status == 0 || status >= 500 ||
           (status == TOO_MANY && s->conf->queue_config.retry_on_http_429);
}

static void sender_answered(void *arg, const struct transport_answer *a)
{
    struct sender *s = arg;
    int status = a->http.status; /* says it, whatever became of the body */
    bool is_taken = status >= 200 && status < 300;
    bool was_well = s->stats.why[0] == '\0';

    s->transfer = NULL;
    s->stats.requests++;
    s->stats.failed += !is_taken;
    s->stats.took += a->took;
    if (!is_taken)
        sender_note_failure(s, a);
    if (!is_taken && sender_is_to_repeat(s, status)) {
        if (was_well)
            log_warn("a remote takes no samples: they wait", LOG_STR("remote", s->title),
                     LOG_Z("why", s->stats.why));
        sender_later(s, sender_asked_wait(a));
        return;
    }
    if (is_taken)
        sender_taken(s);
    else
        sender_rejected(s);
    s->backoff = 0;
    sender_settle(s);
    sender_go_on(s);
}

/* -- metadata -- */

static void sender_has_told(void *arg, const struct transport_answer *a)
{
    struct sender *s = arg;

    s->telling = NULL;
    if (a->http.status >= 200 && a->http.status < 300)
        s->stats.metadata += s->metrics;
    else
        s->stats.metadata_failed++;
    buf_release(&s->told);
}

bool sender_tell(struct sender *s, str body, size_t metrics)
{
    if (s->conf == NULL || s->telling != NULL || timer_is_armed(&s->again))
        return false;
    buf_clear(&s->told);
    buf_add(&s->told, body);
    s->metrics = metrics;
    s->telling = sender_post(s, buf_str(&s->told), sender_has_told);
    return true;
}

/* -- reading -- */

str sender_title(const struct sender *s)
{
    return s->title;
}

const struct remote_write_conf *sender_conf(const struct sender *s)
{
    return s->conf;
}

struct spool *sender_spool(struct sender *s)
{
    return s->spool;
}

const struct sender_stats *sender_stats(const struct sender *s)
{
    return &s->stats;
}
