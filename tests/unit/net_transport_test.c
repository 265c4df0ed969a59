#include "unit.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "os/loop.h"
#include "net/http_conf.h"
#include "net/http_server.h"
#include "net/listen.h"
#include "net/scripted.h"
#include "net/transport.h"

/* Peer and transport share one loop on the real clock; nothing waits longer than a few hundred milliseconds. */
static struct {
    struct clock clock;
    struct loop *loop;
    struct http_server *server;
    struct transport *transport;
    struct buf address,
        last; /* last: "METHOD target\nName: value\n...\nbody" of the latest request */
    struct http_req *kept[64];
    size_t n_kept, most_kept, gone, requests, tokens;
    bool token_by_body;
    size_t wanted; /* answers until the loop stops */
    struct timer guard;
    struct arena arena;
    str path; /* of a file in a temporary folder */
    char folder[64];
} t;

struct got {
    size_t n;
    enum transport_failure failure;
    int status;
    str body, retry_after;
    struct err err;
};

/* -- the peer -- */

static void record(const struct http_req *rq)
{
    buf_clear(&t.last);
    buf_addf(&t.last, "%d %.*s\n", rq->method, STR(rq->target));
    for (size_t i = 0; i < rq->headers.n; i++)
        buf_addf(&t.last, "%.*s: %.*s\n", STR(rq->headers.v[i].name), STR(rq->headers.v[i].value));
    buf_addf(&t.last, "\n%.*s", STR(rq->body));
    t.requests++;
}

static void on_gone(struct http_req *rq, void *ctx)
{
    (void)ctx;
    for (size_t i = 0; i < t.n_kept; i++)
        if (t.kept[i] == rq)
            t.kept[i] = t.kept[--t.n_kept];
    t.gone++;
}

static bool endless(void *ctx, struct buf *out)
{
    (void)ctx;
    buf_pad(out, 'x', 1000);
    return true;
}

static void give_token(struct http_req *rq)
{
    bool in_body = str_find_str(rq->body, S("client_secret=s%26t")) >= 0;
    str auth = http_header_get(&rq->headers, S("Authorization"));

    t.tokens++;
    assert_true(str_starts_with(rq->body, S("grant_type=client_credentials&scope=a+b&p=q")));
    if (t.token_by_body ? in_body : str_is(auth, "Basic aWQ6cyUyNnQ="))
        http_reply(rq, 200, S("application/json"),
                   arena_printf(&rq->arena, "{\"access_token\":\"tok%zu\",\"expires_in\":3600}",
                                t.tokens));
    else
        http_reply(rq, 401, STR_NONE, STR_NONE);
}

static void handle(struct http_req *rq, void *arg)
{
    uint64_t status;

    (void)arg;
    if (str_is(rq->wildcard, "token")) {
        give_token(rq);
        return;
    }
    record(rq);
    if (str_to_u64(rq->wildcard, &status)) {
        http_reply_header(rq, S("Retry-After"), S("17"));
        http_reply(rq, (int)status, S("text/plain"), S("body"));
    } else if (str_is(rq->wildcard, "never")) {
        rq->on_gone = on_gone;
        rq->ends_with_client = true;
        t.kept[t.n_kept++] = rq;
        if (t.n_kept > t.most_kept)
            t.most_kept = t.n_kept;
    } else if (str_is(rq->wildcard, "endless")) {
        http_reply_stream(rq, 200, S("text/plain"), endless, NULL, NULL);
    } else if (str_is(rq->wildcard, "redirect")) {
        http_reply_header(rq, S("Location"), S("/200"));
        http_reply(rq, 302, STR_NONE, STR_NONE);
    } else if (str_is(rq->wildcard, "astray")) {
        http_reply_header(rq, S("Location"), S("http://a..b/"));
        http_reply(rq, 302, STR_NONE, STR_NONE);
    } else {
        http_reply(rq, 200, S("text/plain"), buf_str(&t.last));
    }
}

static const struct http_route routes[] = {
    {HTTP_GET | HTTP_POST | HTTP_PUT | HTTP_DELETE, "/*", 1 << 20, handle, "all", ""},
    {0, NULL, 0, NULL, NULL, NULL},
};

static void give_up(struct timer *timer, struct now now)
{
    (void)timer, (void)now;
    fail_msg("%s", "no answer in 5 s");
}

