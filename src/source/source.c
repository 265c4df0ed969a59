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
    bool is_range, is_for_people;
    size_t tried, url; /* URLs asked so far, and the one being asked */
    struct transfer *transfer;
    ts_ns deadline;
};

TAILQ_HEAD(query_list, query);

struct source {
    const struct source_conf *conf;
    struct transport *transport;
    struct clock *clock;
    struct query_list waiting, asked, under_way;      /* asked: waits, too, for people */
    size_t n_waiting, n_asked, n_under_way, n_people; /* people: under way for them */
    size_t preferred;                                 /* the URL that answered last */
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
    TAILQ_INIT(&s->asked);
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
    source_drop(s, &s->asked, &s->n_asked, NULL, true);
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
                                   .class = q->is_for_people ? WORK_QUERY : WORK_SOURCE,
                                   .deadline = q->deadline,
                                   .max_answer = ANSWER_MAX};
    struct buf url = BUF_INIT;

    buf_add(&url, url_trim_slash(base));
    buf_addf(&url, "/api/v1/query%s", q->is_range ? "_range" : "");
    rq.http.method = S("POST");
    rq.http.url = buf_str(&url);
    rq.http.headers = (struct http_headers){&header, 1};
    rq.http.body = buf_str(&q->form);
    q->tried++;
    q->transfer = transport_send(s->transport, &rq, source_source_answered, q);
    buf_release(&url);
}

/* The next that may go, which waits no more. */
static struct query *source_next(struct source *s)
{
    size_t places = (size_t)s->conf->max_concurrent;
    struct query *q = TAILQ_FIRST(&s->waiting);

    if (s->n_under_way >= places)
        return NULL;
    if (q != NULL) {
        TAILQ_REMOVE(&s->waiting, q, link);
        s->n_waiting--;
    } else if ((q = TAILQ_FIRST(&s->asked)) != NULL && s->n_people < (places + 1) / 2) {
        TAILQ_REMOVE(&s->asked, q, link);
        s->n_asked--;
        s->n_people++;
    } else {
        return NULL;
    }
    return q;
}

static void source_serve(struct source *s)
{
    struct query *q;

    while ((q = source_next(s)) != NULL) {
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
    s->n_people -= q->is_for_people;
    q->cb(q->arg, &a);
    query_free(q);
    source_serve(s);
}

static void source_put_ms(struct query *q, const char *key, ts_ms ms)
{
    buf_addf(&q->form, "&%s=%lld.%03lld", key, (long long)(ms / 1000), (long long)(ms % 1000));
}

static struct query *source_new_query(struct source *s, str query, source_cb *cb, void *arg)
{
    struct query *q = mem_new(struct query);

    q->source = s;
    q->cb = cb;
    q->arg = arg;
    buf_adds(&q->form, "query=");
    escape_percent(&q->form, query);
    return q;
}

static void source_put_limits(struct query *q)
{
    const struct source_conf *c = q->source->conf;

    buf_addf(&q->form, "&timeout=%llds",
             (long long)(c->timeout / NS_PER_S > 0 ? c->timeout / NS_PER_S : 1));
    if (c->lookback_delta > 0)
        buf_addf(&q->form, "&lookback_delta=%lldms", (long long)(c->lookback_delta / NS_PER_MS));
}

void source_query(struct source *s, str query, ts_ns time, source_cb *cb, void *arg)
{
    struct query *q = source_new_query(s, query, cb, arg);

    source_put_ms(q, "time", time / NS_PER_MS);
    source_put_limits(q);
    TAILQ_INSERT_TAIL(&s->waiting, q, link);
    s->n_waiting++;
    source_serve(s);
}

void source_query_range(struct source *s, str query, const struct source_range *r, source_cb *cb,
                        void *arg)
{
    struct query *q = source_new_query(s, query, cb, arg);

    q->is_for_people = true;
    q->is_range = r->step != 0;
    source_put_ms(q, q->is_range ? "start" : "time", r->start);
    if (q->is_range) {
        source_put_ms(q, "end", r->end);
        source_put_ms(q, "step", r->step);
    }
    source_put_limits(q);
    TAILQ_INSERT_TAIL(&s->asked, q, link);
    s->n_asked++;
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
