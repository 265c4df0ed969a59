/* Reading is a loop over step_head() and step_body() until bytes or the handler are waited for; what is waited for
 * decides the timer. Answers are http_reply.c's; whatever happens, http_conn_settle() looks at the end what comes next. */
#include "net/http_conn.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "os/loop.h"
#include "net/deflate.h"
#include "net/inflate.h"

enum {
    INPUT_MAX = 128 << 10,
    READ_MAX = 64 << 10,
    KEEP_MAX =
        64 << 10, /* memory that an idle connection may hold on to, each of arena, head and body */
};

#define LINGER_TIME (2 * NS_PER_S)

static struct evbuffer *input_of(struct http_conn *c)
{
    return bufferevent_get_input(c->bev);
}

size_t http_conn_unsent(const struct http_conn *c)
{
    return evbuffer_get_length(bufferevent_get_output(c->bev));
}

/* The first run of contiguous input bytes; empty when there is none. */
static str http_conn_peek(struct http_conn *c)
{
    struct evbuffer_iovec run;

    if (evbuffer_peek(input_of(c), -1, NULL, &run, 1) < 1)
        return STR_NONE;
    return (str){run.iov_base, run.iov_len};
}

/* -- the end of a request, of a connection -- */

/* What head and body have of the budget. */
static bool http_conn_hold(struct http_conn *c)
{
    return budget_hold(c->server->conf.bodies, &c->held, c->text.cap + c->body.cap);
}

static void reset_request(struct http_conn *c)
{
    struct arena keep = c->rq.arena;

    if (keep.used > KEEP_MAX)
        arena_release(&keep);
    arena_reset(&keep);
    c->rq = (struct http_req){.arena = keep, .server = c->server};
    if (c->body.cap > KEEP_MAX)
        buf_release(&c->body);
    buf_clear(&c->body);
    if (c->text.cap > KEEP_MAX)
        buf_release(&c->text);
    buf_clear(&c->text);
    (void)http_conn_hold(c);
    inflater_free(c->inflater);
    c->inflater = NULL;
    deflater_free(c->deflater);
    c->deflater = NULL;
    c->is_unread = false;
    c->scan = (struct http_scan){0};
    c->chunked = (struct http_chunked){0};
    c->head = (struct http_head){.minor = 1};
    c->is_chunked = c->is_bodiless = false;
    c->sent = 0;
    c->status = 0;
    c->wait = WAIT_NONE;
}

void http_conn_count_out(struct http_conn *c)
{
    c->server->gets -= c->is_counted;
    c->is_counted = false;
}

void http_conn_observe(struct http_conn *c)
{
    const struct http_server_conf *conf = &c->server->conf;

    if (conf->observe != NULL)
        conf->observe(&c->rq, c->status, c->sent, clock_touch(c->server->clock).mono - c->rq.since,
                      conf->arg);
}