static int start(void **state)
{
    struct err e = ERR_INIT;

    (void)state;
    memset(&t, 0, sizeof(t));
    clock_init(&t.clock);
    t.loop = loop_new(&t.clock);
    t.server =
        http_server_new(loop_base(t.loop), &t.clock, &(struct http_server_conf){.routes = routes});
    t.transport = transport_new_curl(loop_base(t.loop), &t.clock, 256);
    arena_init(&t.arena, 0);
    t.guard.fire = give_up;
    if (!http_server_listen(t.server, S("127.0.0.1:0"), &t.address, &e))
        fail_msg("%s", e.msg);
    strcpy(t.folder, "/tmp/tocsin_transport.XXXXXX");
    assert_non_null(mkdtemp(t.folder));
    t.path = arena_printf(&t.arena, "%s/secret", t.folder);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    unlink(t.path.p);
    rmdir(t.folder);
    transport_free(t.transport);
    http_server_free(t.server);
    timer_cancel(&t.clock, &t.guard);
    assert_int_equal(clock_next(&t.clock), TS_MAX);
    loop_free(t.loop);
    clock_release(&t.clock);
    arena_release(&t.arena);
    buf_release(&t.address);
    buf_release(&t.last);
    return 0;
}

/* -- asking -- */

static void on_answer(void *arg, const struct transport_answer *a)
{
    struct got *g = arg;

    g->n++;
    g->failure = a->failure;
    g->status = a->http.status;
    g->body = arena_str(&t.arena, a->http.body);
    g->retry_after = arena_str(&t.arena, http_header_get(&a->http.headers, S("retry-after")));
    g->err = a->err;
    assert_true(a->failure != TRANSPORT_OK || a->http.status != 0);
    if (t.wanted != 0 && --t.wanted == 0)
        loop_stop(t.loop);
}

static void run(size_t answers)
{
    t.wanted = answers;
    timer_arm(&t.clock, &t.guard, clock_update(&t.clock).mono + 5 * NS_PER_S);
    loop_run(t.loop);
    timer_cancel(&t.clock, &t.guard);
}

static void on_pause(struct timer *timer, struct now now)
{
    (void)timer, (void)now;
    loop_stop(t.loop);
}

static void pause_for(dur_ns d)
{
    struct timer timer = {.fire = on_pause};

    timer_arm(&t.clock, &timer, clock_update(&t.clock).mono + d);
    loop_run(t.loop);
}

#define WAIT(cond)                                                                                 \
    do {                                                                                           \
        for (int left_ = 500; left_ != 0 && !(cond); left_--)                                      \
            pause_for(10 * NS_PER_MS);                                                             \
        assert_true(cond);                                                                         \
    } while (0)

static str url(const char *path)
{
    return arena_printf(&t.arena, "http://%.*s%s", STR(buf_str(&t.address)), path);
}

static struct transfer *post(struct got *g, struct transport_request rq)
{
    if (rq.deadline == 0)
        rq.deadline = clock_update(&t.clock).mono + 4 * NS_PER_S;
    if (rq.class == WORK_PAGE)
        rq.class =
            WORK_SCRAPE; /* one that may have to wait; who tests pages does it at the transport */
    return transport_send(t.transport, &rq, on_answer, g);
}

static struct got ask(struct transport_request rq)
{
    struct got g = {0};

    post(&g, rq);
    assert_int_equal(g.n, 0); /* never from inside send */
    run(1);
    assert_int_equal(g.n, 1);
    return g;
}
#define ASK(...) ask((struct transport_request){__VA_ARGS__})

static bool sent(const char *what)
{
    return str_find_str(buf_str(&t.last), str_of(what)) >= 0;
}

static void write_file(const char *text)
{
    FILE *f = fopen(t.path.p, "w");

    fputs(text, f);
    fclose(f);
}

/* -- answers -- */

static void statuses_and_requests(void **state)
{
    static const int statuses[] = {200, 204, 400, 429, 500};
    struct http_header h[] = {{S("X-A"), S("")}, {S("Content-Type"), S("application/json")}};
    struct got g;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        char path[16];

        snprintf(path, sizeof(path), "/%d", statuses[i]);
        g = ASK(.http = {.url = url(path)});
        assert_int_equal(g.failure, TRANSPORT_OK);
        assert_int_equal(g.status, statuses[i]);
        assert_str(g.retry_after, "17");
        assert_str(g.body, statuses[i] == 204 ? "" : "body");
    }
    assert_str(buf_str(&t.last),
               arena_printf(&t.arena,
                            "1 /500\nHost: %.*s\nUser-Agent: tocsin/" TOCSIN_VERSION "\n\n",
                            STR(buf_str(&t.address)))
                   .p);
    g = ASK(.http = {.url = url("/x?y=1"), .body = S("{}"), .headers = {h, 2}});
    assert_true(str_starts_with(buf_str(&t.last), S("2 /x?y=1\n")));
    assert_true(sent("X-A: \n") && sent("Content-Type: application/json\n") && sent("\n\n{}"));
    g = ASK(.http = {.url = url("/x"), .method = S("PUT"), .body = S("a\nb")});
    assert_true(str_starts_with(buf_str(&t.last), S("4 /x\n")));
    assert_false(sent("Content-Type"));
    g = ASK(.http = {.url = url("/x"), .method = S("DELETE")});
    assert_true(str_starts_with(buf_str(&t.last), S("8 /x\n")));
    g = ASK(.http = {.url = url("/x"), .method = S("HEAD")});
    assert_int_equal(g.status, 200);
}

