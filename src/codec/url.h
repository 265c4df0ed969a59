/* url.h - URLs as Go's net/url reads and writes them: what is one, and what goes over the wire.
 *
 * Configurations and templates were written against that: a blank in a path is escaped, "$" in a host is let pass, "{" is
 * not, a port is digits.
 *
 * Errors   ERR_INVALID with Go's reason, "missing ']' in host", and at most three characters of the text: it may be secret.
 * Owns     parts borrow the text or are the arena's; what is printed is the arena's.
 * Source   Go's net/url: Parse, ParseRequestURI, URL.String.
 */
#ifndef CODEC_URL_H
#define CODEC_URL_H

#include "base/arena.h"
#include "base/err.h"

struct url {
    str scheme;         /* in lower case */
    str opaque;         /* what stands behind a scheme without a slash */
    str user, password; /* unescaped */
    str host;           /* with its port, unescaped */
    str path, raw_path; /* unescaped, and as it was written */
    str query;          /* as it was written */
    str fragment;       /* as it was written */
    bool has_user, has_password, has_query, has_host;
};

bool url_parse(str text, struct arena *a, struct url *out, struct err *e) must_check;
/* As the first line of a request has it: absolute, or a path. */
bool url_is_request_uri(str text, struct arena *a);
/* Escaped where it was not; blanks of a query, too, which Go leaves. */
str url_print(const struct url *u, struct arena *a);

/* What configurations mean by a URL: http or https, with a host. */
bool url_parse_http(str text, struct arena *a, struct url *out, struct err *e) must_check;
bool url_check_http(str text, struct err *e) must_check;

#endif
