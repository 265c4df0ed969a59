#include "source/source.h"

#include <stdio.h>
#include <sys/queue.h>
#include "base/buf.h"
#include "base/mem.h"
#include "codec/escape.h"
#include "net/peer_clock.h"

enum { ANSWER_MAX = 256 << 20 };

struct query {
    TAILQ_ENTRY(query) link;
    struct source *source;
    struct buf form;
    source_cb *cb;
    void *arg;
    size_t tried, url; /* URLs asked so far, and the one being asked */
    struct transfer *transfer;
    ts_ns deadline;
};

TAILQ_HEAD(query_list, query);

struct source {
    const struct source_conf *conf;
    struct transport *transport;
    struct clock *clock;
    struct query_list waiting, under_way;
    size_t n_waiting, n_under_way;
    size_t preferred; /* the URL that answered last */
    ts_ns down_since;
    dur_ns skew;
    char last_error[512];
    struct source_stats stats;
};

struct source *source_new(const struct source_conf *conf, struct transport *t, struct clock *clock)
{
    struct source *s = mem_new(struct source);

    s->conf = conf;
    s->transport = t;
    s->clock = clock;
    s->down_since = TS_NONE;
    TAILQ_INIT(&s->waiting);
    TAILQ_INIT(&s->under_way);
    metric_histogram_init(&s->stats.seconds, metric_seconds_bounds,
                          ARRAY_LEN(metric_seconds_bounds));
    return s;
}

static void query_free(struct query *q)
{
    buf_release(&q->form);
    mem_free(q);
}

static void source_drop(struct source *s, struct query_list *list, size_t *count, void *arg,
                        bool all)
{
    struct query *q = TAILQ_FIRST(list);

    while (q != NULL) {
        struct query *next = TAILQ_NEXT(q, link);

        if (all || q->arg == arg) {
            TAILQ_REMOVE(list, q, link);
            (*count)--;
            if (q->transfer != NULL)
                transport_cancel(s->transport, q->transfer);
            query_free(q);
        }
        q = next;
    }
}

void source_free(struct source *s)
{
    if (s == NULL)
        return;
    source_drop(s, &s->waiting, &s->n_waiting, NULL, true);
    source_drop(s, &s->under_way, &s->n_under_way, NULL, true);
    metric_histogram_release(&s->stats.seconds);
    mem_free(s);
}

static void source_serve(struct source *s);

static void source_source_answered(void *arg, const struct transport_answer *t);

static void source_ask(struct query *q)
{
    struct source *s = q->source;
    str base = s->conf->urls[q->url];
    struct http_header header = {S("Content-Type"), S("application/x-www-form-urlencoded")};
    struct transport_request rq = {.conf = s->conf->http,
                                   .class = WORK_SOURCE,
                                   .deadline = q->deadline,
                                   .max_answer = ANSWER_MAX};
    struct buf url = BUF_INIT;

    buf_add(&url, url_trim_slash(base));
    buf_adds(&url, "/api/v1/query");
    rq.http.method = S("POST");
    rq.http.url = buf_str(&url);
    rq.http.headers = (struct http_headers){&header, 1};
    rq.http.body = buf_str(&q->form);
    q->tried++;
    q->transfer = transport_send(s->transport, &rq, source_source_answered, q);
    buf_release(&url);
}

static void source_serve(struct source *s)
{
    struct query *q;

    while ((q = TAILQ_FIRST(&s->waiting)) != NULL &&
           s->n_under_way < (size_t)s->conf->max_concurrent) {
        TAILQ_REMOVE(&s->waiting, q, link);
        s->n_waiting--;
        TAILQ_INSERT_TAIL(&s->under_way, q, link);
        s->n_under_way++;
        q->url = s->preferred;
        q->deadline = ts_add(s->clock->now.mono, s->conf->timeout);
        source_ask(q);
    }
}

static void source_note(struct source *s, const struct query *q, const struct source_answer *a)
{
    if (!source_error_is_outage(a->error)) {
        s->down_since = TS_NONE;
        s->preferred = q->url;
        return;
    }
    if (s->down_since == TS_NONE)
        s->down_since = s->clock->now.mono;
    snprintf(s->last_error, sizeof(s->last_error), "%s", a->err.msg);
}

static void source_classify(const struct transport_answer *t, struct source_answer *a)
{
    if (t->failure != TRANSPORT_OK) {
        a->error = t->failure == TRANSPORT_TIMEOUT ? SOURCE_TIMEOUT : SOURCE_DOWN;
        a->err = t->err;
    } else if (t->http.status == 200) {
        a->body = t->http.body;
    } else {
        a->error = prom_answer_error(t->http.status, t->http.body, &a->err);
    }
}

static void source_source_answered(void *arg, const struct transport_answer *t)
{
    struct query *q = arg;
    struct source *s = q->source;
    struct source_answer a = {.error = SOURCE_OK};
    bool again;

    q->transfer = NULL;
    (void)peer_clock_skew(t, s->clock->now.wall, &s->skew);
    source_classify(t, &a);
    s->stats.failed += a.error != SOURCE_OK;
    metric_histogram_observe(&s->stats.seconds, (double)t->took / NS_PER_S);
    again = source_error_is_outage(a.error) && a.error != SOURCE_THROTTLED &&
            q->tried < s->conf->n_urls;
    if (again) {
        q->url = (q->url + 1) % s->conf->n_urls;
        q->deadline = ts_add(s->clock->now.mono, s->conf->timeout);
        source_ask(q);
        return;
    }
    source_note(s, q, &a);
    TAILQ_REMOVE(&s->under_way, q, link);
    s->n_under_way--;
    q->cb(q->arg, &a);
    query_free(q);
    source_serve(s);
}

void source_query(struct source *s, str query, ts_ns time, source_cb *cb, void *arg)
{
    struct query *q = mem_new(struct query);
    int64_t ms = time / NS_PER_MS;

    q->source = s;
    q->cb = cb;
    q->arg = arg;
    buf_adds(&q->form, "query=");
    escape_percent(&q->form, query);
    buf_addf(&q->form, "&time=%lld.%03lld&timeout=%llds", (long long)(ms / 1000),
             (long long)(ms % 1000),
             (long long)(s->conf->timeout / NS_PER_S > 0 ? s->conf->timeout / NS_PER_S : 1));
    if (s->conf->lookback_delta > 0)
        buf_addf(&q->form, "&lookback_delta=%lldms",
                 (long long)(s->conf->lookback_delta / NS_PER_MS));
    TAILQ_INSERT_TAIL(&s->waiting, q, link);
    s->n_waiting++;
    source_serve(s);
}

str source_name(const struct source *s)
{
    return s->conf->name;
}

const struct source_conf *source_config(const struct source *s)
{
    return s->conf;
}

const struct source_stats *source_stats(const struct source *s)
{
    return &s->stats;
}

ts_ns source_down_since(const struct source *s)
{
    return s->down_since;
}

dur_ns source_skew(const struct source *s)
{
    return s->skew;
}

const char *source_last_error(const struct source *s)
{
    return s->last_error;
}

size_t source_under_way(const struct source *s)
{
    return s->n_under_way;
}

size_t source_waiting(const struct source *s)
{
    return s->n_waiting;
}