static void redirects_only_when_asked(void **state)
{
    struct http_conf follow = {.follow_redirects = true};

    (void)state;
    assert_int_equal(ASK(.http = {.url = url("/redirect")}).status, 302);
    assert_int_equal(ASK(.http = {.url = url("/redirect")}, .conf = &follow).status, 200);
}

static void answers_are_bounded(void **state)
{
    struct got g = ASK(.http = {.url = url("/endless")});

    (void)state;
    assert_int_equal(g.failure, TRANSPORT_LIMIT);
    assert_int_equal(g.err.code, ERR_LIMIT);
    assert_int_equal(g.status, 200); /* the head came whole */
    g = ASK(.http = {.url = url("/503")}, .max_answer = 3);
    assert_int_equal(g.failure, TRANSPORT_LIMIT);
    assert_int_equal(g.status, 503);
    assert_str(g.retry_after, "17");
    assert_str(g.body, "");
    g = ASK(.http = {.url = url("/200")}, .max_answer = 4);
    assert_int_equal(g.failure, TRANSPORT_OK);
}

/* What a rude peer says before it hangs up. */
static const char *rude;

static void on_rude(struct evconnlistener *lev, evutil_socket_t fd, struct sockaddr *sa, int n,
                    void *arg)
{
    char request[4096];

    (void)lev, (void)sa, (void)n, (void)arg;
    usleep(20000); /* the request is there then */
    (void)!recv(fd, request, sizeof(request), 0);
    (void)!send(fd, rude, strlen(rude), MSG_NOSIGNAL);
    close(fd);
}

static str listen_somewhere(evconnlistener_cb cb, struct evconnlistener **lev, const char *scheme)
{
    struct buf name = BUF_INIT;
    struct err e = ERR_INIT;
    str out;
    int fd;

    assert_true(listen_open(S("127.0.0.1:0"), &fd, &e));
    listen_name(fd, &name);
    out = arena_printf(&t.arena, "%s://%.*s", scheme, STR(buf_str(&name)));
    buf_release(&name);
    if (cb == NULL)
        close(fd); /* a port where nobody listens */
    else
        *lev = evconnlistener_new(loop_base(t.loop), cb, NULL, LEV_OPT_CLOSE_ON_FREE, 0, fd);
    return out;
}

static void failures_have_kinds_and_no_secrets(void **state)
{
    static const char *const rudeness[] = {
        "", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "garbage\n",
        "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha"};
    static const int statuses[] = {0, 200, 0, 0, 200};
    struct http_conf follow = {.follow_redirects = true};
    struct evconnlistener *lev;
    str base = listen_somewhere(on_rude, &lev, "http"), dead;
    struct got g;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rudeness); i++) {
        rude = rudeness[i];
        g = ASK(.http = {.url = base});
        assert_int_equal(g.failure, TRANSPORT_CONNECT);
        assert_int_equal(g.status, statuses[i]);
    }
    evconnlistener_free(lev);
    g = ASK(.http = {.url = url("/astray")}, .conf = &follow);
    assert_int_equal(g.failure, TRANSPORT_RESOLVE);
    assert_int_equal(g.status, 0); /* the redirect was not the answer */
    t.requests = 0;
    dead = listen_somewhere(NULL, NULL, "http");
    dead = arena_printf(&t.arena, "http://me:pass@%s/hidden?key=k", dead.p + 7);
    g = ASK(.http = {.url = dead});
    assert_int_equal(g.failure, TRANSPORT_CONNECT);
    assert_non_null(strstr(g.err.msg, "cannot reach 'http://127.0.0.1:"));
    assert_null(strstr(g.err.msg, "hidden"));
    assert_null(strstr(g.err.msg, "pass"));
    assert_null(strstr(g.err.msg, "key"));
    g = ASK(.http = {.url = S("http://a..b/")});
    assert_int_equal(g.failure, TRANSPORT_RESOLVE);
    g = ASK(.http = {.url = S("ftp://a/hidden")});
    assert_int_equal(g.failure, TRANSPORT_URL);
    assert_null(strstr(g.err.msg, "hidden"));
    g = ASK(.http = {.url = S("http://a b/hidden")});
    assert_int_equal(g.failure, TRANSPORT_URL);
    g = ASK(.http = {.url = url("/x"),
                     .headers = {&(struct http_header){S("X"), S("a\r\nY: b")}, 1}});
    assert_int_equal(g.failure, TRANSPORT_CONFIG);
    assert_int_equal(t.requests, 0);
}

