/* web_auth.h - names and passwords of requests, against bcrypt hashes.
 *
 * bcrypt is slow on purpose (50 ms and more), so it runs on a worker, one check at a time: a flood of wrong passwords
 * takes one worker and not the rules' time. A pair that was right is remembered, as a keyed hash, for as long as its
 * user's hash stands in the file.
 *
 * Whoever is refused is counted by the reason and, where he showed something, logged: by the name that the configuration
 * has for him, else by his address alone, as people type passwords where the name belongs.
 *
 * Errors   more than 64 waiting checks: 429.
 * Owns     a check owns copies of what it needs; it outlives the auth when a worker has it. The counts are borrowed.
 * Cost     a remembered pair: one HMAC. An unknown name costs what a known one does.
 */
#ifndef NET_WEB_AUTH_H
#define NET_WEB_AUTH_H

#include "os/pool.h"
#include "net/http_server.h"
#include "tocsin/conf.h"

struct web_auth;

enum refusal {
    REFUSED_NO_CREDENTIALS, /* nothing was shown: a browser's first request is one */
    REFUSED_PASSWORD,
    REFUSED_TOKEN,
    REFUSED_SCOPE, /* a token that may do other things */
    REFUSALS
};

struct refusals {
    uint64_t n[REFUSALS];
};

const char *refusal_text(enum refusal why); /* "no_credentials" */

struct web_auth *web_auth_new(struct pool *pool, struct refusals *count);
void web_auth_free(struct web_auth *w); /* when no request waits any more */
/* For http_server_conf.admit: true when the request may go on. Otherwise it is answered 401, or kept. */
bool web_auth_admit(struct web_auth *w, struct http_req *rq, const struct conf_map *users);
/* 401 that asks for it: scheme "Basic" or "Bearer". name: as for refusal_note(). */
void web_auth_refuse(struct refusals *count, struct http_req *rq, const char *scheme, str name);
/* Counts and logs. name: who it is by the configuration; empty: nobody knows. */
void refusal_note(struct refusals *count, const struct http_req *rq, enum refusal why, str name);

#endif
