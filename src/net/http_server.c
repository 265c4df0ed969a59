/* Listeners, connections that may or may not come in, and the way from a path to its route. A server that is full lets
 * the connection go that has been idle for the longest. */
#include "net/http_server.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "os/log.h"
#include "base/mem.h"
#include "codec/escape.h"
#include "net/http_conn.h"
#include "net/listen.h"

enum { CONNECTIONS_DEFAULT = 1024 };

#define RETRY_ACCEPT (100 * NS_PER_MS)

struct http_listener {
    struct http_listener *next;
    struct evconnlistener *lev;
    struct http_server *server;
    char *unlink; /* path of a Unix socket that we made, or NULL */
};

/* -- life -- */

static void on_retry(struct timer *t, struct now now)
{
    (void)now;
    http_server_accept_or_not(container_of(t, struct http_server, retry));
}

struct http_server *http_server_new(struct event_base *base, struct clock *clock,
                                    const struct http_server_conf *conf)
{
    struct http_server *s = mem_new(struct http_server);
    struct http_server_conf *c = &s->conf;

    s->base = base;
    s->clock = clock;
    s->retry.fire = on_retry;
    s->date_s = -1;
    *c = *conf;
    c->prefix = mem_str_dup(conf->prefix);
    if (c->max_connections == 0)
        c->max_connections = CONNECTIONS_DEFAULT;
    c->header_timeout = c->header_timeout != 0 ? c->header_timeout : 10 * NS_PER_S;
    c->idle_timeout = c->idle_timeout != 0 ? c->idle_timeout : 60 * NS_PER_S;
    c->body_timeout = c->body_timeout != 0 ? c->body_timeout : 60 * NS_PER_S;
    c->send_timeout = c->send_timeout != 0 ? c->send_timeout : 60 * NS_PER_S;
    return s;
}

static void free_listeners(struct http_server *s)
{
    struct http_listener *next;

    for (struct http_listener *l = s->listeners; l != NULL; l = next) {
        next = l->next;
        evconnlistener_free(l->lev);
        if (l->unlink != NULL)
            unlink(l->unlink);
        mem_free(l->unlink);
        mem_free(l);
    }
    s->listeners = NULL;
    s->accepting = false;
}

void http_server_close(struct http_server *s)
{
    s->draining = true;
    free_listeners(s);
    timer_cancel(s->clock, &s->retry);
    while (s->conns != NULL)
        http_conn_kill(s->conns);
}

void http_server_free(struct http_server *s)
{
    if (s == NULL)
        return;
    http_server_close(s);
    buf_release(&s->scratch);
    buf_release(&s->packed);
    SSL_CTX_free(s->tls);
    mem_str_free(s->conf.prefix);
    mem_free(s);
}

void http_server_drain(struct http_server *s)
{
    struct http_conn *next;

    s->draining = true;
    free_listeners(s);
    timer_cancel(s->clock, &s->retry);
    for (struct http_conn *c = s->conns; c != NULL; c = next) {
        next = c->next; /* advancing one connection never ends another */
        http_conn_advance(c);
    }
}

size_t http_server_open(const struct http_server *s)
{
    return s->n_conns;
}

void http_server_set_tls(struct http_server *s, struct ssl_ctx_st *ctx)
{
    if (ctx != NULL)
        SSL_CTX_up_ref(ctx);
    SSL_CTX_free(s->tls);
    s->tls = ctx;
}

unsigned http_server_gets(const struct http_server *s)
{
    return s->gets;
}

uint64_t http_server_refused_gets(const struct http_server *s)
{
    return s->refused_gets;
}

bool http_server_count(struct http_server *s, struct http_conn *c)
{
    char text[96];
    int n;

    if (c->rq.method != HTTP_GET || c->rq.is_head)
        return true;
    if (s->conf.max_gets == 0 || s->gets < s->conf.max_gets) {
        c->is_counted = true;
        s->gets++;
        return true;
    }
    s->refused_gets++;
    n = snprintf(text, sizeof(text),
                 "Limit of concurrent GET requests reached (%u), try again later.\n\n",
                 s->conf.max_gets);
    c->state = CONN_PENDING;
    http_reply(&c->rq, 503, S("text/plain; charset=utf-8"), (str){text, (size_t)n});
    return false;
}

