/* curl_smtp.h - one mail on a curl handle of its own: what we may say, and what the server said.
 *
 * The login goes by what the server offers, in the server's order. curl would pick by its own order and knows one password
 * only, so it is told which to use, and where the offer is not known it is first asked for: curl then ends before anything
 * is said, and the second try logs in. One refused recipient does not keep the others from theirs; who was refused is
 * read off the dialogue, because curl does not tell.
 *
 * Each mail has a connection of its own, as Alertmanager's have: nothing of TLS or of a login is ever shared.
 *
 * Errors   as curl_setup.h. PLAIN is not used without TLS but to this host; a server that offers it first, or nothing that
 *          we have a password for, is not sent to: status 538, 504.
 * Owns     the dialogue owns its arena, with copies of the request: it may outlive the configuration.
 * Cost     curl_smtp_perform() waits: for a thread (curl_mail.h).
 * Source   alertmanager.md 6.3, libraries.md 3, RFC 5321, RFC 4954.
 */
#ifndef NET_CURL_SMTP_H
#define NET_CURL_SMTP_H

#include <stdatomic.h>
#include "net/curl_setup.h"
#include "tocsin/smtp.h"

enum smtp_login { SMTP_LOGIN_ASK, SMTP_LOGIN_CRAM_MD5, SMTP_LOGIN_PLAIN, SMTP_LOGIN_LOGIN };
enum { SMTP_REPLY_MAX = 256, SMTP_NO_LOGIN = 504, SMTP_NEEDS_TLS = 538 };

struct smtp_dialogue {
    struct arena arena;
    struct curl_handle handle;
    struct smtp_request *rq; /* without TLS settings and secrets: they were read */
    str password, secret;
    enum smtp_login login;
    size_t unread; /* of the message */
    size_t asked;  /* recipients named so far */
    bool in_rcpt, in_reply, is_leaving;
    int status;                  /* of the server's last reply, QUIT's aside; 0 = it owes us one */
    char reply[SMTP_REPLY_MAX];  /* its text */
    char offer[SMTP_REPLY_MAX];  /* mechanisms after "AUTH "; empty: no login is wanted */
    struct http_headers refused; /* name = recipient, value = the server's reply */
    atomic_bool *given_up;       /* set by another thread: end soon */
};

struct smtp_request *smtp_request_copy(const struct smtp_request *rq, struct arena *a);
/* offer: what the server has offered the last time, empty when unknown. within: from now on. */
bool curl_smtp_init(struct smtp_dialogue *d, const struct smtp_request *rq, str offer,
                    dur_ns within, struct err *e) must_check;
void curl_smtp_release(struct smtp_dialogue *d);
/* Waits. OK, or the error in the server's words where it has spoken. */
enum transport_failure curl_smtp_perform(struct smtp_dialogue *d, struct err *e);

#endif