void http_conn_answered(struct http_conn *c)
{
    http_conn_count_out(c);
    if (!c->rq.is_endless)
        http_conn_observe(c);
    reset_request(c);
    c->served++;
    c->state = c->close_after ? CONN_CLOSE : CONN_HEAD;
    /* The next request, or the end, is the loop's: see http_conn.h. */
    if (!c->advancing)
        bufferevent_trigger(c->bev, EV_WRITE,
                            BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

void http_conn_kill(struct http_conn *c)
{
    struct http_server *s = c->server;
    enum http_conn_state was = c->state;

    BUG_ON(c->advancing);
    c->state = CONN_DEAD;
    if (was == CONN_PENDING && c->rq.on_gone != NULL)
        c->rq.on_gone(&c->rq, c->rq.ctx);
    if (was == CONN_STREAM && c->done != NULL)
        c->done(c->ctx);
    http_conn_count_out(c);
    timer_cancel(s->clock, &c->timer);
    timer_cancel(s->clock, &c->resume);
    if (c->next != NULL)
        c->next->prev = c->prev;
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        s->conns = c->next;
    s->n_conns--;
    bufferevent_free(c->bev);
    inflater_free(c->inflater);
    deflater_free(c->deflater);
    buf_release(&c->body);
    buf_release(&c->text);
    (void)http_conn_hold(c);
    arena_release(&c->rq.arena);
    mem_free(c);
    http_server_accept_or_not(s);
}

/* -- reading a request -- */

static void dispatch(struct http_conn *c)
{
    struct meter *m = c->server->clock->meter; /* c may be gone afterwards */
    enum piece was;

    c->rq.body = buf_str(&c->body);
    c->state = CONN_PENDING;
    was = meter_enter(m, PIECE_REQUEST);
    c->rq.route->handle(&c->rq, c->server->conf.arg);
    meter_leave(m, was);
}

static enum http_method method_of(str m)
{
    static const struct {
        const char *name;
        enum http_method method;
    } methods[] = {
        {"GET", HTTP_GET}, {"HEAD", HTTP_GET},      {"POST", HTTP_POST},
        {"PUT", HTTP_PUT}, {"DELETE", HTTP_DELETE}, {"OPTIONS", HTTP_OPTIONS},
    };

    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (str_is(m, methods[i].name))
            return methods[i].method;
    return HTTP_OTHER;
}

/* Of one body: what all may have together, it may have. */
static size_t max_body(const struct http_conn *c)
{
    const struct budget *all = c->server->conf.bodies;
    size_t max = c->rq.route->max_body;

    if (max == SIZE_MAX)
        max = c->server->conf.max_body;
    return all != NULL && all->limit < max ? all->limit : max;
}

/* Decides by the head alone whether the body is wanted. */
static void begin_body(struct http_conn *c)
{
    size_t max = max_body(c);

    if (c->head.framing == HTTP_NO_BODY || c->rq.route->max_body == 0) {
        /* A body that nobody reads is dropped behind the answer, with the connection. */
        dispatch(c);
        return;
    }
    c->is_unread = false;
    if (c->head.framing == HTTP_LENGTH && c->head.length > max) {
        http_conn_refuse(c, 413, "request body is too large");
        return;
    }
    c->left = c->head.length;
    if (c->head.is_gzip)
        c->inflater = inflater_new(max);
    else if (c->head.framing == HTTP_LENGTH)
        buf_reserve(&c->body, c->left < KEEP_MAX ? (size_t)c->left : KEEP_MAX);
    if (c->head.expects_continue && evbuffer_get_length(input_of(c)) == 0) {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

        bufferevent_write(c->bev, go_on, sizeof(go_on) - 1);
        c->written += sizeof(go_on) - 1;
    }
    c->state = CONN_BODY;
}

static void http_conn_go_on(struct http_conn *c)
{
    if (http_server_route(c->server, c))
        begin_body(c);
}

void http_admit(struct http_req *rq)
{
    struct http_conn *c = container_of(rq, struct http_conn, rq);

    BUG_ON(c->state != CONN_PENDING || c->advancing);
    rq->on_gone = NULL;
    http_conn_go_on(c);
    bufferevent_trigger(c->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

void http_peer(const struct http_req *rq, struct buf *out)
{
    const struct http_conn *c = container_of(rq, const struct http_conn, rq);
    struct sockaddr_storage sa = {0};
    socklen_t n = sizeof(sa);
    char host[NI_MAXHOST];
    str text;

    if (getpeername(bufferevent_getfd(c->bev), (struct sockaddr *)&sa, &n) != 0)
        text = S("gone");
    else if (sa.ss_family == AF_UNIX || /* which glibc calls "localhost" */
             getnameinfo((struct sockaddr *)&sa, n, host, sizeof(host), NULL, 0, NI_NUMERICHOST) !=
                 0)
        text = S("unix");
    else
        text = str_of(host);
    buf_add(out, str_starts_with(text, S("::ffff:")) ? str_sub(text, 7, text.n) : text);
}

static void begin_request(struct http_conn *c)
{
    const struct http_server_conf *conf = &c->server->conf;
    struct http_req *rq = &c->rq;
    const char *why = "";
    int status;

    rq->since = clock_touch(c->server->clock).mono;
    status = http_head_parse(buf_str(&c->text), c->scan.lines, &rq->arena, &c->head, &why);
    if (status != 0) {
        http_conn_refuse(c, status, why);
        return;
    }
    c->close_after = !c->head.keep_alive;
    rq->method = method_of(c->head.method);
    rq->is_head = str_is(c->head.method, "HEAD");
    rq->target = c->head.target;
    rq->query = c->head.query;
    rq->headers = c->head.headers;
    c->is_unread = c->head.framing != HTTP_NO_BODY;
    if (!http_server_count(c->server, c))
        return;
    http_server_find(c->server, c);
    c->state = CONN_PENDING;
    if (conf->admit == NULL || conf->admit(rq, conf->arg))
        http_conn_go_on(c);
}

/* Head or body has grown: whether it fits beside the others. */
static bool http_conn_is_within_budget(struct http_conn *c)
{
    bool in_head = c->state == CONN_HEAD;

    if (http_conn_hold(c))
        return true;
    http_conn_refuse(c, 503, "too many large requests are under way, try again later");
    buf_release(&c->body);
    if (in_head) /* later the request points into it */
        buf_release(&c->text);
    (void)http_conn_hold(c);
    return false;
}

/* Each step returns whether another may follow. */
static bool step_head(struct http_conn *c)
{
    const char *why = "";
    size_t used;
    str run;
    int r = 0;

    if (http_conn_unsent(c) >= CONN_UNSENT_MAX)
        return false; /* who does not read his answers gets no more of them */
    while (r == 0 && (run = http_conn_peek(c)).n != 0) {
        r = http_scan_feed(&c->scan, run, &used, &why);
        buf_add(&c->text, str_sub(run, 0, used));
        evbuffer_drain(input_of(c), used);
    }
    if (!http_conn_is_within_budget(c))
        return true;
    if (r == 0)
        return false;
    if (r == 1)
        begin_request(c);
    else
        http_conn_refuse(c, r, why);
    return true;
}

static bool http_conn_take_bytes(struct http_conn *c, str data)
{
    struct err e = ERR_INIT;

    if (c->inflater != NULL) {
        if (inflater_feed(c->inflater, data, &c->body, &e))
            return http_conn_is_within_budget(c);
        http_conn_refuse(c, e.code == ERR_LIMIT ? 413 : 400, e.msg);
        return false;
    }
    if (c->body.n + data.n > max_body(c)) {
        http_conn_refuse(c, 413, "request body is too large");
        return false;
    }
    buf_add(&c->body, data);
    return http_conn_is_within_budget(c);
}

static bool end_body(struct http_conn *c)
{
    if (c->inflater != NULL && !inflater_is_done(c->inflater))
        http_conn_refuse(c, 400, "gzip body is cut short");
    else
        dispatch(c);
    return true;
}

/* libevent takes 4 KB a turn from a socket. The rest of a plain body of known length is read to where it shall be; an end
 * or an error is seen by libevent, which asks again. */
static bool read_straight(struct http_conn *c)
{
    size_t most = c->left < READ_MAX ? (size_t)c->left : READ_MAX;
    ssize_t n;

    if (c->head.framing != HTTP_LENGTH || c->inflater != NULL ||
        bufferevent_openssl_get_ssl(c->bev) != NULL)
        return false;
    buf_reserve(&c->body, most);
    if (!http_conn_is_within_budget(c))
        return true;
    n = read(bufferevent_getfd(c->bev), c->body.p + c->body.n, most);
    if (n <= 0)
        return false;
    c->body.n += (size_t)n;
    c->left -= (uint64_t)n;
    return c->left == 0 && end_body(c);
}

static bool step_body(struct http_conn *c)
{
    str run = http_conn_peek(c), data;
    enum http_chunked_result r;
    size_t used;
    bool ok = true;

    if (run.n == 0)
        return read_straight(c);
    if (c->head.framing == HTTP_LENGTH) {
        data = str_sub(run, 0, c->left < run.n ? (size_t)c->left : run.n);
        ok = http_conn_take_bytes(c, data);
        evbuffer_drain(input_of(c), data.n);
        c->left -= data.n;
        return ok && c->left == 0 ? end_body(c) : true;
    }
    r = http_chunked_feed(&c->chunked, run, &used, &data);
    if (r == HTTP_CHUNK_DATA)
        ok = http_conn_take_bytes(c, data);
    else if (r == HTTP_CHUNK_BAD)
        http_conn_refuse(c, 400, "malformed chunked body");
    evbuffer_drain(input_of(c), used);
    return r == HTTP_CHUNK_END && ok ? end_body(c) : true;
}

static bool http_conn_step(struct http_conn *c)
{
    switch (c->state) {
    case CONN_HEAD: return step_head(c);
    case CONN_BODY: return step_body(c);
    case CONN_STREAM:
        if (!http_conn_pump(c))
            return false;
        http_conn_answered(c);
        return true;
    case CONN_CLOSE:
    case CONN_LINGER:
        c->lingered += evbuffer_get_length(input_of(c));
        evbuffer_drain(input_of(c), evbuffer_get_length(input_of(c)));
        return false;
    case CONN_PENDING:
    case CONN_DEAD: break;
    }
    return false;
}

/* -- waiting -- */

static enum http_conn_wait wait_for(const struct http_conn *c)
{
    if (c->state == CONN_LINGER)
        return WAIT_LINGER;
    if (c->state == CONN_PENDING)
        return c->server->conf.answer_timeout != 0 ? WAIT_ANSWER : WAIT_NONE;
    if (c->state == CONN_STREAM || c->state == CONN_CLOSE || http_conn_unsent(c) != 0)
        return WAIT_SEND;
    if (c->state == CONN_BODY)
        return WAIT_BODY;
    if (c->scan.n != 0)
        return WAIT_HEADER;
    return c->served != 0 ? WAIT_IDLE : WAIT_FIRST;
}

static dur_ns patience(const struct http_conn *c)
{
    const struct http_server_conf *conf = &c->server->conf;

    switch (c->wait) {
    case WAIT_IDLE: return conf->idle_timeout;
    case WAIT_BODY: return conf->body_timeout;
    case WAIT_ANSWER: return conf->answer_timeout;
    case WAIT_SEND: return conf->send_timeout;
    case WAIT_LINGER: return LINGER_TIME;
    default: return conf->header_timeout;
    }
}

ts_ns http_conn_idle_since(const struct http_conn *c)
{
    return c->wait == WAIT_IDLE || c->wait == WAIT_FIRST ? c->timer.node.key - patience(c) : TS_MAX;
}

static uint64_t flushed(const struct http_conn *c)
{
    return c->written - http_conn_unsent(c);
}

static void settle_timer(struct http_conn *c)
{
    struct http_server *s = c->server;
    enum http_conn_wait wait = wait_for(c);

    if (wait == c->wait && wait != WAIT_NONE)
        return;
    c->wait = wait;
    c->seen = wait == WAIT_SEND ? flushed(c) : 0;
    if (wait == WAIT_NONE)
        timer_cancel(s->clock, &c->timer);
    else
        timer_arm(s->clock, &c->timer, ts_add(s->clock->now.mono, patience(c)));
    if (s->n_conns >=
        s->conf.max_connections) /* whether one of them could give way may be another now */
        http_server_accept_or_not(s);
}

static void say_end_of_tls(struct http_conn *c)
{
    if (bufferevent_openssl_get_ssl(c->bev) != NULL)
        SSL_shutdown(bufferevent_openssl_get_ssl(c->bev));
}

/* False when the connection has reached its end and is gone. */
static bool http_conn_settle(struct http_conn *c)
{
    bool empty = http_conn_unsent(c) == 0;

    if (c->eof && empty && (c->state == CONN_HEAD || c->state == CONN_BODY)) {
        http_conn_kill(c); /* nobody is left to send the rest of a request */
        return false;
    }
    if (c->state == CONN_HEAD && c->server->draining && c->scan.n == 0) {
        if (empty && evbuffer_get_length(input_of(c)) == 0) { /* a close cuts nothing off */
            say_end_of_tls(c);
            http_conn_kill(c);
            return false;
        }
        c->state = CONN_CLOSE;
    }
    if (c->state == CONN_CLOSE && empty) {
        if (c->eof) {
            http_conn_kill(c);
            return false;
        }
        say_end_of_tls(c);
        shutdown(bufferevent_getfd(c->bev), SHUT_WR);
        c->state = CONN_LINGER;
    }
    if (c->state == CONN_LINGER && c->lingered > CONN_LINGER_MAX) {
        http_conn_kill(c);
        return false;
    }
    settle_timer(c);
    return true;
}

bool http_conn_advance(struct http_conn *c)
{
    BUG_ON(c->advancing || c->state == CONN_DEAD);
    c->advancing = true;
    while (http_conn_step(c))
        ;
    c->advancing = false;
    return http_conn_settle(c);
}

/* The handler has taken too long; for it the client has gone. */
static void http_conn_give_up(struct http_conn *c)
{
    struct http_req *rq = &c->rq;
    char text[64];
    int n = snprintf(text, sizeof(text), "Exceeded configured timeout of %gs.\n",
                     (double)c->server->conf.answer_timeout / NS_PER_S);

    if (rq->on_gone != NULL)
        rq->on_gone(rq, rq->ctx);
    rq->on_gone = NULL;
    http_reply(rq, 503, S("text/plain; charset=utf-8"), (str){text, (size_t)n});
}

static void on_resume(struct timer *t, struct now now)
{
    (void)now;
    http_conn_advance(container_of(t, struct http_conn, resume));
}

static void on_timeout(struct timer *t, struct now now)
{
    struct http_conn *c = container_of(t, struct http_conn, timer);

    switch (c->wait) {
    case WAIT_HEADER:
    case WAIT_BODY:
        http_conn_refuse(c, 408, "the request took too long");
        http_conn_advance(c);
        return;
    case WAIT_ANSWER: http_conn_give_up(c); return;
    case WAIT_SEND:
        if (flushed(c) != c->seen) {
            c->seen = flushed(c);
            timer_arm(c->server->clock, t, ts_add(now.mono, patience(c)));
            return;
        }
        break;
    default: break;
    }
    http_conn_kill(c);
}

/* -- events -- */

static void on_ready(struct bufferevent *bev, void *arg)
{
    struct http_conn *c = arg;
    struct http_server *s = c->server;

    (void)bev;
    clock_touch(s->clock);
    http_conn_advance(c);
    loop_yield(s->base, s->clock);
}

static void http_conn_on_event(struct bufferevent *bev, short what, void *arg)
{
    struct http_conn *c = arg;

    (void)bev;
    clock_touch(c->server->clock);
    if ((what & BEV_EVENT_EOF) != 0 && (what & BEV_EVENT_WRITING) == 0) {
        c->eof = true;
        if (c->state == CONN_LINGER || (c->state == CONN_STREAM && c->rq.is_endless) ||
            (c->state == CONN_PENDING && (c->rq.ends_with_client || c->rq.method == HTTP_GET)))
            http_conn_kill(c);
        else
            http_conn_advance(c);
        return;
    }
    if ((what & (BEV_EVENT_ERROR | BEV_EVENT_EOF)) != 0)
        http_conn_kill(c);
}

static struct bufferevent *open_bufferevent(struct http_server *s, int fd)
{
    struct bufferevent *bev;
    SSL *ssl;

    if (s->tls == NULL) {
        bev = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
    } else {
        ssl = SSL_new(s->tls);
        BUG_ON(ssl == NULL);
        bev = bufferevent_openssl_socket_new(s->base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                             BEV_OPT_CLOSE_ON_FREE);
        if (bev != NULL) /* who leaves without a close_notify leaves all the same */
            bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    }
    BUG_ON(bev == NULL);
    return bev;
}

void http_conn_new(struct http_server *s, int fd, struct in6_addr address)
{
    struct http_conn *c = mem_new(struct http_conn);
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
               sizeof(on)); /* fails on Unix sockets, which need none */
    c->bev = open_bufferevent(s, fd);
    c->server = s;
    c->address = address;
    c->timer.fire = on_timeout;
    c->resume.fire = on_resume;
    arena_init(&c->rq.arena, 0);
    reset_request(c);
    c->next = s->conns;
    if (s->conns != NULL)
        s->conns->prev = c;
    s->conns = c;
    s->n_conns++;
    bufferevent_setcb(c->bev, on_ready, on_ready, http_conn_on_event, c);
    bufferevent_setwatermark(c->bev, EV_READ, 0, INPUT_MAX);
    bufferevent_setwatermark(c->bev, EV_WRITE, CONN_UNSENT_MAX / 2, 0);
    bufferevent_set_max_single_read(c->bev, READ_MAX);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
    settle_timer(c);
}
