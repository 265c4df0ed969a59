/* http_fuzz.c - requests in pieces: the first byte chooses the size of the pieces, the rest is the
 * wire. */
#include "tests_fuzz.h"

#include "base/mem.h"
#include "net/http_parse.h"
#include "net/http_server.h"

static void check_head(const struct http_head *h)
{
    BUG_ON(!http_is_token(h->method));
    BUG_ON(h->path.n == 0);
    BUG_ON(h->headers.n > HTTP_FIELDS_MAX);
    for (size_t i = 0; i < h->headers.n; i++) {
        BUG_ON(!http_is_token(h->headers.v[i].name));
        BUG_ON(!http_is_field_value(h->headers.v[i].value));
    }
    BUG_ON(h->framing == HTTP_LENGTH && h->length == 0);
}

/* What a body decodes to must not depend on how it was cut. */
static uint64_t read_chunked(str in, size_t piece, size_t *length)
{
    struct http_chunked c = {0};
    uint64_t sum = 14695981039346656037ull;

    *length = 0;
    for (size_t at = 0; at < in.n;) {
        size_t used = 0;
        str data = STR_NONE;
        enum http_chunked_result r =
            http_chunked_feed(&c, str_sub(in, at, at + piece), &used, &data);

        BUG_ON(used > piece);
        at += used;
        if (r == HTTP_CHUNK_BAD || r == HTTP_CHUNK_END)
            break;
        for (size_t i = 0; r == HTTP_CHUNK_DATA && i < data.n; i++)
            sum = (sum ^ (unsigned char)data.p[i]) * 1099511628211ull;
        if (r == HTTP_CHUNK_DATA)
            *length += data.n;
    }
    return sum;
}

static void check_target(struct arena *a, const struct http_head *h)
{
    const struct http_param *v;
    size_t n = http_params(a, h->query, &v);
    str path;

    for (size_t i = 0; i < n; i++)
        BUG_ON(memchr(v[i].name.p, 0, v[i].name.n) != NULL);
    if (http_percent_decode(a, h->path, false, &path))
        BUG_ON(path.n > h->path.n);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    str wire = {(const char *)data + 1, size - 1};
    size_t piece, at = 0, used, n1, n2;
    struct http_scan scan = {0};
    struct http_head head;
    struct arena a;
    const char *why = "";
    int r = 0;

    if (size == 0)
        return 0;
    piece = 1 + data[0];
    while (at < wire.n && r == 0) {
        r = http_scan_feed(&scan, str_sub(wire, at, at + piece), &used, &why);
        at += used;
    }
    if (r != 1)
        return 0;
    BUG_ON(scan.n != at);
    arena_init(&a, 0);
    if (http_head_parse(str_sub(wire, 0, at), scan.lines, &a, &head, &why) == 0) {
        check_head(&head);
        check_target(&a, &head);
        if (head.framing == HTTP_CHUNKED) {
            wire = str_sub(wire, at, wire.n);
            BUG_ON(read_chunked(wire, piece, &n1) != read_chunked(wire, 1, &n2) || n1 != n2);
        }
    }
    arena_release(&a);
    return 0;
}
