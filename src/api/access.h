/* access.h - who may do what: the file's users may do everything, a bearer token what its scope says.
 *
 * Who is refused is logged and counted (net/web_auth.h). A silence made with a token has the token's name as its creator;
 * what the body said instead stays beside it, as annotation "createdBy".
 *
 * A proxy that is trusted says who somebody is by a header (`web.proxy_auth`): he is let in as a token of its scope is. A token
 * goes before its word, what anybody else says there is not looked at, and who is named twice is refused.
 *
 * Without users and tokens the API is open, as Alertmanager's is. A token is compared by its keyed hash with all
 * tokens, so that the time taken says nothing; its scope is looked up again when the handler runs, so that a reload in
 * between counts.
 *
 * Errors   401 without or with wrong credentials; 403 with a token that may not.
 * Owns     the access owns a reference on the configuration whose tokens it holds; the counts are borrowed.
 */
#ifndef API_ACCESS_H
#define API_ACCESS_H

#include "config/config.h"
#include "model/silence.h"
#include "net/http_server.h"
#include "net/web.h"
#include "net/web_auth.h"

struct access;

/* What a request takes, by its route (http_route.need). A GET, and what has no route, changes nothing. */
enum access_need {
    ACCESS_CHANGE, /* scope admin */
    ACCESS_READ,   /* any token but one of scope alerts: a POST only because its text is long */
    ACCESS_SILENCE,
    ACCESS_PUSH,
    ACCESS_ALERTS,
    ACCESS_ADDRESS, /* nothing: who knows the address may, and it says itself who that is */
    ACCESS_PAGE, /* nothing: where there are tokens, the page that asks for one is open; it has no data */
};

struct access *access_new(struct refusals *count);
void access_free(struct access *x);
/* For http_server_conf.admit; web: NULL without --web.config.file. */
bool access_admit(struct access *x, struct config *conf, struct web *web, struct http_req *rq);
struct access_person {
    str name; /* of the token, or of whom a proxy names; empty: nobody is asked, or a user of the file */
    str scope;
    str groups; /* as the proxy says them; empty: none */
};
/* Who sends rq, which has been admitted. Borrowed from the configuration and the request. */
void access_who(struct access *x, struct config *conf, struct http_req *rq,
                struct access_person *out);
/* Whether who sends rq may create or end s; false: it has answered 403. */
bool access_may_silence(struct access *x, struct config *conf, struct http_req *rq,
                        const struct silence *s);
/* Who made s, by the token of rq: s has not been handed on yet. */
void access_sign(struct access *x, struct config *conf, struct http_req *rq, struct silence *s);

#endif
