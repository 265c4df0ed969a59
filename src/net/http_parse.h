/* http_parse.h - the syntax of HTTP/1.1 requests, without sockets: bytes in, verdicts out.
 *
 * Strict on what decides where a message ends (line ends, framing headers, chunk sizes), because
 * two parsers that disagree about that are how requests are smuggled; tolerant of what clients
 * really send in a target ('"', '{', UTF-8).
 *
 *     http_scan_feed() finds the end of a head, however it is split; http_head_parse() takes the
 * whole head apart; http_chunked_feed() takes a chunked body apart, however it is split.
 *
 * Shapes   a head is at most 1 MiB (and what Go adds to it), 10,000 fields and 10,000 parameters; chunk lines 256 bytes, all
 *          extensions and trailers of a body 16 KiB.
 * Errors   an HTTP status (400, 413, 414, 417, 431, 501, 505) and a static reason in why.
 * Owns     slices point into the head that was given, the header array lives in the arena.
 * Cost     linear; a head is looked at twice.
 * Source   RFC 9112; libraries.md 2 has the table of requests that must be refused.
 */
#ifndef NET_HTTP_PARSE_H
#define NET_HTTP_PARSE_H

#include "base/arena.h"
#include "tocsin/http.h"

enum {
    HTTP_HEAD_MAX = (1 << 20) + 4096, /* what Go's server takes */
    HTTP_FIELDS_MAX = 10000,
    HTTP_PARAMS_MAX = 10000, /* of a query: Go's url.ParseQuery */
    HTTP_CHUNK_LINE_MAX = 256,
    HTTP_CHUNK_EXTRA_MAX = 16 << 10,
};

/* Zeroed before the first byte of a message. */
struct http_scan {
    size_t n; /* bytes seen, 0 = the message has not begun */
    size_t line, lines, blank;
    bool cr;
}; /* lines: when it is complete, the request line and the fields */

/* Looks at in; *used bytes of it belong to the head. 0: all used, more is needed. 1: the head is
 * complete and n bytes long. Otherwise a status. */
int http_scan_feed(struct http_scan *s, str in, size_t *used, const char **why);

enum http_framing { HTTP_NO_BODY, HTTP_LENGTH, HTTP_CHUNKED };

struct http_head {
    str method;
    str target;      /* as sent */
    str path, query; /* raw; query without '?' */
    str host;
    int minor; /* HTTP/1.minor: 0 or 1 */
    struct http_headers headers;
    enum http_framing framing;
    uint64_t length; /* when HTTP_LENGTH, > 0 */
    bool keep_alive, expects_continue;
    bool is_gzip; /* Content-Encoding: gzip; another one is not looked at, as there */
};

/* fields: how many there are at most (http_scan.lines). */
int http_head_parse(str head, size_t fields, struct arena *a, struct http_head *out,
                    const char **why);

/* Zeroed before the first byte of a body. */
struct http_chunked {
    int state;
    bool cr, digits;
    uint64_t left;
    size_t line, extra;
};

enum http_chunked_result { HTTP_CHUNK_MORE, HTTP_CHUNK_DATA, HTTP_CHUNK_END, HTTP_CHUNK_BAD };

/* Takes *used bytes of in. DATA: *data is a piece of the body, call again with the rest. MORE: all
 * of in is used. */
enum http_chunked_result http_chunked_feed(struct http_chunked *c, str in, size_t *used, str *data);

/* Decodes %XX; false on a bad escape or %00. The result is s itself when there is nothing to
 * decode. */
bool http_percent_decode(struct arena *a, str s, bool plus_is_space, str *out);
bool http_is_token(str s);
bool http_is_field_value(str s); /* no control bytes but tab */

#endif
