/* The end of a head is searched byte by byte, as it comes; then the whole head is taken apart: request line, fields,
 * framing, Host. Chunked bodies are a machine of a few states fed with whatever arrived. */
#include "net/http_parse.h"

#include "net/http_server.h"

static const bool token_bytes[256] = {
    ['!'] = true,         ['#'] = true,         ['$'] = true,         ['%'] = true, ['&'] = true,
    ['\''] = true,        ['*'] = true,         ['+'] = true,         ['-'] = true, ['.'] = true,
    ['^'] = true,         ['_'] = true,         ['`'] = true,         ['|'] = true, ['~'] = true,
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
};

static int http_parse_bad(const char **why, int status, const char *reason)
{
    *why = reason;
    return status;
}

bool http_is_token(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!token_bytes[(unsigned char)s.p[i]])
            return false;
    return s.n != 0;
}

bool http_is_field_value(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* -- the end of a head -- */

static int scan_line_end(struct http_scan *s, const char **why)
{
    if (s->line != 2) { /* more than CR LF */
        if (++s->lines > HTTP_FIELDS_MAX + 1)
            return http_parse_bad(why, 431, "too many header fields");
        s->line = 0;
        s->cr = false;
        return 0;
    }
    if (s->lines != 0)
        return 1;
    /* RFC 9112 2.2: one empty line before a request is left over from a sloppy client's last body.
     */
    if (s->blank++ != 0)
        return http_parse_bad(why, 400, "empty request line");
    s->line = 0;
    s->cr = false;
    return 0;
}

int http_scan_feed(struct http_scan *s, str in, size_t *used, const char **why)
{
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];
        int done;

        *used = i + 1;
        s->line++;
        if (++s->n > HTTP_HEAD_MAX)
            return s->lines == 0 ? http_parse_bad(why, 414, "request line too long")
                                 : http_parse_bad(why, 431, "header fields too large");
        if (c == '\0')
            return http_parse_bad(why, 400, "NUL in the head");
        if (c == '\n') {
            if (!s->cr)
                return http_parse_bad(why, 400, "line without CR LF");
            if ((done = scan_line_end(s, why)) != 0)
                return done;
        } else if (s->cr) {
            return http_parse_bad(why, 400, "CR without LF");
        }
        s->cr = c == '\r';
    }
    *used = in.n;
    return 0;
}

/* -- a whole head -- */

/* A line without its CR LF; the scan has made sure that every line has one. */
static str http_parse_next_line(str *rest)
{
    str line = str_cut(rest, '\n');

    return str_sub(line, 0, line.n != 0 && line.p[line.n - 1] == '\r' ? line.n - 1 : line.n);
}

static int parse_version(str v, struct http_head *out, const char **why)
{
    if (str_is(v, "HTTP/1.1"))
        out->minor = 1;
    else if (str_is(v, "HTTP/1.0"))
        out->minor = 0;
    else if (v.n == 8 && str_starts_with(v, S("HTTP/")) && v.p[5] >= '0' && v.p[5] <= '9' &&
             v.p[6] == '.' && v.p[7] >= '0' && v.p[7] <= '9')
        return http_parse_bad(why, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    else
        return http_parse_bad(why, 400, "bad protocol version");
    return 0;
}

static bool http_parse_is_host(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c <= ' ' || c == 0x7f || strchr("/?#@\\\"<>{}|^`", c) != NULL)
            return false;
    }
    return true;
}

/* Origin form is the rule; absolute form must be taken (RFC 9112 3.2.2), its authority then
 * replaces Host. */
static int parse_target(str t, struct http_head *out, const char **why)
{
    ptrdiff_t at;

    size_t params = 0;

    for (size_t i = 0; i < t.n; i++) {
        if ((unsigned char)t.p[i] <= ' ' || t.p[i] == 0x7f || t.p[i] == '#')
            return http_parse_bad(why, 400, "bad request target");
        params += t.p[i] == '&';
    }
    if (params >= HTTP_PARAMS_MAX)
        return http_parse_bad(why, 414, "too many parameters");
    out->target = t;
    if (str_starts_with(t, S("http://")) || str_starts_with(t, S("https://"))) {
        size_t from = (size_t)str_find_str(t, S("://")) + 3;
        size_t end = from;

        while (end < t.n && t.p[end] != '/' && t.p[end] != '?')
            end++;
        out->host = str_sub(t, from, end);
        if (out->host.n == 0 || !http_parse_is_host(out->host))
            return http_parse_bad(why, 400, "bad request target");
        t = str_sub(t, end, t.n);
        if (t.n == 0)
            t = S("/");
    } else if (t.n == 0 || (t.p[0] != '/' && !(str_is(t, "*") && str_is(out->method, "OPTIONS")))) {
        return http_parse_bad(why, 400, "bad request target");
    }
    at = str_find(t, '?');
    out->path = at >= 0 ? str_sub(t, 0, (size_t)at) : t;
    out->query = at >= 0 ? str_sub(t, (size_t)at + 1, t.n) : STR_NONE;
    if (out->path.n == 0)
        out->path = S("/");
    return 0;
}

