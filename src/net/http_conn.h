/* http_conn.h - one connection of the HTTP server, and what the server's files share about it.
 *
 * A connection reads one request at a time: HEAD -> BODY -> PENDING (the handler has it) ->
 * answered at once, or STREAM -> HEAD for the next, or CLOSE (flush) -> LINGER (the peer may still
 * send; closing now would reset the connection and could take the answer from him). What is
 * pipelined waits in the input buffer, up to its watermark.
 *
 * http_conn_advance() does all that can be done and settles timers. Only event callbacks and timers
 * call it, never http_reply(): an answer that comes from the middle of an engine's turn must not
 * start the next request there.
 *
 * Owns     the server owns its connections; a connection embeds its request.
 */
#ifndef NET_HTTP_CONN_H
#define NET_HTTP_CONN_H

#include <netinet/in.h>
#include "net/http_parse.h"
#include "net/http_server.h"

struct bufferevent;
struct deflater;
struct inflater;

enum http_conn_state {
    CONN_HEAD,
    CONN_BODY,
    CONN_PENDING,
    CONN_STREAM,
    CONN_CLOSE,
    CONN_LINGER,
    CONN_DEAD
};

/* What the connection's one timer is for. */
enum http_conn_wait {
    WAIT_NONE,
    WAIT_FIRST,
    WAIT_IDLE,
    WAIT_HEADER,
    WAIT_BODY,
    WAIT_ANSWER,
    WAIT_SEND,
    WAIT_LINGER
};

struct http_conn {
    struct http_server *server;
    struct http_conn *next, *prev;
    struct in6_addr address; /* zeroes: this host's, which is not counted */
    struct bufferevent *bev;
    enum http_conn_state state;
    enum http_conn_wait wait;
    struct timer timer;
    /* armed when a turn's share of compression, or of the handler's work, is used up */
    struct timer resume;
    bool advancing, eof;
    bool is_counted; /* among the server's gets */
    bool is_unread;  /* the request has a body that nobody has said yes to */
    size_t lingered; /* bytes dropped since the last answer */
    /* requests; bytes handed to the output; bytes that had left at the last look */
    uint64_t served, written, seen;

    struct http_scan scan;
    struct http_head head;
    struct http_chunked chunked;
    struct inflater *inflater;
    struct deflater *deflater;
    struct buf text; /* of the head: rq's slices point into it until it is answered */
    struct buf body;
    size_t held; /* by both, of the budget for bodies */
    uint64_t left;
    struct http_req rq;
    str path;       /* of rq, decoded, with the prefix; p == NULL: it cannot be */
    str cleaned;    /* where it is redirected to, if there is a route; else empty */
    unsigned allow; /* methods of the routes that have rq's path */

    /* the answer */
    bool close_after, is_chunked, is_bodiless;
    int status;
    size_t sent;
    http_next *more;
    void (*done)(void *ctx);
    void *ctx;
};

enum {
    CONN_UNSENT_MAX = 128 << 10,
    CONN_ENDLESS_MAX = 16 << 10, /* of a stream without end: they are many, and some nobody reads */
    CONN_LINGER_MAX = 64 << 20,  /* of a refused body: who sends all of it first still reads why */
    CONN_PACK_MAX = 64 << 10,    /* bytes compressed a turn: half a millisecond */
};

struct http_server {
    struct event_base *base;
    struct clock *clock;
    struct http_server_conf conf;
    struct http_conn *conns;
    size_t n_conns;
    struct http_listener *listeners;
    bool draining, accepting;
    struct timer retry; /* armed while the system has no descriptors left */
    struct buf scratch, packed;
    struct ssl_ctx_st *tls; /* NULL = clear text */
    unsigned gets;
    uint64_t refused_gets;
    ts_ns date_s;
    char date[64];
};

void http_conn_new(struct http_server *s, int fd, struct in6_addr address);
/* Since when it waits for a request of which nothing has come; TS_MAX: it does not. */
ts_ns http_conn_idle_since(const struct http_conn *c);
void http_conn_kill(struct http_conn *c);    /* tells handler or stream, frees c */
bool http_conn_advance(struct http_conn *c); /* false: c is gone */
void http_conn_refuse(struct http_conn *c, int status, const char *why);
void http_conn_count_out(struct http_conn *c); /* it is no GET under way any more */
void http_conn_observe(struct http_conn *c);
void http_conn_answered(struct http_conn *c); /* the whole answer is in the output buffer */
size_t http_conn_unsent(const struct http_conn *c);
bool http_conn_pump(struct http_conn *c); /* CONN_STREAM: true when the answer is complete */

/* Looks for the route of c->rq by c->head. */
void http_server_find(struct http_server *s, struct http_conn *c);
/* Whether there is one; else it has been answered. */
bool http_server_route(struct http_server *s, struct http_conn *c);
/* Counts a GET in; false: it has been answered 503. */
bool http_server_count(struct http_server *s, struct http_conn *c);
void http_server_accept_or_not(struct http_server *s);
const char *http_server_date(struct http_server *s);

const char *http_status_text(int status);

#endif