static void deadlines_and_cancelling(void **state)
{
    struct got g, h = {0};
    struct transfer *x;

    (void)state;
    g = ASK(.http = {.url = url("/never")},
            .deadline = clock_update(&t.clock).mono + 50 * NS_PER_MS);
    assert_int_equal(g.failure, TRANSPORT_TIMEOUT);
    assert_int_equal(g.err.code, ERR_TIMEOUT);
    x = post(&h, (struct transport_request){.http = {.url = url("/never")}});
    WAIT(t.requests == 2);
    transport_cancel(t.transport, x);
    WAIT(t.gone == 2);
    assert_int_equal(h.n, 0);
}

static size_t sum_of_answers(const struct got *g, size_t n)
{
    size_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += g[i].n;
    return sum;
}

static void a_destination_is_bounded_and_the_rest_waits(void **state)
{
    struct got g[40] = {0};
    struct transfer *x[40];

    (void)state;
    for (size_t i = 0; i < 40; i++)
        x[i] = post(&g[i], (struct transport_request){.http = {.url = url("/never")}});
    WAIT(t.n_kept == 32);
    transport_cancel(t.transport, x[39]); /* one that waits */
    transport_cancel(t.transport, x[0]);  /* one that runs makes room */
    WAIT(t.requests == 33 && t.gone == 1);
    for (size_t answered = 0; answered < 38;) {
        size_t n = t.n_kept;

        t.n_kept = 0;
        for (size_t i = 0; i < n; i++)
            http_reply(t.kept[i], 200, STR_NONE, STR_NONE);
        answered += n;
        pause_for(10 * NS_PER_MS);
    }
    WAIT(sum_of_answers(g, 40) == 38);
    assert_int_equal(t.most_kept, 32);
    for (size_t i = 1; i < 39; i++)
        assert_int_equal(g[i].status, 200);
    assert_int_equal(g[0].n + g[39].n, 0);
}

static void freed_with_requests_in_every_state(void **state)
{
    struct oauth2_conf oauth2 = {.client_id = S("id"), .token_url = url("/never")};
    struct http_conf conf = {.oauth2 = &oauth2};
    struct got g = {0};

    (void)state;
    for (size_t i = 0; i < 40; i++)
        post(&g, (struct transport_request){.http = {.url = url("/never")}});
    pause_for(50 * NS_PER_MS);
    post(&g, (struct transport_request){.http = {.url = url("/x")}, .conf = &conf});
    post(&g, (struct transport_request){.http = {.url = S("bad:")}});
    transport_free(t.transport);
    t.transport = NULL;
    assert_int_equal(g.n, 0);
}

/* -- http_config -- */

static void credentials(void **state)
{
    struct http_header own = {S("authorization"), S("Own x")};
    struct http_conf basic = {
        .has_basic_auth = true, .username = {.hidden = S("me")}, .password = {.file = t.path}};
    struct http_conf bearer = {.has_authorization = true, .credentials = {.file = t.path}};
    struct got g;

    (void)state;
    write_file(" s3cret\n");
    ASK(.http = {.url = url("/x")}, .conf = &basic);
    assert_true(sent("Authorization: Basic bWU6czNjcmV0\n"));
    ASK(.http = {.url = url("/x")}, .conf = &bearer);
    assert_true(sent("Authorization: Bearer s3cret\n"));
    write_file("other"); /* read at each use */
    ASK(.http = {.url = url("/x")}, .conf = &bearer);
    assert_true(sent("Authorization: Bearer other\n"));
    ASK(.http = {.url = url("/x"), .headers = {&own, 1}}, .conf = &bearer);
    assert_true(sent("authorization: Own x\n") && !sent("Bearer"));
    unlink(t.path.p);
    t.requests = 0;
    g = ASK(.http = {.url = url("/hidden")}, .conf = &bearer);
    assert_int_equal(g.failure, TRANSPORT_CONFIG);
    assert_non_null(strstr(g.err.msg, t.path.p));
    assert_null(strstr(g.err.msg, "hidden"));
    assert_int_equal(mkfifo(t.path.p, 0600), 0); /* must not be waited for */
    g = ASK(.http = {.url = url("/x")}, .conf = &bearer);
    assert_int_equal(g.failure, TRANSPORT_CONFIG);
    assert_int_equal(t.requests, 0);
}

static void configured_headers(void **state)
{
    str values[] = {S("1"), S("2")};
    struct secret secrets[] = {{.hidden = S("3")}, {.file = t.path}};
    struct http_conf_header h = {S("X-Many"), values, 2, secrets, 2};
    struct http_conf conf = {.headers = &h, .n_headers = 1};

    (void)state;
    write_file("4\n");
    ASK(.http = {.url = url("/x")}, .conf = &conf);
    assert_true(sent("X-Many: 1\nX-Many: 2\nX-Many: 3\nX-Many: 4\n"));
    write_file("4\n5");
    assert_int_equal(ASK(.http = {.url = url("/x")}, .conf = &conf).failure, TRANSPORT_CONFIG);
}

