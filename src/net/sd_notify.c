#include "net/sd_notify.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "base/buf.h"

enum { FIRST_FD = 3, STATUS_MAX = 1024 };

static void sd_notify_tell(str message)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    str path = str_of(getenv("NOTIFY_SOCKET"));
    int fd;

    if (path.n < 2 || path.n >= sizeof(sa.sun_path) || (path.p[0] != '/' && path.p[0] != '@'))
        return;
    memcpy(sa.sun_path, path.p, path.n);
    if (path.p[0] == '@')
        sa.sun_path[0] = '\0'; /* the abstract namespace */
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    (void)!sendto(fd, message.p, message.n, MSG_NOSIGNAL, (struct sockaddr *)&sa,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n));
    close(fd);
}

/* A line end in a status would start another assignment. */
static void add_status(struct buf *b, str status)
{
    status = str_sub(status, 0, STATUS_MAX);
    buf_adds(b, "STATUS=");
    for (size_t i = 0; i < status.n; i++)
        buf_addc(b, (unsigned char)status.p[i] < 0x20 ? ' ' : status.p[i]);
}

void sd_notify_ready(str status)
{
    struct buf b = BUF_INIT;

    buf_adds(&b, "READY=1\n");
    add_status(&b, status);
    sd_notify_tell(buf_str(&b));
    buf_release(&b);
}

void sd_notify_reloading(void)
{
    struct buf b = BUF_INIT;
    struct timespec now; /* systemd compares this with CLOCK_MONOTONIC, which is not our clock */

    clock_gettime(CLOCK_MONOTONIC, &now);
    buf_addf(&b, "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    sd_notify_tell(buf_str(&b));
    buf_release(&b);
}

void sd_notify_stopping(void)
{
    sd_notify_tell(S("STOPPING=1"));
}

void sd_notify_watchdog(void)
{
    sd_notify_tell(S("WATCHDOG=1"));
}

/* Variables that name another process are meant for it. */
static bool is_for_us(const char *pid_variable, bool required)
{
    const char *text = getenv(pid_variable);
    uint64_t pid;

    if (text == NULL)
        return !required;
    return str_to_u64(str_of(text), &pid) && pid == (uint64_t)getpid();
}

size_t sd_listen_fds(int fds[SD_LISTEN_MAX])
{
    uint64_t n = 0;

    if (!is_for_us("LISTEN_PID", true) || !str_to_u64(str_of(getenv("LISTEN_FDS")), &n))
        n = 0;
    if (n > SD_LISTEN_MAX)
        n = SD_LISTEN_MAX;
    for (int i = 0; i < (int)n; i++) {
        fds[i] = FIRST_FD + i;
        fcntl(fds[i], F_SETFD, FD_CLOEXEC);
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return (size_t)n;
}
