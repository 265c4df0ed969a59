#include "unit.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "net/sd_notify.h"

static char heard[2048];

static const char *hear(int fd)
{
    ssize_t n = recv(fd, heard, sizeof(heard) - 1, MSG_DONTWAIT);

    heard[n > 0 ? n : 0] = '\0';
    return heard;
}

/* name: of $NOTIFY_SOCKET; a '@' stands for the abstract namespace. */
static int listen_as(const char *name)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    size_t n = strlen(name);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    memcpy(sa.sun_path, name, n);
    if (name[0] == '@')
        sa.sun_path[0] = '\0';
    assert_int_equal(bind(fd, (struct sockaddr *)&sa,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
                     0);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static void messages(void **state)
{
    static const char *const kinds[] = {"/tmp/tocsin_notify.%d", "@tocsin_notify.%d"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        char name[64];
        int fd;

        snprintf(name, sizeof(name), kinds[i], (int)getpid());
        fd = listen_as(name);
        sd_notify_ready(S("up\nSTOPPING=1"));
        assert_string_equal(hear(fd), "READY=1\nSTATUS=up STOPPING=1");
        sd_notify_reloading();
        assert_int_equal(strncmp(hear(fd), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
        assert_true(strtoll(heard + 27, NULL, 10) > 0);
        sd_notify_stopping();
        assert_string_equal(hear(fd), "STOPPING=1");
        sd_notify_watchdog();
        assert_string_equal(hear(fd), "WATCHDOG=1");
        close(fd);
        unlink(name);
        sd_notify_watchdog(); /* nobody listens any more */
    }
    unsetenv("NOTIFY_SOCKET");
    sd_notify_watchdog();
    setenv("NOTIFY_SOCKET", "relative", 1);
    sd_notify_watchdog();
    unsetenv("NOTIFY_SOCKET");
}

static void passed_sockets(void **state)
{
    int fds[SD_LISTEN_MAX];
    char pid[32];

    (void)state;
    setenv("LISTEN_FDS", "2", 1);
    assert_int_equal(sd_listen_fds(fds), 0); /* for somebody else */
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "2", 1);
    assert_int_equal(sd_listen_fds(fds), 2);
    assert_int_equal(fds[0], 3);
    assert_int_equal(fds[1], 4);
    assert_null(getenv("LISTEN_FDS"));
    assert_int_equal(sd_listen_fds(fds), 0);
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "x", 1);
    assert_int_equal(sd_listen_fds(fds), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages),
        cmocka_unit_test(passed_sockets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
