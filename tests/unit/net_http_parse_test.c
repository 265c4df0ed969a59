#include "unit.h"

#include "base/buf.h"
#include "net/http_parse.h"
#include "net/http_server.h"

/* Feeds text in pieces; the status, or 0 when the head is complete and well-formed, or -1 when it
 * never ends. */
static int parse(struct arena *a, str text, size_t piece, struct http_head *out)
{
    struct http_scan scan = {0};
    const char *why = NULL;
    size_t at = 0, used;
    int r = 0;

    while (at < text.n && r == 0) {
        r = http_scan_feed(&scan, str_sub(text, at, at + piece), &used, &why);
        at += used;
    }
    if (r == 0)
        return -1;
    if (r == 1)
        r = http_head_parse(str_sub(text, 0, scan.n), scan.lines, a, out, &why);
    assert_true(r == 0 || why != NULL);
    return r;
}

static const struct {
    const char *text;
    size_t n;
    int status;
} heads[] = {
#define ROW(status, text)                                                                          \
    {                                                                                              \
        text, sizeof(text) - 1, status                                                             \
    }
    ROW(0, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(0, "\r\nGET / HTTP/1.1\r\nHost:\r\n\r\n"),
    ROW(0, "GET http://b:1?x HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(0, "GET / HTTP/1.0\r\n\r\n"),
    ROW(0, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(0, "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: Chunked\r\n\r\n"),
    ROW(0, "GET /?filter={a=\"b|\303\244\"} HTTP/1.1\r\nHost: [::1]:9093\r\nX:\t\r\n\r\n"),
    ROW(400, "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: a\r\n: empty\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\nHost: a\n\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: a\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: a\rX: 1\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    ROW(400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"),
    ROW(400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"),
    ROW(400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n"),
    ROW(400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n"),
    ROW(400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n"),
    ROW(400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"),
    ROW(400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n"),
    ROW(400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\033b\r\n\r\n"),
    ROW(400,
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ROW(501, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
    ROW(501, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n"),
    ROW(400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
             "Transfer-Encoding: chunked\r\n\r\n"),
    ROW(400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"),
    ROW(400, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(400, "GET /\r\nHost: a\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
    ROW(400, "GET / http/1.1\r\nHost: a\r\n\r\n"),
    ROW(400, "G\"T / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(400, "GET x HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(400, "GET /#f HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(400, "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(400, "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(400, "GET http://u:p@a/x HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(400, "\026\003\001\002\000\001"),
    ROW(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ROW(505, "GET / HTTP/0.9\r\nHost: a\r\n\r\n"),
    ROW(417, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n"),
    ROW(0, "POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: br\r\n\r\n"),
    ROW(-1, "GET / HTTP/1.1\r\nHost: a\r\n"),
#undef ROW
};

static void heads_are_judged_however_they_are_split(void **state)
{
    struct http_head h;
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        str text = {heads[i].text, heads[i].n};

        for (size_t piece = 1; piece < 100; piece += 33) {
            int got = parse(&a, text, piece, &h);

            if (got != heads[i].status)
                fail_msg("%s: got %d, want %d", heads[i].text, got, heads[i].status);
        }
    }
    arena_release(&a);
}

static void a_head_is_taken_apart(void **state)
{
    struct http_head h;
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    assert_int_equal(parse(&a,
                           S("POST /a%20b?q=1&r HTTP/1.1\r\nHost: h:1\r\nContent-Length: 12\r\n"
                             "Expect: 100-Continue\r\nContent-Encoding: gzip\r\n"
                             "Connection: x, Close\r\nX-A:  v 1 \r\n\r\nbody"),
                           7, &h),
                     0);
    assert_str(h.method, "POST");
    assert_str(h.path, "/a%20b");
    assert_str(h.query, "q=1&r");
    assert_str(h.host, "h:1");
    assert_str(http_header_get(&h.headers, S("x-a")), "v 1");
    assert_int_equal(h.framing, HTTP_LENGTH);
    assert_int_equal(h.length, 12);
    assert_true(h.expects_continue && h.is_gzip && !h.keep_alive);
    assert_int_equal(parse(&a, S("GET http://b:1?x HTTP/1.1\r\nHost: a\r\n\r\n"), 9, &h), 0);
    assert_str(h.host, "b:1");
    assert_str(h.path, "/");
    assert_str(h.query, "x");
    assert_true(h.keep_alive);
    assert_int_equal(parse(&a, S("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), 9, &h), 0);
    assert_true(h.keep_alive);
    arena_release(&a);
}

static void limits(void **state)
{
    struct http_head h;
    struct arena a;
    struct buf b = BUF_INIT;

    (void)state;
    arena_init(&a, 0);
    buf_adds(&b, "GET /");
    buf_pad(&b, 'a', 1 << 20);
    buf_adds(&b, " HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(parse(&a, buf_str(&b), 1000, &h), 0);
    assert_int_equal(h.path.n, (1 << 20) + 1);
    buf_clear(&b);
    buf_adds(&b, "GET /");
    buf_pad(&b, 'a', HTTP_HEAD_MAX);
    assert_int_equal(parse(&a, buf_str(&b), 1000, &h), 414);
    buf_clear(&b);
    buf_adds(&b, "GET /?");
    buf_pad(&b, '&', HTTP_PARAMS_MAX - 1);
    buf_adds(&b, " HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(parse(&a, buf_str(&b), 1000, &h), 0);
    buf_clear(&b);
    buf_adds(&b, "GET /?");
    buf_pad(&b, '&', HTTP_PARAMS_MAX);
    buf_adds(&b, " HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(parse(&a, buf_str(&b), 1000, &h), 414);
    buf_clear(&b);
    buf_adds(&b, "GET / HTTP/1.1\r\nX: ");
    buf_pad(&b, 'a', HTTP_HEAD_MAX);
    assert_int_equal(parse(&a, buf_str(&b), 1000, &h), 431);
    buf_clear(&b);
    buf_adds(&b, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 1; i < HTTP_FIELDS_MAX; i++)
        buf_adds(&b, "X: a\r\n");
    buf_adds(&b, "\r\n");
    assert_int_equal(parse(&a, buf_str(&b), 1000, &h), 0);
    b.n -= 2;
    buf_adds(&b, "X: a\r\n\r\n");
    assert_int_equal(parse(&a, buf_str(&b), 1000, &h), 431);
    buf_release(&b);
    arena_release(&a);
}

/* Decodes in pieces; "!" when malformed, "..." when more is needed. */
static void decode(struct buf *out, str in, size_t piece)
{
    struct http_chunked c = {0};

    buf_clear(out);
    for (size_t at = 0; at < in.n;) {
        size_t used;
        str data;

        switch (http_chunked_feed(&c, str_sub(in, at, at + piece), &used, &data)) {
        case HTTP_CHUNK_BAD: buf_adds(out, "!"); return;
        case HTTP_CHUNK_END: buf_addf(out, "|%.*s", STR(str_sub(in, at + used, in.n))); return;
        case HTTP_CHUNK_DATA: buf_add(out, data); break;
        case HTTP_CHUNK_MORE: break;
        }
        at += used;
    }
    buf_adds(out, "...");
}

static void chunked_bodies(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"5\r\nhello\r\n0\r\n\r\nGET", "hello|GET"},
        {"005;a=\"b\"\r\nhello\r\nA \r\n", "hello!"},
        {"1\r\na\r\n00A\r\n0123456789\r\n0;x\r\nT: 1\r\nU: 2\r\n\r\n", "a0123456789|"},
        {"5\r\nhel", "hel..."},
        {"5\nhello\r\n0\r\n\r\n", "!"},
        {"5\r\nhelloX0\r\n\r\n", "hello!"},
        {"5\r\nhello\n0\r\n\r\n", "hello!"},
        {"\r\n", "!"},
        {";a\r\n", "!"},
        {"-1\r\n", "!"},
        {"+5\r\nhello", "!"},
        {"0x5\r\n", "!"},
        {" 5\r\n", "!"},
        {"ffffffffffffffffff\r\n", "!"},
        {"8000000000000000\r\n", "!"},
        {"0\r\n\n", "!"},
        {"0\r\nT: \001\r\n\r\n", "!"},
        {"5\r\r\n", "!"},
    };
    struct buf out = BUF_INIT, b = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t piece = 1; piece < 40; piece += 3) {
            decode(&out, str_of(rows[i].in), piece);
            assert_str(buf_str(&out), rows[i].out);
        }
    buf_adds(&b, "5;");
    buf_pad(&b, 'x', HTTP_CHUNK_LINE_MAX);
    decode(&out, buf_str(&b), 100);
    assert_str(buf_str(&out), "!");
    buf_clear(&b);
    for (int i = 0; i < 200; i++) {
        buf_adds(&b, "0001;");
        buf_pad(&b, 'x', 200);
        buf_adds(&b, "\r\na\r\n");
    }
    decode(&out, buf_str(&b), 1000);
    assert_true(str_ends_with(buf_str(&out), S("a!")));
    buf_release(&b);
    buf_release(&out);
}

static void targets_and_parameters(void **state)
{
    const struct http_param *v;
    struct arena a;
    str out;

    (void)state;
    arena_init(&a, 0);
    assert_true(http_percent_decode(&a, S("/a%2Fb%c3%A4+"), false, &out));
    assert_str(out, "/a/b\303\244+");
    assert_false(http_percent_decode(&a, S("/%"), false, &out));
    assert_false(http_percent_decode(&a, S("/%4"), false, &out));
    assert_false(http_percent_decode(&a, S("/%4g"), false, &out));
    assert_false(http_percent_decode(&a, S("/%00"), false, &out));
    assert_int_equal(http_params(&a, S("a=1&&b&c=x+y%3D=&d=%zz&e=1;f=2&=g&a=2"), &v), 5);
    assert_str(v[0].name, "a");
    assert_str(v[1].name, "b");
    assert_str(v[1].value, "");
    assert_str(v[2].value, "x y==");
    assert_str(v[3].value, "g");
    assert_str(v[4].value, "2");
    assert_int_equal(http_params(&a, STR_NONE, &v), 0);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_judged_however_they_are_split),
        cmocka_unit_test(a_head_is_taken_apart),
        cmocka_unit_test(limits),
        cmocka_unit_test(chunked_bodies),
        cmocka_unit_test(targets_and_parameters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
