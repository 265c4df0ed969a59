/* curl_transport.h - what transport_curl.c and curl_tokens.c share about requests in flight.
 *
 * Owns     the transport owns its transfers, destinations and tokens.
 */
#ifndef NET_CURL_TRANSPORT_H
#define NET_CURL_TRANSPORT_H

#include "base/buf.h"
#include "base/heap.h"
#include "base/map.h"
#include "os/clock.h"
#include "net/curl_kept.h"
#include "net/curl_mail.h"
#include "net/http_conf.h"

enum {
    PER_DESTINATION = 32,
    ANSWER_DEFAULT = 1 << 20,
    ANSWER_HEAD_MAX = 64 << 10,
};

enum transfer_state { QUEUED, WAITING, RUNNING, FAILED };

struct transfer_list {
    struct transfer *head, *tail;
};

struct transfer {
    struct curl_transport *transport;
    enum transfer_state state;
    struct timer timer;           /* the deadline; or now, to report a failure from the loop */
    struct transfer *next, *prev; /* of the list that it is in */
    struct transfer *all_next, *all_prev; /* of the transport's */
    struct transfer_list *in;
    enum work_class class;
    struct destination *destination;
    struct token *token;
    int64_t order;
    ts_ns since, deadline;
    transport_cb *cb;
    void *arg;

    struct arena memory; /* this transfer stands in it */
    struct curl_request rq;
    struct curl_kept *kept;    /* its handle; NULL: a mail, or it has ended */
    struct curl_pool *pool;    /* while it runs */
    struct smtp_request *smtp; /* a mail; its strings are in memory. NULL = HTTP */
    struct mail *mail;         /* while it runs */
    transport_piece_cb *piece;
    size_t max_answer, head_bytes, given; /* given: in pieces */
    bool head_ended, is_paused, is_answered;
    struct buf body;
    struct http_headers headers;
    size_t headers_cap;

    enum transport_failure failure;
    int status; /* of a mail, as has_sent */
    bool has_sent;
    struct err err;
};

/* Where requests of one class go. */
struct destination {
    struct heap_node node; /* in ready, by its oldest waiting request, while there is room */
    enum work_class class;
    str name;
    struct transfer_list waiting;
    unsigned running, users;
};

/* A token, or the attempt to get one. */
struct token {
    struct token *next;
    struct curl_transport *transport;
    enum work_class class;
    struct arena memory, scratch; /* of the key and conf; of the current attempt and token */
    str key, value;
    ts_ns expires; /* TS_MAX = never */
    struct transfer *fetch;
    struct oauth2_conf oauth2;
    struct http_conf conf;
    bool in_body;
    struct transfer_list waiting;
};

struct curl_transport {
    struct transport transport;
    struct clock *clock;
    struct curl_pools pools;
    struct mails *mails; /* NULL before the first */
    struct curl_keeper keeper;
    struct str_map destinations[WORK_CLASSES];
    struct heap ready[WORK_CLASSES];
    struct shares shares;
    struct transfer_list running, failed;
    struct transfer *all;
    int64_t sent;
    struct token *tokens;
    size_t n_tokens;
};

struct transfer *curl_send(void *self, const struct transport_request *rq, transport_cb *cb,
                           void *arg);
void transfer_enqueue(struct transfer *x);
void transfer_drop(struct transfer *x); /* ends it without a callback */
void transfer_list_add(struct transfer_list *l, struct transfer *x);
/* Reports a failure from the loop, never from inside send. */
void transfer_fail_later(struct transfer *x, enum transport_failure failure);

void token_ask(struct transfer *x); /* then enqueues x, or fails it */
void token_left(struct token *k);   /* one of those who waited for it is gone */
void token_refused(struct curl_transport *t, str value);
void tokens_free(struct curl_transport *t);

#endif