static int parse_request_line(str line, struct http_head *out, const char **why)
{
    str target;
    int status;

    out->method = str_cut(&line, ' ');
    target = str_cut(&line, ' ');
    if (!http_is_token(out->method) || line.p == NULL)
        return http_parse_bad(why, 400, "bad request line");
    status = parse_version(line, out, why);
    return status != 0 ? status : parse_target(target, out, why);
}

static int parse_fields(str rest, size_t max, struct arena *a, struct http_head *out,
                        const char **why)
{
    struct http_header *v = arena_array(a, max, sizeof(*v));
    size_t n = 0;

    for (str line; (line = http_parse_next_line(&rest)).n != 0;) {
        ptrdiff_t colon = str_find(line, ':');

        if (line.p[0] == ' ' || line.p[0] == '\t')
            return http_parse_bad(why, 400, "folded header line");
        if (colon < 0 || !http_is_token(str_sub(line, 0, (size_t)colon)))
            return http_parse_bad(why, 400, "bad header name");
        if (n == max)
            return http_parse_bad(why, 431, "too many header fields");
        v[n].name = str_sub(line, 0, (size_t)colon);
        v[n].value = str_trim(str_sub(line, (size_t)colon + 1, line.n));
        if (!http_is_field_value(v[n].value))
            return http_parse_bad(why, 400, "bad header value");
        n++;
    }
    out->headers = (struct http_headers){v, n};
    return 0;
}

/* The one field of that name; *n counts all of them. */
static str single(const struct http_headers *h, str name, size_t *n)
{
    str value = STR_NONE;

    *n = 0;
    for (size_t i = 0; i < h->n; i++)
        if (str_eq_nocase(h->v[i].name, name)) {
            value = h->v[i].value;
            (*n)++;
        }
    return value;
}

static int parse_framing(struct http_head *out, const char **why)
{
    size_t lengths, codings;
    str length = single(&out->headers, S("Content-Length"), &lengths);
    str coding = single(&out->headers, S("Transfer-Encoding"), &codings);

    if (lengths != 0 && codings != 0)
        return http_parse_bad(why, 400, "both Content-Length and Transfer-Encoding");
    if (lengths > 1 || codings > 1)
        return http_parse_bad(why, 400,
                              lengths > 1 ? "two Content-Length" : "two Transfer-Encoding");
    if (lengths != 0) {
        if (!str_to_u64(length, &out->length))
            return http_parse_bad(why, 400, "bad Content-Length");
        out->framing = out->length != 0 ? HTTP_LENGTH : HTTP_NO_BODY;
    }
    if (codings != 0) {
        if (out->minor == 0)
            return http_parse_bad(why, 400, "Transfer-Encoding in HTTP/1.0");
        if (!str_eq_nocase(coding, S("chunked")))
            return http_parse_bad(why, 501, "unknown Transfer-Encoding");
        out->framing = HTTP_CHUNKED;
    }
    return 0;
}

static int parse_host(struct http_head *out, const char **why)
{
    size_t n;
    str host = single(&out->headers, S("Host"), &n);

    if (n > 1)
        return http_parse_bad(why, 400, "two Host fields");
    if (n == 0 && out->minor != 0)
        return http_parse_bad(why, 400, "no Host field");
    if (!http_parse_is_host(host))
        return http_parse_bad(why, 400, "bad Host field");
    if (out->host.n == 0)
        out->host = host;
    return 0;
}

/* Whether a comma list names the word, over all fields of that name. */
static bool lists(const struct http_headers *h, str name, str word)
{
    for (size_t i = 0; i < h->n; i++) {
        str rest = h->v[i].value;

        if (!str_eq_nocase(h->v[i].name, name))
            continue;
        while (rest.p != NULL)
            if (str_eq_nocase(str_trim(str_cut(&rest, ',')), word))
                return true;
    }
    return false;
}

static int parse_semantics(struct http_head *out, const char **why)
{
    size_t n;
    str value;

    out->keep_alive = out->minor != 0 ? !lists(&out->headers, S("Connection"), S("close"))
                                      : lists(&out->headers, S("Connection"), S("keep-alive")) &&
                                            !lists(&out->headers, S("Connection"), S("close"));
    value = single(&out->headers, S("Expect"), &n);
    if (n != 0 && out->minor != 0) {
        if (n != 1 || !str_eq_nocase(value, S("100-continue")))
            return http_parse_bad(why, 417, "unknown expectation");
        out->expects_continue = true;
    }
    value = single(&out->headers, S("Content-Encoding"), &n);
    out->is_gzip = n == 1 && (str_eq_nocase(value, S("gzip")) || str_eq_nocase(value, S("x-gzip")));
    return 0;
}

