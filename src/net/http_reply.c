/* Heads, bodies and streams on their way out. A whole body that is worth it is compressed as a stream, so that no
 * answer takes the loop for long; chunks go out while the connection has room. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdio.h>
#include "base/mem.h"
#include "net/deflate.h"
#include "net/http_conn.h"

static const struct {
    int status;
    const char *text;
} status_texts[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Request Entity Too Large"},
    {414, "Request URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Entity"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

const char *http_status_text(int status)
{
    for (size_t i = 0; i < ARRAY_LEN(status_texts); i++)
        if (status_texts[i].status == status)
            return status_texts[i].text;
    return "Unknown";
}

const char *http_server_date(struct http_server *s)
{
    static const char days[] = "SunMonTueWedThuFriSat",
                      months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    ts_ns now_s = clock_touch(s->clock).wall / NS_PER_S;
    time_t t = (time_t)now_s;
    struct tm tm;

    if (now_s == s->date_s)
        return s->date;
    gmtime_r(&t, &tm);
    snprintf(s->date, sizeof(s->date), "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
             days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900,
             tm.tm_hour, tm.tm_min, tm.tm_sec);
    s->date_s = now_s;
    return s->date;
}

static struct http_conn *conn_of(struct http_req *rq)
{
    return container_of(rq, struct http_conn, rq);
}

void http_reply_header(struct http_req *rq, str name, str value)
{
    struct http_headers *h = &rq->reply_headers;

    BUG_ON(!http_is_token(name));
    if ((h->n & (h->n - 1)) == 0) /* full at 0, 1, 2, 4, 8 ... */
        h->v = arena_copy(&rq->arena, h->v, h->n, h->n != 0 ? h->n * 2 : 1, sizeof(h->v[0]));
    h->v[h->n++] = (struct http_header){arena_str(&rq->arena, name), arena_str(&rq->arena, value)};
}

static void http_reply_write_out(struct http_conn *c, str s)
{
    BUG_ON(bufferevent_write(c->bev, s.p, s.n) != 0);
    c->written += s.n;
}

/* A value from a user's data must not end its line. */
static void http_reply_add_field(struct buf *b, str name, str value)
{
    buf_add(b, name);
    buf_adds(b, ": ");
    for (size_t i = 0; i < value.n; i++) {
        unsigned char ch = (unsigned char)value.p[i];

        buf_addc(b, (ch < 0x20 && ch != '\t') || ch == 0x7f ? ' ' : value.p[i]);
    }
    buf_adds(b, "\r\n");
}

/* length: SIZE_MAX when it is not known yet. */
static void http_reply_write_head(struct http_conn *c, int status, str content_type, size_t length)
{
    struct buf *b = &c->server->scratch;
    bool no_content = status == 204 || status == 304 || (status >= 100 && status < 200);

    buf_clear(b);
    buf_addf(b, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, http_status_text(status),
             http_server_date(c->server));
    if (content_type.n != 0)
        http_reply_add_field(b, S("Content-Type"), content_type);
    if (c->is_chunked)
        buf_adds(b, "Transfer-Encoding: chunked\r\n");
    else if (length != SIZE_MAX && !no_content)
        buf_addf(b, "Content-Length: %zu\r\n", length);
    for (size_t i = 0; i < c->rq.reply_headers.n; i++)
        http_reply_add_field(b, c->rq.reply_headers.v[i].name, c->rq.reply_headers.v[i].value);
    if (c->close_after)
        buf_adds(b, "Connection: close\r\n");
    else if (c->head.minor == 0)
        buf_adds(b, "Connection: keep-alive\r\n");
    buf_adds(b, "\r\n");
    http_reply_write_out(c, buf_str(b));
    c->status = status;
    c->is_bodiless = c->rq.is_head || no_content;
}

static void http_reply_begin(struct http_conn *c)
{
    BUG_ON(c->state != CONN_PENDING);
    if (c->server->draining || c->is_unread)
        c->close_after = true; /* a body that nobody has said yes to is not read */
}

/* -- compression -- */

enum { PACK_MIN = 1400 }; /* fits a packet anyway */

/* "gzip" among the codings, not with q=0. */
bool http_takes_gzip(const struct http_req *rq)
{
    str rest = http_header_get(&rq->headers, S("Accept-Encoding"));

    while (rest.n != 0) {
        str parameter = str_cut(&rest, ','), coding = str_trim(str_cut(&parameter, ';'));

        parameter = str_trim(parameter);
        if (str_eq_nocase(coding, S("gzip")))
            return !str_is(parameter, "q=0") && !str_starts_with(parameter, S("q=0.0"));
    }
    return false;
}

static void pack_if_wanted(struct http_conn *c, int status)
{
    if (status != 200 || c->rq.is_head)
        return;
    http_reply_header(&c->rq, S("Vary"), S("Accept-Encoding"));
    if (!http_takes_gzip(&c->rq))
        return;
    http_reply_header(&c->rq, S("Content-Encoding"), S("gzip"));
    c->deflater = deflater_new();
}

/* A whole body, compressed and sent as a stream: a large one is the work of several turns. */
struct whole {
    struct buf body;
    size_t at;
};

