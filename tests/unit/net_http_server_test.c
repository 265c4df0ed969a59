#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zlib.h>
#include "base/mem.h"
#include "net/deflate.h"
#include "net/inflate.h"
#include "net/http_parse.h"
#include "net/http_server.h"

/* Server and clients share this thread: a client writes, the base turns until nothing is ready, the
 * client reads. Time is stepped by hand. */
static struct {
    struct event_base *base;
    struct clock clock;
    struct http_server *server;
    struct buf address;
    struct http_req *kept;
    int gone, done, observed;
    size_t streamed, stream_size, most_unsent;
} t;

static void echo(struct http_req *rq, void *arg)
{
    str text = arena_printf(&rq->arena, "%.*s|%.*s|%.*s|%.*s", STR(rq->path), STR(rq->query),
                            STR(rq->wildcard), STR(rq->body));

    assert_ptr_equal(arg, &t);
    http_reply_header(rq, S("X-A"), S("1\r\nEvil: 2"));
    http_reply(rq, 200, S("text/plain"), text);
}

static void mirror(struct http_req *rq, void *arg)
{
    (void)arg;
    http_reply(rq, 200, S("application/octet-stream"), rq->body);
}

static void on_gone(struct http_req *rq, void *ctx)
{
    assert_ptr_equal(rq, t.kept);
    assert_ptr_equal(ctx, &t);
    t.kept = NULL;
    t.gone++;
}

static void keep(struct http_req *rq, void *arg)
{
    t.kept = rq;
    rq->ctx = arg;
    rq->on_gone = on_gone;
}

static bool next_part(void *ctx, struct buf *out)
{
    size_t n = t.stream_size - t.streamed < 10000 ? t.stream_size - t.streamed : 10000;

    assert_ptr_equal(ctx, &t);
    buf_pad(out, (char)('a' + t.streamed / 10000 % 26), n);
    t.streamed += n;
    return t.streamed < t.stream_size;
}

/* Work without output, five times. */
static bool next_thought(void *ctx, struct buf *out)
{
    assert_ptr_equal(ctx, &t);
    if (++t.streamed < 5)
        return true;
    buf_adds(out, "thought");
    return false;
}

static void stream_done(void *ctx)
{
    assert_ptr_equal(ctx, &t);
    t.done++;
}

static void think(struct http_req *rq, void *arg)
{
    t.streamed = 0;
    http_reply_stream(rq, 200, S("text/plain"), next_thought, stream_done, arg);
}

static void stream(struct http_req *rq, void *arg)
{
    t.streamed = 0;
    http_reply_stream(rq, 200, S("text/plain"), next_part, stream_done, arg);
}

/* A stream without end, of blocks that are compressed already. */
static bool next_block(void *ctx, struct buf *out)
{
    struct http_req *rq = t.kept;

    (void)ctx;
    if (t.streamed >= t.stream_size) {
        rq->waits = true;
        return true;
    }
    deflate_block(S("hello "), out);
    t.streamed += 6;
    return true;
}

static void follow(struct http_req *rq, void *arg)
{
    t.kept = rq;
    t.streamed = 0;
    rq->is_endless = true;
    http_reply_header(rq, S("Content-Encoding"), S("gzip"));
    http_reply_stream(rq, 200, S("text/event-stream"), next_block, stream_done, arg);
}

static const struct http_route routes[] = {
    {HTTP_GET, "/follow", 0, follow, "follow", ""},
    {HTTP_GET | HTTP_POST, "/echo", 100, echo, "echo", ""},
    {HTTP_GET, "/item/{id}", 0, echo, "item", ""},
    {HTTP_DELETE, "/item/{id}/x", 0, echo, "itemx", ""},
    {HTTP_GET, "/assets/*", 0, echo, "assets", ""},
    {HTTP_POST, "/big", 4 << 20, mirror, "big", ""},
    {HTTP_GET | HTTP_POST, "/keep", 1, keep, "keep", ""},
    {HTTP_GET, "/stream", 0, stream, "stream", ""},
    {HTTP_GET, "/think", 0, think, "think", ""},
    {0, NULL, 0, NULL, NULL, NULL},
};

/* Who says "later" is kept, "no" is refused, anybody else goes on. */
static bool admit(struct http_req *rq, void *arg)
{
    str who = http_header_get(&rq->headers, S("Who"));

    if (str_is(who, "later"))
        keep(rq, arg);
    else if (str_is(who, "no"))
        http_reply(rq, 401, S("text/plain"), S("no"));
    return who.n == 0;
}

static void observe(const struct http_req *rq, int status, size_t bytes, dur_ns took, void *arg)
{
    (void)rq, (void)status, (void)bytes, (void)took, (void)arg;
    t.observed++;
}

static void turn(void)
{
    for (int i = 0; i < 30; i++)
        event_base_loop(t.base, EVLOOP_NONBLOCK);
}