int http_head_parse(str head, size_t fields, struct arena *a, struct http_head *out,
                    const char **why)
{
    struct http_head h = {.minor = 1};
    str line;
    int status;

    if (str_starts_with(head, S("\r\n")))
        head = str_sub(head, 2, head.n);
    line = http_parse_next_line(&head);
    if ((status = parse_request_line(line, &h, why)) != 0)
        return status;
    if ((status = parse_fields(head, fields, a, &h, why)) != 0 ||
        (status = parse_host(&h, why)) != 0)
        return status;
    if ((status = parse_framing(&h, why)) != 0 || (status = parse_semantics(&h, why)) != 0)
        return status;
    *out = h;
    return 0;
}

str http_header_get(const struct http_headers *h, str name)
{
    for (size_t i = 0; i < h->n; i++)
        if (str_eq_nocase(h->v[i].name, name))
            return h->v[i].value;
    return STR_NONE;
}

/* -- chunked bodies -- */

enum { SIZE, EXTENSION, DATA, DATA_END, TRAILER, END };

static bool line_byte(struct http_chunked *c, char b)
{
    if (c->cr)
        return b == '\n';
    c->cr = b == '\r';
    return b == '\r' || b == '\t' || ((unsigned char)b >= 0x20 && b != 0x7f);
}

static bool size_byte(struct http_chunked *c, char b)
{
    int digit = c->cr ? -1 : char_hex(b);

    if (digit >= 0) {
        if (c->left >> 56 != 0)
            return false; /* 2^60 and more: nobody means that */
        c->left = c->left << 4 | (uint64_t)digit;
        c->digits = true;
        return true;
    }
    if (!c->digits)
        return false;
    if (b == ';')
        c->state = EXTENSION;
    else if (b != '\r' && b != '\n')
        return false;
    return line_byte(c, b);
}

static void http_parse_start_line(struct http_chunked *c, int state)
{
    c->state = state;
    c->cr = c->digits = false;
    c->line = 0;
}

/* One byte outside of chunk data; false = malformed. */
static bool frame_byte(struct http_chunked *c, char b)
{
    size_t max = c->state == TRAILER ? HTTP_CHUNK_EXTRA_MAX : HTTP_CHUNK_LINE_MAX;

    if (++c->line > max)
        return false;
    if ((c->state == EXTENSION || c->state == TRAILER) && ++c->extra > HTTP_CHUNK_EXTRA_MAX)
        return false;
    if (!(c->state == SIZE ? size_byte(c, b) : line_byte(c, b)))
        return false;
    if (c->state == DATA_END && b != '\r' && b != '\n')
        return false;
    if (b != '\n')
        return true;
    switch (c->state) {
    case SIZE:
    case EXTENSION: http_parse_start_line(c, c->left != 0 ? DATA : TRAILER); break;
    case DATA_END: http_parse_start_line(c, SIZE); break;
    default: /* trailers are checked for their line ends and dropped */
        http_parse_start_line(c, c->line == 2 ? END : TRAILER);
        break;
    }
    return true;
}

enum http_chunked_result http_chunked_feed(struct http_chunked *c, str in, size_t *used, str *data)
{
    size_t i = 0;

    while (c->state != END && i < in.n) {
        if (c->state == DATA) {
            size_t take = in.n - i;

            if (take > c->left)
                take = (size_t)c->left;
            c->left -= take;
            if (c->left == 0)
                http_parse_start_line(c, DATA_END);
            *data = str_sub(in, i, i + take);
            *used = i + take;
            return HTTP_CHUNK_DATA;
        }
        if (!frame_byte(c, in.p[i])) {
            *used = i;
            return HTTP_CHUNK_BAD;
        }
        i++;
    }
    *used = i;
    return c->state == END ? HTTP_CHUNK_END : HTTP_CHUNK_MORE;
}

/* -- targets -- */

bool http_percent_decode(struct arena *a, str s, bool plus_is_space, str *out)
{
    char *p;
    size_t n = 0;

    if (str_find(s, '%') < 0 && (!plus_is_space || str_find(s, '+') < 0)) {
        *out = s;
        return true;
    }
    p = arena_alloc(a, s.n);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '%') {
            p[n++] = s.p[i] == '+' && plus_is_space ? ' ' : s.p[i];
            continue;
        }
        if (s.n - i < 3 || char_hex(s.p[i + 1]) < 0 || char_hex(s.p[i + 2]) < 0)
            return false;
        p[n] = (char)(char_hex(s.p[i + 1]) << 4 | char_hex(s.p[i + 2]));
        if (p[n++] == '\0')
            return false;
        i += 2;
    }
    *out = (str){p, n};
    return true;
}

/* As Go's url.Values: a pair that cannot be decoded, or holds a ';', is dropped. */
size_t http_params(struct arena *a, str query, const struct http_param **out)
{
    struct http_param *v;
    size_t n = 0, max = 1;

    for (size_t i = 0; i < query.n; i++)
        max += query.p[i] == '&';
    v = arena_array(a, max, sizeof(*v));
    while (query.n != 0) {
        str value = str_cut(&query, '&');
        bool fits = value.n != 0 && str_find(value, ';') < 0;
        str name = str_cut(&value, '=');

        if (fits && http_percent_decode(a, name, true, &v[n].name) &&
            http_percent_decode(a, value, true, &v[n].value))
            n++;
    }
    *out = v;
    return n;
}
