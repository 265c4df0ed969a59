/* curl_smtp.h - a mail on a curl handle, and what the server said about each recipient.
 *
 * One refused recipient does not keep the others from theirs; who was refused is read off the dialogue, because curl
 * does not tell.
 *
 * Errors   as curl_setup.h. A password is not sent in clear to another host: that is an error before anything is sent.
 * Source   alertmanager.md 6.3, libraries.md 3, RFC 5321.
 */
#ifndef NET_CURL_SMTP_H
#define NET_CURL_SMTP_H

#include "net/curl_setup.h"
#include "tocsin/smtp.h"

struct smtp_dialogue {
    struct arena *arena;
    const struct smtp_request *rq;
    size_t unread; /* of the message */
    size_t asked;  /* recipients named so far */
    bool in_rcpt;
    struct http_headers refused; /* name = recipient, value = the server's reply */
    char last[256];              /* the server's last line */
};

struct smtp_request *smtp_request_copy(const struct smtp_request *rq, struct arena *a);
bool curl_smtp_setup(struct curl_handle *h, struct smtp_dialogue *d, struct err *e) must_check;
/* Why a mail failed, in the server's words where it has spoken. */
void curl_smtp_failure_text(const struct smtp_dialogue *d, long status, CURLcode code,
                            struct err *e);

#endif
