/* transport.h - sending requests: HTTP and SMTP by libcurl on the loop, or a script in tests.
 *
 *     x = transport_send(t, &rq, cb, arg)        cb(arg, &answer) comes later, once; by then x is gone
 *     transport_cancel(t, x)                     instead: cb is not called
 *     transport_resume(t, x)                     after rq.piece() has said "not now"
 *
 * Shapes   a request is borrowed only during transport_send(), unless it keeps its body; the answer only during the
 *          callback.
 * Units    deadline is monotonic.
 * Errors   an answer always comes, once, never from inside transport_send(): whole, or failed with a kind.
 * Owns     the transport owns transfers in flight; transport_cancel() ends one without a callback.
 * Cost     no blocking call on the loop: names are resolved on threads, CURLOPT_QUICK_EXIT keeps their end from being
 *          waited for; mails have threads of their own. No class of work waits for the transfers of those below it
 *          (os/shares.h): of 256 places 64 are kept for sources, 160 for scrapes, 32 for all else; of a class at most 32 transfers
 *          go to a destination, the others are queued in order of arrival. Pages never wait: who sends them bounds how many
 *          are under way.
 * Source   design.md 4 "HTTP client", libraries.md 3; http_config semantics alertmanager.md 2.8.
 */
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "os/shares.h"
#include "tocsin/http.h"
#include "tocsin/smtp.h"

struct event_base;
struct http_conf; /* net/http_conf.h: TLS, auth, proxy, headers of a client; NULL = defaults */

enum transport_failure {
    TRANSPORT_OK,      /* there is an answer, whole */
    TRANSPORT_RESOLVE, /* the name has no address */
    TRANSPORT_CONNECT, /* refused, unreachable, connection lost */
    TRANSPORT_TLS,
    TRANSPORT_TIMEOUT, /* the deadline passed */
    TRANSPORT_LIMIT,   /* the answer is larger than allowed */
    TRANSPORT_URL,     /* it is none: trying again helps nobody */
    TRANSPORT_CONFIG,  /* a secret or certificate file cannot be read: the request was not sent */
};

struct transport_answer {
    enum transport_failure failure;
    /* Failed: status and headers are those of a head that came whole, else 0 and none. Of a mail: the server's last reply
     * code (538, 504: no login that we may use), and in headers the recipients that it refused, with its reply as the
     * value. */
    struct http_answer http;
    /* what http.body shows, for who wants to take it; NULL: it can only be copied */
    struct buf *body;
    struct err err; /* when failed: redacted, no URL secrets */
    /* something of the request has gone out, so that it may have been taken though it failed */
    bool sent;
    dur_ns took;
};

typedef void transport_cb(void *arg, const struct transport_answer *a);
/* A piece of the body as it comes. False: not now; it comes again after transport_resume(), or the deadline does. */
typedef bool transport_piece_cb(void *arg, const struct http_answer *head, str piece);
struct transfer;

struct transport_request {
    struct http_request http;
    const struct smtp_request *smtp; /* a mail instead; copied */
    /* borrowed until the answer: config outlives it by a reference of the caller's */
    const struct http_conf *conf;
    bool keeps_body; /* http.body stays until the answer: it is not copied */
    enum work_class class;
    ts_ns deadline;
    size_t max_answer;         /* bytes; 0 = 1 MiB */
    transport_piece_cb *piece; /* not NULL: gets the body, and the answer comes without */
};

struct transport_ops {
    struct transfer *(*send)(void *self, const struct transport_request *rq, transport_cb *cb,
                             void *arg);
    void (*cancel)(void *self, struct transfer *t);
    void (*resume)(void *self, struct transfer *t); /* NULL: of one that knows no pieces */
    void (*free)(void *self);
};

struct transport {
    const struct transport_ops *ops;
    void *self;
};

static inline struct transfer *
transport_send(struct transport *t, const struct transport_request *rq, transport_cb *cb, void *arg)
{
    return t->ops->send(t->self, rq, cb, arg);
}

static inline void transport_cancel(struct transport *t, struct transfer *x)
{
    t->ops->cancel(t->self, x);
}

static inline void transport_resume(struct transport *t, struct transfer *x)
{
    t->ops->resume(t->self, x);
}

struct clock;
/* Requests that bring no User-Agent have "tocsin/VERSION". */
/* running: how many requests may be under way at once, pages not counted, and how many connections each kind of them keeps open. */
struct transport *transport_new_curl(struct event_base *base, struct clock *clock,
                                     unsigned running);
void transport_free(struct transport *t);
const char *transport_failure_name(enum transport_failure f); /* "resolve", "tls": a label value */

/* -- scripted: net/scripted.h -- */

#endif