/* -- accepting -- */

/* The connection that has been idle for longest, of all or of an address; NULL: none is. */
static struct http_conn *longest_idle(const struct http_server *s, const struct in6_addr *address)
{
    struct http_conn *found = NULL;
    ts_ns since = TS_MAX;

    for (struct http_conn *c = s->conns; c != NULL; c = c->next) {
        ts_ns t = http_conn_idle_since(c);

        if (t >= since || (address != NULL && memcmp(&c->address, address, sizeof(*address)) != 0))
            continue;
        found = c;
        since = t;
    }
    return found;
}

/* At the limit a newcomer needs the place of an idle one; when there is none the backlog holds him, and nothing is accepted
 * to be thrown out. */
void http_server_accept_or_not(struct http_server *s)
{
    bool want = !s->draining && !timer_is_armed(&s->retry) &&
                (s->n_conns < s->conf.max_connections || longest_idle(s, NULL) != NULL);

    if (want == s->accepting)
        return;
    s->accepting = want;
    for (struct http_listener *l = s->listeners; l != NULL; l = l->next)
        if (want)
            evconnlistener_enable(l->lev);
        else
            evconnlistener_disable(l->lev);
}

/* Zeroes: loopback, or a Unix socket. */
static struct in6_addr http_server_address_of(const struct sockaddr *sa)
{
    struct in6_addr a = IN6ADDR_ANY_INIT;
    const struct sockaddr_in *v4 = (const void *)sa;
    const struct sockaddr_in6 *v6 = (const void *)sa;

    if (sa->sa_family == AF_INET && ntohl(v4->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET) {
        a.s6_addr[10] = a.s6_addr[11] = 0xff;
        memcpy(&a.s6_addr[12], &v4->sin_addr, sizeof(v4->sin_addr));
    } else if (sa->sa_family == AF_INET6 && !IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) &&
               !(IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) &&
                 v6->sin6_addr.s6_addr[12] == IN_LOOPBACKNET)) {
        a = v6->sin6_addr;
    }
    return a;
}

static size_t http_server_count_of(const struct http_server *s, const struct in6_addr *address)
{
    size_t n = 0;

    for (const struct http_conn *c = s->conns; c != NULL; c = c->next)
        n += memcmp(&c->address, address, sizeof(*address)) == 0;
    return n;
}

/* Makes room for one more; false: his address has all that one may have, and all of it is at work. */
static bool may_come(struct http_server *s, const struct in6_addr *address)
{
    static const struct in6_addr here = IN6ADDR_ANY_INIT;
    bool is_here = memcmp(address, &here, sizeof(here)) == 0;
    struct http_conn *gives_way;

    if (!is_here && http_server_count_of(s, address) >= (s->conf.max_connections + 3) / 4) {
        gives_way = longest_idle(s, address);
        if (gives_way == NULL)
            return false;
        http_conn_kill(gives_way);
    }
    if (s->n_conns < s->conf.max_connections)
        return true;
    gives_way = longest_idle(s, NULL);
    if (gives_way != NULL)
        http_conn_kill(gives_way);
    return true; /* one too many for a moment, where all are at work */
}

static void on_accept(struct evconnlistener *lev, evutil_socket_t fd, struct sockaddr *sa, int n,
                      void *arg)
{
    struct http_listener *l = arg;
    struct http_server *s = l->server;
    struct in6_addr address = http_server_address_of(sa);

    (void)lev, (void)n;
    clock_touch(s->clock);
    if (may_come(s, &address))
        http_conn_new(s, (int)fd, address);
    else
        close((int)fd);
    http_server_accept_or_not(s);
}

