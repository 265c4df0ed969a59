/* curl_mail.h - mails, each on a thread of its own.
 *
 * libcurl waits where it speaks SMTP, also on a multi handle: for the answer to a mail's end (measured: as long as the
 * server looks through it) and to QUIT (two minutes). So mail does not run on the loop.
 *
 * Shapes   as many threads as mails under way: the transport's limits.
 * Errors   mail_send(): what cannot be read or is malformed. Later: an answer, always.
 * Owns     mails owns what is under way. One that was cancelled ends by itself within a second.
 * Cost     secrets and certificates are read on the loop; nothing waits but mails_free(), a second at most.
 */
#ifndef NET_CURL_MAIL_H
#define NET_CURL_MAIL_H

#include "net/transport.h"

struct mails;
struct mail;

struct mail_answer {
    enum transport_failure failure;
    int status;    /* the server's last reply code, 0 = none */
    bool has_sent; /* some of the message, and it was not refused */
    struct http_headers refused;
    struct err err;
};

typedef void mail_cb(void *arg, const struct mail_answer *a); /* on the loop */

struct mails *mails_new(struct event_base *base);
void mails_free(struct mails *ms); /* NULL is fine; no callbacks */
/* rq is borrowed during the call. NULL: e says why. */
struct mail *mail_send(struct mails *ms, const struct smtp_request *rq, dur_ns within, mail_cb *cb,
                       void *arg, struct err *e) must_check;
void mail_cancel(struct mail *m); /* no callback */

#endif