static bool whole_next(void *ctx, struct buf *out)
{
    struct whole *w = ctx;
    str piece = str_sub(buf_str(&w->body), w->at, w->body.n);

    piece.n = piece.n < 16384 ? piece.n : 16384;
    buf_add(out, piece);
    w->at += piece.n;
    return w->at < w->body.n;
}

static void whole_done(void *ctx)
{
    struct whole *w = ctx;

    buf_release(&w->body);
    mem_free(w);
}

void http_reply(struct http_req *rq, int status, str content_type, str body)
{
    struct http_conn *c = conn_of(rq);

    if (body.n >= PACK_MIN && status == 200 && !rq->is_head && !rq->is_packed &&
        http_takes_gzip(rq)) {
        struct whole *w = mem_new(struct whole);

        buf_add(&w->body, body);
        http_reply_stream(rq, status, content_type, whole_next, whole_done, w);
        return;
    }
    http_reply_begin(c);
    http_reply_write_head(c, status, content_type, body.n);
    if (!c->is_bodiless && body.n != 0) {
        http_reply_write_out(c, body);
        c->sent = body.n;
    }
    http_conn_answered(c);
}

void http_reply_stream(struct http_req *rq, int status, str content_type, http_next *next,
                       void (*done)(void *ctx), void *ctx)
{
    struct http_conn *c = conn_of(rq);

    http_reply_begin(c);
    c->is_chunked = c->head.minor != 0;
    if (!c->is_chunked)
        c->close_after = true;
    if (!rq->is_endless)
        pack_if_wanted(c, status);
    http_reply_write_head(c, status, content_type, SIZE_MAX);
    if (rq->is_endless) {
        http_conn_count_out(c);
        http_conn_observe(c);
    }
    c->more = next;
    c->done = done;
    c->ctx = ctx;
    c->state = CONN_STREAM;
    /* next() is not called from here: the caller may be in the middle of a turn. */
    if (!c->advancing)
        bufferevent_trigger(c->bev, EV_WRITE,
                            BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

void http_reply_resume(struct http_req *rq)
{
    rq->waits = false;
    bufferevent_trigger(conn_of(rq)->bev, EV_WRITE,
                        BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

/* What the stream appended, as it goes over the wire. */
static const struct buf *packed(struct http_conn *c, const struct buf *b, bool last)
{
    struct buf *out = &c->server->packed;

    if (c->deflater == NULL)
        return b;
    buf_clear(out);
    deflater_feed(c->deflater, buf_str(b), last, out);
    return out;
}

static void write_piece(struct http_conn *c, str piece)
{
    char size[24];

    if (piece.n == 0)
        return;
    if (c->is_chunked)
        http_reply_write_out(c,
                             (str){size, (size_t)snprintf(size, sizeof(size), "%zx\r\n", piece.n)});
    http_reply_write_out(c, piece);
    if (c->is_chunked)
        http_reply_write_out(c, S("\r\n"));
}

bool http_conn_pump(struct http_conn *c)
{
    struct buf *b = &c->server->scratch;
    size_t made = 0, most = c->rq.is_endless ? CONN_ENDLESS_MAX : CONN_UNSENT_MAX;

    if (timer_is_armed(&c->resume) || c->rq.waits)
        return false; /* the socket takes more, but this turn's share is used up; there is none yet */
    while (c->is_bodiless || http_conn_unsent(c) < most) {
        void (*done)(void *ctx) = c->done;
        enum piece was;
        bool more;

        buf_clear(b);
        was = meter_enter(c->server->clock->meter, PIECE_ANSWER);
        more = !c->is_bodiless && c->more(c->ctx, b);
        meter_leave(c->server->clock->meter, was);
        c->sent += b->n;
        made += b->n;
        if (!c->is_bodiless)
            write_piece(c, buf_str(packed(c, b, !more)));
        if (more && b->n != 0 && (c->deflater == NULL || made < CONN_PACK_MAX))
            continue;
        if (more && c->rq.waits)
            return false;
        if (more) {
            /* Behind now: not before the sockets have been looked at again. */
            timer_arm(c->server->clock, &c->resume, c->server->clock->now.mono + 1);
            return false;
        }
        if (c->is_chunked && !c->is_bodiless)
            http_reply_write_out(c, S("0\r\n\r\n"));
        c->more = NULL;
        c->done = NULL;
        if (done != NULL)
            done(c->ctx);
        return true;
    }
    return false;
}

/* A request that could not be parsed has no handler to answer it. */
void http_conn_refuse(struct http_conn *c, int status, const char *why)
{
    char text[256];
    int n = snprintf(text, sizeof(text), "%d %s: %s\n", status, http_status_text(status), why);

    c->close_after = true;
    c->is_chunked = false;
    c->rq.is_head = false;
    c->rq.reply_headers = (struct http_headers){NULL, 0};
    if (status == 503)
        http_reply_header(&c->rq, S("Retry-After"), S("5"));
    http_reply_write_head(c, status, S("text/plain; charset=utf-8"), (size_t)n);
    http_reply_write_out(c, (str){text, (size_t)n});
    c->state = CONN_CLOSE;
}