static void on_accept_error(struct evconnlistener *lev, void *arg)
{
    struct http_listener *l = arg;
    struct http_server *s = l->server;
    struct http_conn *idle;
    struct err e = ERR_INIT;

    (void)lev;
    if ((errno == EMFILE || errno == ENFILE) && (idle = longest_idle(s, NULL)) != NULL) {
        http_conn_kill(idle);
        return; /* the listener calls again: whoever waits is still there */
    }
    err_errno(&e, errno, "cannot accept a connection");
    log_warn("HTTP server pauses", LOG_ERR(&e));
    timer_arm(s->clock, &s->retry, clock_touch(s->clock).mono + RETRY_ACCEPT);
    http_server_accept_or_not(s);
}

bool http_server_listen_fd(struct http_server *s, int fd, struct err *e)
{
    struct http_listener *l = mem_new(struct http_listener);

    evutil_make_socket_nonblocking(fd);
    l->lev =
        evconnlistener_new(s->base, on_accept, l,
                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, fd);
    if (l->lev == NULL) {
        mem_free(l);
        return err_set(e, ERR_IO, "cannot watch listening socket %d", fd);
    }
    evconnlistener_set_error_cb(l->lev, on_accept_error);
    l->server = s;
    l->next = s->listeners;
    s->listeners = l;
    if (s->accepting)
        evconnlistener_enable(l->lev);
    http_server_accept_or_not(s);
    return true;
}

bool http_server_listen(struct http_server *s, str address, struct buf *bound, struct err *e)
{
    int fd;

    if (!listen_open(address, &fd, e))
        return false;
    if (!http_server_listen_fd(s, fd, e)) {
        close(fd);
        return false;
    }
    if (str_starts_with(address, S("unix:")))
        s->listeners->unlink = mem_zdup(str_sub(address, 5, address.n));
    if (bound != NULL)
        listen_name(fd, bound);
    return true;
}

/* -- routing -- */

/* "/a/{id}" takes one non-empty segment, "/a/" followed by a star whatever is left. */
static bool http_server_matches(const char *pattern, str path, str *wildcard)
{
    size_t i = 0;

    *wildcard = STR_NONE;
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '*') {
            *wildcard = str_sub(path, i, path.n);
            return true;
        }
        if (*pattern == '{') {
            size_t from = i;

            while (i < path.n && path.p[i] != '/')
                i++;
            if (i == from)
                return false;
            *wildcard = str_sub(path, from, i);
            while (*pattern != '}')
                pattern++;
        } else if (i == path.n || path.p[i++] != *pattern) {
            return false;
        }
    }
    return i == path.n;
}

static const struct http_route *net_http_server_find(const struct http_route *routes,
                                                     enum http_method method, str path,
                                                     str *wildcard, unsigned *allow)
{
    *allow = 0;
    for (const struct http_route *r = routes; r != NULL && r->path != NULL; r++) {
        if (!http_server_matches(r->path, path, wildcard))
            continue;
        if ((r->methods & method) != 0)
            return r;
        *allow |= r->methods;
    }
    *wildcard = STR_NONE;
    return NULL;
}

static void add_allow(struct http_req *rq, unsigned allow)
{
    static const struct {
        enum http_method method;
        const char *name;
    } names[] = {
        {HTTP_DELETE, "DELETE"}, {HTTP_GET, "GET, HEAD"}, {HTTP_OPTIONS, "OPTIONS"},
        {HTTP_POST, "POST"},     {HTTP_PUT, "PUT"},
    };
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if ((allow & names[i].method) != 0)
            buf_addf(&b, "%s%s", b.n != 0 ? ", " : "", names[i].name);
    http_reply_header(rq, S("Allow"), buf_str(&b));
    buf_release(&b);
}

static void http_server_unrouted(struct http_server *s, struct http_conn *c, int status,
                                 unsigned allow)
{
    struct http_req *rq = &c->rq;

    c->state = CONN_PENDING;
    if (status == 405)
        add_allow(rq, allow);
    if (s->conf.unrouted != NULL && s->conf.unrouted(rq, status, allow, s->conf.arg))
        return;
    if (status == 404)
        http_reply(rq, 404, S("text/plain; charset=utf-8"), S("404 page not found\n"));
    else
        http_reply(rq, 405, S("text/plain; charset=utf-8"), S("Method Not Allowed\n"));
}

