/* http_server.h - a strict HTTP/1.1 server on bufferevents.
 *
 * A table of routes says, before a body is read, who handles a request and how large it may be. A
 * handler answers at once or later (http_reply_* on the kept request), whole or streamed: next() is
 * asked for more while fewer than 128 KB are unsent, so that an answer of any size costs a fixed
 * amount of memory and a slow reader costs only himself.
 *
 * Before a route is taken, admit() may ask who is there. Answers are compressed when the client
 * takes gzip, in pieces of 64 KB a turn.
 *
 * An answer given later (outside of handle()) is put into the output at once, but the connection's
 * next request is begun from the loop, so that handlers never run inside somebody's http_reply().
 *
 * SIGPIPE must be ignored (os/signals.h). A client that pipelines more than 128 KiB behind a
 * pending answer is not read any further, so that its leaving is only seen when the answer is
 * written.
 *
 * No client keeps others out: a newcomer beyond the limit takes the place of the connection that has been
 * idle for longest, and one address has at most a quarter of the places, loopback and Unix sockets
 * aside. Only when all are at work does the backlog hold newcomers.
 *
 * Heads and bodies have one budget. One that would pass it is answered 503 with Retry-After, a body that would pass it alone
 * 413; up to 64 KiB of a request are always taken. A body that its route does not read (of a GET, mostly) is dropped behind the
 * answer, and the connection ends.
 *
 * A client that shuts its sending side down after a request gets the answer, unless the work is of the
 * kind that ends with its client: then nobody can tell whether he has gone.
 *
 * Shapes   1,024 connections by default; request line and headers at most 1 MiB together and 10,000
 *          lines.
 * Errors   malformed requests are answered 400 (431, 413, 414, 408, 501, 505) and the connection is
 *          closed.
 * Owns     a request belongs to the server until its answer is complete; on_gone() is called once
 *          if the client leaves before, after which the pointer is dead. Everything in it is
 *          borrowed until the answer is complete.
 * Cost     no copy of a body but the one into its arena; keep-alive and pipelining in order.
 * Source   RFC 9112 without laxness: libraries.md 2 lists the requests that must be refused.
 */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include "base/arena.h"
#include "base/budget.h"
#include "base/buf.h"
#include "base/err.h"
#include "os/clock.h"
#include "tocsin/http.h"

struct event_base;
struct ssl_ctx_st;
struct http_server;
struct http_req;

enum http_method {
    HTTP_GET = 1,
    HTTP_POST = 2,
    HTTP_PUT = 4,
    HTTP_DELETE = 8,
    HTTP_OPTIONS = 16,
    HTTP_OTHER = 32
};

struct http_route {
    unsigned methods; /* HTTP_GET | ...; HEAD is served by GET's handler, its body is dropped */
    const char *path; /* below the prefix: "/api/v2/silence/{id}", a trailing "*" takes the rest;
                         NULL ends the table */
    size_t max_body;  /* decoded bytes; 0 = none is read; SIZE_MAX = what conf says */
    void (*handle)(struct http_req *rq, void *arg);
    const char *name; /* label "handler" of the request metrics */
    const char *doc;
    int need; /* for admit(): what it takes to use it, in the caller's words */
};

struct http_server_conf {
    /* what the bodies of requests that are not answered yet may hold together; NULL: anything */
    struct budget *bodies;
    const struct http_route *routes;
    void *arg;  /* given to every handler */
    str prefix; /* "" or "/x": 404 outside it, "/" redirects into it */
    str lenient; /* below this, a slash at the end of a path is not looked at; elsewhere it is redirected */
    size_t max_body; /* of routes that have SIZE_MAX */
    unsigned max_connections;
    /* 0 = 10 s, 60 s, 60 s, 60 s without progress */
    dur_ns header_timeout, idle_timeout, body_timeout, send_timeout;
    unsigned max_gets;     /* GETs under way; 0 = no limit. One more is answered 503. */
    dur_ns answer_timeout; /* until a handler answers, or the client gets 503; 0 = none */
    /* Called when the head of a request is read. rq has its route, or NULL: it will be answered
     * 400, 404 or 405. True: go on. False: it has answered, or will, or will call http_admit(). */
    bool (*admit)(struct http_req *rq, void *arg);
    /* Called for an admitted request before anything else is answered: false, it has refused it. */
    bool (*accept)(struct http_req *rq, void *arg);
    /* Called for 404 and 405 (and 400-class failures of the parser with rq == NULL never): may
     * answer and return true. */
    bool (*unrouted)(struct http_req *rq, int status, unsigned allow, void *arg);
    void (*observe)(const struct http_req *rq, int status, size_t bytes, dur_ns took, void *arg);
};

