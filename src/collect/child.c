#include "collect/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/mem.h"
#include "collect/part.h"

enum { CHILD_KILL_MS = 1000, CHILD_TICK_MS = 20, TAKE_PIECES = 64 };

struct child_watch {
    struct child *c;
    pid_t pid;
    int out, said; /* ends of pipes; -1: at their end */
    int pidfd;     /* -1: the kernel has none */
    size_t max;
};

/* -- beginning -- */

static bool spawn(struct child_watch *w, char *const *argv, const int out[2], const int said[2],
                  struct err *e)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, usual;
    int rc;

    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, said[1], STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &usual);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                        POSIX_SPAWN_SETSIGDEF);
    rc = posix_spawnp(&w->pid, argv[0], &files, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    if (rc == ENOENT)
        return err_set(e, ERR_NOT_FOUND, "there is no program '%s'", argv[0]);
    return rc == 0 || err_errno(e, rc, "cannot run '%s'", argv[0]);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static bool begin(struct child_watch *w, char *const *argv, struct err *e)
{
    int out[2], said[2] = {-1, -1};
    bool ok;

    if (pipe2(out, O_CLOEXEC) != 0)
        return err_errno(e, errno, "cannot run '%s'", argv[0]);
    ok = pipe2(said, O_CLOEXEC) == 0 ? spawn(w, argv, out, said, e)
                                     : err_errno(e, errno, "cannot run '%s'", argv[0]);
    close_fd(&out[1]);
    close_fd(&said[1]);
    if (!ok) {
        close_fd(&out[0]);
        close_fd(&said[0]);
        return false;
    }
    w->out = out[0];
    w->said = said[0];
    (void)fcntl(w->out, F_SETFL, O_NONBLOCK);
    (void)fcntl(w->said, F_SETFL, O_NONBLOCK);
    w->pidfd = (int)syscall(SYS_pidfd_open, w->pid, 0);
    return true;
}

/* -- what it prints -- */

/* Appends what there is to b, up to max. False: there is more, which a flood would be for ever. */
static bool take(int *fd, struct buf *b, size_t max)
{
    char piece[16 << 10];

    for (int i = 0; *fd >= 0 && i < TAKE_PIECES; i++) {
        ssize_t k = read(*fd, piece, sizeof(piece));

        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0 && errno == EAGAIN)
            break;
        if (k <= 0) {
            close_fd(fd);
            break;
        }
        if ((size_t)k > max - b->n)
            return false;
        buf_add(b, (str){piece, (size_t)k});
    }
    return true;
}

static bool has_exited(pid_t pid)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid;
}

/* Until it has exited or something is wrong. */
static bool watch(struct child_watch *w, ts_ns deadline, int stop_fd, const char *name,
                  struct err *e)
{
    for (;;) {
        bool is_over = has_exited(w->pid);
        struct pollfd fds[] = {
            {w->out, POLLIN, 0}, {w->said, POLLIN, 0}, {w->pidfd, POLLIN, 0}, {stop_fd, POLLIN, 0}};
        int left;

        if (!take(&w->out, &w->c->out, w->max))
            return err_set(e, ERR_LIMIT, "'%s' prints more than %zu bytes", name, w->max);
        if (!take(&w->said, &w->c->said, CHILD_SAID_MAX))
            buf_clear(&w->c->said); /* the last words are the better ones */
        if (is_over)
            return true;
        left = part_left_ms(deadline);
        if (left == 0)
            return err_set(e, ERR_TIMEOUT, "'%s' takes too long: killed", name);
        if (w->pidfd < 0 && left > CHILD_TICK_MS)
            left = CHILD_TICK_MS;
        (void)poll(fds, ARRAY_LEN(fds), left);
        if ((fds[3].revents & POLLIN) != 0)
            return err_set(e, ERR_IO, "'%s': the program ends", name);
    }
}

/* -- the end -- */

/* The group first: while the child is not waited for, its number is nobody else's. */
static void finish(struct child_watch *w)
{
    int status = 0;

    kill(-w->pid, SIGKILL);
    for (int i = 0; i < CHILD_KILL_MS && !has_exited(w->pid); i++)
        (void)poll(NULL, 0, 1);
    if (waitpid(w->pid, &status, WNOHANG) == w->pid)
        w->c->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    else
        w->c->left = w->pid;
    close_fd(&w->out);
    close_fd(&w->said);
    close_fd(&w->pidfd);
}

static bool child_is_left(struct child *c)
{
    if (c->left != 0 && waitpid(c->left, NULL, WNOHANG) != 0)
        c->left = 0;
    return c->left != 0;
}

bool child_run(struct child *c, char *const *argv, ts_ns deadline, int stop_fd, size_t max,
               struct err *e)
{
    struct child_watch w = {.c = c, .max = max};
    bool ok;

    buf_clear(&c->out);
    buf_clear(&c->said);
    c->exit_status = 0;
    if (child_is_left(c))
        return err_set(e, ERR_CONFLICT, "'%s' of an earlier run (process %ld) cannot be killed",
                       argv[0], (long)c->left);
    if (!begin(&w, argv, e))
        return false;
    ok = watch(&w, deadline, stop_fd, argv[0], e);
    finish(&w);
    return ok;
}

void child_release(struct child *c)
{
    buf_release(&c->out);
    buf_release(&c->said);
}