static void start_with(struct http_server_conf conf)
{
    struct err e = ERR_INIT;

    memset(&t, 0, sizeof(t));
    t.base = event_base_new();
    clock_init_stepped(&t.clock, (struct now){.wall = 784111777 * NS_PER_S, .mono = 0});
    conf.routes = routes;
    conf.arg = &t;
    conf.observe = observe;
    t.server = http_server_new(t.base, &t.clock, &conf);
    if (!http_server_listen(t.server, S("127.0.0.1:0"), &t.address, &e))
        fail_msg("%s", e.msg);
}

static int start(void **state)
{
    (void)state;
    start_with((struct http_server_conf){.prefix = STR_NONE});
    return 0;
}

static int stop(void **state)
{
    (void)state;
    http_server_free(t.server);
    assert_int_equal(clock_next(&t.clock), TS_MAX);
    clock_release(&t.clock);
    event_base_free(t.base);
    buf_release(&t.address);
    return 0;
}

static int dial(void)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    str port = buf_str(&t.address);
    uint64_t number;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    str_cut(&port, ':');
    assert_true(str_to_u64(port, &number));
    sa.sin_port = htons((uint16_t)number);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    turn();
    return fd;
}

static void say(int fd, str s)
{
    while (s.n != 0) {
        ssize_t k = send(fd, s.p, s.n, MSG_NOSIGNAL);

        if (k > 0)
            s = str_sub(s, (size_t)k, s.n);
        else if (errno != EAGAIN)
            break; /* refused meanwhile */
        turn();
    }
    turn();
}

/* Reads all that is there; true at the end of the stream. */
static bool hear(int fd, struct buf *out)
{
    for (;;) {
        ssize_t k;

        buf_reserve(out, 65536);
        k = recv(fd, out->p + out->n, 65536, 0);
        if (k > 0)
            out->n += (size_t)k;
        else if (k == 0 || errno != EAGAIN)
            return true;
        turn();
        if (k < 0) {
            k = recv(fd, out->p + out->n, 1, MSG_PEEK);
            if (k < 0)
                return errno != EAGAIN;
        }
    }
}

static int status_of(str answer)
{
    uint64_t n = 0;

    if (!str_starts_with(answer, S("HTTP/1.1 ")) || !str_to_u64(str_sub(answer, 9, 12), &n))
        return 0;
    return (int)n;
}

static size_t count(str s, str needle)
{
    size_t n = 0;

    for (ptrdiff_t at; (at = str_find_str(s, needle)) >= 0; n++)
        s = str_sub(s, (size_t)at + needle.n, s.n);
    return n;
}

static bool has(const struct buf *b, const char *what)
{
    return str_find_str(buf_str(b), str_of(what)) >= 0;
}

/* One request on a connection of its own. */
static int ask(str wire, struct buf *answer, bool *closed)
{
    int fd = dial();
    bool end;

    buf_clear(answer);
    say(fd, wire);
    end = hear(fd, answer);
    if (closed != NULL)
        *closed = end;
    close(fd);
    turn();
    assert_int_equal(http_server_open(t.server), 0);
    return status_of(buf_str(answer));
}

