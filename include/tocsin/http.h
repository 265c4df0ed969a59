/* http.h - an HTTP request and its answer as data, as receivers see them.
 *
 * Owns     everything is borrowed from the arena of the step that made it, or from the transport during a callback.
 */
#ifndef TOCSIN_HTTP_H
#define TOCSIN_HTTP_H

#include "tocsin/str.h"

struct http_header {
    str name, value;
};

struct http_headers {
    struct http_header *v;
    size_t n;
};

struct http_request {
    str method; /* empty = POST with a body, else GET */
    str url;    /* a secret: never logged whole */
    struct http_headers headers;
    str body;
    str ca_file; /* certificates to trust in place of the client's own; empty = those */
};

struct http_answer {
    int status;
    struct http_headers headers;
    str body;
};

str http_header_get(const struct http_headers *h,
                    str name); /* first of that name, any case; empty when absent */

#endif
