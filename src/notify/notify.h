/* notify.h - carries out deliveries: from a row of the outbox to an answer.
 *
 * A row handed over is rendered from the configuration of that moment, goes through the receiver's steps and requests, and
 * comes back as one delivery_result. Several rows make a digest of as many as the service's size allows. What is too long
 * by itself goes in parts, each with some of its alerts, where its receiver can: a part an attempt, and the row's `had` knows
 * which have gone ("part 1/3"). Who is sent when (core/queue.h), and what follows from a failure (core/delivery.c), is
 * the core's business, which holds the row.
 *
 * Owns     rows are borrowed until their result was given. An attempt holds a reference on its configuration.
 * Errors   always a result; texts are redacted.
 * Cost     one arena an attempt. A step that renders a template, reads a file or tells more than 16 KiB runs on a worker:
 *          what became ready in a turn goes there in jobs of up to 16 attempts by one integration. Such a step may take 10 s;
 *          then what is not rendered yet is said plainly.
 * Source   design.md 2.12, alertmanager.md 3.9, 6.1.
 */
#ifndef NOTIFY_NOTIFY_H
#define NOTIFY_NOTIFY_H

#include "os/clock.h"
#include "os/pool.h"
#include "model/outbox.h"
#include "net/transport.h"
#include "notify/notify_conf.h"
#include "tocsin/delivery.h"

struct notify;
struct messages;

struct notify_result {
    const struct outbox_row *const *rows; /* one, or several for a digest */
    size_t n_rows,
        n_told; /* the first n_told were told; the rest had no room, nothing was tried with them */
    bool is_part; /* OK, of a part of the one row; had says which, more are to follow */
    enum delivery_verdict verdict; /* OK, RETRY, RETRY_AFTER, FAILED */
    enum delivery_failure failure;
    dur_ns retry_after, took;
    int status;            /* of the last HTTP answer; 0 = none */
    unsigned requests;     /* that were sent */
    bool may_have_arrived; /* one of them, though the verdict is not OK */
    bool in_part;          /* the verdict is OK, and error says who was not told */
    bool under_way;        /* the verdict is RETRY_AFTER, and nothing has failed: delivery.h */
    bool has_date;         /* an answer told the time of whoever gave it */
    dur_ns skew;           /* and by how much it is ahead of ours; the last one */
    str error;
    const struct delivery_pair *kept;
    size_t n_kept;
    str had; /* of a retry: outbox.h */
};

/* What a shadow would send now. */
struct notify_shown {
    const struct outbox_row *const *rows; /* that it tells of */
    size_t n_rows;
    const struct integration_conf *integration;
    const struct http_request *http; /* one of the two, or text for a terminal */
    const struct smtp_request *mail;
    str text;
};

struct notify_shell {
    /* Finds the integration of a row in the configuration in force and keeps it alive until put_back(). NULL: it is not
     * configured any more. */
    const struct integration_conf *(*find)(void *arg, str receiver, str integration, unsigned index,
                                           void **hold);
    void (*put_back)(void *arg, void *hold);
    /* The templates of the configuration that find() held. */
    const struct messages *(*messages)(void *arg, void *hold);
    /* What the delivery before of the same key kept, borrowed for the call. NULL: nothing is ever kept. */
    const struct delivery_pair *(*kept)(void *arg, str key, size_t *n);
    void (*result)(void *arg, const struct notify_result *r);
    /* What a receiver has to say on the terminal. NULL: standard output. */
    void (*print)(void *arg, str text);
    /* Of a shadow: sees what would be sent, with a stand-in for each secret of a file, so that it is the same where there is none.
     * False: the service is out of order. NULL: nobody looks. */
    bool (*shown)(void *arg, const struct notify_shown *x);
    void *arg;
    str external_url; /* borrowed */
    bool colour;
    bool shadow; /* everything is done but the last step: what would be sent counts as delivered */
};

/* pool: where messages are rendered; NULL: right here. It must live as long as the notify. */
struct notify *notify_new(struct transport *t, struct clock *clock, struct pool *pool,
                          const struct notify_shell *shell);
/* Cancels what is under way, waits for steps that run; no results. */
void notify_free(struct notify *n);
/* One message: of a row, or of several of one integration. Which of them find room in it the result says. */
void notify_send(struct notify *n, const struct outbox_row *const *rows, size_t n_rows);
void notify_set_external_url(struct notify *n, str url);
size_t notify_under_way(const struct notify *n); /* attempts */

#endif