static void an_agent_of_its_own(void **state)
{
    struct http_header h = {S("user-agent"), S("me/1")};
    struct http_conf direct = {.follow_redirects = true}, proxied = {.proxy_url = url("")};

    (void)state;
    ASK(.http = {.url = url("/x"), .headers = {&h, 1}});
    assert_true(sent("user-agent: me/1\n\n"));
    assert_false(sent("tocsin/"));
    ASK(.http = {.url = url("/redirect"), .headers = {&h, 1}}, .conf = &direct);
    assert_true(sent("1 /200\n"));
    assert_true(sent("user-agent: me/1\n\n"));
    assert_false(sent("tocsin/"));
    ASK(.http = {.url = url("/x"), .headers = {&h, 1}}, .conf = &proxied);
    assert_true(sent("user-agent: me/1\n"));
    assert_false(sent("tocsin/"));
}

static void proxies(void **state)
{
    struct http_conf by_url = {.proxy_url = url("")},
                     by_environment = {.proxy_from_environment = true};
    struct got g;

    (void)state;
    g = ASK(.http = {.url = S("http://somewhere.test/x")}, .conf = &by_url);
    assert_int_equal(g.status, 200);
    assert_true(sent("1 http://somewhere.test/x\nHost: somewhere.test\n"
                     "User-Agent: tocsin/" TOCSIN_VERSION "\n"));
    by_url.no_proxy = S("127.0.0.1");
    ASK(.http = {.url = url("/x")}, .conf = &by_url);
    assert_true(sent("1 /x\n"));
    setenv("http_proxy", listen_somewhere(NULL, NULL, "http").p, 1);
    assert_int_equal(ASK(.http = {.url = url("/x")}).status, 200);
    g = ASK(.http = {.url = url("/x")}, .conf = &by_environment);
    unsetenv("http_proxy");
    assert_int_equal(g.failure, TRANSPORT_CONNECT);
}

/* Handles are used again: whatever was asked before, and however it ended, a plain request says what a first one would. */
static void nothing_of_the_last_request_stays(void **state)
{
    struct http_header h = {S("X-Own"), S("1")};
    struct http_conf set = {.has_basic_auth = true,
                            .username = {.hidden = S("me")},
                            .password = {.hidden = S("s3cret")},
                            .follow_redirects = true,
                            .enable_http2 = true,
                            .tls = {.insecure_skip_verify = true, .max_version = TLS_12}};
    struct http_conf proxied = {.proxy_url = url("")};
    struct transport_request before[] = {
        {.http = {.url = url("/x"), .method = S("PUT"), .body = S("a"), .headers = {&h, 1}}},
        {.http = {.url = url("/x"), .method = S("HEAD")}},
        {.http = {.url = url("/redirect"), .body = S("b")}, .conf = &set},
        {.http = {.url = S("http://somewhere.test/x")}, .conf = &proxied},
        {.http = {.url = url("/endless")}, .max_answer = 5000},
        {.http = {.url = S("http://127.0.0.1:1/")}, .conf = &set},
        {.http = {.url = url("/never")}, .deadline = 1},
    };
    str plain =
        arena_printf(&t.arena, "1 /x\nHost: %.*s\nUser-Agent: tocsin/" TOCSIN_VERSION "\n\n",
                     STR(buf_str(&t.address)));

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(before); i++) {
        struct transfer *cancelled;
        struct got g;

        if (before[i].deadline != 0)
            before[i].deadline = clock_update(&t.clock).mono + 50 * NS_PER_MS;
        ask(before[i]);
        cancelled =
            post(&g, (struct transport_request){.http = {.url = url("/never")}, .conf = &set});
        transport_cancel(t.transport, cancelled);
        g = ASK(.http = {.url = url("/x")});
        assert_int_equal(g.status, 200);
        assert_str(g.body, plain.p);
    }
}