struct http_req {
    enum http_method method;
    bool is_head;
    str target;   /* as sent */
    str path;     /* decoded, below the prefix */
    str query;    /* raw, behind '?' */
    str wildcard; /* decoded text of {id} or "*" */
    struct http_headers headers;
    str body; /* decoded from gzip when so encoded */
    const struct http_route *route;
    struct arena arena;                /* the request's memory, the handler may use it */
    struct http_headers reply_headers; /* filled by http_reply_header() */
    void (*on_gone)(struct http_req *rq, void *ctx);
    /* the handler's: there is nothing to finish for who may have gone; GETs always */
    bool ends_with_client;
    /* a stream's, said before it begins: it goes on for as long as there is a client, and ends when he shuts his side. It is
     * none of the GETs under way, is observed when it begins, comes as next() makes it, compressed or not, and next() is
     * asked only while fewer than 16 KB are unsent. */
    bool is_endless;
    bool is_packed; /* the answer is compressed already */
    bool waits; /* a stream's: next() had nothing, and is not asked before http_reply_resume() */
    void *ctx;  /* the handler's */
    struct http_server *server;
    ts_ns since; /* mono */
};

struct http_server *http_server_new(struct event_base *base, struct clock *clock,
                                    const struct http_server_conf *conf);
/* address: "host:port", ":port", "[::1]:port", "unix:/path"; may be called several times. bound:
 * host:port as bound. */
bool http_server_listen(struct http_server *s, str address, struct buf *bound,
                        struct err *e) must_check;
bool http_server_listen_fd(struct http_server *s, int fd,
                           struct err *e) must_check; /* systemd socket */
/* no new connections; idle ones are gone at once; answers in flight go on */
void http_server_drain(struct http_server *s);
/* No connections at all: whoever has not been answered is gone. */
void http_server_close(struct http_server *s);
size_t http_server_open(const struct http_server *s);
unsigned http_server_gets(const struct http_server *s);         /* under way */
uint64_t http_server_refused_gets(const struct http_server *s); /* by max_gets */
/* What new connections speak from now on: TLS by ctx, of which a reference is taken, or NULL for clear text. */
void http_server_set_tls(struct http_server *s, struct ssl_ctx_st *ctx);
void http_server_free(struct http_server *s);

/* Query and form parameters, percent- and plus-decoded, in order. */
struct http_param {
    str name, value;
};
size_t http_params(struct arena *a, str query, const struct http_param **out);

/* Goes on with a request that admit() kept. From the loop, never from inside a handler. */
void http_admit(struct http_req *rq);

/* Appends the address of who sent it: "10.0.0.7", "2001:db8::7", "unix". */
void http_peer(const struct http_req *rq, struct buf *out);

/* -- answering: exactly one of these a request -- */
void http_reply_header(struct http_req *rq, str name, str value); /* before the answer */
void http_reply(struct http_req *rq, int status, str content_type, str body);
/* next(): appends to out and returns true, or returns false when all is written (what it appended last counts, too).
 * Called on the loop, never from inside http_reply_stream() on a kept request, until 128 KB wait; who has appended
 * nothing is asked again in another turn. done(ctx) is called exactly once at the end or when the client left;
 * on_gone() is not called any more. */
typedef bool http_next(void *ctx, struct buf *out);
void http_reply_stream(struct http_req *rq, int status, str content_type, http_next *next,
                       void (*done)(void *ctx), void *ctx);
bool http_takes_gzip(const struct http_req *rq);
void http_reply_resume(struct http_req *rq); /* of a stream that waits; on the loop */

#endif
