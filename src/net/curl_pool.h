/* curl_pool.h - connections kept for reuse, apart by what they were made with.
 *
 * curl looks for a connection to reuse by host, port and a part of the settings: never by a client's key, and by which
 * others differs from version to version. So it is not asked: requests share connections only where everything that makes
 * a connection is the same (struct curl_made_with), certificates and secrets by their bytes at the moment of use. Each such
 * set has, for each class of work, a multi handle of its own, with its own cache of connections: what a thousand targets
 * do is done in pieces that are theirs alone. Host and port tell connections apart inside.
 *
 * Shapes   as many pools as classes and sets of settings in use: some tens.
 * Owns     curl_pools owns the pools; a pool lives while somebody is in it and 5 minutes longer.
 * Cost     a digest each time that a handle is set up; none for one without settings.
 */
#ifndef NET_CURL_POOL_H
#define NET_CURL_POOL_H

#include <curl/curl.h>
#include <openssl/evp.h>
#include "base/buf.h"
#include "os/clock.h"
#include "os/shares.h"

struct event_base;
struct curl_pools;

enum { CURL_POOL_KEY = 32, CURL_IDLE_S = 300 };

/* What a connection is made with, written down piece by piece. Secrets are in it: once it is complete its digest takes its
 * place, and it is wiped. */
struct curl_made_with {
    struct buf said;
    bool is_complete;
    unsigned char key[CURL_POOL_KEY]; /* zeroes: made with nothing */
};

void curl_made_with_add(struct curl_made_with *m, char what, str value); /* empty: nothing */
void curl_made_with_release(struct curl_made_with *m);

struct curl_pool {
    CURLM *multi;
    struct curl_pools *in;
    struct curl_pool *next;
    struct timer timer, idle; /* curl's own; since nobody is in it */
    unsigned users;
    enum work_class class;
    unsigned char key[CURL_POOL_KEY]; /* of all that were made with the same */
};

struct curl_pools {
    struct event_base *base;
    struct clock *clock;
    /* Something has moved: curl may have messages. */
    void (*turned)(struct curl_pools *ps, struct curl_pool *p);
    unsigned connections_max; /* kept, in each */
    EVP_MD *sha256;           /* NULL before the first */
    struct curl_pool *first;
};

/* The pool of all of the class that were made with the same; until curl_pool_leave(). m is complete by now. */
struct curl_pool *curl_pool_enter(struct curl_pools *ps, enum work_class c,
                                  struct curl_made_with *m);
void curl_pool_leave(struct curl_pool *p);
void curl_pools_release(struct curl_pools *ps); /* nobody is in any */

#endif