/* What is set up is used again for the same head: whatever came between, each request is as the first of its kind was. */
static void the_same_head_again(void **state)
{
    struct http_header h = {S("X-Own"), S("1")}, other = {S("X-Own"), S("2")};
    str values[] = {S("3")};
    struct http_conf_header configured = {S("X-Many"), values, 1, NULL, 0};
    struct http_conf plain = {.follow_redirects = true},
                     one = {.has_basic_auth = true,
                            .username = {.hidden = S("me")},
                            .password = {.hidden = S("s3cret")}},
                     two = {.headers = &configured, .n_headers = 1},
                     proxied = {.proxy_url = url("")};
    struct transport_request of[] = {
        {.http = {.url = url("/x")}},
        {.http = {.url = url("/x")}, .conf = &plain},
        {.http = {.url = url("/x"), .body = S("a")}, .conf = &plain},
        {.http = {.url = url("/x"), .body = S("bcd")}, .conf = &plain},
        {.http = {.url = url("/x"), .method = S("PUT"), .body = S("a")}, .conf = &plain},
        {.http = {.url = url("/x"), .method = S("PUT")}, .conf = &plain},
        {.http = {.url = url("/x"), .method = S("POST")}, .conf = &plain},
        {.http = {.url = url("/x"), .headers = {&h, 1}}, .conf = &plain},
        {.http = {.url = url("/x"), .headers = {&other, 1}}, .conf = &plain},
        {.http = {.url = url("/redirect"), .body = S("b")}, .conf = &plain},
        {.http = {.url = url("/500"), .body = S("a")}, .conf = &plain},
        {.http = {.url = url("/x"), .body = S("a")}, .conf = &one},
        {.http = {.url = url("/x"), .body = S("a")}, .conf = &two},
        {.http = {.url = S("http://somewhere.test/x")}, .conf = &proxied},
    };
    str first[ARRAY_LEN(of)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(of); i++) { /* without a number nothing is kept */
        ask(of[i]);
        first[i] = arena_str(&t.arena, buf_str(&t.last));
    }
    plain.number = 1;
    one.number = 2;
    two.number = 3;
    proxied.number = 4;
    for (size_t i = 0; i < 4 * ARRAY_LEN(of); i++) {
        size_t which = i * (1 + i / ARRAY_LEN(of)) % ARRAY_LEN(of);

        ask(of[which]);
        assert_true(str_eq(buf_str(&t.last), first[which]));
    }
}

/* A configuration that stands where another stood is another; a secret in a file counts at each use. */
static void the_same_head_but_not_the_same_words(void **state)
{
    struct http_conf c = {
        .number = 1, .has_authorization = true, .credentials = {.hidden = S("old")}};

    (void)state;
    ASK(.http = {.url = url("/x")}, .conf = &c);
    assert_true(sent("Authorization: Bearer old\n"));
    c.number = 2;
    c.credentials.hidden = S("new");
    ASK(.http = {.url = url("/x")}, .conf = &c);
    assert_true(sent("Authorization: Bearer new\n"));
    c = (struct http_conf){.number = 3, .has_authorization = true, .credentials = {.file = t.path}};
    for (int i = 0; i < 3; i++) {
        write_file(arena_printf(&t.arena, "secret %d", i).p);
        ASK(.http = {.url = url("/x")}, .conf = &c);
        assert_true(sent(arena_printf(&t.arena, "Authorization: Bearer secret %d\n", i).p));
    }
}

static void oauth2_tokens(void **state)
{
    str scopes[] = {S("a"), S("b")};
    struct str_pair params[] = {{S("p"), S("q")}};
    struct oauth2_conf oauth2 = {.client_id = S("id"),
                                 .client_secret = {.hidden = S("s&t")},
                                 .scopes = scopes,
                                 .n_scopes = 2,
                                 .token_url = url("/token"),
                                 .endpoint_params = params,
                                 .n_endpoint_params = 1};
    struct http_conf conf = {.oauth2 = &oauth2};
    struct got g[2] = {0}, one;

    (void)state;
    for (size_t i = 0; i < 2; i++)
        post(&g[i], (struct transport_request){.http = {.url = url("/x")}, .conf = &conf});
    run(2);
    assert_int_equal(g[0].status + g[1].status, 400);
    assert_int_equal(t.tokens, 1); /* fetched once for both */
    assert_true(sent("Authorization: Bearer tok1\n"));
    assert_int_equal(ASK(.http = {.url = url("/401")}, .conf = &conf).status, 401);
    assert_int_equal(t.tokens, 1);
    ASK(.http = {.url = url("/x")}, .conf = &conf); /* refused once: not used again */
    assert_true(sent("Authorization: Bearer tok2\n"));

    oauth2.client_id = S("other");
    t.token_by_body = true; /* basic first, then in the body */
    ASK(.http = {.url = url("/x")}, .conf = &conf);
    assert_true(sent("Authorization: Bearer tok4\n"));
    oauth2.tls.insecure_skip_verify = true; /* what came without proof is for nobody else */
    ASK(.http = {.url = url("/x")}, .conf = &conf);
    assert_true(sent("Authorization: Bearer tok6\n"));
    oauth2.tls.insecure_skip_verify = false;
    ASK(.http = {.url = url("/x")}, .conf = &conf);
    assert_true(sent("Authorization: Bearer tok4\n"));

    oauth2.client_secret.hidden = S("wrong");
    t.requests = 0;
    one = ASK(.http = {.url = url("/x")}, .conf = &conf);
    assert_int_equal(one.failure, TRANSPORT_CONNECT);
    assert_string_equal(one.err.msg, "cannot get an oauth2 token: the server answered status 401");
    oauth2.grant_type = S("password");
    assert_int_equal(ASK(.http = {.url = url("/x")}, .conf = &conf).failure, TRANSPORT_CONFIG);
    oauth2.grant_type = STR_NONE;
    oauth2.token_url = url("/never");
    one = ASK(.http = {.url = url("/x")}, .conf = &conf,
              .deadline = clock_update(&t.clock).mono + 50 * NS_PER_MS);
    assert_int_equal(one.failure, TRANSPORT_TIMEOUT);
    WAIT(t.gone == 1); /* the fetch ended with the last who waited */
    assert_int_equal(t.requests, 1);
}

