/* curl_kept.h - handles that are set up, kept for the next request with the same head.
 *
 * What sends to one receiver, scrapes one target or asks one source says the same each time but for the body, and to set a
 * handle up for it costs as much as to send it. So one whose request was answered stays as it is, under all that it was set
 * up for, and the next of these has but its body to set. What reads a secret from a file is set up each time.
 *
 * Shapes   up to CURL_KEPT_MAX, the least recently used go first.
 * Owns     what is kept; what is taken is the taker's until curl_kept_give(). It does not move: curl points into it.
 * Cost     a hash of the head a request, and a look at some tens of hashes.
 */
#ifndef NET_CURL_KEPT_H
#define NET_CURL_KEPT_H

#include "base/buf.h"
#include "net/curl_setup.h"

enum { CURL_KEPT_MAX = 64 };

struct curl_kept {
    struct curl_handle handle;
    struct buf head; /* what it is set up for, with its secrets: wiped */
    uint64_t hash;
    str destination; /* of curl_aim(); empty: it is not set up */
    void *user;      /* of whoever has taken it */
};

struct curl_keeper {
    struct curl_kept *v[CURL_KEPT_MAX]; /* the least recently used first */
    size_t n;
};

/* One that is set up for rq, or one that is not set up for anything. */
struct curl_kept *curl_kept_take(struct curl_keeper *k, const struct curl_request *rq);
/* It is in no multi handle. is_well: it was set up for rq, which was answered. */
void curl_kept_give(struct curl_keeper *k, struct curl_kept *h, const struct curl_request *rq,
                    bool is_well);
void curl_keeper_release(struct curl_keeper *k);

#endif