/* The path below the prefix; p == NULL when it is outside. */
static str below(str prefix, str path)
{
    if (prefix.n == 0)
        return path;
    if (!str_starts_with(path, prefix) || path.n == prefix.n || path.p[prefix.n] != '/')
        return STR_NONE;
    return str_sub(path, prefix.n, path.n);
}

static void redirect(struct http_conn *c, int status, str path, str query)
{
    struct buf to = BUF_INIT;

    escape_path(&to, path);
    if (query.n != 0)
        buf_addf(&to, "?%.*s", STR(query));
    c->state = CONN_PENDING;
    http_reply_header(&c->rq, S("Location"), buf_str(&to));
    http_reply(&c->rq, status, STR_NONE, STR_NONE);
    buf_release(&to);
}

static void redirect_into(struct http_server *s, struct http_conn *c)
{
    redirect(c, 302, arena_printf(&c->rq.arena, "%.*s/", STR(s->conf.prefix)), STR_NONE);
}

/* Without "//", "/./" and "/../", as Go's ServeMux has it, and without a slash at the end. */
static str clean(str path, struct arena *a)
{
    struct buf out = BUF_INIT;

    while (path.n != 0) {
        str part = str_cut(&path, '/');

        if (str_is(part, "..")) {
            while (out.n != 0 && out.p[--out.n] != '/')
                ;
        } else if (part.n != 0 && !str_is(part, ".")) {
            buf_addf(&out, "/%.*s", STR(part));
        }
    }
    if (out.n == 0)
        buf_addc(&out, '/');
    return arena_take(a, &out);
}

/* A route for preflights alone says nothing about which paths there are. */
static bool is_a_path(const struct http_conn *c)
{
    return c->rq.route != NULL || (c->allow & ~(unsigned)HTTP_OPTIONS) != 0;
}

static void find_below(struct http_server *s, struct http_conn *c, str path)
{
    struct http_req *rq = &c->rq;

    rq->path = below(s->conf.prefix, path);
    if (rq->path.p != NULL)
        rq->route =
            net_http_server_find(s->conf.routes, rq->method, rq->path, &rq->wildcard, &c->allow);
}

/* What clients of the originals write and the routes have not. */
static void find_unclean(struct http_server *s, struct http_conn *c)
{
    struct http_req *rq = &c->rq;
    str was = rq->path, cleaned = clean(c->path, &rq->arena);
    bool is_slash = str_ends_with(c->path, S("/")) && cleaned.n + 1 == c->path.n;

    if (str_eq(cleaned, c->path))
        return;
    find_below(s, c, cleaned);
    if (!is_a_path(c)) {
        rq->path = was;
    } else if (!is_slash || !str_starts_with(rq->path, s->conf.lenient)) {
        rq->route = NULL;
        c->cleaned = cleaned;
    }
}

void http_server_find(struct http_server *s, struct http_conn *c)
{
    struct http_req *rq = &c->rq;

    c->allow = 0;
    c->path = c->cleaned = rq->path = STR_NONE;
    rq->route = NULL;
    if (!http_percent_decode(&rq->arena, c->head.path, false, &c->path))
        return;
    find_below(s, c, c->path);
    if (!is_a_path(c))
        find_unclean(s, c);
}

bool http_server_route(struct http_server *s, struct http_conn *c)
{
    struct http_req *rq = &c->rq;

    if (s->conf.accept != NULL && !s->conf.accept(rq, s->conf.arg))
        return false;
    if (rq->route != NULL)
        return true;
    if (c->path.p == NULL)
        http_conn_refuse(c, 400, "bad percent-encoding in the path");
    else if (rq->path.p == NULL && (str_is(c->path, "/") || str_eq(c->path, s->conf.prefix)))
        redirect_into(s, c);
    else if (c->cleaned.n != 0)
        redirect(c, 301, c->cleaned, c->rq.query);
    else
        http_server_unrouted(s, c, is_a_path(c) ? 405 : 404, c->allow);
    return false;
}
