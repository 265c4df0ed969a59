/* smtp.h - one mail as data: what a receiver hands to the transport.
 *
 * Owns     everything is borrowed from the arena of the step that made it.
 * Source   alertmanager.md 6.3 (the exchange), libraries.md 3 (libcurl).
 */
#ifndef TOCSIN_SMTP_H
#define TOCSIN_SMTP_H

#include "tocsin/secret.h"
#include "tocsin/str.h"

struct tls_conf;

struct smtp_request {
    str smarthost; /* host:port, IPv6 in brackets */
    str hello;
    bool implicit_tls;          /* TLS from the first byte */
    bool require_tls;           /* STARTTLS or nothing */
    const struct tls_conf *tls; /* NULL = defaults */
    str username, identity;
    struct secret password; /* PLAIN, LOGIN */
    struct secret secret;   /* CRAM-MD5 */
    str from;               /* addresses without brackets */
    const str *to;
    size_t n_to;
    str message; /* headers and body, lines end in CR LF */
};

/* Whether a password is safe on its way to the server: by TLS, or because there is no way. */
static inline bool smtp_is_covered(const struct smtp_request *rq)
{
    return rq->implicit_tls || rq->require_tls || str_starts_with(rq->smarthost, S("localhost:")) ||
           str_starts_with(rq->smarthost, S("127.0.0.1:")) ||
           str_starts_with(rq->smarthost, S("[::1]:"));
}

#endif
