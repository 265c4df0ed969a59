/* web_tls.h - the server's side of TLS: from what the file says to an OpenSSL context.
 *
 * Errors   what cannot be read or does not fit; messages name the key and the file.
 * Owns     the context is the caller's (SSL_CTX_free); it holds copies of everything.
 * Source   alertmanager.md 4.1; names of suites and curves are Go's.
 */
#ifndef NET_WEB_TLS_H
#define NET_WEB_TLS_H

#include "net/web_conf.h"

struct ssl_ctx_st *web_tls_new(const struct web_tls_conf *conf, struct err *e) must_check;

#endif
