/* oauth2.h - the client credentials grant: what to ask, and what was answered. No I/O: the transport asks.
 *
 * A server that does not take the client's name by basic authentication is asked again with it in the body, as Go's
 * client does.
 *
 * Units    expires in seconds; 0 = the token does not say.
 * Errors   ERR_UNSUPPORTED: another grant; ERR_INVALID: an answer without a token.
 * Owns     everything lives in the given arena.
 * Source   RFC 6749 4.4; golang.org/x/oauth2.
 */
#ifndef NET_OAUTH2_H
#define NET_OAUTH2_H

#include "base/arena.h"
#include "base/err.h"
#include "net/http_conf.h"
#include "tocsin/http.h"

/* What tells one token from another. Contains secrets. */
bool oauth2_key(const struct oauth2_conf *c, struct arena *a, str *key, struct err *e) must_check;
bool oauth2_request(const struct oauth2_conf *c, bool in_body, struct arena *a,
                    struct http_request *out, struct err *e) must_check;
bool oauth2_answer(str body, struct arena *a, str *token, uint64_t *expires_s,
                   struct err *e) must_check;

#endif
