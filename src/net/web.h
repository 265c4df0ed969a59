/* web.h - the front door as --web.config.file describes it, kept as the file is now.
 *
 * The file and what it names (certificate, key, authorities) are looked at each second; what changed is in force for
 * the next connection. A file that has become wrong is logged, and what held before holds on.
 *
 * Errors   at the start a wrong file is an error: whoever wrote it counts on a closed door.
 * Owns     server, clock, pool and the counts are borrowed and outlive it, the server's requests excepted: web_free() comes
 *          after http_server_free().
 * Source   alertmanager.md 4.1.
 */
#ifndef NET_WEB_H
#define NET_WEB_H

#include "base/diags.h"
#include "net/http_server.h"

struct pool;
struct refusals;
struct web;

/* NULL: the problems are in d, or in e. */
struct web *web_new(str path, struct http_server *server, struct clock *clock, struct pool *pool,
                    struct refusals *count, struct diags *d, struct err *e) must_check;
void web_free(struct web *w); /* NULL is fine */
/* Sets the file's headers and takes the request from its rate. False: answered 429. */
bool web_enter(struct web *w, struct http_req *rq);
bool web_has_users(const struct web *w);
/* Asks for name and password when there are users; as http_server_conf.admit. */
bool web_admit(struct web *w, struct http_req *rq);

#endif
