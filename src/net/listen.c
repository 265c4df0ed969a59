#include "net/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/mem.h"

enum { BACKLOG = 1024 };

static bool listen_refuse(int fd, struct err *e, str address)
{
    int why = errno;

    if (fd >= 0)
        close(fd);
    err_errno(e, why, "cannot listen on '%.*s'", STR(address));
    if (e != NULL && why == EADDRINUSE)
        e->code = ERR_CONFLICT;
    return false;
}

/* A socket file that refuses connections is what a crash left behind. */
static void remove_stale(const struct sockaddr_un *sa)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) != 0 && errno == ECONNREFUSED)
        unlink(sa->sun_path);
    close(fd);
}

static bool open_unix(str path, int *out, struct err *e)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd;

    if (path.n == 0 || path.n >= sizeof(sa.sun_path))
        return err_set(e, ERR_INVALID, "socket path '%.*s' is empty or too long", STR(path));
    memcpy(sa.sun_path, path.p, path.n);
    remove_stale(&sa);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
        return listen_refuse(fd, e, path);
    if (chmod(sa.sun_path, 0660) != 0 || listen(fd, BACKLOG) != 0)
        return listen_refuse(fd, e, path);
    *out = fd;
    return true;
}

static int open_one(const struct addrinfo *ai)
{
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, off = 0;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (ai->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        int why = errno;

        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

/* The families in the order in which they are tried: ":port" means both, which only IPv6 can; a
 * name means IPv4 first. */
static bool open_any(const char *host, const char *port, int *out)
{
    static const int wildcard[] = {AF_INET6, AF_INET}, named[] = {AF_INET, AF_INET6};
    const int *families = host == NULL ? wildcard : named;
    int why = EADDRNOTAVAIL;

    for (int i = 0; i < 2; i++) {
        struct addrinfo hints = {.ai_family = families[i], .ai_socktype = SOCK_STREAM}, *list;

        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
        if (getaddrinfo(host, port, &hints, &list) != 0)
            continue;
        for (struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next) {
            if ((*out = open_one(ai)) >= 0) {
                freeaddrinfo(list);
                return true;
            }
            why = errno;
        }
        freeaddrinfo(list);
        if (why == EADDRINUSE)
            break; /* the other family would hide that */
    }
    errno = why;
    return false;
}

bool listen_open(str address, int *fd, struct err *e)
{
    str host = address, port = STR_NONE;
    uint64_t number;
    char *host_z, *port_z;
    bool ok;

    if (str_starts_with(address, S("unix:")))
        return open_unix(str_sub(address, 5, address.n), fd, e);
    for (size_t i = address.n; i-- != 0 && port.p == NULL;)
        if (address.p[i] == ':') {
            host = str_sub(address, 0, i);
            port = str_sub(address, i + 1, address.n);
        }
    if (!str_to_u64(port, &number) || number > 65535)
        return err_set(e, ERR_INVALID, "listen address '%.*s' is not host:port", STR(address));
    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = str_sub(host, 1, host.n - 1);
    else if (str_find(host, ':') >= 0)
        return err_set(e, ERR_INVALID, "listen address '%.*s' needs [] around its IPv6 address",
                       STR(address));
    host_z = mem_zdup(host);
    port_z = mem_zdup(port);
    ok = open_any(host.n != 0 ? host_z : NULL, port_z, fd);
    mem_free(host_z);
    mem_free(port_z);
    return ok || listen_refuse(-1, e, address);
}

void listen_name(int fd, struct buf *out)
{
    struct sockaddr_storage sa = {0};
    socklen_t n = sizeof(sa);
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (getsockname(fd, (struct sockaddr *)&sa, &n) != 0)
        return;
    if (sa.ss_family == AF_UNIX)
        buf_addf(out, "unix:%s", ((struct sockaddr_un *)&sa)->sun_path);
    else if (getnameinfo((struct sockaddr *)&sa, n, host, sizeof(host), port, sizeof(port),
                         NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        buf_addf(out, sa.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}
