/* curl_setup.h - from a request and its http_config to a curl handle; curl's verdicts: curl_verdict.h.
 *
 * Everything that http_config can say is applied here, secrets and certificates are read here: those in files at
 * each use, so that such a handle is set up for each (reads_files).
 *
 * One attempt is one request: what may have been taken is sent again only where the answer asks for it, by a redirect or
 * for a login. curl by itself sends up to six times, when connections that were kept turn out to be dead.
 *
 * Errors   what cannot be read or is malformed: the request must not be sent (TRANSPORT_CONFIG). Messages name the
 *          destination (scheme, host, port) and files, never a path, a query, userinfo or a secret.
 * Owns     the handle owns curl's lists, and stays where it is; what it says is copied but for the body, which must stay until the
 *          answer. It may outlive the arena.
 * Source   alertmanager.md 2.8, libraries.md 3.
 */
#ifndef NET_CURL_SETUP_H
#define NET_CURL_SETUP_H

#include <curl/curl.h>
#include "net/curl_pool.h"
#include "net/transport.h"

struct curl_handle {
    CURL *
        easy; /* before curl_setup(): one to use again, as curl_easy_reset() left it; NULL = a new one */
    CURLU *url; /* of curl_aim() */
    struct curl_slist *headers, *proxy_headers, *connect_to;
    struct curl_made_with made_with;
    bool has_certificate; /* our own */
    bool was_asked;       /* for it, by the server */
    bool has_body;        /* the method brings one, if an empty one */
    bool reads_files;     /* what is in them counts at each use: it is set up anew */
    bool sends_once;      /* something may come of the request */
    bool has_asked;       /* a request went out, */
    bool has_heard;       /* and an answer to it, or its head, came */
    bool goes_away;       /* the server said so since (HTTP/2's GOAWAY) */
    char error[CURL_ERROR_SIZE];
};

struct curl_request {
    struct http_request http; /* method filled in */
    const struct http_conf *conf;
    str destination; /* of curl_aim() */
    str user_agent;
    str token;      /* of oauth2, empty = none */
    bool only_asks; /* nothing comes of it: curl may send it again when the connection is lost */
    bool is_short;  /* the answer, as a rule */
};

/* First: where to. destination is "https://host:443", what its limit and error messages go by. */
bool curl_aim(struct curl_handle *h, str url, struct arena *a, str *destination,
              struct err *e) must_check;
bool curl_setup(struct curl_handle *h, const struct curl_request *rq, struct arena *a,
                struct err *e) must_check;
/* The same head once more, after curl_setup() and a request that is answered: only the body, which curl does not copy. */
void curl_setup_again(struct curl_handle *h, str body);
/* The TLS part alone, for other protocols. The name to verify goes into h->url, which must be set. */
bool curl_setup_tls(struct curl_handle *h, const struct curl_request *rq, struct arena *a,
                    struct err *e) must_check;
/* A line of the head of an answer came: a CURLOPT_HEADERFUNCTION, until somebody sets his own, who calls it then. */
size_t curl_hear(char *line, size_t size, size_t n, void *handle);
void curl_handle_release(struct curl_handle *h);

#endif