/* -- TLS -- */

static SSL_CTX *server_ctx;

static void on_tls_read(struct bufferevent *bev, void *arg)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    char request[4096];
    size_t n = bufferevent_read(bev, request, sizeof(request));

    (void)arg;
    buf_clear(&t.last);
    buf_add(&t.last, (str){request, n});
    bufferevent_write(bev, ok, sizeof(ok) - 1);
}

static void on_tls_event(struct bufferevent *bev, short what, void *arg)
{
    (void)arg;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
        bufferevent_free(bev);
}

static void on_tls(struct evconnlistener *lev, evutil_socket_t fd, struct sockaddr *sa, int n,
                   void *arg)
{
    struct bufferevent *bev =
        bufferevent_openssl_socket_new(loop_base(t.loop), fd, SSL_new(server_ctx),
                                       BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);

    (void)lev, (void)sa, (void)n, (void)arg;
    bufferevent_setcb(bev, on_tls_read, NULL, on_tls_event, NULL);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
}

/* A certificate for tocsin.test, signed by itself; its PEM text. */
static str make_certificate(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:tocsin.test");
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem;
    long n;
    str out;

    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)"tocsin.test", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_set_pubkey(cert, key);
    X509_add_ext(cert, ext, -1);
    X509_sign(cert, key, EVP_sha256());
    server_ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(server_ctx, cert);
    SSL_CTX_use_PrivateKey(server_ctx, key);
    PEM_write_bio_X509(bio, cert);
    n = BIO_get_mem_data(bio, &pem);
    out = arena_str(&t.arena, (str){pem, (size_t)n});
    BIO_free(bio);
    X509_EXTENSION_free(ext);
    X509_free(cert);
    EVP_PKEY_free(key);
    return out;
}

static void tls(void **state)
{
    str pem = make_certificate();
    struct evconnlistener *lev;
    str base = listen_somewhere(on_tls, &lev, "https");
    struct http_conf conf = {.tls = {.min_version = TLS_ANY}};
    struct got g;

    (void)state;
    g = ASK(.http = {.url = base});
    assert_int_equal(g.failure, TRANSPORT_TLS);
    conf.tls.ca.hidden = pem;
    g = ASK(.http = {.url = base}, .conf = &conf); /* the name does not match */
    assert_int_equal(g.failure, TRANSPORT_TLS);
    conf.tls.server_name = S("tocsin.test");
    g = ASK(.http = {.url = base}, .conf = &conf);
    assert_int_equal(g.status, 200);
    assert_true(sent(arena_printf(&t.arena, "Host: %s\r\n", base.p + 8).p));
    conf.tls.max_version = TLS_12;
    assert_int_equal(ASK(.http = {.url = base}, .conf = &conf).status, 200);
    conf.tls.server_name = S("other.test");
    assert_int_equal(ASK(.http = {.url = base}, .conf = &conf).failure, TRANSPORT_TLS);
    conf.tls = (struct tls_conf){.insecure_skip_verify = true};
    assert_int_equal(ASK(.http = {.url = base}, .conf = &conf).status, 200);
    conf.tls = (struct tls_conf){.ca = {.hidden = S("junk")}};
    assert_int_equal(ASK(.http = {.url = base}, .conf = &conf).failure, TRANSPORT_CONFIG);
    conf.tls = (struct tls_conf){.ca = {.file = t.path}};
    assert_int_equal(ASK(.http = {.url = base}, .conf = &conf).failure, TRANSPORT_CONFIG);
    g = ASK(.http = {.url = arena_printf(&t.arena, "https%s", url("/x").p + 4)});
    assert_int_equal(g.failure, TRANSPORT_TLS); /* the peer speaks plain HTTP */
    pause_for(20 * NS_PER_MS);
    evconnlistener_free(lev);
    SSL_CTX_free(server_ctx);
}

/* -- classes -- */

static struct transfer *post_class(struct got *g, enum work_class c, const char *path)
{
    struct transport_request rq = {
        .class = c,
        .http = {.url = url(path)},
        .deadline = clock_update(&t.clock).mono + 60 * NS_PER_S,
    };

    return transport_send(t.transport, &rq, on_answer, g);
}