static const struct {
    const char *text;
    size_t n;
    int status;
    bool closes;
} rows[] = {
#define ROW(status, closes, text)                                                                  \
    {                                                                                              \
        text, sizeof(text) - 1, status, closes                                                     \
    }
    ROW(200, false, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(200, true, "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    ROW(200, true, "GET /echo HTTP/1.0\r\n\r\n"),
    ROW(200, false, "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
    ROW(200, false, "HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(404, false, "GET /nope HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(404, true, "POST /nope HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
    ROW(405, false, "DELETE /echo HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(405, false, "PATCH /echo HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(404, false, "GET /item/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(404, false, "GET /item/a%2Fb HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(400, true, "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(400, true, "GET /echo HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n"),
    ROW(400, true, "GET /echo HTTP/1.1\r\nHost : a\r\n\r\n"),
    ROW(400, true, "GET /echo HTTP/1.1\nHost: a\n\n"),
    ROW(400, true, "GET /echo HTTP/1.1\r\n\r\n"),
    ROW(400, true, "GET /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    ROW(400, true,
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
        "Content-Length: 6\r\n\r\nhello!"),
    ROW(400, true, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello"),
    ROW(400, true, "GET /echo HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
    ROW(400, true,
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ROW(501, true, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
    ROW(400, true, "GET /echo HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n"),
    ROW(400, true, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    ROW(505, true, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ROW(413, true, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n"),
    ROW(413, true,
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n"
        "Expect: 100-continue\r\n\r\n"),
    ROW(200, true, "GET /item/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na"),
    ROW(200, true, "GET /item/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz"),
    ROW(417, true, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: tea\r\n\r\n"),
    ROW(400, true,
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
        "Content-Encoding: gzip\r\n\r\nhello"),
#undef ROW
};

static void requests_get_their_status(void **state)
{
    struct buf b = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool closed;
        int status = ask((str){rows[i].text, rows[i].n}, &b, &closed);

        if (status != rows[i].status || closed != rows[i].closes)
            fail_msg("%s: status %d, closed %d: %s", rows[i].text, status, closed, buf_z(&b));
        assert_int_equal(has(&b, "Connection: close"), rows[i].closes);
        assert_int_equal(count(buf_str(&b), S("\r\nDate: ")), 1);
    }
    buf_release(&b);
}

static void large_heads_are_refused(void **state)
{
    struct buf b = BUF_INIT, answer = BUF_INIT;

    (void)state;
    buf_adds(&b, "GET /");
    buf_pad(&b, 'a', HTTP_HEAD_MAX);
    assert_int_equal(ask(buf_str(&b), &answer, NULL), 414);
    buf_clear(&b);
    buf_adds(&b, "GET /echo HTTP/1.1\r\nHost: a\r\nX: ");
    buf_pad(&b, 'a', HTTP_HEAD_MAX);
    assert_int_equal(ask(buf_str(&b), &answer, NULL), 431);
    buf_clear(&b);
    buf_adds(&b, "GET /echo HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i <= HTTP_FIELDS_MAX; i++)
        buf_adds(&b, "X: a\r\n");
    assert_int_equal(ask(buf_str(&b), &answer, NULL), 431);
    buf_clear(&b);
    buf_adds(&b, "GET /echo HTTP/1.1\r\nHost: a\r\nX: ");
    buf_pad(&b, 'a', 1 << 20);
    buf_adds(&b, "\r\n\r\n");
    assert_int_equal(ask(buf_str(&b), &answer, NULL), 200);
    buf_release(&b);
    buf_release(&answer);
}

static void answers_are_complete(void **state)
{
    struct buf b = BUF_INIT;

    (void)state;
    ask(S("POST /echo?q=%31 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"), &b, NULL);
    assert_str(buf_str(&b), "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                            "Content-Type: text/plain\r\nContent-Length: 15\r\n"
                            "X-A: 1  Evil: 2\r\n\r\n/echo|q=%31||hi");
    assert_int_equal(t.observed, 1);
    ask(S("HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\n"), &b, NULL);
    assert_true(has(&b, "Content-Length: 8\r\n"));
    assert_true(str_ends_with(buf_str(&b), S("\r\n\r\n")));
    ask(S("DELETE /echo HTTP/1.1\r\nHost: a\r\n\r\n"), &b, NULL);
    assert_true(has(&b, "\r\nAllow: GET, HEAD, POST\r\n"));
    ask(S("GET /item/a%20b HTTP/1.1\r\nHost: a\r\n\r\n"), &b, NULL);
    assert_true(has(&b, "|a b|"));
    ask(S("GET /assets/x/y.js HTTP/1.1\r\nHost: a\r\n\r\n"), &b, NULL);
    assert_true(has(&b, "|x/y.js|"));
    buf_release(&b);
}

static void pipelined_requests_split_anywhere(void **state)
{
    static const char wire[] =
        "GET /item/1 HTTP/1.1\r\nHost: a\r\n\r\n"
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: 1\r\n\r\n"
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nwxyz\r\n"
        "GET /item/4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    struct buf whole = BUF_INIT, b = BUF_INIT;
    bool closed;

    (void)state;
    ask(str_of(wire), &whole, &closed);
    assert_true(closed);
    assert_int_equal(count(buf_str(&whole), S("HTTP/1.1 200 OK")), 4);
    assert_true(has(&whole, "|abcde") && has(&whole, "|wxyz"));
    for (size_t cut = 1; cut < sizeof(wire) - 1; cut++) {
        int fd = dial();

        buf_clear(&b);
        say(fd, str_sub(str_of(wire), 0, cut));
        say(fd, str_sub(str_of(wire), cut, sizeof(wire) - 1));
        assert_true(hear(fd, &b));
        close(fd);
        turn();
        assert_true(str_eq(buf_str(&b), buf_str(&whole)));
    }
    buf_release(&b);
    buf_release(&whole);
}

static void expect_continue(void **state)
{
    struct buf b = BUF_INIT;
    int fd = dial();

    (void)state;
    say(fd,
        S("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
    assert_false(hear(fd, &b));
    assert_str(buf_str(&b), "HTTP/1.1 100 Continue\r\n\r\n");
    say(fd, S("hi"));
    assert_false(hear(fd, &b));
    assert_true(has(&b, "200 OK") && has(&b, "|hi"));
    close(fd);
    buf_release(&b);
}

static void chunked_body_over_the_limit(void **state)
{
    struct buf b = BUF_INIT, answer = BUF_INIT;

    (void)state;
    buf_adds(&b, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 5; i++) {
        buf_adds(&b, "1e\r\n");
        buf_pad(&b, 'x', 30);
        buf_adds(&b, "\r\n");
    }
    buf_adds(&b, "0\r\n\r\n");
    assert_int_equal(ask(buf_str(&b), &answer, NULL), 413);
    buf_release(&b);
    buf_release(&answer);
}

/* Most clients send all of a body before they read: who is refused by his head's length still reads why. */
static void refused_bodies_may_end(void **state)
{
    enum { LARGE = 8 << 20 };
    struct buf b = BUF_INIT, answer = BUF_INIT;
    int fd = dial();
    size_t sent = 0, head;

    (void)state;
    buf_addf(&b, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", LARGE);
    head = b.n;
    buf_pad(&b, 'x', LARGE);
    while (sent < b.n) {
        ssize_t k = send(fd, b.p + sent, b.n - sent < 1 << 14 ? b.n - sent : 1 << 14, MSG_NOSIGNAL);

        if (k < 0 && errno != EAGAIN)
            fail_msg("refused after %zu bytes of the body: %s", sent - head, strerror(errno));
        sent += k > 0 ? (size_t)k : 0;
        event_base_loop(t.base, EVLOOP_NONBLOCK);
    }
    assert_true(hear(fd, &answer));
    assert_int_equal(status_of(buf_str(&answer)), 413);
    close(fd);
    turn();
    buf_release(&b);
    buf_release(&answer);
}

static void add_gzip(struct buf *out, size_t n)
{
    char zeros[4096] = {0};
    z_stream z = {0};

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    for (size_t at = 0; at <= n; at += sizeof(zeros)) {
        z.next_in = (Bytef *)zeros;
        z.avail_in = (uInt)(n - at < sizeof(zeros) ? n - at : sizeof(zeros));
        do {
            buf_reserve(out, 4096);
            z.next_out = (Bytef *)out->p + out->n;
            z.avail_out = 4096;
            deflate(&z, at + sizeof(zeros) > n ? Z_FINISH : Z_NO_FLUSH);
            out->n += 4096 - z.avail_out;
        } while (z.avail_out == 0);
    }
    deflateEnd(&z);
}

static int post_gzip(const struct buf *body, size_t cut, struct buf *answer)
{
    struct buf b = BUF_INIT;
    int status;

    buf_addf(
        &b,
        "POST /big HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
        body->n - cut);
    buf_add(&b, str_sub(buf_str(body), 0, body->n - cut));
    status = ask(buf_str(&b), answer, NULL);
    buf_release(&b);
    return status;
}

static void gzip_bodies_and_bombs(void **state)
{
    struct buf body = BUF_INIT, answer = BUF_INIT;

    (void)state;
    add_gzip(&body, 50000);
    assert_int_equal(post_gzip(&body, 0, &answer), 200);
    assert_true(answer.n > 50000);
    assert_int_equal(post_gzip(&body, 3, &answer), 400);
    add_gzip(&body, 10000); /* a second member */
    assert_int_equal(post_gzip(&body, 0, &answer), 200);
    assert_true(answer.n > 60000);
    buf_adds(&body, "junk");
    assert_int_equal(post_gzip(&body, 0, &answer), 400);
    buf_clear(&body);
    add_gzip(&body, 3 << 20); /* within the limit, but 1000:1 */
    assert_int_equal(post_gzip(&body, 0, &answer), 413);
    buf_clear(&body);
    add_gzip(&body, 100 << 20);
    assert_int_equal(post_gzip(&body, 0, &answer), 413);
    buf_release(&body);
    buf_release(&answer);
}

static void client_vanishes(void **state)
{
    int fd = dial();
    struct buf b = BUF_INIT;

    (void)state;
    say(fd, S("GET /keep HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_non_null(t.kept);
    assert_int_equal(clock_next(&t.clock), TS_MAX); /* who waits for us has no deadline */
    close(fd);
    turn();
    assert_int_equal(t.gone, 1);
    assert_int_equal(http_server_open(t.server), 0);
    /* The same with an answer in time; what is pipelined behind waits for it. */
    fd = dial();
    say(fd, S("GET /keep HTTP/1.1\r\nHost: a\r\n\r\nGET /item/2 HTTP/1.1\r\nHost: a\r\n\r\n"));
    hear(fd, &b);
    assert_int_equal(b.n, 0);
    http_reply(t.kept, 204, STR_NONE, STR_NONE);
    hear(fd, &b);
    assert_int_equal(count(buf_str(&b), S("HTTP/1.1 ")), 2);
    assert_true(has(&b, "204 No Content\r\n") && has(&b, "|2|"));
    close(fd);
    turn();
    assert_int_equal(t.gone, 1);
    buf_release(&b);
}

/* He only shut down his sending side, as a script behind a pipe does: what he posted is answered. */
static void client_half_closes(void **state)
{
    struct buf b = BUF_INIT;
    int fd = dial();

    (void)state;
    say(fd, S("POST /keep HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"));
    assert_non_null(t.kept);
    shutdown(fd, SHUT_WR);
    turn();
    assert_int_equal(t.gone, 0);
    http_reply(t.kept, 200, S("text/plain"), S("taken"));
    turn();
    assert_true(hear(fd, &b) && has(&b, "taken"));
    assert_int_equal(http_server_open(t.server), 0);
    close(fd);
    fd = dial(); /* work that ends with its client does */
    say(fd, S("POST /keep HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"));
    t.kept->ends_with_client = true;
    shutdown(fd, SHUT_WR);
    turn();
    assert_int_equal(t.gone, 1);
    close(fd);
    buf_release(&b);
}

static bool is_open(int fd)
{
    char c;

    turn();
    return recv(fd, &c, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

/* Beyond the limit the longest idle gives way; nobody who is at work does. */
static void idle_clients_give_way(void **state)
{
    int fd[5];

    (void)state;
    start_with((struct http_server_conf){.max_connections = 3});
    fd[0] = dial();
    say(fd[0], S("GET /keep HTTP/1.1\r\nHost: a\r\n\r\n")); /* at work */
    for (int i = 1; i < 5; i++) {
        clock_step_to(&t.clock, t.clock.now.mono + NS_PER_S);
        fd[i] = dial();
    }
    assert_true(is_open(fd[0]) && !is_open(fd[1]) && !is_open(fd[2]));
    assert_true(is_open(fd[3]) && is_open(fd[4]));
    assert_int_equal(http_server_open(t.server), 3);
    assert_int_equal(t.gone, 0);
    for (int i = 0; i < 5; i++)
        close(fd[i]);
    turn();
    stop(state);
}

static void server_goes_before_its_clients(void **state)
{
    int keep_fd = dial(), stream_fd = dial();

    (void)state;
    t.stream_size = 64 << 20;
    say(keep_fd, S("GET /keep HTTP/1.1\r\nHost: a\r\n\r\n"));
    say(stream_fd, S("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_server_free(t.server);
    t.server = NULL;
    assert_int_equal(t.gone, 1);
    assert_int_equal(t.done, 1);
    close(keep_fd);
    close(stream_fd);
}

static void slow_reader_costs_only_himself(void **state)
{
    struct buf b = BUF_INIT, other = BUF_INIT;
    int fd = dial();
    size_t before;

    (void)state;
    t.stream_size = 32 << 20;
    say(fd, S("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"));
    before = t.streamed; /* kernel buffers and 128 KB of ours */
    assert_true(before < t.stream_size / 2);
    turn();
    assert_int_equal(t.streamed, before);
    {
        int quick = dial();

        say(quick, S("GET /item/9 HTTP/1.1\r\nHost: a\r\n\r\n"));
        hear(quick, &other);
        assert_true(has(&other, "|9|"));
        close(quick);
    }
    for (int i = 0; i < 100000 && !str_ends_with(buf_str(&b), S("\r\n0\r\n\r\n")); i++)
        hear(fd, &b);
    assert_int_equal(t.streamed, t.stream_size);
    assert_int_equal(t.done, 1);
    assert_true(b.n > t.stream_size);
    close(fd);
    buf_release(&b);
    buf_release(&other);
}

static void a_stream_without_end_takes_no_place(void **state)
{
    struct buf b = BUF_INIT, plain = BUF_INIT;
    struct err e = ERR_INIT;
    struct inflater *z;
    int fd = dial();
    ptrdiff_t body;

    (void)state;
    t.stream_size = 12;
    say(fd, S("GET /follow HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n"));
    assert_int_equal(http_server_gets(t.server), 0);
    assert_int_equal(t.observed, 1); /* it has begun; nobody waits for its end */
    assert_false(hear(fd, &b));
    body = str_find_str(buf_str(&b), S("\r\n\r\n"));
    assert_true(body > 0);
    z = inflater_new(100);
    assert_true(inflater_feed(z, DEFLATE_HEAD, &plain, &e));
    assert_true(inflater_feed(z, str_sub(buf_str(&b), (size_t)body + 4, b.n), &plain, &e));
    assert_string_equal(buf_z(&plain), "hello hello ");
    inflater_free(z);
    t.stream_size = SIZE_MAX; /* who does not read holds 16 KB of ours, and what the kernel takes */
    http_reply_resume(t.kept);
    for (size_t before = 0; before != t.streamed; turn())
        before = t.streamed;
    shutdown(fd, SHUT_WR);
    turn();
    assert_int_equal(t.done, 1);
    assert_int_equal(t.observed, 1);
    close(fd);
    turn();
    assert_int_equal(http_server_open(t.server), 0);
    buf_release(&b);
    buf_release(&plain);
}

static void streams_end_with_their_client(void **state)
{
    struct buf b = BUF_INIT;
    int fd = dial();

    (void)state;
    t.stream_size = 32 << 20;
    say(fd, S("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"));
    close(fd);
    turn();
    assert_int_equal(t.done, 1);
    t.stream_size = 20000;
    ask(S("GET /stream HTTP/1.0\r\n\r\n"), &b, NULL);
    assert_false(has(&b, "chunked"));
    assert_true(str_ends_with(buf_str(&b), S("bbb")));
    ask(S("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n"), &b, NULL);
    assert_true(str_ends_with(buf_str(&b), S("\r\n\r\n")));
    assert_int_equal(t.done, 3);
    /* The answer still arrives when only the sending side was shut down. */
    fd = dial();
    say(fd, S("GET /stream HTTP/1.1\r\nHost: a\r\n\r\nGET /item/7 HTTP/1.1\r\nHost: a\r\n\r\n"));
    shutdown(fd, SHUT_WR);
    buf_clear(&b);
    assert_true(hear(fd, &b));
    assert_true(has(&b, "|7|"));
    close(fd);
    buf_release(&b);
}

static void slow_clients_run_out_of_time(void **state)
{
    struct buf b = BUF_INIT;
    int silent = dial(), loris = dial(), body = dial(), idle = dial(), reader = dial();

    (void)state;
    t.stream_size = 32 << 20;
    say(loris, S("GET /ec"));
    say(body, S("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"));
    say(idle, S("GET /item/1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    say(reader, S("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"));
    clock_step_to(&t.clock, 6 * NS_PER_S);
    say(loris, S("ho"));
    assert_int_equal(http_server_open(t.server), 5);
    clock_step_to(&t.clock, 10 * NS_PER_S);
    turn();
    assert_true(hear(silent, &b));
    assert_int_equal(b.n, 0);
    assert_true(hear(loris, &b));
    assert_int_equal(status_of(buf_str(&b)), 408);
    clock_step_to(&t.clock, 12 * NS_PER_S + 1); /* the loris does not take its leave either */
    assert_int_equal(http_server_open(t.server), 3);
    clock_step_to(&t.clock, 60 * NS_PER_S);
    buf_clear(&b);
    assert_true(hear(body, &b));
    assert_int_equal(status_of(buf_str(&b)), 408);
    buf_clear(&b);
    assert_true(hear(idle, &b));
    assert_int_equal(status_of(buf_str(&b)), 200);
    clock_step_to(&t.clock, 125 * NS_PER_S);
    assert_int_equal(t.done, 1);
    assert_int_equal(http_server_open(t.server), 0);
    close(silent), close(loris), close(body), close(idle), close(reader);
    buf_release(&b);
}

static void connections_are_bounded(void **state)
{
    struct buf b = BUF_INIT;
    int fds[4];

    stop(state);
    start_with((struct http_server_conf){.max_connections = 2});
    for (int i = 0; i < 4; i++) {
        fds[i] = dial();
        say(fds[i], S("G")); /* none of them is idle */
    }
    assert_int_equal(http_server_open(t.server), 2);
    say(fds[3], S("ET /item/1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    hear(fds[3], &b);
    assert_int_equal(b.n, 0);
    close(fds[0]), close(fds[1]);
    hear(fds[3], &b);
    assert_int_equal(status_of(buf_str(&b)), 200);
    close(fds[2]), close(fds[3]);
    buf_release(&b);
}

static void draining(void **state)
{
    struct buf b = BUF_INIT;
    int idle = dial(), busy = dial();

    (void)state;
    say(busy, S("GET /keep HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_server_drain(t.server);
    turn();
    assert_true(hear(idle, &b));
    assert_int_equal(b.n, 0);
    http_reply(t.kept, 200, S("text/plain"), S("bye"));
    assert_true(hear(busy, &b));
    assert_true(has(&b, "Connection: close") && has(&b, "bye"));
    close(idle), close(busy);
    turn();
    assert_int_equal(http_server_open(t.server), 0);
    buf_release(&b);
}

static void prefix(void **state)
{
    struct buf b = BUF_INIT;

    stop(state);
    start_with((struct http_server_conf){.prefix = S("/am")});
    assert_int_equal(ask(S("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), &b, NULL), 302);
    assert_true(has(&b, "Location: /am/\r\n"));
    assert_int_equal(ask(S("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"), &b, NULL), 404);
    assert_int_equal(ask(S("GET /amecho HTTP/1.1\r\nHost: a\r\n\r\n"), &b, NULL), 404);
    assert_int_equal(ask(S("GET /am/echo HTTP/1.1\r\nHost: a\r\n\r\n"), &b, NULL), 200);
    assert_true(has(&b, "\r\n\r\n/echo|"));
    buf_release(&b);
}

/* As Go's ServeMux and the originals' routers have it. */
static void unclean_paths(void **state)
{
    static const struct {
        const char *path, *location; /* NULL: answered; "": not found */
    } paths[] = {
        {"/am/echo/", "/am/echo"},
        {"//am//echo", "/am/echo"},
        {"/./am/echo?a=b", "/am/echo?a=b"},
        {"/x/../am/echo", "/am/echo"},
        {"/am/./echo/", "/am/echo"},
        {"/am/item/1/", NULL},
        {"/am/item/1//", "/am/item/1"},
        {"/am/item/", ""},
        {"/am/assets//x/../y/", NULL},
        {"/am/none/", ""},
        {"//none", ""},
        {"/am/%2e%2e/am/echo", "/am/echo"},
        {"/../../am/echo", "/am/echo"},
    };
    struct buf b = BUF_INIT;

    stop(state);
    start_with((struct http_server_conf){.prefix = S("/am"), .lenient = S("/item")});
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        const char *to = paths[i].location;
        char request[128], line[128];

        snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i].path);
        if (ask(str_of(request), &b, NULL) != (to == NULL ? 200 : *to == '\0' ? 404 : 301))
            fail_msg("%s: %.*s", paths[i].path, STR(buf_str(&b)));
        snprintf(line, sizeof(line), "Location: %s\r\n", to != NULL ? to : "");
        if (to != NULL && *to != '\0' && !has(&b, line))
            fail_msg("%s: %.*s", paths[i].path, STR(buf_str(&b)));
    }
    assert_int_equal(ask(S("PUT /am/item/1/ HTTP/1.1\r\nHost: a\r\n\r\n"), &b, NULL), 405);
    buf_release(&b);
}

static void unix_sockets_and_bad_addresses(void **state)
{
    static const char *const wrong[] = {"", "a", "127.0.0.1:", ":x", ":65536", "::1:80", "unix:"};
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    struct buf b = BUF_INIT, name = BUF_INIT;
    struct err e = ERR_INIT;
    char address[128];
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    snprintf(sa.sun_path, sizeof(sa.sun_path), "/tmp/tocsin_http_test.%d", (int)getpid());
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0); /* what a crash leaves */
    close(fd);
    snprintf(address, sizeof(address), "unix:%s", sa.sun_path);
    if (!http_server_listen(t.server, str_of(address), &name, &e))
        fail_msg("%s", e.msg);
    assert_str(buf_str(&name), address);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    say(fd, S("GET /item/u HTTP/1.1\r\nHost: a\r\n\r\n"));
    hear(fd, &b);
    assert_true(has(&b, "|u|"));
    assert_false(http_server_listen(t.server, str_of(address), NULL, &e)); /* in use */
    assert_int_equal(e.code, ERR_CONFLICT);
    close(fd);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_false(http_server_listen(t.server, str_of(wrong[i]), NULL, &e));
        assert_int_equal(e.code, ERR_INVALID);
    }
    assert_false(http_server_listen(t.server, buf_str(&t.address), NULL, &e));
    assert_int_equal(e.code, ERR_CONFLICT);
    http_server_free(t.server);
    t.server = NULL;
    assert_int_equal(access(sa.sun_path, F_OK), -1);
    buf_release(&b);
    buf_release(&name);
}

static void admission(void **state)
{
    static const char body[] =
        "POST /echo HTTP/1.1\r\nHost: a\r\nWho: later\r\nContent-Length: 3\r\n\r\nabc";
    struct buf b = BUF_INIT;
    bool closed;
    int fd;

    stop(state);
    start_with((struct http_server_conf){.admit = admit});
    assert_int_equal(ask(S("GET /item/1 HTTP/1.1\r\nHost: a\r\n\r\n"), &b, NULL), 200);
    assert_int_equal(ask(S("GET /nope HTTP/1.1\r\nHost: a\r\nWho: no\r\n\r\n"), &b, &closed), 401);
    assert_false(closed);
    /* a body that nobody will read ends the connection */
    assert_int_equal(
        ask(S("POST /echo HTTP/1.1\r\nHost: a\r\nWho: no\r\nContent-Length: 3\r\n\r\nabc"), &b,
            &closed),
        401);
    assert_true(closed);
    fd = dial();
    say(fd, str_of(body));
    assert_non_null(t.kept);
    http_admit(t.kept);
    turn();
    buf_clear(&b);
    hear(fd, &b);
    assert_true(status_of(buf_str(&b)) == 200 && has(&b, "|abc"));
    say(fd, S("GET /item/1 HTTP/1.1\r\nHost: a\r\nWho: later\r\n\r\n"));
    close(fd);
    turn();
    assert_int_equal(t.gone, 1);
    buf_release(&b);
}

static void gets_are_counted(void **state)
{
    struct buf b = BUF_INIT;
    int first, second;

    stop(state);
    start_with((struct http_server_conf){.max_gets = 1});
    first = dial();
    say(first, S("GET /keep HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_int_equal(http_server_gets(t.server), 1);
    second = dial();
    say(second, S("GET /item/1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    hear(second, &b);
    assert_int_equal(status_of(buf_str(&b)), 503);
    assert_int_equal(http_server_refused_gets(t.server), 1);
    close(first);
    turn();
    assert_int_equal(http_server_gets(t.server), 0);
    buf_clear(&b);
    say(second, S("GET /item/1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    hear(second, &b);
    assert_int_equal(status_of(buf_str(&b)), 200);
    close(second);
    turn();
    buf_release(&b);
}

static void handlers_run_out_of_time(void **state)
{
    struct buf b = BUF_INIT;
    int fd;

    stop(state);
    start_with((struct http_server_conf){.answer_timeout = 5 * NS_PER_S});
    fd = dial();
    say(fd, S("GET /keep HTTP/1.1\r\nHost: a\r\n\r\n"));
    clock_step_to(&t.clock, 4 * NS_PER_S);
    turn();
    assert_non_null(t.kept);
    clock_step_to(&t.clock, 5 * NS_PER_S);
    turn();
    hear(fd, &b);
    assert_int_equal(status_of(buf_str(&b)), 503);
    assert_true(has(&b, "Exceeded configured timeout of 5s."));
    assert_int_equal(t.gone, 1);
    assert_null(t.kept);
    buf_clear(&b);
    say(fd, S("GET /item/1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    hear(fd, &b);
    assert_int_equal(status_of(buf_str(&b)), 200);
    close(fd);
    turn();
    buf_release(&b);
}

static size_t unpacked(str gz)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)gz.p, .avail_in = (uInt)gz.n};
    char *out = mem_array(4 << 20, 1);
    size_t n;

    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    z.next_out = (Bytef *)out;
    z.avail_out = 4 << 20;
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    n = z.total_out;
    inflateEnd(&z);
    mem_free(out);
    return n;
}

/* A compressed stream takes its share of a turn and goes on in the next: HTTP/1.0, so that the body is one piece. */
static void compression_takes_turns(void **state)
{
    struct buf b = BUF_INIT;
    int fd = dial();
    ptrdiff_t at;

    (void)state;
    t.stream_size = 1 << 20;
    say(fd, S("GET /stream HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n"));
    assert_in_range(t.streamed, 1, 128 << 10);
    for (int i = 0; i < 40 && t.done == 0; i++) {
        clock_step_to(&t.clock, t.clock.now.mono + 1);
        turn();
    }
    assert_int_equal(t.done, 1);
    assert_true(hear(fd, &b));
    assert_true(has(&b, "Content-Encoding: gzip\r\n"));
    at = str_find_str(buf_str(&b), S("\r\n\r\n"));
    assert_int_equal(unpacked(str_sub(buf_str(&b), (size_t)at + 4, b.n)), 1 << 20);
    close(fd);
    turn();
    buf_release(&b);
}

/* A stream that has said nothing yet is asked once a turn, and others are answered in between. */
static void work_takes_turns(void **state)
{
    struct buf b = BUF_INIT;
    int fd = dial(), quick;

    (void)state;
    say(fd, S("GET /think HTTP/1.1\r\nHost: a\r\n\r\n"));
    for (size_t i = 1; i < 5; i++) {
        assert_int_equal(t.streamed, i);
        quick = dial();
        say(quick, S("GET /item/7 HTTP/1.1\r\nHost: a\r\n\r\n"));
        buf_clear(&b);
        hear(quick, &b);
        assert_true(has(&b, "|7|"));
        close(quick);
        clock_step_to(&t.clock, t.clock.now.mono + 1);
        turn();
    }
    assert_int_equal(t.done, 1);
    buf_clear(&b);
    hear(fd, &b);
    assert_true(has(&b, "thought"));
    close(fd);
    turn();
    buf_release(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_get_their_status),
        TEST(large_heads_are_refused),
        TEST(answers_are_complete),
        TEST(pipelined_requests_split_anywhere),
        TEST(expect_continue),
        TEST(chunked_body_over_the_limit),
        TEST(refused_bodies_may_end),
        TEST(gzip_bodies_and_bombs),
        TEST(client_vanishes),
        TEST(client_half_closes),
        cmocka_unit_test(idle_clients_give_way),
        TEST(server_goes_before_its_clients),
        TEST(slow_reader_costs_only_himself),
        TEST(a_stream_without_end_takes_no_place),
        TEST(streams_end_with_their_client),
        TEST(slow_clients_run_out_of_time),
        TEST(connections_are_bounded),
        TEST(draining),
        TEST(prefix),
        TEST(unclean_paths),
        TEST(admission),
        TEST(gets_are_counted),
        TEST(handlers_run_out_of_time),
        TEST(compression_takes_turns),
        TEST(work_takes_turns),
        TEST(unix_sockets_and_bad_addresses),
    };

    signal(SIGPIPE, SIG_IGN); /* as os/signals.c does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