/* As many as may be under way hang at one host, and others wait there: who asks the same host for something more urgent
 * gets its answer, and so does what is kept for others. */
static void no_class_waits_for_another(void **state)
{
    enum { MANY = 40 };
    static const enum work_class others[] = {WORK_PAGE, WORK_SOURCE, WORK_RULE, WORK_NAME};
    struct got hanging[MANY] = {0}, g[ARRAY_LEN(others)] = {0};
    struct transfer *x[MANY];

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        x[i] = post_class(&hanging[i], WORK_SCRAPE, "/never");
    WAIT(t.n_kept == 32);
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        post_class(&g[i], others[i], "/200");
    run(ARRAY_LEN(others));
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_int_equal(g[i].status, 200);
    assert_int_equal(t.most_kept, 32);
    for (size_t i = 0; i < MANY; i++)
        transport_cancel(t.transport, x[i]);
    WAIT(t.n_kept == 0);
}

/* A token that scrapes wait for keeps no page. */
static void tokens_are_a_class(void **state)
{
    struct oauth2_conf oauth2 = {.client_id = S("id"), .token_url = url("/never")};
    struct http_conf conf = {.oauth2 = &oauth2};
    struct transport_request rq = {.conf = &conf, .deadline = TS_MAX, .http = {.url = url("/200")}};
    struct got g[2] = {0};
    struct transfer *x[2];

    (void)state;
    rq.class = WORK_SCRAPE;
    x[0] = transport_send(t.transport, &rq, on_answer, &g[0]);
    WAIT(t.n_kept == 1);
    rq.class = WORK_PAGE;
    x[1] = transport_send(t.transport, &rq, on_answer, &g[1]);
    WAIT(t.n_kept == 2);
    transport_cancel(t.transport, x[0]);
    transport_cancel(t.transport, x[1]);
    WAIT(t.n_kept == 0);
}

/* -- the script -- */

static struct scripted_answer refuse(void *arg, const struct scripted_request *rq)
{
    assert_ptr_equal(arg, &t);
    assert_str(rq->http.method, "POST");
    return (struct scripted_answer){.status = 500, .delay = NS_PER_S};
}

static void scripted(void **state)
{
    struct clock c;
    struct scripted *s;
    struct got g[4] = {0};
    struct transport_request rq = {.http = {.url = S("http://a"), .body = S("b")}};

    (void)state;
    clock_init_stepped(&c, (struct now){.wall = 0, .mono = 100 * NS_PER_S});
    s = scripted_new(&c, refuse, &t);
    scripted_push(s, (struct scripted_answer){.body = S("hi")});
    scripted_push(s, (struct scripted_answer){.never = true});
    scripted_push(s, (struct scripted_answer){.failure = TRANSPORT_TLS, .error = S("no")});
    rq.deadline = 110 * NS_PER_S;
    for (size_t i = 0; i < 4; i++)
        transport_send(scripted_transport(s), &rq, on_answer, &g[i]);
    assert_int_equal(g[0].n, 0);
    clock_step_to(&c, 100 * NS_PER_S);
    assert_int_equal(g[0].status, 200);
    assert_str(g[0].body, "hi");
    assert_int_equal(g[2].failure, TRANSPORT_TLS);
    assert_string_equal(g[2].err.msg, "no");
    assert_int_equal(g[3].n, 0);
    clock_step_to(&c, 101 * NS_PER_S);
    assert_int_equal(g[3].status, 500);
    clock_step_to(&c, 110 * NS_PER_S);
    assert_int_equal(g[1].failure, TRANSPORT_TIMEOUT);
    assert_int_equal(scripted_count(s), 4);
    assert_str(scripted_at(s, 3)->http.body, "b");
    transport_cancel(scripted_transport(s),
                     transport_send(scripted_transport(s), &rq, on_answer, g));
    transport_send(scripted_transport(s), &rq, on_answer, g);
    assert_int_equal(scripted_in_flight(s), 1);
    transport_free(scripted_transport(s));
    clock_release(&c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_class_waits_for_another),
        TEST(tokens_are_a_class),
        TEST(statuses_and_requests),
        TEST(redirects_only_when_asked),
        TEST(answers_are_bounded),
        TEST(failures_have_kinds_and_no_secrets),
        TEST(deadlines_and_cancelling),
        TEST(a_destination_is_bounded_and_the_rest_waits),
        TEST(freed_with_requests_in_every_state),
        TEST(credentials),
        TEST(configured_headers),
        TEST(an_agent_of_its_own),
        TEST(proxies),
        TEST(nothing_of_the_last_request_stays),
        TEST(the_same_head_again),
        TEST(the_same_head_but_not_the_same_words),
        TEST(oauth2_tokens),
        TEST(tls),
        TEST(scripted),
    };

    signal(SIGPIPE, SIG_IGN); /* as os/signals.c does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
